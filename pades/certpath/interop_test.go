package certpath

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// TestOpenSSLAnswers: OpenSSL's responder understands our request and signs an
// answer; it is read and believed.
func TestOpenSSLAnswers(t *testing.T) {
	w := newWorld(t)
	wide := period(start, start.Add(36500*day))
	w.ca = issue(t, w.root, "CA Contoh", ca(0), usage(KeyCertSign|CRLSign|DigitalSignature), wide)
	w.leaf = issue(t, w.ca, "Budi Fiktif", wide)
	revoked := issue(t, w.ca, "Siti Fiktif", wide)
	dir := t.TempDir()
	caFile := writePEM(t, dir, "ca.pem", w.ca)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(w.ca.key)
	if err != nil {
		t.Fatal(err)
	}
	keyFile, index := filepath.Join(dir, "ca.key"), filepath.Join(dir, "index.txt")
	lines := fmt.Sprintf("V\t991231235959Z\t\t%04X\tunknown\t/CN=Budi Fiktif\nR\t991231235959Z\t240201000000Z,keyCompromise\t%04X\tunknown\t/CN=Siti Fiktif\n", w.leaf.cert.Serial, revoked.cert.Serial)
	for name, b := range map[string][]byte{keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), index: []byte(lines)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		about  *party
		hash   crypto.Hash
		nonce  []byte
		byKey  bool
		reason Reason
		sub    SubIndication
	}{
		{w.leaf, crypto.SHA1, nil, false, ReasonNone, ""},
		{w.leaf, crypto.SHA256, []byte("sixteen octets !"), true, ReasonNone, ""},
		{revoked, crypto.SHA256, nil, true, ReasonRevoked, RevokedNoPOE},
	} {
		der, err := MarshalOCSPRequest(c.hash, c.about.cert, w.ca.cert, c.nonce)
		if err != nil {
			t.Fatal(err)
		}
		in, out := filepath.Join(dir, "req.der"), filepath.Join(dir, "resp.der")
		if err := os.WriteFile(in, der, 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"ocsp", "-index", index, "-CA", caFile, "-rsigner", caFile, "-rkey", keyFile, "-reqin", in, "-respout", out, "-ndays", "1"}
		if c.byKey {
			args = append(args, "-resp_key_id")
		}
		if ok, text := openssl(t, args...); !ok {
			t.Fatalf("openssl ocsp: %s", text)
		}
		if der, err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
		o, err := ParseOCSP(der)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(o.Nonce, c.nonce) {
			t.Errorf("nonce %q, want %q", o.Nonce, c.nonce)
		}
		req := Request{Certificate: c.about.cert, Candidates: certs(w.ca), Time: o.ProducedAt, Source: NewArchive(nil, nil, []*OCSPResponse{o})}
		a := NewAnchor(w.ca.cert)
		v, err := NewValidator(Config{Anchors: []*Anchor{a}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.about.cert.Subject.String(), v.Validate(context.Background(), req), c.reason, c.sub)
	}
	for _, n := range [][]byte{{}, make([]byte, 129)} {
		if _, err := MarshalOCSPRequest(crypto.SHA1, w.leaf.cert, w.ca.cert, n); !errors.Is(err, ErrNonce) {
			t.Errorf("nonce of %d bytes: %v", len(n), err)
		}
	}
	if _, err := MarshalOCSPRequest(crypto.MD5, w.leaf.cert, w.ca.cert, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("CertID of MD5: %v", err)
	}
}

// TestStandardLibraryLists: lists that crypto/x509 writes are read.
func TestStandardLibraryLists(t *testing.T) {
	w := newWorld(t)
	w.ca = issue(t, w.root, "CA Contoh", ca(0), usage(KeyCertSign|CRLSign), with(extSubjectKeyID, false, []byte{4, 2, 1, 2}))
	w.leaf = issue(t, w.ca, "Budi Fiktif")
	issuer, err := w.ca.cert.X509()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.RevocationList{
		Number: big.NewInt(5), ThisUpdate: noon.Add(-day), NextUpdate: noon.Add(day),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: w.leaf.cert.Serial, RevocationTime: noon.Add(-day), ReasonCode: int(Superseded)}},
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer, w.ca.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	if l.Number.Int64() != 5 || l.Entries != 1 || !l.ThisUpdate.Equal(template.ThisUpdate) || !l.NextUpdate.Equal(template.NextUpdate) {
		t.Errorf("read %+v", l)
	}
	expect(t, "listed", w.v.Validate(context.Background(), w.request(l)), ReasonRevoked, RevokedNoPOE)
}
