package certpath

import (
	"crypto/x509"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// An OID is an object identifier in dotted decimal notation, such as
// "2.5.29.32.0". It has no limit on the size of an arc.
type OID string

// Object identifiers that callers name.
const (
	AnyPolicy          OID = "2.5.29.32.0"             // RFC 5280 4.2.1.4
	AnyExtKeyUsage     OID = "2.5.29.37.0"             // RFC 5280 4.2.1.12
	ExtKeyUsageOCSP    OID = "1.3.6.1.5.5.7.3.9"       // id-kp-OCSPSigning
	ExtKeyUsageTime    OID = "1.3.6.1.5.5.7.3.8"       // id-kp-timeStamping
	ExtKeyUsageEmail   OID = "1.3.6.1.5.5.7.3.4"       // id-kp-emailProtection
	ExtKeyUsageDocSign OID = "1.3.6.1.5.5.7.3.36"      // id-kp-documentSigning, RFC 9336
	ExtKeyUsageMSDoc   OID = "1.3.6.1.4.1.311.10.3.12" // szOID_KP_DOCUMENT_SIGNING
	ExtKeyUsageAdobe   OID = "1.2.840.113583.1.1.5"    // Adobe authentic documents trust
)

// The encoded contents of identifiers that the package compares with.
const (
	extSubjectKeyID         = "\x55\x1d\x0e"
	extKeyUsage             = "\x55\x1d\x0f"
	extSubjectAltName       = "\x55\x1d\x11"
	extIssuerAltName        = "\x55\x1d\x12"
	extBasicConstraints     = "\x55\x1d\x13"
	extCRLNumber            = "\x55\x1d\x14"
	extReasonCode           = "\x55\x1d\x15"
	extInvalidityDate       = "\x55\x1d\x18"
	extDeltaCRLIndicator    = "\x55\x1d\x1b"
	extIssuingDistPoint     = "\x55\x1d\x1c"
	extCertificateIssuer    = "\x55\x1d\x1d"
	extNameConstraints      = "\x55\x1d\x1e"
	extCRLDistributionPoint = "\x55\x1d\x1f"
	extCertificatePolicies  = "\x55\x1d\x20"
	extPolicyMappings       = "\x55\x1d\x21"
	extAuthorityKeyID       = "\x55\x1d\x23"
	extPolicyConstraints    = "\x55\x1d\x24"
	extExtKeyUsage          = "\x55\x1d\x25"
	extFreshestCRL          = "\x55\x1d\x2e"
	extInhibitAnyPolicy     = "\x55\x1d\x36"
	extNoRevAvail           = "\x55\x1d\x38" // RFC 9608
	extExpiredCertsOnCRL    = "\x55\x1d\x3c" // ITU-T X.509
	extAuthorityInfoAccess  = "\x2b\x06\x01\x05\x05\x07\x01\x01"
	extOCSPNoCheck          = "\x2b\x06\x01\x05\x05\x07\x30\x01\x05"
	extOCSPNonce            = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"
	extOCSPArchiveCutoff    = "\x2b\x06\x01\x05\x05\x07\x30\x01\x06"
	extETSIShortTerm        = "\x04\x00\x8b\xec\x49\x02\x01" // EN 319 412-1 validity-assured-short-term

	accessOCSP      = "\x2b\x06\x01\x05\x05\x07\x30\x01"
	accessCAIssuers = "\x2b\x06\x01\x05\x05\x07\x30\x02"
	ocspBasic       = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"

	attrEmailAddress = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"
)

// dotted turns encoded contents of an object identifier into an OID.
func dotted(contents string) (OID, error) {
	var o x509.OID
	if err := o.UnmarshalBinary([]byte(contents)); err != nil {
		return "", fmt.Errorf("object identifier %x: %w", contents, err)
	}
	return OID(o.String()), nil
}

// readOID reads an OBJECT IDENTIFIER and gives its encoded contents.
func readOID(s *cryptobyte.String) (string, bool) {
	var c cryptobyte.String
	if !s.ReadASN1(&c, cbasn1.OBJECT_IDENTIFIER) || len(c) == 0 || len(c) > 64 {
		return "", false
	}
	return string(c), true
}
