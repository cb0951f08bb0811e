package certpath

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxList bounds what one extension may list: names, policies, mappings,
// subtrees, distribution points.
const maxList = 1024

func (c *Certificate) parseExtensions() error {
	for _, e := range c.Extensions {
		known, err := c.parseExtension(e)
		if err != nil {
			return err
		}
		if !known && e.Critical && c.unknown == "" {
			c.unknown = e.ID
		}
	}
	return nil
}

// parseExtension reports whether the extension is one that the package
// processes; only those may be critical.
func (c *Certificate) parseExtension(e Extension) (bool, error) {
	s := cryptobyte.String(e.Value)
	var err error
	switch e.ID {
	case extBasicConstraints:
		err = c.parseBasicConstraints(s)
	case extKeyUsage:
		var bits cryptobyte.String
		mask, ok := uint16(0), s.ReadASN1(&bits, cbasn1.BIT_STRING) && s.Empty()
		if ok {
			mask, ok = readBits(bits)
		}
		if !ok {
			return true, malformed("keyUsage")
		}
		c.KeyUsage, c.HasKeyUsage = KeyUsage(mask), true
	case extExtKeyUsage:
		c.ExtKeyUsage, err = readOIDs(s, "extKeyUsage")
	case extSubjectKeyID:
		var id cryptobyte.String
		if !s.ReadASN1(&id, cbasn1.OCTET_STRING) || !s.Empty() {
			return true, malformed("subjectKeyIdentifier")
		}
		c.SubjectKeyID = id
	case extAuthorityKeyID:
		c.AuthorityKeyID, err = parseAuthorityKeyID(s)
	case extSubjectAltName:
		// Without a name it says nothing, which is not allowed but in use.
		if !bytes.Equal(s, []byte{0x30, 0}) {
			c.AltNames, err = readGeneralNames(s)
		}
	case extIssuerAltName:
		_, err = readGeneralNames(s)
	case extNameConstraints:
		c.NameConstraints, err = parseNameConstraints(s)
	case extCertificatePolicies:
		c.Policies, err = parsePolicies(s)
	case extPolicyMappings:
		c.PolicyMappings, err = parsePolicyMappings(s)
	case extPolicyConstraints:
		err = c.parsePolicyConstraints(s)
	case extInhibitAnyPolicy:
		var n cryptobyte.String
		ok := s.ReadASN1(&n, cbasn1.INTEGER) && s.Empty()
		if ok {
			c.InhibitAnyPolicy, ok = countOf(n)
		}
		if !ok {
			return true, malformed("inhibitAnyPolicy")
		}
	case extCRLDistributionPoint:
		c.DistributionPoints, err = readDistributionPoints(s)
	case extFreshestCRL:
		c.FreshestCRL, err = readDistributionPoints(s)
	case extAuthorityInfoAccess:
		err = c.parseAuthorityInfoAccess(s)
	case extOCSPNoCheck:
		c.OCSPNoCheck = true
	case extNoRevAvail, extETSIShortTerm:
		c.NoRevocation = true
	default:
		return false, nil
	}
	return true, err
}

func (c *Certificate) parseBasicConstraints(s cryptobyte.String) error {
	var seq cryptobyte.String
	b := &BasicConstraints{PathLen: -1}
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return malformed("basicConstraints")
	}
	if seq.PeekASN1Tag(cbasn1.BOOLEAN) && !seq.ReadASN1Boolean(&b.CA) {
		return malformed("basicConstraints")
	}
	var ok bool
	if b.PathLen, ok = readCount(&seq, cbasn1.INTEGER); !ok || !seq.Empty() {
		return malformed("pathLenConstraint")
	}
	c.BasicConstraints = b
	return nil
}

func parseAuthorityKeyID(s cryptobyte.String) ([]byte, error) {
	var seq, id cryptobyte.String
	var present bool
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || !seq.ReadOptionalASN1(&id, &present, implicit(0)) ||
		!seq.SkipOptionalASN1(explicit(1)) || !seq.SkipOptionalASN1(implicit(2)) || !seq.Empty() {
		return nil, malformed("authorityKeyIdentifier")
	}
	return id, nil
}

func readOIDs(s cryptobyte.String, what string) ([]OID, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed(what)
	}
	var out []OID
	for !seq.Empty() {
		o, err := readDotted(&seq, what)
		if err != nil {
			return nil, err
		}
		if len(out) == maxList {
			return nil, malformed("length of " + what)
		}
		out = append(out, o)
	}
	return out, nil
}

func readDotted(s *cryptobyte.String, what string) (OID, error) {
	id, ok := readOID(s)
	if !ok {
		return "", malformed(what)
	}
	o, err := dotted(id)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", what, errMalformed, err)
	}
	return o, nil
}

// parsePolicies reads certificatePolicies; a policy may occur once only (RFC
// 5280 4.2.1.4). Qualifiers are for people and not kept.
func parsePolicies(s cryptobyte.String) ([]OID, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed("certificatePolicies")
	}
	out := []OID{}
	seen := map[OID]bool{}
	for !seq.Empty() {
		var one cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) {
			return nil, malformed("certificatePolicies")
		}
		o, err := readDotted(&one, "policy")
		if err != nil {
			return nil, err
		}
		if !one.SkipOptionalASN1(cbasn1.SEQUENCE) || !one.Empty() {
			return nil, malformed("policy qualifiers")
		}
		if seen[o] || len(out) == maxList {
			return nil, malformed("certificatePolicies that repeat or are too many")
		}
		seen[o] = true
		out = append(out, o)
	}
	return out, nil
}

func parsePolicyMappings(s cryptobyte.String) ([]PolicyMapping, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed("policyMappings")
	}
	var out []PolicyMapping
	for !seq.Empty() {
		var one cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) {
			return nil, malformed("policyMappings")
		}
		from, err := readDotted(&one, "issuerDomainPolicy")
		if err != nil {
			return nil, err
		}
		to, err := readDotted(&one, "subjectDomainPolicy")
		if err != nil {
			return nil, err
		}
		if !one.Empty() || len(out) == maxList {
			return nil, malformed("policyMappings")
		}
		out = append(out, PolicyMapping{from, to})
	}
	return out, nil
}

func (c *Certificate) parsePolicyConstraints(s cryptobyte.String) error {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return malformed("policyConstraints")
	}
	var ok1, ok2 bool
	c.RequireExplicit, ok1 = readCount(&seq, implicit(0))
	if ok1 {
		c.InhibitMapping, ok2 = readCount(&seq, implicit(1))
	}
	if !ok1 || !ok2 || !seq.Empty() || c.RequireExplicit < 0 && c.InhibitMapping < 0 {
		return malformed("policyConstraints")
	}
	return nil
}

func (c *Certificate) parseAuthorityInfoAccess(s cryptobyte.String) error {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return malformed("authorityInfoAccess")
	}
	for n := 0; !seq.Empty(); n++ {
		var one cryptobyte.String
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || n == maxList {
			return malformed("authorityInfoAccess")
		}
		method, ok := readOID(&one)
		if !ok {
			return malformed("accessMethod")
		}
		name, err := readGeneralName(&one)
		if err != nil {
			return err
		}
		if !one.Empty() {
			return malformed("accessDescription")
		}
		if name.Kind != NameURI {
			continue
		}
		switch method {
		case accessOCSP:
			c.OCSPServers = append(c.OCSPServers, name.Text)
		case accessCAIssuers:
			c.CAIssuers = append(c.CAIssuers, name.Text)
		}
	}
	return nil
}

// Reasons is a set of bits of ReasonFlags, RFC 5280 4.2.1.13; bit i being
// named bit i.
type Reasons uint16

// allReasons has bits 1 (keyCompromise) to 8 (aACompromise).
const allReasons Reasons = 0x1fe

// A DistributionPoint is one entry of cRLDistributionPoints or freshestCRL, RFC
// 5280 4.2.1.13.
type DistributionPoint struct {
	FullName  []GeneralName
	Relative  []byte  // contents of nameRelativeToCRLIssuer, a SET; nil when absent
	HasName   bool    // distributionPoint is present
	Reasons   Reasons // allReasons when absent
	CRLIssuer []GeneralName
}

// URIs lists the addresses among FullName.
func (d DistributionPoint) URIs() []string {
	var out []string
	for _, n := range d.FullName {
		if n.Kind == NameURI {
			out = append(out, n.Text)
		}
	}
	return out
}

func readDistributionPoints(s cryptobyte.String) ([]DistributionPoint, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed("cRLDistributionPoints")
	}
	var out []DistributionPoint
	for !seq.Empty() {
		var one, c cryptobyte.String
		var present bool
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) || len(out) == maxList {
			return nil, malformed("distribution point")
		}
		d := DistributionPoint{Reasons: allReasons}
		var err error
		if !one.ReadOptionalASN1(&c, &d.HasName, explicit(0)) {
			return nil, malformed("distribution point")
		}
		if d.HasName {
			if d.FullName, d.Relative, err = readDistributionPointName(c); err != nil {
				return nil, err
			}
		}
		if !one.ReadOptionalASN1(&c, &present, implicit(1)) {
			return nil, malformed("reasons of a distribution point")
		}
		if present {
			mask, ok := readBits(c)
			if !ok {
				return nil, malformed("reasons of a distribution point")
			}
			d.Reasons = Reasons(mask) & allReasons
		}
		if !one.ReadOptionalASN1(&c, &present, explicit(2)) || !one.Empty() {
			return nil, malformed("distribution point")
		}
		if present {
			if d.CRLIssuer, err = readGeneralNameList(c); err != nil {
				return nil, err
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// readDistributionPointName reads the CHOICE DistributionPointName.
func readDistributionPointName(s cryptobyte.String) (full []GeneralName, relative []byte, err error) {
	var c cryptobyte.String
	switch {
	case s.PeekASN1Tag(explicit(0)) && s.ReadASN1(&c, explicit(0)) && s.Empty():
		full, err = readGeneralNameList(c)
		return full, nil, err
	case s.PeekASN1Tag(explicit(1)) && s.ReadASN1(&c, explicit(1)) && s.Empty() && !c.Empty():
		return nil, c, nil
	}
	return nil, nil, malformed("distributionPointName")
}

// relativeName appends the RDN, whose SET has the contents relative, to base.
func relativeName(base Name, relative []byte) (Name, error) {
	seq, ok := sequence(base.Raw)
	if !ok {
		return Name{}, malformed("name")
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(seq)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(relative) })
	})
	der, err := b.Bytes()
	if err != nil {
		return Name{}, fmt.Errorf("build the name of a distribution point: %w", err)
	}
	return ParseName(der)
}
