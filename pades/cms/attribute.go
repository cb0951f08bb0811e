package cms

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"
)

// Attribute is the one of RFC 5652 5.3: a type and the DER of each value.
type Attribute struct {
	Type   OID
	Values [][]byte
	Raw    []byte // DER of the whole as it was read, nil for one that is to be written
}

// encode gives the DER of the attribute, its values in the order of a SET OF.
func (a Attribute) encode() []byte {
	values := append([][]byte(nil), a.Values...)
	sortSet(values)
	return tlv(tagSequence, appendTLV(nil, tagOID, a.Type), tlv(tagSet, values...))
}

// SigningTime makes the attribute of RFC 5652 11.3, to the second. Only profile
// PKCS7 may sign it: a PAdES signature says its time in the dictionary
// (EN 319 142-1 6.3).
func SigningTime(t time.Time) Attribute {
	return Attribute{Type: OIDSigningTime, Values: [][]byte{appendTime(nil, t)}}
}

// SignatureTimestamp makes the unsigned attribute of EN 319 122-1 5.3 of a
// timestamp token (DER of its ContentInfo) over the signature value.
func SignatureTimestamp(token []byte) Attribute {
	return Attribute{Type: OIDSignatureTimestamp, Values: [][]byte{token}}
}

// Commitment types of EN 319 122-1 5.2.3, for CommitmentType.
const (
	ProofOfOrigin   OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x01" // 1.2.840.113549.1.9.16.6.1
	ProofOfReceipt  OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x02" // 1.2.840.113549.1.9.16.6.2
	ProofOfDelivery OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x03" // 1.2.840.113549.1.9.16.6.3
	ProofOfSender   OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x04" // 1.2.840.113549.1.9.16.6.4
	ProofOfApproval OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x05" // 1.2.840.113549.1.9.16.6.5
	ProofOfCreation OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x06\x06" // 1.2.840.113549.1.9.16.6.6
)

// CommitmentType makes the signed attribute of EN 319 122-1 5.2.3. With it, the
// signature dictionary has no /Reason (EN 319 142-1 6.3).
func CommitmentType(commitment OID) Attribute {
	return Attribute{Type: OIDCommitmentType, Values: [][]byte{tlv(tagSequence, appendTLV(nil, tagOID, commitment))}}
}

// SignaturePolicy makes the signed attribute of EN 319 122-1 5.2.9.1: the policy
// by its identifier and the digest of its document; uri, where that document can
// be had, may be "".
func SignaturePolicy(policy OID, h crypto.Hash, digest []byte, uri string) (Attribute, error) {
	o := DigestOID(h)
	if !policy.Valid() || o == "" || len(digest) != h.Size() {
		return Attribute{}, fmt.Errorf("cms: signature policy needs an identifier and the digest of its document")
	}
	value := append(appendTLV(nil, tagOID, policy),
		tlv(tagSequence, digestIdentifier(o), appendTLV(nil, tagOctetString, digest))...)
	if uri != "" {
		qualifier := tlv(tagSequence, appendTLV(nil, tagOID, oidPolicyURI), appendTLV(nil, tagIA5, uri))
		value = append(value, tlv(tagSequence, qualifier)...)
	}
	return Attribute{Type: OIDSignaturePolicy, Values: [][]byte{tlv(tagSequence, value)}}, nil
}

// signingCertificate makes signing-certificate-v2 (RFC 5035 3) with one
// reference. The issuerSerial is left out, as RFC 5035 4 allows where the sid of
// the SignerInfo says the same.
func signingCertificate(c *x509.Certificate, h crypto.Hash) Attribute {
	d := h.New()
	d.Write(c.Raw)
	id := appendTLV(nil, tagOctetString, d.Sum(nil))
	if h != crypto.SHA256 { // DEFAULT, so DER leaves it out
		id = append(digestIdentifier(DigestOID(h)), id...)
	}
	return Attribute{Type: OIDSigningCertificateV2, Values: [][]byte{tlv(tagSequence, tlv(tagSequence, tlv(tagSequence, id)))}}
}
