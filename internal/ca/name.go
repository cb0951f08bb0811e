package ca

import (
	"encoding/asn1"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidCommonName   = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidSerialNumber = asn1.ObjectIdentifier{2, 5, 4, 5}
	oidCountry      = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidOrganisation = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidOrgID        = asn1.ObjectIdentifier{2, 5, 4, 97}
	oidOrgUnit      = asn1.ObjectIdentifier{2, 5, 4, 11}
)

// Upper bounds of RFC 5280 appendix A.1, in characters.
const (
	ubName  = 64 // common name, organisation, organisational unit, serial number
	ubEmail = 255
)

// Name is the distinguished name of an authority or, with the subscriber's
// data, of a certificate. Empty fields are left out.
type Name struct {
	Country      string // two capital letters, ISO 3166-1
	Organisation string
	Unit         string
	CommonName   string
	SerialNumber string // an employee reference such as the NIP, never the NIK

	OrganisationID string // organizationIdentifier of a legal person (ETSI EN 319 412-1 5.1.4), such as NTRID-123
}

// check refuses names that RFC 5280 does not allow and NIK-like digits.
func (n Name) check() error {
	if len(n.Country) != 2 || n.Country != strings.ToUpper(n.Country) || !isASCIILetters(n.Country) {
		return fieldErr("countryName", "must be two capital letters")
	}
	if n.Organisation == "" {
		return fieldErr("organizationName", "is empty")
	}
	if n.CommonName == "" {
		return fieldErr("commonName", "is empty")
	}
	for _, f := range n.fields() {
		if err := checkText(f.name, f.value, ubName); err != nil {
			return err
		}
	}
	if n.SerialNumber != "" && !isPrintable(n.SerialNumber) {
		return fieldErr("serialNumber", "may only have letters, digits and ' ()+,-./:=?")
	}
	return nil
}

type nameField struct {
	name  string
	oid   asn1.ObjectIdentifier
	tag   cbasn1.Tag
	value string
}

// fields lists the non-empty attributes in the order in which they are
// encoded. RFC 5280 wants PrintableString for country and serial number
// (X.520) and UTF8String for the rest.
func (n Name) fields() []nameField {
	all := []nameField{
		{"countryName", oidCountry, cbasn1.PrintableString, n.Country},
		{"organizationName", oidOrganisation, cbasn1.UTF8String, n.Organisation},
		{"organizationIdentifier", oidOrgID, cbasn1.UTF8String, n.OrganisationID},
		{"organizationalUnitName", oidOrgUnit, cbasn1.UTF8String, n.Unit},
		{"commonName", oidCommonName, cbasn1.UTF8String, n.CommonName},
		{"serialNumber", oidSerialNumber, cbasn1.PrintableString, n.SerialNumber},
	}
	out := all[:0]
	for _, f := range all {
		if f.value != "" {
			out = append(out, f)
		}
	}
	return out
}

// der encodes n as RDNSequence (RFC 5280 4.1.2.4), one attribute a set.
func (n Name) der() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, f := range n.fields() {
			b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.oid)
					b.AddASN1(f.tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(f.value)) })
				})
			})
		}
	})
	return b.Bytes()
}

// String is the name as people read it, for example
// "C=ID, O=Instansi Contoh, CN=Siti Contoh, serialNumber=...".
func (n Name) String() string {
	short := map[string]string{"countryName": "C", "organizationName": "O", "organizationalUnitName": "OU", "commonName": "CN"}
	var parts []string
	for _, f := range n.fields() {
		label := short[f.name]
		if label == "" {
			label = f.name
		}
		parts = append(parts, label+"="+f.value)
	}
	return strings.Join(parts, ", ")
}

// checkText refuses text that is too long, padded, not printable or looks like
// a NIK.
func checkText(field, s string, bound int) error {
	switch {
	case !utf8.ValidString(s):
		return fieldErr(field, "is not UTF-8")
	case utf8.RuneCountInString(s) > bound:
		return fieldErr(field, "has %d characters, at most %d are allowed (RFC 5280 appendix A.1)", utf8.RuneCountInString(s), bound)
	case strings.TrimSpace(s) != s:
		return fieldErr(field, "begins or ends with a space")
	case hasNIK(s):
		return fieldErr(field, "holds 16 digits like a NIK, which never goes into a certificate")
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return fieldErr(field, "holds a character that cannot be printed")
		}
	}
	return nil
}

// hasNIK reports whether s holds a run of exactly 16 digits, also when the
// digits are grouped by single spaces, dots, hyphens or slashes. A NIP has 18.
func hasNIK(s string) bool {
	digits, gap := 0, false
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
			gap = false
		case digits > 0 && !gap && strings.ContainsRune(" .-/_", r):
			gap = true
		default:
			if digits == 16 {
				return true
			}
			digits, gap = 0, false
		}
	}
	return digits == 16
}

// checkEmail accepts a plain address in ASCII, as rfc822Name demands
// (RFC 5280 4.2.1.6).
func checkEmail(s string) error {
	if len(s) > ubEmail {
		return fieldErr("rfc822Name", "has %d characters, at most %d are allowed", len(s), ubEmail)
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return fieldErr("rfc822Name", "may only have printable ASCII")
		}
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return fieldErr("rfc822Name", "is not an e-mail address")
	}
	if hasNIK(s) {
		return fieldErr("rfc822Name", "holds 16 digits like a NIK, which never goes into a certificate")
	}
	return nil
}

func isASCIILetters(s string) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}

// isPrintable reports whether s fits PrintableString (X.680 41.4).
func isPrintable(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && !isASCIILetters(string(r)) && !strings.ContainsRune(" '()+,-./:=?", r) {
			return false
		}
	}
	return true
}
