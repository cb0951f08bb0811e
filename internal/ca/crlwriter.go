package ca

import (
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

var (
	oidDeltaCRL    = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDP   = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidFreshestCRL = asn1.ObjectIdentifier{2, 5, 29, 46}
)

const (
	headerRoom = 6  // octets of the longest header of a SEQUENCE
	entrySize  = 52 // of an entry with a serial of 20 octets and a reason
	sampleSize = 512
)

// listWriter writes CertificateList (RFC 5280 5.1) into one buffer. The entries
// come first; what stands before them is put in front of them when its length
// is known, and what follows behind.
type listWriter struct {
	head, tail []byte
	buf        []byte
	first      int // of buf: where the entries begin
	start      int // of buf: where TBSCertList begins, once tbs was called
	n          int
	rest       []byte        // entries behind the sample whose kind is not in it
	seen       map[kind]bool // in the sample
	sampled    int           // length of the entries in the sample
}

// kind is what entries differ in but their numbers.
type kind struct {
	reason  Reason
	general bool // GeneralizedTime
}

func newListWriter(head, tail []byte, size int) *listWriter {
	first := 3*headerRoom + len(head)
	w := &listWriter{head: head, tail: tail, first: first, seen: map[kind]bool{}}
	w.buf = make([]byte, first, first+size*entrySize+len(tail)+1<<10)
	return w
}

// add appends an entry. All its lengths are below 128, so each takes one octet.
func (w *listWriter) add(e entry) error {
	s := e.serial
	if len(s) == 0 || len(s) > maxSerialBytes || s[0] == 0 {
		return ErrMalformed
	}
	at := e.at.UTC().Truncate(time.Second)
	k := kind{e.reason, at.Year() >= 2050}
	before := len(w.buf)
	b := append(w.buf, 0x30, 0, 0x02, byte(len(s)))
	if s[0] >= 0x80 {
		b[len(b)-1]++
		b = append(b, 0)
	}
	b = append(b, s...)
	if k.general {
		b = append(b, 0x18, 15)
		b = at.AppendFormat(b, "20060102150405Z")
	} else {
		b = append(b, 0x17, 13)
		b = at.AppendFormat(b, "060102150405Z")
	}
	if e.reason != Unspecified { // is left out rather than said (5.3.1)
		b = append(b, 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, byte(e.reason))
	}
	b[before+1] = byte(len(b) - before - 2)
	w.buf = b
	switch {
	case w.n < sampleSize:
		w.sampled = len(b) - w.first
		w.seen[k] = true
	case !w.seen[k]:
		w.rest = append(w.rest, b[before:]...)
		w.seen[k] = true
	}
	w.n++
	return nil
}

// sample is a TBSCertList as it will be signed, but of a long list no more than
// the first entries and one of every kind that is not among them: entries are
// alike but for their numbers, and the lint reads each a dozen times.
func (w *listWriter) sample() []byte {
	entries := append(append([]byte(nil), w.buf[w.first:w.first+w.sampled]...), w.rest...)
	body := append([]byte(nil), w.head...)
	if len(entries) > 0 {
		body = append(appendHeader(body, 0x30, len(entries)), entries...)
	}
	body = append(body, w.tail...)
	return append(appendHeader(nil, 0x30, len(body)), body...)
}

// tbs closes TBSCertList; nothing can be added any more.
func (w *listWriter) tbs() []byte {
	at := w.first
	if w.n > 0 { // an empty list is left out (5.1.2.6)
		at = putBefore(w.buf, at, appendHeader(nil, 0x30, len(w.buf)-w.first))
	}
	at = putBefore(w.buf, at, w.head)
	w.buf = append(w.buf, w.tail...)
	w.start = putBefore(w.buf, at, appendHeader(nil, 0x30, len(w.buf)-at))
	return w.buf[w.start:]
}

// finish puts the signature behind.
func (w *listWriter) finish(alg sigAlg, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	alg.add(&b)
	b.AddASN1BitString(signature)
	end, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	w.buf = append(w.buf, end...)
	at := putBefore(w.buf, w.start, appendHeader(nil, 0x30, len(w.buf)-w.start))
	return w.buf[at:], nil
}

func putBefore(buf []byte, at int, b []byte) int {
	at -= len(b)
	copy(buf[at:], b)
	return at
}

// appendHeader appends tag and length in DER.
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
