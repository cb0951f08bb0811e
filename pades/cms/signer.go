package cms

import (
	"bytes"
	"crypto"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/hashfn"
)

// Hash gives the digest algorithm, with which a caller digests detached content.
func (si *SignerInfo) Hash() (crypto.Hash, error) { return si.DigestAlgorithm.contentHash() }

// SignedValue gives the DER of the value of a signed attribute that occurs once
// and has one value.
func (si *SignerInfo) SignedValue(t OID) ([]byte, bool) { return single(si.Signed, t) }

// single gives the only value of the only attribute of a type.
func single(attributes []Attribute, t OID) ([]byte, bool) {
	var found *Attribute
	for i := range attributes {
		if attributes[i].Type != t {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = &attributes[i]
	}
	if found == nil || len(found.Values) != 1 {
		return nil, false
	}
	return found.Values[0], true
}

// SigningTime gives the signed attribute of that name; ok is false when there is
// none that can be read. It is what the signer claims, no proof.
func (si *SignerInfo) SigningTime() (t time.Time, ok bool) {
	value, found := si.SignedValue(OIDSigningTime)
	if !found {
		return time.Time{}, false
	}
	s := cryptobyte.String(value)
	t, err := readTime(&s)
	return t, err == nil && s.Empty()
}

// SignatureTimestamps gives the timestamp tokens (DER or BER of a ContentInfo)
// over the signature value, in the order in which they stand.
func (si *SignerInfo) SignatureTimestamps() [][]byte {
	return values(si.Unsigned, OIDSignatureTimestamp)
}

// ContentTimestamps gives the timestamp tokens over the content.
func (si *SignerInfo) ContentTimestamps() [][]byte { return values(si.Signed, OIDContentTimestamp) }

// ArchiveTimestamps gives the archive timestamp tokens of CAdES, version 2 and 3.
// PAdES has document timestamps in their place.
func (si *SignerInfo) ArchiveTimestamps() [][]byte {
	return append(values(si.Unsigned, OIDArchiveTimestampV2), values(si.Unsigned, OIDArchiveTimestampV3)...)
}

func values(attributes []Attribute, t OID) [][]byte {
	var out [][]byte
	for _, a := range attributes {
		if a.Type == t {
			out = append(out, a.Values...)
		}
	}
	return out
}

// RevocationValues gives the DER of the CRLs and OCSPResponses that a signer put
// into attributes: the signed adbe-revocationInfoArchival (ISO 32000-2
// 12.8.3.3.2) and the unsigned revocation-values (EN 319 122-1 A.1.2.2). What
// cannot be read is left out: it proves nothing.
func (si *SignerInfo) RevocationValues() (crls, ocsps [][]byte) {
	all := append(values(si.Signed, OIDRevocationInfoArchival), values(si.Unsigned, OIDRevocationInfoArchival)...)
	for _, v := range append(all, values(si.Unsigned, OIDRevocationValues)...) {
		s := cryptobyte.String(v)
		var list, kind cryptobyte.String
		if !s.ReadASN1(&list, casn1.SEQUENCE) {
			continue
		}
		for i := range 2 {
			var present bool
			if !list.ReadOptionalASN1(&kind, &present, casn1.Tag(i).Constructed().ContextSpecific()) || !present {
				continue
			}
			entries := elements(kind)
			if i == 0 {
				crls = append(crls, entries...)
				continue
			}
			for _, e := range entries {
				ocsps = append(ocsps, ocspResponse(e))
			}
		}
	}
	return crls, ocsps
}

// elements gives the values inside a SEQUENCE OF.
func elements(s cryptobyte.String) [][]byte {
	var list, e cryptobyte.String
	var out [][]byte
	if !s.ReadASN1(&list, casn1.SEQUENCE) {
		return nil
	}
	for !list.Empty() && len(out) < maxCerts {
		if !list.ReadASN1Element(&e, casn1.SEQUENCE) {
			break
		}
		out = append(out, e)
	}
	return out
}

// ocspResponse gives an OCSPResponse; revocation-values holds BasicOCSPResponses,
// which are put into one.
func ocspResponse(der []byte) []byte {
	s := cryptobyte.String(der)
	var c cryptobyte.String
	if s.ReadASN1(&c, casn1.SEQUENCE) && c.PeekASN1Tag(casn1.ENUM) {
		return der
	}
	return tlv(tagSequence, []byte{0x0a, 1, 0}, tlv(tagContext0Constructed,
		tlv(tagSequence, appendTLV(nil, tagOID, oidOCSPBasic), appendTLV(nil, tagOctetString, der))))
}

// CertificateValues gives the certificates of the unsigned attribute
// certificate-values (EN 319 122-1 A.1.1.2).
func (si *SignerInfo) CertificateValues() []*Certificate {
	var out []*Certificate
	for _, v := range values(si.Unsigned, OIDCertificateValues) {
		for _, e := range elements(v) {
			if c, err := ParseCertificate(e); err == nil {
				out = append(out, c)
			}
		}
	}
	return out
}

// Reference is an ESSCertID or ESSCertIDv2 (RFC 5035 4, 5).
type Reference struct {
	Hash   crypto.Hash
	Digest []byte // of the certificate
	Issuer []byte // DER of the directoryName of issuerSerial, nil when left out
	Serial []byte // content octets of its INTEGER
}

// Matches reports whether r names c.
func (r Reference) Matches(c *Certificate) bool {
	return bytes.Equal(sum(r.Hash, c.Raw), r.Digest) && r.fits(c)
}

// fits compares issuerSerial, when there is one.
func (r Reference) fits(c *Certificate) bool {
	return r.Issuer == nil || (bytes.Equal(r.Serial, c.Serial) && sameName(r.Issuer, c.RawIssuer))
}

// SigningCertificate gives the references of signing-certificate-v2, or of
// signing-certificate when v2 is false; found is false when the attribute is
// missing. The first reference is the signer's.
func (si *SignerInfo) SigningCertificate() (references []Reference, v2, found bool, err error) {
	for _, t := range []OID{OIDSigningCertificateV2, OIDSigningCertificate} {
		if !slices.ContainsFunc(si.Signed, func(a Attribute) bool { return a.Type == t }) {
			continue
		}
		value, ok := si.SignedValue(t)
		if !ok {
			return nil, false, true, syntax("signing-certificate attribute with none or several values")
		}
		references, err = parseReferences(value, t == OIDSigningCertificateV2)
		return references, t == OIDSigningCertificateV2, true, err
	}
	return nil, false, false, nil
}

func parseReferences(value cryptobyte.String, v2 bool) ([]Reference, error) {
	bad := syntax("malformed signing-certificate attribute")
	var s, certs, c, digest cryptobyte.String
	if !value.ReadASN1(&s, casn1.SEQUENCE) || !value.Empty() || !s.ReadASN1(&certs, casn1.SEQUENCE) || certs.Empty() {
		return nil, bad
	}
	var out []Reference
	for !certs.Empty() {
		if len(out) == maxCerts {
			return nil, &LimitError{"certificate references", maxCerts}
		}
		r := Reference{Hash: crypto.SHA1}
		if !certs.ReadASN1(&c, casn1.SEQUENCE) {
			return nil, bad
		}
		if v2 {
			r.Hash = crypto.SHA256
			if c.PeekASN1Tag(casn1.SEQUENCE) {
				a, err := ReadAlgorithm(&c)
				if err != nil {
					return nil, bad
				}
				h, err := a.contentHash()
				if err != nil {
					return nil, &Failure{UnknownAlgorithm, "signing-certificate-v2 with digest " + a.OID.String()}
				}
				r.Hash = h
			}
		}
		if !c.ReadASN1(&digest, casn1.OCTET_STRING) || len(digest) != hashfn.Size(r.Hash) {
			return nil, bad
		}
		r.Digest = digest
		if !c.Empty() && !r.readIssuerSerial(&c) {
			return nil, bad
		}
		out = append(out, r)
	}
	return out, nil
}

// readIssuerSerial reads IssuerSerial of RFC 5035 4; its GeneralNames must be one
// directoryName there.
func (r *Reference) readIssuerSerial(c *cryptobyte.String) bool {
	var is, names, name, serial cryptobyte.String
	if !c.ReadASN1(&is, casn1.SEQUENCE) || !c.Empty() || !is.ReadASN1(&names, casn1.SEQUENCE) ||
		!names.ReadASN1(&name, casn1.Tag(4).Constructed().ContextSpecific()) || !names.Empty() ||
		!is.ReadASN1(&serial, casn1.INTEGER) || len(serial) == 0 {
		return false
	}
	r.Issuer, r.Serial = name, serial
	return true
}
