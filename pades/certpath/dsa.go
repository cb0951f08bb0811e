package certpath

import (
	"crypto"
	//lint:ignore SA1019 archived certificates carry DSA keys; they are only verified with
	"crypto/dsa" //nolint:staticcheck // archived certificates carry DSA keys; they are only verified with
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A DSAPublicKey is a DSA key. P, Q and G are nil where they are those of the
// issuer (RFC 3279 2.3.2).
type DSAPublicKey = dsa.PublicKey

func parseDSA(params cryptobyte.String, bits []byte) (*DSAPublicKey, error) {
	y := cryptobyte.String(bits)
	k := &DSAPublicKey{Y: new(big.Int)}
	if !y.ReadASN1Integer(k.Y) || !y.Empty() || k.Y.Sign() <= 0 || k.Y.BitLen() > 3072 {
		return nil, malformed("DSA key")
	}
	if absentOrNull(params) {
		return k, nil
	}
	var seq cryptobyte.String
	k.P, k.Q, k.G = new(big.Int), new(big.Int), new(big.Int)
	if !params.ReadASN1(&seq, cbasn1.SEQUENCE) || !params.Empty() || !seq.ReadASN1Integer(k.P) || !seq.ReadASN1Integer(k.Q) || !seq.ReadASN1Integer(k.G) || !seq.Empty() {
		return nil, malformed("DSA parameters")
	}
	if k.P.Sign() <= 0 || k.Q.Sign() <= 0 || k.G.Sign() <= 0 || k.P.BitLen() > 3072 || k.Q.BitLen() > 256 {
		return nil, malformed("DSA parameters")
	}
	return k, nil
}

func verifyDSA(k *DSAPublicKey, digest, signature []byte) bool {
	r, s := new(big.Int), new(big.Int)
	if !readNumbers(signature, r, s) {
		return false
	}
	// FIPS 186-4 4.6: the leftmost bits of the digest, as many as q has.
	if n := k.Q.BitLen() / 8; len(digest) > n {
		digest = digest[:n]
	}
	return dsa.Verify(k, digest, r, s)
}

// readNumbers reads Dss-Sig-Value and ECDSA-Sig-Value, RFC 3279 2.2.2 and 2.2.3.
func readNumbers(signature []byte, r, s *big.Int) bool {
	seq, ok := sequence(signature)
	return ok && seq.ReadASN1Integer(r) && seq.ReadASN1Integer(s) && seq.Empty()
}

// inherits reports whether key is a DSA key without parameters.
func inherits(key crypto.PublicKey) bool {
	k, ok := key.(*DSAPublicKey)
	return ok && k.P == nil
}

// inherit completes a DSA key with the parameters of the key above, 6.1.4 (e).
func inherit(key, above crypto.PublicKey) crypto.PublicKey {
	k, ok := key.(*DSAPublicKey)
	if !ok || k.P != nil {
		return key
	}
	if a, ok := above.(*DSAPublicKey); ok && a.P != nil {
		return &DSAPublicKey{Parameters: a.Parameters, Y: k.Y}
	}
	return key
}
