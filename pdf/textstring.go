package pdf

import (
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// docEncoding is PDFDocEncoding where it differs from ISO 8859-1 (ISO 32000-2
// D.2).
var docEncoding = map[byte]rune{
	0x18: '˘', 0x19: 'ˇ', 0x1a: 'ˆ', 0x1b: '˙', 0x1c: '˝', 0x1d: '˛', 0x1e: '˚', 0x1f: '˜',
	0x80: '•', 0x81: '†', 0x82: '‡', 0x83: '…', 0x84: '—', 0x85: '–', 0x86: 'ƒ', 0x87: '⁄',
	0x88: '‹', 0x89: '›', 0x8a: '−', 0x8b: '‰', 0x8c: '„', 0x8d: '“', 0x8e: '”', 0x8f: '‘',
	0x90: '’', 0x91: '‚', 0x92: '™', 0x93: 'ﬁ', 0x94: 'ﬂ', 0x95: 'Ł', 0x96: 'Œ', 0x97: 'Š',
	0x98: 'Ÿ', 0x99: 'Ž', 0x9a: 'ı', 0x9b: 'ł', 0x9c: 'œ', 0x9d: 'š', 0x9e: 'ž', 0xa0: '€',
}

// DecodeText reads a text string (ISO 32000-2 7.9.2.2): UTF-16 with a byte order
// mark, UTF-8 with one, else PDFDocEncoding. What is not valid becomes U+FFFD.
func DecodeText(s String) string {
	switch {
	case len(s) >= 2 && (s[0] == 0xfe && s[1] == 0xff || s[0] == 0xff && s[1] == 0xfe):
		high, low := 0, 1
		if s[0] == 0xff {
			high, low = 1, 0
		}
		units := make([]uint16, 0, len(s)/2)
		for i := 2; i+1 < len(s); i += 2 {
			units = append(units, uint16(s[i+high])<<8|uint16(s[i+low]))
		}
		return string(utf16.Decode(units))
	case len(s) >= 3 && s[:3] == "\xef\xbb\xbf":
		return string([]rune(string(s[3:])))
	}
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' {
			return decodeDoc(s)
		}
	}
	return string(s)
}

func decodeDoc(s String) string {
	out := make([]rune, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch r, ok := docEncoding[c]; {
		case ok:
			out = append(out, r)
		case c == 0x7f || c == 0x9f || c == 0xad:
			out = append(out, utf8.RuneError)
		default:
			out = append(out, rune(c))
		}
	}
	return string(out)
}

// EncodeText writes a text string: ASCII as it is, everything else as UTF-16BE,
// which every version of PDF since 1.2 knows.
func EncodeText(s string) String {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			ascii = false
			break
		}
	}
	if ascii {
		return String(s)
	}
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return String(b)
}

// Date writes a date (ISO 32000-2 7.9.4) to the second.
func Date(t time.Time) String {
	b := t.AppendFormat(make([]byte, 0, 24), "D:20060102150405")
	_, offset := t.Zone()
	if offset /= 60; offset == 0 {
		return String(append(b, 'Z'))
	}
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = appendDigits(append(b, sign), uint64(offset/60), 2)
	b = appendDigits(append(b, '\''), uint64(offset%60), 2)
	return String(append(b, '\''))
}
