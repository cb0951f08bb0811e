package curve

import (
	"crypto"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrKey means that a key names one of the curves of this package and is none of
// it.
var ErrKey = errors.New("curve: malformed public key")

// The content octets of the identifiers of kinds of keys, RFC 5480 2.1.1 and RFC
// 8410 3.
const (
	ecPublicKey = "\x2a\x86\x48\xce\x3d\x02\x01"
	idEd448     = "\x2b\x65\x71"
)

// ParsePublicKey reads a SubjectPublicKeyInfo: *PublicKey or Ed448Key; nil without
// an error for what is no key of the curves of this package.
func ParsePublicKey(spki []byte) (crypto.PublicKey, error) {
	in := cryptobyte.String(spki)
	var seq, algorithm, id, name cryptobyte.String
	var bits []byte
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!algorithm.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) || !seq.ReadASN1BitStringAsBytes(&bits) || !seq.Empty() {
		return nil, nil
	}
	switch string(id) {
	case idEd448:
		if !algorithm.Empty() || len(bits) != Ed448KeySize {
			return nil, fmt.Errorf("%w: Ed448", ErrKey)
		}
		return Ed448Key(bits), nil
	case ecPublicKey:
		if !algorithm.ReadASN1(&name, asn1.OBJECT_IDENTIFIER) || !algorithm.Empty() {
			return nil, nil
		}
		c, ok := Named(string(name))
		if !ok {
			return nil, nil
		}
		k, ok := ParsePoint(c, bits)
		if !ok {
			return nil, fmt.Errorf("%w: no uncompressed point of %s", ErrKey, c.Name)
		}
		return k, nil
	}
	return nil, nil
}
