package tsp

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"absah/pades/cms"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SyntaxError says that an input is not of the ASN.1 type that it should have.
type SyntaxError struct {
	Text string
}

func (e *SyntaxError) Error() string { return "tsp: " + e.Text }

func syntax(format string, args ...any) error { return &SyntaxError{fmt.Sprintf(format, args...)} }

// maxInteger bounds serial numbers and nonces, in octets. RFC 3161 2.4.2 asks for
// up to 20.
const maxInteger = 64

func addOID(b *cryptobyte.Builder, o cms.OID) {
	b.AddASN1(casn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
}

func readInteger(s *cryptobyte.String) (*big.Int, bool) {
	var c cryptobyte.String
	n := new(big.Int)
	whole := *s
	if !whole.ReadASN1(&c, casn1.INTEGER) || len(c) > maxInteger || !s.ReadASN1Integer(n) {
		return nil, false
	}
	return n, true
}

// imprint is MessageImprint (RFC 3161 2.4.1).
type imprint struct {
	algorithm cms.AlgorithmIdentifier
	digest    []byte
}

func readImprint(s *cryptobyte.String) (imprint, error) {
	var m imprint
	var c, digest cryptobyte.String
	if !s.ReadASN1(&c, casn1.SEQUENCE) {
		return m, syntax("malformed messageImprint")
	}
	a, err := cms.ReadAlgorithm(&c)
	if err != nil {
		return m, syntax("messageImprint: %v", err)
	}
	if !c.ReadASN1(&digest, casn1.OCTET_STRING) || !c.Empty() {
		return m, syntax("malformed messageImprint")
	}
	m.algorithm, m.digest = a, digest
	return m, nil
}

// addImprint writes NULL parameters for the digest algorithm: RFC 5754 2 has both
// forms accepted, and authorities of old know only this one.
func addImprint(b *cryptobyte.Builder, o cms.OID, digest []byte) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, o)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest)
	})
}

// readGenTime reads a GeneralizedTime with fractions of a second (RFC 3161 2.4.2):
// YYYYMMDDhhmmss[.s...]Z.
func readGenTime(s *cryptobyte.String) (time.Time, bool) {
	var c cryptobyte.String
	if !s.ReadASN1(&c, casn1.GeneralizedTime) || len(c) > 32 {
		return time.Time{}, false
	}
	text, ok := strings.CutSuffix(string(c), "Z")
	if !ok || len(text) < 14 || strings.Contains(text, ",") {
		return time.Time{}, false
	}
	t, err := time.Parse("20060102150405", text)
	return t, err == nil && !strings.HasSuffix(text, ".")
}

// genTime gives the content of a GeneralizedTime without trailing zeros in its
// fraction, as DER wants it (X.690 11.7).
func genTime(t time.Time) []byte {
	return []byte(t.UTC().Format("20060102150405.999") + "Z")
}
