package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
)

// maxTableOffset is the highest offset that ten digits of a cross-reference table
// hold.
const maxTableOffset = 9_999_999_999

// xrefWriter writes the cross-reference section and the trailer of an update.
type xrefWriter struct {
	update *Update
	placed []placedObject // by object number
}

// xrefEntry is one entry of a cross-reference stream (ISO 32000-2 table 18).
type xrefEntry struct {
	number uint32
	kind   byte   // 1: at an offset, 2: in an object stream
	second uint64 // offset, or number of the object stream
	third  uint32 // generation, or index in the object stream
}

// append writes the section at start; body is what the update wrote before it.
func (x *xrefWriter) append(w *encoder, start int64, body []byte) error {
	u := x.update
	trailer, newest, kind := u.doc.newestSection()
	trailer = trailer.Clone()
	for _, key := range []Name{"Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL"} {
		trailer.Delete(key)
	}
	x.identify(&trailer, body, w.marks, len(w.buf)-len(body))
	asStream := kind == XrefStream || u.doc.rebuilt || start-u.doc.base > maxTableOffset
	size := u.next
	if asStream {
		size++
	}
	trailer.Set("Size", Integer(size))
	if !u.doc.rebuilt {
		trailer.Set("Prev", Integer(newest-u.doc.base))
	}
	if asStream {
		if err := x.stream(w, start, trailer); err != nil {
			return err
		}
	} else {
		x.table(w, trailer)
	}
	w.buf = append(w.buf, "\nstartxref\n"...)
	w.buf = strconv.AppendInt(w.buf, start-u.doc.base, 10)
	w.buf = append(w.buf, "\n%%EOF\n"...)
	return nil
}

// identify keeps the first part of /ID and changes the second (ISO 32000-2
// 14.4). It is made from what the update wrote, so that the same input gives the
// same output.
func (x *xrefWriter) identify(trailer *Dict, body []byte, marks []Span, lead int) {
	id, err := x.update.doc.ResolveArray(trailer.Get("ID"))
	h := sha256.New()
	var first String
	if err == nil && len(id) > 0 {
		if s, ok := id[0].(String); ok {
			first = s
			h.Write([]byte(s))
		}
		if s, ok := id[len(id)-1].(String); ok {
			h.Write([]byte(s))
		}
	}
	h.Write(strconv.AppendInt(nil, x.update.doc.size, 10))
	at := 0
	for _, m := range marks { // what is filled in later says nothing yet
		h.Write(body[at : int(m.Start)-lead])
		at = int(m.End) - lead
	}
	h.Write(body[at:])
	second := String(h.Sum(nil)[:16])
	if first == "" {
		if x.update.doc.Encryption() != nil {
			return // the key was made without an ID, so there must not be one
		}
		first = second
	}
	trailer.Set("ID", Array{hexString(first), hexString(second)})
}

// hexString spells a part of the ID as everybody does.
func hexString(s String) Verbatim { return appendHex(make([]byte, 0, 2*len(s)+2), string(s)) }

// table writes a classic section (ISO 32000-2 7.5.4): runs of entries of twenty
// bytes.
func (x *xrefWriter) table(w *encoder, trailer Dict) {
	w.buf = append(w.buf, "xref\n"...)
	for i := 0; i < len(x.placed); {
		run := 1
		for i+run < len(x.placed) && x.placed[i+run].ref.Number == x.placed[i].ref.Number+uint32(run) {
			run++
		}
		w.buf = strconv.AppendUint(w.buf, uint64(x.placed[i].ref.Number), 10)
		w.buf = append(w.buf, ' ')
		w.buf = strconv.AppendInt(w.buf, int64(run), 10)
		w.buf = append(w.buf, '\n')
		for _, p := range x.placed[i : i+run] {
			w.buf = appendDigits(w.buf, uint64(p.span.Start-x.update.doc.base), 10)
			w.buf = append(w.buf, ' ')
			w.buf = appendDigits(w.buf, uint64(p.ref.Generation), 5)
			w.buf = append(w.buf, " n\r\n"...)
		}
		i += run
	}
	w.buf = append(w.buf, "trailer\n"...)
	w.object(trailer)
}

// appendDigits writes n with exactly width digits.
func appendDigits(dst []byte, n uint64, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// stream writes a cross-reference stream (ISO 32000-2 7.5.8) as the object with
// the next free number.
func (x *xrefWriter) stream(w *encoder, start int64, trailer Dict) error {
	u := x.update
	self := Ref{Number: u.next}
	var entries []xrefEntry
	if u.doc.rebuilt {
		entries = x.everything()
	}
	for _, p := range x.placed {
		entries = append(entries, xrefEntry{p.ref.Number, 1, uint64(p.span.Start - u.doc.base), uint32(p.ref.Generation)})
	}
	entries = append(entries, xrefEntry{self.Number, 1, uint64(start - u.doc.base), 0})
	slices.SortStableFunc(entries, func(a, b xrefEntry) int { return int(int64(a.number) - int64(b.number)) })
	entries = lastOfEach(entries)
	second, third := uint64(0), uint64(0)
	for _, e := range entries {
		second, third = max(second, e.second), max(third, uint64(e.third))
	}
	w2, w3 := bytesFor(second), bytesFor(third)
	data := make([]byte, 0, len(entries)*(1+w2+w3))
	var index Array
	if u.doc.rebuilt {
		// Object 0 heads the list of free objects.
		index = Array{Integer(0), Integer(1)}
		data = append(data, 0)
		data = appendBig(data, 0, w2)
		data = appendBig(data, 65535&(1<<(8*w3)-1), w3)
	}
	for i, e := range entries {
		if n := len(index); n > 0 && (i > 0 && entries[i-1].number+1 == e.number || i == 0 && e.number == 1) {
			count, _ := index[n-1].(Integer)
			index[n-1] = count + 1
		} else {
			index = append(index, Integer(e.number), Integer(1))
		}
		data = append(data, e.kind)
		data = appendBig(data, e.second, w2)
		data = appendBig(data, uint64(e.third), w3)
	}
	d := Dict{{"Type", Name("XRef")}, {"W", Array{Integer(1), Integer(w2), Integer(w3)}}, {"Index", index}}
	if len(data) > 1024 {
		var z bytes.Buffer
		zw := zlib.NewWriter(&z)
		if _, err := zw.Write(data); err != nil {
			return fmt.Errorf("compress the cross-reference stream: %w", err)
		}
		if err := zw.Close(); err != nil {
			return fmt.Errorf("compress the cross-reference stream: %w", err)
		}
		data = z.Bytes()
		d.Set("Filter", Name("FlateDecode"))
	}
	d = append(d, trailer...)
	w.buf = appendHead(w.buf, self)
	w.stream(&Stream{Dict: d}, data)
	w.buf = append(w.buf, "\nendobj"...)
	return nil
}

// everything lists the objects of a file whose cross-reference was rebuilt.
func (x *xrefWriter) everything() []xrefEntry {
	u := x.update
	var entries []xrefEntry
	u.doc.eachEntry(func(ref Ref, loc Location) {
		if ref.Number == 0 {
			return
		}
		if loc.Container.Number != 0 {
			entries = append(entries, xrefEntry{ref.Number, 2, uint64(loc.Container.Number), uint32(loc.Index)})
			return
		}
		entries = append(entries, xrefEntry{ref.Number, 1, uint64(loc.Offset - u.doc.base), uint32(ref.Generation)})
	})
	return entries
}

// lastOfEach keeps of entries with the same number the last one.
func lastOfEach(entries []xrefEntry) []xrefEntry {
	out := entries[:0]
	for i, e := range entries {
		if i+1 < len(entries) && entries[i+1].number == e.number {
			continue
		}
		out = append(out, e)
	}
	return out
}

// bytesFor is how many bytes hold n, at least one.
func bytesFor(n uint64) int {
	w := 1
	for n >>= 8; n > 0; n >>= 8 {
		w++
	}
	return w
}

func appendBig(dst []byte, n uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}
