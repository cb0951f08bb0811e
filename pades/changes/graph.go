package changes

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strings"

	"absah/pdf"
)

// edge is one reference: from an object (0 is the trailer), by a path of keys
// within it, to another. Elements of arrays all have the path "[]".
type edge struct {
	from uint32
	path string
	to   uint32
}

func compareEdges(x, y edge) int {
	return cmp.Or(cmp.Compare(x.to, y.to), cmp.Compare(x.from, y.from), cmp.Compare(x.path, y.path))
}

// lastKey is the key that the path ends with, without what is below arrays.
func (e edge) lastKey() string {
	p := strings.TrimRight(e.path, "[]")
	return p[strings.LastIndexByte(p, '/')+1:]
}

// position is a place in the newer view from which a rule reads on.
type position struct {
	from uint32
	path string
}

func (p position) key(k pdf.Name) position { return position{p.from, p.path + "/" + string(k)} }
func (p position) element() position       { return position{p.from, p.path + "[]"} }

// references calls see for every reference below o, with its path.
func references(o pdf.Object, path string, see func(path string, to pdf.Ref)) {
	switch o := o.(type) {
	case pdf.Ref:
		see(path, o)
	case pdf.Array:
		if len(o) == 0 {
			return
		}
		path += "[]"
		for _, e := range o {
			references(e, path, see)
		}
	case pdf.Dict:
		for _, e := range o {
			switch e.Value.(type) {
			case pdf.Ref, pdf.Array, pdf.Dict:
				references(e.Value, path+"/"+string(e.Key), see)
			}
		}
	case *pdf.Stream:
		references(o.Dict, path, see)
	}
}

// delta is an object that differs between two views.
type delta struct {
	ref      pdf.Ref // in the newer view; in the older one where it is gone
	old, cur pdf.Object
}

func (d *delta) isNew() bool { return d.old == nil }

// web knows, for the view at hand, which objects there are, what each refers to,
// and by which path where some later revision changes that.
type web struct {
	live    map[uint32]pdf.Ref
	watched map[uint32]bool
	from    map[uint32][]edge   // by the object that holds the reference
	out     map[uint32][]uint32 // every reference, by the object that holds it
	failed  map[uint32]bool     // objects that could not be read
	shown   map[uint32]bool     // what the pages draw; nil: not asked yet
}

func newWeb(ctx context.Context, view *pdf.Document, watched map[uint32]bool) (*web, error) {
	w := &web{live: map[uint32]pdf.Ref{}, watched: watched, from: map[uint32][]edge{}, out: map[uint32][]uint32{}, failed: map[uint32]bool{}}
	n := 0
	for ref := range view.Objects() {
		if n++; n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("read the objects of a revision: %w", err)
			}
		}
		w.read(view, ref)
	}
	w.readTrailer(view)
	return w, nil
}

// read takes the references that ref's object holds in the view.
func (w *web) read(view *pdf.Document, ref pdf.Ref) {
	w.drop(ref.Number)
	w.live[ref.Number] = ref
	o, err := view.Object(ref)
	if err != nil {
		w.failed[ref.Number] = true
		return
	}
	w.take(ref.Number, o)
}

func (w *web) drop(number uint32) {
	delete(w.live, number)
	delete(w.from, number)
	delete(w.out, number)
	delete(w.failed, number)
}

func (w *web) readTrailer(view *pdf.Document) {
	delete(w.from, 0)
	delete(w.out, 0)
	w.take(0, view.Trailer())
}

func (w *web) take(from uint32, o pdf.Object) {
	var out []uint32
	references(o, "", func(path string, to pdf.Ref) {
		out = append(out, to.Number)
		if w.watched[to.Number] {
			w.from[from] = append(w.from[from], edge{from, path, to.Number})
		}
	})
	if out != nil {
		w.out[from] = out
	}
}

// equal reports whether two values say the same without following references:
// a reference equals a reference to the same object.
func (c *comparison) equal(a, b pdf.Object) bool {
	if isNull(a) || isNull(b) {
		return isNull(a) && isNull(b)
	}
	switch a := a.(type) {
	case pdf.Integer:
		return number(b) && float64(a) == numberOf(b)
	case pdf.Real:
		return number(b) && float64(a) == numberOf(b)
	case pdf.Array:
		b, ok := b.(pdf.Array)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !c.equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case pdf.Dict:
		b, ok := b.(pdf.Dict)
		return ok && c.equalDicts(a, b, "")
	case *pdf.Stream:
		b, ok := b.(*pdf.Stream)
		if !ok || !c.equalDicts(a.Dict, b.Dict, "Length") {
			return false
		}
		x, errX := c.old.StreamRaw(a)
		y, errY := c.cur.StreamRaw(b)
		return errX == nil && errY == nil && bytes.Equal(x, y)
	}
	return a == b
}

func (c *comparison) equalDicts(a, b pdf.Dict, but pdf.Name) bool {
	if _, twice := a.Duplicate(); twice {
		return false
	}
	if _, twice := b.Duplicate(); twice {
		return false
	}
	count := func(d pdf.Dict) int {
		n := 0
		for _, e := range d {
			if e.Key != but && !isNull(e.Value) {
				n++
			}
		}
		return n
	}
	if count(a) != count(b) {
		return false
	}
	for _, e := range a {
		if e.Key != but && !isNull(e.Value) && !c.equal(e.Value, b.Get(e.Key)) {
			return false
		}
	}
	return true
}

func isNull(o pdf.Object) bool {
	if o == nil {
		return true
	}
	_, null := o.(pdf.Null)
	return null
}

func number(o pdf.Object) bool {
	switch o.(type) {
	case pdf.Integer, pdf.Real:
		return true
	}
	return false
}

func numberOf(o pdf.Object) float64 {
	switch o := o.(type) {
	case pdf.Integer:
		return float64(o)
	case pdf.Real:
		return float64(o)
	}
	return 0
}
