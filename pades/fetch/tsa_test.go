package fetch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"absah/pades/cms"
	"absah/pades/tsp"
)

const policy cms.OID = "\x60\x86\x48\x01\x86\xf8\x5b\x01"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func authority(t *testing.T) *tsp.Authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Stempel Waktu Contoh"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}},
	}
	cert := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))))
	a, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: key, Certificate: cert, Policy: policy, Serial: tsp.RandomSerials(rand.Reader),
		Clock: func() (time.Time, error) { return time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestTSA asks an authority that behaves, and each way in which one does not.
func TestTSA(t *testing.T) {
	a := authority(t)
	digest := sha256.Sum256([]byte("isi"))
	other := sha256.Sum256([]byte("lain"))
	var asked []byte
	refusal := func(s tsp.Status, f tsp.FailureInfo, text ...string) []byte {
		return must((&tsp.Response{Status: s, Failure: f, Text: text}).Marshal())
	}
	granted := func(token []byte) []byte { return must((&tsp.Response{Token: token}).Marshal()) }
	for name, c := range map[string]struct {
		answer func(req []byte) (int, []byte)
		policy cms.OID
		want   string // in the error; "": none
	}{
		"good":         {func(q []byte) (int, []byte) { return 200, must(a.Respond(context.Background(), q)) }, policy, ""},
		"other policy": {func(q []byte) (int, []byte) { return 200, must(a.Respond(context.Background(), strip(q))) }, cms.OIDData, "policy"},
		"refused":      {func([]byte) (int, []byte) { return 200, refusal(tsp.Rejection, tsp.BadAlg, "tidak dikenal") }, "", `rejection (badAlg): "tidak dikenal"`},
		"waiting":      {func([]byte) (int, []byte) { return 200, refusal(tsp.Waiting, 0) }, "", "waiting"},
		"HTTP error":   {func([]byte) (int, []byte) { return 503, nil }, "", "503"},
		"no response":  {func([]byte) (int, []byte) { return 200, []byte("<html>") }, "", "no timestamp response"},
		"large":        {func([]byte) (int, []byte) { return 200, make([]byte, 300<<10) }, "", "too large"},
		"replayed": {func([]byte) (int, []byte) {
			return 200, granted(must(a.Timestamp(context.Background(), crypto.SHA256, digest[:])))
		}, "", "nonce"},
		"other imprint": {func([]byte) (int, []byte) {
			return 200, granted(must(a.Timestamp(context.Background(), crypto.SHA256, other[:])))
		}, "", "other data"},
		"granted, but no token": {func([]byte) (int, []byte) {
			return 200, []byte{0x30, 5, 0x30, 3, 2, 1, 0}
		}, "", "no timestamp response"},
		"damaged": {func(q []byte) (int, []byte) {
			b := must(a.Respond(context.Background(), q))
			b[len(b)-1] ^= 1
			return 200, b
		}, "", "not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) {
				user, password, _ := r.BasicAuth()
				if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/timestamp-query" || user != "contoh" || password != "rahasia" {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				asked, _ = io.ReadAll(r.Body)
				code, body := c.answer(asked)
				w.Header().Set("Content-Type", "application/timestamp-reply")
				w.WriteHeader(code)
				_, _ = w.Write(body)
			})
			tsa, err := NewTSA(TSAOptions{URL: strings.Replace(s.URL, "http://", "http://contoh:rahasia@", 1) + "/?key=rahasia", Policy: c.policy})
			if err != nil {
				t.Fatal(err)
			}
			token, err := tsa.Timestamp(t.Context(), crypto.SHA256, digest[:])
			if c.want != "" {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "rahasia") {
					t.Errorf("error %v, want %q in it", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			read := must(tsp.ParseToken(token))
			if v := read.Verify(tsp.VerifyOptions{Digest: digest[:]}); !v.Valid() {
				t.Error(v.Err())
			}
			if q := must(tsp.ParseRequest(asked)); !q.CertReq || q.Nonce == nil || q.Policy != c.policy || !bytes.Equal(q.Digest, digest[:]) {
				t.Errorf("asked %+v", q)
			}
		})
	}
}

// strip takes the policy out of a request, so that the authority answers with its
// own.
func strip(q []byte) []byte {
	r := must(tsp.ParseRequest(q))
	r.Policy = ""
	return must(r.Marshal())
}

// TestTSAOverTLS: the operator names the roots of an authority in a closed network.
func TestTSAOverTLS(t *testing.T) {
	a := authority(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, _ := io.ReadAll(r.Body)
		_, _ = w.Write(must(a.Respond(r.Context(), q)))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	digest := sha256.Sum256(nil)
	roots := x509.NewCertPool()
	if _, err := must(NewTSA(TSAOptions{URL: s.URL, Roots: roots})).Timestamp(t.Context(), crypto.SHA256, digest[:]); err == nil {
		t.Error("a server that nobody vouches for is asked")
	}
	roots.AddCert(s.Certificate())
	if _, err := must(NewTSA(TSAOptions{URL: s.URL, Roots: roots})).Timestamp(t.Context(), crypto.SHA256, digest[:]); err != nil {
		t.Error(err)
	}
}

func TestTSACheck(t *testing.T) {
	a := authority(t)
	s, _ := loopback(t, func(w http.ResponseWriter, r *http.Request) {
		q, _ := io.ReadAll(r.Body)
		_, _ = w.Write(must(a.Respond(r.Context(), q)))
	})
	no := errors.New("not ours")
	tsa := must(NewTSA(TSAOptions{URL: s.URL, Check: func(_ context.Context, token *tsp.Token, v *tsp.Verification) error {
		if token.Policy == policy && v.CMS.Signer != nil {
			return no
		}
		return nil
	}}))
	digest := sha256.Sum256(nil)
	if _, err := tsa.Timestamp(t.Context(), crypto.SHA256, digest[:]); !errors.Is(err, no) {
		t.Error(err)
	}
	for _, bad := range []string{"", "tsa.example", "ldap://x/", "http://", "://"} {
		if _, err := NewTSA(TSAOptions{URL: bad}); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}
