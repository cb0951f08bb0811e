package ca

import (
	"crypto"
	"crypto/x509"
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

// ocspResponse builds and signs a successful answer (RFC 6960 4.2.1), named by
// the responder's key and with its certificate.
func ocspResponse(key crypto.Signer, responder *x509.Certificate, keyHash []byte, producedAt time.Time, singles []singleResponse, nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyHash) })
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
	alg, err := algOf(key.Public())
	if err != nil {
		return nil, err
	}
	signature, err := alg.sign(key, tbs)
	if err != nil {
		return nil, fmt.Errorf("sign OCSP answer: %w", err)
	}
	return wrapOCSP(alg, tbs, signature, responder.Raw)
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

// wrapOCSP makes OCSPResponse around a BasicOCSPResponse.
func wrapOCSP(alg sigAlg, tbs, signature, certificate []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(ocspSuccessful)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(tbs)
						alg.add(b)
						b.AddASN1BitString(signature)
						b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
							b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(certificate) })
						})
					})
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode OCSP answer: %w", err)
	}
	return out, nil
}
