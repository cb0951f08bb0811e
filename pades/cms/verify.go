package cms

import (
	"crypto"
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
	}
	return &Failure{UnknownAlgorithm, fmt.Sprintf("key of type %T", pub)}
}

func checkRSA(k *rsa.PublicKey, a SignatureAlgorithm, h crypto.Hash, digest, signature []byte) error {
	// crypto/rsa refuses keys under 1024 bits with the same kind of error as a
	// wrong signature; what is known beforehand is named.
	if k.N.BitLen() < 1024 || k.N.BitLen() > 1<<14 || k.N.Bit(0) == 0 || k.E < 3 || k.E&1 == 0 || k.E > 1<<31-1 {
		return &Failure{WeakKey, fmt.Sprintf("RSA key of %d bits with the exponent %d", k.N.BitLen(), k.E)}
	}
	if !a.PSS {
		if rsa.VerifyPKCS1v15(k, h, digest, signature) != nil {
			return signatureWrong()
		}
		return nil
	}
	if a.MGFHash != a.Hash {
		return &Failure{UnknownAlgorithm, "RSASSA-PSS with one digest for the message and another for the mask"}
	}
	if a.Hash != h { // reported as AlgorithmMismatch; the digest is of the other
		return nil
	}
	opts := &rsa.PSSOptions{SaltLength: a.SaltLength, Hash: a.Hash}
	if a.SaltLength == 0 { // 0 is PSSSaltLengthAuto, which finds any
		opts.SaltLength = rsa.PSSSaltLengthAuto
	}
	if rsa.VerifyPSS(k, a.Hash, digest, signature, opts) != nil {
		return signatureWrong()
	}
	return nil
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

// readNumbers reads ECDSA-Sig-Value (RFC 5480 appendix A).
func readNumbers(signature []byte, r, s *big.Int) error {
	in := cryptobyte.String(signature)
	var c cryptobyte.String
	if !in.ReadASN1(&c, casn1.SEQUENCE) || !in.Empty() || !c.ReadASN1Integer(r) || !c.ReadASN1Integer(s) || !c.Empty() {
		return &Failure{SignatureForm, "the ECDSA signature value is not the DER of two numbers"}
	}
	return nil
}

func sum(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
