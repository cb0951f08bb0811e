package validation

import (
	"errors"

	"absah/pdf"
)

// candidate is a signature dictionary that a form field (or a widget) names.
type candidate struct {
	field  string
	ref    pdf.Ref // of the dictionary; zero where it stands in the field itself
	at     pdf.Ref // the object whose bytes hold the dictionary
	holder pdf.Ref // the field; zero where it is no object of its own
	dict   pdf.Dict
}

const (
	maxFields     = 100_000
	maxFieldDepth = 64
)

var errTooManyFields = errors.New("the form has too many fields, or they are nested too deeply")

// find lists the signatures that the document's form names. Where the form names
// none, widgets of pages are asked: some writers forget the form.
func find(doc *pdf.Document) ([]*candidate, error) {
	_, root, err := doc.Root()
	if err != nil {
		return nil, err
	}
	f := &finder{doc: doc, seen: map[pdf.Ref]bool{}, values: map[pdf.Ref]bool{}}
	form, err := doc.ResolveDict(root.Get("AcroForm"))
	if err != nil {
		return nil, err
	}
	fields, err := doc.ResolveArray(form.Get("Fields"))
	if err != nil {
		return nil, err
	}
	if err := f.walk(fields, "", nil, 0); err != nil {
		return nil, err
	}
	if len(f.found) > 0 || form == nil {
		return f.found, nil
	}
	return f.found, f.widgets()
}

type finder struct {
	doc    *pdf.Document
	seen   map[pdf.Ref]bool
	values map[pdf.Ref]bool
	count  int
	found  []*candidate
}

func (f *finder) walk(fields pdf.Array, name string, kind pdf.Object, depth int) error {
	if depth > maxFieldDepth {
		return errTooManyFields
	}
	for _, o := range fields {
		if err := f.field(o, name, kind, depth); err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) field(o pdf.Object, name string, kind pdf.Object, depth int) error {
	if f.count++; f.count > maxFields {
		return errTooManyFields
	}
	ref, indirect := o.(pdf.Ref)
	if indirect {
		if f.seen[ref] {
			return nil
		}
		f.seen[ref] = true
	}
	d, err := f.doc.ResolveDict(o)
	if err != nil {
		var wrong *pdf.TypeError
		if errors.As(err, &wrong) {
			return nil // what is no dictionary is no field
		}
		return err
	}
	if t, ok := d.Get("T").(pdf.String); ok {
		if name != "" {
			name += "."
		}
		name += pdf.DecodeText(t)
	}
	if k := d.Get("FT"); k != nil {
		if kind, err = f.doc.Resolve(k); err != nil {
			return err
		}
	}
	if v := d.Get("V"); v != nil && kind == pdf.Name("Sig") {
		if err := f.take(v, name, ref); err != nil {
			return err
		}
	}
	if d.Get("Kids") == nil {
		return nil
	}
	kids, err := f.doc.ResolveArray(d.Get("Kids"))
	if err != nil {
		return err
	}
	return f.walk(kids, name, kind, depth+1)
}

func (f *finder) take(v pdf.Object, name string, field pdf.Ref) error {
	c := &candidate{field: name, at: field, holder: field}
	if ref, ok := v.(pdf.Ref); ok {
		if f.values[ref] {
			return nil
		}
		f.values[ref] = true
		c.ref, c.at = ref, ref
	}
	d, err := f.doc.ResolveDict(v)
	if err != nil {
		var wrong *pdf.TypeError
		if !errors.As(err, &wrong) {
			return err
		}
	}
	c.dict = d // nil where V is no dictionary: judged as a signature without form
	f.found = append(f.found, c)
	return nil
}

func (f *finder) widgets() error {
	for p, err := range f.doc.Pages() {
		if err != nil {
			return nil // the page tree is no place of signatures; its faults are anomalies
		}
		annotations, err := f.doc.ResolveArray(p.Dict.Get("Annots"))
		if err != nil {
			continue
		}
		for _, o := range annotations {
			d, err := f.doc.ResolveDict(o)
			if err != nil || d.Get("Subtype") != pdf.Name("Widget") {
				continue
			}
			if err := f.field(o, "", nil, 0); err != nil {
				return err
			}
		}
	}
	return nil
}
