package pki_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"absah/internal/api/pki"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/keys"
)

type statuses map[string]ca.CertStatus

func (s statuses) CertStatus(_ context.Context, _, serial string) (ca.CertStatus, error) {
	return s[serial], nil
}

type world struct {
	h      *ca.Hierarchy
	leaf   *x509.Certificate
	server *httptest.Server
	crlErr error
	number int64
	status statuses
}

func newWorld(t testing.TB) *world {
	t.Helper()
	vault, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	at := ca.URLsAt("http://pki.example.go.id")
	w := &world{number: 7, status: statuses{}}
	w.h, err = ca.Establish(t.Context(), vault, ca.HierarchyConfig{
		Dir: filepath.Join(t.TempDir(), "ca"), Country: "ID", Organisation: "Instansi Contoh",
		RootName: "Induk Contoh", IssuingName: "Penerbit Contoh", PolicyOID: "2.16.360.1.1.1.99.1", URLs: at,
	}, clock.System)
	if err != nil {
		t.Fatal(err)
	}
	w.leaf = w.issue(t, at)
	w.status[ca.SerialText(w.leaf.SerialNumber)] = ca.CertStatus{State: ca.StateGood}
	responder, err := w.h.Responder(w.status, clock.System)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := w.h.CRLSigner(string(ca.IssuingCA))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.System().Truncate(time.Second)
	der, err := signer.BuildCRL(t.Context(), nil, w.number, now, now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := pki.New(pki.Config{
		OCSP: responder.Respond,
		CRL: func(_ context.Context, name string) (ca.CRL, error) {
			if name != string(ca.IssuingCA) {
				return ca.CRL{}, ca.ErrNotEstablished
			}
			return ca.CRL{DER: der, Number: w.number, ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}, w.crlErr
		},
		Certificates: map[string][]byte{string(ca.RootCA): w.h.Root.Raw, string(ca.IssuingCA): w.h.Issuing.Raw},
		CPS:          http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "CPS") }),
		Clock:        clock.System,
		Log:          slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(handler)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) issue(t testing.TB, at ca.URLs) *x509.Certificate {
	t.Helper()
	i, err := w.h.Issuer(ca.IssuerConfig{
		Profile: ca.DefaultProfile("ID", "Instansi Contoh", "2.16.360.1.1.1.99.1", at), Clock: clock.System,
		Blocked: func(context.Context, [sha256.Size]byte) (bool, error) { return false, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := ca.ParseCSR(csr)
	if err != nil {
		t.Fatal(err)
	}
	hash := make([]byte, 32)
	in, err := i.Prepare(t.Context(), ca.Request{
		RegistrationID: "r", ApplicantID: "a", FirstOfficer: "b", SecondOfficer: "c",
		SnapshotHash: hash, FirstHash: hash, SecondHash: hash, CSR: csr, ExpectedSPKI: spki,
		Subject: ca.Subject{Name: "Siti Contoh", Reference: "198001012005012001", Email: "siti@contoh.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	der, err := i.Sign(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (w *world) get(t testing.TB, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

func (w *world) post(t testing.TB, path, kind string, body []byte) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	return do(t, req)
}

func do(t testing.TB, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return res, body
}

func (w *world) request(t testing.TB) []byte {
	t.Helper()
	der, err := ocsp.CreateRequest(w.leaf, w.h.Issuing, &ocsp.RequestOptions{Hash: crypto.SHA1})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestOpenSSLOverHTTP(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed to judge the answers: %v", err)
	}
	w := newWorld(t)
	dir := t.TempDir()
	write := func(name string, c *x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root, issuing, leaf := write("root.pem", w.h.Root), write("issuing.pem", w.h.Issuing), write("leaf.pem", w.leaf)
	for _, args := range [][]string{{"-sha1", "-nonce"}, {"-sha256", "-nonce"}, {"-sha1", "-no_nonce"}, {"-sha256", "-no_nonce"}} {
		out, err := exec.CommandContext(t.Context(), openssl, append([]string{"ocsp", args[0], args[1], "-issuer", issuing, "-cert", leaf,
			"-url", w.server.URL + "/pki/ocsp", "-CAfile", root, "-verify_other", issuing}, "-resp_text")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), ": good") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

func TestOCSPByGetAndPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	der := w.request(t)
	std := base64.StdEncoding.EncodeToString(der)
	for name, path := range map[string]string{
		"escaped":          "/pki/ocsp/" + url.PathEscape(std),
		"fully escaped":    "/pki/ocsp/" + strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D").Replace(std),
		"plain":            "/pki/ocsp/" + std,
		"alphabet of URLs": "/pki/ocsp/" + base64.RawURLEncoding.EncodeToString(der),
	} {
		res, body := w.get(t, path)
		answer, err := ocsp.ParseResponseForCert(body, w.leaf, w.h.Issuing)
		if err != nil || answer.Status != ocsp.Good {
			t.Errorf("%s: %v, HTTP %d", name, err, res.StatusCode)
			continue
		}
		head := res.Header
		if head.Get("Content-Type") != "application/ocsp-response" || head.Get("Cache-Control") != "max-age=300, public, no-transform, must-revalidate" ||
			head.Get("Last-Modified") != answer.ThisUpdate.Format(http.TimeFormat) || head.Get("Expires") == "" || head.Get("Set-Cookie") != "" {
			t.Errorf("%s: headers %v", name, head)
		}
		if again, rest := w.get(t, path, "If-None-Match", head.Get("ETag")); again.StatusCode != http.StatusNotModified || len(rest) > 0 {
			t.Errorf("%s: with the ETag: HTTP %d", name, again.StatusCode)
		}
	}
	res, body := w.post(t, "/pki/ocsp", "application/ocsp-request", der)
	if _, err := ocsp.ParseResponseForCert(body, w.leaf, w.h.Issuing); err != nil || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("POST: %v, %v", err, res.Header)
	}
}

// A request whose base64 has "//" in it must not be redirected to another one.
func TestDoubleSlashInBase64(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 4096 {
		cert := *w.leaf
		cert.SerialNumber = w.leaf.SerialNumber
		raw := bytes.Repeat([]byte{0xff}, 19)
		raw[0], raw[17], raw[18] = 0x7f, byte(n), byte(n>>8)
		cert.SerialNumber = cert.SerialNumber.SetBytes(raw)
		der, err := ocsp.CreateRequest(&cert, w.h.Issuing, nil)
		if err != nil {
			t.Fatal(err)
		}
		std := base64.StdEncoding.EncodeToString(der)
		if !strings.Contains(std, "//") {
			continue
		}
		res, body := w.get(t, "/pki/ocsp/"+std)
		if answer, err := ocsp.ParseResponse(body, w.h.Issuing); err != nil || answer.Status != ocsp.Unknown || res.StatusCode != http.StatusOK {
			t.Fatalf("HTTP %d, %v", res.StatusCode, err)
		}
		return
	}
	t.Fatal("no such request found")
}

func TestWhatClientsDoWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	malformed := []byte{0x30, 3, 0x0a, 1, 1}
	if res, body := w.get(t, "/pki/ocsp/!!!"); res.StatusCode != http.StatusOK || !bytes.Equal(body, malformed) || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("not base64: HTTP %d %x", res.StatusCode, body)
	}
	if res, body := w.post(t, "/pki/ocsp", "application/ocsp-request", []byte("x")); res.StatusCode != http.StatusOK || !bytes.Equal(body, malformed) {
		t.Errorf("not DER: HTTP %d %x", res.StatusCode, body)
	}
	if res, _ := w.post(t, "/pki/ocsp", "application/ocsp-request", make([]byte, ca.MaxOCSPRequest+1)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: HTTP %d", res.StatusCode)
	}
	if res, _ := w.get(t, "/pki/ocsp/"+strings.Repeat("A", 2*ca.MaxOCSPRequest+1)); res.StatusCode != http.StatusRequestURITooLong {
		t.Errorf("too long by GET: HTTP %d", res.StatusCode)
	}
	if res, _ := w.post(t, "/pki/ocsp", "text/plain", w.request(t)); res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("media type: HTTP %d", res.StatusCode)
	}
	for _, path := range []string{"/pki/crl/other.crl", "/pki/crl/ca-issuing", "/pki/crl/ca-root.crl", "/pki/ca/other.crt", "/pki/ca/ca-root.key", "/pki/ca/..%2fca-root.crt"} {
		if res, _ := w.get(t, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: HTTP %d", path, res.StatusCode)
		}
	}
	w.crlErr = errors.New("disk is gone")
	if res, body := w.get(t, "/pki/crl/ca-issuing.crl"); res.StatusCode != http.StatusServiceUnavailable || bytes.Contains(body, []byte("disk")) {
		t.Errorf("failing store: HTTP %d %s", res.StatusCode, body)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, body := w.get(t, "/pki/crl/ca-issuing.crl")
	list, err := x509.ParseRevocationList(body)
	if err != nil || list.Number.Int64() != w.number || res.Header.Get("Content-Type") != "application/pkix-crl" ||
		!strings.HasPrefix(res.Header.Get("Cache-Control"), "max-age=300, public") {
		t.Errorf("CRL: %v, %v", err, res.Header)
	}
	for name, want := range map[string][]byte{"ca-root": w.h.Root.Raw, "ca-issuing": w.h.Issuing.Raw} {
		res, body := w.get(t, "/pki/ca/"+name+".crt")
		if !bytes.Equal(body, want) || res.Header.Get("Content-Type") != "application/pkix-cert" {
			t.Errorf("%s: %v", name, res.Header)
		}
		if again, _ := w.get(t, "/pki/ca/"+name+".crt", "If-None-Match", res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its ETag: HTTP %d", name, again.StatusCode)
		}
	}
	if _, body := w.get(t, "/pki/cps"); string(body) != "CPS" {
		t.Errorf("CPS: %s", body)
	}
	if _, err := pki.New(pki.Config{}); err == nil {
		t.Error("a configuration with holes was accepted")
	}
}

func BenchmarkOCSPGet(b *testing.B) {
	w := newWorld(b)
	path := "/pki/ocsp/" + url.PathEscape(base64.StdEncoding.EncodeToString(w.request(b)))
	handler := w.server.Config.Handler
	for b.Loop() {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Code)
		}
	}
}
