package pades

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"
)

// instant is the time of all signatures of these tests: now, because the
// package that makes their OCSP answers dates them so.
var instant = time.Now().Truncate(time.Second)

func clock() time.Time { return instant }

// entity is a certificate with its key.
type entity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var serials struct {
	sync.Mutex
	last int64
}

func nextSerial() *big.Int {
	serials.Lock()
	defer serials.Unlock()
	serials.last++
	return big.NewInt(serials.last)
}

// certify issues a certificate; a nil issuer signs itself.
func certify(name string, key crypto.Signer, issuer *entity, change func(*x509.Certificate)) *entity {
	t := &x509.Certificate{
		SerialNumber: nextSerial(), Subject: pkix.Name{CommonName: name, Organization: []string{"Instansi Contoh"}},
		NotBefore: instant.AddDate(-1, 0, 0), NotAfter: instant.AddDate(10, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}
	if change != nil {
		change(t)
	}
	parent, signer := t, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der := must(x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer))
	return &entity{key, must(x509.ParseCertificate(der))}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

func newP256() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

var (
	root = sync.OnceValue(func() *entity { return certify("Contoh Root", newP256(), nil, authority) })
	sub  = sync.OnceValue(func() *entity { return certify("Contoh CA", newP256(), root(), authority) })

	rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	// leaf is the signer of most tests.
	leaf = sync.OnceValue(func() *entity { return certify("Siti Contoh", newP256(), sub(), nil) })
)

// keys are all kinds of keys that sign.
var keys = []struct {
	name string
	key  func() crypto.Signer
	pss  bool
}{
	{"RSA", rsaKey, false},
	{"RSA-PSS", rsaKey, true},
	{"P-256", newP256, false},
	{"P-384", func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) }, false},
	{"P-521", func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) }, false},
	{"Ed25519", func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) }, false},
}

func signerOf(t testing.TB, e *entity, pss bool) *Signer {
	t.Helper()
	s, err := NewSigner(SignerConfig{Key: e.key, Certificate: e.cert, Chain: []*x509.Certificate{sub().cert, root().cert}, PSS: pss})
	if err != nil {
		t.Fatalf("make the signer: %v", err)
	}
	return s
}

func testSigner(t testing.TB) *Signer {
	t.Helper()
	return signerOf(t, leaf(), false)
}
