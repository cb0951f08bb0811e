package certpath

import (
	"crypto"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrNonce is the cause when a nonce has a length that RFC 9654 2.1 does not
// allow.
var ErrNonce = errors.New("nonce is not of 1 to 128 bytes")

// MarshalOCSPRequest gives the DER of an OCSPRequest about one certificate
// (RFC 6960 4.1). Hash names the hash function of the CertID: SHA-1, which
// every responder knows, or of the SHA-2 family. A nil nonce asks without one.
func MarshalOCSPRequest(hash crypto.Hash, certificate, issuer *Certificate, nonce []byte) ([]byte, error) {
	id, ok := hashOID(hash)
	if !ok || !hash.Available() {
		return nil, fmt.Errorf("hash of an OCSP request: %w", ErrUnsupported)
	}
	if nonce != nil && (len(nonce) < 1 || len(nonce) > 128) {
		return nil, ErrNonce
	}
	digest := func(b []byte) []byte { return nameDigest(hash, b) }
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f func(b *cryptobyte.Builder)) { b.AddASN1(cbasn1.SEQUENCE, f) }
	seq(&b, func(b *cryptobyte.Builder) { // OCSPRequest
		seq(b, func(b *cryptobyte.Builder) { // TBSRequest
			seq(b, func(b *cryptobyte.Builder) { // requestList
				seq(b, func(b *cryptobyte.Builder) { // Request
					seq(b, func(b *cryptobyte.Builder) { // CertID
						seq(b, func(b *cryptobyte.Builder) {
							b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
							b.AddASN1NULL()
						})
						b.AddASN1OctetString(digest(issuer.Subject.Raw))
						b.AddASN1OctetString(digest(issuer.KeyBits))
						b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(certificate.RawSerial) })
					})
				})
			})
			if nonce == nil {
				return
			}
			b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) {
					seq(b, func(b *cryptobyte.Builder) {
						b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(extOCSPNonce)) })
						b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
					})
				})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("build OCSP request: %w", err)
	}
	return der, nil
}

// hashOID is the other way of hashOfOID.
func hashOID(h crypto.Hash) (string, bool) {
	const nist = "\x60\x86\x48\x01\x65\x03\x04\x02"
	switch h {
	case crypto.SHA1:
		return "\x2b\x0e\x03\x02\x1a", true
	case crypto.SHA256:
		return nist + "\x01", true
	case crypto.SHA384:
		return nist + "\x02", true
	case crypto.SHA512:
		return nist + "\x03", true
	}
	return "", false
}
