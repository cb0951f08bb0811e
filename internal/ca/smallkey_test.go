package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"

	zx509 "github.com/zmap/zcrypto/x509"
	zlintlint "github.com/zmap/zlint/v3/lint"
)

// keyOf makes the public key of a private number.
func keyOf(t testing.TB, d *big.Int) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSmallKeysAreFound holds our search against zlint's on the edges of the
// steps, on both signs, and around the bound.
func TestSmallKeysAreFound(t *testing.T) {
	t.Parallel()
	lint := zlintlint.GlobalRegistry().CertificateLints().ByName("e_ecdsa_small_private_key")
	if lint == nil {
		t.Fatal("zlint has no such lint any more")
	}
	var s smallKeys
	n := elliptic.P256().Params().N
	const stride = 2*baby + 1
	for _, d := range []int64{
		1, 2, 3, 4, 5, 255, 256, baby - 1, baby, baby + 1, baby + 2, stride - 1, stride, stride + 1, stride + baby, stride + baby + 1,
		2 * stride, 7 * stride, 7*stride - baby, 7*stride + baby + 1, 50_000, 1<<16 - 1, 1 << 16, 1<<18 + 1, 1_000_000,
	} {
		for _, k := range []*big.Int{big.NewInt(d), new(big.Int).Sub(n, big.NewInt(d))} {
			pub := &keyOf(t, k).PublicKey
			theirs := lint.Execute(&zx509.Certificate{PublicKeyAlgorithm: zx509.ECDSA, PublicKey: pub}, zlintlint.NewEmptyConfig())
			if got, want := s.has(pub), theirs.Status == zlintlint.Error; got != want {
				t.Errorf("private key %v: small = %v, zlint says %v", k, got, want)
			}
		}
	}
	for range 50 {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if s.has(&k.PublicKey) {
			t.Error("a random key is taken for a small one")
		}
	}
}

func TestSmallKeyIsNotCertified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.issuer(t).Prepare(t.Context(), testRequest(t, keyOf(t, big.NewInt(4711))))
	var lint *LintError
	if !errors.As(err, &lint) || !lint.Has("absah_small_private_key") {
		t.Errorf("a key that anybody can compute: %v, want absah_small_private_key", err)
	}
}

func BenchmarkSmallKeys(b *testing.B) {
	k := newKey(b)
	var s smallKeys
	s.has(&k.PublicKey)
	for b.Loop() {
		s.has(&k.PublicKey)
	}
}
