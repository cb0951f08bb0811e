package changes

import (
	"maps"
	"slices"

	"absah/pdf"
)

// touched are the objects that a revision may have changed: those of its entries, and
// those that lie in object streams of its entries. The latter are others when their
// container is, although no entry of theirs is (ISO 32000-2 7.5.8.3, type 2).
type touched struct{ entries, members []pdf.Ref }

// maxMembers bounds what all revisions touch by writing object streams again: a few
// hundred bytes, written once more, could have thousands of objects compared.
const maxMembers = 1 << 20

// holdings know, for the view at hand, which objects lie in each object stream.
type holdings struct {
	in      map[uint32]uint32          // the container of an object
	members map[uint32]map[uint32]bool // of a container
}

func newHoldings(view *pdf.Document) *holdings {
	h := &holdings{in: map[uint32]uint32{}, members: map[uint32]map[uint32]bool{}}
	for ref, at := range view.Objects() {
		if at.Container != (pdf.Ref{}) {
			h.put(ref.Number, at.Container.Number)
		}
	}
	return h
}

func (h *holdings) put(member, container uint32) {
	h.in[member] = container
	if h.members[container] == nil {
		h.members[container] = map[uint32]bool{}
	}
	h.members[container][member] = true
}

// touched gives what revision i may have changed and goes on to its view.
func (h *holdings) touched(doc *pdf.Document, i int) touched {
	t := touched{entries: doc.Changed(i)}
	own := map[uint32]bool{}
	for _, r := range t.entries {
		own[r.Number] = true
	}
	for e := range doc.Entries(i) {
		if n := e.Ref.Number; h.in[n] != 0 {
			delete(h.members[h.in[n]], n)
			delete(h.in, n)
		}
	}
	for _, r := range t.entries {
		for _, n := range slices.Sorted(maps.Keys(h.members[r.Number])) {
			t.members = append(t.members, pdf.Ref{Number: n})
		}
	}
	for e := range doc.Entries(i) {
		if e.Kind == pdf.EntryCompressed && own[e.Ref.Number] {
			h.put(e.Ref.Number, e.Container)
		}
	}
	return t
}
