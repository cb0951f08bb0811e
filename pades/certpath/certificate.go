package certpath

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxCertificate is the size above which a certificate is not read, bytes.
const MaxCertificate = 64 << 10

// A Certificate is an X.509 certificate as RFC 5280 allows it, which is more
// than crypto/x509 reads: serial numbers may be negative or long, keys may be
// of kinds that cannot be verified with. It is read-only and refers to the
// bytes that it was parsed from.
type Certificate struct {
	Raw        []byte // DER of the whole
	RawTBS     []byte // DER of the TBSCertificate
	RawSPKI    []byte // DER of the SubjectPublicKeyInfo
	KeyBits    []byte // contents of subjectPublicKey without the count of unused bits: what key identifiers hash
	Version    int    // 1, 2 or 3
	Serial     *big.Int
	RawSerial  []byte // contents of the INTEGER
	Issuer     Name
	Subject    Name
	NotBefore  time.Time
	NotAfter   time.Time
	Extensions []Extension

	PublicKey          crypto.PublicKey // nil when of an unsupported kind
	SignatureAlgorithm SignatureAlgorithm
	Signature          []byte

	BasicConstraints   *BasicConstraints
	KeyUsage           KeyUsage // 0 when the extension is absent
	HasKeyUsage        bool
	ExtKeyUsage        []OID
	SubjectKeyID       []byte
	AuthorityKeyID     []byte
	AltNames           []GeneralName
	NameConstraints    *NameConstraints
	Policies           []OID // nil when the extension is absent
	PolicyMappings     []PolicyMapping
	RequireExplicit    int // requireExplicitPolicy, -1 when absent
	InhibitMapping     int // inhibitPolicyMapping, -1 when absent
	InhibitAnyPolicy   int // -1 when absent
	DistributionPoints []DistributionPoint
	FreshestCRL        []DistributionPoint
	OCSPServers        []string // URIs of authorityInfoAccess
	CAIssuers          []string
	OCSPNoCheck        bool // id-pkix-ocsp-nocheck, RFC 6960 4.2.2.2.1
	NoRevocation       bool // noRevAvail (RFC 9608) or validity-assured-short-term (EN 319 412-1)

	fingerprint [32]byte // SHA-256 of Raw
	keyHash     [32]byte // SHA-256 of RawSPKI
	algorithm   []byte   // DER of signatureAlgorithm
	keyErr      error    // why PublicKey is nil
	sigErr      error    // why SignatureAlgorithm is zero
	unknown     string   // first critical extension that is not processed
}

// BasicConstraints is the extension of RFC 5280 4.2.1.9. PathLen is -1 when
// absent.
type BasicConstraints struct {
	CA      bool
	PathLen int
}

// KeyUsage is a set of bits of RFC 5280 4.2.1.3, bit i being named bit i.
type KeyUsage uint16

// The bits of KeyUsage.
const (
	DigitalSignature  KeyUsage = 1 << iota
	ContentCommitment          // nonRepudiation
	KeyEncipherment
	DataEncipherment
	KeyAgreement
	KeyCertSign
	CRLSign
	EncipherOnly
	DecipherOnly
)

// A PolicyMapping is one pair of RFC 5280 4.2.1.5.
type PolicyMapping struct{ IssuerDomain, SubjectDomain OID }

// ParseCertificate reads one DER certificate; nothing may follow it.
func ParseCertificate(der []byte) (*Certificate, error) {
	c, err := parseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return c, nil
}

// FromX509 reads the certificate that c holds again, by this package's rules.
func FromX509(c *x509.Certificate) (*Certificate, error) { return ParseCertificate(c.Raw) }

// X509 gives the certificate as crypto/x509 reads it, which may refuse it.
func (c *Certificate) X509() (*x509.Certificate, error) { return x509.ParseCertificate(c.Raw) }

// Equal reports whether both are the same bytes.
func (c *Certificate) Equal(o *Certificate) bool { return c == o || bytes.Equal(c.Raw, o.Raw) }

// IsCA reports whether basicConstraints say cA.
func (c *Certificate) IsCA() bool { return c.BasicConstraints != nil && c.BasicConstraints.CA }

// SelfIssued reports whether issuer and subject are the same name.
func (c *Certificate) SelfIssued() bool { return c.Issuer.Equal(c.Subject) }

// HasExtKeyUsage reports whether the extension lists id itself.
func (c *Certificate) HasExtKeyUsage(id OID) bool {
	for _, e := range c.ExtKeyUsage {
		if e == id {
			return true
		}
	}
	return false
}

// ValidAt reports whether t is in the validity period, both ends included.
func (c *Certificate) ValidAt(t time.Time) bool {
	return !t.Before(c.NotBefore) && !t.After(c.NotAfter)
}

func parseCertificate(der []byte) (*Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, fmt.Errorf("%d bytes: %w", len(der), errMalformed)
	}
	outer, ok := sequence(der)
	if !ok {
		return nil, malformed("certificate")
	}
	c := &Certificate{Raw: der, RequireExplicit: -1, InhibitMapping: -1, InhibitAnyPolicy: -1}
	var tbs, algorithm cryptobyte.String
	if !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return nil, malformed("certificate")
	}
	var bad error
	if c.Signature, ok, bad = readSignature(&outer); !ok || !outer.Empty() {
		return nil, malformed("certificate")
	}
	c.RawTBS, c.algorithm = tbs, algorithm
	if c.SignatureAlgorithm, c.sigErr = ParseSignatureAlgorithm(algorithm); bad != nil {
		c.sigErr = bad
	}
	if err := c.parseTBS(tbs); err != nil {
		return nil, err
	}
	c.PublicKey, c.KeyBits, c.keyErr = parsePublicKey(c.RawSPKI)
	c.fingerprint, c.keyHash = sha256.Sum256(der), sha256.Sum256(c.RawSPKI)
	return c, nil
}

func (c *Certificate) parseTBS(der cryptobyte.String) error {
	s, _ := sequence(der)
	var version, inner, validity, name cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&version, &present, explicit(0)) {
		return malformed("version")
	}
	if present && (!version.ReadASN1Integer(&c.Version) || !version.Empty() || c.Version < 0 || c.Version > 2) {
		return malformed("version")
	}
	c.Version++
	serial := s
	c.Serial = new(big.Int)
	if !s.ReadASN1Integer(c.Serial) || !serial.ReadASN1((*cryptobyte.String)(&c.RawSerial), cbasn1.INTEGER) {
		return malformed("serial number")
	}
	if !s.ReadASN1Element(&inner, cbasn1.SEQUENCE) {
		return malformed("signature algorithm")
	}
	if !bytes.Equal(inner, c.algorithm) { // RFC 5280 4.1.1.2
		return malformed("signature algorithm that differs from the signed one")
	}
	var err error
	if !s.ReadASN1Element(&name, cbasn1.SEQUENCE) {
		return malformed("issuer")
	}
	if c.Issuer, err = ParseName(name); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	var ok1, ok2 bool
	if !s.ReadASN1(&validity, cbasn1.SEQUENCE) {
		return malformed("validity")
	}
	c.NotBefore, ok1 = readTime(&validity)
	c.NotAfter, ok2 = readTime(&validity)
	if !ok1 || !ok2 || !validity.Empty() {
		return malformed("validity")
	}
	if !s.ReadASN1Element(&name, cbasn1.SEQUENCE) {
		return malformed("subject")
	}
	if c.Subject, err = ParseName(name); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if !s.ReadASN1Element((*cryptobyte.String)(&c.RawSPKI), cbasn1.SEQUENCE) {
		return malformed("public key")
	}
	if !s.SkipOptionalASN1(implicit(1)) || !s.SkipOptionalASN1(implicit(2)) {
		return malformed("unique identifier")
	}
	var extensions cryptobyte.String
	if !s.ReadOptionalASN1(&extensions, &present, explicit(3)) || !s.Empty() {
		return malformed("extensions")
	}
	if !present {
		return nil
	}
	if c.Version != 3 {
		return malformed("extensions in a certificate that is not of version 3")
	}
	if c.Extensions, err = readExtensions(extensions); err != nil {
		return err
	}
	return c.parseExtensions()
}

// pssOnly reports whether the key is an RSA key for RSASSA-PSS only.
func (c *Certificate) pssOnly() bool {
	return bytes.Contains(c.RawSPKI[:min(len(c.RawSPKI), 32)], []byte(oidPSS))
}
