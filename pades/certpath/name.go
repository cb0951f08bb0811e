package certpath

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// A Name is a distinguished name. Equal compares as RFC 5280 7.1 says: without
// regard to case, to runs of spaces, or to the type of string.
type Name struct {
	Raw  []byte   // DER of the RDNSequence
	rdns []string // comparable form of each RDN
	key  string   // comparable form of all
}

// Empty reports whether the name has no RDN.
func (n Name) Empty() bool { return len(n.rdns) == 0 }

// Equal reports whether the names match.
func (n Name) Equal(o Name) bool { return n.key == o.key }

// within reports whether n lies in the subtree of base, RFC 5280 7.1.
func (n Name) within(base Name) bool {
	return len(n.rdns) >= len(base.rdns) && slices.Equal(n.rdns[:len(base.rdns)], base.rdns)
}

func (n Name) String() string {
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(n.Raw, &seq); err != nil || len(rest) > 0 {
		return "unreadable name"
	}
	return seq.String()
}

// maxRDNs bounds the attributes of one name.
const maxRDNs = 100

// ParseName reads a DER RDNSequence.
func ParseName(der []byte) (Name, error) {
	seq, ok := sequence(der)
	if !ok {
		return Name{}, malformed("name")
	}
	n := Name{Raw: der}
	attributes := 0
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, cbasn1.SET) || set.Empty() {
			return Name{}, malformed("relative distinguished name")
		}
		var parts []string
		for !set.Empty() {
			var attr, value cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadASN1(&attr, cbasn1.SEQUENCE) {
				return Name{}, malformed("attribute of a name")
			}
			id, ok := readOID(&attr)
			if !ok || !attr.ReadAnyASN1Element(&value, &tag) || !attr.Empty() {
				return Name{}, malformed("attribute of a name")
			}
			if attributes++; attributes > maxRDNs {
				return Name{}, malformed("number of attributes in a name")
			}
			parts = append(parts, matchForm(id, value, tag))
		}
		slices.Sort(parts)
		n.rdns = append(n.rdns, framed(parts))
	}
	n.key = framed(n.rdns)
	return n, nil
}

// framed joins parts so that different lists give different strings.
func framed(parts []string) string {
	if len(parts) == 1 {
		return "1" + parts[0]
	}
	var b strings.Builder
	for _, p := range parts {
		n := len(p)
		b.Write([]byte{'n', byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		b.WriteString(p)
	}
	return b.String()
}

// matchForm gives the form of an attribute in which equal ones are equal. The
// identifier's length keeps it apart from the value.
func matchForm(id string, element cryptobyte.String, tag cbasn1.Tag) string {
	var c cryptobyte.String
	raw := element
	if element.ReadASN1(&c, tag) {
		if text, ok := textOf(c, tag); ok {
			return string(rune(len(id))) + id + "t" + prepared(text)
		}
	}
	return string(rune(len(id))) + id + "r" + string(raw)
}

// textOf decodes a string type of X.520 into UTF-8.
func textOf(c []byte, tag cbasn1.Tag) (string, bool) {
	switch tag {
	case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, cbasn1.Tag(18): // NumericString
		return string(c), utf8.Valid(c)
	case cbasn1.T61String: // read as Latin-1, as everybody writes it
		r := make([]rune, len(c))
		for i, b := range c {
			r[i] = rune(b)
		}
		return string(r), true
	case cbasn1.Tag(30): // BMPString
		if len(c)%2 != 0 {
			return "", false
		}
		u := make([]uint16, len(c)/2)
		for i := range u {
			u[i] = uint16(c[2*i])<<8 | uint16(c[2*i+1])
		}
		return string(utf16.Decode(u)), true
	case cbasn1.Tag(28): // UniversalString
		if len(c)%4 != 0 {
			return "", false
		}
		r := make([]rune, len(c)/4)
		for i := range r {
			r[i] = rune(uint32(c[4*i])<<24 | uint32(c[4*i+1])<<16 | uint32(c[4*i+2])<<8 | uint32(c[4*i+3]))
		}
		return string(r), true
	}
	return "", false
}

// prepared does what RFC 4518 asks for before two strings are compared: case
// folding, NFKC, and no more than one space in a row, none at the ends.
func prepared(s string) string {
	if isASCII(s) {
		b := make([]byte, 0, len(s))
		for i := range len(s) {
			c := s[i]
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c == ' ' && (len(b) == 0 || b[len(b)-1] == ' ') {
				continue
			}
			b = append(b, c)
		}
		return string(bytes.TrimSuffix(b, []byte(" ")))
	}
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(s), " ")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// emails gives the values of emailAddress attributes, PKCS #9.
func (n Name) emails() []string {
	if !bytes.Contains(n.Raw, []byte(attrEmailAddress)) {
		return nil
	}
	var out []string
	seq, _ := sequence(n.Raw)
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, cbasn1.SET) {
			return out
		}
		for !set.Empty() {
			var attr, value cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadASN1(&attr, cbasn1.SEQUENCE) {
				return out
			}
			if id, ok := readOID(&attr); ok && id == attrEmailAddress && attr.ReadAnyASN1(&value, &tag) {
				out = append(out, string(value))
			}
		}
	}
	return out
}
