package cms

import (
	"crypto"
	//lint:ignore SA1019 old signatures are by DSA keys; they are only verified
	"crypto/dsa" //nolint:staticcheck // old signatures are by DSA keys; they are only verified
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/curve"
	"absah/pades/hashfn"
)

// checkSignature verifies a signature value over message. The error is a
// *Failure.
func checkSignature(pub crypto.PublicKey, a SignatureAlgorithm, h crypto.Hash, message, signature []byte) error {
	if !a.Key.pure() {
		return checkDigest(pub, a, h, sum(h, message), signature)
	}
	var valid bool
	size := ed25519.SignatureSize
	switch k := pub.(type) {
	case ed25519.PublicKey:
		if a.Key != KeyEd25519 {
			return keyMismatch(pub, a)
		}
		valid = ed25519.Verify(k, message, signature)
	case curve.Ed448Key:
		if a.Key != KeyEd448 {
			return keyMismatch(pub, a)
		}
		size = curve.Ed448SignatureSize
		valid = k.Verify(message, signature)
	default:
		return keyMismatch(pub, a)
	}
	switch {
	case len(signature) != size:
		return &Failure{SignatureForm, fmt.Sprintf("an %v signature value has %d octets, not %d", a.Key, size, len(signature))}
	case !valid:
		return signatureWrong()
	}
	return nil
}

func signatureWrong() error {
	return &Failure{SignatureWrong, "the signature value does not fit what it signs and the key"}
}

func keyMismatch(pub crypto.PublicKey, a SignatureAlgorithm) error {
	return &Failure{KeyMismatch, fmt.Sprintf("signature algorithm for %v keys with a key of type %T", a.Key, pub)}
}

// checkDigest verifies a signature value over a digest by h. The error is a
// *Failure.
func checkDigest(pub crypto.PublicKey, a SignatureAlgorithm, h crypto.Hash, digest, signature []byte) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if a.Key != KeyRSA {
			return keyMismatch(pub, a)
		}
		return checkRSA(k, a, h, digest, signature)
	case *ecdsa.PublicKey:
		if a.Key != KeyECDSA {
			return keyMismatch(pub, a)
		}
		if a.Plain {
			var err error
			if signature, err = fromPlain(signature, k.Curve.Params().N); err != nil {
				return err
			}
		}
		if _, _, err := readRange(k.Curve.Params().N, signature); err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(k, digest, signature) {
			return signatureWrong()
		}
		return nil
	case *curve.PublicKey:
		if a.Key != KeyECDSA {
			return keyMismatch(pub, a)
		}
		if a.Plain {
			var err error
			if signature, err = fromPlain(signature, k.Curve.N); err != nil {
				return err
			}
		}
		r, s, err := readRange(k.Curve.N, signature)
		if err != nil {
			return err
		}
		if !k.Verify(digest, r, s) {
			return signatureWrong()
		}
		return nil
	case ed25519.PublicKey, curve.Ed448Key:
		if a.Key.pure() {
			return &Failure{NoSignedAttributes, fmt.Sprintf("an %v signature over a digest needs signed attributes", a.Key)}
		}
		return keyMismatch(pub, a)
	case *dsa.PublicKey:
		if a.Key != KeyDSA {
			return keyMismatch(pub, a)
		}
		return checkDSA(k, digest, signature)
	}
	return &Failure{UnknownAlgorithm, fmt.Sprintf("key of type %T", pub)}
}

// readRange demands DER of two numbers from 1 to the order n less one.
func readRange(n *big.Int, signature []byte) (r, s *big.Int, err error) {
	r, s = new(big.Int), new(big.Int)
	if err := readNumbers(signature, r, s); err != nil {
		return nil, nil, err
	}
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return nil, nil, &Failure{SignatureForm, "a number of the ECDSA signature value is 0 or too large"}
	}
	return r, s, nil
}

// fromPlain gives the DER of a plain signature value: both numbers have as many
// octets as the order n (BSI TR-03111 5.2.1).
func fromPlain(signature []byte, n *big.Int) ([]byte, error) {
	size := (n.BitLen() + 7) / 8
	if len(signature) != 2*size {
		return nil, &Failure{SignatureForm, fmt.Sprintf("a plain ECDSA signature value of %d octets, not %d", len(signature), 2*size)}
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(signature[:size]))
		b.AddASN1BigInt(new(big.Int).SetBytes(signature[size:]))
	})
	return b.Bytes()
}

// checkDSA verifies a signature by a DSA key (FIPS 186-4 4.7) of one of the sizes
// of 4.2: with others, who made the key decides how long it takes.
func checkDSA(k *dsa.PublicKey, digest, signature []byte) error {
	l, n := k.P.BitLen(), k.Q.BitLen()
	if (l != 1024 || n != 160) && (l != 2048 || n != 224 && n != 256) && (l != 3072 || n != 256) || k.Y.Cmp(k.P) >= 0 || k.G.Cmp(k.P) >= 0 {
		return &Failure{WeakKey, fmt.Sprintf("DSA key of %d and %d bits", l, n)}
	}
	r, s := new(big.Int), new(big.Int)
	if err := readNumbers(signature, r, s); err != nil {
		return err
	}
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(k.Q) >= 0 || s.Cmp(k.Q) >= 0 {
		return &Failure{SignatureForm, "a number of the DSA signature value is 0 or too large"}
	}
	if !dsa.Verify(k, digest[:min(len(digest), n/8)], r, s) {
		return signatureWrong()
	}
	return nil
}

// readNumbers reads ECDSA-Sig-Value and Dss-Sig-Value (RFC 3279 2.2.2, 2.2.3).
func readNumbers(signature []byte, r, s *big.Int) error {
	in := cryptobyte.String(signature)
	var c cryptobyte.String
	if !in.ReadASN1(&c, casn1.SEQUENCE) || !in.Empty() || !c.ReadASN1Integer(r) || !c.ReadASN1Integer(s) || !c.Empty() {
		return &Failure{SignatureForm, "the signature value is not the DER of two numbers"}
	}
	return nil
}

func sum(h crypto.Hash, b []byte) []byte {
	return hashfn.Sum(h, b)
}
