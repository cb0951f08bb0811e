package pdf

import (
	"bytes"
	"strconv"
)

// Location is the place of an object.
type Location struct {
	Offset    int64 // of "n g obj"; of a compressed object, 0
	End       int64 // behind "endobj"; 0 where it was not looked for
	Container Ref   // the object stream of a compressed object; else zero
	Index     int   // in that object stream
	Revision  int   // whose section names the place
}

// loaded is an object as it stands in the file.
type loaded struct {
	ref    Ref
	object Object
	start  int64
	end    int64 // behind endobj
}

// parse calls fn with a parser at offset, with longer and longer pieces of the
// file until the parser does not come to the end of one. It returns the place
// where the parser stopped.
func (f *file) parse(offset int64, fn func(*parser) error) (int64, error) {
	p, err := f.parserAt(offset)
	if err != nil {
		return offset, err
	}
	for {
		err := fn(p)
		if again, failed := f.again(p); failed != nil {
			return offset, failed
		} else if !again {
			return p.offset(), err
		}
	}
}

// parserAt returns a parser over a piece of the file that begins at offset. It is
// given back by again.
func (f *file) parserAt(offset int64) (*parser, error) {
	b, last, err := f.at(offset, 1024)
	if err != nil {
		return nil, err
	}
	p := &f.parser
	if f.busy {
		p = new(parser)
	} else {
		f.busy = true
	}
	*p = parser{b: b, base: offset, whole: last, limit: f.limits.Depth, entries: p.entries[:0], items: p.items[:0], notes: p.notes[:0]}
	return p, nil
}

// again prepares p for a further attempt where it came to the end of a piece that
// does not end the file. Otherwise p is done with: what it noted is kept, and only
// its position may still be asked for.
func (f *file) again(p *parser) (bool, error) {
	mine := p == &f.parser
	if p.short && !p.whole {
		if int64(len(p.b)) >= f.limits.ObjectBytes {
			f.busy = f.busy && !mine
			return false, &LimitError{"bytes of an object", f.limits.ObjectBytes}
		}
		b, last, err := f.at(p.base, max(4*len(p.b), 4*windowSize))
		if err != nil {
			f.busy = f.busy && !mine
			return false, err
		}
		*p = parser{b: b, base: p.base, whole: last, limit: p.limit, entries: p.entries[:0], items: p.items[:0], notes: p.notes[:0]}
		return true, nil
	}
	for _, a := range p.notes {
		f.note(a.Kind, a.Offset, a.Text)
	}
	f.busy = f.busy && !mine
	return false, nil
}

// loadAt reads the indirect object at offset, its strings and stream as they
// stand in the file. spans, when not nil, gets the places of the values of its
// dictionary.
func (d *Document) loadAt(offset int64, spans *[]Span) (l loaded, err error) {
	if err := d.work(0); err != nil {
		return l, err
	}
	p, err := d.parserAt(offset)
	if err != nil {
		return l, err
	}
	var isStream bool
	l.start = offset
	for {
		if spans != nil {
			*spans = (*spans)[:0]
			p.spans = spans
		}
		l.ref, l.object, isStream, err = p.indirect()
		if again, failed := d.again(p); failed != nil {
			return l, failed
		} else if !again {
			break
		}
	}
	l.end = p.offset()
	if over := d.work(l.end - offset); over != nil {
		return l, over
	}
	if err != nil || !isStream {
		return l, err
	}
	s := &Stream{Dict: l.object.(Dict), offset: l.end, ref: l.ref}
	if s.Dict.Get("F") != nil {
		d.note(StreamExternal, l.start, "a stream whose data lie in another file")
	}
	l.object = s
	l.end, err = d.measure(s)
	return l, err
}

// measure finds the length of a stream whose data begin at s.offset, and the end
// of its object.
func (d *Document) measure(s *Stream) (end int64, err error) {
	length := int64(-1)
	text := "Length is missing"
	switch v := s.Dict.Get("Length").(type) {
	case Integer:
		length = int64(v)
	case Ref:
		if length, err = d.lengthOf(v); err != nil {
			return 0, err
		}
		text = "Length is no integer"
	case nil:
	default:
		text = "Length is no integer"
	}
	if length >= 0 && length <= d.size-s.offset {
		end, ok, err := d.endstream(s.offset + length)
		if err != nil {
			return 0, err
		}
		if ok {
			s.length = length
			return end, nil
		}
		text = "Length is not the distance to endstream"
	} else if length >= 0 {
		text = "Length leads out of the file"
	}
	d.note(StreamLength, s.offset, text)
	return d.searchEnd(s)
}

// lengthOf resolves a Length that is a reference; -1 where it is no length.
func (d *Document) lengthOf(ref Ref) (int64, error) {
	if d.measuring >= 4 { // the object of a Length is an integer, never a stream that has one
		return -1, nil
	}
	d.measuring++
	o, err := d.Object(ref)
	d.measuring--
	if err != nil && !mendable(err) {
		return -1, err
	}
	if v, ok := o.(Integer); ok && err == nil && v >= 0 {
		return int64(v), nil
	}
	return -1, nil
}

// endstream reports whether "endstream" stands at this place, behind at most one
// end of line, and returns the place behind the endobj that follows.
func (d *Document) endstream(at int64) (end int64, ok bool, err error) {
	p, err := d.parserAt(at)
	if err != nil {
		return at, false, err
	}
	for {
		ok = p.endstream()
		if again, failed := d.again(p); failed != nil || !again {
			return p.offset(), ok, failed
		}
	}
}

func (p *parser) endstream() bool {
	skipped := 0
	if p.peek() == '\r' {
		p.i++
		skipped++
	}
	if p.peek() == '\n' {
		p.i++
		skipped++
	}
	if !p.accept("endstream") {
		// Blanks before the keyword, or none behind it ("endstreamendobj").
		for p.i < len(p.b) && isWhite(p.b[p.i]) && skipped < 8 {
			p.i++
			skipped++
		}
		if p.i+len("endstream") > len(p.b) {
			p.ended()
		}
		if !bytes.HasPrefix(p.b[p.i:], []byte("endstream")) {
			return false
		}
		p.note(StreamLength, p.i, "more than an end of line before endstream, or nothing behind it")
		p.i += len("endstream")
	}
	p.endobj()
	return true
}

// searchEnd looks for the endstream, or failing that the endobj, that ends a
// stream whose Length is wrong.
func (d *Document) searchEnd(s *Stream) (int64, error) {
	at, word, err := d.search(s.offset, "endstream", "endobj")
	if err != nil {
		return 0, err
	}
	if at < 0 { // truncated: all that is left
		s.length = d.size - s.offset
		return d.size, d.work(s.length)
	}
	s.length = at - s.offset
	if err := d.work(s.length); err != nil {
		return 0, err
	}
	// The end of line before the keyword is not data.
	tail, err := d.bytes(at-min(2, s.length), min(2, s.length))
	if err != nil {
		return 0, err
	}
	switch {
	case len(tail) == 2 && tail[0] == '\r' && tail[1] == '\n':
		s.length -= 2
	case len(tail) > 0 && (tail[len(tail)-1] == '\n' || tail[len(tail)-1] == '\r'):
		s.length--
	}
	return d.parse(at, func(p *parser) error {
		p.i += len(word)
		if word == "endstream" {
			p.endobj()
		}
		return nil
	})
}

// search returns the first place from offset on where one of the words stands,
// or -1.
func (f *file) search(offset int64, words ...string) (int64, string, error) {
	for offset < f.size {
		b, last, err := f.at(offset, windowSize-512)
		if err != nil {
			return -1, "", err
		}
		best, which := -1, ""
		for _, w := range words {
			if i := bytes.Index(b, []byte(w)); i >= 0 && (best < 0 || i < best) {
				best, which = i, w
				b = b[:i+len(w)]
			}
		}
		if best >= 0 {
			return offset + int64(best), which, nil
		}
		if last {
			break
		}
		offset += int64(len(b) - 16)
	}
	return -1, "", nil
}

// Object returns the object that ref names in this view: nil where it is absent
// or free. Strings are decrypted.
func (d *Document) Object(ref Ref) (Object, error) {
	if ref.Number == 0 {
		return nil, nil // the head of the free list, never an object (7.3.10)
	}
	e, ok, err := d.lookup(ref.Number)
	if err != nil {
		return nil, err
	}
	if !ok || e.Kind == EntryFree {
		return d.absent(ref)
	}
	if e.Kind == EntryCompressed {
		if ref.Generation != 0 {
			d.note(GenerationMismatch, -1, "reference "+ref.String()+" to a compressed object")
			return nil, nil
		}
		return d.member(ref.Number, e)
	}
	if e.Offset == d.base && !d.allRebuilt {
		d.note(OffsetWrong, -1, "object "+ref.String()+" is in use at offset 0")
		return nil, nil
	}
	if e.Offset >= d.limit {
		d.note(OffsetWrong, e.Offset, "object "+ref.String()+" of an older revision stands in a newer one's bytes")
		return nil, nil
	}
	if e.Ref.Generation != ref.Generation {
		d.note(GenerationMismatch, e.Offset, "reference "+ref.String()+", entry of generation "+strconv.Itoa(int(e.Ref.Generation)))
		return nil, nil
	}
	l, err := d.inUse(e)
	return l.object, err
}

// inUse returns the object of an entry in use, from the cache where it can.
func (d *Document) inUse(e XrefEntry) (loaded, error) {
	if l, ok := d.cached(e.Offset); ok && l.ref.Number == e.Ref.Number {
		return l, nil
	}
	l, err := d.loadAt(e.Offset, nil)
	if err != nil && mendable(err) {
		if at, ok := d.behindSpace(e.Offset); ok {
			l, err = d.loadAt(at, nil)
			if err == nil && l.ref.Number == e.Ref.Number {
				d.note(OffsetSpace, e.Offset, "an entry points at white space before its object")
				d.move(e, at)
			}
		}
	}
	if err != nil || l.ref.Number != e.Ref.Number {
		if err != nil && !mendable(err) {
			return loaded{}, err
		}
		return d.mislaid(e, err)
	}
	if l.ref.Generation != e.Ref.Generation {
		d.note(GenerationMismatch, e.Offset, "entry of generation "+strconv.Itoa(int(e.Ref.Generation))+", object "+l.ref.String())
	}
	return l, d.admit(&l, e.Offset)
}

// cached returns the object that was read at offset before.
func (f *file) cached(offset int64) (loaded, bool) {
	l, ok := f.cache[offset]
	return l, ok
}

// behindSpace returns the place behind the white space at offset, where there is
// some and not much.
func (d *Document) behindSpace(offset int64) (int64, bool) {
	b, _, err := d.at(offset, 32)
	if err != nil || len(b) == 0 || !isWhite(b[0]) {
		return 0, false
	}
	i := 1
	for i < min(len(b), 32) && isWhite(b[i]) {
		i++
	}
	return offset + int64(i), i < min(len(b), 32)
}

// differs tells whether views of other revisions could see another stream at the
// same place: one whose dictionary names its length, or what a container needs,
// by reference.
func (d *Document) differs(o Object) bool {
	s, ok := o.(*Stream)
	if !ok || len(d.newest().sections) < 2 {
		return false
	}
	for _, key := range [...]Name{"Length", "N", "First", "Filter", "DecodeParms"} {
		if _, indirect := s.Dict.Get(key).(Ref); indirect {
			return true
		}
	}
	return false
}

// admit decrypts an object that was read at offset, and caches it.
func (d *Document) admit(l *loaded, offset int64) error {
	if d.enc != nil && !(d.encRef.Number != 0 && l.ref.Number == d.encRef.Number) {
		o, err := d.decrypted(l.ref, l.object)
		if err != nil {
			return err
		}
		l.object = o
	}
	if d.differs(l.object) {
		return nil
	}
	d.keep(offset, l)
	return nil
}

// keep adds an object to the cache.
func (f *file) keep(key int64, l *loaded) {
	if len(f.cache) >= f.limits.CachedObject {
		clear(f.cache) // a full cache is mostly one pass over many objects
	}
	if f.cache == nil {
		f.cache = make(map[int64]loaded)
	}
	f.cache[key] = *l
}

// Locate tells where the object that ref names in this view stands, without
// reading it: the place in its entry, or, once Object found it elsewhere, that.
func (d *Document) Locate(ref Ref) (Location, bool) {
	s, e, ok, err := d.owner(ref.Number)
	if err != nil || !ok || e.Kind == EntryFree || e.Kind == EntryInUse && e.Ref.Generation != ref.Generation {
		return Location{}, false
	}
	d.Revisions()
	loc := Location{Offset: e.Offset, Revision: s.revision}
	if at, mended := d.moved[entryPlace{ref.Number, e.Offset}]; mended {
		loc.Offset = at
	}
	if e.Kind == EntryCompressed {
		loc.Container, loc.Index = Ref{Number: e.Container}, e.Index
	}
	return loc, true
}

// Extent is Locate with the End of the object, which has to be read for it. A
// compressed object has none.
func (d *Document) Extent(ref Ref) (Location, error) {
	loc, ok := d.Locate(ref)
	if !ok || loc.Container != (Ref{}) {
		return loc, nil
	}
	l, err := d.inUse(XrefEntry{Ref: ref, Kind: EntryInUse, Offset: loc.Offset})
	if err != nil {
		return loc, err
	}
	loc.Offset, loc.End = l.start, l.end
	return loc, nil
}

// Spans are the places of the parts of an indirect object.
type Spans struct {
	Object Span   // from "n g obj" to behind "endobj"
	Values []Span // of the values of its dictionary, in the dictionary's order
}

// ParseAt reads the indirect object at offset as it stands there, with its
// strings as they are written. Nothing of what the cross-reference says about it
// counts.
func (d *Document) ParseAt(offset int64) (Ref, Object, Spans, error) {
	sp := Spans{}
	l, err := d.loadAt(offset, &sp.Values)
	sp.Object = Span{offset, l.end}
	return l.ref, l.object, sp, err
}

// DictAt reads the direct dictionary that fills the span, one of those that ParseAt
// told, as it is written there. It tells the places of its values. The error is a
// *TypeError where something else stands there.
func (d *Document) DictAt(at Span) (Dict, []Span, error) {
	b, err := d.bytes(at.Start, at.End-at.Start)
	if err != nil {
		return nil, nil, err
	}
	var spans []Span
	p := parser{b: b, base: at.Start, whole: true, limit: d.limits.Depth, spans: &spans}
	o, _, err := p.value()
	if err != nil {
		return nil, nil, err
	}
	dict, ok := o.(Dict)
	if !ok {
		return nil, nil, &TypeError{"a dictionary", o}
	}
	return dict, spans, nil
}

// Raw returns length bytes of the file from offset on.
func (d *Document) Raw(offset, length int64) ([]byte, error) { return d.bytes(offset, length) }
