package certpath

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/curve"
)

// The encoded contents of the identifiers of kinds of keys, RFC 3279, RFC 5480,
// RFC 8410.
const (
	keyRSA     = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	keyEC      = "\x2a\x86\x48\xce\x3d\x02\x01"
	keyEd25519 = "\x2b\x65\x70"
	keyDSA     = "\x2a\x86\x48\xce\x38\x04\x01"

	curveP256 = "\x2a\x86\x48\xce\x3d\x03\x01\x07"
	curveP384 = "\x2b\x81\x04\x00\x22"
	curveP521 = "\x2b\x81\x04\x00\x23"
)

// parsePublicKey gives the key of a SubjectPublicKeyInfo, and the bits of
// subjectPublicKey. A DSA key may lack its parameters, which then are those of
// the issuer (RFC 3279 2.3.2).
func parsePublicKey(spki []byte) (crypto.PublicKey, []byte, error) {
	seq, ok := sequence(spki)
	var algorithm cryptobyte.String
	var bits []byte
	if !ok || !seq.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !seq.ReadASN1BitStringAsBytes(&bits) || !seq.Empty() {
		return nil, nil, malformed("public key")
	}
	id, ok := readOID(&algorithm)
	if !ok {
		return nil, bits, malformed("public key algorithm")
	}
	if k, err := curve.ParsePublicKey(spki); k != nil || err != nil {
		return k, bits, err
	}
	k, err := parseKey(id, algorithm, bits)
	if err != nil {
		return nil, bits, fmt.Errorf("public key: %w", err)
	}
	if k != nil {
		return k, bits, nil
	}
	if k, err = x509.ParsePKIXPublicKey(spki); err != nil {
		return nil, bits, fmt.Errorf("public key: %w: %w", ErrUnsupported, err)
	}
	return k, bits, nil
}

// parseKey reads the kinds of keys that the package knows; nil without an error
// is another kind. An error never comes with a key.
func parseKey(id string, params cryptobyte.String, bits []byte) (crypto.PublicKey, error) {
	switch id {
	case keyRSA:
		if !absentOrNull(params) {
			return nil, malformed("parameters of an RSA key")
		}
		return parseRSA(bits)
	case oidPSS: // an RSA key for that scheme only, RFC 4055 1.2
		return parseRSA(bits)
	case keyEC:
		return parseEC(params, bits)
	case keyEd25519:
		if len(params) > 0 || len(bits) != ed25519.PublicKeySize {
			return nil, malformed("Ed25519 key")
		}
		return ed25519.PublicKey(bits), nil
	case keyDSA:
		k, err := parseDSA(params, bits)
		if err != nil {
			return nil, err // not k: a nil pointer in an interface is not nil
		}
		return k, nil
	}
	return nil, nil
}

func parseRSA(bits []byte) (crypto.PublicKey, error) {
	seq, ok := sequence(bits)
	k := &rsa.PublicKey{N: new(big.Int)}
	if !ok || !seq.ReadASN1Integer(k.N) || !seq.ReadASN1Integer(&k.E) || !seq.Empty() || k.N.Sign() <= 0 || k.E <= 0 {
		return nil, malformed("RSA key")
	}
	if n := k.N.BitLen(); n > maxRSABits {
		return nil, fmt.Errorf("RSA key of %d bits: %w", n, ErrUnsupported)
	}
	return k, nil
}

func parseEC(params cryptobyte.String, bits []byte) (crypto.PublicKey, error) {
	named, ok := readOID(&params)
	if !ok || !params.Empty() {
		return nil, fmt.Errorf("curve that is not a named one: %w", ErrUnsupported)
	}
	var curve elliptic.Curve
	switch named {
	case curveP256:
		curve = elliptic.P256()
	case curveP384:
		curve = elliptic.P384()
	case curveP521:
		curve = elliptic.P521()
	default:
		return nil, nil
	}
	k, err := ecdsa.ParseUncompressedPublicKey(curve, bits)
	if err != nil {
		return nil, fmt.Errorf("EC key: %w", err)
	}
	return k, nil
}
