package tsp

import (
	"crypto"
	"fmt"
	"io"
	"math/big"

	"absah/pades/cms"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Request is TimeStampReq (RFC 3161 2.4.1).
type Request struct {
	Hash     crypto.Hash // 0 when the algorithm that was asked for is not known here
	Digest   []byte
	Policy   cms.OID  // "": any
	Nonce    *big.Int // nil: none
	CertReq  bool     // the token shall hold the authority's certificate
	Critical bool     // it has a critical extension; read only
}

// ParseRequest reads the TimeStampReq that der consists of. An unknown digest
// algorithm is no error here: an authority has to answer it.
func ParseRequest(der []byte) (*Request, error) {
	in := cryptobyte.String(der)
	var s, part cryptobyte.String
	var version int
	var ok, present bool
	r := &Request{}
	if !in.ReadASN1(&s, casn1.SEQUENCE) || !in.Empty() || !s.ReadASN1Integer(&version) || version != 1 {
		return nil, syntax("not a TimeStampReq of version 1")
	}
	m, err := readImprint(&s)
	if err != nil {
		return nil, err
	}
	r.Digest = m.digest
	if r.Hash, err = m.algorithm.Hash(); err == nil && len(r.Digest) != r.Hash.Size() {
		return nil, syntax("hashedMessage of %d octets, %v has %d", len(r.Digest), r.Hash, r.Hash.Size())
	}
	if s.PeekASN1Tag(casn1.OBJECT_IDENTIFIER) {
		if r.Policy, ok = cms.ReadOID(&s); !ok {
			return nil, syntax("malformed reqPolicy")
		}
	}
	if s.PeekASN1Tag(casn1.INTEGER) {
		if r.Nonce, ok = readInteger(&s); !ok {
			return nil, syntax("malformed nonce")
		}
	}
	if s.PeekASN1Tag(casn1.BOOLEAN) && !s.ReadASN1Boolean(&r.CertReq) {
		return nil, syntax("malformed certReq")
	}
	if !s.ReadOptionalASN1(&part, &present, casn1.Tag(0).Constructed().ContextSpecific()) || !s.Empty() {
		return nil, syntax("something behind the end of the TimeStampReq")
	}
	if present {
		if r.Critical, ok = readExtensions(part); !ok {
			return nil, syntax("malformed extensions")
		}
	}
	return r, nil
}

// NewNonce gives a nonce of 64 random bits (RFC 3161 2.4.1).
func NewNonce(random io.Reader) (*big.Int, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, fmt.Errorf("tsp: nonce: %w", err)
	}
	return new(big.Int).SetBytes(b[:]), nil
}

// Marshal gives the DER of r.
func (r *Request) Marshal() ([]byte, error) {
	o := cms.DigestOID(r.Hash)
	if o == "" || len(r.Digest) != r.Hash.Size() {
		return nil, syntax("digest of %d octets by %v", len(r.Digest), r.Hash)
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, o, r.Digest)
		if r.Policy != "" {
			addOID(b, r.Policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if r.CertReq { // DEFAULT FALSE
			b.AddASN1Boolean(true)
		}
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, syntax("TimeStampReq: %v", err)
	}
	return der, nil
}
