package pades_test

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
	"errors"
	"fmt"
	"log"
	"math/big"
	"time"

	"absah/pades"
	"absah/pades/appearance"
	"absah/pades/certpath"
	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pades/validation"
)

// A key in a file or a token signs a letter. The stamp goes where the letter says
// "$"; without Visible the signature is invisible.
func ExampleSign() {
	office := newOffice()
	signer, err := pades.NewSigner(pades.SignerConfig{
		Key: office.signerKey, Certificate: office.signer, Chain: []*x509.Certificate{office.ca},
	})
	if err != nil {
		log.Fatal(err)
	}
	letter := letter()
	var signed bytes.Buffer
	result, err := pades.Sign(context.Background(), bytes.NewReader(letter), int64(len(letter)), &signed, signer, pades.Options{
		Reason: "Disetujui",
		Visible: &pades.Visible{
			Anchor: "$",
			Box:    appearance.Box{Width: 160, Height: 48},
			Spec:   appearance.Spec{Lines: []appearance.Line{{Text: "Ditandatangani secara elektronik"}}},
		},
	})
	var refusal *pades.Refusal
	if errors.As(err, &refusal) {
		log.Fatalf("not signed (%s): %s", refusal.Reason, refusal.Text)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Level, result.Field)
	fmt.Println("the letter stands in front unchanged:", bytes.HasPrefix(signed.Bytes(), letter))
	// Output:
	// B-B Signature1
	// the letter stands in front unchanged: true
}

// The key is elsewhere: in a remote service, or opened later. What has to be
// signed goes there and comes back as a signature value.
func ExamplePrepare() {
	office, letter := newOffice(), letter()
	signer, err := pades.NewSigner(pades.SignerConfig{Certificate: office.signer, Chain: []*x509.Certificate{office.ca}})
	if err != nil {
		log.Fatal(err)
	}
	prepared, err := pades.Prepare(context.Background(), bytes.NewReader(letter), int64(len(letter)), signer, pades.Options{})
	if err != nil {
		log.Fatal(err)
	}
	digest, opts := prepared.ToBeSigned()
	value, err := office.signerKey.Sign(rand.Reader, digest, opts) // where the key is
	if err != nil {
		log.Fatal(err)
	}
	var signed bytes.Buffer
	result, err := prepared.Embed(context.Background(), &signed, value)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Level, result.Size == int64(signed.Len()))
	// Output: B-B true
}

// A signed letter gets what it takes to prove it in years to come: a timestamp,
// the certificates and revocation lists, and a timestamp over those. In a program
// that has a network, fetch.TSA is the Timestamper and fetch.Client the Source.
func ExampleExtend() {
	office := newOffice()
	signed := office.sign(letter(), pades.Options{})
	var extended bytes.Buffer
	result, err := pades.Extend(context.Background(), bytes.NewReader(signed), int64(len(signed)), &extended, pades.Options{
		Level: pades.BLTA, Timestamper: office.timestamper(), Evidence: office.evidence(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Level, "with", result.Timestamps, "timestamps")
	fmt.Println(office.judge(extended.Bytes()))
	// Output:
	// B-LTA with 2 timestamps
	// valid
}

// A letter is signed at once with a trusted time and all that validating it later
// needs.
func ExampleSign_longTerm() {
	office := newOffice()
	signed := office.sign(letter(), pades.Options{
		Level: pades.BLT, Timestamper: office.timestamper(), Evidence: office.evidence(),
	})
	fmt.Println(office.judge(signed))
	// Output: valid
}

// office has an authority, somebody who signs and a time-stamping authority, all of
// the moment.
type office struct {
	ca, signer, tsa          *x509.Certificate
	caKey, signerKey, tsaKey crypto.Signer
}

func newOffice() *office {
	var o office
	o.ca, o.caKey = o.issue("Contoh CA", func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
	o.signer, o.signerKey = o.issue("Siti Contoh", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageContentCommitment })
	o.tsa, o.tsaKey = o.issue("Penanda Waktu Contoh", func(c *x509.Certificate) {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		purposes := must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: purposes}}
	})
	return &o
}

func (o *office) issue(name string, change func(*x509.Certificate)) (*x509.Certificate, crypto.Signer) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, big.NewInt(1<<62))), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}},
		NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(5, 0, 0), BasicConstraintsValid: true,
	}
	change(c)
	parent, by := c, crypto.Signer(key)
	if o.ca != nil {
		parent, by = o.ca, o.caKey
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)))), key
}

func (o *office) sign(file []byte, options pades.Options) []byte {
	signer := must(pades.NewSigner(pades.SignerConfig{Key: o.signerKey, Certificate: o.signer, Chain: []*x509.Certificate{o.ca}}))
	var signed bytes.Buffer
	must(pades.Sign(context.Background(), bytes.NewReader(file), int64(len(file)), &signed, signer, options))
	return signed.Bytes()
}

func (o *office) timestamper() tsp.Timestamper {
	return must(tsp.NewAuthority(tsp.AuthorityConfig{
		Key: o.tsaKey, Certificate: o.tsa, Chain: []*x509.Certificate{o.ca}, Policy: must(cms.ParseOID("1.3.6.1.4.1.99999.3")),
		Clock: func() (time.Time, error) { return time.Now(), nil }, Serial: tsp.RandomSerials(rand.Reader),
	}))
}

// evidence is a source that has the authority's list of revoked certificates.
func (o *office) evidence() certpath.Source {
	list := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().AddDate(0, 1, 0),
	}, o.ca, o.caKey))
	return certpath.NewArchive(nil, []*certpath.CRL{must(certpath.ParseCRL(list))}, nil)
}

// judge is the verdict on a file, by what is in it and the authority alone.
func (o *office) judge(file []byte) validation.Verdict {
	anchor := certpath.NewAnchor(must(certpath.FromX509(o.ca)))
	trust := must(certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{anchor}}))
	v := must(validation.New(validation.Config{Trust: trust}))
	return must(v.Validate(context.Background(), bytes.NewReader(file), int64(len(file)), validation.Options{})).Verdict
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// letter is a PDF file of one page that ends in "$".
func letter() []byte {
	const text = "BT /F1 24 Tf 72 700 Td (Surat Contoh) Tj 0 -80 Td ($) Tj ET"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, start)
	return b.Bytes()
}
