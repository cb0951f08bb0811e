package pdf

import "bytes"

// readTable reads the table at offset (7.5.4). Where it is written as it must
// be, its entries are stepped over and left in the file.
func (d *Document) readTable(offset int64) (*section, error) {
	s := &section{offset: offset, kind: XrefTable}
	at := offset + int64(len("xref"))
	total := 0
	for {
		b, last, err := d.at(at, 512)
		if err != nil {
			return nil, err
		}
		p := parser{b: b, base: at, whole: last}
		p.space()
		if p.comments {
			d.note(CommentInStructure, at, "comment in a cross-reference table")
		}
		if !isDigit(p.peek()) {
			at = p.offset()
			break
		}
		first, ok1 := p.unsigned()
		p.space()
		count, ok2 := p.unsigned()
		p.space()
		if !ok1 || !ok2 || p.short {
			return nil, &SyntaxError{p.offset(), "subsection of a cross-reference table expected"}
		}
		if total += int(min(count, 1<<40)); first > maxObjectNumber || first+count > maxObjectNumber+1 || total > d.limits.Objects {
			return nil, &LimitError{"objects", int64(d.limits.Objects)}
		}
		if count == 0 {
			at = p.offset()
			continue
		}
		sub := subsection{uint32(first), uint32(count), p.offset()}
		sound, err := d.soundSubsection(&sub)
		if err != nil {
			return nil, err
		}
		if !sound {
			return d.readLooseTable(offset)
		}
		if first == 1 && len(s.subs) == 0 && d.shifted(sub.at) {
			sub.first = 0
		}
		s.subs = append(s.subs, sub)
		at = sub.at + count*tableEntry
	}
	return s, d.readTrailer(s, at)
}

// shifted reports whether the subsection at this place, that begins with 1, has
// the head of the free list as its first entry: a known fault of producers, which
// count one too high.
func (d *Document) shifted(at int64) bool {
	b, err := d.bytes(at, tableEntry)
	if err != nil {
		return false
	}
	e, ok := tableEntryOf(b)
	if !ok || e.Kind != EntryFree || e.Ref.Generation != 65535 {
		return false
	}
	d.note(XrefShifted, at, "the table counts from 1, its entries from 0")
	return true
}

// soundSubsection looks at the first and the last entry of a subsection, and at
// what follows it.
func (d *Document) soundSubsection(s *subsection) (bool, error) {
	size := int64(s.count) * tableEntry
	if size > d.size-s.at {
		return false, nil
	}
	for _, at := range [2]int64{s.at, s.at + size - tableEntry} {
		b, err := d.bytes(at, tableEntry)
		if err != nil {
			return false, err
		}
		if _, ok := tableEntryOf(b); !ok {
			return false, nil
		}
		if string(b[11:16]) > "65535" {
			d.note(XrefSyntax, at, "generation above 65535")
		}
	}
	b, _, err := d.at(s.at+size, 64)
	if err != nil {
		return false, err
	}
	b = bytes.TrimLeft(b[:min(len(b), 64)], " \r\n\t\x00\f")
	return len(b) == 0 || b[0] == 't' || b[0] == '%' || isDigit(b[0]), nil
}

// readTrailer reads "trailer << ... >>".
func (d *Document) readTrailer(s *section, at int64) error {
	p, err := d.parse(at, func(p *parser) error {
		p.space()
		if p.i+7 > len(p.b) {
			p.ended()
		}
		if !bytes.HasPrefix(p.b[p.i:], []byte("trailer")) {
			return p.fail("trailer expected")
		}
		p.i += len("trailer")
		p.space()
		if p.comments {
			p.note(CommentInStructure, p.i, "comment before a trailer")
		}
		o, _, err := p.value()
		if err != nil {
			return err
		}
		dict, ok := o.(Dict)
		if !ok {
			return &TypeError{"a trailer dictionary", o}
		}
		s.trailer = dict
		return nil
	})
	if err != nil {
		return err
	}
	s.end = p
	if err := d.finish(s); err != nil {
		return err
	}
	switch v := s.trailer.Get("XRefStm").(type) {
	case nil:
	case Integer:
		return d.readHybrid(s, int64(v))
	default:
		d.note(HybridConflict, s.offset, "XRefStm is no integer")
	}
	return nil
}

// readLooseTable reads a table whose entries are not 20 bytes each, token by
// token.
func (d *Document) readLooseTable(offset int64) (*section, error) {
	d.note(XrefSyntax, offset, "table whose entries are not 20 bytes each, or not as many as it says")
	s := &section{offset: offset, kind: XrefTable}
	end, err := d.parse(offset, func(p *parser) error {
		s.loose = make(map[uint32]XrefEntry)
		p.i += len("xref")
		for {
			p.space()
			if !isDigit(p.peek()) {
				return nil
			}
			if err := d.looseSubsection(p, s); err != nil {
				return err
			}
			if p.short {
				return nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return s, d.readTrailer(s, end)
}

func (d *Document) looseSubsection(p *parser, s *section) error {
	first, ok1 := p.unsigned()
	p.space()
	count, ok2 := p.unsigned()
	if !ok1 || !ok2 {
		return p.fail("subsection of a cross-reference table expected")
	}
	number := first
	for i := int64(0); i < count; i++ {
		p.space()
		if !isDigit(p.peek()) {
			return nil // fewer entries than it says
		}
		back := p.i
		v, ok1 := p.unsigned()
		p.space()
		g, ok2 := p.unsigned()
		p.space()
		k := p.keyword()
		if !ok1 || !ok2 || len(k) != 1 || k[0] != 'n' && k[0] != 'f' {
			if isDigit(p.peek()) {
				p.i = back // the header of the next subsection
				return nil
			}
			return p.fail("entry of a cross-reference table expected")
		}
		p.i++
		if i == 0 && first == 1 && k[0] == 'f' && g == 65535 {
			p.note(XrefShifted, back, "the table counts from 1, its entries from 0")
			number = 0
		}
		if number > maxObjectNumber || len(s.loose) >= d.limits.Objects {
			return &LimitError{"objects", int64(d.limits.Objects)}
		}
		e := XrefEntry{Ref: Ref{uint32(number), uint16(min(g, 65535))}}
		if k[0] == 'n' {
			e.Kind, e.Offset = EntryInUse, v
			e.Offset = d.placed(e)
		}
		s.loose[e.Ref.Number] = e
		number++
	}
	return nil
}
