package verification

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"absah/pades"
	"absah/pades/validation"
)

// authority is a root and a signer of its own, whose certificate names a list.
type authority struct {
	key    *ecdsa.PrivateKey
	root   *x509.Certificate
	signed []byte // a document
	signer *x509.Certificate
}

func newAuthority(t *testing.T, crl string) authority {
	t.Helper()
	var a authority
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.root = a.certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Induk Contoh"}, SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte{1, 2, 3},
	}, nil, &a.key.PublicKey)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.signer = a.certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Siti Contoh"}, SerialNumber: big.NewInt(7), KeyUsage: x509.KeyUsageContentCommitment, CRLDistributionPoints: []string{crl},
	}, a.root, &key.PublicKey)
	s, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: a.signer, Chain: []*x509.Certificate{a.root}})
	if err != nil {
		t.Fatal(err)
	}
	plain := document(t)
	var out bytes.Buffer
	if _, err := pades.Sign(t.Context(), bytes.NewReader(plain), int64(len(plain)), &out, s, pades.Options{}); err != nil {
		t.Fatal(err)
	}
	a.signed = out.Bytes()
	return a
}

func (a authority) certify(t *testing.T, c, parent *x509.Certificate, public *ecdsa.PublicKey) *x509.Certificate {
	t.Helper()
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (a authority) list(t *testing.T, revoked ...int64) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
	for _, serial := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: time.Now().Add(-30 * time.Minute)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.root, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestServersOfTrustedAuthoritiesAreAsked: without an answer it cannot be said
// whether the certificate is revoked; only servers that an administrator named
// are asked, and what they say counts.
func TestServersOfTrustedAuthoritiesAreAsked(t *testing.T) {
	t.Parallel()
	const address = "http://crl.contoh.example/induk.crl"
	a := newAuthority(t, address)
	for _, c := range []struct {
		name   string
		hosts  []string
		answer []byte
		err    error
		asked  int32
		want   validation.Verdict
		sub    string
	}{
		{"good", []string{"crl.contoh.example"}, a.list(t), nil, 1, validation.Valid, ""},
		{"revoked", []string{"crl.contoh.example"}, a.list(t, 7), nil, 1, validation.Indeterminate, "REVOKED_NO_POE"},
		{"no answer", []string{"crl.contoh.example"}, nil, errors.New("no connection"), 1, validation.Indeterminate, "TRY_LATER"},
		{"nonsense", []string{"crl.contoh.example"}, []byte("<html>"), nil, 1, validation.Indeterminate, "TRY_LATER"},
		{"another server", []string{"contoh.example"}, a.list(t), nil, 0, validation.Indeterminate, "TRY_LATER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := service(t, WorkerCommand)
			s.Trust = func(context.Context) (Trust, error) {
				return Trust{Anchors: []TrustAnchor{{DER: a.root.Raw}}, Hosts: c.hosts}, nil
			}
			var asked atomic.Int32
			s.Ask = func(_ context.Context, q Question) ([]byte, error) {
				asked.Add(1)
				if q.URL != address || q.Body != nil {
					t.Errorf("asked %q with %d bytes", q.URL, len(q.Body))
				}
				return c.answer, c.err
			}
			got, err := verify(t, s, bytes.NewReader(a.signed))
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != c.want || asked.Load() != c.asked || len(got.Signatures) != 1 || got.Signatures[0].SubIndication != c.sub {
				t.Errorf("%s after %d questions: %+v", got.Verdict, asked.Load(), got.Signatures[0])
			}
		})
	}
}

// TestSunset: signatures that are not proven to be older than the end of belief
// are not believed.
func TestSunset(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "http://crl.contoh.example/induk.crl")
	for name, c := range map[string]struct {
		sunset time.Time
		want   validation.Verdict
	}{
		"not yet": {time.Now().Add(30 * time.Minute), validation.Valid},
		"over":    {time.Now().Add(-30 * time.Minute), validation.Indeterminate},
	} {
		t.Run(name, func(t *testing.T) {
			s := service(t, WorkerCommand)
			s.Trust = func(context.Context) (Trust, error) {
				return Trust{Anchors: []TrustAnchor{{DER: a.root.Raw, Sunset: c.sunset}}, CRLs: [][]byte{a.list(t)}}, nil
			}
			got, err := verify(t, s, bytes.NewReader(a.signed))
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != c.want {
				t.Errorf("%s: %v", got.Verdict, got.Signatures[0].Errors)
			}
		})
	}
}

// TestAChildCannotSendUsAnywhere: what a child asks for is checked by the service.
func TestAChildCannotSendUsAnywhere(t *testing.T) {
	s := &Service{Ask: func(_ context.Context, q Question) ([]byte, error) {
		if q.URL != "https://ocsp.contoh.example/" {
			t.Errorf("asked %s", q.URL)
		}
		return []byte("answer"), nil
	}}
	var questions []Question
	for _, u := range []string{
		"https://ocsp.contoh.example/", "http://169.254.169.254/", "file:///etc/passwd", "http://ocsp.contoh.example.evil.example/", "http://a@ocsp.contoh.example/",
		"ldap://ocsp.contoh.example/", "", "http://", "//ocsp.contoh.example/",
	} {
		questions = append(questions, Question{URL: u})
	}
	got := s.askOutside(t.Context(), questions, []string{"ocsp.contoh.example"})
	if string(got[0].Answer) != "answer" || got[0].Failed {
		t.Errorf("the trusted server: %+v", got[0])
	}
	for _, a := range got[1:] {
		if !a.Failed || a.Answer != nil {
			t.Errorf("%q was asked", a.URL)
		}
	}
}

func TestHosts(t *testing.T) {
	got, err := Hosts(" OCSP.contoh.example,\n crl.contoh.example ocsp.contoh.example")
	if err != nil || strings.Join(got, " ") != "ocsp.contoh.example crl.contoh.example" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"localhost", "http://a.example", "a.example:80", "127.0.0.1", "[::1]", "-a.example", "a..example", "*.example", strings.Repeat("a.", 130) + "b",
		"a.x b.x c.x d.x e.x f.x g.x h.x i.x"} {
		if got, err := Hosts(bad); !errors.Is(err, ErrHost) {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
	if got, err := Hosts(" "); err != nil || got != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
}
