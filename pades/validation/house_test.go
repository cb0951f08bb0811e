package validation

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
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/certpath"
	"absah/pades/tsp"
	"absah/pdf"
)

// signed is when the tests' documents are signed, now when they are judged.
var (
	signedAt = time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)
	now      = signedAt.AddDate(0, 0, 20)
)

type entity struct {
	key  crypto.Signer
	cert *x509.Certificate
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

func certify(name string, issuer *entity, change func(*x509.Certificate)) *entity {
	serial.Lock()
	serial.last++
	n := serial.last
	serial.Unlock()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + n), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}},
		NotBefore: signedAt.AddDate(-1, 0, 0), NotAfter: signedAt.AddDate(2, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, crypto.Signer(key)
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer))
	return &entity{key, must(x509.ParseCertificate(der))}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	c.NotAfter = signedAt.AddDate(10, 0, 0)
}

// house is a small hierarchy: a root, a CA, a signer and a timestamp authority.
type house struct {
	root, ca, signer, tsa *entity
	crl                   *certpath.CRL // of the CA, without entries
	rootCRL               *certpath.CRL
}

var home = sync.OnceValue(newHouse)

func newHouse() *house {
	h := &house{}
	h.root = certify("Akar Contoh", nil, authority)
	h.ca = certify("Penerbit Contoh", h.root, authority)
	names := func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.contoh.example/ca.crl"} }
	h.signer = certify("Siti Contoh", h.ca, names)
	h.tsa = certify("Penanda Waktu Contoh", h.ca, func(c *x509.Certificate) {
		names(c)
		c.NotAfter = signedAt.AddDate(8, 0, 0)
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))}}
	})
	h.crl = h.list(h.ca, signedAt.Add(-time.Hour), signedAt.AddDate(0, 1, 0), nil)
	h.rootCRL = h.list(h.root, signedAt.Add(-time.Hour), signedAt.AddDate(0, 1, 0), nil)
	return h
}

// list issues a CRL that revokes the certificates at their times.
func (h *house) list(issuer *entity, this, next time.Time, revoked map[*entity]time.Time) *certpath.CRL {
	t := &x509.RevocationList{Number: big.NewInt(this.Unix()), ThisUpdate: this, NextUpdate: next}
	for e, at := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: e.cert.SerialNumber, RevocationTime: at})
	}
	return must(certpath.ParseCRL(must(x509.CreateRevocationList(rand.Reader, t, issuer.cert, issuer.key))))
}

func (h *house) source(lists ...*certpath.CRL) certpath.Source {
	if lists == nil {
		lists = []*certpath.CRL{h.crl, h.rootCRL}
	}
	return certpath.NewArchive(nil, lists, nil)
}

func (h *house) timestamper(at time.Time) tsp.Timestamper {
	return must(tsp.NewAuthority(tsp.AuthorityConfig{
		Key: h.tsa.key, Certificate: h.tsa.cert, Chain: []*x509.Certificate{h.ca.cert, h.root.cert}, Policy: must(oid("1.3.6.1.4.1.99999.3")),
		Clock: func() (time.Time, error) { return at, nil }, Serial: tsp.RandomSerials(rand.Reader),
	}))
}

func (h *house) sign(t testing.TB, file []byte, o pades.Options) []byte {
	t.Helper()
	return h.signAs(t, h.signer, file, o)
}

func (h *house) signAs(t testing.TB, e *entity, file []byte, o pades.Options) []byte {
	t.Helper()
	s, err := pades.NewSigner(pades.SignerConfig{Key: e.key, Certificate: e.cert, Chain: []*x509.Certificate{h.ca.cert, h.root.cert}})
	if err != nil {
		t.Fatal(err)
	}
	if o.Clock == nil {
		o.Clock = func() time.Time { return signedAt }
	}
	var out bytes.Buffer
	if _, err := pades.Sign(context.Background(), bytes.NewReader(file), int64(len(file)), &out, s, o); err != nil {
		t.Fatalf("sign: %v", err)
	}
	return out.Bytes()
}

// validator trusts the house's root and has the CRLs at hand.
func (h *house) validator(t testing.TB, lists ...*certpath.CRL) *Validator {
	t.Helper()
	c := Config{Trust: h.trust(t), Now: func() time.Time { return now }, Source: h.source(lists...)}
	return must(New(c))
}

func (h *house) trust(t testing.TB) *certpath.Validator {
	t.Helper()
	root, err := certpath.FromX509(h.root.cert)
	if err != nil {
		t.Fatal(err)
	}
	return must(certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{certpath.NewAnchor(root)}}))
}

func judge(t testing.TB, v *Validator, file []byte) *Report {
	t.Helper()
	r, err := v.Validate(context.Background(), bytes.NewReader(file), int64(len(file)), Options{})
	if err != nil {
		t.Fatalf("validate: %v", err)
	}
	// From memory it is the same.
	if m, err := v.Validate(context.Background(), pdf.Bytes(file), int64(len(file)), Options{}); err != nil || m.Verdict != r.Verdict {
		t.Fatalf("validate from memory: %v, and %s where a reader gave %s", err, m.Verdict, r.Verdict)
	}
	keep(t, file, r)
	return r
}

// build writes a file of the objects, number 1 the catalog, with a classic table.
func build(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for i, o := range objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

func stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// letter is a page with text, a form with a text field, and an empty signature
// field. Object numbers: 4 contents, 5 font, 6 form, 7 text field, 8 signature
// field, 9 an image that the page does not draw yet; then more.
func letter(form string, more ...string) []byte {
	return build(append([]string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 9 0 R >> >> /Annots [7 0 R 8 0 R] >>",
		stream("", "BT /F1 18 Tf 72 700 Td (Bayar satu juta rupiah) Tj ET"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Fields [7 0 R 8 0 R] /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf 0 g) " + form + " >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (catatan) /F 4 /Rect [72 500 272 520] /DA (/F1 12 Tf 0 g) /P 3 0 R >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (kedua) /F 4 /Rect [72 400 272 450] /P 3 0 R >>",
		stream("/Type /XObject /Subtype /Form /BBox [0 0 100 100]", "0 g 0 0 100 100 re f"),
	}, more...)...)
}

// amend appends a revision that sets and adds objects.
func amend(t testing.TB, file []byte, change func(*pdf.Update)) []byte {
	t.Helper()
	doc, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := doc.NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	tail, _, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(file), tail...)
}
