package cms

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Level is one of the levels of PAdES baseline signatures (EN 319 142-1 6.1).
type Level int

// The levels.
const (
	LevelBB Level = iota
	LevelBT
	LevelBLT
	LevelBLTA
)

func (l Level) String() string { return [...]string{"B-B", "B-T", "B-LT", "B-LTA"}[l] }

// Breach is a rule that a SignedData does not keep.
type Breach struct {
	Clause string // of the standard, for instance "EN 319 142-1 6.3 (c)"
	Text   string
	// Encoding says that the octets are others than those of DER, and say the same:
	// lengths, the order of certificates, a default that is written.
	Encoding bool
}

func (b Breach) String() string { return b.Clause + ": " + b.Text }

// forbidden lists the attributes that a PAdES signature must not have, signed or
// not, and what it has in their place.
var forbidden = []struct {
	oid          OID
	name, clause string
}{
	{OIDSigningTime, "signing-time (the dictionary's /M says it)", "EN 319 142-1 6.3"},
	{OIDSignerLocation, "signer-location (the dictionary's /Location says it)", "EN 319 142-1 6.3"},
	{OIDContentHints, "content-hints", "EN 319 142-1 5.3"},
	{OIDContentIdentifier, "content-identifier", "EN 319 142-1 5.3"},
	{OIDContentReference, "content-reference", "EN 319 142-1 5.3"},
	{OIDMimeType, "mime-type", "EN 319 142-1 5.3"},
	{OIDCountersignature, "countersignature", "EN 319 142-1 5.3"},
	{OIDCertificateValues, "certificate-values (the DSS holds them)", "EN 319 142-1 5.4"},
	{OIDRevocationValues, "revocation-values (the DSS holds them)", "EN 319 142-1 5.4"},
	{OIDRevocationInfoArchival, "adbe-revocationInfoArchival (the DSS holds it)", "EN 319 142-1 5.4"},
	{OIDArchiveTimestampV2, "archive-time-stamp (a document timestamp stands for it)", "EN 319 142-1 5.4.3"},
	{OIDArchiveTimestampV3, "archive-time-stamp-v3 (a document timestamp stands for it)", "EN 319 142-1 5.4.3"},
}

type checker struct {
	sd       *SignedData
	breaches []Breach
}

func (c *checker) breach(clause, format string, args ...any) {
	c.breaches = append(c.breaches, Breach{Clause: clause, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) recoded(clause, text string) {
	c.breaches = append(c.breaches, Breach{Clause: clause, Text: text, Encoding: true})
}

// Conformance lists the rules of EN 319 142-1 6.3 about the CMS of a signature of
// level l that sd does not keep; none: it conforms. What the levels demand of the
// document (dictionary, DSS, document timestamps) is not in the CMS. timestamped
// says that a document timestamp stands in for signature-time-stamp from B-T on.
func Conformance(sd *SignedData, l Level, timestamped bool) []Breach {
	c := &checker{sd: sd}
	c.encoding()
	if sd.Encapsulated {
		c.breach("ISO 32000-2 12.8.3.3", "content is enclosed")
	}
	if sd.ContentType != OIDData {
		c.breach("EN 319 142-1 6.3 (c)", "content of type %s, not id-data", sd.ContentType)
	}
	if len(sd.Signers) != 1 {
		c.breach("EN 319 142-1 5.2", "%d signers, not one", len(sd.Signers))
		return c.breaches
	}
	si := sd.Signers[0]
	c.algorithms(si)
	c.certificates(si)
	c.mandatory(si)
	for _, f := range forbidden {
		if has(si.Signed, f.oid) || has(si.Unsigned, f.oid) {
			c.breach(f.clause, "attribute %s", f.name)
		}
	}
	c.timestamps(si, l, timestamped)
	return c.breaches
}

func has(attributes []Attribute, t OID) bool {
	return slices.ContainsFunc(attributes, func(a Attribute) bool { return a.Type == t })
}

// encoding demands DER, with the sets in their order.
func (c *checker) encoding() {
	const clause = "EN 319 142-1 5.1"
	if c.sd.BER {
		c.recoded(clause, "BER, not DER")
	} else if err := checkDER(c.sd.Raw); err != nil {
		c.breach(clause, "not DER: %v", err)
	}
	for _, si := range c.sd.Signers {
		if !sortedSet(rawAttributes(si.Signed)) {
			c.breach(clause, "signed attributes are not in the order of DER")
		}
		if !sortedSet(rawAttributes(si.Unsigned)) {
			c.recoded(clause, "unsigned attributes are not in the order of DER")
		}
		for _, a := range slices.Concat(si.Signed, si.Unsigned) {
			if !sortedSet(a.Values) {
				c.breach(clause, "values of attribute %s are not in the order of DER", a.Type)
			}
		}
	}
	var certs [][]byte
	for _, cert := range c.sd.Certificates {
		certs = append(certs, cert.Raw)
	}
	if !sortedSet(certs) {
		c.recoded(clause, "certificates are not in the order of DER")
	}
	for _, n := range c.sd.Notes {
		if n.Kind == NoteTrailing {
			c.breach("ISO 32000-2 12.8.3.3", "%s", n.Text)
		}
	}
}

func (c *checker) algorithms(si *SignerInfo) {
	const clause = "EN 319 142-1 6.2.2"
	h, err := si.Hash()
	if err != nil {
		c.breach(clause, "digest algorithm %s", si.DigestAlgorithm.OID)
		return
	}
	switch h {
	case crypto.MD5, crypto.SHA1:
		c.breach(clause, "digest algorithm %v", h)
	}
	if !slices.ContainsFunc(c.sd.DigestAlgorithms, func(a AlgorithmIdentifier) bool { return a.OID == si.DigestAlgorithm.OID }) {
		c.breach("RFC 5652 5.1", "digestAlgorithms lacks the signer's %v", h)
	}
	s, err := si.SignatureAlgorithm.Signature()
	if err != nil {
		c.breach(clause, "signature algorithm: %v", err)
	} else if si.SignatureAlgorithm.needless() {
		c.breach("RFC 8419 3", "signature algorithm %s with parameters", si.SignatureAlgorithm.OID)
	} else if s.Hash != 0 && s.Hash != h {
		c.breach("RFC 5754 3", "digest %v with a signature algorithm over %v", h, s.Hash)
	}
}

// certificates demands the signer's, identified as RFC 5652 says.
func (c *checker) certificates(si *SignerInfo) {
	if si.KeyID != nil || si.Version != 1 {
		c.breach("EN 319 122-1 4.4", "the signer is not identified by issuer and serial number")
		return
	}
	if !slices.ContainsFunc(c.sd.Certificates, func(o *Certificate) bool {
		return bytes.Equal(o.RawIssuer, si.Issuer) && bytes.Equal(o.Serial, si.Serial)
	}) {
		c.breach("EN 319 142-1 6.3 (a)", "the signer's certificate is not in SignedData.certificates")
	}
}

func (c *checker) mandatory(si *SignerInfo) {
	const clause = "EN 319 142-1 6.3"
	if value, ok := si.SignedValue(OIDContentType); !ok {
		c.breach(clause, "content-type does not occur once with one value")
	} else if !bytes.Equal(value, appendTLV(nil, tagOID, OIDData)) {
		c.breach(clause+" (c)", "content-type is not id-data")
	}
	if _, ok := si.SignedValue(OIDMessageDigest); !ok {
		c.breach(clause, "message-digest does not occur once with one value")
	}
	if has(si.Signed, OIDSigningCertificate) {
		c.breach(clause+" (e)", "signing-certificate, whose digest is SHA-1; version 2 goes with all others")
	}
	value, ok := si.SignedValue(OIDSigningCertificateV2)
	if !ok {
		c.breach(clause+" (f)", "signing-certificate-v2 does not occur once with one value")
		return
	}
	if _, err := parseReferences(value, true); err != nil {
		c.breach("RFC 5035 3", "%v", err)
		return
	}
	c.defaultHash(value)
}

// defaultHash demands that hashAlgorithm is left out where it is SHA-256, the
// DEFAULT (X.690 11.5).
func (c *checker) defaultHash(value cryptobyte.String) {
	var s, certs, id cryptobyte.String
	if !value.ReadASN1(&s, casn1.SEQUENCE) || !s.ReadASN1(&certs, casn1.SEQUENCE) {
		return
	}
	for certs.ReadASN1(&id, casn1.SEQUENCE) {
		if a, err := ReadAlgorithm(&id); err == nil && a.OID == OIDSHA256 {
			c.recoded("RFC 5035 4", "hashAlgorithm is written though it is the default")
		}
	}
}

func (c *checker) timestamps(si *SignerInfo, l Level, timestamped bool) {
	tokens := si.SignatureTimestamps()
	if l >= LevelBT && len(tokens) == 0 && !timestamped {
		c.breach("EN 319 142-1 6.3", "level %v without signature-time-stamp or document timestamp", l)
	}
	for i, token := range tokens {
		t, err := Parse(token)
		switch {
		case err != nil:
			c.breach("EN 319 122-1 5.3", "signature-time-stamp %d: %v", i, err)
		case t.ContentType != OIDTSTInfo || len(t.Trailing) > 0:
			c.breach("EN 319 122-1 5.3", "signature-time-stamp %d is not a timestamp token", i)
		}
	}
}
