package changes

import (
	"maps"
	"slices"
	"strings"

	"absah/pdf"
)

// structure judges the structure tree: it may gain elements for new fields, and
// numbers for them in its parent tree; what was there keeps its words.
func (c *comparison) structure(a, b pdf.Object, p position) {
	root, _ := c.cur.Trailer().Get("Root").(pdf.Ref)
	if !c.equal(a, b) && !c.sameBehind(a, b, p) {
		c.report(Change{Kind: Tagging, Object: objectOf(b, root), Need: NeedMore})
		return
	}
	x := &extension{c: c}
	x.value(a, b, p, 0)
	for _, n := range slices.Sorted(maps.Keys(c.changed)) {
		d := c.changed[n]
		if c.judged[n] || d.isNew() || d.cur == nil {
			continue
		}
		was, is := dict(d.old), dict(d.cur)
		if was.Has("S") && was.Has("P") && is.Has("S") && is.Has("P") && !was.Has("Subtype") && !is.Has("Subtype") {
			c.judged[n] = true
			x.touched = true
			x.pair(was, is, position{from: n}, 0)
			for _, e := range c.to[n] {
				if k := e.lastKey(); k == "K" || k == "P" || k == "Nums" {
					c.accounted[e] = true
				}
			}
		}
	}
	switch {
	case x.broken:
		c.report(Change{Kind: Tagging, Object: objectOf(b, root), Need: NeedMore})
	case x.touched:
		c.report(Change{Kind: Tagging, Object: objectOf(b, root), Need: NeedSigning, Doubt: x.doubt})
	}
}

// extension walks a part of the structure tree that may only grow.
type extension struct {
	c               *comparison
	touched, broken bool
	doubt           Doubt
}

// growing are the keys whose values may gain members.
var growing = []pdf.Name{"K", "ParentTree", "Nums", "Kids", "Limits", "ParentTreeNextKey"}

func (x *extension) value(a, b pdf.Object, p position, depth int) {
	if depth > maxFieldDepth || isNull(b) {
		return
	}
	c := x.c
	if ref, ok := b.(pdf.Ref); ok {
		d := c.changed[ref.Number]
		if d == nil && depth > 2 {
			return
		}
		if d != nil && (d.isNew() || d.cur == nil) {
			x.broken = x.broken || d.cur == nil
			c.absorb(b, p)
			return
		}
	}
	o, p := c.enter(b, p)
	was := resolve(c.old, a)
	switch is := o.(type) {
	case pdf.Dict:
		x.pair(dict(was), is, p, depth)
	case pdf.Array:
		x.list(array(was), is, p, depth)
	}
}

func (x *extension) pair(was, is pdf.Dict, p position, depth int) {
	for _, k := range keys(was, is) {
		a, b := was.Get(k), is.Get(k)
		if !slices.Contains(growing, k) {
			if !x.c.equal(a, b) && !x.c.sameBehind(a, b, p.key(k)) {
				x.broken = true
			}
			continue
		}
		if k == "ParentTreeNextKey" || k == "Limits" {
			continue
		}
		if k == "K" {
			x.kids(a, b, p.key(k))
			continue
		}
		x.value(a, b, p.key(k), depth+1)
	}
}

// kids judges K, whose single member may stand there without an array.
func (x *extension) kids(a, b pdf.Object, p position) {
	was, is := resolve(x.c.old, a), b
	if ref, ok := b.(pdf.Ref); ok {
		if _, isArray := resolve(x.c.cur, ref).(pdf.Array); isArray {
			is, p = x.c.enter(b, p)
		}
	}
	older, newer := array(was), array(is)
	if older == nil && !isNull(a) {
		older = pdf.Array{a}
	}
	q := p.element()
	if newer == nil && !isNull(is) {
		newer, q = pdf.Array{is}, p
	}
	x.grown(older, newer, q)
}

// list judges Kids and Nums.
func (x *extension) list(was, is pdf.Array, p position, depth int) {
	next := 0
	for _, o := range is {
		if next < len(was) && x.c.equal(was[next], o) {
			x.value(was[next], o, p.element(), depth+1)
			next++
			continue
		}
		x.touched = true
		x.c.absorb(o, p.element())
	}
	x.broken = x.broken || next < len(was)
}

func (x *extension) grown(was, is pdf.Array, p position) {
	c := x.c
	next := 0
	for _, o := range is {
		if next < len(was) && c.equal(was[next], o) {
			if ref, ok := o.(pdf.Ref); ok {
				c.account(p, ref)
			}
			next++
			continue
		}
		x.touched = true
		if ref, ok := o.(pdf.Ref); ok {
			if d := c.changed[ref.Number]; d == nil || !d.isNew() {
				x.broken = true // an existing object in a new place
				continue
			}
			if c.curDict(ref).Has("ActualText") || c.curDict(ref).Has("E") {
				x.doubt = HiddenStructure
			}
		}
		c.absorb(o, p)
	}
	x.broken = x.broken || next < len(was)
}

// leftovers reports what no rule has judged, and references that no rule has
// foreseen.
func (c *comparison) leftovers() {
	var found []int
	for _, n := range slices.Sorted(maps.Keys(c.changed)) {
		d := c.changed[n]
		if c.judged[n] {
			e, bad := c.unforeseen(n)
			if !bad && !c.whole[n] && streams(d) && len(c.to[n]) > 0 {
				// Rules that go by keys say nothing of a stream's data.
				e, bad = c.to[n][0], true
			}
			if bad {
				found = append(found, len(c.out))
				c.report(c.describe(d, e))
			}
			continue
		}
		e, from := c.liveEdge(n)
		switch {
		case !from && d.isNew() && structural(d.cur):
		case !from && !c.hasEdge(n):
			c.report(Change{Kind: Unused, Object: d.ref})
		case from:
			found = append(found, len(c.out))
			c.report(c.describe(d, e))
		}
	}
	found = append(found, c.shared()...)
	c.locate(found)
}

// streams reports whether an object that was there before is a stream, or became one.
func streams(d *delta) bool {
	_, was := d.old.(*pdf.Stream)
	_, is := d.cur.(*pdf.Stream)
	return (was || is) && !d.isNew()
}

// structural reports whether o belongs to the structure of the file: nothing
// refers to such objects.
func structural(o pdf.Object) bool {
	t := dict(o).Get("Type")
	_, stream := o.(*pdf.Stream)
	return stream && (t == pdf.Name("XRef") || t == pdf.Name("ObjStm"))
}

func (c *comparison) hasEdge(n uint32) bool { return len(c.to[n]) > 0 }

// liveEdge returns a reference to n from an object that is not itself left over.
func (c *comparison) liveEdge(n uint32) (edge, bool) {
	for _, e := range c.to[n] {
		if e.from == n {
			continue
		}
		if d := c.changed[e.from]; (d == nil || c.judged[e.from] || !d.isNew()) && c.reached(e.from) {
			return e, true
		}
	}
	return edge{}, false
}

// linkKeys are keys whose values point at objects that have a role elsewhere.
var linkKeys = []string{"Parent", "P", "Pg", "Dest", "Obj", "Popup", "IRT", "CO", "T", "SP", "SD", "Data"}

// unforeseen returns a reference to n that no rule has walked and that is more
// than a link.
func (c *comparison) unforeseen(n uint32) (edge, bool) {
	for _, e := range c.to[n] {
		if c.accounted[e] {
			continue
		}
		if d := c.changed[e.from]; d != nil && !c.judged[e.from] {
			continue // reported for what refers to it
		}
		if c.isLink(e, c.changed[n]) || !c.reached(e.from) {
			continue
		}
		return e, true
	}
	return edge{}, false
}

// isLink reports whether e merely points at an object whose own role has been
// judged: the object is a plain dictionary before and after (a stream or an array
// could be shown or run in another role), and the key is one of links.
func (c *comparison) isLink(e edge, d *delta) bool {
	if d.isNew() {
		return false // an old reference that led nowhere before
	}
	if c.whole[d.ref.Number] {
		return false // anything of it may have changed, and nothing points at such parts
	}
	for _, o := range []pdf.Object{d.old, d.cur} {
		if _, plain := o.(pdf.Dict); o != nil && !plain {
			return false
		}
	}
	key := e.lastKey()
	if key == "" { // an array of its own, as destinations are
		return dict(d.old).Get("Type") == pdf.Name("Page")
	}
	if key == "Kids" || key == "Fields" || key == "Annots" {
		return false
	}
	return slices.Contains(linkKeys, key) ||
		key != "Contents" && key != "Resources" && dict(d.old).Get("Type") == pdf.Name("Page") && !strings.Contains(e.path, "/Annots")
}

// describe names a change that no rule permits.
func (c *comparison) describe(d *delta, e edge) Change {
	ch := Change{Kind: Other, Object: d.ref, Need: NeedMore, Detail: strings.TrimPrefix(strings.ReplaceAll(e.path, "[]", ""), "/")}
	index, isPage := c.pageAt[e.from]
	if isPage {
		ch.Page = index + 1
	}
	is := dict(d.cur)
	if is == nil {
		is = dict(d.old)
	}
	switch t := is.Get("Type"); {
	case is.Has("ByteRange") || dict(d.old).Has("ByteRange"):
		ch.Kind = SignatureAltered
	case isPage, t == pdf.Name("Page"), t == pdf.Name("Pages"), t == pdf.Name("Font"), t == pdf.Name("XObject"), e.lastKey() == "Contents", strings.Contains(e.path, "Resources"):
		ch.Kind = Page
	case is.Has("FT"), is.Get("Subtype") == pdf.Name("Widget"):
		ch.Kind = Form
	case is.Has("Rect"):
		ch.Kind, ch.Need = Annotation, NeedMore
	}
	return ch
}

// maxVisited bounds the search for the page of a change: it is for people and
// decides nothing.
const maxVisited = 200_000

// locate finds the first page that shows each of the changes with these indices.
func (c *comparison) locate(found []int) {
	wanted := map[uint32][]int{}
	for _, i := range found {
		if c.out[i].Page == 0 {
			n := c.out[i].Object.Number
			wanted[n] = append(wanted[n], i)
		}
	}
	if len(wanted) == 0 {
		return
	}
	seen := map[uint32]bool{}
	for index, p := range c.pages {
		work := []pdf.Ref{p.Ref}
		for len(work) > 0 && len(seen) < maxVisited {
			r := work[len(work)-1]
			work = work[:len(work)-1]
			if seen[r.Number] {
				continue
			}
			seen[r.Number] = true
			for _, i := range wanted[r.Number] {
				c.out[i].Page = index + 1
			}
			references(resolve(c.cur, r), "", func(path string, to pdf.Ref) {
				k := edge{path: path}.lastKey()
				if _, other := c.pageAt[to.Number]; !other && k != "Parent" && k != "P" && k != "StructParent" {
					work = append(work, to)
				}
			})
		}
	}
}
