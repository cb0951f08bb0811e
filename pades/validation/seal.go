package validation

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode"

	"absah/pades/certpath"
)

// signerOf names a certificate.
func signerOf(c *certpath.Certificate) Signer {
	s := Signer{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: hex.EncodeToString(c.RawSerial), Seal: sealOf(c.Subject.Raw)}
	s.Name, s.Organisation, s.Number = named(c.Subject.Raw)
	s.IssuerName, _, _ = named(c.Issuer.Raw)
	return s
}

// named gives the common name, organisation and serial number of a name: of
// several the last, which is the most specific.
func named(name []byte) (common, organisation, number string) {
	var names pkix.RDNSequence
	if rest, err := asn1.Unmarshal(name, &names); err != nil || len(rest) > 0 {
		return "", "", ""
	}
	for _, set := range names {
		for _, a := range set {
			value, ok := a.Value.(string)
			if value = visible(value); !ok || value == "" {
				continue
			}
			switch t := a.Type; {
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}):
				common = value
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 10}):
				organisation = value
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 5}):
				number = value
			}
		}
	}
	return common, organisation, number
}

// visible leaves out what makes a name look like another: controls, and the
// characters that turn the direction of writing.
func visible(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s))
}

// organizationIdentifier (X.520, EN 319 412-1 5.1.4) as it is encoded in a name.
var rawOrganisationID = []byte{0x06, 0x03, 0x55, 0x04, 0x61}

// sealOf gives the name of the institution where the subject is a legal person
// (EN 319 412-3 4.2.1): it has an organizationIdentifier. A person of that
// institution may have one too, and then has a name or pseudonym of his or her own
// (EN 319 412-2 4.2.4). It is empty for everybody else.
func sealOf(subject []byte) string {
	if !bytes.Contains(subject, rawOrganisationID) {
		return ""
	}
	var names pkix.RDNSequence
	if rest, err := asn1.Unmarshal(subject, &names); err != nil || len(rest) > 0 {
		return ""
	}
	var organisation string
	legal := false
	for _, set := range names {
		for _, a := range set {
			t, value := a.Type, ""
			if s, ok := a.Value.(string); ok {
				value = s
			}
			switch {
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 97}):
				legal = value != ""
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 10}):
				organisation = value
			case t.Equal(asn1.ObjectIdentifier{2, 5, 4, 4}), t.Equal(asn1.ObjectIdentifier{2, 5, 4, 42}), t.Equal(asn1.ObjectIdentifier{2, 5, 4, 65}):
				return "" // surname, givenName, pseudonym
			}
		}
	}
	if !legal {
		return ""
	}
	return organisation
}
