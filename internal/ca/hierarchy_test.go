package ca

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/keys"
)

func TestCeremonyMakesAHierarchyThatOthersAccept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*HierarchyConfig){
		"default":  func(*HierarchyConfig) {},
		"all P384": func(c *HierarchyConfig) { c.IssuingAlgorithm = keys.ECDSAP384 },
		"all RSA":  func(c *HierarchyConfig) { c.RootAlgorithm, c.IssuingAlgorithm = keys.RSA3072, keys.RSA3072 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC().Truncate(time.Second)
			w := newWorldAt(t, now.Add(-time.Minute), change)
			leaf := w.issue(t, w.issuer(t))

			root, issuing := w.h.Root, w.h.Issuing
			if issuing.MaxPathLen != 0 || !issuing.MaxPathLenZero {
				t.Error("the issuing CA may have CAs below it")
			}
			rootPEM, chain := file(t, "root.pem", PEM(root.Raw)), file(t, "issuing.pem", PEM(issuing.Raw))
			out := mustTool(t, "openssl", "verify", "-x509_strict",
				"-CAfile", rootPEM, "-untrusted", chain, file(t, "leaf.pem", PEM(leaf.Raw)))
			if !strings.Contains(out, "OK") {
				t.Error(out)
			}
			responder, _, err := newestResponder(w.h.Dir)
			if err != nil {
				t.Fatal(err)
			}
			mustTool(t, "openssl", "verify", "-x509_strict", "-purpose", "ocsphelper",
				"-CAfile", rootPEM, "-untrusted", chain, file(t, "ocsp.pem", PEM(responder.Raw)))
			out = mustTool(t, "certtool", "--verify",
				"--load-ca-certificate", rootPEM, "--infile", file(t, "chain.pem", w.h.ChainPEM(leaf.Raw)))
			if !strings.Contains(out, "Chain verification output: Verified") {
				t.Error(out)
			}
		})
	}
}

func TestValidityOfTheHierarchy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got, want := w.h.Root.NotAfter, testTime.AddDate(20, 0, 0).Add(-time.Second); !got.Equal(want) {
		t.Errorf("root ends %v, want %v", got, want)
	}
	if got, want := w.h.Issuing.NotAfter, testTime.AddDate(10, 0, 0).Add(-time.Second); !got.Equal(want) {
		t.Errorf("issuing CA ends %v, want %v", got, want)
	}
}

// A ceremony cut off after any of its files goes on to the same certificates
// as far as they existed.
func TestCeremonyResumesWhereItStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entries, err := os.ReadDir(w.h.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 10 {
		t.Fatalf("%d files, want an intent and a certificate for root, issuing CA, responder, TSA and seal", len(entries))
	}
	order := []string{"ca-root.tbs", "ca-root.crt", "ca-issuing.tbs", "ca-issuing.crt", "ca-tsa-000001.tbs", "ca-tsa-000001.crt",
		"ca-seal-000001.tbs", "ca-seal-000001.crt", "ca-ocsp-000001.tbs", "ca-ocsp-000001.crt"}
	for kept := range len(order) + 1 {
		cfg := w.cfg
		cfg.Dir = t.TempDir()
		for _, name := range order[:kept] {
			b, err := os.ReadFile(filepath.Join(w.h.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(cfg.Dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h, err := Establish(context.Background(), w.vault, cfg, w.clock.Now)
		if err != nil {
			t.Fatalf("with %v: %v", order[:kept], err)
		}
		if kept >= 1 && string(h.Root.RawTBSCertificate) != string(w.h.Root.RawTBSCertificate) {
			t.Errorf("with %d files the root is another one", kept)
		}
		if kept >= 2 && !h.Root.Equal(w.h.Root) {
			t.Errorf("with %d files the root was signed again", kept)
		}
		if kept >= 3 && string(h.Issuing.RawTBSCertificate) != string(w.h.Issuing.RawTBSCertificate) {
			t.Errorf("with %d files the issuing CA is another one", kept)
		}
		if _, err := Load(context.Background(), w.vault, cfg.Dir); err != nil {
			t.Errorf("load: %v", err)
		}
	}
}

func TestCeremonyNeverReplacesALostKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	empty, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Establish(context.Background(), empty, w.cfg, w.clock.Now); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want ErrConfig", err)
	}
	h, err := Load(context.Background(), empty, w.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	_, issuerErr := h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now, Blocked: neverBlocked})
	_, crlErr := h.CRLSigner(string(IssuingCA))
	_, responderErr := h.Responder(&table{}, w.clock.Now)
	_, renewErr := h.RenewResponder(context.Background(), w.clock.Now)
	for name, err := range map[string]error{"issuer": issuerErr, "CRL": crlErr, "responder": responderErr, "renewal": renewErr} {
		if !errors.Is(err, ErrNotEstablished) {
			t.Errorf("%s without key: error %v, want ErrNotEstablished", name, err)
		}
	}
	if _, err := Load(context.Background(), empty, t.TempDir()); !errors.Is(err, ErrNotEstablished) {
		t.Errorf("empty directory: error %v, want ErrNotEstablished", err)
	}
	if _, err := empty.CreateSigner(context.Background(), RootCA, keys.ECDSAP384); err != nil {
		t.Fatal(err)
	}
	if _, err := Establish(context.Background(), empty, w.cfg, w.clock.Now); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want ErrConfig for a foreign key", err)
	}
}

func TestConcurrentCeremoniesAgree(t *testing.T) {
	t.Parallel()
	cfg := testConfig(filepath.Join(t.TempDir(), "ca"))
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := keys.InitFile(dir); err != nil {
		t.Fatal(err)
	}
	type result struct {
		h   *Hierarchy
		err error
	}
	results := make(chan result)
	for range 4 {
		go func() {
			vault, err := keys.OpenFile(dir) // a vault each, as in processes of their own
			if err != nil {
				results <- result{err: err}
				return
			}
			h, err := Establish(context.Background(), vault, cfg, func() time.Time { return testTime })
			results <- result{h, err}
		}()
	}
	var first *Hierarchy
	for range 4 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		if first == nil {
			first = r.h
		}
		if !r.h.Root.Equal(first.Root) || !r.h.Issuing.Equal(first.Issuing) {
			t.Error("two processes have different certificates")
		}
	}
}

func TestHierarchyConfigIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*HierarchyConfig)
		field  string
	}{
		"directory":     {func(c *HierarchyConfig) { c.Dir = "" }, "dir"},
		"country":       {func(c *HierarchyConfig) { c.Country = "id" }, "countryName"},
		"organisation":  {func(c *HierarchyConfig) { c.Organisation = "" }, "organizationName"},
		"root name":     {func(c *HierarchyConfig) { c.RootName = strings.Repeat("é", 65) }, "commonName"},
		"same names":    {func(c *HierarchyConfig) { c.IssuingName = c.RootName }, "issuing_name"},
		"years":         {func(c *HierarchyConfig) { c.IssuingYears = 20 }, "issuing_years"},
		"policy":        {func(c *HierarchyConfig) { c.PolicyOID = "3.1.1" }, "policy_oid"},
		"policy text":   {func(c *HierarchyConfig) { c.PolicyOID = "2.16.x" }, "policy_oid"},
		"OCSP address":  {func(c *HierarchyConfig) { c.URLs.OCSP = "ftp://x/y" }, "ocsp_url"},
		"CRL address":   {func(c *HierarchyConfig) { c.URLs.RootCRL = "http://" }, "root_crl_url"},
		"OCSP life":     {func(c *HierarchyConfig) { c.Delegates.OCSP.Days = 93 }, "days"},
		"TSA policy":    {func(c *HierarchyConfig) { c.Delegates.TSA.PolicyOID = "1" }, "policy_oid"},
		"seal key":      {func(c *HierarchyConfig) { c.Delegates.Seal.Algorithm = "rsa-1024" }, "algorithm"},
		"seal name":     {func(c *HierarchyConfig) { c.Delegates.Seal.CommonName = " x" }, "commonName"},
		"padded name":   {func(c *HierarchyConfig) { c.RootName = "Induk " }, "commonName"},
		"control chars": {func(c *HierarchyConfig) { c.RootName = "Induk\x00" }, "commonName"},
	} {
		cfg := testConfig(t.TempDir())
		c.change(&cfg)
		err := cfg.Check()
		var field *FieldError
		if !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%s: error %v, want one of field %s", name, err, c.field)
		}
	}
}

func TestResponderCertificateIsRenewedInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, n, _ := newestResponder(w.h.Dir)
	w.clock.Advance(19 * 24 * time.Hour)
	if made, err := w.h.RenewResponder(context.Background(), w.clock.Now); made || err != nil {
		t.Fatalf("made %v, %v; a third of its life is left", made, err)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	if made, err := w.h.RenewResponder(context.Background(), w.clock.Now); !made || err != nil {
		t.Fatalf("made %v, %v", made, err)
	}
	second, m, _ := newestResponder(w.h.Dir)
	if m != n+1 || second.Equal(first) || !second.NotBefore.Equal(w.clock.Now()) {
		t.Errorf("responder %d from %v", m, second.NotBefore)
	}
	if len(second.ExtKeyUsage) != 1 || second.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		t.Error("not an OCSP responder's certificate")
	}
	if findExtension(second.Extensions, oidOCSPNoCheck) == nil {
		t.Error("clients would ask for the status of the responder")
	}

	// An intent recorded long ago and never signed does not stop the renewal.
	if err := os.Remove(filepath.Join(w.h.Dir, responderFile(m)+".crt")); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(60 * 24 * time.Hour)
	if _, err := w.h.RenewResponder(context.Background(), w.clock.Now); err != nil {
		t.Fatal(err)
	}
	third, _, _ := newestResponder(w.h.Dir)
	if !third.NotAfter.After(w.clock.Now().Add(20 * 24 * time.Hour)) {
		t.Errorf("the newest responder ends %v", third.NotAfter)
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leaf := w.issue(t, w.issuer(t))
	p7b, err := w.h.P7B(leaf.Raw)
	if err != nil {
		t.Fatal(err)
	}
	out := mustTool(t, "openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", file(t, "chain.p7b", p7b))
	if strings.Count(out, "BEGIN CERTIFICATE") != 3 {
		t.Errorf("the P7B has not three certificates:\n%s", out)
	}
	if strings.Count(string(w.h.ChainPEM(leaf.Raw)), "BEGIN CERTIFICATE") != 3 {
		t.Error("the chain has not three certificates")
	}
}

func responderFile(number int) string { return numbered(OCSPKey, number) }

// newestResponder is newestOf the responder of the first issuing CA.
func newestResponder(dir string) (*x509.Certificate, int, error) { return newestOf(dir, OCSPKey) }
