package cms

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SignedData is RFC 5652 5.1 as it was read. All slices share memory with Raw.
type SignedData struct {
	Raw              []byte // DER of the ContentInfo; re-encoded when it came as BER
	BER              bool   // it came as BER: lengths or strings were not those of DER
	Version          int
	DigestAlgorithms []AlgorithmIdentifier
	ContentType      OID
	Encapsulated     bool   // eContent is present, maybe empty
	Content          []byte // eContent
	Certificates     []*Certificate
	CRLs             [][]byte // DER of each CertificateList
	OCSPs            [][]byte // DER of each OCSPResponse (RFC 5940)
	Signers          []*SignerInfo
	Trailing         []byte // octets behind the ContentInfo; zeros are usual in /Contents
	Notes            []Note
}

// SignerInfo is RFC 5652 5.3 as it was read.
type SignerInfo struct {
	Version            int
	Issuer             []byte // DER of the issuer's Name; nil when KeyID identifies the signer
	Serial             []byte // content octets of the INTEGER
	KeyID              []byte // subjectKeyIdentifier
	DigestAlgorithm    AlgorithmIdentifier
	Signed             []Attribute
	SignedRaw          []byte // SET OF signed attributes as it was read, nil when there are none
	SignatureAlgorithm AlgorithmIdentifier
	Signature          []byte
	Unsigned           []Attribute
}

// Parse reads the ContentInfo with SignedData at the start of b. BER is read as
// well as DER. Errors are *SyntaxError or *LimitError.
func Parse(b []byte) (*SignedData, error) {
	if len(b) > maxSize {
		return nil, &LimitError{"octets", maxSize}
	}
	in := cryptobyte.String(b)
	var element cryptobyte.String
	if in.ReadASN1Element(&element, casn1.SEQUENCE) {
		if sd, err := parseContentInfo(element); err == nil {
			sd.trailing(in)
			return sd, nil
		}
	}
	der, taken, err := normalise(b)
	if err != nil {
		return nil, err
	}
	sd, err := parseContentInfo(der)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(der, b[:taken]) {
		sd.BER = true
		sd.note(NoteBER, "the SignedData is BER, not DER")
	}
	sd.trailing(b[taken:])
	return sd, nil
}

func (sd *SignedData) note(k NoteKind, format string, args ...any) {
	sd.Notes = append(sd.Notes, Note{k, fmt.Sprintf(format, args...)})
}

func (sd *SignedData) trailing(rest []byte) {
	sd.Trailing = rest
	for i, c := range rest {
		if c != 0 {
			sd.note(NoteTrailing, "%d octets behind the SignedData, not all zero (the first at %d)", len(rest), i)
			return
		}
	}
}

func parseContentInfo(der []byte) (*SignedData, error) {
	in := cryptobyte.String(der)
	var info, explicit, body cryptobyte.String
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !in.Empty() {
		return nil, syntax("not a ContentInfo")
	}
	t, ok := ReadOID(&info)
	if !ok {
		return nil, syntax("ContentInfo without a content type")
	}
	if t != OIDSignedData {
		return nil, syntax("content type %s is not SignedData", t)
	}
	if !info.ReadASN1(&explicit, casn1.Tag(0).Constructed().ContextSpecific()) || !info.Empty() ||
		!explicit.ReadASN1(&body, casn1.SEQUENCE) || !explicit.Empty() {
		return nil, syntax("ContentInfo without SignedData")
	}
	sd := &SignedData{Raw: der}
	if err := sd.parse(body); err != nil {
		return nil, err
	}
	return sd, nil
}

func (sd *SignedData) parse(s cryptobyte.String) error {
	var digests, encap, set cryptobyte.String
	var present bool
	if !s.ReadASN1Integer(&sd.Version) || !s.ReadASN1(&digests, casn1.SET) || !s.ReadASN1(&encap, casn1.SEQUENCE) {
		return syntax("malformed SignedData")
	}
	for !digests.Empty() {
		a, err := ReadAlgorithm(&digests)
		if err != nil {
			return syntax("digestAlgorithms: %v", err)
		}
		if len(sd.DigestAlgorithms) == maxSigners {
			return &LimitError{"digest algorithms", maxSigners}
		}
		sd.DigestAlgorithms = append(sd.DigestAlgorithms, a)
	}
	if err := sd.parseContent(encap); err != nil {
		return err
	}
	if !s.ReadOptionalASN1(&set, &present, casn1.Tag(0).Constructed().ContextSpecific()) {
		return syntax("malformed certificates")
	}
	if err := sd.parseCertificates(set); err != nil {
		return err
	}
	if !s.ReadOptionalASN1(&set, &present, casn1.Tag(1).Constructed().ContextSpecific()) {
		return syntax("malformed crls")
	}
	if present {
		if err := sd.parseRevocation(set); err != nil {
			return err
		}
	}
	if !s.ReadASN1(&set, casn1.SET) || !s.Empty() {
		return syntax("malformed signerInfos")
	}
	for !set.Empty() {
		if len(sd.Signers) == maxSigners {
			return &LimitError{"signers", maxSigners}
		}
		si, err := parseSigner(&set)
		if err != nil {
			return err
		}
		sd.Signers = append(sd.Signers, si)
	}
	return nil
}

func (sd *SignedData) parseContent(encap cryptobyte.String) error {
	var ok bool
	if sd.ContentType, ok = ReadOID(&encap); !ok {
		return syntax("encapContentInfo without a content type")
	}
	var explicit, content cryptobyte.String
	if !encap.ReadOptionalASN1(&explicit, &sd.Encapsulated, casn1.Tag(0).Constructed().ContextSpecific()) || !encap.Empty() {
		return syntax("malformed encapContentInfo")
	}
	if !sd.Encapsulated {
		return nil
	}
	// PKCS #7 allows any type here; only an OCTET STRING is content whose octets
	// are digested without its header (RFC 5652 5.4).
	if !explicit.ReadASN1(&content, casn1.OCTET_STRING) || !explicit.Empty() {
		return syntax("eContent is not an OCTET STRING")
	}
	sd.Content = content
	return nil
}

func (sd *SignedData) parseCertificates(set cryptobyte.String) error {
	for n := 0; !set.Empty(); n++ {
		var raw cryptobyte.String
		var tag casn1.Tag
		if n == maxCerts {
			return &LimitError{"certificates", maxCerts}
		}
		if !set.ReadAnyASN1Element(&raw, &tag) {
			return syntax("malformed certificates")
		}
		if tag != casn1.SEQUENCE { // attribute certificates and formats of old
			sd.note(NoteUnreadable, "entry %d of certificates is of another kind", n)
			continue
		}
		c, err := ParseCertificate(raw)
		if err != nil {
			sd.note(NoteUnreadable, "entry %d of certificates: %v", n, err)
			continue
		}
		sd.Certificates = append(sd.Certificates, c)
	}
	return nil
}

func (sd *SignedData) parseRevocation(set cryptobyte.String) error {
	for n := 0; !set.Empty(); n++ {
		var raw, other, response cryptobyte.String
		var tag casn1.Tag
		if n == maxCerts {
			return &LimitError{"revocation infos", maxCerts}
		}
		if !set.ReadAnyASN1Element(&raw, &tag) {
			return syntax("malformed crls")
		}
		// Some signers leave the tag [1] of OtherRevocationInfoFormat out; a
		// CertificateList begins with another SEQUENCE, never with an identifier.
		element := raw
		raw.ReadAnyASN1(&other, &tag)
		if o, ok := ReadOID(&other); ok {
			if o == oidOCSPResponse && other.ReadASN1Element(&response, casn1.SEQUENCE) && other.Empty() {
				sd.OCSPs = append(sd.OCSPs, response)
				continue
			}
		} else if tag == casn1.SEQUENCE {
			sd.CRLs = append(sd.CRLs, element)
			continue
		}
		sd.note(NoteUnreadable, "entry %d of crls is of another kind", n)
	}
	return nil
}

func parseSigner(set *cryptobyte.String) (*SignerInfo, error) {
	var s, sid, issuer, serial cryptobyte.String
	si := &SignerInfo{}
	if !set.ReadASN1(&s, casn1.SEQUENCE) || !s.ReadASN1Integer(&si.Version) {
		return nil, syntax("malformed SignerInfo")
	}
	switch {
	case s.PeekASN1Tag(casn1.SEQUENCE):
		if !s.ReadASN1(&sid, casn1.SEQUENCE) || !sid.ReadASN1Element(&issuer, casn1.SEQUENCE) ||
			!sid.ReadASN1(&serial, casn1.INTEGER) || len(serial) == 0 || !sid.Empty() {
			return nil, syntax("malformed issuerAndSerialNumber")
		}
		si.Issuer, si.Serial = issuer, serial
	default:
		if !s.ReadASN1(&sid, casn1.Tag(0).ContextSpecific()) || sid.Empty() {
			return nil, syntax("malformed signer identifier")
		}
		si.KeyID = sid
	}
	var err error
	if si.DigestAlgorithm, err = ReadAlgorithm(&s); err != nil {
		return nil, syntax("digestAlgorithm: %v", err)
	}
	if s.PeekASN1Tag(casn1.Tag(0).Constructed().ContextSpecific()) {
		var raw cryptobyte.String
		s.ReadASN1Element(&raw, casn1.Tag(0).Constructed().ContextSpecific())
		// The signature is over the SET OF, not over its [0] IMPLICIT form.
		si.SignedRaw = bytes.Clone(raw)
		if len(raw) > 0 {
			si.SignedRaw[0] = tagSet
		}
		if si.Signed, err = readAttributes(raw, casn1.Tag(0)); err != nil {
			return nil, err
		}
	}
	if si.SignatureAlgorithm, err = ReadAlgorithm(&s); err != nil {
		return nil, syntax("signatureAlgorithm: %v", err)
	}
	var signature cryptobyte.String
	if !s.ReadASN1(&signature, casn1.OCTET_STRING) {
		return nil, syntax("SignerInfo without a signature value")
	}
	si.Signature = signature
	if s.PeekASN1Tag(casn1.Tag(1).Constructed().ContextSpecific()) {
		var raw cryptobyte.String
		s.ReadASN1Element(&raw, casn1.Tag(1).Constructed().ContextSpecific())
		if si.Unsigned, err = readAttributes(raw, casn1.Tag(1)); err != nil {
			return nil, err
		}
	}
	if !s.Empty() {
		return nil, syntax("SignerInfo with something behind its end")
	}
	return si, nil
}

func readAttributes(raw cryptobyte.String, tag casn1.Tag) ([]Attribute, error) {
	var set cryptobyte.String
	if !raw.ReadASN1(&set, tag.Constructed().ContextSpecific()) {
		return nil, syntax("malformed attributes")
	}
	var attributes []Attribute
	for !set.Empty() {
		var element, s, values, value cryptobyte.String
		if len(attributes) == maxAttributes {
			return nil, &LimitError{"attributes", maxAttributes}
		}
		if !set.ReadASN1Element(&element, casn1.SEQUENCE) {
			return nil, syntax("malformed attribute")
		}
		a := Attribute{Raw: element}
		var ok bool
		if !element.ReadASN1(&s, casn1.SEQUENCE) {
			return nil, syntax("malformed attribute")
		}
		if a.Type, ok = ReadOID(&s); !ok || !s.ReadASN1(&values, casn1.SET) || !s.Empty() {
			return nil, syntax("malformed attribute")
		}
		for !values.Empty() {
			if len(a.Values) == maxAttributes {
				return nil, &LimitError{"values of an attribute", maxAttributes}
			}
			if !values.ReadAnyASN1Element(&value, new(casn1.Tag)) {
				return nil, syntax("malformed value of attribute %s", a.Type)
			}
			a.Values = append(a.Values, value)
		}
		attributes = append(attributes, a)
	}
	return attributes, nil
}
