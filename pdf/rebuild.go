package pdf

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
)

func asSyntax(err error, target **SyntaxError) bool { return errors.As(err, target) }

// inventory is what a search of the whole file found.
type inventory struct {
	objects  []foundObject // by number, then place
	trailers []foundTrailer
	ends     []int64 // behind each %%EOF
}

// foundTrailer is a trailer, or the dictionary of a cross-reference stream.
type foundTrailer struct {
	offset int64
	dict   Dict
}

type foundObject struct {
	ref     Ref
	offset  int64
	stream  bool // an object stream
	section bool // a cross-reference stream that no chain leads to
}

// search the file for objects once; later calls give the same.
func (d *Document) inventory() (*inventory, error) {
	if d.found != nil {
		return d.found, nil
	}
	inv := &inventory{}
	d.found = inv // also for what is asked for while the search is going on
	muted := d.muted
	d.muted = true
	defer func() { d.muted = muted }()
	var limit error
	err := d.survey(context.Background(), 0, d.size, func(it item) bool {
		switch it.kind {
		case itemTrailer:
			if t, ok := it.object.(Dict); ok {
				inv.trailers = append(inv.trailers, foundTrailer{it.start, t})
			}
		case itemEOF:
			if len(inv.ends) < d.limits.Sections {
				inv.ends = append(inv.ends, it.end)
			}
		case itemObject:
			o := foundObject{ref: it.ref, offset: it.start}
			if s, ok := it.object.(*Stream); ok {
				switch t, _ := s.Dict.Get("Type").(Name); t {
				case "XRef":
					inv.trailers = append(inv.trailers, foundTrailer{it.start, s.Dict})
				case "ObjStm":
					o.stream = true
				}
			}
			inv.objects = append(inv.objects, o)
			if len(inv.objects) > d.limits.Objects {
				limit = &LimitError{"objects", int64(d.limits.Objects)}
				return false
			}
		}
		return true
	})
	slices.SortStableFunc(inv.objects, func(a, b foundObject) int {
		return cmp.Or(cmp.Compare(a.ref.Number, b.ref.Number), cmp.Compare(a.offset, b.offset))
	})
	return inv, cmp.Or(err, limit)
}

// find returns the last object with this number that begins before limit.
func (inv *inventory) find(number uint32, limit int64) (foundObject, bool) {
	i, _ := slices.BinarySearchFunc(inv.objects, limit, func(o foundObject, limit int64) int {
		return cmp.Or(cmp.Compare(o.ref.Number, number), cmp.Compare(o.offset, limit))
	})
	if i == 0 || inv.objects[i-1].ref.Number != number {
		return foundObject{}, false
	}
	return inv.objects[i-1], true
}

// rebuild replaces the cross-reference by what a search of the file finds: of each
// number the last object, as readers in the field do it.
func (d *Document) rebuild(password []byte) error {
	d.note(XrefRebuilt, -1, "the cross-reference is of no use: the file was searched for its objects")
	d.rebuilt, d.allRebuilt = true, true
	d.enc, d.encRef, d.sections, d.revs = nil, Ref{}, nil, nil
	d.cache, d.objstms, d.index, d.complete = nil, objectStreams{}, nil, false
	inv, err := d.inventory()
	if err != nil {
		return err
	}
	d.sections = d.searched(inv)
	d.trailer = d.sections[0].trailer
	if err := d.beginEncryption(password); err != nil {
		return err
	}
	var containers []foundObject
	for _, o := range inv.objects {
		if o.stream {
			containers = append(containers, o)
		}
	}
	slices.SortFunc(containers, func(a, b foundObject) int { return cmp.Compare(a.offset, b.offset) })
	for i := len(d.sections) - 1; i >= 0; i-- {
		n := 0
		for n < len(containers) && containers[n].offset < d.sections[i].end {
			n++
		}
		if err := d.addMembers(i, containers[:n]); err != nil {
			return err
		}
		containers = containers[n:]
	}
	d.complete = true
	if err := d.chooseRoot(inv); err != nil {
		return err
	}
	d.sections[0].trailer = d.trailer
	return nil
}

// searched makes a section for each part of the file that ends with %%EOF, as
// its revisions do, and one for what follows the last. Newest first.
func (d *Document) searched(inv *inventory) (list []*section) {
	ends := slices.Clone(inv.ends)
	for i := range ends {
		// With the end of line.
		for n := 0; n < 2 && ends[i] < d.size; n++ {
			b, err := d.bytes(ends[i], 1)
			if err != nil || b[0] != '\n' && (b[0] != '\r' || n > 0) {
				break
			}
			ends[i]++
			if b[0] == '\n' {
				break
			}
		}
	}
	last := inv.last()
	for n := len(ends); n > 1 && ends[n-2] > last; n-- {
		ends = ends[:n-1] // a further %%EOF at the end is no revision
	}
	if n := len(ends); n == 0 || last >= ends[n-1] {
		ends = append(ends, d.size)
	}
	ends[len(ends)-1] = d.size
	start, t, trailer := int64(0), 0, Dict{}
	for _, end := range ends {
		for ; t < len(inv.trailers) && inv.trailers[t].offset < end; t++ {
			trailer = merge(trailer, inv.trailers[t].dict)
		}
		list = append(list, &section{kind: XrefTable, prev: -1, loose: make(map[uint32]XrefEntry), offset: start, end: end, trailer: trailer})
		start = end
	}
	for _, o := range inv.objects {
		i, _ := slices.BinarySearch(ends, o.offset+1)
		list[i].loose[o.ref.Number] = XrefEntry{Ref: o.ref, Kind: EntryInUse, Offset: o.offset}
	}
	slices.Reverse(list)
	return list
}

// last returns the place of the last object or trailer.
func (inv *inventory) last() (last int64) {
	for _, o := range inv.objects {
		last = max(last, o.offset)
	}
	for _, t := range inv.trailers {
		last = max(last, t.offset)
	}
	return last
}

// merge takes over from a later trailer what matters.
func merge(into Dict, from Dict) Dict {
	t := into.Clone()
	for _, key := range [...]Name{"Size", "Root", "Info", "ID", "Encrypt"} {
		if o := from.Get(key); o != nil {
			t.Set(key, o)
		}
	}
	return t
}

// addMembers adds the objects of the object streams in a section's part of the
// file. Of a number that is found in several places the last one counts; a member
// stands where its container does.
func (d *Document) addMembers(i int, containers []foundObject) error {
	s := d.sections[i]
	view := &Document{file: d.file, limit: s.end, sections: d.sections[i:]}
	at := func(e XrefEntry) int64 {
		if e.Kind == EntryCompressed {
			return s.loose[e.Container].Offset
		}
		return e.Offset
	}
	for _, c := range containers {
		if e := s.loose[c.ref.Number]; e.Kind != EntryInUse || e.Offset != c.offset {
			continue // another one of its number follows
		}
		st, err := view.container(c.ref.Number)
		if err != nil {
			if mendable(err) {
				continue
			}
			return err
		}
		if st == nil {
			continue
		}
		for i, number := range st.numbers {
			if e, known := s.loose[number]; known && (at(e) > c.offset || e.Offset == c.offset) {
				continue
			}
			if len(s.loose) >= d.limits.Objects {
				return &LimitError{"objects", int64(d.limits.Objects)}
			}
			s.loose[number] = XrefEntry{Ref: Ref{Number: number}, Kind: EntryCompressed, Container: c.ref.Number, Index: i}
		}
	}
	return nil
}

// chooseRoot sees to it that the trailer names a catalog: that of the last trailer
// which has one, or else the last catalog in the file.
func (d *Document) chooseRoot(inv *inventory) error {
	var hardest error
	try := func(o Object) bool {
		if _, ok := o.(Ref); !ok {
			return false
		}
		d.trailer = d.trailer.Clone() // an older revision may share it
		d.trailer.Set("Root", o)
		err := d.checkRoot()
		if err := hard(err); err != nil {
			hardest = err
		}
		return err == nil
	}
	for i := len(inv.trailers) - 1; i >= 0; i-- {
		if try(inv.trailers[i].dict.Get("Root")) {
			return nil
		}
	}
	var refs []Ref
	for ref := range d.Objects() {
		refs = append(refs, ref)
	}
	for pass := range 2 {
		for i := len(refs) - 1; i >= 0 && hardest == nil; i-- {
			ref := refs[i]
			o, err := d.Object(ref)
			if err != nil {
				if err := hard(err); err != nil {
					return err
				}
				continue
			}
			dict, ok := o.(Dict)
			if !ok {
				continue
			}
			t, _ := dict.Get("Type").(Name)
			if pass == 0 && t == "Catalog" && try(ref) {
				d.note(CatalogWrong, -1, "no trailer names the catalog")
				return nil
			}
			// A tree of pages without a catalog is one that was cut out.
			if pass == 1 && t == "" && dict.Get("Pages") != nil && try(ref) {
				d.note(CatalogWrong, -1, "an object without Type was taken for the catalog")
				return nil
			}
		}
	}
	return cmp.Or(hardest, ErrNoCatalog)
}

// checkRoot tells whether the trailer leads to a catalog, and that to a tree of
// pages.
func (d *Document) checkRoot() error {
	_, root, err := d.Root()
	if err != nil {
		return err
	}
	pages, err := d.Resolve(root.Get("Pages"))
	if err != nil {
		return err
	}
	if _, ok := pages.(Dict); !ok {
		return &TypeError{"a tree of pages", pages}
	}
	return nil
}

// absent judges a reference to which no entry in use belongs: it is null (7.3.10),
// unless the file's cross-reference proved to be wrong elsewhere.
func (d *Document) absent(ref Ref) (Object, error) {
	if !d.rebuilt || d.allRebuilt || d.scanning {
		return nil, nil
	}
	inv, err := d.inventory()
	if err != nil {
		return nil, err
	}
	o, ok := inv.find(ref.Number, d.limit)
	if !ok || o.ref != ref {
		return nil, nil
	}
	d.note(OffsetWrong, o.offset, "object "+ref.String()+" stands in the file, its entry is missing or free")
	l, err := d.inUse(XrefEntry{Ref: ref, Kind: EntryInUse, Offset: o.offset})
	return l.object, err
}

// mislaid returns the object of an entry whose place holds another one, or none:
// the nearest that begins around there, or the last with its number in the file.
func (d *Document) mislaid(e XrefEntry, cause error) (loaded, error) {
	if at, known := d.moved[entryPlace{e.Ref.Number, e.Offset}]; known {
		return d.replaced(at, e)
	}
	name := e.Ref.String()
	name = "object " + name[:len(name)-2]
	if at, ok := d.around(e); ok {
		d.note(OffsetWrong, e.Offset, name+" stands some bytes away from where its entry says")
		d.rebuilt = true
		return d.replaced(at, e)
	}
	if d.scanning {
		return loaded{}, nil
	}
	inv, err := d.inventory()
	if err != nil {
		return loaded{}, err
	}
	o, ok := inv.find(e.Ref.Number, d.limit)
	var limit *LimitError
	switch {
	case ok && o.offset != e.Offset:
		d.note(OffsetWrong, e.Offset, name+" stands elsewhere than its entry says")
		d.rebuilt = true
		return d.replaced(o.offset, e)
	case ok && errors.As(cause, &limit):
		return loaded{}, cause
	}
	d.note(ObjectMissing, e.Offset, name+" is in use and nowhere in the file")
	return loaded{}, nil
}

// move remembers where the object of an entry was found.
func (d *Document) move(e XrefEntry, at int64) {
	if d.moved == nil {
		d.moved = make(map[entryPlace]int64)
	}
	d.moved[entryPlace{e.Ref.Number, e.Offset}] = at
}

// entryPlace names an entry whose object stands elsewhere.
type entryPlace struct {
	number uint32
	offset int64
}

func (d *Document) replaced(at int64, e XrefEntry) (loaded, error) {
	d.move(e, at)
	if l, ok := d.cached(at); ok && l.ref.Number == e.Ref.Number {
		return l, nil
	}
	l, err := d.loadAt(at, nil)
	if err != nil {
		return loaded{}, err
	}
	return l, d.admit(&l, at)
}

// around looks for "n g obj" some bytes before and behind the place of an entry.
func (d *Document) around(e XrefEntry) (int64, bool) {
	const reach = 24
	from := max(0, e.Offset-reach)
	b, _, err := d.at(from, 2*reach+24)
	if err != nil {
		return 0, false
	}
	b = b[:min(len(b), 2*reach+24)]
	number := strconv.AppendUint(nil, uint64(e.Ref.Number), 10)
	best := int64(-1)
	for i := 0; i < len(b); {
		k := bytes.Index(b[i:], number)
		if k < 0 {
			break
		}
		i += k
		at := from + int64(i)
		if (i == 0 || !isRegular(b[i-1])) && headerPossible(b[i:]) && (best < 0 || distance(at, e.Offset) < distance(best, e.Offset)) {
			best = at
		}
		i += len(number)
	}
	return best, best >= 0
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
