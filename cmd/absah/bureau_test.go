package main

import (
	"bytes"
	"crypto/fips140"
	"log/slog"
	"path/filepath"
	"testing"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/config"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/pades"
)

// bureau is an installation that the program prepares and serves, and that the
// test opens itself between that.
type bureau struct {
	t        *testing.T
	dir      string
	settings []string
	cfg      config.Config
}

func newBureau(t *testing.T, dir string) *bureau {
	t.Helper()
	b := &bureau{t: t, dir: dir, cfg: apptest.Configure(filepath.Join(dir, "data"), "", 1)} // no mail is sent
	b.cfg.Addr = freeAddr(t)
	b.cfg.BaseURL = "http://" + b.cfg.Addr
	b.settings = []string{"DATA=" + b.cfg.Data, "ADDR=" + b.cfg.Addr, "MAIL_PORT=1"}
	return b
}

func (b *bureau) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// second is the error of a call whose result nobody wants.
func second[T any](_ T, err error) error { return err }

func (b *bureau) open() *app.App {
	b.t.Helper()
	a, err := app.Open(b.t.Context(), b.cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	b.must(err)
	return a
}

// sign signs a letter and returns it.
func (b *bureau) sign(a *app.App, who audit.Actor) ([]byte, error) {
	ctx := b.t.Context()
	var letter []byte
	var err error
	fips140.WithoutEnforcement(func() { letter, err = signingtest.PDF("Surat Contoh", 1) }) // somebody's word processor
	b.must(err)
	who.Role = "employee"
	d, err := a.Signing.Upload(ctx, who, signing.Upload{Name: "surat.pdf", Body: bytes.NewReader(letter)})
	if err != nil {
		return nil, err
	}
	secret, err := apptest.Passphrase(1)
	b.must(err)
	activation, err := a.Signing.Authorize(ctx, signing.Authorization{
		Who: who, Signer: who.EmployeeID, Secret: secret, Items: []signing.Item{{Document: d.ID, Digest: d.SHA256, Request: signing.Request{Level: pades.BLTA}}},
	})
	if err != nil {
		return nil, err
	}
	out := activation.SignDocuments(ctx, nil)
	if err := activation.Close(ctx); err != nil {
		return nil, err
	}
	if out[0].Err != nil {
		return nil, out[0].Err
	}
	return a.Signing.Content(ctx, out[0].Document, 0)
}
