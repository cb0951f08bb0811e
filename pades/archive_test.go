package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"absah/pades/certpath"
	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pdf"
)

func timeStamping(c *x509.Certificate) {
	c.KeyUsage = x509.KeyUsageDigitalSignature
	c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}}
}

// stamper is a time-stamping authority of the test's own authority.
type stamper struct {
	authority *tsp.Authority
	calls     int
}

// newStamper makes an authority whose tokens hold pad certificates more than
// they need, to be longer.
func newStamper(t testing.TB, pad int) *stamper {
	t.Helper()
	e := certify("Stempel Waktu Contoh", newP256(), sub(), timeStamping)
	chain := []*x509.Certificate{sub().cert, root().cert}
	for range pad {
		chain = append(chain, certify("Penambah", newP256(), sub(), nil).cert)
	}
	a, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: e.key, Certificate: e.cert, Chain: chain, Policy: must(cms.ParseOID("1.3.6.1.4.1.99999.1")),
		Clock: func() (time.Time, error) { return instant.Add(time.Second), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &stamper{authority: a}
}

func (s *stamper) Timestamp(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
	s.calls++
	return s.authority.Timestamp(ctx, h, digest)
}

// later is when evidence is fetched: behind the timestamps.
func later() time.Time { return instant.Add(time.Minute) }

func crlOf(e *entity, revoked ...*x509.Certificate) *certpath.CRL {
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: instant.Add(-time.Hour), NextUpdate: instant.Add(24 * time.Hour)}
	for _, r := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: r.SerialNumber, RevocationTime: instant.Add(-2 * time.Hour)})
	}
	return must(certpath.ParseCRL(must(x509.CreateRevocationList(rand.Reader, l, e.cert, e.key))))
}

var responder = sync.OnceValue(func() *entity {
	return certify("Penjawab OCSP Contoh", newP256(), sub(), func(c *x509.Certificate) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	})
})

func ocspOf(certificate *x509.Certificate) *certpath.OCSPResponse {
	r := ocsp.Response{
		Status: ocsp.Good, SerialNumber: certificate.SerialNumber, ThisUpdate: instant.Add(-time.Minute), NextUpdate: instant.Add(time.Hour),
		Certificate: responder().cert,
	}
	return must(certpath.ParseOCSP(must(ocsp.CreateResponse(sub().cert, responder().cert, r, responder().key))))
}

// evidence has a CRL of the root, a CRL of the subordinate authority for all but
// the signer, and an OCSP answer about the signer.
func evidence(revoked ...*x509.Certificate) certpath.Source {
	var ocsps []*certpath.OCSPResponse
	if len(revoked) == 0 {
		ocsps = append(ocsps, ocspOf(leaf().cert))
	}
	return certpath.NewArchive(
		[]*certpath.Certificate{must(certpath.FromX509(sub().cert)), must(certpath.FromX509(root().cert))},
		[]*certpath.CRL{crlOf(root()), crlOf(sub(), revoked...)}, ocsps)
}

func archival(t testing.TB, l Level) Options {
	t.Helper()
	return Options{Level: l, Timestamper: newStamper(t, 0), Evidence: evidence(), Clock: later}
}

func TestLevels(t *testing.T) {
	plain := basic(true).bytes()
	for _, c := range []struct {
		name string
		file []byte
		pass string
	}{
		{"table", plain, ""},
		{"streams", remake(t, plain, "--object-streams=generate"), ""},
		{"encrypted", remake(t, plain, "--encrypt", "u", "o", "256", "--"), "o"},
	} {
		for l := BT; l <= BLTA; l++ {
			t.Run(c.name+" "+l.String(), func(t *testing.T) {
				o := archival(t, l)
				o.Password = []byte(c.pass)
				signed := sign(t, c.file, testSigner(t), o)
				judge{signatures: 1, level: l, password: c.pass, owner: c.pass != ""}.check(t, signed)
				checkStore(t, signed, c.pass, l)
			})
		}
	}
}

// checkStore demands all that validates the signature and its timestamp: both
// paths, and a statement on each certificate below the root.
func checkStore(t *testing.T, signed []byte, password string, l Level) {
	t.Helper()
	doc := openPDF(t, signed, password)
	site, err := openSite(doc)
	if err != nil {
		t.Fatal(err)
	}
	dss := must(doc.ResolveDict(site.root.Get("DSS")))
	if l < BLT {
		if dss != nil {
			t.Errorf("a store at %v", l)
		}
		return
	}
	data := map[string]int{}
	for _, key := range []pdf.Name{"Certs", "OCSPs", "CRLs"} {
		for _, o := range must(doc.ResolveArray(dss.Get(key))) {
			s, ok := must(doc.Resolve(o)).(*pdf.Stream)
			if !ok {
				t.Fatalf("%s has %v", key, o)
			}
			data[string(must(doc.StreamData(s)))]++
		}
	}
	for _, c := range []*x509.Certificate{leaf().cert, sub().cert, root().cert, responder().cert} {
		if data[string(c.Raw)] != 1 {
			t.Errorf("the certificate of %s is there %d times", c.Subject.CommonName, data[string(c.Raw)])
		}
	}
	if n := len(must(doc.ResolveArray(dss.Get("CRLs")))); n != 2 {
		t.Errorf("%d CRLs", n)
	}
	if n := len(must(doc.ResolveArray(dss.Get("OCSPs")))); n != 1 {
		t.Errorf("%d OCSP answers", n)
	}
	vri := must(doc.ResolveDict(dss.Get("VRI")))
	stamps := 0
	for _, f := range site.form.signatures {
		contents := contentsOf(doc, f.value)
		if isTimestamp(doc, f.value) {
			stamps++
			token, err := tsp.ParseToken(contents)
			if err != nil {
				t.Fatal(err)
			}
			r := byteRange(t, doc, f.value)
			h := token.Hash.New()
			h.Write(signed[:r[1]])
			h.Write(signed[r[2] : r[2]+r[3]])
			if !bytes.Equal(h.Sum(nil), token.Digest) {
				t.Error("the document timestamp is about another document")
			}
			continue
		}
		if !vri.Has(vriKey(contents)) {
			t.Errorf("VRI has no entry of %s", f.name)
		}
	}
	if want := int(l - BLT); stamps != want {
		t.Errorf("%d document timestamps at %v", stamps, l)
	}
}

// TestEarlierEntriesStay: what a later signature brings does not change the entry
// of an earlier one.
func TestEarlierEntriesStay(t *testing.T) {
	first := sign(t, basic(true).bytes(), testSigner(t), archival(t, BLT))
	second := sign(t, first, testSigner(t), archival(t, BLTA))
	entries := func(file []byte) (pdf.Dict, int) {
		doc := openPDF(t, file, "")
		dss := must(doc.ResolveDict(must(openSite(doc)).root.Get("DSS")))
		return must(doc.ResolveDict(dss.Get("VRI"))), len(must(doc.ResolveArray(dss.Get("OCSPs"))))
	}
	before, answers := entries(first)
	after, more := entries(second)
	if len(before) == 0 || len(after) <= len(before) || more <= answers {
		t.Fatalf("%d entries and %d answers, then %d and %d", len(before), answers, len(after), more)
	}
	for _, e := range before {
		if was, is := pdf.AppendObject(nil, e.Value), pdf.AppendObject(nil, after.Get(e.Key)); !bytes.Equal(was, is) {
			t.Errorf("entry %s was %s and is %s", e.Key, was, is)
		}
	}
}

func TestExtend(t *testing.T) {
	file := sign(t, basic(true).bytes(), testSigner(t), Options{})
	for _, l := range []Level{BT, BLT, BLTA} {
		o := archival(t, l)
		var out bytes.Buffer
		r, err := Extend(ctx, pdf.Bytes(file), int64(len(file)), &out, o)
		if err != nil {
			t.Fatalf("extend to %v: %v", l, err)
		}
		extended := out.Bytes()
		if !bytes.HasPrefix(extended, file) || r.Size != int64(len(extended)) {
			t.Errorf("%v: the input was not kept", l)
		}
		if out, code := run(t, "qpdf", "--check", write(t, extended)); code != 0 {
			t.Errorf("%v: qpdf --check: %s", l, out)
		}
		if r.Timestamps != map[Level]int{BT: 1, BLT: 1, BLTA: 2}[l] {
			t.Errorf("%v: %d timestamps", l, r.Timestamps)
		}
		// Another round adds a timestamp at B-LTA, and else nothing.
		var again bytes.Buffer
		if _, err := Extend(ctx, pdf.Bytes(extended), int64(len(extended)), &again, o); err != nil {
			t.Fatalf("extend %v again: %v", l, err)
		}
		if grown := again.Len() > len(extended); grown != (l == BLTA) {
			t.Errorf("%v: another round makes %d bytes of %d", l, again.Len(), len(extended))
		}
	}
}

func TestExtendCertified(t *testing.T) {
	// ISO 32000-2 12.8.2.2 permits validation data and document timestamps under P=1.
	file := sign(t, basic(true).bytes(), testSigner(t), Options{Certify: CertifyNone})
	var out bytes.Buffer
	if _, err := Extend(ctx, pdf.Bytes(file), int64(len(file)), &out, archival(t, BLTA)); err != nil {
		t.Error(err)
	}
}

func TestNothingToExtend(t *testing.T) {
	file := basic(true).bytes()
	var out bytes.Buffer
	_, err := Extend(ctx, pdf.Bytes(file), int64(len(file)), &out, archival(t, BLT))
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != ReasonNoSignature {
		t.Errorf("extending an unsigned file gives %v", err)
	}
	if out.Len() > 0 {
		t.Error("a refused file was written")
	}
}

func TestLongTokensGetTheirPlace(t *testing.T) {
	// Tokens of more than the first attempt's room.
	s := newStamper(t, 30)
	signed := sign(t, basic(true).bytes(), testSigner(t), Options{Level: BT, Timestamper: s})
	judge{signatures: 1, level: BT}.check(t, signed)
	if s.calls != 2 {
		t.Errorf("%d timestamps were fetched, not 2", s.calls)
	}
}

func TestLevelsWithoutHelpers(t *testing.T) {
	file := basic(true).bytes()
	refused(t, file, Options{Level: BT}, ReasonNoTimestamp)
	refused(t, file, Options{Level: BLT, Timestamper: newStamper(t, 0)}, ReasonNoEvidence)
	refused(t, file, Options{Level: BLT, Format: PKCS7, Timestamper: newStamper(t, 0), Evidence: evidence()}, ReasonOptions)
	nothing := Options{Level: BLT, Timestamper: newStamper(t, 0), Evidence: certpath.NewArchive(nil, nil, nil)}
	refused(t, file, nothing, ReasonNoEvidence)
	revoked := Options{Level: BLT, Timestamper: newStamper(t, 0), Evidence: evidence(leaf().cert), Clock: later}
	refused(t, file, revoked, ReasonCertificate)
}

func TestFailingTimestamper(t *testing.T) {
	broken := errors.New("the authority is closed")
	_, err := trySign(basic(true).bytes(), testSigner(t), Options{Level: BT, Timestamper: failing{broken}})
	if !errors.Is(err, broken) {
		t.Errorf("signing gives %v", err)
	}
}

type failing struct{ err error }

func (f failing) Timestamp(context.Context, crypto.Hash, []byte) ([]byte, error) { return nil, f.err }

func TestLevelNames(t *testing.T) {
	for l := BB; l <= BLTA; l++ {
		if got, ok := ParseLevel(l.String()); !ok || got != l {
			t.Errorf("%v reads as %v", l, got)
		}
	}
	if _, ok := ParseLevel("B-X"); ok || !strings.HasPrefix(Level(9).String(), "level") {
		t.Error("a level that does not exist has a name")
	}
}

// withoutRoot is a signer whose chain ends below the root.
func withoutRoot(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner(SignerConfig{Key: leaf().key, Certificate: leaf().cert, Chain: []*x509.Certificate{sub().cert}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestChainWithoutRoot(t *testing.T) {
	file := basic(true).bytes()
	subordinate := must(certpath.FromX509(sub().cert))
	answers := []*certpath.OCSPResponse{ocspOf(leaf().cert)}
	for _, c := range []struct {
		name   string
		lists  []*certpath.CRL
		reason Reason
	}{
		{"its list is there", []*certpath.CRL{crlOf(root()), crlOf(sub())}, ""},
		{"no list of its issuer", []*certpath.CRL{crlOf(sub())}, ReasonNoEvidence},
		{"revoked", []*certpath.CRL{crlOf(root(), sub().cert), crlOf(sub())}, ReasonCertificate},
	} {
		stamps := newStamper(t, 0)
		o := Options{Level: BLT, Timestamper: bareStamper{stamps}, Evidence: certpath.NewArchive([]*certpath.Certificate{subordinate}, c.lists, answers), Clock: later}
		signed, err := trySign(file, withoutRoot(t), o)
		var r *Refusal
		switch {
		case c.reason == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.reason != "" && (!errors.As(err, &r) || r.Reason != c.reason):
			t.Errorf("%s: %v", c.name, err)
		case c.reason == "":
			doc := openPDF(t, signed, "")
			site, err := openSite(doc)
			if err != nil {
				t.Fatal(err)
			}
			dss := must(doc.ResolveDict(site.root.Get("DSS")))
			if n := len(must(doc.ResolveArray(dss.Get("CRLs")))); n != 2 {
				t.Errorf("%s: %d lists", c.name, n)
			}
		}
	}
}

// bareStamper gives tokens whose chain lacks the root, too.
type bareStamper struct{ *stamper }

func (s bareStamper) Timestamp(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
	e := certify("Stempel Waktu Contoh", newP256(), sub(), timeStamping)
	a, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: e.key, Certificate: e.cert, Chain: []*x509.Certificate{sub().cert}, Policy: must(cms.ParseOID("1.3.6.1.4.1.99999.1")),
		Clock: func() (time.Time, error) { return instant.Add(time.Second), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
	if err != nil {
		return nil, err
	}
	return a.Timestamp(ctx, h, digest)
}
