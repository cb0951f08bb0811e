package pades

import (
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"

	"absah/pdf"
)

// draft is an update with a signature dictionary whose /Contents is still empty:
// of a signature or of a document timestamp.
type draft struct {
	update *pdf.Update
	ref    pdf.Ref  // of the signature dictionary
	dict   pdf.Dict // without /ByteRange and /Contents

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

// tailRoom is what an update takes beside /Contents, as a rule.
const tailRoom = 4 << 10

// lay writes the update with reserve bytes for the signature, and the byte range
// around them.
func (d *draft) lay(reserve int) error {
	doc := d.update.Document()
	width := rangeWidth(doc.Size())
	dict := make(pdf.Dict, 0, len(d.dict)+2)
	dict = append(dict, d.dict...)
	placeholder := make(pdf.Verbatim, 2*reserve+2)
	placeholder[0], placeholder[len(placeholder)-1] = '<', '>'
	for i := 1; i < len(placeholder)-1; i++ {
		placeholder[i] = '0'
	}
	byteRange := make(pdf.Verbatim, len("[0 ")+3*width+len("  ]"))
	for i := range byteRange {
		byteRange[i] = ' '
	}
	dict = append(dict,
		pdf.Entry{Key: "ByteRange", Value: byteRange},
		pdf.Entry{Key: "Contents", Value: placeholder})
	d.update.Set(d.ref, dict)
	if need := 2*reserve + tailRoom; cap(d.tail) < need {
		d.tail = make([]byte, 0, need)
	}
	tail, offsets, err := d.update.AppendTail(d.tail[:0])
	if err != nil {
		return fmt.Errorf("write the update: %w", err)
	}
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
	hex.Encode(d.tail[d.contents.Start-d.start+1:], signature)
	return nil
}
