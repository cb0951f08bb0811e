package ca

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"absah/internal/keys"
)

func TestServicesAreCertifiedForOthersToAccept(t *testing.T) {
	t.Parallel()
	for name, alg := range map[string]keys.Algorithm{"P-256": keys.ECDSAP256, "RSA-3072": keys.RSA3072} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, time.Now().UTC().Add(-time.Minute), func(c *HierarchyConfig) {
				c.Delegates.OCSP.Algorithm, c.Delegates.TSA.Algorithm, c.Delegates.Seal.Algorithm = alg, alg, alg
				c.Delegates.Seal.OrganisationID = "NTRID-12345"
			})
			rootPEM, chain := file(t, "root.pem", PEM(w.h.Root.Raw)), file(t, "issuing.pem", PEM(w.h.Issuing.Raw))
			for purpose, get := range map[string]func() (Delegate, error){
				"ocsphelper":    func() (Delegate, error) { return w.h.OCSPSigner("ca-issuing") },
				"timestampsign": w.h.TSA, "smimesign": w.h.Seal,
			} {
				d, err := get()
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"verify", "-x509_strict", "-CAfile", rootPEM, "-untrusted", chain}
				if purpose != "smimesign" { // the purpose of a seal is documents, for which openssl has no word
					args = append(args, "-purpose", purpose)
				}
				if out := mustTool(t, "openssl", append(args, file(t, "leaf.pem", PEM(d.Certificate.Raw)))...); !strings.Contains(out, "OK") {
					t.Errorf("%s: %s", purpose, out)
				}
				if len(d.Chain) != 2 || !d.Chain[0].Equal(w.h.Issuing) || !d.Chain[1].Equal(w.h.Root) || belongs(d.Signer.Public(), d.Certificate) != nil {
					t.Errorf("%s: chain of %d", purpose, len(d.Chain))
				}
			}
			tsa, _ := w.h.TSA()
			if e := findExtension(tsa.Certificate.Extensions, oidExtKeyUsage); e == nil || !e.Critical || len(tsa.Certificate.ExtKeyUsage) != 1 ||
				tsa.Certificate.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping {
				t.Error("the purpose of the TSA is not critical and alone")
			}
			seal, _ := w.h.Seal()
			if got := seal.Certificate.Subject.String(); !strings.Contains(got, "CN=Instansi Contoh") || !strings.Contains(got, "2.5.4.97") {
				t.Errorf("subject of the seal: %s", got)
			}
			for want, d := range map[bool]Delegate{true: seal, false: tsa} {
				if is, err := w.h.IsSeal(d.Certificate.Raw); err != nil || is != want {
					t.Errorf("%s is a seal: %v, %v", d.Certificate.Subject, is, err)
				}
			}
		})
	}
}

// rollOver makes the next issuing CA, as a ceremony does.
func (w *world) rollOver(t *testing.T) *Hierarchy {
	t.Helper()
	ctx := context.Background()
	name := issuingName(len(w.h.IssuingCAs()) + 1)
	cfg := w.cfg.withDefaults()
	cfg.IssuingName = cfg.IssuingName + " " + string(name)
	c := ceremony{vault: w.vault, dir: w.h.Dir, now: w.clock.Now(), lints: w.h.lints}
	key, err := c.key(ctx, name, keys.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.key(ctx, responderKeyOf(name), keys.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	_, err = c.certify(string(name), key.Public(), w.h.Root,
		func() (template, error) { return issuingTemplate(cfg, w.h.Root, w.h.rootKey, key.Public(), c.now) }, w.h.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	h, err := Load(ctx, w.vault, w.h.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.RenewDelegates(ctx, cfg.Delegates, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRollOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.issue(t, w.issuer(t))
	w.clock.Advance(8 * 365 * 24 * time.Hour)
	h := w.rollOver(t)
	if h.Current() != "ca-issuing-2" || len(h.IssuingCAs()) != 2 || h.Issuing.Equal(w.h.Issuing) {
		t.Fatalf("current is %s of %d", h.Current(), len(h.IssuingCAs()))
	}
	i, err := h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now, Blocked: neverBlocked})
	if err != nil {
		t.Fatal(err)
	}
	if fresh := w.issue(t, i); fresh.CheckSignatureFrom(h.Issuing) != nil || i.Name() != "ca-issuing-2" {
		t.Error("the new issuing CA does not issue")
	}
	if old.CheckSignatureFrom(w.h.Issuing) != nil {
		t.Error("the old certificate is not the old CA's")
	}
	for _, name := range []string{"ca-issuing", "ca-issuing-2"} {
		d, err := h.OCSPSigner(name)
		if err != nil {
			t.Fatal(err)
		}
		c, _ := h.CA(name)
		if d.Certificate.CheckSignatureFrom(c.Certificate) != nil || !d.Certificate.NotAfter.After(w.clock.Now()) {
			t.Errorf("responder of %s", name)
		}
	}
	// The old one ends: it gets no responder any more, and nothing fails.
	w.clock.Advance(3 * 365 * 24 * time.Hour)
	if made, err := h.RenewDelegates(t.Context(), w.cfg.withDefaults().Delegates, w.clock.Now); err != nil || !made {
		t.Fatal(made, err)
	}
	if d, _ := h.OCSPSigner("ca-issuing"); d.Certificate.NotAfter.After(w.h.Issuing.NotAfter) {
		t.Error("a responder outlives its CA")
	}
	if tsa, err := h.TSA(); err != nil || tsa.Certificate.CheckSignatureFrom(h.Issuing) != nil {
		t.Errorf("the TSA is not certified by the new CA: %v", err)
	}
	if _, ok := h.CA("ca-issuing-3"); ok {
		t.Error("a CA that nobody made")
	}
}

// A ca role without the services' keys renews for the key that a ceremony
// certified, and a service without the CA's key uses what was renewed.
func TestServiceKeysLieElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	before, err := w.h.OCSPSigner("ca-issuing")
	if err != nil {
		t.Fatal(err)
	}
	ca := *w.h
	ca.ocspKey, ca.tsaKey, ca.sealKey, ca.rootKey = nil, nil, nil, nil
	w.clock.Advance(25 * 24 * time.Hour)
	if made, err := ca.RenewDelegates(ctx, w.cfg.withDefaults().Delegates, w.clock.Now); !made || err != nil {
		t.Fatal(made, err)
	}
	pki := *w.h
	pki.issuingKey, pki.rootKey, pki.sealKey = nil, nil, nil
	after, err := pki.OCSPSigner("ca-issuing")
	if err != nil || after.Certificate.Equal(before.Certificate) || !bytes.Equal(after.Certificate.RawSubjectPublicKeyInfo, before.Certificate.RawSubjectPublicKeyInfo) {
		t.Fatalf("renewed: %v", err)
	}
	if _, err := pki.Seal(); !errors.Is(err, ErrNotEstablished) {
		t.Errorf("a seal without its key: %v", err)
	}
	if _, err := pki.RenewDelegates(ctx, w.cfg.withDefaults().Delegates, w.clock.Now); !errors.Is(err, ErrNotEstablished) {
		t.Errorf("renewal without the CA's key: %v", err)
	}
	if _, err := ca.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now, Blocked: neverBlocked}); err != nil {
		t.Error(err)
	}
}

func TestTheTSARenewsAfterAThird(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.cfg.withDefaults().Delegates
	first, err := w.h.TSA()
	if err != nil {
		t.Fatal(err)
	}
	life := first.Certificate.NotAfter.Sub(first.Certificate.NotBefore)
	w.clock.Advance(life/3 + time.Hour)
	if _, err := w.h.RenewDelegates(t.Context(), d, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	second, err := w.h.TSA()
	if err != nil || second.Certificate.Equal(first.Certificate) {
		t.Errorf("not renewed after a third of its life: %v", err)
	}
}

func TestProfilesAreRehearsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.cfg.withDefaults().Delegates
	if err := d.Rehearse(w.h, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	d.Seal.Days = 10000
	if err := d.Rehearse(w.h, w.clock.Now); !errors.Is(err, ErrConfig) {
		t.Errorf("error %v, want ErrConfig", err)
	}
	d = w.cfg.withDefaults().Delegates
	d.URLs.CPS = "ftp://pki.example.go.id/"
	if err := d.Rehearse(w.h, w.clock.Now); !errors.Is(err, ErrConfig) {
		t.Errorf("a CPS that relying parties cannot fetch: %v", err)
	}

}
