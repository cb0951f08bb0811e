package cms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/curve"
)

// Certificate is an X.509 certificate, read only as far as a signature needs
// it: a certificate that crypto/x509 refuses can still have made one.
type Certificate struct {
	Raw          []byte // DER of the whole
	RawIssuer    []byte // DER of the Name
	RawSubject   []byte // DER of the Name
	RawPublicKey []byte // DER of the SubjectPublicKeyInfo
	Serial       []byte // content octets of the INTEGER
	KeyID        []byte // subjectKeyIdentifier, nil when it has none

	rest cryptobyte.String // of the TBSCertificate, behind the public key
	x509 func() (*x509.Certificate, error)
	key  func() (crypto.PublicKey, error)
}

// ParseCertificate reads the certificate that der consists of.
func ParseCertificate(der []byte) (*Certificate, error) {
	s := cryptobyte.String(der)
	var cert, tbs, serial, raw cryptobyte.String
	c := &Certificate{Raw: der}
	if !s.ReadASN1(&cert, casn1.SEQUENCE) || !s.Empty() || !cert.ReadASN1(&tbs, casn1.SEQUENCE) {
		return nil, syntax("not a certificate")
	}
	if !tbs.SkipOptionalASN1(casn1.Tag(0).Constructed().ContextSpecific()) ||
		!tbs.ReadASN1(&serial, casn1.INTEGER) || !tbs.SkipASN1(casn1.SEQUENCE) {
		return nil, syntax("not a certificate")
	}
	c.Serial = serial
	for _, part := range []*[]byte{&c.RawIssuer, nil, &c.RawSubject, &c.RawPublicKey} {
		if !tbs.ReadASN1Element(&raw, casn1.SEQUENCE) {
			return nil, syntax("not a certificate")
		}
		if part != nil {
			*part = raw
		}
	}
	c.rest = tbs
	c.KeyID = c.keyID()
	c.x509 = sync.OnceValues(func() (*x509.Certificate, error) { return x509.ParseCertificate(der) })
	c.key = sync.OnceValues(func() (crypto.PublicKey, error) { return parsePublicKey(c.RawPublicKey) })
	return c, nil
}

// keyID reads the subjectKeyIdentifier.
func (c *Certificate) keyID() []byte {
	value, _, _ := c.Extension(oidKeyID)
	var id cryptobyte.String
	if in := cryptobyte.String(value); !in.ReadASN1(&id, casn1.OCTET_STRING) {
		return nil
	}
	return id
}

// Extension gives the value of an extension (what its OCTET STRING holds) and
// whether it is critical; ok is false when the certificate has none, or none
// that can be read.
func (c *Certificate) Extension(t OID) (value []byte, critical, ok bool) {
	rest := c.rest
	var explicit, extensions cryptobyte.String
	for i := range 2 { // the unique identifiers
		if !rest.SkipOptionalASN1(casn1.Tag(1 + i).ContextSpecific()) {
			return nil, false, false
		}
	}
	if !rest.ReadASN1(&explicit, casn1.Tag(3).Constructed().ContextSpecific()) || !explicit.ReadASN1(&extensions, casn1.SEQUENCE) {
		return nil, false, false
	}
	for !extensions.Empty() {
		var e, content cryptobyte.String
		if !extensions.ReadASN1(&e, casn1.SEQUENCE) {
			return nil, false, false
		}
		o, valid := ReadOID(&e)
		if !valid {
			return nil, false, false
		}
		if o != t {
			continue
		}
		critical = false
		if e.PeekASN1Tag(casn1.BOOLEAN) && !e.ReadASN1Boolean(&critical) || !e.ReadASN1(&content, casn1.OCTET_STRING) {
			return nil, false, false
		}
		return content, critical, true
	}
	return nil, false, false
}

// X509 gives the certificate as crypto/x509 reads it, once for all callers.
func (c *Certificate) X509() (*x509.Certificate, error) { return c.x509() }

// PublicKey gives the subject's key: *rsa.PublicKey (also of id-RSASSA-PSS),
// *ecdsa.PublicKey, *curve.PublicKey (brainpool), ed25519.PublicKey,
// curve.Ed448Key, or what else crypto/x509 knows.
func (c *Certificate) PublicKey() (crypto.PublicKey, error) { return c.key() }

// parsePublicKey reads a SubjectPublicKeyInfo.
func parsePublicKey(spki []byte) (crypto.PublicKey, error) {
	if pub, err := parsePSSKey(spki); pub != nil || err != nil {
		return pub, err
	}
	if pub, err := curve.ParsePublicKey(spki); pub != nil || err != nil {
		return pub, err
	}
	pub, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("cms: read public key: %w", err)
	}
	return pub, nil
}

// parsePSSKey reads a key restricted to RSASSA-PSS (RFC 4055 1.2), of which
// crypto/x509 knows nothing; nil when it is of another kind.
func parsePSSKey(spki []byte) (crypto.PublicKey, error) {
	s := cryptobyte.String(spki)
	var c cryptobyte.String
	if !s.ReadASN1(&c, casn1.SEQUENCE) {
		return nil, syntax("not a SubjectPublicKeyInfo")
	}
	id, err := ReadAlgorithm(&c)
	if err != nil {
		return nil, syntax("SubjectPublicKeyInfo: %v", err)
	}
	if id.OID != OIDRSAPSS {
		return nil, nil
	}
	var bits, key cryptobyte.String
	n, e := new(big.Int), 0
	if !c.ReadASN1(&bits, casn1.BIT_STRING) || !bits.Skip(1) || !bits.ReadASN1(&key, casn1.SEQUENCE) ||
		!key.ReadASN1Integer(n) || !key.ReadASN1Integer(&e) || n.Sign() <= 0 || e <= 0 {
		return nil, syntax("not an RSA key")
	}
	return &rsa.PublicKey{N: n, E: e}, nil
}

// same reports whether both are the same certificate.
func (c *Certificate) same(o *Certificate) bool { return bytes.Equal(c.Raw, o.Raw) }
