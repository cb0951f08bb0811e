package printout

import (
	"absah/pdf"
)

// element is a structure element (ISO 32000-2 14.7.2).
type element struct {
	role       pdf.Name
	parent     *element
	lang, alt  string
	attributes pdf.Dict
	kids       []kid
	attached   bool // its parent has it among its kids
	ref        pdf.Ref
}

// kid is one thing in an element: an element, marked content of a page, or an
// annotation.
type kid struct {
	element *element
	page    *page
	content int // number of the marked content
	link    *link
}

// child makes an element within e. It takes its place there when something is
// first drawn for it, so that the order of the tree is that of reading.
func (e *element) child(role string) *element { return &element{role: pdf.Name(role), parent: e} }

// attach puts the element and those around it where they are in reading order.
func (e *element) attach() {
	if e.attached || e.parent == nil {
		return
	}
	e.attached = true
	e.parent.attach()
	e.parent.kids = append(e.parent.kids, kid{element: e})
}

// scope makes e the header cell of its row or column.
func (e *element) scope(of string) *element {
	e.attributes = pdf.Dict{{Key: "O", Value: pdf.Name("Table")}, {Key: "Scope", Value: pdf.Name(of)}}
	return e
}

// reserve gives the element and those in it their references.
func (e *element) reserve(f *file) {
	e.ref = f.reserve()
	for _, k := range e.kids {
		if k.element != nil {
			k.element.reserve(f)
		}
	}
}

// write adds the element and those in it to the file.
func (e *element) write(f *file, parent pdf.Ref) {
	d := pdf.Dict{{Key: "Type", Value: pdf.Name("StructElem")}, {Key: "S", Value: e.role}, {Key: "P", Value: parent}}
	if e.lang != "" {
		d.Set("Lang", pdf.EncodeText(e.lang))
	}
	if e.alt != "" {
		d.Set("Alt", pdf.EncodeText(e.alt))
	}
	if e.attributes != nil {
		d.Set("A", e.attributes)
	}
	var on *page // the page of the numbers that stand alone
	var kids pdf.Array
	for _, k := range e.kids {
		switch {
		case k.element != nil:
			k.element.write(f, e.ref)
			kids = append(kids, k.element.ref)
		case k.link != nil:
			kids = append(kids, pdf.Dict{{Key: "Type", Value: pdf.Name("OBJR")}, {Key: "Obj", Value: k.link.ref}, {Key: "Pg", Value: k.page.ref}})
		case on == nil || on == k.page:
			on = k.page
			kids = append(kids, pdf.Integer(k.content))
		default:
			kids = append(kids, pdf.Dict{{Key: "Type", Value: pdf.Name("MCR")}, {Key: "Pg", Value: k.page.ref}, {Key: "MCID", Value: pdf.Integer(k.content)}})
		}
	}
	if on != nil {
		d.Set("Pg", on.ref)
	}
	d.Set("K", kids)
	f.set(e.ref, d)
}

// writeTree adds the structure tree and returns its root: the elements, and the
// tree that leads from marked content and annotations back to them (ISO 32000-2
// 14.7.5.4).
func (f *file) writeTree(top *element, pages []*page) pdf.Ref {
	root := f.reserve()
	top.write(f, root)
	var parents pdf.Array
	next := len(pages)
	for i, p := range pages {
		of := make(pdf.Array, len(p.owners))
		for n, e := range p.owners {
			of[n] = e.ref
		}
		parents = append(parents, pdf.Integer(i), of)
	}
	for _, p := range pages {
		for _, l := range p.links {
			parents = append(parents, pdf.Integer(l.key), l.element.ref)
			next = max(next, l.key+1)
		}
	}
	tree := f.add(pdf.Dict{{Key: "Nums", Value: parents}})
	f.set(root, pdf.Dict{
		{Key: "Type", Value: pdf.Name("StructTreeRoot")}, {Key: "K", Value: pdf.Array{top.ref}},
		{Key: "ParentTree", Value: tree}, {Key: "ParentTreeNextKey", Value: pdf.Integer(next)},
	})
	return root
}
