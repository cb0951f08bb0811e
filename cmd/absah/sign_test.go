package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-pdf/fpdf"
	"software.sslmate.com/src/go-pkcs12"

	"absah/pades/cms"
	"absah/pades/tsp"
	"absah/pdf/pdftest"
)

// signatory is a directory with key.pem, cert.pem, chain.pem, signer.p12 and
// p12.txt of a fictional person, and with letter.pdf.
type signatory struct{ dir string }

func (s signatory) path(name string) string { return filepath.Join(s.dir, name) }

func newSignatory(t testing.TB) signatory {
	t.Helper()
	s, _, _ := issuedSignatory(t, "")
	return s
}

// issuedSignatory also gives the authority; its CRL is at the address.
func issuedSignatory(t testing.TB, crl string) (signatory, *x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	s := signatory{t.TempDir()}
	make := func(name string, ca bool, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: ca,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		}
		switch {
		case ca:
			c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		case crl != "":
			c.CRLDistributionPoints = []string{crl}
		}
		if parent == nil {
			parent, parentKey = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), parentKey)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return made, key
	}
	root, rootKey := make("Contoh Root", true, nil, nil)
	cert, key := make("Siti Contoh", false, root, rootKey)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p12, err := pkcs12.Modern2023.Encode(key, cert, []*x509.Certificate{root}, "rahasia")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"key.pem":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"cert.pem":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		"chain.pem":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}),
		"signer.p12": p12,
		"p12.txt":    []byte("rahasia\n"),
	} {
		if err := os.WriteFile(s.path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.letter(t, "letter.pdf")
	return s, root, rootKey
}

func (s signatory) letter(t testing.TB, name string) string {
	t.Helper()
	f := fpdf.New("P", "pt", "A4", "")
	f.SetFont("Helvetica", "", 14)
	f.AddPage()
	f.Text(100, 100, "Surat Contoh ${ttd}")
	if err := f.OutputFileAndClose(s.path(name)); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

// pem are the flags that name the signer's key.
func (s signatory) pem() []string {
	return []string{"sign", "--key", s.path("key.pem"), "--cert", s.path("cert.pem"), "--chain", s.path("chain.pem")}
}

// soundSignatures demands that pdfsig finds n valid signatures.
func soundSignatures(t *testing.T, name string, n int) {
	t.Helper()
	out, err := exec.Command("pdfsig", "-nocert", name).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("run pdfsig: %v (scripts/setup-test installs it)", err)
	}
	if strings.Count(string(out), "Signature is Valid") != n {
		t.Errorf("%s has not %d valid signatures:\n%s", name, n, out)
	}
}

func TestSignByPEM(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	out := s.path("signed.pdf")
	r := program(t, nil, append(s.pem(), "--reason", "Setuju", "--location", "Kota Contoh", s.path("letter.pdf"), out)...).want(t, 0)
	if !strings.Contains(r.out, "B-B") || r.err != "" {
		t.Errorf("signing printed %q and %q", r.out, r.err)
	}
	soundSignatures(t, out, 1)
	in, _ := os.ReadFile(s.path("letter.pdf"))
	signed, _ := os.ReadFile(out)
	if !bytes.HasPrefix(signed, in) {
		t.Error("the input was not kept")
	}
	for _, text := range []string{"/Reason(Setuju)", "/Location(Kota Contoh)", "/Name(Siti Contoh)", "ETSI.CAdES.detached"} {
		if !bytes.Contains(signed, []byte(text)) {
			t.Errorf("the signature has no %s", text)
		}
	}
	if added := len(signed) - len(in); added > 8<<10 {
		t.Errorf("%d bytes were added", added)
	}
}

func TestSignByP12OverTheInput(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	in := s.path("letter.pdf")
	for i := range 2 {
		program(t, nil, "sign", "--p12", s.path("signer.p12"), "--p12-pass-file", s.path("p12.txt"), in, in).want(t, 0)
		soundSignatures(t, in, i+1)
	}
}

func TestSignVisibly(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	for i, flags := range [][]string{
		{"--visible", "1,50,60,200,80"},
		{"--visible", "1,50,60,200,80", "--text", `Siti Contoh\nKepala`, "--qr", "https://absah.example/v/1"},
		{"--anchor", "${ttd}"},
		{"--anchor", "${ttd}", "--visible", "100,40"},
	} {
		out := s.path(fmt.Sprintf("signed%d.pdf", i))
		program(t, nil, append(append(s.pem(), flags...), s.path("letter.pdf"), out)...).want(t, 0)
		soundSignatures(t, out, 1)
	}
}

func TestSignBatchGoesOn(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	var files []string
	for i := range 9 {
		name := fmt.Sprintf("surat%d.pdf", i)
		if i%3 == 1 {
			files = append(files, write(t, s.path(name), "no PDF"))
			continue
		}
		files = append(files, s.letter(t, name))
	}
	files = append(files, s.path("absent.pdf"))
	dir := s.path("out")
	r := program(t, nil, append(append(s.pem(), "--jobs", "3", "--out-dir", dir), files...)...)
	if r.code != 1 {
		t.Errorf("exit status %d", r.code)
	}
	for i, f := range files {
		out := filepath.Join(dir, filepath.Base(f))
		if broken := i%3 == 1 || i == 9; broken {
			if !strings.Contains(r.err, f+": ") {
				t.Errorf("nothing was said of %s:\n%s", f, r.err)
			}
			if _, err := os.Stat(out); err == nil {
				t.Errorf("%s was written", out)
			}
			continue
		}
		soundSignatures(t, out, 1)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 6 {
		t.Errorf("the directory has %v", left)
	}
}

// TestEncryptedForOthers: signing and verifying say why they cannot open the file.
func TestEncryptedForOthers(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	const says = "encrypted for the holders of certain certificates"
	for _, c := range pdftest.PublicKey() {
		in := s.write(t, "locked.pdf", c.Data)
		program(t, nil, append(s.pem(), in, s.path("out.pdf"))...).want(t, 1, says)
		if r := program(t, nil, "verify", in); r.code != 2 || !strings.Contains(r.out, says) {
			t.Errorf("%s: exit status %d\n%s", c.Name, r.code, r.out)
		}
	}
	if _, err := os.Stat(s.path("out.pdf")); err == nil {
		t.Error("an output was written")
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	in, out := s.path("letter.pdf"), s.path("out.pdf")
	certified := s.path("certified.pdf")
	program(t, nil, append(s.pem(), "--certify", "1", in, certified)...).want(t, 0)
	other := newSignatory(t)
	for name, c := range map[string]struct {
		args []string
		text string
	}{
		"certified":    {append(s.pem(), certified, out), "certification"},
		"no page":      {append(s.pem(), "--visible", "7,0,0,100,50", in, out), "no page 7"},
		"no anchor":    {append(s.pem(), "--anchor", "tidak ada", in, out), "tidak ada"},
		"box":          {append(s.pem(), "--visible", "1,2,3", in, out), "PAGE,X,Y,W,H"},
		"no authority": {append(s.pem(), "--level", "B-T", in, out), "time-stamping authority"},
		"no output":    {append(s.pem(), in), "OUT.pdf"},
		"no key":       {[]string{"sign", in, out}, "--p12"},
		"other key":    {[]string{"sign", "--key", other.path("key.pem"), "--cert", s.path("cert.pem"), in, out}, "does not belong"},
		"wrong secret": {[]string{"sign", "--p12", s.path("signer.p12"), "--p12-pass-file", write(t, s.path("wrong.txt"), "x"), in, out}, "--p12"},
		"same names":   {append(s.pem(), "--out-dir", s.path("o"), in, filepath.Join(s.dir, ".", "letter.pdf")), "both"},
	} {
		r := program(t, nil, c.args...)
		if r.code != 1 || !strings.Contains(r.err, c.text) {
			t.Errorf("%s: exit status %d, stderr %q", name, r.code, r.err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the output was written", name)
		}
	}
}

// authorities serve timestamps and the CRL of the signatory's authority.
type authorities struct {
	http.ServeMux
	root  *x509.Certificate
	key   *ecdsa.PrivateKey
	asked atomic.Int32 // for the CRL
}

func (a *authorities) start(t *testing.T, crl string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{CommonName: "Stempel Waktu Contoh"}, CRLDistributionPoints: []string{crl},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8}}},
	}, a.root, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := cms.ParseOID("1.3.6.1.4.1.99999.1")
	if err != nil {
		t.Fatal(err)
	}
	tsa, err := tsp.NewAuthority(tsp.AuthorityConfig{
		Key: key, Certificate: certificate, Chain: []*x509.Certificate{a.root}, Policy: policy,
		Clock: func() (time.Time, error) { return time.Now(), nil }, Serial: tsp.RandomSerials(rand.Reader),
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
	}, a.root, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.HandleFunc("/tsa", func(w http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		response, err := tsa.Respond(r.Context(), request)
		if err != nil {
			t.Errorf("the time-stamping authority: %v", err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(response)
	})
	a.HandleFunc("/crl", func(w http.ResponseWriter, _ *http.Request) {
		a.asked.Add(1)
		w.Header().Set("Content-Type", "application/pkix-crl")
		_, _ = w.Write(list)
	})
}

func TestSignAtEveryLevel(t *testing.T) {
	t.Parallel()
	a := &authorities{}
	server := httptest.NewServer(a)
	defer server.Close()
	s, root, key := issuedSignatory(t, server.URL+"/crl")
	a.root, a.key = root, key
	a.start(t, server.URL+"/crl")
	for _, level := range []string{"B-T", "B-LT", "B-LTA"} {
		out := s.path(level)
		r := program(t, nil, append(s.pem(), "--level", level, "--tsa", server.URL+"/tsa", "--out-dir", out,
			s.path("letter.pdf"), s.letter(t, "a.pdf"), s.letter(t, "b.pdf"))...).want(t, 0)
		if strings.Count(r.out, "signed at "+level+" ") != 3 {
			t.Errorf("signing printed %q", r.out)
		}
		soundSignatures(t, filepath.Join(out, "a.pdf"), 1)
		if level == "B-T" {
			continue // whether the signer was revoked is not in the file
		}
		v := program(t, nil, "verify", "--json", "--trust", s.path("chain.pem"), filepath.Join(out, "b.pdf")).want(t, 0)
		if !strings.Contains(v.out, `"level":"`+level+`"`) {
			t.Errorf("%s is judged %s", level, v.out)
		}
	}
	// Two certificates, two batches that need the list.
	if n := a.asked.Load(); n != 4 {
		t.Errorf("the list was fetched %d times, not once for each certificate and batch", n)
	}
}
