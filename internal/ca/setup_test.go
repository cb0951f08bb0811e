package ca

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

var testTime = time.Date(2026, 11, 23, 3, 4, 5, 0, time.UTC)

const testPolicy = "2.16.360.1.1.1.99.1"

type world struct {
	vault *keys.File
	cfg   HierarchyConfig
	clock *clock.Fake
	h     *Hierarchy
}

func testConfig(dir string) HierarchyConfig {
	return HierarchyConfig{
		Dir: dir, Country: "ID", Organisation: "Instansi Contoh",
		RootName: "Induk Contoh", IssuingName: "Penerbit Contoh",
		PolicyOID: testPolicy, URLs: URLsAt("http://pki.example.go.id"),
	}
}

// newWorld holds a ceremony in temporary directories at testTime.
func newWorld(t testing.TB, change ...func(*HierarchyConfig)) *world {
	t.Helper()
	return newWorldAt(t, testTime, change...)
}

// newWorldAt: programs that judge by the machine's clock need a world of today.
func newWorldAt(t testing.TB, at time.Time, change ...func(*HierarchyConfig)) *world {
	t.Helper()
	w := &world{clock: clock.NewFake(at), cfg: testConfig(filepath.Join(t.TempDir(), "ca"))}
	for _, f := range change {
		f(&w.cfg)
	}
	var err error
	if w.vault, err = keys.InitFile(filepath.Join(t.TempDir(), "keys")); err != nil {
		t.Fatal(err)
	}
	if w.h, err = Establish(context.Background(), w.vault, w.cfg, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) profile() Profile {
	p := DefaultProfile("ID", "Instansi Contoh", testPolicy, w.cfg.URLs)
	p.IncludeUnit = true
	return p
}

func neverBlocked(context.Context, [sha256.Size]byte) (bool, error) { return false, nil }

func (w *world) issuer(t testing.TB) *Issuer {
	t.Helper()
	i, err := w.h.Issuer(IssuerConfig{Profile: w.profile(), Clock: w.clock.Now, Blocked: neverBlocked})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// issue makes a certificate for a fictional subscriber.
func (w *world) issue(t testing.TB, i *Issuer) *x509.Certificate {
	t.Helper()
	in, err := i.Prepare(context.Background(), testRequest(t, newKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	der, err := i.Sign(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testCSR(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func testRequest(t testing.TB, key crypto.Signer) Request {
	t.Helper()
	spki, err := spkiOf(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("snapshot"))
	return Request{
		RegistrationID: "registrasi", ApplicantID: "pemohon", FirstOfficer: "petugas-1", SecondOfficer: "petugas-2",
		SnapshotHash: hash[:], FirstHash: hash[:], SecondHash: hash[:],
		CSR: testCSR(t, key), ExpectedSPKI: spki,
		Subject: Subject{Name: "Siti Contoh", Unit: "Biro Contoh", Reference: "198001012005012001", Email: "siti@contoh.example"},
	}
}

// tool runs a program that must be installed and returns what it printed.
func tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed to judge what this package makes (Debian: openssl, gnutls-bin): %v", name, err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	return string(out), err
}

func mustTool(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := tool(t, name, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// file writes b into a temporary file and returns its path.
func file(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
