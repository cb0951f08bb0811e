package pdf

import (
	"bytes"
	"iter"
)

// Revision is one state of a file: what was appended to reach it, and the
// cross-reference section that describes it.
type Revision struct {
	Start, End int64 // bytes [Start, End), with the end of line behind %%EOF
	Xref       int64 // place in the file of the section
	Kind       XrefKind
	Trailer    Dict
}

// Revisions returns the revisions of this view, oldest first. A linearized file's
// two sections are one revision, as are a hybrid's table and stream. Where the
// cross-reference is of no use, the parts of the file that end with %%EOF are
// taken for its revisions; their Xref is where they begin.
func (d *Document) Revisions() []Revision {
	if d.revs == nil {
		d.findRevisions()
	}
	return d.revs
}

// findRevisions groups the sections by the revision they belong to.
func (d *Document) findRevisions() {
	n := len(d.sections)
	if d.allRebuilt {
		for i := n - 1; i >= 0; i-- {
			s := d.sections[i]
			s.revision = n - 1 - i
			d.revs = append(d.revs, Revision{Start: s.offset, End: s.end, Kind: s.kind, Trailer: s.trailer})
		}
		return
	}
	var start int64
	for i := n - 1; i >= 0; i-- {
		s := d.sections[i]
		r := Revision{Start: start, Xref: s.offset, Kind: s.kind, Trailer: s.trailer}
		s.revision = len(d.revs)
		end, ok := d.endOf(s.end, s.offset, s.kind == XrefStream)
		if i == n-1 && i > 0 && d.sections[i-1].offset < s.offset && d.linearized(d.sections[i-1], end) {
			// The first page's section stands at the beginning and is the one
			// that startxref names; the main section ends the revision.
			i--
			s = d.sections[i]
			s.revision = len(d.revs)
			r.Xref, r.Kind, r.Trailer = s.offset, s.kind, s.trailer
		} else if !ok {
			d.note(TailMismatch, s.end, "a section is not followed by a startxref that points at it")
		}
		if r.End = end; r.End <= start {
			d.note(SectionOrder, s.offset, "an older section lies behind a newer one")
			r.End = start
		}
		start = r.End
		d.revs = append(d.revs, r)
	}
	if last := &d.revs[len(d.revs)-1]; last.End < d.limit {
		b, err := d.bytes(last.End, min(d.limit-last.End, maxTrailing+1))
		if err == nil && len(b) <= maxTrailing && len(bytes.Trim(b, " \r\n\t")) == 0 {
			d.note(TrailingSpace, last.End, "white space behind the newest revision")
		} else {
			d.note(TrailingBytes, last.End, "bytes behind the newest revision")
		}
	}
}

// maxTrailing is how much space at the end of a file is a habit of programs that
// copy text, and not something that was appended.
const maxTrailing = 16

// onlySpace tells whether nothing but white space stands in [from, to).
func (d *Document) onlySpace(from, to int64) bool {
	b, err := d.bytes(from, to-from)
	return err == nil && len(bytes.Trim(b, " \r\n\t\f\x00")) == 0
}

// endOf returns the end of the revision whose section ends at the place from:
// behind "startxref n %%EOF" and its end of line. ok tells whether n names xref.
func (d *Document) endOf(from, xref int64, stream bool) (end int64, ok bool) {
	end, err := d.parse(from, func(p *parser) error {
		ok = false
		p.space() // with a comment, as iText leaves its name there
		if stream && p.accept("trailer") {
			// Left by some producers behind the main section of a linearized file.
			p.note(XrefSyntax, p.i, "a trailer behind a cross-reference stream")
			if _, _, err := p.value(); err != nil {
				return err
			}
			p.space()
		}
		if !p.accept("startxref") {
			return p.fail("startxref expected")
		}
		p.space()
		v, digits := p.unsigned()
		if !digits {
			return p.fail("number expected behind startxref")
		}
		// Or at white space before it, which was told when the section was read.
		ok = v+d.base == xref || v+d.base < xref && xref-v-d.base < 32 && d.onlySpace(v+d.base, xref)
		for p.i < len(p.b) && isWhite(p.b[p.i]) {
			p.i++
		}
		if p.i+7 > len(p.b) {
			p.ended()
		}
		if !bytes.HasPrefix(p.b[p.i:], []byte("%%EOF")) {
			return p.fail("%%EOF expected")
		}
		p.i += 5
		if p.peek() == '\r' {
			p.i++
		}
		if p.peek() == '\n' {
			p.i++
		}
		return nil
	})
	if err != nil {
		// No marker where it must be: the next one ends the revision.
		at, _, e := d.search(from, "%%EOF")
		if e != nil || at < 0 || at >= d.limit {
			return d.limit, false
		}
		d.note(EOFMissing, from, "no startxref and %%EOF behind a section")
		return min(at+5, d.limit), false
	}
	return min(end, d.limit), ok
}

// linearized tells whether the file begins with a linearization dictionary (annex
// F) whose length L is the end of its first revision.
func (d *Document) linearized(first *section, end int64) bool {
	b, _, err := d.at(d.base, 1024)
	if err != nil {
		return false
	}
	p := parser{b: b[:min(len(b), 1024)], base: d.base, whole: true, limit: 8}
	p.space()
	_, o, _, err := p.indirect()
	dict, ok := o.(Dict)
	if err != nil || !ok || dict.Get("Linearized") == nil {
		return false
	}
	l, _ := dict.Get("L").(Integer)
	// L counts with or without the end of line behind %%EOF.
	return first.offset < 1<<20+d.base || int64(l)+d.base >= end-2 && int64(l)+d.base <= end+2
}

// Changed returns what revision i of this view defines or frees, sorted by
// number, each number once.
func (d *Document) Changed(i int) []Ref {
	var refs []Ref
	for e := range d.Entries(i) {
		refs = append(refs, e.Ref)
	}
	return refs
}

// Entries yields the cross-reference entries of revision i, in order of number,
// each number once.
func (d *Document) Entries(i int) iter.Seq[XrefEntry] {
	return func(yield func(XrefEntry) bool) {
		d.Revisions()
		var own []*section
		for _, s := range d.sections {
			if s.revision == i {
				own = append(own, s)
			}
		}
		if len(own) == 1 {
			// An entry that cannot be read is no entry, as for lookup.
			_ = own[0].each(d.file, yield)
			return
		}
		d.merged(own, yield)
	}
}

// merged yields the entries of sections, newest first in own, by number.
func (d *Document) merged(own []*section, yield func(XrefEntry) bool) {
	for _, r := range numberRuns(own) {
		for i := range r.count {
			for _, s := range own {
				e, ok, err := s.resolve(d.file, r.first+i)
				if err != nil {
					return
				}
				if ok {
					if !yield(e) {
						return
					}
					break
				}
			}
		}
	}
}

// At returns the document as revision i of this view left it. It shares memory
// and caches with d.
func (d *Document) At(i int) *Document {
	revs := d.Revisions()
	if i == len(revs)-1 {
		return d
	}
	v := &Document{file: d.file, limit: revs[i].End, trailer: revs[i].Trailer, revs: revs[: i+1 : i+1], of: d.newest()}
	for _, s := range d.sections {
		if s.revision <= i {
			v.sections = append(v.sections, s)
		}
	}
	return v
}

func (d *Document) newest() *Document {
	if d.of != nil {
		return d.of
	}
	return d
}

// Objects yields every object in use of this view, also the compressed ones, in
// order of number.
func (d *Document) Objects() iter.Seq2[Ref, Location] {
	return func(yield func(Ref, Location) bool) {
		d.Revisions()
		for _, r := range numberRuns(d.sections) {
			for i := range r.count {
				s, e, ok, err := d.owner(r.first + i)
				if err != nil {
					return
				}
				if !ok || e.Kind == EntryFree || e.Kind == EntryInUse && e.Offset == d.base {
					continue
				}
				loc := Location{Offset: e.Offset, Revision: s.revision}
				if e.Kind == EntryCompressed {
					loc.Container, loc.Index = Ref{Number: e.Container}, e.Index
				}
				if !yield(e.Ref, loc) {
					return
				}
			}
		}
	}
}

// eachEntry calls f for every object in use.
func (d *Document) eachEntry(f func(ref Ref, loc Location)) {
	for ref, loc := range d.Objects() {
		if d.rebuilt && !d.allRebuilt && loc.Container == (Ref{}) {
			// Some entries are known to be wrong: see where each object is.
			l, err := d.inUse(XrefEntry{Ref: ref, Kind: EntryInUse, Offset: loc.Offset})
			if err != nil || l.object == nil {
				continue
			}
			loc.Offset = l.start
		}
		f(ref, loc)
	}
}
