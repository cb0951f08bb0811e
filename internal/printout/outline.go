package printout

import "absah/pdf"

// bookmark is an entry of the outline, with those below it.
type bookmark struct {
	heading *heading
	ref     pdf.Ref
	kids    []*bookmark
}

// writeOutline adds the headings as the outline (ISO 32000-2 12.3.3). Of a single
// heading there is none.
func (f *file) writeOutline(headings []*heading) (pdf.Ref, bool) {
	if len(headings) < 2 {
		return pdf.Ref{}, false
	}
	root := &bookmark{ref: f.reserve()}
	open := []*bookmark{root} // the entry of each level that the next heading may belong to
	for _, h := range headings {
		b := &bookmark{heading: h, ref: f.reserve()}
		open = open[:min(h.level, len(open))]
		over := open[len(open)-1]
		over.kids = append(over.kids, b)
		open = append(open, b)
	}
	d := pdf.Dict{{Key: "Type", Value: pdf.Name("Outlines")}}
	f.writeBookmarks(root, &d)
	shown := len(root.kids)
	for _, b := range root.kids {
		shown += len(b.kids)
	}
	d.Set("Count", pdf.Integer(shown))
	f.set(root.ref, d)
	return root.ref, true
}

// writeBookmarks adds the entries below b, and names the first and the last one in
// its dictionary. Titles are open, what is below them closed.
func (f *file) writeBookmarks(b *bookmark, in *pdf.Dict) {
	if len(b.kids) == 0 {
		return
	}
	in.Set("First", b.kids[0].ref)
	in.Set("Last", b.kids[len(b.kids)-1].ref)
	for i, k := range b.kids {
		d := pdf.Dict{{Key: "Title", Value: pdf.EncodeText(k.heading.text)}, {Key: "Parent", Value: b.ref}, {Key: "Dest", Value: k.heading.dest()}}
		if i > 0 {
			d.Set("Prev", b.kids[i-1].ref)
		}
		if i < len(b.kids)-1 {
			d.Set("Next", b.kids[i+1].ref)
		}
		if n := len(k.kids); n > 0 && k.heading.level == 1 {
			d.Set("Count", pdf.Integer(n))
		} else if n > 0 {
			d.Set("Count", pdf.Integer(-n))
		}
		f.writeBookmarks(k, &d)
		f.set(k.ref, d)
	}
}
