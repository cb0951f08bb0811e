package ca

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Profile is what all subscriber certificates of an issuer have in common.
type Profile struct {
	Name         string // recorded with every certificate, for example "signing-1"
	Country      string // subject, two capital letters
	Organisation string // subject
	Years        int    // validity
	PolicyOID    string // certificatePolicies, dotted decimal
	CPSURL       string // CPS pointer of the policy
	OCSPURL      string // AIA id-ad-ocsp
	IssuerURL    string // AIA id-ad-caIssuers: the issuing CA's certificate in DER
	CRLURL       string // full CRL of the issuing CA
	CRLShards    int    // of ListPolicy: certificates name the list of their shard instead
	IncludeEmail bool   // the subscriber's e-mail address as rfc822Name
	IncludeUnit  bool   // the subscriber's unit, which must fit into 64 characters
}

// URLs are the addresses at which relying parties reach the authority.
type URLs struct {
	OCSP, CPS                      string
	RootCertificate, RootCRL       string
	IssuingCertificate, IssuingCRL string
}

// URLsAt derives the addresses from the one where package pki (internal/api/pki)
// is served, for example "http://pki.example.go.id". Relying parties should be
// able to reach it by plain http (RFC 5280 8): fetching a revocation list by
// https needs the revocation status of another certificate first.
func URLsAt(base string) URLs {
	base = strings.TrimSuffix(base, "/")
	return URLs{
		OCSP:               base + "/pki/ocsp",
		CPS:                base + "/pki/cps",
		RootCertificate:    base + "/pki/ca/" + string(RootCA) + ".crt",
		RootCRL:            base + "/pki/crl/" + string(RootCA) + ".crl",
		IssuingCertificate: base + "/pki/ca/" + string(IssuingCA) + ".crt",
		IssuingCRL:         base + "/pki/crl/" + string(IssuingCA) + ".crl",
	}
}

// For is u for the certificates that the issuing CA of that name issues.
func (u URLs) For(issuing string) URLs {
	u.IssuingCertificate, u.IssuingCRL = named(u.IssuingCertificate, issuing, ".crt"), named(u.IssuingCRL, issuing, ".crl")
	return u
}

// named puts the name of an issuing CA into an address that URLsAt made.
func named(address, issuing, suffix string) string {
	i := strings.LastIndexByte(address, '/') + 1
	if !strings.HasPrefix(address[i:], string(IssuingCA)) || !strings.HasSuffix(address, suffix) {
		return address
	}
	return address[:i] + issuing + suffix
}

// For is p for the certificates that the issuing CA of that name issues.
func (p Profile) For(issuing string) Profile {
	p.IssuerURL, p.CRLURL = named(p.IssuerURL, issuing, ".crt"), named(p.CRLURL, issuing, ".crl")
	return p
}

// DefaultProfile is the profile of the guide's certificates: valid two years,
// with the e-mail address and without the unit, which changes more often than
// the certificate and may be longer than RFC 5280 allows.
func DefaultProfile(country, organisation, policyOID string, at URLs) Profile {
	return Profile{
		Name: "signing-1", Country: country, Organisation: organisation, Years: 2,
		PolicyOID: policyOID, CPSURL: at.CPS, OCSPURL: at.OCSP, IssuerURL: at.IssuingCertificate, CRLURL: at.IssuingCRL,
		IncludeEmail: true,
	}
}

var profileName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Check refuses an incoherent profile; the error is a *FieldError.
func (p Profile) Check() error {
	if !profileName.MatchString(p.Name) {
		return fieldErr("profile name", "must be lower-case letters, digits and hyphens")
	}
	if p.Years < 1 || p.Years > 5 {
		return fieldErr("years", "is %d, must be 1 to 5", p.Years)
	}
	if _, err := parseOID(p.PolicyOID); err != nil {
		return fieldErr("policy_oid", "is not an object identifier")
	}
	for _, u := range []struct{ field, value string }{
		{"cps_url", p.CPSURL}, {"ocsp_url", p.OCSPURL}, {"issuer_url", p.IssuerURL}, {"crl_url", p.CRLURL},
	} {
		if err := checkURL(u.field, u.value); err != nil {
			return err
		}
	}
	return Name{Country: p.Country, Organisation: p.Organisation, CommonName: "x"}.check()
}

// forSerial is p for the certificate of that serial.
func (p Profile) forSerial(serial *big.Int) Profile {
	if p.CRLShards > 1 {
		p.CRLURL = listURL(p.CRLURL, shardPart(shardOf(SerialText(serial), p.CRLShards), p.CRLShards))
	}
	return p
}

func checkURL(field, s string) error {
	if len(s) > 255 {
		return fieldErr(field, "has more than 255 characters")
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return fieldErr(field, "may only have printable ASCII")
		}
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fieldErr(field, "is not an http address")
	}
	return nil
}

// parseOID reads dotted decimal.
func parseOID(s string) (asn1.ObjectIdentifier, error) {
	parts := strings.Split(s, ".")
	if len(parts) < 3 || len(parts) > 24 {
		return nil, ErrMalformed
	}
	oid := make(asn1.ObjectIdentifier, 0, len(parts))
	for _, p := range parts {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil || n < 0 || strconv.FormatInt(n, 10) != p {
			return nil, ErrMalformed
		}
		oid = append(oid, int(n))
	}
	if oid[0] > 2 || (oid[0] < 2 && oid[1] > 39) {
		return nil, ErrMalformed
	}
	return oid, nil
}

// Subject is what a certificate says about its subscriber, beside what the
// profile says about all. There is no place for a NIK.
type Subject struct {
	Name      string // common name, at most 64 characters
	Unit      string // organisational unit, left out unless the profile includes it
	Reference string // serialNumber attribute, the NIP
	Email     string
}

// subjectName is the distinguished name of a subscriber.
func (p Profile) subjectName(s Subject) Name {
	if !p.IncludeUnit {
		s.Unit = ""
	}
	return Name{Country: p.Country, Organisation: p.Organisation, Unit: s.Unit, CommonName: s.Name, SerialNumber: s.Reference}
}

// CheckSubject refuses a subject that would not fit into a certificate; the
// error is a *FieldError that names the field. Callers ask it as soon as the
// data are known, so that a name too long is not found out by the authority.
func (p Profile) CheckSubject(s Subject) error {
	if err := p.subjectName(s).check(); err != nil {
		return err
	}
	if s.Reference == "" {
		return fieldErr("serialNumber", "is empty")
	}
	if p.IncludeEmail {
		return checkEmail(s.Email)
	}
	return nil
}

// notAfter is the last second of a validity of whole years (RFC 5280 4.1.2.5:
// both ends are inside the period).
func notAfter(notBefore time.Time, years int) time.Time {
	return notBefore.AddDate(years, 0, 0).Add(-time.Second)
}

// extensions are those of a subscriber certificate, in the order of encoding.
func (p Profile) extensions(s Subject, issuerKeyID, subjectKeyID []byte) ([]pkix.Extension, error) {
	policy, err := parseOID(p.PolicyOID)
	if err != nil {
		return nil, fieldErr("policy_oid", "is not an object identifier")
	}
	var l extensionList
	l.authorityKeyID(issuerKeyID)
	l.subjectKeyID(subjectKeyID)
	l.keyUsage(kuDigitalSignature, kuNonRepudiation)
	l.extKeyUsage(oidEKUDocumentSigning, oidEKUAdobe)
	l.basicConstraints(false, -1)
	l.policy(policy, p.CPSURL)
	if p.IncludeEmail {
		l.emailAltName(s.Email)
	}
	l.crlDistribution(p.CRLURL)
	l.authorityInfo(p.OCSPURL, p.IssuerURL)
	return l.list, l.err
}
