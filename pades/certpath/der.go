package certpath

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// errMalformed is the cause when DER does not have the shape that RFC 5280 or
// RFC 6960 gives it.
var errMalformed = errors.New("malformed DER")

func malformed(what string) error { return fmt.Errorf("%s: %w", what, errMalformed) }

func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
func implicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }

// readTime reads a Time, RFC 5280 4.1.2.5.
func readTime(s *cryptobyte.String) (t time.Time, ok bool) {
	if s.PeekASN1Tag(cbasn1.UTCTime) {
		ok = s.ReadASN1UTCTime(&t)
	} else {
		ok = s.ReadASN1GeneralizedTime(&t)
	}
	return t.UTC(), ok
}

// readFlag reads an implicitly tagged BOOLEAN DEFAULT FALSE.
func readFlag(s *cryptobyte.String, n uint8) (bool, bool) {
	var c cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&c, &present, implicit(n)) {
		return false, false
	}
	if !present {
		return false, true
	}
	if len(c) != 1 || c[0] != 0 && c[0] != 0xff {
		return false, false
	}
	return c[0] == 0xff, true
}

// readBits reads the contents of a BIT STRING of named bits into a mask whose
// bit i is named bit i. Bits behind the 16th are dropped.
func readBits(c cryptobyte.String) (mask uint16, ok bool) {
	var unused uint8
	if !c.ReadUint8(&unused) || unused > 7 || len(c) == 0 && unused != 0 {
		return 0, false
	}
	for i := 0; i < len(c) && i < 2; i++ {
		for b := range 8 {
			if c[i]&(0x80>>b) != 0 && (i < len(c)-1 || b < 8-int(unused)) {
				mask |= 1 << (8*i + b)
			}
		}
	}
	return mask, true
}

// readCount reads an implicitly tagged INTEGER (0..MAX); -1 when absent. What
// is beyond any path length becomes maxCount.
func readCount(s *cryptobyte.String, tag cbasn1.Tag) (int, bool) {
	var c cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&c, &present, tag) {
		return 0, false
	}
	if !present {
		return -1, true
	}
	return countOf(c)
}

// maxCount stands for every number that is larger.
const maxCount = 1 << 20

func countOf(c cryptobyte.String) (int, bool) {
	if len(c) == 0 || c[0]&0x80 != 0 || len(c) > 1 && c[0] == 0 && c[1]&0x80 == 0 {
		return 0, false
	}
	n := 0
	for _, b := range c {
		if n = n<<8 | int(b); n > maxCount {
			n = maxCount
		}
	}
	return n, true
}

// An Extension is one extension of a certificate, CRL, CRL entry or OCSP
// answer, RFC 5280 4.2.
type Extension struct {
	ID       string // contents octets of the object identifier
	Critical bool
	Value    []byte // contents of extnValue
}

// readExtensions reads the Extensions in the SEQUENCE s begins with. No
// identifier may occur twice.
func readExtensions(s cryptobyte.String) ([]Extension, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, malformed("extensions")
	}
	return readExtensionList(seq)
}

func readExtensionList(seq cryptobyte.String) ([]Extension, error) {
	var out []Extension
	for !seq.Empty() {
		var one, value cryptobyte.String
		var e Extension
		var ok bool
		if !seq.ReadASN1(&one, cbasn1.SEQUENCE) {
			return nil, malformed("extension")
		}
		if e.ID, ok = readOID(&one); !ok {
			return nil, malformed("extension identifier")
		}
		if one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&e.Critical) {
			return nil, malformed("extension criticality")
		}
		if !one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return nil, malformed("extension value")
		}
		for _, o := range out {
			if o.ID == e.ID {
				return nil, malformed("extension that occurs twice")
			}
		}
		if len(out) == maxExtensions {
			return nil, malformed("number of extensions")
		}
		e.Value = value
		out = append(out, e)
	}
	return out, nil
}

// maxExtensions bounds the extensions of one certificate, CRL, entry or answer.
const maxExtensions = 100

// sequence gives the contents of the SEQUENCE that is all of b.
func sequence(b []byte) (c cryptobyte.String, ok bool) {
	s := cryptobyte.String(b)
	ok = s.ReadASN1(&c, cbasn1.SEQUENCE) && s.Empty()
	return c, ok
}

// readSignature reads the BIT STRING of a signature. One that does not end on
// an octet is no signature of any scheme; it is told apart from broken DER.
func readSignature(s *cryptobyte.String) (value []byte, ok bool, bad error) {
	var c cryptobyte.String
	if !s.ReadASN1(&c, cbasn1.BIT_STRING) || len(c) == 0 || c[0] > 7 {
		return nil, false, nil
	}
	if c[0] != 0 {
		return nil, true, fmt.Errorf("bits behind the last octet: %w", ErrSignature)
	}
	return c[1:], true, nil
}
