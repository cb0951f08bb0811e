package pdf

import "slices"

// indexFrom is the number of sections from which on an index is worth its memory.
const indexFrom = 8

// sectionIndex tells for each object number which sections have an entry of it,
// so that a file of thousands of revisions is not searched section by section.
// All views of a file share it.
type sectionIndex struct {
	starts []uint32 // where a number's list begins; one more at the end
	lists  []uint16 // counts of sections from the oldest, ascending
}

// countEntries bounds the entries of all sections together.
func (d *Document) countEntries(s *section) error {
	for _, sub := range s.subs {
		d.entries += int(sub.count)
	}
	d.entries += len(s.loose)
	if s.hybrid != nil {
		return d.countEntries(s.hybrid)
	}
	if d.entries > 2*d.limits.Objects {
		return &LimitError{"cross-reference entries", 2 * int64(d.limits.Objects)}
	}
	return nil
}

// eachNumber calls f for the object numbers of the section, in any order.
func (s *section) eachNumber(f func(uint32)) {
	for _, sub := range s.subs {
		for i := range sub.count {
			f(sub.first + i)
		}
	}
	for n := range s.loose {
		f(n)
	}
	if s.hybrid != nil {
		s.hybrid.eachNumber(f)
	}
}

// indexed returns the index of the file's sections, or nil where there are few.
func (d *Document) indexed() *sectionIndex {
	n := d.newest()
	if !n.complete || len(n.sections) < indexFrom {
		return nil
	}
	if n.index != nil {
		return n.index
	}
	var next uint32
	for _, s := range n.sections {
		next = max(next, s.next())
	}
	x := &sectionIndex{starts: make([]uint32, next+1)}
	for _, s := range n.sections {
		s.eachNumber(func(k uint32) { x.starts[k]++ })
	}
	total := uint32(0)
	for k := range x.starts {
		total, x.starts[k] = total+x.starts[k], total
	}
	x.lists = make([]uint16, total)
	for i, s := range slices.Backward(n.sections) {
		s.eachNumber(func(k uint32) {
			x.lists[x.starts[k]] = uint16(len(n.sections) - 1 - i)
			x.starts[k]++
		})
	}
	// Each start has moved to the next one's.
	copy(x.starts[1:], x.starts[:next])
	x.starts[0] = 0
	n.index = x
	return x
}

// of returns the list of a number.
func (x *sectionIndex) of(number uint32) []uint16 {
	if int64(number)+1 >= int64(len(x.starts)) {
		return nil
	}
	return x.lists[x.starts[number]:x.starts[number+1]]
}

// owner returns the entry of number in the newest section of the view that has
// one, and that section.
func (d *Document) owner(number uint32) (*section, XrefEntry, bool, error) {
	x := d.indexed()
	if x == nil {
		for _, s := range d.sections {
			if e, ok, err := s.resolve(d.file, number); ok || err != nil {
				return s, e, ok, err
			}
		}
		return nil, XrefEntry{}, false, nil
	}
	n := len(d.sections)
	for _, count := range slices.Backward(x.of(number)) {
		if int(count) >= n {
			continue // of a newer revision than the view's
		}
		s := d.sections[n-1-int(count)]
		if e, ok, err := s.resolve(d.file, number); ok || err != nil {
			return s, e, ok, err
		}
	}
	return nil, XrefEntry{}, false, nil
}

// lookup returns the entry of the newest section of the view that has one.
func (d *Document) lookup(number uint32) (XrefEntry, bool, error) {
	_, e, ok, err := d.owner(number)
	return e, ok, err
}

// numberRuns returns the object numbers of sections as runs that do not overlap,
// ascending.
func numberRuns(sections []*section) []subsection {
	var runs []subsection
	var add func(s *section)
	add = func(s *section) {
		runs = append(runs, s.subs...)
		for n := range s.loose {
			runs = append(runs, subsection{first: n, count: 1})
		}
		if s.hybrid != nil {
			add(s.hybrid)
		}
	}
	for _, s := range sections {
		add(s)
	}
	slices.SortFunc(runs, func(a, b subsection) int { return int(int64(a.first) - int64(b.first)) })
	out := runs[:0]
	for _, r := range runs {
		if k := len(out) - 1; k >= 0 && r.first <= out[k].first+out[k].count {
			out[k].count = max(out[k].first+out[k].count, r.first+r.count) - out[k].first
			continue
		}
		out = append(out, r)
	}
	return out
}
