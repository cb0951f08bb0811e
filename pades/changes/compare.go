package changes

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"absah/pdf"
)

// Between tells everything that the revisions behind first changed, in the order
// of the revisions. first is an index into doc.Revisions, usually that of the
// oldest signature.
//
// Its cost is one reading of all objects of the document, however many revisions
// follow.
func Between(ctx context.Context, doc *pdf.Document, first int) ([]Change, error) {
	last := len(doc.Revisions()) - 1
	if first >= last {
		return nil, nil
	}
	old := doc.At(first)
	watched := map[uint32]bool{}
	revisions := make([]touched, last+1)
	held, members := newHoldings(old), 0
	for i := first + 1; i <= last; i++ {
		t := held.touched(doc, i)
		if members += len(t.members); members > maxMembers {
			return nil, &pdf.LimitError{What: "objects in object streams that are written again", Limit: maxMembers}
		}
		for _, r := range slices.Concat(t.entries, t.members) {
			watched[r.Number] = true
		}
		revisions[i] = t
	}
	web, err := newWeb(ctx, old, watched)
	if err != nil {
		return nil, err
	}
	var all []Change
	for i := first + 1; i <= last; i++ {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("compare revisions: %w", err)
		}
		c := &comparison{
			ctx: ctx, old: old, cur: doc.At(i), revision: i, web: web,
			changed: map[uint32]*delta{}, accounted: map[edge]bool{}, judged: map[uint32]bool{}, whole: map[uint32]bool{},
			copied: map[uint32]bool{}, passed: map[uint32]bool{}, fields: map[uint32]*fieldUse{},
		}
		c.run(revisions[i])
		all = append(all, c.out...)
		old = c.cur
	}
	return all, nil
}

// comparison is that of one revision with the one before it.
type comparison struct {
	ctx      context.Context // of the one call of Between
	old, cur *pdf.Document
	revision int
	web      *web

	changed   map[uint32]*delta
	to        map[uint32][]edge // references of the newer view, by what they name
	accounted map[edge]bool
	judged    map[uint32]bool
	whole     map[uint32]bool      // judged with all that they hold, and not key by key
	copied    map[uint32]bool      // new objects that say what another said in their place
	passed    map[uint32]bool      // unchanged objects through which a rule came to others
	fields    map[uint32]*fieldUse // widgets and fields that were added
	before    []pdf.Page           // of the older view
	pages     []pdf.Page           // of the newer view
	pageAt    map[uint32]int       // index into pages
	reachable map[uint32]bool      // from the trailer of the newer view; nil: not asked yet
	out       []Change
}

func (c *comparison) run(t touched) {
	c.collect(t)
	c.web.readTrailer(c.cur)
	c.to = map[uint32][]edge{}
	for _, edges := range c.web.from {
		for _, e := range edges {
			if c.changed[e.to] != nil {
				c.to[e.to] = append(c.to[e.to], e)
			}
		}
	}
	for _, edges := range c.to { // the same words each time
		slices.SortFunc(edges, compareEdges)
	}
	if len(c.web.failed) > 0 { // one is enough to be in doubt
		first := slices.Min(slices.Collect(maps.Keys(c.web.failed)))
		c.report(Change{Object: pdf.Ref{Number: first}, Kind: Unreadable, Doubt: CannotTell})
	}
	c.trailer()
	c.leftovers()
}

// collect finds which objects the revision really changed. Writing an object
// again as it was is no change.
func (c *comparison) collect(t touched) {
	seen := map[uint32]bool{}
	for i, r := range slices.Concat(t.entries, t.members) {
		if seen[r.Number] {
			continue
		}
		seen[r.Number] = true
		d := &delta{ref: r}
		var err error
		before, existed := c.web.live[r.Number]
		is, exists := c.cur.Locate(r)
		if existed {
			if was, ok := c.old.Locate(before); ok && exists && before == r && was == is && i < len(t.entries) {
				continue
			}
			if d.old, err = c.old.Object(before); err != nil {
				c.report(Change{Object: before, Kind: Unreadable, Need: NeedMore})
			}
		}
		if exists {
			if d.cur, err = c.cur.Object(r); err != nil {
				c.report(Change{Object: r, Kind: Unreadable, Need: NeedMore})
			}
			c.web.read(c.cur, r)
		} else {
			c.web.drop(r.Number)
		}
		// One of another generation is another object even where it says the same:
		// what referred to it leads nowhere now (ISO 32000-2 7.3.10).
		if c.equal(d.old, d.cur) && !(existed && exists && before != r) {
			continue
		}
		c.changed[r.Number] = d
	}
}

func (c *comparison) report(ch Change) {
	ch.Revision = c.revision
	c.out = append(c.out, ch)
}

// account marks a reference as foreseen.
func (c *comparison) account(p position, to pdf.Ref) {
	c.accounted[edge{p.from, p.path, to.Number}] = true
}

// enter resolves o in the newer view and tells where its content lies. The
// reference is accounted for and what it names counts as judged: the caller's
// rule judges it.
func (c *comparison) enter(o pdf.Object, p position) (pdf.Object, position) {
	ref, ok := o.(pdf.Ref)
	if !ok {
		if isNull(o) {
			return nil, p
		}
		return o, p
	}
	c.account(p, ref)
	if c.changed[ref.Number] != nil {
		c.judged[ref.Number] = true
	} else {
		c.passed[ref.Number] = true
	}
	return resolve(c.cur, ref), position{from: ref.Number}
}

// resolve follows references; what cannot be read counts as absent, because the
// reader has noted it and a missing object is judged as such.
func resolve(d *pdf.Document, o pdf.Object) pdf.Object {
	v, err := d.Resolve(o)
	if err != nil {
		return nil
	}
	return v
}

func dict(o pdf.Object) pdf.Dict {
	switch o := o.(type) {
	case pdf.Dict:
		return o
	case *pdf.Stream:
		return o.Dict
	}
	return nil
}

func (c *comparison) oldDict(o pdf.Object) pdf.Dict { return dict(resolve(c.old, o)) }
func (c *comparison) curDict(o pdf.Object) pdf.Dict { return dict(resolve(c.cur, o)) }

func array(o pdf.Object) pdf.Array {
	a, _ := o.(pdf.Array)
	return a
}

// absorb judges what is new below o: objects that did not exist before, and
// whose content can serve only what refers to them. What was there before is
// left to the rule of its own role.
func (c *comparison) absorb(o pdf.Object, p position) { c.sweep(o, p, false) }

// takeOver is absorb for parts that may be replaced as a whole, such as the
// appearance of a field: objects that were there before are judged as well.
func (c *comparison) takeOver(o pdf.Object, p position) { c.sweep(o, p, true) }

func (c *comparison) sweep(o pdf.Object, p position, replaced bool) {
	type item struct {
		o     pdf.Object
		p     position
		depth int // of unchanged objects on the way
	}
	seen := map[uint32]bool{}
	work := []item{{o, p, 0}}
	for len(work) > 0 {
		it := work[len(work)-1]
		work = work[:len(work)-1]
		references(it.o, it.p.path, func(path string, to pdf.Ref) {
			d := c.changed[to.Number]
			if d == nil {
				// What did not change may lead to a part that did.
				if replaced && (seen[to.Number] || it.depth < maxLevels) {
					c.account(position{it.p.from, path}, to)
					if seen[to.Number] {
						return
					}
					seen[to.Number] = true
					if same := resolve(c.cur, to); !linked(&delta{cur: same}) {
						c.passed[to.Number] = true
						work = append(work, item{same, position{from: to.Number}, it.depth + 1})
					}
				}
				return
			}
			c.account(position{it.p.from, path}, to)
			if c.judged[to.Number] || !d.isNew() && (!replaced || linked(d)) {
				return
			}
			c.judged[to.Number], c.whole[to.Number] = true, true
			work = append(work, item{d.cur, position{from: to.Number}, it.depth})
		})
	}
}

// maxLevels is how many unchanged objects deep a part that may be replaced is
// searched: a store, its VRI, an entry of that, a list, a stream.
const maxLevels = 6

// linked reports whether the object has a role of its own, so that a reference
// to it from an appearance or the like is but a link.
func linked(d *delta) bool {
	for _, o := range []pdf.Object{d.old, d.cur} {
		switch dict(o).Get("Type") {
		case pdf.Name("Catalog"), pdf.Name("Pages"), pdf.Name("Page"), pdf.Name("Annot"), pdf.Name("StructElem"), pdf.Name("StructTreeRoot"), pdf.Name("Sig"):
			return true
		}
		if dict(o).Has("FT") || dict(o).Has("Subtype") && dict(o).Has("Rect") {
			return true
		}
	}
	return false
}

func (c *comparison) trailer() {
	was, is := c.old.Trailer(), c.cur.Trailer()
	if !c.equal(was.Get("Encrypt"), is.Get("Encrypt")) {
		c.report(Change{Kind: Encryption, Need: NeedMore})
	}
	if ref, ok := is.Get("Info").(pdf.Ref); ok {
		c.enter(ref, position{}.key("Info"))
		if c.changed[ref.Number] != nil || !c.equal(was.Get("Info"), ref) {
			is := c.changedValue(ref)
			if _, plain := is.(pdf.Dict); plain && !streams(c.changed[ref.Number]) {
				c.whole[ref.Number] = true
			}
			c.absorb(is, position{from: ref.Number})
			c.report(Change{Kind: Metadata, Object: ref, Detail: "Info"})
		}
	}
	o, p := c.enter(is.Get("Root"), position{}.key("Root"))
	c.catalog(c.oldDict(was.Get("Root")), dict(o), p)
}

func (c *comparison) changedValue(r pdf.Ref) pdf.Object {
	if d := c.changed[r.Number]; d != nil {
		return d.cur
	}
	return nil
}

// keys of both dictionaries, each once.
func keys(a, b pdf.Dict) []pdf.Name {
	var all []pdf.Name
	for _, d := range []pdf.Dict{a, b} {
		for _, e := range d {
			if !slices.Contains(all, e.Key) {
				all = append(all, e.Key)
			}
		}
	}
	return all
}

func (c *comparison) catalog(was, is pdf.Dict, p position) {
	root, _ := c.cur.Trailer().Get("Root").(pdf.Ref)
	// The form first: pages ask which widgets belong to new fields.
	c.form(was.Get("AcroForm"), is.Get("AcroForm"), p.key("AcroForm"))
	c.pageTree(was.Get("Pages"), is.Get("Pages"), p.key("Pages"))
	for _, k := range keys(was, is) {
		a, b := was.Get(k), is.Get(k)
		switch k {
		case "AcroForm", "Pages":
		case "DSS":
			if c.touches(b) || !c.equal(a, b) {
				c.takeOver(b, p.key(k))
				if isNull(b) {
					c.report(Change{Kind: ValidationData, Object: root, Need: NeedMore, Detail: "removed"})
				} else {
					c.report(Change{Kind: ValidationData, Object: objectOf(b, root)})
				}
			}
		case "Metadata":
			if c.touches(b) || !c.equal(a, b) {
				c.takeOver(b, p.key(k))
				c.report(Change{Kind: Metadata, Object: objectOf(b, root), Detail: "Metadata"})
			}
		case "Version", "Extensions":
			if c.touches(b) || !c.equal(a, b) {
				c.takeOver(b, p.key(k))
				c.report(Change{Kind: Metadata, Object: root, Detail: string(k)})
			}
		case "StructTreeRoot":
			c.structure(a, b, p.key(k))
		case "Perms":
			if !c.equal(a, b) {
				c.report(Change{Kind: Permission, Object: root, Need: NeedMore, Detail: string(k)})
			}
		default:
			if !c.equal(a, b) && !c.sameBehind(a, b, p.key(k)) {
				c.report(Change{Kind: Catalog, Object: root, Need: NeedMore, Detail: string(k)})
			}
		}
	}
}

// touches reports whether o leads to something that changed and not yet has been
// judged, without leaving the part of the document that o begins.
func (c *comparison) touches(o pdf.Object) bool {
	seen := map[uint32]bool{}
	var walk func(pdf.Object, int) bool
	walk = func(o pdf.Object, depth int) bool {
		found := false
		references(o, "", func(_ string, to pdf.Ref) {
			if found || seen[to.Number] {
				return
			}
			seen[to.Number] = true
			if c.changed[to.Number] != nil {
				found = true
				return
			}
			if depth > 0 {
				found = walk(resolve(c.cur, to), depth-1)
			}
		})
		return found
	}
	return walk(o, maxLevels)
}

// sameBehind reports whether a value only moved between its place and an object
// of its own, or from one such object to another.
func (c *comparison) sameBehind(a, b pdf.Object, p position) bool {
	if isNull(a) || isNull(b) {
		return false
	}
	_, wasIndirect := a.(pdf.Ref)
	refB, indirect := b.(pdf.Ref)
	if !wasIndirect && !indirect {
		return false
	}
	if !c.equal(resolve(c.old, a), resolve(c.cur, b)) {
		return false
	}
	if d := c.changed[refB.Number]; indirect && d != nil {
		if !d.isNew() {
			return false
		}
		c.account(p, refB)
		c.judged[refB.Number], c.copied[refB.Number] = true, true
	}
	return true
}

func objectOf(o pdf.Object, otherwise pdf.Ref) pdf.Ref {
	if r, ok := o.(pdf.Ref); ok {
		return r
	}
	return otherwise
}
