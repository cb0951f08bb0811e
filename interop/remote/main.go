// Command remote is a signing service that speaks the API of the Cloud Signature
// Consortium to programs of others: one subscriber, one application, on the loopback
// interface. It writes what they need into DIR (remote.json, root.pem, letter.pdf) and
// serves until its standard input ends.
//
//	remote DIR
package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"absah/internal/api/csc"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/oauth"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: remote DIR")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "remote:", err)
		os.Exit(1)
	}
}

// told is what a client needs.
type told struct {
	URL        string `json:"url"`
	Client     string `json:"client"`
	Secret     string `json:"secret"`
	User       string `json:"user"`
	Passphrase string `json:"passphrase"`
	Algorithm  string `json:"algorithm"`
}

func run(ctx context.Context, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	base := "http://" + l.Addr().String()
	st, err := store.Open(ctx, filepath.Join(dir, "remote.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if _, err := st.Migrate(ctx); err != nil {
		return errors.Join(err, st.Close())
	}
	w, err := signingtest.Open(ctx, dir, st, clock.System)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	clients := &apiclient.Service{Store: st, Clock: clock.System}
	_, secret, err := clients.Add(ctx, audit.System("interop"), "pyhanko", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 6000, Enabled: true})
	if err != nil {
		return errors.Join(err, st.Close())
	}
	var all []told
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		who, err := w.Subscriber(ctx, "Siti Contoh", alg)
		if err != nil {
			return errors.Join(err, st.Close())
		}
		e, err := st.Read().GetEmployee(ctx, who.EmployeeID)
		if err != nil {
			return errors.Join(err, st.Close())
		}
		all = append(all, told{URL: base, Client: "pyhanko", Secret: secret, User: e.Nip, Passphrase: signingtest.Passphrase, Algorithm: string(alg)})
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: csc.New(csc.Config{
		Store: st, Clients: clients, Signing: w.Service, Timestamper: w.Config.Timestamper, OAuth: &oauth.Service{Store: st, Clock: clock.System},
		Chain: func() [][]byte {
			var out [][]byte
			for _, c := range w.Config.Chain() {
				out = append(out, c.Raw)
			}
			return out
		},
		BaseURL: base, Name: "Absah", Region: "ID", Address: func(*http.Request) string { return "127.0.0.1" }, Clock: clock.System, Log: slog.New(slog.DiscardHandler),
	})}
	go func() { _ = server.Serve(l) }() // ends with Close
	letter, err := signingtest.PDF("Surat Contoh", 2)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "letter.pdf"), letter, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "root.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Root.Raw}), 0o600)
	}
	var b []byte
	if err == nil {
		b, err = json.Marshal(all)
	}
	if err == nil { // last: who waits for it finds the rest
		err = os.WriteFile(filepath.Join(dir, "remote.json.part"), b, 0o600)
	}
	if err == nil {
		err = os.Rename(filepath.Join(dir, "remote.json.part"), filepath.Join(dir, "remote.json"))
	}
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	return errors.Join(err, server.Close(), st.Close())
}
