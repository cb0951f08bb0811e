package cms

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// sameName compares two Names as RFC 5280 7.1 does: the string type, the case and
// the number of spaces make no difference.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, okX := canonicalName(a)
	y, okY := canonicalName(b)
	return okX && okY && slices.EqualFunc(x, y, slices.Equal)
}

// canonicalName gives the attributes of each RDN, in order.
func canonicalName(der []byte) ([][]string, bool) {
	in := cryptobyte.String(der)
	var rdns, set, pair, value cryptobyte.String
	var out [][]string
	if !in.ReadASN1(&rdns, casn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	for !rdns.Empty() {
		if !rdns.ReadASN1(&set, casn1.SET) {
			return nil, false
		}
		var rdn []string
		for !set.Empty() {
			var tag casn1.Tag
			if !set.ReadASN1(&pair, casn1.SEQUENCE) {
				return nil, false
			}
			t, ok := ReadOID(&pair)
			if !ok || !pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
				return nil, false
			}
			rdn = append(rdn, string(t)+"="+canonicalValue(tag, value))
		}
		slices.Sort(rdn)
		out = append(out, rdn)
	}
	return out, true
}

// canonicalValue folds the string types into one; other values keep their type.
func canonicalValue(tag casn1.Tag, value []byte) string {
	text := string(value)
	switch tag {
	case casn1.UTF8String, casn1.PrintableString, casn1.IA5String:
	case casn1.T61String: // read as Latin-1, which is what is written into it
		runes := make([]rune, len(value))
		for i, c := range value {
			runes[i] = rune(c)
		}
		text = string(runes)
	case casn1.Tag(30): // BMPString
		units := make([]uint16, len(value)/2)
		for i := range units {
			units[i] = uint16(value[2*i])<<8 | uint16(value[2*i+1])
		}
		text = string(utf16.Decode(units))
	default:
		return string([]byte{byte(tag)}) + ":" + text
	}
	return "text:" + strings.ToLower(strings.Join(strings.Fields(text), " "))
}
