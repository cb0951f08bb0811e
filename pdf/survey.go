package pdf

import (
	"bytes"
	"context"
)

// itemKind is what a piece of a file is, by itself.
type itemKind uint8

const (
	itemObject    itemKind = iota // "n g obj" to behind endobj
	itemTable                     // "xref" to before "trailer"
	itemTrailer                   // "trailer << ... >>"
	itemStartxref                 // "startxref n"
	itemEOF                       // "%%EOF"
	itemComment
	itemJunk // anything else but white space
)

// item is one piece of a file.
type item struct {
	kind       itemKind
	start, end int64
	ref        Ref
	object     Object // of an object, as written; the dictionary of a trailer
	value      int64  // behind startxref
	failed     error  // why an object could not be read
}

// survey goes through the bytes [from, to) in their order and shows each piece to
// visit, whatever cross-reference sections say. It takes time linear in the number
// of bytes, and stops where visit returns false.
func (d *Document) survey(ctx context.Context, from, to int64, visit func(item) bool) error {
	pos := from
	for n := 0; pos < to; n++ {
		if n%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		b, last, err := d.at(pos, 64)
		if err != nil {
			return err
		}
		i := 0
		for i < len(b) && isWhite(b[i]) {
			i++
		}
		if pos += int64(i); i == len(b) || pos >= to {
			continue
		}
		if len(b)-i < 64 && !last {
			if b, _, err = d.at(pos, 64); err != nil {
				return err
			}
			i = 0
		}
		it, err := d.itemAt(pos, b[i:])
		if err != nil {
			return err
		}
		if it.end <= pos {
			it.end = pos + 1
		}
		if !visit(it) {
			return nil
		}
		pos = it.end
	}
	return nil
}

// itemAt reads the piece that begins at pos; b are the bytes there.
func (d *Document) itemAt(pos int64, b []byte) (item, error) {
	switch {
	case b[0] == '%':
		return d.commentAt(pos, b)
	case isDigit(b[0]):
		return d.objectAt(pos, b)
	case bytes.HasPrefix(b, []byte("xref")):
		it := item{kind: itemTable, start: pos}
		end, err := d.tableEnd(pos)
		it.end = end
		return it, err
	case bytes.HasPrefix(b, []byte("trailer")):
		it := item{kind: itemTrailer, start: pos}
		var err error
		it.end, err = d.parse(pos+int64(len("trailer")), func(p *parser) error {
			it.object, _, it.failed = p.value()
			return nil
		})
		if it.failed != nil || err != nil {
			it.end = pos + int64(len("trailer"))
		}
		return it, hard(err)
	case bytes.HasPrefix(b, []byte("startxref")):
		it := item{kind: itemStartxref, start: pos, value: -1}
		var err error
		it.end, err = d.parse(pos+int64(len("startxref")), func(p *parser) error {
			p.space()
			if v, ok := p.unsigned(); ok {
				it.value = v
			}
			return nil
		})
		return it, err
	}
	j := 1
	for j < len(b) && isRegular(b[0]) && isRegular(b[j]) {
		j++
	}
	return item{kind: itemJunk, start: pos, end: pos + int64(j)}, nil
}

// hard drops errors that come from what the file holds.
func hard(err error) error {
	if err == nil || mendable(err) {
		return nil
	}
	return err
}

func (d *Document) commentAt(pos int64, b []byte) (item, error) {
	if bytes.HasPrefix(b, []byte("%%EOF")) {
		return item{kind: itemEOF, start: pos, end: pos + 5}, nil
	}
	it := item{kind: itemComment, start: pos}
	end := pos
	for {
		b, last, err := d.at(end, 256)
		if err != nil {
			return it, err
		}
		i := bytes.IndexAny(b, "\r\n")
		if i >= 0 || last {
			if i < 0 {
				i = len(b)
			}
			it.end = end + int64(i)
			return it, nil
		}
		end += int64(len(b))
	}
}

// objectAt reads an object that may begin at pos. Digits that begin none are junk.
func (d *Document) objectAt(pos int64, b []byte) (item, error) {
	it := item{kind: itemObject, start: pos}
	if !headerPossible(b) {
		it.kind = itemJunk
		j := 1
		for j < len(b) && isDigit(b[j]) {
			j++
		}
		it.end = pos + int64(j)
		return it, nil
	}
	l, known := d.cached(pos)
	if !known && d.scanning {
		var err error
		if l, known, err = d.skimAt(pos); err != nil {
			return it, err
		}
	}
	if !known {
		l, it.failed = d.loadAt(pos, nil)
	}
	if err := hard(it.failed); err != nil {
		return it, err
	}
	it.ref, it.object, it.end = l.ref, l.object, l.end
	if it.failed != nil {
		// Behind its header at the least, or where reading gave up. What lies in
		// between may hold further objects when only the syntax was odd.
		var syntax *SyntaxError
		p := parser{b: b, base: pos, whole: true}
		if ref, err := p.header(); err == nil {
			it.ref = ref
			if asSyntax(it.failed, &syntax) || it.end < p.offset() {
				it.end = p.offset()
			}
		} else {
			it.kind, it.end = itemJunk, pos+1
		}
		return it, nil
	}
	return it, d.giveBack(&it)
}

// giveBack shortens an object that lost its end and so took the number and
// generation of the next one for its own: "<< /A 1 2 0 obj".
func (d *Document) giveBack(it *item) error {
	b, _, err := d.at(it.end, 4)
	if err != nil || !bytes.HasPrefix(b, []byte("obj")) {
		return err
	}
	n := min(it.end-it.start, 24)
	before, err := d.bytes(it.end-n, n)
	if err != nil {
		return err
	}
	i := len(before)
	for range 2 {
		for i > 0 && isWhite(before[i-1]) {
			i--
		}
		from := i
		for i > 0 && isDigit(before[i-1]) {
			i--
		}
		if i == from {
			return nil
		}
	}
	if i > 0 {
		it.end -= int64(len(before) - i)
	}
	return nil
}

// headerPossible reports whether b begins with "n g obj", roughly.
func headerPossible(b []byte) bool {
	i := 0
	for range 2 {
		from := i
		for i < len(b) && isDigit(b[i]) {
			i++
		}
		if i == from || i-from > 10 {
			return false
		}
		from = i
		for i < len(b) && isWhite(b[i]) {
			i++
		}
		if i < len(b) && b[i] == '%' {
			return true // a comment: let the parser decide
		}
		if i == from {
			return false
		}
	}
	return bytes.HasPrefix(b[i:], []byte("obj"))
}

// tableEnd returns the place behind the last entry of the table at pos.
func (d *Document) tableEnd(pos int64) (int64, error) {
	end := pos + int64(len("xref"))
	for {
		b, last, err := d.at(end, 4096)
		if err != nil {
			return end, err
		}
		i := 0
		for i < len(b) && (isWhite(b[i]) || isDigit(b[i]) || b[i] == 'n' || b[i] == 'f') {
			i++
		}
		if end += int64(i); i < len(b) || last {
			break
		}
	}
	// The digits before "obj" are those of an object that follows without trailer.
	it := item{start: pos, end: end}
	return it.end, d.giveBackTo(&it, &end)
}

func (d *Document) giveBackTo(it *item, end *int64) error {
	err := d.giveBack(it)
	*end = it.end
	return err
}
