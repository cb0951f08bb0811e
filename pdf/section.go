package pdf

import (
	"slices"
	"sort"
)

// XrefKind is the form of a cross-reference section.
type XrefKind int

// Table is 7.5.4, stream 7.5.8; a hybrid is a table whose trailer names a stream
// (7.5.8.4).
const (
	XrefTable XrefKind = iota
	XrefStream
	XrefHybrid
)

func (k XrefKind) String() string {
	if k < XrefTable || k > XrefHybrid {
		return "unknown"
	}
	return [...]string{"table", "stream", "hybrid"}[k]
}

// EntryKind is what a cross-reference entry says about its object.
type EntryKind uint8

// The types of ISO 32000-2 table 18.
const (
	EntryFree EntryKind = iota
	EntryInUse
	EntryCompressed
)

// XrefEntry is one cross-reference entry.
type XrefEntry struct {
	Ref       Ref
	Kind      EntryKind
	Offset    int64  // in the file, of an object in use
	Container uint32 // number of the object stream of a compressed object
	Index     int    // in that object stream
}

// section is one cross-reference section. Its entries stay where they are: a
// table's in the file, a stream's in its decoded bytes.
type section struct {
	offset   int64 // in the file, of "xref" or of the stream's "n g obj"
	end      int64 // behind the trailer dictionary, or behind endobj
	kind     XrefKind
	trailer  Dict
	prev     int64 // as written; -1 where there is none
	subs     []subsection
	rows     []byte // of a stream
	w        [3]int // widths of a row's fields
	loose    map[uint32]XrefEntry
	hybrid   *section
	stale    bool   // hybrid is an older section's too
	self     uint32 // number of the stream's own object
	revision int    // index of the revision; set by findRevisions
}

// subsection is a run of numbers whose entries lie together.
type subsection struct {
	first, count uint32
	at           int64 // in the file of the first entry, or the first row
}

const tableEntry = 20 // bytes (7.5.4)

// next returns a number above those of the section.
func (s *section) next() uint32 {
	var n uint32
	for i := range s.subs {
		n = max(n, s.subs[i].first+s.subs[i].count)
	}
	for k := range s.loose {
		n = max(n, k+1)
	}
	if s.hybrid != nil {
		n = max(n, s.hybrid.next())
	}
	return n
}

// arrange sorts the subsections, and reports where they overlap.
func (s *section) arrange() (overlap bool) {
	byFirst := func(a, b subsection) int { return int(int64(a.first) - int64(b.first)) }
	if !slices.IsSortedFunc(s.subs, byFirst) {
		slices.SortStableFunc(s.subs, byFirst)
	}
	for i := 1; i < len(s.subs); i++ {
		if s.subs[i-1].first+s.subs[i-1].count > s.subs[i].first {
			return true
		}
	}
	return false
}

// find returns the subsection and the place in it of the object number.
func (s *section) find(number uint32) (*subsection, uint32, bool) {
	i := 0
	if len(s.subs) > 1 {
		i = sort.Search(len(s.subs), func(i int) bool { return s.subs[i].first > number }) - 1
	}
	if i < 0 || i >= len(s.subs) {
		return nil, 0, false
	}
	sub := &s.subs[i]
	if number < sub.first || number-sub.first >= sub.count {
		return nil, 0, false
	}
	return sub, number - sub.first, true
}

// entry returns what the section itself says about number, without its hybrid.
func (s *section) entry(f *file, number uint32) (XrefEntry, bool, error) {
	if s.loose != nil {
		e, ok := s.loose[number]
		return e, ok, nil
	}
	sub, i, ok := s.find(number)
	if !ok {
		return XrefEntry{}, false, nil
	}
	if s.kind == XrefStream {
		e, ok := s.row(f, number, sub.at+int64(i))
		return e, ok, nil
	}
	at := sub.at + int64(i)*tableEntry
	b, err := f.bytes(at, tableEntry)
	if err != nil {
		return XrefEntry{}, false, err
	}
	e, ok := tableEntryOf(b)
	if !ok {
		f.note(XrefSyntax, at, "entry of a table is not written as it must be")
		return XrefEntry{Ref: Ref{Number: number}, Kind: EntryInUse, Offset: -1}, true, nil
	}
	e.Ref.Number = number
	e.Offset = f.placed(e)
	return e, true, nil
}

// placed turns the offset of an entry, as written, into a place in the file.
func (f *file) placed(e XrefEntry) int64 {
	if e.Kind != EntryInUse {
		return 0
	}
	return e.Offset + f.base
}

// tableEntryOf reads the 20 bytes "nnnnnnnnnn ggggg n" and a two-byte end of line.
func tableEntryOf(b []byte) (e XrefEntry, ok bool) {
	if b[10] != ' ' || b[16] != ' ' {
		return e, false
	}
	var v int64
	for _, c := range b[:10] {
		if !isDigit(c) {
			return e, false
		}
		v = v*10 + int64(c-'0')
	}
	g := 0
	for _, c := range b[11:16] {
		if !isDigit(c) {
			return e, false
		}
		g = g*10 + int(c-'0')
	}
	if !(b[18] == '\r' && b[19] == '\n' || b[18] == ' ' && (b[19] == '\n' || b[19] == '\r')) || g > 65535 && b[17] != 'f' {
		return e, false
	}
	e.Ref.Generation = uint16(min(g, 65535))
	switch b[17] {
	case 'n':
		e.Kind, e.Offset = EntryInUse, v
	case 'f':
	default:
		return e, false
	}
	return e, true
}

// row reads one row of a cross-reference stream (7.5.8.3).
func (s *section) row(f *file, number uint32, i int64) (e XrefEntry, ok bool) {
	width := s.w[0] + s.w[1] + s.w[2]
	b := s.rows[int(i)*width:]
	var v [3]uint64
	at := 0
	for k, w := range s.w {
		for _, c := range b[at : at+w] {
			v[k] = v[k]<<8 | uint64(c)
		}
		at += w
	}
	if s.w[0] == 0 {
		v[0] = 1 // the default of the type
	}
	e.Ref.Number = number
	switch v[0] {
	case 0:
		e.Ref.Generation = uint16(min(v[2], 65535))
	case 1:
		e.Kind = EntryInUse
		if v[1] > 1<<62 || v[2] > 65535 {
			f.note(XrefRows, s.offset, "entry out of range")
			return e, false
		}
		e.Ref.Generation, e.Offset = uint16(v[2]), int64(v[1])
		e.Offset = f.placed(e)
	case 2:
		if v[1] > maxObjectNumber || v[2] > maxObjectNumber {
			f.note(XrefRows, s.offset, "entry out of range")
			return e, false
		}
		e.Kind, e.Container, e.Index = EntryCompressed, uint32(v[1]), int(v[2])
	default:
		// "Any other value shall be interpreted as a reference to the null object."
		f.note(XrefRows, s.offset, "entry of an unknown type")
	}
	return e, true
}

// resolve returns what the section says about number with its hybrid stream:
// objects that the table hides as free are those of the stream (7.5.8.4).
func (s *section) resolve(f *file, number uint32) (XrefEntry, bool, error) {
	e, ok, err := s.entry(f, number)
	if err != nil || s.hybrid == nil || ok && e.Kind != EntryFree {
		if s.hybrid != nil && ok && err == nil {
			if h, twice, _ := s.hybrid.entry(f, number); twice && h != e && h.Kind != EntryFree {
				kind := HybridConflict
				if s.stale {
					kind = HybridStale
				}
				f.note(kind, s.offset, "table and XRefStm name different places for object "+e.Ref.String())
			}
		}
		return e, ok, err
	}
	if h, hidden, err := s.hybrid.entry(f, number); err != nil || hidden {
		return h, hidden, err
	}
	return e, ok, nil
}

// each calls yield for every entry of the section as resolve gives it, in order
// of number.
func (s *section) each(f *file, yield func(XrefEntry) bool) error {
	if s.loose != nil || s.hybrid != nil {
		for _, r := range numberRuns([]*section{s}) {
			for i := range r.count {
				e, ok, err := s.resolve(f, r.first+i)
				if err != nil {
					return err
				}
				if ok && !yield(e) {
					return nil
				}
			}
		}
		return nil
	}
	for _, sub := range s.subs {
		for i := range sub.count {
			e, ok, err := s.entry(f, sub.first+i)
			if err != nil {
				return err
			}
			if ok && !yield(e) {
				return nil
			}
		}
	}
	return nil
}
