package esign

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/pades"
)

// Sealer seals files within windows that two keepers of a seal opened for an
// application. *seal.Service is one.
type Sealer interface {
	AskWindow(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID string) error
	Activation(ctx context.Context, client *apiclient.Client, sealID, code string) (seal.Activation, error)
	Code(ctx context.Context, client *apiclient.Client, sealID, activation string, files int) (string, time.Time, error)
	CloseActivation(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID, activation string) error
	SealFiles(ctx context.Context, who audit.Actor, client *apiclient.Client, sealID, code string, files []seal.File) ([][]byte, error)
}

// sealTime is how the interface writes the end of a code.
func sealTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// sealFields are the seal and the code of a call.
func (c *call) sealFields(needed bool) (id, code string, err error) {
	id, code = c.fields.get("idSubscriber"), c.fields.code()
	if id == "" {
		return "", "", wrongField("idSubscriber", "Kolom 'idSubscriber' harus diisi dengan id segel")
	}
	if needed && code == "" {
		return "", "", wrongField("totp", "Kolom 'totp' harus diisi")
	}
	return id, code, nil
}

// sealActivation asks the keepers of a seal for an activation or, with the code
// that they gave, tells whether it is still open: POST /api/v2/seal/get/activation.
// The code never comes by this way: the second keeper hands it to the operator of
// the application.
func (d *door) sealActivation(w http.ResponseWriter, r *http.Request, c *call) error {
	id, code, err := c.sealFields(false)
	if err != nil {
		return err
	}
	if code == "" {
		if !c.client.Sandbox {
			if err := d.Seals.AskWindow(r.Context(), c.actor, c.client, id); err != nil {
				return err
			}
		}
		d.json(w, http.StatusOK, map[string]any{"success": true, "message": "TOTP Aktivasi berhasil dikirim", "data": nil})
		return nil
	}
	expires := d.Clock().Add(time.Hour)
	if c.client.Sandbox {
		err = sandboxCode(code)
	} else {
		var a seal.Activation
		a, err = d.Seals.Activation(r.Context(), c.client, id, code)
		expires = a.Expires
	}
	if err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"success": true, "message": nil, "data": map[string]any{
		"message": "TOTP Aktivasi masih berlaku", "totp": code, "expires": sealTime(expires), "result": true,
	}})
	return nil
}

// sealRevoke ends an activation at once, POST /api/v2/seal/revoke/activation. What
// it answers no document says; it is that of its neighbour.
func (d *door) sealRevoke(w http.ResponseWriter, r *http.Request, c *call) error {
	id, code, err := c.sealFields(true)
	if err != nil {
		return err
	}
	if c.client.Sandbox {
		err = sandboxCode(code)
	} else {
		err = d.Seals.CloseActivation(r.Context(), c.actor, c.client, id, code)
	}
	if err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"success": true, "message": "Aktivasi segel berhasil dicabut", "data": nil})
	return nil
}

// sealCode gives a code for one call, POST /api/v2/seal/get/totp: data is the
// number of its files.
func (d *door) sealCode(w http.ResponseWriter, r *http.Request, c *call) error {
	id, activation, err := c.sealFields(true)
	if err != nil {
		return err
	}
	files, err := strconv.Atoi(c.fields.get("data"))
	if err != nil || files < 1 || files > MaxFiles {
		return wrongField("data", "Kolom 'data' harus berisi jumlah dokumen, 1 sampai %d", MaxFiles)
	}
	var code string
	expires := d.Clock().Add(seal.CodeLife)
	if c.client.Sandbox {
		code, err = "SPECIMEN", sandboxCode(activation)
	} else {
		code, expires, err = d.Seals.Code(r.Context(), c.client, id, activation, files)
	}
	if err != nil {
		return err
	}
	d.json(w, http.StatusOK, map[string]any{"message": "TOTP berhasil dibuat", "totp": code, "expires": sealTime(expires), "result": true})
	return nil
}

// sealPDF seals files, POST /api/v2/seal/pdf.
func (d *door) sealPDF(w http.ResponseWriter, r *http.Request, c *call) error {
	started := d.Clock()
	id, code, err := c.sealFields(true)
	if err != nil {
		return err
	}
	var o order
	if err := c.fields.files64(&o); err != nil {
		return err
	}
	if err := c.fields.properties(&o); err != nil {
		return err
	}
	files := make([]seal.File, len(o.files))
	for i, b := range o.files {
		pages, err := d.pagesOf(r.Context(), b, o.password[i])
		if err != nil {
			return err
		}
		if err := settle(&o.requests[i], pages); err != nil {
			return err
		}
		files[i] = seal.File{Bytes: b, Password: o.password[i], Request: o.requests[i]}
	}
	var sealed [][]byte
	if c.client.Sandbox {
		sealed, err = d.Sandbox.sealFiles(r.Context(), code, files)
	} else {
		sealed, err = d.Seals.SealFiles(r.Context(), c.actor, c.client, id, code, files)
	}
	if err != nil {
		return err
	}
	out := make([]string, len(sealed))
	for i, b := range sealed {
		out[i] = base64.StdEncoding.EncodeToString(b)
	}
	d.json(w, http.StatusOK, map[string]any{"time": d.Clock().Sub(started).Milliseconds(), "file": out})
	return nil
}

// sealProblem is about the seal and its codes.
func sealProblem(err error) *problem {
	bad := func(code int, text string) *problem {
		return &problem{status: http.StatusBadRequest, code: code, text: text}
	}
	switch {
	case errors.Is(err, seal.ErrNotFound):
		return bad(codeUnknown, "Segel tidak terdaftar")
	case errors.Is(err, seal.ErrInactive):
		return bad(codeSuspended, "Segel sedang tidak dapat dipakai")
	case errors.Is(err, seal.ErrCode):
		return bad(codeSealCode, "TOTP tidak berlaku: salah, sudah dipakai, kedaluwarsa, atau aktivasinya sudah berakhir")
	case errors.Is(err, seal.ErrSpent):
		return bad(codeSealSpent, "Jumlah dokumen melebihi yang diizinkan oleh TOTP atau aktivasi segel")
	case errors.Is(err, seal.ErrAlone):
		return bad(codeSealKeepers, "Segel belum memiliki dua penjaga, sehingga aktivasi tidak dapat dibuka")
	}
	return nil
}

// The sandbox has no keepers and no windows: every seal is there, and every code
// that does not begin with "salah" is right.

func sandboxCode(code string) error {
	if strings.HasPrefix(strings.ToLower(code), "salah") {
		return seal.ErrCode
	}
	return nil
}

const specimenSeal = "SPECIMEN - bukan segel yang sah"

// sandboxSeal is the seal of no institution.
func sandboxSeal(ca *x509.Certificate, by *ecdsa.PrivateKey) (*pades.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	cert, err := certify(&x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		Subject: pkix.Name{Country: []string{"ID"}, Organization: []string{"SPECIMEN"}, CommonName: specimenSeal, ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "GO:ID-SPECIMEN"},
		}},
	}, ca, key, by)
	if err != nil {
		return nil, err
	}
	s, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: cert, Chain: []*x509.Certificate{ca}})
	if err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	return s, nil
}

// of is the signer of a name.
func (m *issuer) of(name string) *pades.Signer {
	if name == specimenSeal {
		return m.seal
	}
	return m.signer
}

func (s *Sandbox) sealFiles(ctx context.Context, code string, files []seal.File) ([][]byte, error) {
	if err := sandboxCode(code); err != nil {
		return nil, err
	}
	out := make([][]byte, len(files))
	for i, f := range files {
		var b bytes.Buffer
		item := signing.Item{File: bytes.NewReader(f.Bytes), Size: int64(len(f.Bytes)), Password: f.Password, Request: f.Request}
		if err := s.sign(ctx, item, specimenSeal, &b); err != nil {
			return nil, err
		}
		out[i] = b.Bytes()
	}
	return out, nil
}
