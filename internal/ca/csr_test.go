package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
)

func TestCSRIntake(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	good := testCSR(t, key)
	spki, err := ParseCSR(good)
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := spkiOf(key.Public()); !bytes.Equal(spki, want) {
		t.Error("another key than the request's")
	}
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	weak, _ := rsa.GenerateKey(rand.Reader, 2048)
	tampered := bytes.Clone(good)
	tampered[len(tampered)-5] ^= 0x40
	huge, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: string(bytes.Repeat([]byte("x"), maxCSR))}}, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"empty":            nil,
		"trailing data":    append(bytes.Clone(good), 0),
		"cut off":          good[:len(good)-1],
		"broken signature": tampered,
		"P-384":            testCSR(t, p384),
		"Ed25519":          testCSR(t, ed),
		"RSA-2048":         testCSR(t, weak),
		"too long":         huge,
	} {
		if _, err := ParseCSR(der); !errors.Is(err, ErrCSR) {
			t.Errorf("%s: error %v, want ErrCSR", name, err)
		}
	}
}

func TestKeyRules(t *testing.T) {
	t.Parallel()
	prime := func(bits int) *big.Int {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	good := new(big.Int).Mul(prime(1536), prime(1536))
	// 751 times an odd number of 3063 bits: whether the rest is prime does not matter.
	withFactor := new(big.Int).Mul(new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(3), 3061), 0, 1), big.NewInt(751))
	for name, c := range map[string]struct {
		pub crypto.PublicKey
		ok  bool
	}{
		"RSA-3072":     {&rsa.PublicKey{N: good, E: 65537}, true},
		"exponent 3":   {&rsa.PublicKey{N: good, E: 3}, false},
		"exponent big": {&rsa.PublicKey{N: good, E: 65539}, false},
		"small factor": {&rsa.PublicKey{N: withFactor, E: 65537}, false},
		"too short":    {&rsa.PublicKey{N: new(big.Int).Rsh(good, 1024), E: 65537}, false},
		"too long":     {&rsa.PublicKey{N: new(big.Int).Lsh(good, 1100), E: 65537}, false},
		//lint:ignore SA1019 no other way makes a point off the curve
		"off curve": {&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}, false}, //nolint:staticcheck // no other way makes a point off the curve
	} {
		spki, _ := x509.MarshalPKIXPublicKey(c.pub) // fails for the point off the curve, as it should
		if err := checkKey(c.pub, spki); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The same key in another encoding would escape the table of blocked keys.
	if err := checkKey(&rsa.PublicKey{N: good, E: 65537}, []byte{0x30, 0}); err == nil {
		t.Error("unusual encoding accepted")
	}
}

func FuzzParseCSR(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(testCSR(f, key))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, der []byte) {
		spki, err := ParseCSR(der)
		if err != nil {
			if !errors.Is(err, ErrCSR) {
				t.Errorf("error %v is not ErrCSR", err)
			}
			return
		}
		if _, err := x509.ParsePKIXPublicKey(spki); err != nil {
			t.Errorf("accepted a key that does not parse: %v", err)
		}
	})
}
