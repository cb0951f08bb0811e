package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// table is a StatusSource in memory.
type table struct {
	rows map[string]CertStatus
	err  error
}

func (s *table) CertStatus(_ context.Context, issuer, serial string) (CertStatus, error) {
	if s.err != nil || issuer != string(IssuingCA) {
		return CertStatus{}, s.err
	}
	return s.rows[serial], nil
}

func (w *world) responder(t testing.TB) (*Responder, *table) {
	t.Helper()
	source := &table{rows: map[string]CertStatus{}}
	r, err := w.h.Responder(source, w.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return r, source
}

func TestOpenSSLAsksForStatus(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	w := newWorldAt(t, now)
	i := w.issuer(t)
	good, revoked, never := w.issue(t, i), w.issue(t, i), w.issue(t, i)
	r, source := w.responder(t)
	source.rows[SerialText(good.SerialNumber)] = CertStatus{State: StateGood}
	source.rows[SerialText(revoked.SerialNumber)] = CertStatus{State: StateRevoked, RevokedAt: now.Add(-time.Hour), Reason: Superseded}

	dir := t.TempDir()
	rootPEM, issuingPEM := file(t, "root.pem", PEM(w.h.Root.Raw)), file(t, "issuing.pem", PEM(w.h.Issuing.Raw))
	for name, c := range map[string]struct {
		cert *x509.Certificate
		want []string
	}{
		"good":    {good, []string{": good"}},
		"revoked": {revoked, []string{": revoked", "Reason: superseded"}},
		"unknown": {never, []string{": unknown"}},
	} {
		leaf := file(t, "leaf.pem", PEM(c.cert.Raw))
		for _, hash := range []string{"-sha1", "-sha256"} {
			for _, nonce := range []string{"-nonce", "-no_nonce"} {
				reqFile, resFile := filepath.Join(dir, "req.der"), filepath.Join(dir, "res.der")
				ask := []string{"ocsp", hash, "-issuer", issuingPEM, "-cert", leaf}
				mustTool(t, "openssl", append(ask, nonce, "-reqout", reqFile)...)
				req, err := os.ReadFile(reqFile)
				if err != nil {
					t.Fatal(err)
				}
				a, err := r.Respond(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(resFile, a.DER, 0o600); err != nil {
					t.Fatal(err)
				}
				// -no_nonce: openssl would give the request that it reads another nonce.
				out := mustTool(t, "openssl", "ocsp", hash, "-issuer", issuingPEM, "-cert", leaf, "-reqin", reqFile,
					"-no_nonce", "-respin", resFile, "-CAfile", rootPEM, "-verify_other", issuingPEM)
				for _, want := range append(c.want, "Response verify OK") {
					if !strings.Contains(out, want) {
						t.Errorf("%s %s %s: openssl does not say %q:\n%s", name, hash, nonce, want, out)
					}
				}
				if nonce == "-nonce" && strings.Contains(out, "WARNING: no nonce") {
					t.Errorf("%s %s: the nonce did not come back", name, hash)
				}
				if cacheable := a.MaxAge > 0; cacheable != (nonce == "-no_nonce" && c.cert != never) {
					t.Errorf("%s %s: may be cached for %v", name, nonce, a.MaxAge)
				}
			}
		}
	}
}

// Nothing that was never issued is good, whatever is asked.
func TestRandomSerialsAreNeverGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, source := w.responder(t)
	cert := w.issue(t, w.issuer(t))
	source.rows[SerialText(cert.SerialNumber)] = CertStatus{State: StateGood}
	for range 1000 {
		other := *cert
		other.SerialNumber, _ = newSerial(rand.Reader)
		a, err := r.Respond(t.Context(), request(t, &other, w.h.Issuing, crypto.SHA1))
		if err != nil {
			t.Fatal(err)
		}
		res, err := ocsp.ParseResponseForCert(a.DER, &other, w.h.Issuing)
		if err != nil || res.Status != ocsp.Unknown {
			t.Fatalf("serial %x: status %v, %v", other.SerialNumber, res, err)
		}
	}
}

func request(t testing.TB, cert, issuer *x509.Certificate, hash crypto.Hash) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(cert, issuer, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// withExtensions adds request extensions to a request.
func withExtensions(t testing.TB, der []byte, oid asn1.ObjectIdentifier, critical bool, value []byte) []byte {
	t.Helper()
	outer, tbs, list := cryptobyte.String(der), cryptobyte.String(nil), cryptobyte.String(nil)
	if !outer.ReadASN1(&outer, cbasn1.SEQUENCE) || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&list, cbasn1.SEQUENCE) {
		t.Fatal("request")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(list)
			b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oid)
						if critical {
							b.AddASN1Boolean(true)
						}
						b.AddASN1OctetString(value)
					})
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func nonceOf(n []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1OctetString(n)
	return b.BytesOrPanic()
}

func TestNonceAndErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, source := w.responder(t)
	cert := w.issue(t, w.issuer(t))
	source.rows[SerialText(cert.SerialNumber)] = CertStatus{State: StateGood}
	plain := request(t, cert, w.h.Issuing, crypto.SHA256)

	for _, n := range []int{1, 16, 32} {
		nonce := bytes.Repeat([]byte{0xa5}, n)
		a, err := r.Respond(t.Context(), withExtensions(t, plain, oidOCSPNonce, false, nonceOf(nonce)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(a.DER, nonceOf(nonceOf(nonce))) || a.MaxAge != 0 {
			t.Errorf("nonce of %d octets is not echoed, or the answer may be cached", n)
		}
	}
	for _, n := range []int{33, 128} { // RFC 9654 2.1: may be passed over
		a, err := r.Respond(t.Context(), withExtensions(t, plain, oidOCSPNonce, false, nonceOf(make([]byte, n))))
		if err != nil || bytes.Contains(a.DER, nonceOf(make([]byte, n))) {
			t.Errorf("nonce of %d octets: echoed, or %v", n, err)
		}
	}
	otherIssuer := newWorld(t)
	foreign := otherIssuer.issue(t, otherIssuer.issuer(t))
	for name, c := range map[string]struct {
		request []byte
		status  byte
		want    error
	}{
		"nonce of 0 octets":   {withExtensions(t, plain, oidOCSPNonce, false, nonceOf(nil)), ocspMalformed, ErrMalformed},
		"nonce of 129 octets": {withExtensions(t, plain, oidOCSPNonce, false, nonceOf(make([]byte, 129))), ocspMalformed, ErrMalformed},
		"nonce of 1 MB":       {withExtensions(t, plain, oidOCSPNonce, false, nonceOf(make([]byte, 1<<20))), ocspMalformed, ErrMalformed},
		"nonce not a string":  {withExtensions(t, plain, oidOCSPNonce, false, []byte{1, 2, 3}), ocspMalformed, ErrMalformed},
		"critical extension":  {withExtensions(t, plain, asn1.ObjectIdentifier{1, 2, 3}, true, []byte{5, 0}), ocspMalformed, ErrMalformed},
		"empty":               {nil, ocspMalformed, ErrMalformed},
		"trailing data":       {append(bytes.Clone(plain), 0), ocspMalformed, ErrMalformed},
		"foreign certificate": {request(t, foreign, otherIssuer.h.Issuing, crypto.SHA1), ocspUnauthorized, ErrNotOurs},
		"SHA-512 CertID":      {request(t, cert, w.h.Issuing, crypto.SHA512), ocspUnauthorized, ErrNotOurs},
	} {
		a, err := r.Respond(t.Context(), c.request)
		if !errors.Is(err, c.want) || !bytes.Equal(a.DER, []byte{0x30, 3, 0x0a, 1, c.status}) || a.MaxAge != 0 {
			t.Errorf("%s: answer %x, error %v", name, a.DER, err)
		}
	}
	if a, err := r.Respond(t.Context(), withExtensions(t, plain, asn1.ObjectIdentifier{1, 2, 3}, false, []byte{5, 0})); err != nil || a.MaxAge == 0 {
		t.Errorf("unknown extension that is not critical: %v", err)
	}
	source.err = errors.New("database is gone")
	if a, err := r.Respond(t.Context(), plain); err == nil || !bytes.Equal(a.DER, ocspError(ocspInternalError)) {
		t.Errorf("without database: %x, %v", a.DER, err)
	}
	w.clock.Advance(40 * 24 * time.Hour)
	if a, err := r.Respond(t.Context(), plain); err == nil || !bytes.Equal(a.DER, ocspError(ocspTryLater)) {
		t.Errorf("with an expired certificate of its own: %x, %v", a.DER, err)
	}
}

// A revocation shows in the very next answer, and answers are signed again
// before they grow old.
func TestAnswersAreReusedOnlyWhileTheyAreTrue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, source := w.responder(t)
	cert := w.issue(t, w.issuer(t))
	serial := SerialText(cert.SerialNumber)
	source.rows[serial] = CertStatus{State: StateGood}
	ask := func() Answer {
		t.Helper()
		a, err := r.Respond(t.Context(), request(t, cert, w.h.Issuing, crypto.SHA1))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := ask()
	if first.NextUpdate.Sub(first.ThisUpdate) != time.Hour || first.MaxAge != 5*time.Minute {
		t.Errorf("valid %v, cached %v", first.NextUpdate.Sub(first.ThisUpdate), first.MaxAge)
	}
	w.clock.Advance(9 * time.Minute)
	if !bytes.Equal(ask().DER, first.DER) {
		t.Error("a young answer was signed again")
	}
	w.clock.Advance(time.Minute)
	if second := ask(); bytes.Equal(second.DER, first.DER) || !second.ThisUpdate.Equal(w.clock.Now()) {
		t.Error("an old answer was given again")
	}
	source.rows[serial] = CertStatus{State: StateRevoked, RevokedAt: w.clock.Now(), Reason: KeyCompromise}
	res, err := ocsp.ParseResponseForCert(ask().DER, cert, w.h.Issuing)
	if err != nil || res.Status != ocsp.Revoked || res.RevocationReason != ocsp.KeyCompromise || !res.RevokedAt.Equal(w.clock.Now()) {
		t.Errorf("after revocation: %+v, %v", res, err)
	}

	// Three were signed for the request, one had been signed before.
	if n := r.Counts(); n != (AnswerCounts{Stored: 1, Live: 3}) {
		t.Errorf("counts %+v", n)
	}

	// A renewed certificate of the responder is taken up without restart.
	w.clock.Advance(25 * 24 * time.Hour)
	if made, err := w.h.RenewResponder(context.Background(), w.clock.Now); !made || err != nil {
		t.Fatal(made, err)
	}
	if res, err = ocsp.ParseResponseForCert(ask().DER, cert, w.h.Issuing); err != nil || !res.Certificate.NotBefore.Equal(w.clock.Now()) {
		t.Errorf("still the old responder: %v", err)
	}
}

func TestSeveralCertificatesInOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorldAt(t, time.Now().UTC())
	r, source := w.responder(t)
	i := w.issuer(t)
	good, never := w.issue(t, i), w.issue(t, i)
	source.rows[SerialText(good.SerialNumber)] = CertStatus{State: StateGood}
	rootPEM, issuingPEM := file(t, "root.pem", PEM(w.h.Root.Raw)), file(t, "issuing.pem", PEM(w.h.Issuing.Raw))
	reqFile := filepath.Join(t.TempDir(), "req.der")
	args := []string{"ocsp", "-issuer", issuingPEM, "-cert", file(t, "a.pem", PEM(good.Raw)), "-cert", file(t, "b.pem", PEM(never.Raw))}
	mustTool(t, "openssl", append(args, "-reqout", reqFile)...)
	req, err := os.ReadFile(reqFile)
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.Respond(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	out := mustTool(t, "openssl", append(args, "-reqin", reqFile, "-respin", file(t, "res.der", a.DER), "-CAfile", rootPEM, "-noverify")...)
	if !strings.Contains(out, ": good") || !strings.Contains(out, ": unknown") {
		t.Error(out)
	}
}

func FuzzOCSPRequest(f *testing.F) {
	w := newWorld(f)
	r, source := w.responder(f)
	cert := w.issue(f, w.issuer(f))
	source.rows[SerialText(cert.SerialNumber)] = CertStatus{State: StateGood}
	plain := request(f, cert, w.h.Issuing, crypto.SHA1)
	f.Add(plain)
	f.Add(request(f, cert, w.h.Issuing, crypto.SHA256))
	f.Add(withExtensions(f, plain, oidOCSPNonce, false, nonceOf(make([]byte, 32))))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		a, err := r.Respond(context.Background(), der)
		if err != nil {
			if len(a.DER) != 5 {
				t.Errorf("error %v with a signed answer", err)
			}
			return
		}
		if _, err := ocsp.ParseResponse(a.DER, w.h.Issuing); err != nil && !strings.Contains(err.Error(), "number of responses") {
			t.Errorf("answer does not parse: %v", err)
		}
	})
}

func BenchmarkOCSP(b *testing.B) {
	w := newWorld(b)
	r, source := w.responder(b)
	cert := w.issue(b, w.issuer(b))
	source.rows[SerialText(cert.SerialNumber)] = CertStatus{State: StateGood}
	plain := request(b, cert, w.h.Issuing, crypto.SHA1)
	run := func(req []byte) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Respond(context.Background(), req); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("reused", run(plain))
	b.Run("signed", run(withExtensions(b, plain, oidOCSPNonce, false, nonceOf(make([]byte, 32)))))
}
