package ca

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestCRL(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	w := newWorldAt(t, now.Add(-2*time.Hour))
	i := w.issuer(t)
	good, bad := w.issue(t, i), w.issue(t, i)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	entries := []RevokedEntry{{Serial: bad.SerialNumber, At: now.Add(-time.Hour), Reason: KeyCompromise}}
	for k, r := range []Reason{Unspecified, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn} {
		serial, _ := newSerial(rand.Reader)
		entries = append(entries, RevokedEntry{Serial: serial, At: now.Add(-time.Duration(k+1) * time.Minute), Reason: r})
	}
	der, err := s.BuildCRL(context.Background(), entries, 42, now.Add(-time.Minute), now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := CRLNumber(der); n != 42 || err != nil {
		t.Errorf("number %d, %v", n, err)
	}
	if len(list.RevokedCertificateEntries) != len(entries) {
		t.Fatalf("%d entries", len(list.RevokedCertificateEntries))
	}
	for _, e := range entries {
		found := false
		for _, got := range list.RevokedCertificateEntries {
			if got.SerialNumber.Cmp(e.Serial) == 0 {
				found = got.ReasonCode == int(e.Reason) && got.RevocationTime.Equal(e.At)
				if e.Reason == Unspecified && len(got.Extensions) > 0 {
					t.Error("reason unspecified is spelt out")
				}
			}
		}
		if !found {
			t.Errorf("entry with reason %s is missing or differs", e.Reason)
		}
	}

	rootPEM := file(t, "root.pem", PEM(w.h.Root.Raw))
	issuingPEM := file(t, "issuing.pem", PEM(w.h.Issuing.Raw))
	crlPEM := file(t, "crl.pem", []byte(mustTool(t, "openssl", "crl", "-inform", "DER", "-in", file(t, "a.crl", der))))
	text := mustTool(t, "openssl", "crl", "-in", crlPEM, "-CAfile", issuingPEM, "-noout", "-text")
	for _, want := range []string{"verify OK", "Key Compromise", "Superseded", "X509v3 CRL Number: \n                42"} {
		if !strings.Contains(text, want) {
			t.Errorf("openssl does not say %q:\n%s", want, text)
		}
	}
	verify := func(c *x509.Certificate) (string, error) {
		return tool(t, "openssl", "verify", "-x509_strict", "-crl_check", "-CRLfile", crlPEM, "-CAfile", rootPEM,
			"-untrusted", issuingPEM, file(t, "leaf.pem", PEM(c.Raw)))
	}
	if out, err := verify(good); err != nil {
		t.Errorf("good certificate: %v\n%s", err, out)
	}
	if out, err := verify(bad); err == nil || !strings.Contains(out, "certificate revoked") {
		t.Errorf("revoked certificate: %v\n%s", err, out)
	}
	out := mustTool(t, "certtool", "--verify-crl", "--load-ca-certificate", issuingPEM, "--infile", crlPEM)
	if !strings.Contains(out, "Verified") || strings.Contains(out, "Not verified") {
		t.Errorf("certtool:\n%s", out)
	}
}

func TestEmptyCRLOfTheRootAndDistantTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.h.CRLSigner(string(RootCA))
	if err != nil {
		t.Fatal(err)
	}
	der, err := s.BuildCRL(context.Background(), nil, 1, testTime, time.Date(2050, 2, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil || list.NextUpdate.Year() != 2050 {
		t.Errorf("next update %v, %v", list.NextUpdate, err)
	}
}

func TestCRLIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	serial := big.NewInt(0).Lsh(big.NewInt(1), 150)
	next := testTime.Add(time.Hour)
	for name, c := range map[string]struct {
		entries []RevokedEntry
		number  int64
		this    time.Time
		want    error
	}{
		"number 0":          {nil, 0, testTime, ErrCRLNumber},
		"negative number":   {nil, -1, testTime, ErrCRLNumber},
		"times":             {nil, 1, next, ErrConfig},
		"released":          {[]RevokedEntry{{serial, testTime, RemoveFromCRL}}, 1, testTime, ErrReason},
		"reason 7":          {[]RevokedEntry{{serial, testTime, 7}}, 1, testTime, ErrReason},
		"no serial":         {[]RevokedEntry{{nil, testTime, 0}}, 1, testTime, ErrMalformed},
		"serial twice":      {[]RevokedEntry{{serial, testTime, 0}, {serial, testTime, 1}}, 1, testTime, ErrLint},
		"revoked in future": {[]RevokedEntry{{serial, testTime.Add(time.Minute), 0}}, 1, testTime, ErrLint},
	} {
		if _, err := s.BuildCRL(context.Background(), c.entries, c.number, c.this, next); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if _, err := w.h.CRLSigner("other"); !errors.Is(err, ErrNotEstablished) {
		t.Errorf("unknown CA: %v", err)
	}
}

func BenchmarkCRL(b *testing.B) {
	w := newWorld(b)
	s, err := w.h.CRLSigner(string(IssuingCA))
	if err != nil {
		b.Fatal(err)
	}
	entries := make([]RevokedEntry, 10_000)
	for k := range entries {
		serial, _ := newSerial(rand.Reader)
		entries[k] = RevokedEntry{Serial: serial, At: testTime, Reason: Superseded}
	}
	for b.Loop() {
		if _, err := s.BuildCRL(context.Background(), entries, 1, testTime, testTime.Add(time.Hour)); err != nil {
			b.Fatal(err)
		}
	}
}
