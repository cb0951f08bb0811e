package validation

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"sync"

	"absah/pades/hashfn"
	"absah/pdf"
)

// coverage is what the ByteRange of a signature covers (ISO 32000-2 12.8.1).
type coverage struct {
	gapStart, gapEnd int64 // of Contents as written, with its angle brackets
	end              int64 // of what is covered
	revision         int   // index of the revision whose end that is; -1 where it is none
	contents         []byte
}

// rangeError says why a ByteRange cannot be that of a sound signature.
type rangeError struct{ code, text string }

func (e *rangeError) Error() string { return e.text }

func refuse(code, format string, args ...any) error {
	return &rangeError{code, fmt.Sprintf(format, args...)}
}

// cover checks that ByteRange is [0 a b c], that the gap [a, b) is exactly the
// hexadecimal string of Contents in the very dictionary that the field names,
// and that b+c is the end of a revision. Anything else lets bytes escape that a
// reader would take for signed.
func cover(doc *pdf.Document, c *candidate) (*coverage, error) {
	if key, twice := c.dict.Duplicate(); twice {
		return nil, refuse(codeKeyTwice, "the signature dictionary has the key %s twice", key)
	}
	list, ok := c.dict.Get("ByteRange").(pdf.Array)
	if !ok {
		return nil, refuse(codeByteRange, "the signature has no ByteRange")
	}
	if len(list) != 4 {
		return nil, refuse(codeByteRange, "ByteRange has %d numbers, 4 are needed", len(list))
	}
	var n [4]int64
	for i, o := range list {
		v, ok := o.(pdf.Integer)
		if !ok || v < 0 {
			return nil, refuse(codeByteRange, "ByteRange holds something that is not a position")
		}
		n[i] = int64(v)
	}
	cov := &coverage{gapStart: n[1], gapEnd: n[2], revision: -1}
	if n[0] != 0 {
		return nil, refuse(codeByteRange, "ByteRange does not begin at the start of the file")
	}
	if n[2] > doc.Size() || n[3] > doc.Size()-n[2] {
		return nil, refuse(codeByteRange, "ByteRange reaches beyond the end of the file")
	}
	if n[1] <= 0 || n[2] <= n[1]+1 {
		return nil, refuse(codeByteRange, "ByteRange leaves no room for the signature, or overlaps")
	}
	cov.end = n[2] + n[3]
	if err := cov.matchContents(doc, c); err != nil {
		return nil, err
	}
	for i, r := range doc.Revisions() {
		if cov.end <= r.End && cov.end >= r.End-2 && cov.gapStart >= r.Start {
			if rest, err := doc.Raw(cov.end, r.End-cov.end); err == nil && len(bytes.Trim(rest, "\r\n")) == 0 {
				cov.revision = i
			}
		}
	}
	if cov.revision < 0 {
		return cov, refuse(codeRevision, "what the signature covers does not end where a revision of the file ends")
	}
	return cov, nil
}

// written is the signature dictionary as its bytes say, with the places of its
// values. It has to be an object of its own, or the value of a field that is one;
// then the bytes around it are covered like all others, and only the field that was
// signed can hold it.
func written(doc *pdf.Document, c *candidate) (pdf.Dict, []pdf.Span, error) {
	loc, ok := doc.Locate(c.at)
	switch {
	case !ok:
		return nil, nil, refuse(codeNested, "the signature dictionary is written within another object than its form field, so its place in the file cannot be told")
	case loc.Container != (pdf.Ref{}):
		return nil, nil, refuse(codeNested, "the signature dictionary lies in an object stream, so Contents has no place in the file that could be left out of what is signed")
	}
	ref, object, spans, err := doc.ParseAt(loc.Offset)
	if err != nil {
		return nil, nil, fmt.Errorf("read the signature dictionary as written: %w", err)
	}
	d, isDict := object.(pdf.Dict)
	if ref.Number != c.at.Number || !isDict {
		return nil, nil, refuse(codePlace, "the signature dictionary is not where the cross-reference says")
	}
	if c.ref != (pdf.Ref{}) {
		return d, spans.Values, nil
	}
	if key, twice := d.Duplicate(); twice {
		return nil, nil, refuse(codeKeyTwice, "the signature's field has the key %s twice", key)
	}
	i := slices.IndexFunc(d, func(e pdf.Entry) bool { return e.Key == "V" })
	if i < 0 || i >= len(spans.Values) {
		return nil, nil, refuse(codePlace, "the signature's field has no value where the cross-reference says")
	}
	v, places, err := doc.DictAt(spans.Values[i])
	if err != nil {
		return nil, nil, fmt.Errorf("read the signature dictionary as written in its field: %w", err)
	}
	return v, places, nil
}

// matchContents compares the gap with the place of Contents as written in the
// signature dictionary that the field leads to.
func (cov *coverage) matchContents(doc *pdf.Document, c *candidate) error {
	d, spans, err := written(doc, c)
	if err != nil {
		return err
	}
	text, isString := d.Get("Contents").(pdf.String)
	i := slices.IndexFunc(d, func(e pdf.Entry) bool { return e.Key == "Contents" })
	if !isString || i < 0 || i >= len(spans) {
		return refuse(codePlace, "Contents is not written in the signature dictionary itself")
	}
	span := spans[i]
	cov.contents = []byte(text)
	if span.Start != cov.gapStart || span.End != cov.gapEnd {
		// A few writers leave the brackets within the range: nothing escapes.
		if span.Start != cov.gapStart-1 || span.End != cov.gapEnd+1 {
			return refuse(codePlace, "the gap of ByteRange is not the place of Contents")
		}
	}
	if span.End-span.Start > maxContents {
		return refuse(codeContents, "Contents is larger than %d bytes", maxContents)
	}
	raw, err := doc.Raw(span.Start, span.End-span.Start)
	if err != nil {
		return fmt.Errorf("read Contents: %w", err)
	}
	if len(raw) < 2 || raw[0] != '<' || raw[len(raw)-1] != '>' {
		return refuse(codeContents, "Contents is not a hexadecimal string")
	}
	for _, b := range raw[1 : len(raw)-1] {
		if !hexDigits[b] {
			return refuse(codeContents, "Contents holds something that is not a hexadecimal digit")
		}
	}
	return nil
}

// maxContents bounds Contents as written.
const maxContents = 32 << 20

// hexDigits marks what a hexadecimal string may hold.
var hexDigits = func() (t [256]bool) {
	// White space is allowed (7.3.4.3), and some writers pad with it.
	for _, b := range []byte("0123456789abcdefABCDEF\n\r \t\f\x00") {
		t[b] = true
	}
	return t
}()

// digests computes the digest of the covered bytes by each of the hashes, reading
// the file once.
func digests(ctx context.Context, r *tracked, cov *coverage, hashes ...crypto.Hash) (map[crypto.Hash][]byte, error) {
	all := map[crypto.Hash]hash.Hash{}
	var writers []io.Writer
	for _, h := range hashes {
		if all[h] != nil || !hashfn.Available(h) {
			continue
		}
		all[h] = hashfn.New(h)
		writers = append(writers, all[h])
	}
	w := io.MultiWriter(writers...)
	if len(writers) == 1 {
		w = writers[0]
	}
	for _, span := range [][2]int64{{0, cov.gapStart}, {cov.gapEnd, cov.end}} {
		if err := copySpan(ctx, w, r, span[0], span[1]); err != nil {
			return nil, fmt.Errorf("read what is signed: %w", err)
		}
	}
	out := map[crypto.Hash][]byte{}
	for h, w := range all {
		out[h] = w.Sum(nil)
	}
	return out, nil
}

const chunk = 256 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunk); return &b }}

func copySpan(ctx context.Context, w io.Writer, r *tracked, from, to int64) error {
	if b, ok := r.ReaderAt.(pdf.Bytes); ok && from <= to && to <= int64(len(b)) {
		_, err := w.Write(b[from:to])
		return err
	}
	b := *chunks.Get().(*[]byte)
	defer chunks.Put(&b)
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := b[:min(int64(len(b)), to-from)]
		n, err := r.ReadAt(part, from)
		if n < len(part) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		from += int64(n)
	}
	return nil
}
