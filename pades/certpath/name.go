package certpath

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
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
	Raw []byte // DER of the RDNSequence
	// key is the form in which equal names are equal: that of each RDN behind
	// its length, so that the key of a name begins with that of a name above.
	key string
}

// Empty reports whether the name has no RDN.
func (n Name) Empty() bool { return n.key == "" }

// Equal reports whether the names match.
func (n Name) Equal(o Name) bool { return n.key == o.key }

// within reports whether n lies in the subtree of base, RFC 5280 7.1.
func (n Name) within(base Name) bool {
	return strings.HasPrefix(n.key, base.key)
}

func (n Name) String() string {
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(n.Raw, &seq); err != nil || len(rest) > 0 {
		return "unreadable name"
	}
	return seq.String()
}

// maxAttributes bounds the attributes of one name.
const maxAttributes = 100

// ParseName reads a DER RDNSequence.
func ParseName(der []byte) (Name, error) {
	seq, ok := sequence(der)
	if !ok {
		return Name{}, malformed("name")
	}
	key := make([]byte, 0, len(der))
	for attributes := 0; !seq.Empty(); {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, cbasn1.SET) || set.Empty() {
			return Name{}, malformed("relative distinguished name")
		}
		begin := len(key)
		key = append(key, 0, 0, 0, 0)
		var parts []string // of an RDN that has several attributes
		for !set.Empty() {
			var attr, value cryptobyte.String
			var tag cbasn1.Tag
			if !set.ReadASN1(&attr, cbasn1.SEQUENCE) {
				return Name{}, malformed("attribute of a name")
			}
			var id cryptobyte.String
			if !attr.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || len(id) == 0 || len(id) > 64 || !attr.ReadAnyASN1Element(&value, &tag) || !attr.Empty() {
				return Name{}, malformed("attribute of a name")
			}
			if attributes++; attributes > maxAttributes {
				return Name{}, malformed("number of attributes in a name")
			}
			one := len(key)
			key = appendMatchForm(key, id, value, tag)
			if len(parts) > 0 || !set.Empty() {
				parts = append(parts, string(key[one:]))
				key = key[:one]
			}
		}
		slices.Sort(parts)
		for _, p := range parts {
			key = binary.BigEndian.AppendUint32(key, uint32(len(p)))
			key = append(key, p...)
		}
		// The top bit tells one attribute from the list of one.
		n := uint32(len(key) - begin - 4)
		if len(parts) > 0 {
			n |= 1 << 31
		}
		binary.BigEndian.PutUint32(key[begin:], n)
	}
	return Name{Raw: der, key: string(key)}, nil
}

// appendMatchForm adds the form of an attribute in which equal ones are equal.
// The identifier's length keeps it apart from the value.
func appendMatchForm(dst []byte, id []byte, element cryptobyte.String, tag cbasn1.Tag) []byte {
	dst = append(append(dst, byte(len(id))), id...)
	var c cryptobyte.String
	raw := element
	if element.ReadASN1(&c, tag) {
		switch tag {
		case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String:
			if isASCII(c) {
				return appendPrepared(append(dst, 't'), c)
			}
		}
		if text, ok := textOf(c, tag); ok {
			return append(append(dst, 't'), prepared(text)...)
		}
	}
	return append(append(dst, 'r'), raw...)
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
		return string(appendPrepared(nil, s))
	}
	s = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s)))
	return strings.Join(strings.Fields(s), " ")
}

// appendPrepared is prepared for ASCII.
func appendPrepared[T string | []byte | cryptobyte.String](dst []byte, s T) []byte {
	begin := len(dst)
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == ' ' && (len(dst) == begin || dst[len(dst)-1] == ' ') {
			continue
		}
		dst = append(dst, c)
	}
	if len(dst) > begin && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func isASCII[T string | []byte | cryptobyte.String](s T) bool {
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
