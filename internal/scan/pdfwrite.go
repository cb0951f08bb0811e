package scan

import (
	"bytes"
	"fmt"

	"absah/pdf"
)

// strippedKeys are not taken along: metadata, the workings of programs, old
// revisions' signatures, and actions that begin by themselves.
var strippedKeys = map[pdf.Name]bool{
	"Metadata": true, "PieceInfo": true, "LastModified": true, "Thumb": true, "AA": true,
	"StructParent": true, "StructParents": true, "B": true, "AF": true,
}

// keptOfCatalog is what pages look like by (layers, colours) and read like.
var keptOfCatalog = []pdf.Name{"Lang", "OCProperties", "OutputIntents"}

// Object numbers of the file that is written.
const (
	newCatalog = 1 + iota
	newTree
	firstPage
)

// copier writes objects of a letter into a file of its own.
type copier struct {
	from  *letter
	to    map[pdf.Ref]pdf.Ref
	queue []pdf.Ref // of the letter, in the order of their new numbers, from first on
	first uint32
}

// anew writes the pages and all that they reach as a file without a past.
func (l *letter) anew() ([]byte, error) {
	c := &copier{from: l, to: map[pdf.Ref]pdf.Ref{}, first: firstPage + uint32(len(l.pages))}
	objects := make([]pdf.Object, firstPage-1, 64)
	kids := make(pdf.Array, len(l.pages))
	for i, p := range l.pages {
		number := pdf.Ref{Number: firstPage + uint32(i)}
		kids[i] = number
		if _, twice := c.to[p.Ref]; !twice && p.Ref != (pdf.Ref{}) {
			c.to[p.Ref] = number
		}
	}
	for _, p := range l.pages {
		d, err := c.page(p)
		if err != nil {
			return nil, err
		}
		objects = append(objects, d)
	}
	_, root, err := l.doc.Root()
	if err != nil {
		return nil, damaged(err)
	}
	catalog := pdf.Dict{{Key: "Type", Value: pdf.Name("Catalog")}, {Key: "Pages", Value: pdf.Ref{Number: newTree}}}
	for _, key := range keptOfCatalog {
		if v := root.Get(key); v != nil {
			o, err := c.copy(v)
			if err != nil {
				return nil, err
			}
			catalog.Set(key, o)
		}
	}
	objects[newCatalog-1] = catalog
	objects[newTree-1] = pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: kids}, {Key: "Count", Value: pdf.Integer(len(kids))}}
	for i := 0; i < len(c.queue); i++ {
		o, err := l.doc.Object(c.queue[i])
		if err != nil {
			return nil, damaged(err)
		}
		if o, err = c.top(o); err != nil {
			return nil, err
		}
		objects = append(objects, o)
	}
	return writePDF(l.version(), objects), nil
}

// version is what the file is written as: at least 1.7, which every reader knows.
func (l *letter) version() string {
	if major, _ := l.doc.Version(); major >= 2 {
		return "2.0"
	}
	return "1.7"
}

// page is a page with what it inherits.
func (c *copier) page(p pdf.Page) (pdf.Object, error) {
	d := p.Dict.Clone()
	for _, key := range []pdf.Name{"Type", "Parent", "MediaBox", "CropBox", "Rotate", "Resources"} {
		d.Delete(key)
	}
	o, err := c.dict(d)
	if err != nil {
		return nil, err
	}
	resources, err := c.dict(p.Resources)
	if err != nil {
		return nil, err
	}
	return append(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: pdf.Ref{Number: newTree}},
		{Key: "MediaBox", Value: box(p.MediaBox)}, {Key: "CropBox", Value: box(p.CropBox)},
		{Key: "Rotate", Value: pdf.Integer(p.Rotate)}, {Key: "Resources", Value: resources},
	}, o...), nil
}

func box(r [4]float64) pdf.Array {
	a := make(pdf.Array, 0, len(r))
	for _, v := range r {
		a = append(a, pdf.Real(v))
	}
	return a
}

// top is an indirect object of the letter. A page outside the tree, a node of the
// tree and the catalog are nothing that a page needs.
func (c *copier) top(o pdf.Object) (pdf.Object, error) {
	if d, ok := o.(pdf.Dict); ok {
		switch kind, _ := c.from.doc.ResolveName(d.Get("Type")); kind {
		case "Page", "Pages", "Catalog":
			return pdf.Null{}, nil
		}
	}
	return c.copy(o)
}

// copy returns o as it is to be written. Depth is bounded by the reader.
func (c *copier) copy(o pdf.Object) (pdf.Object, error) {
	switch o := o.(type) {
	case nil:
		return pdf.Null{}, nil
	case pdf.Ref:
		to, ok := c.to[o]
		if !ok {
			to = pdf.Ref{Number: c.first + uint32(len(c.queue))}
			c.to[o] = to
			c.queue = append(c.queue, o)
		}
		return to, nil
	case pdf.Array:
		a := make(pdf.Array, len(o))
		for i, e := range o {
			var err error
			if a[i], err = c.copy(e); err != nil {
				return nil, err
			}
		}
		return a, nil
	case pdf.Dict:
		return c.dict(o)
	case *pdf.Stream:
		return c.stream(o)
	}
	return o, nil
}

func (c *copier) dict(d pdf.Dict) (pdf.Dict, error) {
	kept := make(pdf.Dict, 0, len(d))
	for _, e := range d {
		if strippedKeys[e.Key] {
			continue
		}
		if e.Key == "V" && c.isSignature(e.Value) {
			continue // its bytes would not match the file written anew
		}
		v, err := c.copy(d.Get(e.Key)) // of a repeated key the last
		if err != nil {
			return nil, err
		}
		kept.Set(e.Key, v)
	}
	return kept, nil
}

func (c *copier) isSignature(o pdf.Object) bool {
	d, err := c.from.doc.ResolveDict(o)
	return err == nil && d.Has("ByteRange")
}

// stream takes the bytes along as they are packed. Pictures lose what cameras
// write beside them.
func (c *copier) stream(s *pdf.Stream) (pdf.Object, error) {
	d, err := c.dict(s.Dict)
	if err != nil {
		return nil, err
	}
	raw, err := c.from.doc.StreamRaw(s)
	if err != nil {
		return nil, damaged(err)
	}
	data, image, err := c.from.unpack(s)
	if err == nil && (image == "DCTDecode" || image == "DCT") {
		if b, ok := stripJPEG(data); ok {
			raw = b
			if err := c.picture(s, &d); err != nil {
				return nil, err
			}
		}
	}
	return &pdf.Stream{Dict: d, Data: raw}, nil
}

// picture leaves the last filter and its parameters in the dictionary of a
// stream of which the others were undone.
func (c *copier) picture(s *pdf.Stream, d *pdf.Dict) error {
	d.Set("Filter", pdf.Name("DCTDecode"))
	filters, err := c.from.list(s.Dict.Get("Filter"))
	if err != nil {
		return damaged(err)
	}
	parms, err := c.from.list(s.Dict.Get("DecodeParms"))
	if err != nil {
		return damaged(err)
	}
	d.Delete("DecodeParms")
	if len(parms) > 0 && len(parms) == len(filters) {
		last, err := c.copy(parms[len(parms)-1])
		if err != nil {
			return err
		}
		d.Set("DecodeParms", last)
	}
	return nil
}

// writePDF writes objects, numbered from 1, of which the first is the catalog.
func writePDF(version string, objects []pdf.Object) []byte {
	b := fmt.Appendf(nil, "%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n", version)
	var table bytes.Buffer
	fmt.Fprintf(&table, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for i, o := range objects {
		fmt.Fprintf(&table, "%010d 00000 n \n", len(b))
		b = fmt.Appendf(b, "%d 0 obj\n", i+1)
		b = append(pdf.AppendObject(b, o), "\nendobj\n"...)
	}
	start := len(b)
	b = append(b, table.Bytes()...)
	return fmt.Appendf(b, "trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, newCatalog, start)
}
