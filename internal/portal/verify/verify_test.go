package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-pdf/fpdf"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/confine"
	"absah/internal/keys"
	"absah/internal/portal"
	"absah/internal/portal/ui"
	"absah/internal/portal/verify"
	"absah/internal/signing"
	"absah/internal/verification"
	"absah/pades"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == verification.WorkerCommand {
		os.Exit(verification.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// nobody is signed in here.
type nobody struct{}

func (nobody) Authenticate(context.Context, string, account.Client, bool) (*account.Viewer, error) {
	return nil, account.ErrNoSession
}

const base = "http://localhost:8080"

func site(t *testing.T, anchors ...[]byte) (http.Handler, *verification.Service) {
	t.Helper()
	var list []verification.TrustAnchor
	for _, der := range anchors {
		list = append(list, verification.TrustAnchor{DER: der})
	}
	return siteOf(t, list, nil)
}

// siteOf trusts anchors and knows documents.
func siteOf(t *testing.T, anchors []verification.TrustAnchor, docs verify.Documents) (http.Handler, *verification.Service) {
	t.Helper()
	self, err := confine.Self(verification.WorkerCommand)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := verification.NewPool(self, 1)
	if err != nil {
		t.Fatal(err)
	}
	pool.Wall = 2 * time.Minute
	s := &verification.Service{Pool: pool, Clock: clock.System, Trust: func(context.Context) (verification.Trust, error) {
		return verification.Trust{Anchors: anchors}, nil
	}}
	return portal.New(portal.Config{
		BaseURL: base, Accounts: nobody{}, Identity: ui.Identity{Product: "Absah", Organisation: "Instansi Contoh"},
	}, verify.New(verify.Config{Service: s, Reports: &verification.Reports{Vault: vault(t), Clock: clock.System}, Documents: docs, Clock: clock.System}).Routes()), s
}

// send posts a document, with a password where there is one.
func send(t *testing.T, h http.Handler, lang string, file []byte, password string) *httptest.ResponseRecorder {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if file != nil {
		part, err := w.CreateFormFile("dokumen", "surat <b>.pdf")
		if err != nil {
			t.Fatal(err)
		}
		part.Write(file)
	}
	w.WriteField("sandi", password)
	w.Close()
	r := httptest.NewRequest(http.MethodPost, base+verify.Path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Origin", base)
	r.AddCookie(&http.Cookie{Name: ui.LangCookie, Value: lang})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

type signed struct {
	cert  *x509.Certificate
	plain []byte
	file  []byte
}

func sign(t *testing.T) signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Siti Contoh", SerialNumber: "199001012015012001", Organization: []string{"Instansi Contoh"}}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageContentCommitment,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	f := fpdf.New("P", "pt", "A4", "")
	f.SetFont("Helvetica", "", 14)
	f.AddPage()
	f.Text(100, 100, "Surat Contoh")
	var plain, out bytes.Buffer
	if err := f.Output(&plain); err != nil {
		t.Fatal(err)
	}
	s, err := pades.NewSigner(pades.SignerConfig{Key: key, Certificate: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pades.Sign(t.Context(), bytes.NewReader(plain.Bytes()), int64(plain.Len()), &out, s, pades.Options{Reason: "Setuju"}); err != nil {
		t.Fatal(err)
	}
	return signed{c, plain.Bytes(), out.Bytes()}
}

func TestAnybodyVerifies(t *testing.T) {
	s := sign(t)
	changed := bytes.Replace(s.file, []byte("MediaBox"), []byte("MediaBux"), 1)
	for _, c := range []struct {
		name   string
		file   []byte
		trust  [][]byte
		id, en []string
		status int
	}{
		{"valid", s.file, [][]byte{s.cert.Raw}, []string{"Sah: semua tanda tangan berlaku", "Ditandatangani oleh Siti Contoh", "Tanda tangan 1: Siti Contoh", "199001012015012001", "Setuju", "tidak tercatat sebagai PSrE"},
			[]string{"Valid: all signatures hold", "Signed by Siti Contoh", "not known as a provider"}, 200},
		{"unknown signer", s.file, nil, []string{"Tidak dapat dipastikan", "tidak berinduk pada penerbit", "Tidak terbukti"}, []string{"Cannot be judged", "Not proven"}, 200},
		{"changed", changed, [][]byte{s.cert.Raw}, []string{"Tidak sah", "dokumen diubah setelahnya", "Tidak: tanda tangannya tidak sah"}, []string{"Not valid", "changed afterwards", "No: the signature is not valid"}, 200},
		{"unsigned", s.plain, nil, []string{"tidak memiliki tanda tangan elektronik"}, []string{"no electronic signature"}, 200},
		{"no PDF", []byte("hello"), nil, []string{"tidak dapat dibaca sebagai dokumen PDF"}, []string{"cannot be read as a PDF"}, 200},
		{"nothing", nil, nil, []string{"Pilih dokumen PDF yang akan diperiksa"}, []string{"Choose the PDF document to check"}, 422},
		{"empty", []byte{}, nil, []string{"Pilih dokumen PDF"}, []string{"Choose the PDF document"}, 422},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, _ := site(t, c.trust...)
			for lang, want := range map[string][]string{"id": c.id, "en": c.en} {
				rec := send(t, h, lang, c.file, "")
				if rec.Code != c.status {
					t.Fatalf("status %d, want %d\n%s", rec.Code, c.status, rec.Body)
				}
				for _, w := range want {
					if !strings.Contains(rec.Body.String(), w) {
						t.Errorf("%s: %q is not on the page", lang, w)
					}
				}
				if strings.Contains(rec.Body.String(), "<b>.pdf") {
					t.Error("the name of the file is not escaped")
				}
				if rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("the answer may be kept: %q", rec.Header().Get("Cache-Control"))
				}
			}
		})
	}
}

// TestCertified: only a signature below a provider that the government recognises
// is called a certified one, and only a valid one.
func TestCertified(t *testing.T) {
	s := sign(t)
	h, _ := siteOf(t, []verification.TrustAnchor{{DER: s.cert.Raw, Certified: true}}, nil)
	const yes = "Ya. Penerbitnya PSrE yang diakui pemerintah."
	if page := send(t, h, "id", s.file, "").Body.String(); !strings.Contains(page, yes) {
		t.Error("a certified signature is not called one")
	}
	changed := bytes.Replace(s.file, []byte("MediaBox"), []byte("MediaBux"), 1)
	if page := send(t, h, "id", changed, "").Body.String(); strings.Contains(page, yes) {
		t.Error("what was changed is called certified")
	}
	h, _ = site(t, s.cert.Raw)
	if page := send(t, h, "id", s.file, "").Body.String(); strings.Contains(page, yes) || strings.Contains(page, "Tersertifikasi:") {
		t.Error("an issuer that is trusted makes a signature certified")
	}
}

// TestForWhom: of a file that was signed here the page says for which office, and
// by which decree; of any other it says nothing of the kind.
func TestForWhom(t *testing.T) {
	s := sign(t)
	d := signing.Public{Document: signing.Document{SHA256: sha256.Sum256(s.file)}, Signatures: []signing.SignatureOf{
		{Serial: "05", Office: "Plt. Kepala Biro <i>Contoh", Decree: "SK-7/2026"}, {Serial: "06", Office: "Orang lain"},
	}}
	anchors := []verification.TrustAnchor{{DER: s.cert.Raw}}
	h, _ := siteOf(t, anchors, shelf{"satu": d})
	page := send(t, h, "id", s.file, "").Body.String()
	if !strings.Contains(page, "Plt. Kepala Biro &lt;i&gt;Contoh, berdasarkan SK-7/2026 (menurut catatan di sini)") || strings.Contains(page, "Orang lain") {
		t.Error("the page does not say for whom")
	}
	d.SHA256[0] ^= 1
	h, _ = siteOf(t, anchors, shelf{"satu": d})
	if page := send(t, h, "id", s.file, "").Body.String(); strings.Contains(page, "Bertindak sebagai") {
		t.Error("the page says for whom of a file that it does not know")
	}
}

// TestBusy: the form comes again, with the time to wait, while all is at work.
func TestBusy(t *testing.T) {
	h, s := site(t)
	release, err := s.Pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	s.Pool.Wait = time.Millisecond
	rec := send(t, h, "id", []byte("%PDF-1.7"), "")
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || !strings.Contains(rec.Body.String(), "Coba lagi") {
		t.Errorf("status %d, %v", rec.Code, rec.Header())
	}
}

// TestNothingStays: the password is in no answer.
func TestNothingStays(t *testing.T) {
	h, _ := site(t)
	rec := send(t, h, "id", []byte("%PDF-1.7"), "sandi-"+fmt.Sprint(time.Now().UnixNano()))
	if strings.Contains(rec.Body.String(), "sandi-1") {
		t.Error("the password comes back")
	}
}

func TestCrossSite(t *testing.T) {
	h, _ := site(t)
	r := httptest.NewRequest(http.MethodPost, base+verify.Path, strings.NewReader(""))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusForbidden {
		t.Errorf("status %d", rec.Code)
	}
}

func vault(t testing.TB) keys.Vault {
	t.Helper()
	v, err := keys.InitFile(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	return v
}
