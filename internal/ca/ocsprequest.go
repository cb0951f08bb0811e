package ca

import (
	"crypto"
	_ "crypto/sha1" // CertID of RFC 5019 clients; linked in for crypto.SHA1
	_ "crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of an OCSP request. One for one certificate has about 80 octets, with
// a nonce 130.
const (
	MaxOCSPRequest = 4 << 10
	maxOCSPSingles = 16
	maxNonce       = 128 // longer ones are malformed (RFC 9654 2.1)
	maxEcho        = 32  // longer ones are passed over, as that RFC permits
	maxSerialBytes = 20
)

var (
	oidSHA1      = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidOCSPNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
)

// certID names a certificate by its issuer's hashes and its serial (RFC 6960
// 4.1.1).
type certID struct {
	raw      []byte // DER, echoed in the answer
	hash     crypto.Hash
	nameHash []byte
	keyHash  []byte
	serial   *big.Int
}

// ocspRequest is what a client asks. Signature and requestor's name are not
// kept: everybody may ask.
type ocspRequest struct {
	certs []certID
	nonce []byte // nil: none
}

// parseOCSPRequest reads an OCSPRequest strictly. Errors are ErrMalformed.
func parseOCSPRequest(der []byte) (*ocspRequest, error) {
	malformed := func(what string) (*ocspRequest, error) {
		return nil, fmt.Errorf("OCSP request: %s: %w", what, ErrMalformed)
	}
	if len(der) > MaxOCSPRequest {
		return malformed("too long")
	}
	input := cryptobyte.String(der)
	var outer, tbs, list cryptobyte.String
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() {
		return malformed("not one SEQUENCE")
	}
	if !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) || !outer.SkipOptionalASN1(explicit(0)) || !outer.Empty() {
		return malformed("outer structure")
	}
	// The version is DEFAULT v1 and there is no other; some clients encode it.
	var version cryptobyte.String
	var hasVersion bool
	if !tbs.ReadOptionalASN1(&version, &hasVersion, explicit(0)) {
		return malformed("version")
	}
	if v := int64(0); hasVersion && (!version.ReadASN1Integer(&v) || v != 0 || !version.Empty()) {
		return malformed("version")
	}
	if !tbs.SkipOptionalASN1(explicit(1)) || !tbs.ReadASN1(&list, cbasn1.SEQUENCE) {
		return malformed("list of requests")
	}
	req := &ocspRequest{}
	for !list.Empty() {
		var single cryptobyte.String
		if len(req.certs) == maxOCSPSingles || !list.ReadASN1(&single, cbasn1.SEQUENCE) {
			return malformed("list of requests")
		}
		id, err := parseCertID(&single)
		if err != nil {
			return nil, err
		}
		if _, err := parseOCSPExtensions(&single, 0); err != nil {
			return nil, err
		}
		if !single.Empty() {
			return malformed("single request")
		}
		req.certs = append(req.certs, id)
	}
	if len(req.certs) == 0 {
		return malformed("no certificate")
	}
	var err error
	if req.nonce, err = parseOCSPExtensions(&tbs, 2); err != nil {
		return nil, err
	}
	if !tbs.Empty() {
		return malformed("trailing data")
	}
	return req, nil
}

func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).Constructed().ContextSpecific() }

func parseCertID(s *cryptobyte.String) (certID, error) {
	var id certID
	var element, inner, alg, nameHash, keyHash cryptobyte.String
	var oid asn1.ObjectIdentifier
	bad := fmt.Errorf("OCSP request: CertID: %w", ErrMalformed)
	if !s.ReadASN1Element(&element, cbasn1.SEQUENCE) {
		return id, bad
	}
	id.raw = element
	if !element.ReadASN1(&inner, cbasn1.SEQUENCE) || !inner.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!alg.ReadASN1ObjectIdentifier(&oid) {
		return id, bad
	}
	var null cryptobyte.String
	if !alg.Empty() && (!alg.ReadASN1(&null, cbasn1.NULL) || !null.Empty() || !alg.Empty()) {
		return id, bad
	}
	id.serial = new(big.Int)
	if !inner.ReadASN1(&nameHash, cbasn1.OCTET_STRING) || !inner.ReadASN1(&keyHash, cbasn1.OCTET_STRING) ||
		!inner.ReadASN1Integer(id.serial) || !inner.Empty() || len(id.serial.Bytes()) > maxSerialBytes {
		return id, bad
	}
	switch {
	case oid.Equal(oidSHA1):
		id.hash = crypto.SHA1
	case oid.Equal(oidSHA256):
		id.hash = crypto.SHA256
	default:
		return id, nil // hash 0 matches no issuer
	}
	if len(nameHash) != id.hash.Size() || len(keyHash) != id.hash.Size() {
		return id, bad
	}
	id.nameHash, id.keyHash = nameHash, keyHash
	return id, nil
}

// parseOCSPExtensions reads optional extensions under the tag and returns the
// nonce. One of 1 to 32 octets is echoed, one of up to 128 passed over, and
// others are malformed (RFC 9654 2.1). Of the other extensions the critical ones
// are refused and the rest ignored.
func parseOCSPExtensions(s *cryptobyte.String, tag uint8) (nonce []byte, err error) {
	var wrapper, list cryptobyte.String
	var present bool
	bad := fmt.Errorf("OCSP request: extensions: %w", ErrMalformed)
	if !s.ReadOptionalASN1(&wrapper, &present, explicit(tag)) {
		return nil, bad
	}
	if !present {
		return nil, nil
	}
	if !wrapper.ReadASN1(&list, cbasn1.SEQUENCE) || !wrapper.Empty() || list.Empty() {
		return nil, bad
	}
	seen := false
	for !list.Empty() {
		var e, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&e, cbasn1.SEQUENCE) || !e.ReadASN1ObjectIdentifier(&oid) ||
			(e.PeekASN1Tag(cbasn1.BOOLEAN) && !e.ReadASN1Boolean(&critical)) ||
			!e.ReadASN1(&value, cbasn1.OCTET_STRING) || !e.Empty() {
			return nil, bad
		}
		if !oid.Equal(oidOCSPNonce) {
			if critical {
				return nil, bad
			}
			continue
		}
		var n cryptobyte.String
		if seen || !value.ReadASN1(&n, cbasn1.OCTET_STRING) || !value.Empty() || len(n) < 1 || len(n) > maxNonce {
			return nil, fmt.Errorf("OCSP request: nonce: %w", ErrMalformed)
		}
		if seen = true; len(n) <= maxEcho {
			nonce = n
		}
	}
	return nonce, nil
}
