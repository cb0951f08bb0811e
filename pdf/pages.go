package pdf

import (
	"errors"
	"iter"
	"strconv"
)

// ErrNoPage: the document has fewer pages.
var ErrNoPage = errors.New("no such page")

// Page is a leaf of the page tree with what it inherits (7.7.3).
type Page struct {
	Number    int // from 0
	Ref       Ref // zero where the page is no indirect object
	Dict      Dict
	MediaBox  [4]float64 // left, bottom, right, top; US letter where the file has none
	CropBox   [4]float64 // within MediaBox
	Rotate    int        // 0, 90, 180 or 270, clockwise
	Resources Dict
}

// inherited are the attributes that a page takes from its ancestors.
type inherited struct {
	mediaBox, cropBox, rotate, resources Object
}

func (h inherited) with(d Dict) inherited {
	for _, a := range [...]struct {
		to  *Object
		key Name
	}{{&h.mediaBox, "MediaBox"}, {&h.cropBox, "CropBox"}, {&h.rotate, "Rotate"}, {&h.resources, "Resources"}} {
		if o := d.Get(a.key); o != nil {
			*a.to = o
		}
	}
	return h
}

// maxPageDepth bounds the levels of the page tree.
const maxPageDepth = 512

type pageWalk struct {
	doc     *Document
	yield   func(Page, error) bool
	visited map[Ref]bool
	nodes   int
	number  int
	stopped bool
}

// Pages yields the pages in order. After an error it goes on with the next page
// where it can.
func (d *Document) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		_, root, err := d.Root()
		if err != nil {
			yield(Page{}, err)
			return
		}
		w := pageWalk{doc: d, yield: yield, visited: make(map[Ref]bool)}
		w.node(root.Get("Pages"), inherited{}, 0)
	}
}

// Page returns page n, counted from 0.
func (d *Document) Page(n int) (Page, error) {
	for p, err := range d.Pages() {
		if err != nil {
			return Page{}, err
		}
		if p.Number == n {
			return p, nil
		}
	}
	return Page{}, ErrNoPage
}

// PageCount counts the leaves of the page tree.
func (d *Document) PageCount() (int, error) {
	n := 0
	for _, err := range d.Pages() {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (w *pageWalk) fail(err error) {
	if !w.yield(Page{Number: w.number}, err) {
		w.stopped = true
	}
}

// node walks one node, and returns the number of leaves under it.
func (w *pageWalk) node(o Object, h inherited, depth int) (leaves int) {
	d := w.doc
	ref, _ := o.(Ref)
	if ref == (Ref{}) {
		d.note(PageTree, -1, "a node of the page tree is no indirect object")
	}
	if w.nodes++; w.nodes > d.limits.Pages || depth > maxPageDepth {
		w.fail(&LimitError{"nodes of the page tree", int64(d.limits.Pages)})
		w.stopped = true
		return 0
	}
	o, err := d.Resolve(o)
	if err != nil {
		w.fail(err)
		return 0
	}
	dict, ok := o.(Dict)
	if !ok {
		d.note(PageTree, -1, "a node of the page tree is "+typeName(o))
		return 0
	}
	kids, hasKids := dict.Get("Kids"), dict.Has("Kids")
	kind, _ := d.ResolveName(dict.Get("Type"))
	switch {
	case kind == "Pages" && hasKids:
	case kind == "Page" && !hasKids:
		if depth == 0 {
			d.note(PageTree, -1, "the root of the page tree is a page")
		}
		return w.leaf(ref, dict, h)
	case hasKids:
		d.note(PageTree, -1, "a node with Kids is not of Type Pages")
	case kind == "Pages":
		d.note(PageTree, -1, "a node of Type Pages has no Kids")
		return 0
	default:
		d.note(PageTree, -1, "a page is not of Type Page")
		return w.leaf(ref, dict, h)
	}
	if ref != (Ref{}) {
		// A node twice is a loop, or could be one of exponential size.
		if w.visited[ref] {
			d.note(PageTree, -1, "node "+ref.String()+" stands in the page tree more than once")
			return 0
		}
		w.visited[ref] = true
	}
	list, err := d.ResolveArray(kids)
	if err != nil {
		w.fail(err)
		return 0
	}
	h = h.with(dict)
	for _, kid := range list {
		leaves += w.node(kid, h, depth+1)
		if w.stopped {
			return leaves
		}
	}
	if n, err := d.ResolveInt(dict.Get("Count")); err != nil || n != int64(leaves) {
		d.note(PageTree, -1, "Count of node "+ref.String()+" is not "+strconv.Itoa(leaves))
	}
	return leaves
}

func (w *pageWalk) leaf(ref Ref, dict Dict, h inherited) int {
	h = h.with(dict)
	d := w.doc
	if ref != (Ref{}) {
		if w.visited[ref] {
			d.note(PageTree, -1, "page "+ref.String()+" stands in the page tree more than once")
		}
		w.visited[ref] = true
	}
	p := Page{Number: w.number, Ref: ref, Dict: dict}
	var ok bool
	if p.MediaBox, ok = d.Rect(h.mediaBox); !ok {
		d.note(PageTree, -1, "a page without MediaBox")
		p.MediaBox = [4]float64{0, 0, 612, 792}
	}
	p.CropBox = p.MediaBox
	if c, ok := d.Rect(h.cropBox); ok {
		c = [4]float64{max(c[0], p.MediaBox[0]), max(c[1], p.MediaBox[1]), min(c[2], p.MediaBox[2]), min(c[3], p.MediaBox[3])}
		if c[0] < c[2] && c[1] < c[3] {
			p.CropBox = c
		}
	}
	if r, err := d.ResolveInt(h.rotate); err == nil && r%90 == 0 {
		p.Rotate = int((r%360 + 360) % 360)
	} else {
		d.note(PageTree, -1, "Rotate is no multiple of 90")
	}
	var err error
	if p.Resources, err = d.ResolveDict(h.resources); err != nil {
		d.note(PageTree, -1, "Resources is no dictionary")
	}
	w.number++
	if !w.yield(p, nil) {
		w.stopped = true
	}
	return 1
}

// Rect reads a rectangle (7.9.5) and puts its corners in order. ok is false
// where o is none, or an empty one.
func (d *Document) Rect(o Object) (r [4]float64, ok bool) {
	a, err := d.ResolveArray(o)
	if err != nil || len(a) != 4 {
		return r, false
	}
	for i := range r {
		e, err := d.Resolve(a[i])
		if err != nil || e == nil {
			return r, false
		}
		if r[i], err = d.ResolveNumber(e); err != nil {
			return r, false
		}
	}
	if r[0] > r[2] {
		r[0], r[2] = r[2], r[0]
	}
	if r[1] > r[3] {
		r[1], r[3] = r[3], r[1]
	}
	return r, r[0] < r[2] && r[1] < r[3]
}
