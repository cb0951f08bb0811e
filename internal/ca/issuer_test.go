package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCertificateSaysWhatTheProfileSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.issue(t, w.issuer(t))

	if got, want := c.Subject.String(), "SERIALNUMBER=198001012005012001,CN=Siti Contoh,OU=Biro Contoh,O=Instansi Contoh,C=ID"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if c.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment {
		t.Errorf("key usage %b", c.KeyUsage)
	}
	if e := findExtension(c.Extensions, oidKeyUsage); e == nil || !e.Critical {
		t.Error("key usage is not critical")
	}
	if len(c.UnknownExtKeyUsage) != 2 || c.UnknownExtKeyUsage[0].String() != "1.3.6.1.5.5.7.3.36" || c.UnknownExtKeyUsage[1].String() != "1.2.840.113583.1.1.5" {
		t.Errorf("extended key usage %v", c.UnknownExtKeyUsage)
	}
	if c.IsCA || !c.BasicConstraintsValid {
		t.Error("not marked as an end entity")
	}
	if !bytes.Equal(c.AuthorityKeyId, w.h.Issuing.SubjectKeyId) || len(c.SubjectKeyId) != 20 {
		t.Error("key identifiers")
	}
	if fmt.Sprint(c.OCSPServer, c.IssuingCertificateURL, c.CRLDistributionPoints) !=
		"[http://pki.example.go.id/pki/ocsp] [http://pki.example.go.id/pki/ca/ca-issuing.crt] [http://pki.example.go.id/pki/crl/ca-issuing.crl]" {
		t.Errorf("addresses %v %v %v", c.OCSPServer, c.IssuingCertificateURL, c.CRLDistributionPoints)
	}
	if len(c.PolicyIdentifiers) != 1 || c.PolicyIdentifiers[0].String() != testPolicy || !bytes.Contains(c.Raw, []byte("http://pki.example.go.id/pki/cps")) {
		t.Errorf("policy %v", c.PolicyIdentifiers)
	}
	if len(c.EmailAddresses) != 1 || c.EmailAddresses[0] != "siti@contoh.example" {
		t.Errorf("e-mail %v", c.EmailAddresses)
	}
	if !c.NotBefore.Equal(testTime) || !c.NotAfter.Equal(testTime.AddDate(2, 0, 0).Add(-time.Second)) {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if n := c.SerialNumber.BitLen(); n > 159 || n < 100 {
		t.Errorf("serial of %d bits", n)
	}
}

func TestSubjectsThatDoNotFitAreRefusedByField(t *testing.T) {
	t.Parallel()
	p := DefaultProfile("ID", "Instansi Contoh", testPolicy, URLsAt("http://pki.example.go.id"))
	if err := p.CheckSubject(Subject{Name: "Siti", Unit: strings.Repeat("x", 65), Reference: "1", Email: "siti@contoh.example"}); err != nil {
		t.Errorf("a unit that is left out need not fit: %v", err)
	}
	p.IncludeUnit = true
	good := Subject{Name: "Siti Contoh", Unit: "Biro", Reference: "198001012005012001", Email: "siti@contoh.example"}
	if err := p.CheckSubject(good); err != nil {
		t.Fatal(err)
	}
	long := good
	long.Name = strings.Repeat("é", 64) // 64 characters, 128 octets
	if err := p.CheckSubject(long); err != nil {
		t.Errorf("64 characters: %v", err)
	}
	for name, c := range map[string]struct {
		change func(*Subject)
		field  string
	}{
		"name of 65 characters":          {func(s *Subject) { s.Name = strings.Repeat("é", 65) }, "commonName"},
		"no name":                        {func(s *Subject) { s.Name = "" }, "commonName"},
		"NIK in name":                    {func(s *Subject) { s.Name = "Siti 3171234567890123" }, "commonName"},
		"not UTF-8":                      {func(s *Subject) { s.Name = "Siti\xff" }, "commonName"},
		"direction override":             {func(s *Subject) { s.Name = "Siti\u202egp" }, "commonName"},
		"replacement character":          {func(s *Subject) { s.Name = "Siti\ufffd" }, "commonName"},
		"unit too long":                  {func(s *Subject) { s.Unit = strings.Repeat("x", 65) }, "organizationalUnitName"},
		"no reference":                   {func(s *Subject) { s.Reference = "" }, "serialNumber"},
		"NIK as reference":               {func(s *Subject) { s.Reference = "3171234567890123" }, "serialNumber"},
		"grouped NIK":                    {func(s *Subject) { s.Reference = "3171.2345.6789.0123" }, "serialNumber"},
		"reference not printable string": {func(s *Subject) { s.Reference = "NIP_1" }, "serialNumber"},
		"no e-mail":                      {func(s *Subject) { s.Email = "" }, "rfc822Name"},
		"e-mail with name":               {func(s *Subject) { s.Email = "Siti <siti@contoh.example>" }, "rfc822Name"},
		"e-mail not ASCII":               {func(s *Subject) { s.Email = "sitié@contoh.example" }, "rfc822Name"},
		"NIK in e-mail":                  {func(s *Subject) { s.Email = "3171234567890123@contoh.example" }, "rfc822Name"},
		"e-mail too long":                {func(s *Subject) { s.Email = strings.Repeat("a", 250) + "@contoh.example" }, "rfc822Name"},
	} {
		s := good
		c.change(&s)
		err := p.CheckSubject(s)
		var field *FieldError
		if !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%s: error %v, want one of field %s", name, err, c.field)
		}
		if err != nil && strings.Contains(err.Error(), "3171") {
			t.Errorf("%s: the error repeats the NIK: %v", name, err)
		}
	}
}

func TestProfileIsCheckedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*Profile){
		"years":              func(p *Profile) { p.Years = 0 },
		"name":               func(p *Profile) { p.Name = "" },
		"policy":             func(p *Profile) { p.PolicyOID = "" },
		"no OCSP":            func(p *Profile) { p.OCSPURL = "" },
		"address with space": func(p *Profile) { p.CRLURL = "http://a b/" },
		"country":            func(p *Profile) { p.Country = "IDN" },
		"organisation":       func(p *Profile) { p.Organisation = strings.Repeat("x", 65) },
	} {
		p := w.profile()
		change(&p)
		if _, err := w.h.Issuer(IssuerConfig{Profile: p, Clock: w.clock.Now, Blocked: neverBlocked}); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error %v, want ErrConfig", name, err)
		}
	}
	if _, err := w.h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now}); !errors.Is(err, ErrConfig) {
		t.Errorf("without list of blocked keys: %v", err)
	}
	if _, err := NewIssuer(IssuerConfig{Name: "x", Certificate: w.h.Issuing, Signer: newKey(t), Profile: w.profile(),
		Clock: w.clock.Now, Blocked: neverBlocked}); !errors.Is(err, ErrConfig) {
		t.Errorf("with a foreign key: %v", err)
	}
	// A profile may be coherent in itself and still not fit its issuer.
	w.clock.Advance(9 * 366 * 24 * time.Hour)
	_, err := w.h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now, Blocked: neverBlocked})
	var lint *LintError
	if !errors.As(err, &lint) || !lint.Has("absah_validity_nested") {
		t.Errorf("certificates would outlive the issuer: %v", err)
	}
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	key := newKey(t)
	for name, change := range map[string]func(*Request){
		"applicant is officer 1":        func(r *Request) { r.FirstOfficer = r.ApplicantID },
		"applicant is officer 2":        func(r *Request) { r.SecondOfficer = r.ApplicantID },
		"one officer twice":             func(r *Request) { r.SecondOfficer = r.FirstOfficer },
		"no officer 1":                  func(r *Request) { r.FirstOfficer = "" },
		"no officer 2":                  func(r *Request) { r.SecondOfficer = "" },
		"no applicant":                  func(r *Request) { r.ApplicantID = "" },
		"changed after first approval":  func(r *Request) { r.FirstHash = bytes.Repeat([]byte{1}, 32) },
		"changed after second approval": func(r *Request) { r.SecondHash = bytes.Repeat([]byte{1}, 32) },
		"changed after both":            func(r *Request) { r.SnapshotHash = bytes.Repeat([]byte{1}, 32) },
		"no hashes":                     func(r *Request) { r.SnapshotHash, r.FirstHash, r.SecondHash = nil, nil, nil },
	} {
		r := testRequest(t, key)
		change(&r)
		if _, err := i.Prepare(context.Background(), r); !errors.Is(err, ErrApproval) {
			t.Errorf("%s: prepare: error %v, want ErrApproval", name, err)
		}
		if _, err := i.Resume(context.Background(), r, nil); !errors.Is(err, ErrApproval) {
			t.Errorf("%s: resume: error %v, want ErrApproval", name, err)
		}
	}
}

func TestKeysThatAreNotCertified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blocked := newKey(t)
	spki, _ := spkiOf(blocked.Public())
	i, err := w.h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now,
		Blocked: func(_ context.Context, h [sha256.Size]byte) (bool, error) { return h == KeyHash(spki), nil }})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := i.Prepare(ctx, testRequest(t, blocked)); !errors.Is(err, ErrBlockedKey) {
		t.Errorf("blocked key: %v", err)
	}
	if _, err := i.Prepare(ctx, testRequest(t, w.h.issuingKey)); !errors.Is(err, ErrBlockedKey) {
		t.Errorf("the issuing CA's key: %v", err)
	}
	if _, err := i.Prepare(ctx, testRequest(t, w.h.ocspKey)); !errors.Is(err, ErrBlockedKey) {
		t.Errorf("the responder's key: %v", err)
	}
	other := testRequest(t, newKey(t))
	other.ExpectedSPKI = spki
	if _, err := i.Prepare(ctx, other); !errors.Is(err, ErrCSR) {
		t.Errorf("another key than the credential's: %v", err)
	}
	broken := testRequest(t, newKey(t))
	broken.CSR[len(broken.CSR)-1] ^= 1
	if _, err := i.Prepare(ctx, broken); !errors.Is(err, ErrCSR) {
		t.Errorf("broken proof of possession: %v", err)
	}
	failing, err := w.h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now,
		Blocked: func(context.Context, [sha256.Size]byte) (bool, error) { return false, errors.New("database is gone") }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := failing.Prepare(ctx, testRequest(t, newKey(t))); err == nil {
		t.Error("issued without knowing whether the key is blocked")
	}
}

func TestIntentIsRedeemedOnceByItsIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.issuer(t), w.issuer(t)
	ctx := context.Background()
	in, err := a.Prepare(ctx, testRequest(t, newKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Sign(ctx, in); !errors.Is(err, ErrIntentSpent) {
		t.Errorf("another issuer: %v", err)
	}
	der, err := a.Sign(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil || !bytes.Equal(cert.RawTBSCertificate, in.TBS()) {
		t.Errorf("signed something else than the intent: %v", err)
	}
	if _, err := a.Sign(ctx, in); !errors.Is(err, ErrIntentSpent) {
		t.Errorf("second time: %v", err)
	}
	for _, forged := range []*Intent{nil, {}, {issuer: b, tbs: in.tbs, cert: in.cert}} {
		if _, err := a.Sign(ctx, forged); !errors.Is(err, ErrIntentSpent) {
			t.Errorf("forged intent: %v", err)
		}
	}
}

func TestResumeKeepsTheSerial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	ctx := context.Background()
	r := testRequest(t, newKey(t))
	in, err := i.Prepare(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	recorded := in.TBS()

	w.clock.Advance(3 * time.Hour)
	again, err := w.issuer(t).Resume(ctx, r, recorded)
	if err != nil {
		t.Fatal(err)
	}
	if again.Serial() != in.Serial() || !bytes.Equal(again.TBS(), recorded) {
		t.Error("resumed another certificate")
	}
	if _, err := again.issuer.Sign(ctx, again); err != nil {
		t.Error(err)
	}

	changed := r
	changed.Subject.Name = "Orang Lain"
	var lint *LintError
	if _, err := i.Resume(ctx, changed, recorded); !errors.As(err, &lint) || !lint.Has("absah_subject") {
		t.Errorf("another subject: %v", err)
	}
	other := testRequest(t, newKey(t))
	if _, err := i.Resume(ctx, other, recorded); !errors.As(err, &lint) || !lint.Has("absah_key_equals_request") {
		t.Errorf("another key: %v", err)
	}
	if _, err := i.Resume(ctx, r, recorded[:len(recorded)-1]); err == nil {
		t.Error("resumed half an intent")
	}
	w.clock.Advance(MaxIntentAge)
	if _, err := i.Resume(ctx, r, recorded); !errors.Is(err, ErrStaleIntent) {
		t.Errorf("too old: %v", err)
	}
}

// faulty signs with another key than it says it has.
type faulty struct {
	crypto.Signer
	says crypto.PublicKey
}

func (f faulty) Public() crypto.PublicKey { return f.says }

func TestAFaultInTheKeyStoreDoesNotGoOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.issuer(t).Rehearse(); err != nil {
		t.Errorf("healthy issuer: %v", err)
	}
	w.h.issuingKey = faulty{newKey(t), w.h.issuingKey.Public()}
	i := w.issuer(t)
	if err := i.Rehearse(); err == nil {
		t.Error("the rehearsal did not notice")
	}
	in, err := i.Prepare(context.Background(), testRequest(t, newKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	if der, err := i.Sign(context.Background(), in); err == nil || der != nil {
		t.Error("a certificate with a wrong signature went out")
	}
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BuildCRL(context.Background(), nil, 1, testTime, testTime.Add(time.Hour)); err == nil {
		t.Error("a CRL with a wrong signature went out")
	}
}

func TestRSASubscriber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.issuer(t)
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	in, err := i.Prepare(context.Background(), testRequest(t, key))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Sign(context.Background(), in); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkIssueLinted(b *testing.B) {
	w := newWorld(b)
	i := w.issuer(b)
	r := testRequest(b, newKey(b))
	ctx := context.Background()
	for b.Loop() {
		in, err := i.Prepare(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := i.Sign(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}
