package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

func BenchmarkFile(b *testing.B) {
	v, _ := initVault(b)
	b.Run("MAC", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := v.MAC(b.Context(), Index, 0, []byte("3171016802900004")); err != nil {
				b.Fatal(err)
			}
		}
	})
	sealed, err := v.Seal(b.Context(), Data, []byte("3171016802900004"), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Open(b.Context(), Data, sealed, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	digest := sha256.Sum256(nil)
	for _, alg := range []Algorithm{ECDSAP256, ECDSAP384, RSA3072} {
		s, err := v.CreateSigner(b.Context(), Name("ca-"+string(alg)), alg)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("Sign/"+string(alg), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
