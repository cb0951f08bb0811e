package cms

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
)

// instant is in the validity of every certificate of these tests.
var instant = time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)

type subject struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// authority is the root of these tests' certificates.
var authority = sync.OnceValue(func() subject {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Contoh Root"},
		NotBefore: instant.AddDate(-1, 0, 0), NotAfter: instant.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte("root"),
	}
	return subject{key, must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, t, key.Public(), key))))}
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rsaKeys are slow to make, so each size is made once.
var rsaKeys = map[int]func() *rsa.PrivateKey{
	2048: sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }),
	3072: sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) }),
}

func issue(key crypto.Signer, serial int64, change func(*x509.Certificate)) subject {
	ca := authority()
	t := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Budi Fiktif", Organization: []string{"Contoh"}},
		NotBefore: instant.AddDate(0, -1, 0), NotAfter: instant.AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, SubjectKeyId: big.NewInt(serial).Bytes(),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	if change != nil {
		change(t)
	}
	return subject{key, must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, ca.cert, key.Public(), ca.key))))}
}

// algorithms lists every algorithm that a Builder signs with.
var algorithms = []struct {
	name string
	key  func() crypto.Signer
	hash crypto.Hash
	pss  bool
	want OID
}{
	{"RSA-SHA256", func() crypto.Signer { return rsaKeys[2048]() }, crypto.SHA256, false, OIDSHA256WithRSA},
	{"RSA-SHA384", func() crypto.Signer { return rsaKeys[2048]() }, crypto.SHA384, false, OIDSHA384WithRSA},
	{"RSA-SHA512", func() crypto.Signer { return rsaKeys[3072]() }, crypto.SHA512, false, OIDSHA512WithRSA},
	{"PSS-SHA256", func() crypto.Signer { return rsaKeys[2048]() }, crypto.SHA256, true, OIDRSAPSS},
	{"PSS-SHA384", func() crypto.Signer { return rsaKeys[2048]() }, crypto.SHA384, true, OIDRSAPSS},
	{"PSS-SHA512", func() crypto.Signer { return rsaKeys[3072]() }, crypto.SHA512, true, OIDRSAPSS},
	{"P256-SHA256", curveKey(elliptic.P256()), 0, false, OIDECDSAWithSHA256},
	{"P256-SHA512", curveKey(elliptic.P256()), crypto.SHA512, false, OIDECDSAWithSHA512},
	{"P384-SHA384", curveKey(elliptic.P384()), 0, false, OIDECDSAWithSHA384},
	{"P521-SHA512", curveKey(elliptic.P521()), 0, false, OIDECDSAWithSHA512},
	{"Ed25519", func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) }, 0, false, OIDEd25519},
}

func curveKey(c elliptic.Curve) func() crypto.Signer {
	return func() crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func writePEM(t *testing.T, name, kind string, der ...[]byte) string {
	t.Helper()
	var out []byte
	for _, d := range der {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: d})...)
	}
	return write(t, name, out)
}

func openssl(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out, err
}

// signed is a complete detached signature of these tests.
type signed struct {
	builder    *Builder
	content    []byte
	digest     []byte
	attributes []byte
	signature  []byte
	der        []byte
}

func sign(t testing.TB, s subject, c Config, content []byte, extra ...Attribute) signed {
	t.Helper()
	c.Certificate, c.Chain = s.cert, append(c.Chain, authority().cert)
	b, err := NewBuilder(c)
	if err != nil {
		t.Fatal(err)
	}
	out := signed{builder: b, content: content, digest: sum(b.Hash(), content)}
	if out.attributes, err = b.SignedAttributes(out.digest, extra...); err != nil {
		t.Fatal(err)
	}
	if out.signature, err = b.Sign(s.key, out.attributes); err != nil {
		t.Fatal(err)
	}
	if out.der, err = b.SignedData(out.attributes, out.signature, nil); err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(t testing.TB, der []byte) *SignedData {
	t.Helper()
	sd, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return sd
}
