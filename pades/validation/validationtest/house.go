// Package validationtest has what tests of validating need, here and behind the
// interfaces for people and programs: a small hierarchy, a letter, and files of
// every class of attack on signatures, with the verdicts that they may get.
package validationtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/cms"
	"absah/pades/tsp"
)

// SignedAt is when the documents are signed, Now when they are judged.
var (
	SignedAt = time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)
	Now      = SignedAt.AddDate(0, 0, 20)
)

// Entity is one that has a key and a certificate.
type Entity struct {
	Key  crypto.Signer
	Cert *x509.Certificate
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var serial struct {
	sync.Mutex
	last int64
}

// Certify makes a key and lets the issuer certify it; nil is the key itself.
func Certify(name string, issuer *Entity, change func(*x509.Certificate)) *Entity {
	serial.Lock()
	serial.last++
	n := serial.last
	serial.Unlock()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + n), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}},
		NotBefore: SignedAt.AddDate(-1, 0, 0), NotAfter: SignedAt.AddDate(2, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, crypto.Signer(key)
	if issuer != nil {
		parent, signer = issuer.Cert, issuer.Key
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer))
	return &Entity{key, must(x509.ParseCertificate(der))}
}

// Authority makes a certificate that of a certification authority.
func Authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	c.NotAfter = SignedAt.AddDate(10, 0, 0)
}

// House is a small hierarchy: a root, a CA, a signer and a timestamp authority.
type House struct {
	Root, CA, Signer, TSA *Entity
	CRL                   *certpath.CRL // of the CA, without entries
	RootCRL               *certpath.CRL
}

// Home is the house that most tests share.
var Home = sync.OnceValue(NewHouse)

// NewHouse makes another one.
func NewHouse() *House {
	h := &House{}
	h.Root = Certify("Akar Contoh", nil, Authority)
	h.CA = Certify("Penerbit Contoh", h.Root, Authority)
	names := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.contoh.example/ca.crl"} }
	h.Signer = Certify("Siti Contoh", h.CA, names)
	h.TSA = Certify("Penanda Waktu Contoh", h.CA, func(c *x509.Certificate) {
		names(c)
		c.NotAfter = SignedAt.AddDate(8, 0, 0)
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))}}
	})
	h.CRL = h.List(h.CA, SignedAt.Add(-time.Hour), SignedAt.AddDate(0, 1, 0), nil)
	h.RootCRL = h.List(h.Root, SignedAt.Add(-time.Hour), SignedAt.AddDate(0, 1, 0), nil)
	return h
}

// List issues a CRL that revokes the certificates at their times.
func (h *House) List(issuer *Entity, this, next time.Time, revoked map[*Entity]time.Time) *certpath.CRL {
	t := &x509.RevocationList{Number: big.NewInt(this.Unix()), ThisUpdate: this, NextUpdate: next}
	for e, at := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: e.Cert.SerialNumber, RevocationTime: at})
	}
	return must(certpath.ParseCRL(must(x509.CreateRevocationList(rand.Reader, t, issuer.Cert, issuer.Key))))
}

// Source has the CRLs at hand; without any, those of the house.
func (h *House) Source(lists ...*certpath.CRL) certpath.Source {
	if lists == nil {
		lists = []*certpath.CRL{h.CRL, h.RootCRL}
	}
	return certpath.NewArchive(nil, lists, nil)
}

// Timestamper stamps with one time only.
func (h *House) Timestamper(at time.Time) tsp.Timestamper {
	return must(tsp.NewAuthority(tsp.AuthorityConfig{
		Key: h.TSA.Key, Certificate: h.TSA.Cert, Chain: []*x509.Certificate{h.CA.Cert, h.Root.Cert}, Policy: must(cms.ParseOID("1.3.6.1.4.1.99999.3")),
		Clock: func() (time.Time, error) { return at, nil }, Serial: tsp.RandomSerials(rand.Reader),
	}))
}

// Sign signs a file as the house's signer.
func (h *House) Sign(t testing.TB, file []byte, o pades.Options) []byte {
	t.Helper()
	return h.SignAs(t, h.Signer, file, o)
}

// SignAs signs a file as somebody whom the house knows.
func (h *House) SignAs(t testing.TB, e *Entity, file []byte, o pades.Options) []byte {
	t.Helper()
	s, err := pades.NewSigner(pades.SignerConfig{Key: e.Key, Certificate: e.Cert, Chain: []*x509.Certificate{h.CA.Cert, h.Root.Cert}})
	if err != nil {
		t.Fatal(err)
	}
	if o.Clock == nil {
		o.Clock = func() time.Time { return SignedAt }
	}
	var out bytes.Buffer
	if _, err := pades.Sign(context.Background(), bytes.NewReader(file), int64(len(file)), &out, s, o); err != nil {
		t.Fatalf("sign: %v", err)
	}
	return out.Bytes()
}
