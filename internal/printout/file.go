package printout

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"absah/pades/appearance"
	"absah/pades/appearance/cidfont"
	"absah/pdf"
)

// errEmpty: nothing was put into the document.
var errEmpty = errors.New("printout: an empty document")

// file is the objects of a file, numbered from 1.
type file struct{ objects []pdf.Object }

func (f *file) reserve() pdf.Ref {
	f.objects = append(f.objects, pdf.Null{})
	return pdf.Ref{Number: uint32(len(f.objects))} //nolint:gosec // as many objects as fit into memory
}

func (f *file) set(ref pdf.Ref, o pdf.Object) { f.objects[ref.Number-1] = o }

func (f *file) add(o pdf.Object) pdf.Ref {
	ref := f.reserve()
	f.set(ref, o)
	return ref
}

// Bytes makes the file.
func (d *Document) Bytes() ([]byte, error) {
	pages := d.pages()
	if len(pages) == 0 {
		return nil, errEmpty
	}
	f := &file{}
	fonts := map[*face]embedded{}
	names := pdf.Dict{}
	for i, face := range d.faces {
		if len(face.chars) == 0 {
			continue
		}
		font, err := cidfont.New(face.font, face.chars)
		if err != nil {
			return nil, fmt.Errorf("embed font: %w", err)
		}
		e := embedded{fmt.Sprintf("F%d", i), font}
		fonts[face] = e
		names.Set(pdf.Name(e.name), font.Object(f.add))
	}
	for _, p := range pages {
		p.ref = f.reserve()
		for _, l := range p.links {
			l.ref = f.reserve()
		}
	}
	d.root.reserve(f)
	tree := f.reserve()
	kids := make(pdf.Array, len(pages))
	for i, p := range pages {
		kids[i] = p.ref
		if err := p.write(f, tree, names, fonts); err != nil {
			return nil, err
		}
	}
	f.set(tree, pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: kids}, {Key: "Count", Value: pdf.Integer(len(kids))}})
	root, err := d.catalog(f, tree, pages)
	if err != nil {
		return nil, err
	}
	return f.bytes(root, f.add(d.head.info())), nil
}

// write adds the page with what it shows.
func (p *page) write(f *file, tree pdf.Ref, names pdf.Dict, fonts map[*face]embedded) error {
	var b []byte
	for _, op := range p.ops {
		b = op(b, fonts)
	}
	content, err := pdf.Deflate(nil, b)
	if err != nil {
		return err
	}
	resources := pdf.Dict{{Key: "Font", Value: names}}
	var forms pdf.Dict
	for i, c := range p.forms {
		form, err := appearance.Build(appearance.Spec{
			Width: codeSide, Height: codeSide, QR: c.uri, Padding: -1, Conformance: appearance.PDFA,
		}, f.add)
		if err != nil {
			return fmt.Errorf("draw QR code: %w", err)
		}
		forms.Set(pdf.Name(fmt.Sprintf("Q%d", i)), f.add(form))
	}
	if forms != nil {
		resources.Set("XObject", forms)
	}
	d := pdf.Dict{
		{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: tree},
		{Key: "MediaBox", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Real(pageWidth), pdf.Real(pageHeight)}},
		{Key: "Resources", Value: resources}, {Key: "Contents", Value: f.add(content)},
		{Key: "StructParents", Value: pdf.Integer(p.number - 1)}, {Key: "Tabs", Value: pdf.Name("S")},
	}
	var annots pdf.Array
	for _, l := range p.links {
		annots = append(annots, l.ref)
		f.set(l.ref, l.annotation())
	}
	if annots != nil {
		d.Set("Annots", annots)
	}
	f.set(p.ref, d)
	return nil
}

// annotation is the link as a reader acts on it.
func (l *link) annotation() pdf.Dict {
	rect := make(pdf.Array, len(l.rect))
	for i, v := range l.rect {
		rect[i] = pdf.Real(v)
	}
	d := pdf.Dict{
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name("Link")}, {Key: "Rect", Value: rect},
		{Key: "Border", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)}}, {Key: "F", Value: pdf.Integer(4)}, // printed
		{Key: "StructParent", Value: pdf.Integer(l.key)}, {Key: "Contents", Value: pdf.EncodeText(l.alt)},
	}
	if l.heading != nil {
		d.Set("Dest", l.heading.dest())
		return d
	}
	d.Set("A", pdf.Dict{{Key: "S", Value: pdf.Name("URI")}, {Key: "URI", Value: pdf.String(l.uri)}})
	return d
}

// dest shows the heading at the top of the window.
func (h *heading) dest() pdf.Array {
	return pdf.Array{h.page.ref, pdf.Name("XYZ"), pdf.Integer(0), pdf.Real(pageHeight - h.y + 12), pdf.Null{}}
}

// catalog adds what holds the document together.
func (d *Document) catalog(f *file, tree pdf.Ref, pages []*page) (pdf.Ref, error) {
	profile, err := pdf.Deflate(pdf.Dict{{Key: "N", Value: pdf.Integer(3)}}, sRGB())
	if err != nil {
		return pdf.Ref{}, err
	}
	meta := d.head.xmp()
	c := pdf.Dict{
		{Key: "Type", Value: pdf.Name("Catalog")}, {Key: "Pages", Value: tree}, {Key: "Lang", Value: pdf.EncodeText(d.head.Lang)},
		{Key: "MarkInfo", Value: pdf.Dict{{Key: "Marked", Value: pdf.Bool(true)}}}, {Key: "StructTreeRoot", Value: f.writeTree(d.root, pages)},
		{Key: "ViewerPreferences", Value: pdf.Dict{{Key: "DisplayDocTitle", Value: pdf.Bool(true)}}},
		{Key: "PageLabels", Value: pdf.Dict{{Key: "Nums", Value: pdf.Array{pdf.Integer(0), pdf.Dict{{Key: "S", Value: pdf.Name("D")}}}}}},
		{Key: "OutputIntents", Value: pdf.Array{pdf.Dict{
			{Key: "Type", Value: pdf.Name("OutputIntent")}, {Key: "S", Value: pdf.Name("GTS_PDFA1")},
			{Key: "OutputConditionIdentifier", Value: pdf.String("sRGB IEC61966-2.1")}, {Key: "DestOutputProfile", Value: f.add(profile)},
		}}},
		{Key: "Metadata", Value: f.add(&pdf.Stream{Data: meta, Dict: pdf.Dict{
			{Key: "Type", Value: pdf.Name("Metadata")}, {Key: "Subtype", Value: pdf.Name("XML")}, {Key: "Length", Value: pdf.Integer(len(meta))},
		}})},
	}
	if outline, ok := f.writeOutline(d.headings); ok {
		c.Set("Outlines", outline)
	}
	if d.guide {
		c.Set("PageMode", pdf.Name("UseOutlines"))
	}
	return f.add(c), nil
}

// bytes is the file in the form of PDF 1.7. Its identifier follows from its bytes.
func (f *file) bytes(root, info pdf.Ref) []byte {
	b := []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(f.objects))
	for i, o := range f.objects {
		at[i] = len(b)
		b = fmt.Appendf(b, "%d 0 obj\n", i+1)
		b = pdf.AppendObject(b, o)
		b = append(b, "\nendobj\n"...)
	}
	sum := sha256.Sum256(b)
	id := pdf.String(sum[:16])
	start := len(b)
	b = fmt.Appendf(b, "xref\n0 %d\n0000000000 65535 f \n", len(f.objects)+1)
	for _, offset := range at {
		b = fmt.Appendf(b, "%010d 00000 n \n", offset)
	}
	b = append(b, "trailer\n"...)
	b = pdf.AppendObject(b, pdf.Dict{
		{Key: "Size", Value: pdf.Integer(len(f.objects) + 1)}, {Key: "Root", Value: root}, {Key: "Info", Value: info}, {Key: "ID", Value: pdf.Array{id, id}},
	})
	return fmt.Appendf(b, "\nstartxref\n%d\n%%%%EOF\n", start)
}
