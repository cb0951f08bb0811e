package ca

import (
	"encoding/asn1"
	"fmt"
	"iter"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// certList is a CRL as read back. It keeps no copies: a list may have tens of
// megabytes.
type certList struct {
	number, base           int64
	thisUpdate, nextUpdate time.Time
	entries                cryptobyte.String
}

// CRLNumber returns the number of a CRL in DER.
func CRLNumber(der []byte) (int64, error) {
	list, err := parseList(der)
	if err != nil {
		return 0, fmt.Errorf("parse CRL: %w", err)
	}
	return list.number, nil
}

// parseList reads a CRL of ours, but for its entries. The signature is not
// verified.
func parseList(der []byte) (*certList, error) {
	bad := func(what string) (*certList, error) { return nil, fmt.Errorf("%s: %w", what, ErrMalformed) }
	s := cryptobyte.String(der)
	var outer, tbs, alg, name cryptobyte.String
	if !s.ReadASN1(&outer, cbasn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return bad("outer structure")
	}
	var version int64
	if !tbs.ReadASN1Integer(&version) || version != 1 || !tbs.ReadASN1(&alg, cbasn1.SEQUENCE) || !tbs.ReadASN1(&name, cbasn1.SEQUENCE) {
		return bad("head")
	}
	list := &certList{}
	if !readTime(&tbs, &list.thisUpdate) || !readTime(&tbs, &list.nextUpdate) {
		return bad("times")
	}
	if tbs.PeekASN1Tag(cbasn1.SEQUENCE) && !tbs.ReadASN1(&list.entries, cbasn1.SEQUENCE) {
		return bad("entries")
	}
	var wrapper, exts cryptobyte.String
	if !tbs.ReadASN1(&wrapper, explicit(0)) || !tbs.Empty() || !wrapper.ReadASN1(&exts, cbasn1.SEQUENCE) || !wrapper.Empty() {
		return bad("extensions")
	}
	for !exts.Empty() {
		var e, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !exts.ReadASN1(&e, cbasn1.SEQUENCE) || !e.ReadASN1ObjectIdentifier(&oid) ||
			(e.PeekASN1Tag(cbasn1.BOOLEAN) && !e.ReadASN1Boolean(&critical)) || !e.ReadASN1(&value, cbasn1.OCTET_STRING) || !e.Empty() {
			return bad("extensions")
		}
		switch {
		case oid.Equal(oidCRLNumber):
			if !value.ReadASN1Integer(&list.number) || !value.Empty() {
				return bad("number")
			}
		case oid.Equal(oidDeltaCRL):
			if !value.ReadASN1Integer(&list.base) || !value.Empty() {
				return bad("base number")
			}
		}
	}
	if list.number < 1 {
		return bad("no number")
	}
	return list, nil
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(cbasn1.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

// all reads the entries in turn; each serial is valid until the next.
func (l *certList) all() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		rest := l.entries
		for !rest.Empty() {
			e, err := readEntry(&rest)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func readEntry(s *cryptobyte.String) (entry, error) {
	var e entry
	var row, serial, exts cryptobyte.String
	bad := fmt.Errorf("entry of a CRL: %w", ErrMalformed)
	if !s.ReadASN1(&row, cbasn1.SEQUENCE) || !row.ReadASN1(&serial, cbasn1.INTEGER) || !readTime(&row, &e.at) {
		return e, bad
	}
	for len(serial) > 0 && serial[0] == 0 {
		serial = serial[1:]
	}
	if e.serial = serial; len(serial) == 0 {
		return e, bad
	}
	if row.Empty() {
		return e, nil
	}
	if !row.ReadASN1(&exts, cbasn1.SEQUENCE) || !row.Empty() {
		return e, bad
	}
	for !exts.Empty() {
		var x, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !exts.ReadASN1(&x, cbasn1.SEQUENCE) || !x.ReadASN1ObjectIdentifier(&oid) ||
			(x.PeekASN1Tag(cbasn1.BOOLEAN) && !x.ReadASN1Boolean(&critical)) || !x.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return e, bad
		}
		var reason int
		if oid.Equal(oidReasonCode) {
			if !value.ReadASN1Enum(&reason) || !value.Empty() {
				return e, bad
			}
			e.reason = Reason(reason)
		}
	}
	return e, nil
}
