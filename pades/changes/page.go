package changes

import (
	"slices"

	"absah/pdf"
)

// pageTree compares the lists of pages and then page by page. A page may gain
// annotations; nothing else of it may change.
func (c *comparison) pageTree(a, b pdf.Object, p position) {
	was, errOld := allPages(c.old)
	is, errCur := allPages(c.cur)
	c.before, c.pages, c.pageAt = was, is, map[uint32]int{}
	for i, pg := range is {
		c.pageAt[pg.Ref.Number] = i
	}
	root, _ := c.cur.Trailer().Get("Root").(pdf.Ref)
	if errOld != nil || errCur != nil {
		c.report(Change{Kind: Unreadable, Object: objectOf(b, root), Need: NeedNothing, Doubt: CannotTell, Detail: "Pages"})
	}
	if !c.equal(a, b) {
		c.report(Change{Kind: Page, Object: objectOf(b, root), Need: NeedMore, Detail: "Pages"})
		return
	}
	for i := range is {
		if len(was) != len(is) || was[i].Ref != is[i].Ref {
			c.report(Change{Kind: Page, Page: i + 1, Object: is[i].Ref, Need: NeedMore, Detail: "order"})
			return
		}
	}
	if len(was) > len(is) {
		c.report(Change{Kind: Page, Object: objectOf(b, root), Need: NeedMore, Detail: "removed"})
		return
	}
	for i := range is {
		c.page(was[i], is[i], i)
	}
}

func allPages(d *pdf.Document) ([]pdf.Page, error) {
	var all []pdf.Page
	for p, err := range d.Pages() {
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (c *comparison) page(was, is pdf.Page, index int) {
	n := is.Ref.Number
	if c.changed[n] != nil {
		c.judged[n] = true
		// The list of pages was found to be the same, so the tree may name it.
		for _, e := range c.to[n] {
			if e.lastKey() == "Kids" {
				c.accounted[e] = true
			}
		}
		for _, k := range keys(was.Dict, is.Dict) {
			a, b := was.Dict.Get(k), is.Dict.Get(k)
			switch k {
			case "Annots":
			case "Tabs", "StructParents":
				// Order of tabulation and number in the structure tree come with
				// the first field of a page.
				if a != nil && !c.equal(a, b) {
					c.report(Change{Kind: Page, Page: index + 1, Object: is.Ref, Need: NeedMore, Detail: string(k)})
				}
			case "LastModified", "PieceInfo":
				if !c.equal(a, b) {
					c.absorb(b, position{from: n}.key(k))
					c.report(Change{Kind: Metadata, Page: index + 1, Object: is.Ref, Detail: string(k)})
				}
			default:
				if !c.equal(a, b) && !c.sameBehind(a, b, position{from: n}.key(k)) {
					c.report(Change{Kind: Page, Page: index + 1, Object: is.Ref, Need: NeedMore, Detail: string(k)})
				}
			}
		}
	}
	c.annotations(was.Dict.Get("Annots"), is.Dict.Get("Annots"), position{from: n}.key("Annots"), is, index)
}

func (c *comparison) annotations(a, b pdf.Object, p position, page pdf.Page, index int) {
	if isNull(a) && isNull(b) {
		return
	}
	if r, ok := b.(pdf.Ref); ok && c.equal(a, b) && c.changed[r.Number] == nil && !c.listTouched(r) {
		return
	}
	o, p := c.enter(b, p)
	was, is := array(resolve(c.old, a)), array(o)
	p = p.element()
	left := slices.Clone(was)
	for _, o := range is {
		if i := slices.IndexFunc(left, func(x pdf.Object) bool { return c.equal(x, o) }); i >= 0 {
			left = slices.Delete(left, i, i+1)
			if ref, ok := o.(pdf.Ref); ok {
				c.account(p, ref)
				c.annotation(ref, page, index)
			}
			continue
		}
		c.annotationAdded(o, p, page, index)
	}
	for _, o := range left {
		d := c.oldDict(o)
		need := NeedAnnotating
		if d.Get("Subtype") == pdf.Name("Widget") {
			need = NeedMore
		}
		if d != nil {
			c.report(Change{Kind: Annotation, Page: index + 1, Object: objectOf(o, page.Ref), Need: need, Detail: "removed"})
		}
	}
}

// listTouched reports whether the array of annotations ref names one that changed.
func (c *comparison) listTouched(ref pdf.Ref) bool {
	return slices.ContainsFunc(c.web.from[ref.Number], func(e edge) bool { return c.changed[e.to] != nil })
}

// annotation judges one that was on the page before.
func (c *comparison) annotation(ref pdf.Ref, page pdf.Page, index int) {
	was, is := c.oldDict(ref), c.curDict(ref)
	subtype := was.Get("Subtype")
	if subtype == pdf.Name("Widget") || is.Get("Subtype") == pdf.Name("Widget") {
		c.place(ref, page, index)
		return // the form's rules judge it
	}
	d := c.changed[ref.Number]
	appearance := is.Get("AP")
	at := position{from: ref.Number}
	if d == nil && (appearance == nil || !c.touches(appearance)) {
		return
	}
	if d != nil {
		c.judged[ref.Number] = true
		c.absorb(is, at)
	}
	c.takeOver(appearance, at.key("AP"))
	ch := Change{Kind: Annotation, Page: index + 1, Object: ref, Need: NeedAnnotating, Detail: "changed"}
	switch {
	case is == nil:
		ch.Detail = "removed"
	case c.acts(is) && (!c.equal(was.Get("A"), is.Get("A")) || !c.equal(was.Get("AA"), is.Get("AA"))):
		ch.Need = NeedMore
	default:
		ch.Doubt = c.mayCover(is, index)
	}
	c.report(ch)
}

// place tells on which page a changed field shows.
func (c *comparison) place(ref pdf.Ref, page pdf.Page, index int) {
	for i := range c.out {
		ch := &c.out[i]
		if ch.Object == ref && ch.Page == 0 {
			ch.Page = index + 1
		}
	}
}

func (c *comparison) annotationAdded(o pdf.Object, p position, page pdf.Page, index int) {
	ref, indirect := o.(pdf.Ref)
	is := c.curDict(o)
	if indirect {
		c.account(p, ref)
		if use := c.fields[ref.Number]; use != nil {
			ch := &c.out[use.index]
			if ch.Page == 0 {
				ch.Page = index + 1
			}
			if ch.Doubt == "" {
				ch.Doubt = c.mayCover(is, index)
			}
			if ch.Need == NeedNothing && c.shows(is) {
				ch.Need = NeedSigning // a timestamp that people see
			}
			return
		}
	}
	ch := Change{Kind: Annotation, Page: index + 1, Object: objectOf(o, page.Ref), Need: NeedAnnotating, Detail: "added"}
	if d := c.changed[ref.Number]; indirect && (d == nil || !d.isNew()) {
		ch.Doubt = ForeignObject
	} else {
		if indirect {
			c.judged[ref.Number] = true
			p = position{from: ref.Number}
		}
		c.absorb(is, p)
		ch.Doubt = c.mayCover(is, index)
	}
	if c.acts(is) {
		ch.Need = NeedMore
	}
	if is.Get("Subtype") == pdf.Name("Widget") {
		ch.Kind, ch.Need = Form, NeedMore
	}
	c.report(ch)
}

// mayCover tells whether an annotation's place on the page holds something that
// was signed. An empty rectangle and a hidden annotation show nothing.
func (c *comparison) mayCover(is pdf.Dict, index int) Doubt {
	box, ok := c.extent(is)
	switch {
	case !c.visible(is):
		return ""
	case !ok:
		return CannotTell
	case box[0] == box[2] || box[1] == box[3]:
		return ""
	}
	covers, err := coversContent(c.ctx, c.old, c.before[index], box)
	switch {
	case err != nil:
		return CannotTell
	case covers:
		return CoversContent
	}
	return ""
}
