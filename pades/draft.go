package pades

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash"
	"strconv"
	"sync"

	"absah/pdf"
)

// draft is an update with a signature dictionary whose /Contents is still empty:
// of a signature or of a document timestamp.
type draft struct {
	update *pdf.Update
	ref    pdf.Ref  // of the signature dictionary
	dict   pdf.Dict // without /ByteRange and /Contents

	memory   *scratch
	reserve  int // bytes in /Contents
	tail     []byte
	offsets  pdf.Offsets
	contents pdf.Span // of the value of /Contents in the file, with its brackets
	start    int64    // of tail in the file
}

// rangeWidth is how many digits each number of a /ByteRange gets: ten, and more
// for files that need them. Nothing is signed that does not fit.
func rangeWidth(size int64) int {
	return max(10, len(strconv.FormatInt(size+1<<32, 10)))
}

// scratch is the memory of an update, used again by the next signature.
type scratch struct{ tail, hole, cms []byte }

// maxScratch is the size from which memory is not kept.
const maxScratch = 1 << 20

var scratchPool = sync.Pool{New: func() any { return &scratch{} }}

// placeholder is an empty value of /Contents for n bytes.
func (s *scratch) placeholder(n int) pdf.Verbatim {
	n = 2*n + 2
	if cap(s.hole) < n {
		s.hole = bytes.Repeat([]byte("0"), n)
	}
	s.hole[len(s.hole)-1] = '0' // where the last one ended
	s.hole = s.hole[:n]
	s.hole[0], s.hole[n-1] = '<', '>'
	return s.hole
}

// release gives the memory of the draft, with its tail, to the next one.
func (d *draft) release() {
	if d.memory != nil && cap(d.memory.tail) <= maxScratch && cap(d.memory.hole) <= maxScratch && cap(d.memory.cms) <= maxScratch {
		scratchPool.Put(d.memory)
	}
	d.memory, d.tail = nil, nil
}

// lay writes the update with reserve bytes for the signature, and the byte range
// around them.
func (d *draft) lay(reserve int) error {
	doc := d.update.Document()
	width := rangeWidth(doc.Size())
	if d.memory == nil {
		d.memory, _ = scratchPool.Get().(*scratch)
	}
	placeholder := d.memory.placeholder(reserve)
	byteRange := make(pdf.Verbatim, len("[0 ")+3*width+len("  ]"))
	for i := range byteRange {
		byteRange[i] = ' '
	}
	// What is laid out again takes the place of the earlier entries.
	d.update.Set(d.ref, append(d.dict,
		pdf.Entry{Key: "ByteRange", Value: byteRange},
		pdf.Entry{Key: "Contents", Value: placeholder}))
	tail, offsets, err := d.update.AppendTail(d.memory.tail[:0])
	if err != nil {
		return fmt.Errorf("write the update: %w", err)
	}
	d.memory.tail = tail
	marks := offsets.Verbatims(d.ref)
	if len(marks) != 2 {
		return fmt.Errorf("the signature dictionary has %d places to fill in, not 2", len(marks))
	}
	d.reserve, d.tail, d.offsets, d.start, d.contents = reserve, tail, offsets, doc.Size(), marks[1]
	at := tail[marks[0].Start-d.start : marks[0].End-d.start]
	b := append(at[:0], "[0 "...)
	b = strconv.AppendInt(b, d.contents.Start, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, d.contents.End, 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, offsets.End-d.contents.End, 10)
	b = append(b, ']')
	if len(b) > len(at) {
		return fmt.Errorf("the byte range does not fit into %d characters", len(at))
	}
	return nil
}

// hash runs the signed parts of the tail through h, which has seen the file.
func (d *draft) hash(h hash.Hash) []byte {
	h.Write(d.tail[:d.contents.Start-d.start])
	h.Write(d.tail[d.contents.End-d.start:])
	return h.Sum(nil)
}

// SpaceError tells that a signature with its timestamp is longer than the place
// that was kept for it. Prepare again, with Options.Reserve.
type SpaceError struct{ Have, Need int } // bytes

func (e *SpaceError) Error() string {
	return fmt.Sprintf("a signature of %d bytes does not fit into the %d bytes kept for it", e.Need, e.Have)
}

// embed puts the signature into its place.
func (d *draft) embed(signature []byte) error {
	if len(signature) > d.reserve {
		return &SpaceError{d.reserve, len(signature)}
	}
	at := d.tail[d.contents.Start-d.start+1:][:2*len(signature)]
	for i, c := range signature {
		// Twice as fast as encoding/hex, which looks up digit by digit.
		binary.LittleEndian.PutUint16(at[2*i:], hexPairs[c])
	}
	return nil
}

// hexPairs holds the two digits of each octet, the first in the lower half.
var hexPairs = func() (pairs [256]uint16) {
	const digits = "0123456789abcdef"
	for i := range pairs {
		pairs[i] = uint16(digits[i>>4]) | uint16(digits[i&15])<<8
	}
	return pairs
}()
