package validation

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/certpath"
)

func judgeAt(t testing.TB, v *Validator, file []byte, at time.Time) *Report {
	t.Helper()
	r, err := v.Validate(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Time: at})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestCertificateOverTime is what becomes of a signature when its certificate is
// revoked or ends, by what the signature proves of its time.
func TestCertificateOverTime(t *testing.T) {
	h := home()
	levels := map[string][]byte{}
	for _, l := range []pades.Level{pades.BB, pades.BT, pades.BLT, pades.BLTA} {
		levels[l.String()] = h.sign(t, letter(""), pades.Options{Level: l, Timestamper: h.timestamper(signedAt), Evidence: h.source()})
	}
	revokedEarly := []*certpath.CRL{h.list(h.ca, now.Add(-time.Hour), now.AddDate(10, 0, 0), map[*entity]time.Time{h.signer: signedAt.Add(-time.Hour)}), h.rootCRL}
	revokedLate := []*certpath.CRL{h.list(h.ca, now.Add(-time.Hour), now.AddDate(10, 0, 0), map[*entity]time.Time{h.signer: signedAt.Add(time.Hour)}), h.rootCRL}
	tsaRevoked := []*certpath.CRL{h.list(h.ca, now.Add(-time.Hour), now.AddDate(10, 0, 0), map[*entity]time.Time{h.tsa: signedAt.Add(time.Hour)}), h.rootCRL}
	later := signedAt.AddDate(3, 0, 0) // the signer's certificate has ended, the authority's not
	longAfter := signedAt.AddDate(9, 0, 0)
	none := []*certpath.CRL{}
	for _, c := range []struct {
		name, level string
		lists       []*certpath.CRL
		at          time.Time
		want        Verdict
		sub         string
	}{
		{"good", "B-B", nil, now, Valid, ""},
		{"revoked before", "B-B", revokedEarly, now, Indeterminate, "REVOKED_NO_POE"},
		{"revoked before, timestamped", "B-T", revokedEarly, now, Indeterminate, "REVOKED_NO_POE"},
		{"revoked before, embedded CRL was older", "B-LT", revokedEarly, now, Indeterminate, "REVOKED_NO_POE"},
		{"revoked after, without proof of time", "B-B", revokedLate, now, Indeterminate, "REVOKED_NO_POE"},
		{"revoked after, timestamped", "B-T", revokedLate, now, Valid, ""},
		{"revoked after, embedded", "B-LT", revokedLate, now, Valid, ""},
		{"revoked after, archived", "B-LTA", revokedLate, now, Valid, ""},
		{"authority revoked, without later proof", "B-T", tsaRevoked, now, Valid, ""},
		{"ended, without proof of time", "B-B", nil, later, Indeterminate, "OUT_OF_BOUNDS_NOT_REVOKED"},
		{"ended, embedded", "B-LT", none, later, Valid, ""},
		{"ended, archived", "B-LTA", none, later, Valid, ""},
		{"authority ended too", "B-LTA", none, longAfter, Indeterminate, ""},
		{"status not known", "B-B", none, now, Indeterminate, "TRY_LATER"},
		{"before it began", "B-B", nil, signedAt.AddDate(-2, 0, 0), Indeterminate, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lists := c.lists
			v := must(New(Config{Trust: h.trust(t), Source: certpath.NewArchive(nil, lists, nil), Now: func() time.Time { return c.at }}))
			if lists == nil {
				v = must(New(Config{Trust: h.trust(t), Source: h.source(), Now: func() time.Time { return c.at }}))
			}
			r := judgeAt(t, v, levels[c.level], c.at)
			s := r.Signatures[0]
			if r.Verdict != c.want || c.sub != "" && s.SubIndication != c.sub {
				t.Errorf("%s, %s, want %s, %s\n%s", r.Verdict, s.SubIndication, c.want, c.sub, dump(r))
			}
			if strings.HasPrefix(c.name, "revoked after, ") && c.want == Valid && !s.Intact {
				t.Error("not intact")
			}
		})
	}
}

func TestTrust(t *testing.T) {
	h := home()
	file := h.sign(t, letter(""), pades.Options{})
	stranger := newHouse()
	r := judge(t, stranger.validator(t), file)
	doubtful.check(t, r)
	if s := r.Signatures[0]; s.SubIndication != string(certpath.NoCertificateChainFound) || !s.Intact {
		t.Errorf("%s", dump(r))
	}
	// A timestamp of a stranger's authority proves nothing.
	stamped := h.sign(t, letter(""), pades.Options{Level: pades.BT, Timestamper: stranger.timestamper(signedAt)})
	r = judge(t, h.validator(t), stamped)
	if s := r.Signatures[0]; s.Timestamp != nil || s.Level != "B-B" || r.Verdict != Valid {
		t.Errorf("a timestamp that nobody trusts counts: %s", dump(r))
	}
	// One from the future proves nothing either.
	stamped = h.sign(t, letter(""), pades.Options{Level: pades.BT, Timestamper: h.timestamper(now.AddDate(0, 1, 0))})
	if s := judge(t, h.validator(t), stamped).Signatures[0]; s.Timestamp != nil {
		t.Errorf("a timestamp from the future counts")
	}
}

// TestCertified: whether a signature is a certified one is what was said of the
// anchor, and nothing is said where the certificate leads to none.
func TestCertified(t *testing.T) {
	h := home()
	file := h.sign(t, letter(""), pades.Options{})
	root := must(certpath.FromX509(h.root.Cert))
	for _, said := range []bool{true, false} {
		anchor := certpath.NewAnchor(root)
		anchor.Certified = said
		trust := must(certpath.NewValidator(certpath.Config{Anchors: []*certpath.Anchor{anchor}}))
		v := must(New(Config{Trust: trust, Now: func() time.Time { return now }, Source: h.source(h.crl, h.rootCRL)}))
		if s := judge(t, v, file).Signatures[0]; s.Certified == nil || *s.Certified != said {
			t.Errorf("said %v: %v", said, s.Certified)
		}
	}
	if s := judge(t, newHouse().validator(t), file).Signatures[0]; s.Certified != nil {
		t.Errorf("a stranger's signature is said to be certified or not: %v", *s.Certified)
	}
}

// TestNamesOfSigners: what people look for in a certificate is named by itself, and
// no character makes it look like something else.
func TestNamesOfSigners(t *testing.T) {
	h := home()
	e := certify("Siti\u202e Con\u200btoh", h.ca, func(c *x509.Certificate) { c.Subject.SerialNumber = "199001012015012001" })
	s := judge(t, h.validator(t), h.signAs(t, e, letter(""), pades.Options{})).Signatures[0].Signer
	if s.Name != "Siti Contoh" || s.Number != "199001012015012001" || s.Organisation != "Instansi Contoh" || s.IssuerName != h.ca.Cert.Subject.CommonName {
		t.Errorf("%+q", *s)
	}
}

// TestWeakKey: a key of 1024 bits is not relied upon, whoever certified it.
func TestWeakKey(t *testing.T) {
	h := home()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: h.signer.Cert.Subject, NotBefore: signedAt.AddDate(-1, 0, 0), NotAfter: signedAt.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageContentCommitment,
	}
	der := must(x509.CreateCertificate(rand.Reader, c, h.ca.Cert, key.Public(), h.ca.Key))
	weak := &entity{Key: key, Cert: must(x509.ParseCertificate(der))}
	doubtful.check(t, judge(t, h.validator(t), h.signAs(t, weak, letter(""), pades.Options{})))
}

// TestKeyUsage: a certificate for something else signs no documents.
func TestKeyUsage(t *testing.T) {
	h := home()
	e := certify("Kunci Lain", h.ca, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	doubtful.check(t, judge(t, h.validator(t), h.signAs(t, e, letter(""), pades.Options{})))
}

// TestNoStatusService: whose issuer names no service for the status cannot be
// asked about; the answer says so and is not withheld.
func TestNoStatusService(t *testing.T) {
	h := home()
	e := certify("Siti Contoh", h.ca, nil)
	v := must(New(Config{Trust: h.trust(t), Now: func() time.Time { return now }}))
	r := judge(t, v, h.signAs(t, e, letter(""), pades.Options{}))
	valid.check(t, r)
	if len(r.Signatures[0].Notes) == 0 {
		t.Errorf("nothing said: %s", dump(r))
	}
}

func TestParseDate(t *testing.T) {
	wib := time.FixedZone("WIB", 7*3600)
	for s, want := range map[string]time.Time{
		"D:20261102083000+07'00'": time.Date(2026, 11, 2, 8, 30, 0, 0, wib),
		"D:20261102083000+07'00":  time.Date(2026, 11, 2, 8, 30, 0, 0, wib),
		"D:20261102083000+07":     time.Date(2026, 11, 2, 8, 30, 0, 0, wib),
		"D:20261102083000-0330":   time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC),
		"D:20261102083000Z00'00'": time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC),
		"D:202611020830":          time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC),
		"D:2026":                  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"20261102":                time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC),
	} {
		if got, ok := parseDate(s); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "D:", "D:20", "D:2026110", "D:20261399", "kemarin", "D:20261102083000*07"} {
		if got, ok := parseDate(s); ok {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}
