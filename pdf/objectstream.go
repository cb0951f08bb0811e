package pdf

import (
	"cmp"
	"slices"
	"strconv"
)

// objectStream is a decoded object stream (7.5.7).
type objectStream struct {
	data    []byte
	numbers []uint32
	offsets []uint32 // in data
	ends    []uint32 // where the next member begins
	used    uint64
	failed  error
	place   int64 // of its object
	shared  bool  // every view sees the same
}

// containerPlace is where an object stream stands, and for which view where they
// could differ.
type containerPlace struct {
	offset int64
	view   int
}

// objectStreams keeps the decoded ones, by the place of their object.
type objectStreams struct {
	at    map[containerPlace]*objectStream
	bytes int64
	turn  uint64
}

// member returns the compressed object that the entry e names.
func (d *Document) member(number uint32, e XrefEntry) (Object, error) {
	st, err := d.container(e.Container)
	if err != nil || st == nil {
		return nil, err
	}
	i := e.Index
	if i >= len(st.numbers) || st.numbers[i] != number {
		d.note(ObjectStream, -1, "object "+strconv.Itoa(int(number))+" is not at its index of object stream "+strconv.Itoa(int(e.Container)))
		i = len(st.numbers) - 1 // the last of several counts
		for i >= 0 && st.numbers[i] != number {
			i--
		}
		if i < 0 {
			return nil, nil
		}
	}
	if !st.shared || i >= maxCachedMember {
		return d.parseMember(st, i, e.Container)
	}
	key := -(st.place*maxCachedMember + int64(i)) - 1
	if l, ok := d.cache[key]; ok && l.ref.Number == number {
		return l.object, nil
	}
	o, err := d.parseMember(st, i, e.Container)
	if err == nil {
		d.keep(key, &loaded{ref: Ref{Number: number}, object: o})
	}
	return o, err
}

// maxCachedMember is the index up to which members are kept; their keys are below
// zero, where no object in the file has its place.
const maxCachedMember = 1 << 16

func (d *Document) parseMember(st *objectStream, i int, container uint32) (Object, error) {
	if err := d.work(0); err != nil {
		return nil, err
	}
	p := parser{b: st.data[:st.ends[i]], i: int(st.offsets[i]), whole: true, limit: d.limits.Depth}
	mine := !d.busy
	if mine {
		d.busy = true
		p.entries, p.items = d.parser.entries[:0], d.parser.items[:0]
	}
	o, stop, err := p.value()
	if mine {
		d.busy = false
		d.parser.entries, d.parser.items = p.entries[:0], p.items[:0]
	}
	if err := d.work(int64(p.i) - int64(st.offsets[i])); err != nil {
		return nil, err
	}
	for _, a := range p.notes {
		d.note(a.Kind, -1, a.Text+" (object stream "+strconv.Itoa(int(container))+")")
	}
	if stop != nil {
		d.note(ObjectStream, -1, "keyword in object stream "+strconv.Itoa(int(container)))
	}
	if _, syntax := err.(*SyntaxError); syntax { //nolint:errorlint // the parser's own, never wrapped
		d.note(ObjectStream, -1, "object stream "+strconv.Itoa(int(container))+": "+err.Error())
		return nil, nil
	}
	return o, err
}

// container returns the decoded object stream number, nil where it is none.
func (d *Document) container(number uint32) (*objectStream, error) {
	e, ok, err := d.lookup(number)
	if err != nil {
		return nil, err
	}
	if !ok || e.Kind != EntryInUse {
		d.note(ObjectStream, -1, "object stream "+strconv.Itoa(int(number))+" is no object in use")
		return nil, nil
	}
	c := &d.objstms
	c.turn++
	for _, view := range [2]int{0, len(d.sections)} {
		if st := c.at[containerPlace{e.Offset, view}]; st != nil {
			st.used = c.turn
			return st, st.failed
		}
	}
	l, err := d.inUse(e)
	if err != nil {
		return nil, err
	}
	st, err := d.openObjectStream(l.object)
	if err != nil {
		if !mendable(err) {
			return nil, err
		}
		d.note(ObjectStream, e.Offset, "object stream "+strconv.Itoa(int(number))+": "+err.Error())
		st = &objectStream{failed: err}
	}
	at := containerPlace{offset: e.Offset}
	st.place, st.shared = e.Offset, true
	if d.differs(l.object) {
		at.view, st.shared = len(d.sections), false
	}
	c.keep(at, st, d.limits.CachedBytes)
	return st, st.failed
}

func (st *objectStream) cost() int64 { return int64(len(st.data) + 12*len(st.numbers) + 64) }

// keep adds st and lets those go that were not used for the longest time.
func (c *objectStreams) keep(at containerPlace, st *objectStream, limit int64) {
	st.used = c.turn
	if c.at == nil {
		c.at = make(map[containerPlace]*objectStream)
	}
	for c.bytes+st.cost() > limit && len(c.at) > 0 {
		var oldest containerPlace
		var found *objectStream
		for place, s := range c.at {
			if found == nil || s.used < found.used {
				oldest, found = place, s
			}
		}
		c.bytes -= found.cost()
		delete(c.at, oldest)
	}
	c.at[at] = st
	c.bytes += st.cost()
}

// openObjectStream decodes an object stream and reads its head: N pairs of object
// number and offset.
func (d *Document) openObjectStream(o Object) (*objectStream, error) {
	s, ok := o.(*Stream)
	if !ok {
		return nil, &TypeError{"an object stream", o}
	}
	if t, ok := s.Dict.Get("Type").(Name); !ok || t != "ObjStm" {
		d.note(ObjectStream, s.offset, "an object stream is not of Type ObjStm")
	}
	n, err := d.directInt(s.Dict.Get("N"))
	if err != nil {
		return nil, err
	}
	first, err := d.directInt(s.Dict.Get("First"))
	if err != nil {
		return nil, err
	}
	data, err := d.decode(s, d.limits.StreamBytes)
	if err != nil {
		return nil, err
	}
	if n < 0 || first < 0 || first > int64(len(data)) {
		return nil, &SyntaxError{s.offset, "N or First of an object stream out of range"}
	}
	n = min(n, int64(len(data))/2+1)
	st := &objectStream{data: data, numbers: make([]uint32, 0, n), offsets: make([]uint32, 0, n)}
	p := parser{b: data[:first], whole: true}
	for range n {
		p.space()
		number, ok1 := p.unsigned()
		p.space()
		at, ok2 := p.unsigned()
		if !ok1 || !ok2 || number > maxObjectNumber || at > int64(len(data))-first {
			d.note(ObjectStream, s.offset, "the head of an object stream holds less than N pairs, or wrong ones")
			break
		}
		st.numbers = append(st.numbers, uint32(number))
		st.offsets = append(st.offsets, uint32(first+at))
	}
	if !st.divide() {
		d.note(ObjectStream, s.offset, "the members of an object stream do not follow one another")
	}
	return st, nil
}

// divide finds where each member ends: where the next one begins. Of several that
// begin at one place the last has the object, so that members never overlap. It
// tells whether they stand in the order of the head.
func (st *objectStream) divide() (ordered bool) {
	st.ends = make([]uint32, len(st.offsets))
	end := uint32(len(st.data))
	ordered = true
	for i := len(st.offsets) - 1; i >= 0; i-- {
		if i+1 < len(st.offsets) && st.offsets[i] >= st.offsets[i+1] {
			ordered = false
			break
		}
		st.ends[i], end = end, st.offsets[i]
	}
	if ordered {
		return true
	}
	order := make([]int, len(st.offsets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(st.offsets[a], st.offsets[b]), cmp.Compare(a, b))
	})
	end = uint32(len(st.data))
	for _, i := range slices.Backward(order) {
		st.ends[i], end = end, st.offsets[i]
	}
	return false
}

// directInt returns an integer of a container's dictionary, which by 7.5.7 is
// direct; a reference is followed once, to an object that is not compressed.
func (d *Document) directInt(o Object) (int64, error) {
	if ref, ok := o.(Ref); ok {
		if e, found, err := d.lookup(ref.Number); err == nil && found && e.Kind == EntryInUse {
			if o, err = d.Object(ref); err != nil {
				return 0, err
			}
		}
	}
	if v, ok := o.(Integer); ok {
		return int64(v), nil
	}
	return 0, &TypeError{"an integer", o}
}
