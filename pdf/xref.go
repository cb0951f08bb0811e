package pdf

import "bytes"

const tailSize = 1024 // in which startxref must stand

// readChain finds startxref and follows it and every Prev.
func (d *Document) readChain() error {
	start, err := d.startxref()
	if err != nil {
		return err
	}
	s, err := d.newestAt(start)
	if err != nil {
		return err
	}
	seen := map[int64]bool(nil)
	for {
		if err := d.countEntries(s); err != nil {
			return err
		}
		d.sections = append(d.sections, s)
		if s.prev < 0 {
			d.markStale()
			return nil
		}
		if len(d.sections) >= d.limits.Sections {
			return &LimitError{"cross-reference sections", int64(d.limits.Sections)}
		}
		if seen == nil {
			seen = make(map[int64]bool)
		}
		seen[s.offset] = true
		next := s.prev + d.base
		if seen[next] {
			d.note(PrevLoop, s.offset, "Prev leads back to a section that was read")
			d.markStale()
			return nil
		}
		if s, err = d.readSection(next); err != nil {
			if mendable(err) {
				d.note(PrevWrong, next, "Prev points at no cross-reference section")
				if at, near := d.tableAround(next); near && !seen[at] {
					s, err = d.readSection(at)
					d.rebuilt = true
				}
			}
			if err != nil {
				return err
			}
		}
	}
}

// markStale marks the hybrid sections whose stream is that of an older one: a
// trailer copied with its XRefStm.
func (d *Document) markStale() {
	seen := make(map[int64]bool)
	for i := len(d.sections) - 1; i >= 0; i-- {
		if h := d.sections[i].hybrid; h != nil {
			d.sections[i].stale = seen[h.offset]
			seen[h.offset] = true
		}
	}
}

// startxref reads the number behind the last startxref.
func (d *Document) startxref() (int64, error) {
	n := min(d.size, tailSize)
	b, err := d.bytes(d.size-n, n)
	if err != nil {
		return 0, err
	}
	at := bytes.LastIndex(b, []byte("startxref"))
	if at < 0 {
		if n = min(d.size, 64<<10); n > tailSize {
			if b, err = d.bytes(d.size-n, n); err != nil {
				return 0, err
			}
			at = bytes.LastIndex(b, []byte("startxref"))
		}
		if at < 0 {
			d.note(StartxrefMissing, -1, "no startxref at the end of the file")
			return 0, &SyntaxError{d.size, "startxref expected"}
		}
		d.note(StartxrefFar, d.size-n+int64(at), "startxref stands before the last 1024 bytes")
	}
	p := parser{b: b, i: at + len("startxref"), base: d.size - n, whole: true}
	p.space()
	v, ok := p.unsigned()
	if !ok {
		d.note(StartxrefWrong, p.offset(), "no number behind startxref")
		return 0, p.fail("number expected behind startxref")
	}
	if p.comments {
		d.note(CommentInStructure, p.offset(), "comment behind startxref")
	}
	for p.i < len(b) && isWhite(b[p.i]) {
		p.i++
	}
	if !bytes.HasPrefix(b[p.i:], []byte("%%EOF")) {
		d.note(EOFMissing, p.offset(), "no %%EOF behind startxref")
	} else if p.i += 5; len(bytes.Trim(b[p.i:], " \r\n\t")) > 0 {
		d.note(TrailingBytes, p.offset(), "bytes behind the last %%EOF")
	}
	return v, nil
}

// newestAt reads the section that startxref names. With bytes before the header,
// offsets count from the header in most files, and from the start of the file in
// some: the one that leads to a section is right.
func (d *Document) newestAt(start int64) (*section, error) {
	s, err := d.readSection(start + d.base)
	if err != nil && mendable(err) && d.base > 0 {
		base := d.base
		d.base = 0
		if s, err := d.readSection(start); err == nil {
			return s, nil
		}
		d.base = base
	}
	if err != nil && mendable(err) {
		d.note(StartxrefWrong, start+d.base, "startxref points at no cross-reference section")
		if at, near := d.tableAround(start + d.base); near {
			return d.readSection(at)
		}
	}
	return s, err
}

// tableAround looks for the keyword xref some bytes before and behind offset.
func (d *Document) tableAround(offset int64) (int64, bool) {
	const reach = 32
	if offset < reach || offset >= d.size {
		return 0, false
	}
	b, _, err := d.at(offset-reach, 2*reach)
	if err != nil {
		return 0, false
	}
	b = b[:min(len(b), 2*reach)]
	best := int64(-1)
	for i := 0; ; {
		k := bytes.Index(b[i:], []byte("xref"))
		if k < 0 {
			return best, best >= 0
		}
		i += k
		if at := offset - reach + int64(i); i > 0 && isWhite(b[i-1]) && (best < 0 || distance(at, offset) < distance(best, offset)) {
			best = at
		}
		i += 4
	}
}

// readSection reads the section at offset.
func (d *Document) readSection(offset int64) (*section, error) {
	if offset < 0 || offset >= d.size {
		return nil, &SyntaxError{offset, "no cross-reference section: outside of the file"}
	}
	b, _, err := d.at(offset, 64)
	if err != nil {
		return nil, err
	}
	i := 0
	for i < min(len(b), 32) && isWhite(b[i]) {
		i++
	}
	if i > 0 {
		d.note(XrefSyntax, offset, "white space before a cross-reference section")
		b, offset = b[i:], offset+int64(i)
	}
	switch {
	case bytes.HasPrefix(b, []byte("xref")):
		return d.readTable(offset)
	case len(b) > 0 && isDigit(b[0]):
		return d.readXrefStream(offset)
	}
	return nil, &SyntaxError{offset, "cross-reference section expected"}
}

// finish reads what both kinds of sections have in their trailer.
func (d *Document) finish(s *section) error {
	s.prev = -1
	switch v := s.trailer.Get("Prev").(type) {
	case nil:
	case Integer:
		switch s.prev = int64(v); {
		case s.prev == 0: // said for "none" by some producers
			d.note(PrevZero, s.offset, "Prev is 0")
			s.prev = -1
		case s.prev < 0:
			d.note(PrevWrong, s.offset, "Prev is negative")
			s.prev = -1
		}
	case Real: // written so by some producers
		d.note(PrevWrong, s.offset, "Prev is a real number")
		s.prev = int64(v)
	default:
		d.note(PrevWrong, s.offset, "Prev is no number")
		return &TypeError{"an integer", v}
	}
	if s.arrange() {
		d.note(XrefOverlap, s.offset, "subsections overlap")
		return d.loosen(s)
	}
	if size, ok := s.trailer.Get("Size").(Integer); !ok || size < Integer(s.next()) {
		d.note(XrefSize, s.offset, "Size is less than the highest object number plus one")
	}
	return nil
}

// loosen turns overlapping subsections into a map in which the last one counts.
func (d *Document) loosen(s *section) error {
	loose := make(map[uint32]XrefEntry)
	subs := s.subs
	for i := range subs {
		s.subs = subs[i : i+1]
		if err := s.each(d.file, func(e XrefEntry) bool {
			loose[e.Ref.Number] = e
			return len(loose) <= d.limits.Objects
		}); err != nil {
			return err
		}
	}
	s.subs, s.loose = nil, loose
	return nil
}

// readHybrid reads the stream that the trailer of a table names.
func (d *Document) readHybrid(s *section, at int64) error {
	h, err := d.readXrefStream(at + d.base)
	if err != nil {
		if mendable(err) {
			d.note(HybridConflict, s.offset, "XRefStm points at no cross-reference stream")
			return nil
		}
		return err
	}
	s.kind, s.hybrid = XrefHybrid, h
	return nil
}
