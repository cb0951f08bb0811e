package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 5280 4.2.1.2 method (1): an identifier, not a safeguard
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSAWithSHA384 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}
	oidSHA256WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
)

// sigAlg is the algorithm that a key signs with.
type sigAlg struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
	null bool // RSA has NULL parameters (RFC 4055 5), ECDSA has none (RFC 5758 3.2)
}

// algOf chooses the signature algorithm that matches the strength of the key.
func algOf(pub crypto.PublicKey) (sigAlg, error) {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return sigAlg{oid: oidECDSAWithSHA256, hash: crypto.SHA256}, nil
		case elliptic.P384():
			return sigAlg{oid: oidECDSAWithSHA384, hash: crypto.SHA384}, nil
		}
	case *rsa.PublicKey:
		return sigAlg{oid: oidSHA256WithRSA, hash: crypto.SHA256, null: true}, nil
	}
	return sigAlg{}, fmt.Errorf("a %T cannot sign certificates here: %w", pub, ErrConfig)
}

// x509 is the name that the standard library has for a.
func (a sigAlg) x509() x509.SignatureAlgorithm {
	switch {
	case a.null:
		return x509.SHA256WithRSA
	case a.hash == crypto.SHA384:
		return x509.ECDSAWithSHA384
	}
	return x509.ECDSAWithSHA256
}

func (a sigAlg) add(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(a.oid)
		if a.null {
			b.AddASN1NULL()
		}
	})
}

// der is the AlgorithmIdentifier.
func (a sigAlg) der() ([]byte, error) {
	var b cryptobyte.Builder
	a.add(&b)
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode signature algorithm: %w", err)
	}
	return out, nil
}

// sign returns the signature of key over tbs.
func (a sigAlg) sign(key crypto.Signer, tbs []byte) ([]byte, error) {
	h := a.hash.New()
	h.Write(tbs)
	return key.Sign(rand.Reader, h.Sum(nil), a.hash)
}

// assemble joins to-be-signed bytes and their signature, the shape that
// certificates, CRLs and OCSP answers share (RFC 5280 4.1).
func (a sigAlg) assemble(tbs, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		a.add(b)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}

// splitSigned is the inverse of assemble: the to-be-signed bytes, the
// AlgorithmIdentifier in DER and the signature.
func splitSigned(der []byte) (tbs, alg, signature []byte, err error) {
	s := cryptobyte.String(der)
	var inner, t, a cryptobyte.String
	var bits asn1.BitString
	if !s.ReadASN1(&inner, cbasn1.SEQUENCE) || !s.Empty() || !inner.ReadASN1Element(&t, cbasn1.SEQUENCE) ||
		!inner.ReadASN1Element(&a, cbasn1.SEQUENCE) || !inner.ReadASN1BitString(&bits) || !inner.Empty() || bits.BitLength%8 != 0 {
		return nil, nil, nil, fmt.Errorf("signed object: %w", ErrMalformed)
	}
	return t, a, bits.Bytes, nil
}

// signAndAssemble signs tbs with key.
func signAndAssemble(key crypto.Signer, tbs []byte) ([]byte, error) {
	alg, err := algOf(key.Public())
	if err != nil {
		return nil, err
	}
	signature, err := alg.sign(key, tbs)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return alg.assemble(tbs, signature)
}

// template is everything that a certificate says.
type template struct {
	alg        sigAlg
	serial     *big.Int
	issuer     []byte // DER of the issuer's name, byte for byte as in its certificate
	notBefore  time.Time
	notAfter   time.Time
	subject    []byte // DER
	spki       []byte // DER of SubjectPublicKeyInfo
	extensions []pkix.Extension
}

// der encodes TBSCertificate (RFC 5280 4.1.2), version 3.
func (t template) der() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1BigInt(t.serial)
		t.alg.add(b)
		b.AddBytes(t.issuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.notBefore)
			addTime(b, t.notAfter)
		})
		b.AddBytes(t.subject)
		b.AddBytes(t.spki)
		b.AddASN1(cbasn1.Tag(3).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			addExtensions(b, t.extensions)
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encode certificate: %w", err)
	}
	return out, nil
}

func addExtensions(b *cryptobyte.Builder, exts []pkix.Extension) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range exts {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(e.Id)
				if e.Critical { // DEFAULT FALSE is not encoded in DER
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.Value)
			})
		}
	})
}

// addTime encodes t as RFC 5280 4.1.2.5 demands: UTCTime through 2049,
// GeneralizedTime afterwards, always in seconds and UTC.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC().Truncate(time.Second)
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

// newSerial returns a positive number of 159 random bits: the sign bit is clear,
// so that its DER has at most 20 octets (RFC 5280 4.1.2.2).
func newSerial(random io.Reader) (*big.Int, error) {
	var raw [20]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return nil, fmt.Errorf("draw serial: %w", err)
	}
	raw[0] &= 0x7f
	serial := new(big.Int).SetBytes(raw[:])
	if serial.Sign() == 0 {
		return nil, errors.New("draw serial: the source of randomness gives zeros")
	}
	return serial, nil
}

// SerialText is the form of a serial in the database and in file names:
// lower-case hexadecimal, two digits an octet, without sign octet.
func SerialText(serial *big.Int) string { return fmt.Sprintf("%x", serial.Bytes()) }

// keyID is the SHA-1 of the subjectPublicKey bits (RFC 5280 4.2.1.2 (1)).
func keyID(spki []byte) ([]byte, error) {
	bits, err := publicKeyBits(spki)
	if err != nil {
		return nil, err
	}
	var sum [sha1.Size]byte
	fips140.WithoutEnforcement(func() { sum = sha1.Sum(bits) }) // an identifier
	return sum[:], nil
}

// publicKeyBits returns the octets of the BIT STRING inside
// SubjectPublicKeyInfo, what OCSP calls the key (RFC 6960 4.1.1).
func publicKeyBits(spki []byte) ([]byte, error) {
	s := cryptobyte.String(spki)
	var inner, alg cryptobyte.String
	var bits asn1.BitString
	if !s.ReadASN1(&inner, cbasn1.SEQUENCE) || !s.Empty() || !inner.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!inner.ReadASN1BitString(&bits) || !inner.Empty() {
		return nil, fmt.Errorf("SubjectPublicKeyInfo: %w", ErrMalformed)
	}
	return bits.RightAlign(), nil
}

func spkiOf(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return der, nil
}

// parseTBS reads to-be-signed bytes back by wrapping them as a certificate
// with an empty signature.
func parseTBS(alg sigAlg, tbs []byte) (*x509.Certificate, error) {
	der, err := alg.assemble(tbs, []byte{0})
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse to-be-signed certificate: %w", err)
	}
	if !bytes.Equal(cert.RawTBSCertificate, tbs) {
		return nil, fmt.Errorf("to-be-signed certificate: %w", ErrMalformed)
	}
	return cert, nil
}
