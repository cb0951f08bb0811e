package cms

import (
	"crypto"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"testing"
)

// BenchmarkSign is everything that one more signature of a signer costs, from the
// content's digest to the DER.
func BenchmarkSign(b *testing.B) {
	for _, c := range []struct {
		name string
		key  func() crypto.Signer
		bare bool // without the signature operation
	}{
		{"P256", curveKey(elliptic.P256()), false},
		{"RSA2048", func() crypto.Signer { return rsaKeys[2048]() }, false},
		{"assembly", curveKey(elliptic.P256()), true},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := issue(c.key(), 1, nil)
			builder := must(NewBuilder(Config{Certificate: s.cert, Chain: []*x509.Certificate{authority().cert}}))
			digest := sha256.Sum256([]byte("isi"))
			ready := must(builder.Sign(s.key, must(builder.SignedAttributes(digest[:]))))
			b.ReportAllocs()
			for b.Loop() {
				attributes, err := builder.SignedAttributes(digest[:])
				if err != nil {
					b.Fatal(err)
				}
				signature := ready
				if c.bare {
					builder.ToBeSigned(attributes)
				} else if signature, err = builder.Sign(s.key, attributes); err != nil {
					b.Fatal(err)
				}
				if _, err := builder.SignedData(attributes, signature, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerify reads and verifies a signature with its chain.
func BenchmarkVerify(b *testing.B) {
	for name, key := range map[string]func() crypto.Signer{"P256": curveKey(elliptic.P256()), "RSA2048": func() crypto.Signer { return rsaKeys[2048]() }} {
		got := sign(b, issue(key(), 1, nil), Config{}, []byte("isi"))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v := parse(b, got.der).Verify(VerifyOptions{Digest: got.digest}); !v.Valid() {
					b.Fatal(v.Err())
				}
			}
		})
		b.Run(name+"/parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parse(b, got.der)
			}
		})
	}
}
