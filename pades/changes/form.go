package changes

import (
	"slices"

	"absah/pdf"
)

// fieldUse is a form field, or a widget of one, that a revision added.
type fieldUse struct {
	index int // of that in the report
}

// readOnly is bit 1 of Ff (ISO 32000-2 table 227): signing may set it on fields
// that the signature locks.
const readOnly = 1

func (c *comparison) form(a, b pdf.Object, p position) {
	was := c.oldDict(a)
	o, p := c.enter(b, p)
	is := dict(o)
	root, _ := c.cur.Trailer().Get("Root").(pdf.Ref)
	at := objectOf(b, root)
	if is == nil {
		if was != nil {
			c.report(Change{Kind: Form, Object: at, Need: NeedMore, Detail: "removed"})
		}
		return
	}
	for _, k := range keys(was, is) {
		a, b := was.Get(k), is.Get(k)
		switch k {
		case "Fields":
			c.fieldList(a, b, p.key(k), at)
		case "SigFlags":
		case "DR":
			c.defaultResources(a, b, p.key(k), at)
		case "XFA":
			c.xfa(a, b, p.key(k), at)
		case "NeedAppearances":
			switch {
			case c.equal(a, b):
			case resolve(c.cur, b) == pdf.Bool(true):
				c.report(Change{Kind: FormFill, Object: at, Need: NeedFilling, Detail: string(k)})
			case resolve(c.old, a) == pdf.Bool(true) && c.filledIn(was.Get("Fields"), nil, 0):
				// Readers drew the values; now they show what lay there instead.
				c.report(Change{Kind: FormFill, Object: at, Need: NeedFilling, Detail: string(k), Doubt: AppearanceOnly})
			}
		case "DA", "Q":
			if !c.equal(a, b) && a != nil {
				c.report(Change{Kind: Form, Object: at, Need: NeedMore, Detail: string(k)})
			}
		default:
			if !c.equal(a, b) && !c.sameBehind(a, b, p.key(k)) {
				c.report(Change{Kind: Form, Object: at, Need: NeedMore, Detail: string(k)})
			}
		}
	}
}

// filledIn tells whether the older view has a field with a value that is no
// signature. What is nested too deeply counts as one.
func (c *comparison) filledIn(list, kind pdf.Object, depth int) bool {
	if depth > maxLevels {
		return true
	}
	for _, o := range array(resolve(c.old, list)) {
		d := c.oldDict(o)
		inherited := kind
		if k := d.Get("FT"); k != nil {
			inherited = resolve(c.old, k)
		}
		if d.Get("V") != nil && inherited != pdf.Name("Sig") || c.filledIn(d.Get("Kids"), inherited, depth+1) {
			return true
		}
	}
	return false
}

// xfa judges a form that readers of XFA show in place of the pages: of its packets
// only the data may change, and where it is all one stream it cannot be told what did
// (ISO 32000-1 12.7.8).
func (c *comparison) xfa(a, b pdf.Object, p position, at pdf.Ref) {
	if !c.touches(b) && c.equal(a, b) {
		return
	}
	ch := Change{Kind: FormFill, Object: at, Need: NeedFilling, Detail: "XFA"}
	was, is := array(resolve(c.old, a)), array(resolve(c.cur, b))
	switch {
	case isNull(a) || isNull(b):
		ch.Kind, ch.Need = Form, NeedMore
	case was == nil && is == nil:
		ch.Doubt = CannotTell
	case len(was) != len(is) || len(is)%2 != 0:
		ch.Kind, ch.Need = Form, NeedMore
	}
	for i := 0; i+1 < min(len(was), len(is)); i += 2 {
		name := resolve(c.cur, is[i])
		if name != resolve(c.old, was[i]) || name != pdf.String("datasets") && (!c.equal(was[i+1], is[i+1]) || c.touches(is[i+1])) {
			ch.Kind, ch.Need = Form, NeedMore
		}
	}
	c.takeOver(b, p)
	c.report(ch)
}

// defaultResources may gain names (fonts for new fields). A font that was there
// stays; other resources serve no appearance that is made of a field's value.
func (c *comparison) defaultResources(a, b pdf.Object, p position, at pdf.Ref) {
	if c.equal(a, b) && !c.touches(b) {
		return
	}
	was := c.oldDict(a)
	o, p := c.enter(b, p)
	is := dict(o)
	for _, category := range keys(was, is) {
		x, y := was.Get(category), is.Get(category)
		if c.equal(x, y) {
			continue
		}
		inner, q := c.enter(y, p.key(category))
		older, newer := resolve(c.old, x), dict(inner)
		if _, list := older.(pdf.Array); list || newer == nil {
			c.report(Change{Kind: Form, Object: at, Need: NeedMore, Detail: "DR"})
			return
		}
		for _, name := range keys(dict(older), newer) {
			if v := dict(older).Get(name); category == "Font" && v != nil && !c.equal(v, newer.Get(name)) {
				c.report(Change{Kind: Form, Object: at, Need: NeedMore, Detail: "DR"})
				return
			}
		}
		c.absorb(newer, q)
	}
}

// fieldList compares Fields or Kids: the fields that were there must still be
// there, in their order.
func (c *comparison) fieldList(a, b pdf.Object, p position, at pdf.Ref) {
	o, p := c.enter(b, p)
	w := &fieldWalk{c: c, seen: map[uint32]bool{}}
	w.list(array(resolve(c.old, a)), array(o), p.element(), parent{at: at}, 0)
}

type fieldWalk struct {
	c    *comparison
	seen map[uint32]bool
}

// parent is what a field inherits.
type parent struct {
	at       pdf.Ref
	name     string
	kind     pdf.Object // FT
	existing bool       // the field was there before
	value    pdf.Object // V in the older view
	now      pdf.Object // V in the newer view
}

const maxFieldDepth = 64

func (w *fieldWalk) list(was, is pdf.Array, p position, up parent, depth int) {
	c := w.c
	if depth > maxFieldDepth {
		c.report(Change{Kind: Unreadable, Object: up.at, Need: NeedMore, Detail: "Fields"})
		return
	}
	next := 0
	for _, o := range is {
		ref, ok := o.(pdf.Ref)
		if next < len(was) && c.equal(was[next], o) {
			next++
			if ok {
				w.pair(ref, p, up, depth)
			}
			continue
		}
		if !ok {
			c.report(Change{Kind: Form, Object: up.at, Need: NeedMore, Field: up.name, Detail: "field"})
			continue
		}
		w.added(ref, p, up)
	}
	for _, o := range was[next:] {
		c.report(Change{Kind: Form, Object: objectOf(o, up.at), Need: NeedMore, Field: up.name, Detail: "removed"})
	}
}

func fieldName(up string, d pdf.Dict) string {
	t, ok := d.Get("T").(pdf.String)
	if !ok {
		return up
	}
	name := pdf.DecodeText(t)
	if up == "" {
		return name
	}
	return up + "." + name
}

// pair compares a field with what it was.
func (w *fieldWalk) pair(ref pdf.Ref, p position, up parent, depth int) {
	c := w.c
	c.account(p, ref)
	if w.seen[ref.Number] {
		return
	}
	w.seen[ref.Number] = true
	was, is := c.oldDict(ref), c.curDict(ref)
	here := parent{at: ref, name: fieldName(up.name, is), kind: up.kind, existing: true, value: up.value, now: up.now}
	if k := is.Get("FT"); k != nil {
		here.kind = resolve(c.cur, k)
	}
	if v := was.Get("V"); v != nil {
		here.value = v
	}
	if v := is.Get("V"); v != nil {
		here.now = v
	}
	at := position{from: ref.Number}
	if c.changed[ref.Number] != nil {
		c.judged[ref.Number] = true
		if was == nil || is == nil {
			c.report(Change{Kind: Form, Object: ref, Need: NeedMore, Field: here.name, Detail: "removed"})
			return
		}
	}
	c.compareField(was, is, at, here)
	w.list(array(resolve(c.old, was.Get("Kids"))), w.kids(is, at), at.key("Kids").element(), here, depth+1)
}

func (w *fieldWalk) kids(is pdf.Dict, at position) pdf.Array {
	o, _ := w.c.enter(is.Get("Kids"), at.key("Kids"))
	return array(o)
}

// compareField judges the keys of one field or widget.
func (c *comparison) compareField(was, is pdf.Dict, at position, here parent) {
	signature := here.kind == pdf.Name("Sig")
	var value, appearance bool
	for _, k := range keys(was, is) {
		a, b := was.Get(k), is.Get(k)
		switch k {
		case "V":
			if signature {
				c.signatureValue(a, b, at.key(k), here)
				continue
			}
			if !c.equal(a, b) || c.touches(b) {
				c.takeOver(b, at.key(k))
				value = true
			}
		case "AP":
			if !c.equal(a, b) || c.touches(b) {
				c.takeOver(b, at.key(k))
				appearance = true
			}
		case "DA", "Q":
			appearance = appearance || !signature && !c.equal(a, b)
			if signature && !c.equal(a, b) {
				c.report(Change{Kind: Form, Object: here.at, Need: NeedMore, Field: here.name, Detail: string(k)})
			}
		case "AS", "I", "RV", "TI":
			if !c.equal(a, b) {
				c.absorb(b, at.key(k))
				value = true
			}
		case "Kids", "M", "StructParent", "Type":
		case "P", "Parent":
			if a != nil && !c.equal(a, b) {
				c.report(Change{Kind: Form, Object: here.at, Need: NeedMore, Field: here.name, Detail: string(k)})
			}
		case "Ff":
			if flags(a)|readOnly != flags(b)|readOnly || flags(a)&readOnly > flags(b)&readOnly {
				c.report(Change{Kind: Form, Object: here.at, Need: NeedMore, Field: here.name, Detail: string(k)})
			}
		case "F", "MK":
			if !c.equal(a, b) && (!signature || here.value != nil) {
				c.report(Change{Kind: Form, Object: here.at, Need: NeedMore, Field: here.name, Detail: string(k)})
			}
		default:
			if !c.equal(a, b) && !c.sameBehind(a, b, at.key(k)) {
				c.report(Change{Kind: Form, Object: here.at, Need: NeedMore, Field: here.name, Detail: string(k)})
			}
		}
	}
	switch {
	case signature && appearance && here.value != nil:
		c.report(Change{Kind: SignatureAltered, Object: here.at, Need: NeedMore, Field: here.name, Detail: "AP"})
	case signature && appearance && here.now == nil:
		// A field that nobody signed has nothing to show anew.
		c.report(Change{Kind: FormFill, Object: here.at, Need: NeedFilling, Field: here.name, Doubt: AppearanceOnly})
	case signature && appearance && here.value == nil && c.curDict(here.now).Get("Type") == pdf.Name("DocTimeStamp") && c.shows(is):
		c.report(Change{Kind: Timestamp, Object: here.at, Need: NeedSigning, Field: here.name}) // people see it
	case signature:
	case value && here.kind == pdf.Name("Btn") && !c.ticked(is, here.now):
		c.report(Change{Kind: FormFill, Object: here.at, Need: NeedFilling, Field: here.name, Doubt: AppearanceOnly})
	case value:
		c.report(Change{Kind: FormFill, Object: here.at, Need: NeedFilling, Field: here.name})
	case appearance:
		c.report(Change{Kind: FormFill, Object: here.at, Need: NeedFilling, Field: here.name, Doubt: AppearanceOnly})
	}
}

// ticked tells whether a box shows the state that the value says: that of its name
// where it has it, and otherwise off (ISO 32000-2 12.7.5.2.3).
func (c *comparison) ticked(widget pdf.Dict, value pdf.Object) bool {
	shown := resolve(c.cur, widget.Get("AS"))
	if shown == nil {
		return true // what has no states: a button, or the field of several widgets
	}
	states := c.curDict(c.curDict(widget.Get("AP")).Get("N"))
	want, ok := resolve(c.cur, value).(pdf.Name)
	if !ok || !states.Has(want) {
		want = "Off"
	}
	return shown == want
}

// signatureValue judges V of a signature field that was there before: an empty
// one may be signed, a signed one must stay as it is.
func (c *comparison) signatureValue(a, b pdf.Object, p position, here parent) {
	switch {
	case a != nil:
		// That the dictionary itself did not change is seen by its being judged
		// by nobody.
		if !c.equal(a, b) {
			c.report(Change{Kind: SignatureAltered, Object: here.at, Need: NeedMore, Field: here.name})
		}
	case b != nil:
		ch := c.signatureAdded(b, here.at, here.name)
		c.absorb(b, p)
		if ref, ok := b.(pdf.Ref); ok {
			if d := c.changed[ref.Number]; d == nil || !d.isNew() {
				ch.Doubt = ForeignObject
			}
		}
		c.report(ch)
	}
}

func (c *comparison) signatureAdded(value pdf.Object, at pdf.Ref, name string) Change {
	ch := Change{Kind: Signature, Object: at, Need: NeedSigning, Field: name}
	v := c.curDict(value)
	if v.Get("Type") == pdf.Name("DocTimeStamp") {
		ch.Kind, ch.Need = Timestamp, NeedNothing
	} else if v.Get("Reference") != nil && certifies(c.cur, v) {
		// Only the first signature of a document may certify it
		// (ISO 32000-2 12.8.2.2.1).
		ch = Change{Kind: Permission, Object: at, Need: NeedMore, Field: name, Detail: "DocMDP"}
	}
	return ch
}

func certifies(d *pdf.Document, signature pdf.Dict) bool {
	for _, r := range array(resolve(d, signature.Get("Reference"))) {
		if dict(resolve(d, r)).Get("TransformMethod") == pdf.Name("DocMDP") {
			return true
		}
	}
	return false
}

// added judges a field that was not there before.
func (w *fieldWalk) added(ref pdf.Ref, p position, up parent) {
	c := w.c
	c.account(p, ref)
	d := c.changed[ref.Number]
	if d == nil || !d.isNew() {
		if d == nil {
			c.report(Change{Kind: Form, Object: ref, Need: NeedMore, Field: up.name, Detail: "field"})
		}
		return // an existing object that became a field: nobody judges it
	}
	is := dict(d.cur)
	name := fieldName(up.name, is)
	kind := up.kind
	if k := is.Get("FT"); k != nil {
		kind = resolve(c.cur, k)
	}
	c.judged[ref.Number] = true
	ch := Change{Kind: SignatureField, Object: ref, Need: NeedSigning, Field: name}
	switch v := is.Get("V"); {
	case kind != pdf.Name("Sig"):
		ch = Change{Kind: Form, Object: ref, Need: NeedMore, Field: name, Detail: "field"}
	case up.existing && up.kind == pdf.Name("Sig"):
		// A further widget of a signature field would show it in another place.
		ch = Change{Kind: Form, Object: ref, Need: NeedMore, Field: name, Detail: "Kids"}
	case v != nil:
		ch = c.signatureAdded(v, ref, name)
	}
	kids := array(resolve(c.cur, is.Get("Kids")))
	if c.acts(is) || slices.ContainsFunc(kids, func(o pdf.Object) bool { return c.acts(c.curDict(o)) }) {
		ch = Change{Kind: Form, Object: ref, Need: NeedMore, Field: name, Detail: "action"}
	}
	c.report(ch)
	use := &fieldUse{index: len(c.out) - 1}
	c.fields[ref.Number] = use
	at := position{from: ref.Number}
	for _, kid := range kids {
		if k, ok := kid.(pdf.Ref); ok {
			c.fields[k.Number] = use
		}
	}
	c.absorb(is, at)
}

func flags(o pdf.Object) int64 {
	i, _ := o.(pdf.Integer)
	return int64(i)
}
