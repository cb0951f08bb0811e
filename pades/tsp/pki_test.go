package tsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/pades/cms"
)

// instant is in the validity of every certificate of these tests.
var instant = time.Date(2026, 11, 2, 8, 30, 0, 123456789, time.UTC)

const policy cms.OID = "\x60\x86\x48\x01\x86\xf8\x5b\x01" // 2.16.840.1.113883.1, of nobody here

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type subject struct {
	key  crypto.Signer
	cert *x509.Certificate
}

var root = sync.OnceValue(func() subject {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoh Root"},
		NotBefore: instant.AddDate(-1, 0, 0), NotAfter: instant.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte("root"),
	}
	return subject{key, must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, t, key.Public(), key))))}
})

// timeStamping is the extension that RFC 3161 2.3 demands; crypto/x509 would
// write it as not critical.
func timeStamping(critical bool, purposes ...[]int) pkix.Extension {
	var list []byte
	for _, p := range append(purposes, []int{0x2b, 6, 1, 5, 5, 7, 3, 8}) {
		list = append(list, 6, byte(len(p)))
		for _, c := range p {
			list = append(list, byte(c))
		}
	}
	return pkix.Extension{Id: []int{2, 5, 29, 37}, Critical: critical, Value: append([]byte{0x30, byte(len(list))}, list...)}
}

func issue(key crypto.Signer, serial int64, ext ...pkix.Extension) subject {
	ca := root()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Stempel Waktu Contoh"},
		NotBefore: instant.AddDate(0, -1, 0), NotAfter: instant.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: ext,
	}
	return subject{key, must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, ca.cert, key.Public(), ca.key))))}
}

var rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })

var signers = []struct {
	name string
	key  func() crypto.Signer
	hash crypto.Hash
	pss  bool
}{
	{"RSA", rsaKey, crypto.SHA256, false},
	{"PSS", rsaKey, crypto.SHA384, true},
	{"P256", func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }, 0, false},
	{"P384", func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) }, 0, false},
	{"P521", func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) }, 0, false},
	{"Ed25519", func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) }, 0, false},
}

// config is that of a complete authority.
func config(key crypto.Signer) AuthorityConfig {
	s := issue(key, 7, timeStamping(true))
	return AuthorityConfig{
		Key: s.key, Certificate: s.cert, Chain: []*x509.Certificate{root().cert}, Policy: policy,
		Clock: func() (time.Time, error) { return instant, nil }, Serial: RandomSerials(rand.Reader),
	}
}

func newAuthority(t testing.TB, change func(*AuthorityConfig)) *Authority {
	t.Helper()
	c := config(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	if change != nil {
		change(&c)
	}
	a, err := NewAuthority(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func writePEM(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	return write(t, name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func openssl(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("openssl %s: %v\n%s%s", strings.Join(args, " "), err, stderr.String(), out)
	}
	return out, err
}

func sum(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
