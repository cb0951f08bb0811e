package ca

import (
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// State is what OCSP says of a serial.
type State int

// The states of RFC 6960 2.2. A serial that was never issued is StateUnknown.
const (
	StateUnknown State = iota
	StateGood
	StateRevoked
)

// CertStatus is the state of a certificate; the other fields have meaning when
// it is revoked.
type CertStatus struct {
	State     State
	RevokedAt time.Time
	Reason    Reason
}

// OCSPResponseStatus of RFC 6960 4.2.1.
const (
	ocspSuccessful    = 0
	ocspMalformed     = 1
	ocspInternalError = 2
	ocspTryLater      = 3
	ocspUnauthorized  = 6
)

// ocspError is an unsigned answer, the only kind that RFC 6960 2.3 allows to be
// unsigned.
func ocspError(status byte) []byte {
	return []byte{0x30, 0x03, 0x0a, 0x01, status}
}

// singleResponse is the state of one certificate of an answer.
type singleResponse struct {
	rawCertID  []byte
	status     CertStatus
	thisUpdate time.Time
	nextUpdate time.Time
}

// head builds and signs a successful answer (RFC 6960 4.2.1), named by the
// responder's key, up to the certificates, which are the same in all answers.
func (s *ocspSigner) head(producedAt time.Time, singles []singleResponse, nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(s.hash) })
		b.AddASN1GeneralizedTime(producedAt)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, s := range singles {
				addSingle(b, s)
			}
		})
		if nonce == nil {
			return
		}
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidOCSPNonce)
					b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
				})
			})
		})
	})
	tbs, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode OCSP answer: %w", err)
	}
	signature, err := s.alg.sign(s.key, tbs)
	if err != nil {
		return nil, fmt.Errorf("sign OCSP answer: %w", err)
	}
	var end cryptobyte.Builder
	s.alg.add(&end)
	end.AddASN1BitString(signature)
	tail, err := end.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode OCSP answer: %w", err)
	}
	// OCSPResponse { successful, [0] { id-pkix-ocsp-basic, OCTET STRING {
	// BasicOCSPResponse } } } around tbs, signature and certificates.
	inner := len(tbs) + len(tail) + len(s.certificates)
	basic := appendHeader(nil, 0x30, inner)
	octets := appendHeader(nil, 0x04, len(basic)+inner)
	bytes := appendHeader(nil, 0x30, len(oidOCSPBasicDER)+len(octets)+len(basic)+inner)
	explicit0 := appendHeader(nil, 0xa0, len(bytes)+len(oidOCSPBasicDER)+len(octets)+len(basic)+inner)
	status := []byte{0x0a, 0x01, ocspSuccessful}
	out := appendHeader(make([]byte, 0, 40+len(tbs)+len(tail)), 0x30,
		len(status)+len(explicit0)+len(bytes)+len(oidOCSPBasicDER)+len(octets)+len(basic)+inner)
	for _, part := range [][]byte{status, explicit0, bytes, oidOCSPBasicDER, octets, basic, tbs, tail} {
		out = append(out, part...)
	}
	return out, nil
}

// oidOCSPBasicDER is id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
var oidOCSPBasicDER = []byte{0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01}

// whole joins what head made with the certificates.
func (s *ocspSigner) whole(head []byte) []byte {
	out := make([]byte, 0, len(head)+len(s.certificates))
	return append(append(out, head...), s.certificates...)
}

// certificatesDER is the certs field of BasicOCSPResponse.
func certificatesDER(certificate []byte) []byte {
	list := append(appendHeader(nil, 0x30, len(certificate)), certificate...)
	return append(appendHeader(nil, 0xa0, len(list)), list...)
}

func addSingle(b *cryptobyte.Builder, s singleResponse) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(s.rawCertID)
		switch s.status.State {
		case StateGood:
			b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
		case StateRevoked:
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(s.status.RevokedAt.UTC().Truncate(time.Second))
				if s.status.Reason != Unspecified {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(s.status.Reason)) })
				}
			})
		default:
			b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(s.thisUpdate)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(s.nextUpdate) })
	})
}
