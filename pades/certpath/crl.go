package certpath

import (
	"bytes"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A CRL is a certificate revocation list, RFC 5280 section 5. It is read-only;
// its entries stay in the bytes that it was parsed from, so that a list of a
// million entries costs no more memory than its file.
type CRL struct {
	Raw                []byte
	RawTBS             []byte
	SignatureAlgorithm SignatureAlgorithm
	Signature          []byte
	Issuer             Name
	ThisUpdate         time.Time
	NextUpdate         time.Time // zero when absent
	Extensions         []Extension
	Entries            int // how many

	Number         *big.Int // cRLNumber, nil when absent
	BaseNumber     *big.Int // of deltaCRLIndicator, nil when the list is complete
	AuthorityKeyID []byte
	Distribution   *IssuingDistributionPoint // nil when absent
	FreshestCRL    []DistributionPoint
	ExpiredSince   time.Time // expiredCertsOnCRL: certificates that ended since then stay listed

	entries     cryptobyte.String // contents of revokedCertificates
	algorithm   []byte
	sigErr      error
	unknown     string // first critical extension, also of an entry, that is not processed
	fingerprint [32]byte
	rawIDP      []byte
}

// An IssuingDistributionPoint is the extension of RFC 5280 5.2.5.
type IssuingDistributionPoint struct {
	FullName       []GeneralName
	Relative       []byte
	HasName        bool
	OnlyUser       bool
	OnlyCA         bool
	OnlyAttribute  bool
	Indirect       bool
	OnlySomeReason bool
	Reasons        Reasons // allReasons when OnlySomeReason is not set
}

// An Entry is what a CRL says about one certificate.
type Entry struct {
	RevokedAt      time.Time
	Reason         RevocationReason
	InvalidityDate time.Time
}

// ParseCRL reads one DER CRL; nothing may follow it.
func ParseCRL(der []byte) (*CRL, error) {
	l, err := parseCRL(der)
	if err != nil {
		return nil, fmt.Errorf("parse CRL: %w", err)
	}
	return l, nil
}

func parseCRL(der []byte) (*CRL, error) {
	outer, ok := sequence(der)
	if !ok {
		return nil, malformed("CertificateList")
	}
	l := &CRL{Raw: der}
	var tbs, algorithm cryptobyte.String
	if !outer.ReadASN1Element(&tbs, cbasn1.SEQUENCE) || !outer.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return nil, malformed("CertificateList")
	}
	var bad error
	if l.Signature, ok, bad = readSignature(&outer); !ok || !outer.Empty() {
		return nil, malformed("CertificateList")
	}
	l.RawTBS, l.algorithm = tbs, algorithm
	if l.SignatureAlgorithm, l.sigErr = ParseSignatureAlgorithm(algorithm); bad != nil {
		l.sigErr = bad
	}
	if err := l.parseTBS(tbs); err != nil {
		return nil, err
	}
	l.fingerprint = sum(der)
	return l, nil
}

func (l *CRL) parseTBS(der cryptobyte.String) error {
	s, _ := sequence(der)
	version := 0
	if s.PeekASN1Tag(cbasn1.INTEGER) && (!s.ReadASN1Integer(&version) || version != 1) {
		return malformed("version")
	}
	var inner, name cryptobyte.String
	if !s.ReadASN1Element(&inner, cbasn1.SEQUENCE) || !bytes.Equal(inner, l.algorithm) {
		return malformed("signature algorithm that differs from the signed one")
	}
	if !s.ReadASN1Element(&name, cbasn1.SEQUENCE) {
		return malformed("issuer")
	}
	var err error
	if l.Issuer, err = ParseName(name); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if l.Issuer.Empty() { // RFC 5280 5.1.2.3
		return malformed("issuer without a name")
	}
	var ok bool
	if l.ThisUpdate, ok = readTime(&s); !ok {
		return malformed("thisUpdate")
	}
	if s.PeekASN1Tag(cbasn1.UTCTime) || s.PeekASN1Tag(cbasn1.GeneralizedTime) {
		if l.NextUpdate, ok = readTime(&s); !ok {
			return malformed("nextUpdate")
		}
	}
	if s.PeekASN1Tag(cbasn1.SEQUENCE) && !s.ReadASN1(&l.entries, cbasn1.SEQUENCE) {
		return malformed("revokedCertificates")
	}
	var extensions cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&extensions, &present, explicit(0)) || !s.Empty() {
		return malformed("CRL extensions")
	}
	if present {
		if version != 1 {
			return malformed("extensions in a CRL of version 1")
		}
		if l.Extensions, err = readExtensions(extensions); err != nil {
			return err
		}
		if err := l.parseExtensions(); err != nil {
			return err
		}
	}
	return l.scan()
}

func (l *CRL) parseExtensions() error {
	for _, e := range l.Extensions {
		s := cryptobyte.String(e.Value)
		var err error
		switch e.ID {
		case extCRLNumber:
			l.Number, err = readCRLNumber(s)
		case extDeltaCRLIndicator:
			l.BaseNumber, err = readCRLNumber(s)
		case extAuthorityKeyID:
			l.AuthorityKeyID, err = parseAuthorityKeyID(s)
		case extIssuerAltName:
			_, err = readGeneralNames(s)
		case extIssuingDistPoint:
			l.rawIDP = e.Value
			l.Distribution, err = parseIssuingDistributionPoint(s)
		case extFreshestCRL:
			l.FreshestCRL, err = readDistributionPoints(s)
		case extExpiredCertsOnCRL:
			if !s.ReadASN1GeneralizedTime(&l.ExpiredSince) || !s.Empty() {
				err = malformed("expiredCertsOnCRL")
			}
		default:
			if e.Critical && l.unknown == "" {
				l.unknown = e.ID
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readCRLNumber(s cryptobyte.String) (*big.Int, error) {
	n := new(big.Int)
	if !s.ReadASN1Integer(n) || !s.Empty() || n.Sign() < 0 || n.BitLen() > 1024 {
		return nil, malformed("number of a CRL")
	}
	return n, nil
}

func parseIssuingDistributionPoint(s cryptobyte.String) (*IssuingDistributionPoint, error) {
	var seq, c cryptobyte.String
	d := &IssuingDistributionPoint{Reasons: allReasons}
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || !seq.ReadOptionalASN1(&c, &d.HasName, explicit(0)) {
		return nil, malformed("issuingDistributionPoint")
	}
	var err error
	if d.HasName {
		if d.FullName, d.Relative, err = readDistributionPointName(c); err != nil {
			return nil, err
		}
	}
	var ok [4]bool
	d.OnlyUser, ok[0] = readFlag(&seq, 1)
	d.OnlyCA, ok[1] = readFlag(&seq, 2)
	if !seq.ReadOptionalASN1(&c, &d.OnlySomeReason, implicit(3)) {
		return nil, malformed("onlySomeReasons")
	}
	if d.OnlySomeReason {
		mask, ok := readBits(c)
		if !ok {
			return nil, malformed("onlySomeReasons")
		}
		d.Reasons = Reasons(mask) & allReasons
	}
	d.Indirect, ok[2] = readFlag(&seq, 4)
	d.OnlyAttribute, ok[3] = readFlag(&seq, 5)
	if ok != [4]bool{true, true, true, true} || !seq.Empty() {
		return nil, malformed("issuingDistributionPoint")
	}
	return d, nil
}

// entry is one element of revokedCertificates, not looked into further.
type entry struct {
	serial     []byte
	time       cryptobyte.String
	extensions cryptobyte.String // the element, empty when absent
}

func nextEntry(s *cryptobyte.String) (e entry, ok bool) {
	var seq, serial, t cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&serial, cbasn1.INTEGER) || len(serial) == 0 || !seq.ReadAnyASN1Element(&t, &tag) {
		return e, false
	}
	return entry{serial, t, seq}, tag == cbasn1.UTCTime || tag == cbasn1.GeneralizedTime
}

// scan looks at the form of every entry, so that a later look-up cannot meet
// what it does not understand: a critical extension that is not processed
// makes the whole list unusable (RFC 5280 5.3).
func (l *CRL) scan() error {
	for s := l.entries; !s.Empty(); l.Entries++ {
		e, ok := nextEntry(&s)
		if !ok {
			return malformed("entry of a CRL")
		}
		if e.extensions.Empty() {
			continue
		}
		list, err := readExtensions(e.extensions)
		if err != nil {
			return err
		}
		for _, x := range list {
			v := cryptobyte.String(x.Value)
			switch x.ID {
			case extReasonCode, extInvalidityDate:
			case extCertificateIssuer:
				if _, err := readGeneralNames(v); err != nil {
					return err
				}
				if l.Distribution == nil || !l.Distribution.Indirect {
					return malformed("certificateIssuer in a CRL that is not indirect")
				}
			default:
				if x.Critical && l.unknown == "" {
					l.unknown = x.ID
				}
			}
		}
	}
	return nil
}

// Lookup gives the entry of the certificate with the serial number (contents of
// the INTEGER) by issuer. An error means that the entry is there and cannot be
// read.
func (l *CRL) Lookup(serial []byte, issuer Name) (Entry, bool, error) {
	// What is not in the bytes is not in an entry; finding that out is many
	// times faster than reading the entries.
	if len(serial) < 0x80 && !bytes.Contains(l.entries, append([]byte{0x02, byte(len(serial))}, serial...)) {
		return Entry{}, false, nil
	}
	// Entries follow the certificateIssuer of those before them, RFC 5280 5.3.3.
	ours := l.Issuer.Equal(issuer)
	for s := l.entries; !s.Empty(); {
		e, ok := nextEntry(&s)
		if !ok {
			return Entry{}, false, malformed("entry of a CRL")
		}
		var list []Extension
		match := bytes.Equal(e.serial, serial)
		if !e.extensions.Empty() && (match || l.Distribution != nil && l.Distribution.Indirect) {
			var err error
			if list, err = readExtensions(e.extensions); err != nil {
				return Entry{}, false, err
			}
			for _, x := range list {
				if x.ID == extCertificateIssuer {
					names, err := readGeneralNames(x.Value)
					if err != nil {
						return Entry{}, false, err
					}
					ours = hasDirectory(names, issuer)
				}
			}
		}
		if match && ours {
			out, err := readEntry(e, list)
			return out, err == nil, err
		}
	}
	return Entry{}, false, nil
}

func readEntry(e entry, list []Extension) (Entry, error) {
	var out Entry
	var ok bool
	if out.RevokedAt, ok = readTime(&e.time); !ok {
		return out, malformed("revocationDate")
	}
	for _, x := range list {
		s := cryptobyte.String(x.Value)
		switch x.ID {
		case extReasonCode:
			var n int
			if !s.ReadASN1Enum(&n) || !s.Empty() {
				return out, malformed("reasonCode")
			}
			out.Reason = RevocationReason(n)
		case extInvalidityDate:
			if !s.ReadASN1GeneralizedTime(&out.InvalidityDate) || !s.Empty() {
				return out, malformed("invalidityDate")
			}
		}
	}
	return out, nil
}
