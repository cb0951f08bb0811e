package ca

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"
)

// backdate is how far notBefore may lie before or after the moment of a lint
// when a certificate is prepared.
const backdate = 10 * time.Minute

// expectation is what a subscriber certificate must say.
type expectation struct {
	issuer  *x509.Certificate
	profile Profile
	subject Subject
	spki    []byte
	now     time.Time
	maxAge  time.Duration // how long ago notBefore may be
}

// extensionRules names the rule that each extension of the profile breaks when
// it is absent or differs.
var extensionRules = map[string]string{
	oidAuthorityKeyID.String():   "absah_authority_key_id",
	oidSubjectKeyID.String():     "absah_subject_key_id",
	oidKeyUsage.String():         "absah_key_usage",
	oidExtKeyUsage.String():      "absah_ext_key_usage",
	oidBasicConstraints.String(): "absah_basic_constraints",
	oidPolicies.String():         "absah_policy",
	oidSubjectAltName.String():   "absah_alt_name",
	oidCRLDP.String():            "absah_crl_distribution",
	oidAIA.String():              "absah_authority_info",
}

// lintProfile compares a parsed certificate with what the profile and the
// request say. What the standard library reads by itself (usages, CA flag, key,
// names) is judged by that reading and not only by comparing bytes with our own
// encoder's. Two extensions of one kind, a negative serial or an inner
// signature algorithm that is not the issuer's do not come this far: such bytes
// do not parse.
func lintProfile(cert *x509.Certificate, want expectation) []Finding {
	var out []Finding
	fail := func(rule, detail string) { out = append(out, Finding{Rule: rule, Detail: detail}) }

	if cert.Version != 3 {
		fail("absah_version", "not version 3")
	}
	// 159 random bits are shorter than 100 once in 2^59 draws.
	if n := cert.SerialNumber.BitLen(); cert.SerialNumber.Sign() <= 0 || n > 159 || n < 100 {
		fail("absah_serial", "not a positive random number of 159 bits")
	}
	if !bytes.Equal(cert.RawIssuer, want.issuer.RawSubject) {
		fail("absah_issuer", "not the issuer's name")
	}
	lintValidity(cert, want, fail)
	lintSubject(cert, want, fail)
	lintUsage(cert, fail)
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, want.spki) {
		fail("absah_key_equals_request", "another key than the request's")
	}
	if err := checkKey(cert.PublicKey, cert.RawSubjectPublicKeyInfo); err != nil {
		fail("absah_key", err.Error())
	}
	lintExtensions(cert, want, fail)
	return out
}

func lintValidity(cert *x509.Certificate, want expectation, fail func(rule, detail string)) {
	if cert.NotBefore.After(want.now.Add(backdate)) || cert.NotBefore.Before(want.now.Add(-backdate-want.maxAge)) {
		fail("absah_not_before", "not the time of issuance")
	}
	if !cert.NotAfter.Equal(notAfter(cert.NotBefore, want.profile.Years)) {
		fail("absah_validity", "not the validity of the profile")
	}
	if cert.NotAfter.After(want.issuer.NotAfter) || cert.NotBefore.Before(want.issuer.NotBefore) {
		fail("absah_validity_nested", "outside the validity of the issuer")
	}
}

func lintSubject(cert *x509.Certificate, want expectation, fail func(rule, detail string)) {
	subject, err := want.profile.subjectName(want.subject).der()
	if err != nil || !bytes.Equal(cert.RawSubject, subject) {
		fail("absah_subject", "not the subject of the request")
	}
	texts := append([]string{}, cert.EmailAddresses...)
	texts = append(texts, cert.DNSNames...)
	for _, a := range append(cert.Subject.Names, cert.Subject.ExtraNames...) {
		if s, ok := a.Value.(string); ok {
			texts = append(texts, s)
		}
	}
	for _, u := range cert.URIs {
		texts = append(texts, u.String())
	}
	for _, s := range texts {
		if hasNIK(s) {
			fail("absah_no_nik", "16 digits like a NIK")
			break
		}
	}
	if len(cert.DNSNames)+len(cert.IPAddresses)+len(cert.URIs) > 0 {
		fail("absah_alt_name_kind", "other alternative names than an e-mail address")
	}
}

func lintUsage(cert *x509.Certificate, fail func(rule, detail string)) {
	if cert.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment {
		fail("absah_key_usage", "not digitalSignature and nonRepudiation")
	}
	if cert.IsCA || !cert.BasicConstraintsValid {
		fail("absah_not_ca", "not an end entity")
	}
	if len(cert.ExtKeyUsage) != 0 || len(cert.UnknownExtKeyUsage) != 2 ||
		!cert.UnknownExtKeyUsage[0].Equal(oidEKUDocumentSigning) || !cert.UnknownExtKeyUsage[1].Equal(oidEKUAdobe) {
		fail("absah_ext_key_usage", "not documentSigning and Adobe's")
	}
}

func lintExtensions(cert *x509.Certificate, want expectation, fail func(rule, detail string)) {
	subjectKeyID, err := keyID(want.spki)
	if err != nil {
		fail("absah_subject_key_id", "cannot be computed")
		return
	}
	expected, err := want.profile.forSerial(cert.SerialNumber).extensions(want.subject, want.issuer.SubjectKeyId, subjectKeyID)
	if err != nil {
		fail("absah_extensions", "cannot be computed")
		return
	}
	for _, got := range cert.Extensions {
		if findExtension(expected, got.Id) == nil {
			fail("absah_extension_unexpected", got.Id.String())
		}
	}
	for _, e := range expected {
		got := findExtension(cert.Extensions, e.Id)
		if got == nil || got.Critical != e.Critical || !bytes.Equal(got.Value, e.Value) {
			fail(extensionRules[e.Id.String()], "differs from the profile")
		}
	}
}

func findExtension(list []pkix.Extension, oid asn1.ObjectIdentifier) *pkix.Extension {
	for i := range list {
		if list[i].Id.Equal(oid) {
			return &list[i]
		}
	}
	return nil
}
