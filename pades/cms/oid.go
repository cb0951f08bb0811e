package cms

import (
	"fmt"
	"strconv"
	"strings"
)

// OID is an object identifier as the content octets of its DER encoding (X.690
// 8.19): comparable, constant, and ready to be written.
type OID string

// Content types.
const (
	OIDData       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"         // 1.2.840.113549.1.7.1, RFC 5652 4
	OIDSignedData OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"         // 1.2.840.113549.1.7.2, RFC 5652 5.1
	OIDTSTInfo    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04" // 1.2.840.113549.1.9.16.1.4, RFC 3161 2.4.2
)

// Attributes.
const (
	OIDContentType            OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"         // 1.2.840.113549.1.9.3, RFC 5652 11.1
	OIDMessageDigest          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"         // 1.2.840.113549.1.9.4, RFC 5652 11.2
	OIDSigningTime            OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"         // 1.2.840.113549.1.9.5, RFC 5652 11.3
	OIDCountersignature       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06"         // 1.2.840.113549.1.9.6, RFC 5652 11.4
	OIDAlgorithmProtection    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x34"         // 1.2.840.113549.1.9.52, RFC 6211
	OIDContentHints           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x04" // 1.2.840.113549.1.9.16.2.4, RFC 2634 2.9
	OIDContentIdentifier      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x07" // 1.2.840.113549.1.9.16.2.7, RFC 2634 2.7
	OIDContentReference       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0a" // 1.2.840.113549.1.9.16.2.10, RFC 2634 2.11
	OIDSigningCertificate     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c" // 1.2.840.113549.1.9.16.2.12, RFC 5035 5
	OIDSignatureTimestamp     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0e" // 1.2.840.113549.1.9.16.2.14, EN 319 122-1 5.3
	OIDSignaturePolicy        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0f" // 1.2.840.113549.1.9.16.2.15, EN 319 122-1 5.2.9.1
	OIDCommitmentType         OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x10" // 1.2.840.113549.1.9.16.2.16, EN 319 122-1 5.2.3
	OIDSignerLocation         OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x11" // 1.2.840.113549.1.9.16.2.17, EN 319 122-1 5.2.5
	OIDContentTimestamp       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x14" // 1.2.840.113549.1.9.16.2.20, EN 319 122-1 5.2.8
	OIDCertificateValues      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x17" // 1.2.840.113549.1.9.16.2.23, EN 319 122-1 A.1.1.2
	OIDRevocationValues       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x18" // 1.2.840.113549.1.9.16.2.24, EN 319 122-1 A.1.2.2
	OIDSigningCertificateV2   OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f" // 1.2.840.113549.1.9.16.2.47, RFC 5035 3
	OIDArchiveTimestampV2     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x30" // 1.2.840.113549.1.9.16.2.48, TS 101 733 6.4.1
	OIDMimeType               OID = "\x04\x00\x8d\x45\x02\x01"                     // 0.4.0.1733.2.1, EN 319 122-1 5.2.4.3
	OIDArchiveTimestampV3     OID = "\x04\x00\x8d\x45\x02\x04"                     // 0.4.0.1733.2.4, EN 319 122-1 5.5.3
	OIDSignerAttributesV2     OID = "\x04\x00\x81\x95\x32\x01\x01"                 // 0.4.0.19122.1.1, EN 319 122-1 5.2.6.1
	OIDRevocationInfoArchival OID = "\x2a\x86\x48\x86\xf7\x2f\x01\x01\x08"         // 1.2.840.113583.1.1.8, ISO 32000-2 12.8.3.3.2
)

// Digest algorithms.
const (
	OIDMD5       OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x05"     // 1.2.840.113549.2.5
	OIDSHA1      OID = "\x2b\x0e\x03\x02\x1a"                 // 1.3.14.3.2.26
	OIDSHA224    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x04" // 2.16.840.1.101.3.4.2.4
	OIDSHA256    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x01" // 2.16.840.1.101.3.4.2.1
	OIDSHA384    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x02" // 2.16.840.1.101.3.4.2.2
	OIDSHA512    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x03" // 2.16.840.1.101.3.4.2.3
	OIDRIPEMD160 OID = "\x2b\x24\x03\x02\x01"                 // 1.3.36.3.2.1
	OIDSHA3_224  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x07" // 2.16.840.1.101.3.4.2.7
	OIDSHA3_256  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x08" // 2.16.840.1.101.3.4.2.8
	OIDSHA3_384  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x09" // 2.16.840.1.101.3.4.2.9
	OIDSHA3_512  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x0a" // 2.16.840.1.101.3.4.2.10
)

// Keys and signature algorithms.
const (
	OIDRSA              OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" // 1.2.840.113549.1.1.1
	OIDMGF1             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" // 1.2.840.113549.1.1.8
	OIDRSAPSS           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" // 1.2.840.113549.1.1.10
	OIDMD5WithRSA       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04" // 1.2.840.113549.1.1.4
	OIDSHA1WithRSA      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05" // 1.2.840.113549.1.1.5
	OIDSHA1WithRSAOIW   OID = "\x2b\x0e\x03\x02\x1d"                 // 1.3.14.3.2.29
	OIDSHA224WithRSA    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e" // 1.2.840.113549.1.1.14
	OIDSHA256WithRSA    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" // 1.2.840.113549.1.1.11
	OIDSHA384WithRSA    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c" // 1.2.840.113549.1.1.12
	OIDSHA512WithRSA    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d" // 1.2.840.113549.1.1.13
	OIDRIPEMD160WithRSA OID = "\x2b\x24\x03\x03\x01\x02"             // 1.3.36.3.3.1.2
	OIDSHA3_224WithRSA  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0d" // 2.16.840.1.101.3.4.3.13
	OIDSHA3_256WithRSA  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0e" // 2.16.840.1.101.3.4.3.14
	OIDSHA3_384WithRSA  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0f" // 2.16.840.1.101.3.4.3.15
	OIDSHA3_512WithRSA  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x10" // 2.16.840.1.101.3.4.3.16

	OIDECPublicKey       OID = "\x2a\x86\x48\xce\x3d\x02\x01"         // 1.2.840.10045.2.1
	OIDECDSAWithSHA1     OID = "\x2a\x86\x48\xce\x3d\x04\x01"         // 1.2.840.10045.4.1
	OIDECDSAWithSHA224   OID = "\x2a\x86\x48\xce\x3d\x04\x03\x01"     // 1.2.840.10045.4.3.1
	OIDECDSAWithSHA256   OID = "\x2a\x86\x48\xce\x3d\x04\x03\x02"     // 1.2.840.10045.4.3.2
	OIDECDSAWithSHA384   OID = "\x2a\x86\x48\xce\x3d\x04\x03\x03"     // 1.2.840.10045.4.3.3
	OIDECDSAWithSHA512   OID = "\x2a\x86\x48\xce\x3d\x04\x03\x04"     // 1.2.840.10045.4.3.4
	OIDECDSAWithSHA3_224 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x09" // 2.16.840.1.101.3.4.3.9
	OIDECDSAWithSHA3_256 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0a" // 2.16.840.1.101.3.4.3.10
	OIDECDSAWithSHA3_384 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0b" // 2.16.840.1.101.3.4.3.11
	OIDECDSAWithSHA3_512 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0c" // 2.16.840.1.101.3.4.3.12
	OIDEd25519           OID = "\x2b\x65\x70"                         // 1.3.101.112
	OIDEd448             OID = "\x2b\x65\x71"                         // 1.3.101.113

	// The digests of Ed448, RFC 8419 2.3: the second names its length.
	OIDSHAKE256    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x0c" // 2.16.840.1.101.3.4.2.12
	OIDSHAKE256Len OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x12" // 2.16.840.1.101.3.4.2.18

	// ECDSA with both numbers side by side in place of their DER, BSI TR-03111 5.2.1.
	OIDPlainECDSAWithSHA1      OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x01" // 0.4.0.127.0.7.1.1.4.1.1
	OIDPlainECDSAWithSHA224    OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x02" // 0.4.0.127.0.7.1.1.4.1.2
	OIDPlainECDSAWithSHA256    OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x03" // 0.4.0.127.0.7.1.1.4.1.3
	OIDPlainECDSAWithSHA384    OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x04" // 0.4.0.127.0.7.1.1.4.1.4
	OIDPlainECDSAWithSHA512    OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x05" // 0.4.0.127.0.7.1.1.4.1.5
	OIDPlainECDSAWithRIPEMD160 OID = "\x04\x00\x7f\x00\x07\x01\x01\x04\x01\x06" // 0.4.0.127.0.7.1.1.4.1.6

	OIDDSA           OID = "\x2a\x86\x48\xce\x38\x04\x01"         // 1.2.840.10040.4.1
	OIDDSAWithSHA1   OID = "\x2a\x86\x48\xce\x38\x04\x03"         // 1.2.840.10040.4.3
	OIDDSAWithSHA224 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x01" // 2.16.840.1.101.3.4.3.1
	OIDDSAWithSHA256 OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x02" // 2.16.840.1.101.3.4.3.2
)

const (
	oidOCSPResponse OID = "\x2b\x06\x01\x05\x05\x07\x10\x02"             // 1.3.6.1.5.5.7.16.2, RFC 5940 2.1
	oidOCSPBasic    OID = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"         // 1.3.6.1.5.5.7.48.1.1, RFC 6960 4.2.1
	oidPolicyURI    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x05\x01" // 1.2.840.113549.1.9.16.5.1, EN 319 122-1 5.2.9.2
	oidKeyID        OID = "\x55\x1d\x0e"                                 // 2.5.29.14, RFC 5280 4.2.1.2
)

// ParseOID reads an identifier in dotted decimal form.
func ParseOID(s string) (OID, error) {
	parts := strings.Split(s, ".")
	arcs := make([]uint64, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 63)
		if err != nil || p != strconv.FormatUint(n, 10) {
			return "", fmt.Errorf("cms: %q is not an object identifier", s)
		}
		arcs[i] = n
	}
	if len(arcs) < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39) || arcs[1] > 1<<62 {
		return "", fmt.Errorf("cms: %q is not an object identifier", s)
	}
	arcs[1] += arcs[0] * 40
	var b []byte
	for _, n := range arcs[1:] {
		shift := 63
		for shift > 0 && n>>shift == 0 {
			shift -= 7
		}
		for ; shift > 0; shift -= 7 {
			b = append(b, 0x80|byte(n>>shift))
		}
		b = append(b, byte(n)&0x7f)
	}
	return OID(b), nil
}

// Valid reports whether o can be the content of a DER object identifier of at
// most 128 octets.
func (o OID) Valid() bool {
	if o == "" || len(o) > 128 || o[len(o)-1]&0x80 != 0 {
		return false
	}
	start := true
	for i := range len(o) {
		if start && o[i] == 0x80 {
			return false // a leading zero
		}
		start = o[i]&0x80 == 0
	}
	return true
}

// String gives the dotted decimal form; an arc of 2^57 or more is shown as "?".
func (o OID) String() string {
	var b strings.Builder
	var n uint64
	first, wide := true, false
	for i := range len(o) {
		wide = wide || n >= 1<<50
		n = n<<7 | uint64(o[i]&0x7f)
		if o[i]&0x80 != 0 {
			continue
		}
		switch {
		case first && n < 80:
			fmt.Fprintf(&b, "%d.%d", n/40, n%40)
		case first:
			fmt.Fprintf(&b, "2.%d", n-80)
		case wide:
			b.WriteString(".?")
		default:
			fmt.Fprintf(&b, ".%d", n)
		}
		n, first, wide = 0, false, false
	}
	return b.String()
}
