package cms

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Identifier octets that encoding/asn1 and cryptobyte have no name for.
const (
	tagContext0            = 0x80 // [0] IMPLICIT of a primitive type
	tagContext0Constructed = 0xa0 // [0] of anything constructed
	tagContext1Constructed = 0xa1
	tagContext2Constructed = 0xa2
)

// Single octets as they are written before a length.
const (
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagUTF8        = 0x0c
	tagSequence    = 0x30
	tagSet         = 0x31
	tagIA5         = 0x16
	tagUTCTime     = 0x17
	tagGeneralTime = 0x18
)

// headerSize is the length of the identifier and length octets of n content
// octets.
func headerSize(n int) int {
	switch {
	case n < 1<<7:
		return 2
	case n < 1<<8:
		return 3
	case n < 1<<16:
		return 4
	case n < 1<<24:
		return 5
	}
	return 6
}

func tlvSize(n int) int { return headerSize(n) + n }

func appendHeader(b []byte, tag byte, n int) []byte {
	switch {
	case n < 1<<7:
		return append(b, tag, byte(n))
	case n < 1<<8:
		return append(b, tag, 0x81, byte(n))
	case n < 1<<16:
		return append(b, tag, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		return append(b, tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendTLV[T ~string | ~[]byte](b []byte, tag byte, content T) []byte {
	return append(appendHeader(b, tag, len(content)), content...)
}

// tlv encodes one value of which the parts are the content octets, one behind
// the other.
func tlv(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := appendHeader(make([]byte, 0, tlvSize(n)), tag, n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// sortSet brings encodings into the order of a DER SET OF (X.690 11.6). A
// shorter one counts as padded with zeros; no encoding is a prefix of another,
// so the plain comparison gives the same order.
func sortSet(encodings [][]byte) { slices.SortFunc(encodings, bytes.Compare) }

func sortedSet(encodings [][]byte) bool { return slices.IsSortedFunc(encodings, bytes.Compare) }

// appendTime writes a Time as RFC 5652 11.3 demands: UTCTime from 1950 to 2049,
// GeneralizedTime before and after.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return appendTLV(b, tagUTCTime, t.Format("060102150405Z"))
	}
	return appendTLV(b, tagGeneralTime, t.Format("20060102150405Z"))
}

func readTime(s *cryptobyte.String) (time.Time, error) {
	var t time.Time
	switch {
	case s.PeekASN1Tag(casn1.UTCTime):
		if s.ReadASN1UTCTime(&t) {
			return t, nil
		}
	case s.PeekASN1Tag(casn1.GeneralizedTime):
		if s.ReadASN1GeneralizedTime(&t) {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("not a UTCTime or GeneralizedTime")
}

// ReadOID reads an OBJECT IDENTIFIER.
func ReadOID(s *cryptobyte.String) (OID, bool) {
	var c cryptobyte.String
	if !s.ReadASN1(&c, casn1.OBJECT_IDENTIFIER) {
		return "", false
	}
	o := OID(c)
	return o, o.Valid()
}
