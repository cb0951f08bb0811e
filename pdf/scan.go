package pdf

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strconv"
)

// Scan reads the whole file as it lies there, each byte once, and compares it
// with what the cross-reference sections say. It notes as anomalies what strict
// readers could take offence at and what readers that search a file would see
// although no section names it: objects and sections that nothing leads to,
// entries without their object, bytes that belong to nothing. Streams other than
// object streams are not decoded. The error is one of reading, or of ctx.
func (d *Document) Scan(ctx context.Context) error {
	if d.scanned || d.allRebuilt {
		return nil
	}
	s := scan{doc: d, revs: d.Revisions()}
	for _, sec := range d.sections {
		s.places = append(s.places, sec.offset)
		if sec.hybrid != nil {
			s.places = append(s.places, sec.hybrid.offset)
		}
	}
	for _, sec := range d.sections {
		s.ends = append(s.ends, sectionEnd{sec.end, sec.kind == XrefStream})
	}
	slices.Sort(s.places)
	slices.SortFunc(s.ends, func(a, b sectionEnd) int { return cmp.Compare(a.at, b.at) })
	d.scanning = true
	defer func() { d.scanning = false }()
	if err := d.survey(ctx, 0, d.size, s.visit); err != nil {
		return err
	}
	if s.err != nil {
		return s.err
	}
	if err := s.compare(); err != nil {
		return err
	}
	d.scanned = true
	return nil
}

type sectionEnd struct {
	at     int64
	stream bool
}

// scan is what one Scan has seen so far.
type scan struct {
	doc    *Document
	revs   []Revision
	places []int64       // of the sections that the chain leads to
	found  []foundObject // in the order of their places
	ends   []sectionEnd  // of the sections, ascending
	rev    int
	view   *Document // of the revision rev, for members
	table  bool      // a known table came last: its trailer is due
	junk   int64     // end of the last bytes that belong to nothing
	header bool
	err    error
}

func (s *scan) known(place int64) bool {
	_, ok := slices.BinarySearch(s.places, place)
	return ok
}

func (s *scan) visit(it item) bool {
	d := s.doc
	for s.rev < len(s.revs)-1 && it.start >= s.revs[s.rev].End {
		s.rev++
	}
	table := s.table
	s.table = false
	switch it.kind {
	case itemObject:
		s.object(it)
	case itemTable:
		if s.table = s.known(it.start); !s.table {
			d.note(SectionUnreachable, it.start, "a cross-reference table that no startxref or Prev leads to")
		}
	case itemTrailer:
		if !table && !s.behindStream(it) {
			d.note(SectionUnreachable, it.start, "a trailer without a table that belongs to the file")
		}
	case itemStartxref, itemEOF:
		if !s.marks(it) {
			d.note(EOFExtra, it.start, "a startxref or %%EOF that ends no revision")
		}
	case itemComment:
		s.comment(it)
	case itemJunk:
		// Bytes before the header are told by HeaderJunk.
		if it.start >= d.base && it.start > s.junk {
			d.note(UnaccountedBytes, it.start, "bytes that belong to no object and no section")
		}
		s.junk = it.end + 1
	}
	return s.err == nil
}

func (s *scan) object(it item) {
	d := s.doc
	if it.failed != nil {
		d.note(Syntax, it.start, "object "+it.ref.String()+" cannot be read")
	}
	o := foundObject{ref: it.ref, offset: it.start}
	if st, ok := it.object.(*Stream); ok {
		switch t, _ := st.Dict.Get("Type").(Name); t {
		case "ObjStm":
			o.stream = true
		case "XRef":
			o.section = !s.known(it.start)
		}
	}
	s.found = append(s.found, o)
	if len(s.found) > d.limits.Objects {
		s.err = &LimitError{"objects", int64(d.limits.Objects)}
	}
}

// behindStream tells whether a trailer stands right behind a cross-reference
// stream of the chain, where it means nothing and endOf tells of it.
func (s *scan) behindStream(it item) bool {
	end, stream := s.endBefore(it.start)
	return stream && it.start-end < 16
}

// marks reports whether a startxref or %%EOF is one that ends a revision, or the
// first section of a linearized file: it follows a section, with nothing else
// before it, and where the revision has several sections, the last.
func (s *scan) marks(it item) bool {
	r := &s.revs[s.rev]
	end, _ := s.endBefore(it.start)
	return end > r.Start && it.start-end < 40 ||
		it.end <= r.End && it.start >= r.End-int64(len("startxref"))-40 && end > r.Start
}

// endBefore returns the last end of a section that is not behind the place at, and
// whether that section is a stream.
func (s *scan) endBefore(at int64) (int64, bool) {
	i, _ := slices.BinarySearchFunc(s.ends, at+1, func(e sectionEnd, at int64) int { return cmp.Compare(e.at, at) })
	if i == 0 {
		return -1, false
	}
	return s.ends[i-1].at, s.ends[i-1].stream
}

// comment judges a comment between objects: the header, or one that holds what a
// searching reader could take for structure.
func (s *scan) comment(it item) {
	d := s.doc
	b, err := d.bytes(it.start, min(it.end-it.start, 4096))
	if err != nil {
		s.err = err
		return
	}
	if bytes.HasPrefix(b, []byte("%PDF-")) {
		if s.header || it.start != d.headerAt {
			d.note(HeaderExtra, it.start, "a further header")
		}
		s.header = true
		return
	}
	if word := structureIn(b); word != "" {
		d.note(CommentInStructure, it.start, "a comment that holds "+word)
	}
}

// structureIn looks in a comment for what a reader that searches the file could
// take for an object, a trailer or the end of a revision. Comments in which
// people write about those are many.
func structureIn(b []byte) string {
	for _, word := range [...]string{"startxref", "%%EOF", "endobj", "endstream"} {
		if bytes.Contains(b, []byte(word)) {
			return word
		}
	}
	if _, rest, ok := bytes.Cut(b, []byte("trailer")); ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte("<<")) {
		return "a trailer"
	}
	for i := 1; i < len(b); i++ {
		if isDigit(b[i]) && !isDigit(b[i-1]) && headerPossible(b[i:]) {
			return "an object"
		}
	}
	return ""
}

// compare holds the objects found against the entries of the sections.
func (s *scan) compare() error {
	d := s.doc
	named := make([]bool, len(s.found))
	for i := range s.revs {
		for e := range d.Entries(i) {
			if e.Kind == EntryInUse && e.Offset != d.base {
				s.entry(e, i, named)
			}
		}
	}
	for i, o := range s.found {
		if !named[i] && !s.known(o.offset) {
			if err := s.unnamed(o); err != nil {
				return err
			}
		}
		switch {
		case o.section && named[i]:
			d.note(SectionSpare, o.offset, "a cross-reference stream that is an object and no section of the file")
		case o.section:
			d.note(SectionUnreachable, o.offset, "a cross-reference stream that no startxref or Prev leads to")
		}
		if o.stream {
			if err := s.members(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// unnamed judges an object that no section names.
func (s *scan) unnamed(o foundObject) error {
	d := s.doc
	l, err := d.loadAt(o.offset, nil)
	if err := hard(err); err != nil {
		return err
	}
	kind := ObjectShadow
	if dict, ok := l.object.(Dict); ok && err == nil && dict.Has("Linearized") && o.offset < d.base+1024 {
		kind = ObjectSpare
	} else if !d.inUseAnywhere(d, o.ref.Number) {
		kind = ObjectUnused
	} else if e, ok, _ := d.lookup(o.ref.Number); ok && e.Kind == EntryInUse && err == nil && e.Ref == o.ref {
		if n, err := d.inUse(e); err == nil && n.end-n.start == l.end-l.start {
			a, err1 := d.bytes(l.start, l.end-l.start)
			b, err2 := d.bytes(n.start, n.end-n.start)
			if err1 == nil && err2 == nil && bytes.Equal(a, b) {
				kind = ObjectSpare
			}
		}
	}
	d.note(kind, o.offset, "object "+o.ref.String()+" stands in the file, and no section names it there")
	return nil
}

// inUseAnywhere tells whether number is one of an object in use, in the newest
// view or in another.
func (d *Document) inUseAnywhere(view *Document, number uint32) bool {
	for _, v := range [2]*Document{d, view} {
		if e, ok, err := v.lookup(number); err != nil || ok && e.Kind != EntryFree {
			return true
		}
	}
	return false
}

// entry looks for the object of an entry of revision rev.
func (s *scan) entry(e XrefEntry, rev int, named []bool) {
	d := s.doc
	k, ok := slices.BinarySearchFunc(s.found, e.Offset, func(o foundObject, at int64) int { return cmp.Compare(o.offset, at) })
	if at, space := d.behindSpace(e.Offset); !ok && space {
		k, ok = slices.BinarySearchFunc(s.found, at, func(o foundObject, at int64) int { return cmp.Compare(o.offset, at) })
		if ok {
			d.note(OffsetSpace, e.Offset, "an entry points at white space before its object")
		}
	}
	switch {
	case !ok:
		d.note(OffsetWrong, e.Offset, "no object stands where the entry of "+e.Ref.String()+" says")
	case s.found[k].ref != e.Ref:
		d.note(OffsetWrong, e.Offset, "the entry of "+e.Ref.String()+" leads to object "+s.found[k].ref.String())
	default:
		named[k] = true
	}
	if e.Offset >= s.revs[rev].End {
		d.note(OffsetWrong, e.Offset, "the entry of "+e.Ref.String()+" points behind its revision")
	}
}

// members looks at what an object stream holds: each member must be named by the
// sections of its revision.
func (s *scan) members(o foundObject) error {
	d := s.doc
	for s.view == nil || s.rev < len(s.revs)-1 && o.offset >= s.revs[s.rev].End {
		if s.view == nil {
			s.rev = 0
		} else {
			s.rev++
		}
		for s.rev < len(s.revs)-1 && o.offset >= s.revs[s.rev].End {
			s.rev++
		}
		s.view = d.At(s.rev)
	}
	view := s.view
	e, ok, err := view.lookup(o.ref.Number)
	if err != nil || !ok || e.Kind != EntryInUse || e.Offset != o.offset {
		return err // told already
	}
	st, err := view.container(o.ref.Number)
	if err != nil || st == nil {
		return hard(err)
	}
	for i, number := range st.numbers {
		e, ok, err := view.lookup(number)
		if err != nil {
			return err
		}
		if !ok || e.Kind != EntryCompressed || e.Container != o.ref.Number || e.Index != i {
			kind := ObjectShadow
			if !d.inUseAnywhere(view, number) {
				kind = ObjectUnused
			}
			d.note(kind, o.offset, "object "+strconv.Itoa(int(number))+" stands in object stream "+o.ref.String()+", and no section names it there")
		}
	}
	return nil
}
