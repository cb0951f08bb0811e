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
)

// checkSignature verifies a signature value over message. The error is a
// *Failure.
func checkSignature(pub crypto.PublicKey, a SignatureAlgorithm, h crypto.Hash, message, signature []byte) error {
	if a.Key != KeyEd25519 {
		return checkDigest(pub, a, h, sum(h, message), signature)
	}
	k, ok := pub.(ed25519.PublicKey)
	switch {
	case !ok:
		return keyMismatch(pub, a)
	case len(signature) != ed25519.SignatureSize:
		return &Failure{SignatureForm, fmt.Sprintf("an Ed25519 signature value has 64 octets, not %d", len(signature))}
	case !ed25519.Verify(k, message, signature):
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
		if err := checkRange(k, signature); err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(k, digest, signature) {
			return signatureWrong()
		}
		return nil
	case ed25519.PublicKey:
		if a.Key == KeyEd25519 {
			return &Failure{NoSignedAttributes, "an Ed25519 signature over a digest needs signed attributes"}
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

// checkRange demands DER of two numbers from 1 to the order less one.
func checkRange(k *ecdsa.PublicKey, signature []byte) error {
	r, s := new(big.Int), new(big.Int)
	if err := readNumbers(signature, r, s); err != nil {
		return err
	}
	n := k.Curve.Params().N
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return &Failure{SignatureForm, "a number of the ECDSA signature value is 0 or too large"}
	}
	return nil
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
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
