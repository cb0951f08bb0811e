package pades

import (
	"fmt"
	"slices"

	"absah/pdf"
)

// Bounds on the walk through a form. They are far beyond what people make. Kids
// are counted as often as they are looked at, and names with what they inherit:
// fields may share both, and a small file would else be endless work.
const (
	maxFields     = 200_000
	maxFieldDepth = 64
	maxKids       = 1_000_000
	maxNameBytes  = 16 << 20
)

// signatureField is a field of the type Sig as the file has it.
type signatureField struct {
	ref  pdf.Ref
	name string // fully qualified (ISO 32000-2 12.7.4.2)
	// dict is the field's own dictionary.
	dict pdf.Dict
	// widget is the field's first widget annotation; it is ref itself where the
	// two are merged.
	widget     pdf.Ref
	widgetDict pdf.Dict
	// value is the signature dictionary, nil in an empty field; valueRef its
	// reference, zero where it is a direct object.
	value    pdf.Dict
	valueRef pdf.Ref
}

// form is the interactive form of a document.
type form struct {
	ref        pdf.Ref // of the form dictionary; zero: it stands in the catalog
	dict       pdf.Dict
	exists     bool
	signatures []*signatureField
	names      map[string]bool // of all fields, fully qualified
}

// objects is what both a document and an update of it can tell.
type objects interface {
	Resolve(pdf.Object) (pdf.Object, error)
}

func dictOf(src objects, o pdf.Object) (pdf.Dict, error) {
	v, err := src.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case pdf.Dict:
		return v, nil
	case *pdf.Stream:
		return v.Dict, nil
	}
	return nil, nil
}

func arrayOf(src objects, o pdf.Object) (pdf.Array, error) {
	v, err := src.Resolve(o)
	if err != nil {
		return nil, err
	}
	a, _ := v.(pdf.Array)
	return a, nil
}

func nameOf(src objects, o pdf.Object) pdf.Name {
	v, err := src.Resolve(o)
	if err != nil {
		return ""
	}
	n, _ := v.(pdf.Name)
	return n
}

func intOf(src objects, o pdf.Object) (int64, bool) {
	v, err := src.Resolve(o)
	if err != nil {
		return 0, false
	}
	switch n := v.(type) {
	case pdf.Integer:
		return int64(n), true
	case pdf.Real:
		return int64(n), true
	}
	return 0, false
}

func stringOf(src objects, o pdf.Object) (pdf.String, bool) {
	v, err := src.Resolve(o)
	if err != nil {
		return "", false
	}
	s, ok := v.(pdf.String)
	return s, ok
}

// readForm reads the form of the catalog root. Damage within single fields is
// passed over; that of the form itself is an error, because a form that cannot be
// read cannot be kept.
func readForm(src objects, root pdf.Dict) (*form, error) {
	f := &form{}
	entry := root.Get("AcroForm")
	if entry == nil {
		return f, nil
	}
	v, err := src.Resolve(entry)
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	d, ok := v.(pdf.Dict)
	if !ok {
		return f, nil // null or nonsense: as good as absent
	}
	f.exists, f.dict = true, d
	if ref, ok := entry.(pdf.Ref); ok {
		f.ref = ref
	}
	fields, err := arrayOf(src, d.Get("Fields"))
	if err != nil {
		return nil, fmt.Errorf("read the fields of the form: %w", err)
	}
	if len(fields) == 0 {
		return f, nil
	}
	f.names = make(map[string]bool, len(fields))
	w := fieldWalk{src: src, form: f, seen: make(map[pdf.Ref]bool, len(fields))}
	for _, o := range fields {
		if err := w.visit(o, "", "", 0); err != nil {
			return nil, err
		}
	}
	return f, nil
}

type fieldWalk struct {
	src   objects
	form  *form
	seen  map[pdf.Ref]bool
	kids  int // looked at
	bytes int // of names
}

// visit takes a node of the field tree with its parent's name and type.
func (w *fieldWalk) visit(o pdf.Object, prefix string, inherited pdf.Name, depth int) error {
	ref, ok := o.(pdf.Ref)
	if !ok || w.seen[ref] || depth > maxFieldDepth {
		return nil
	}
	if len(w.seen) >= maxFields {
		return &pdf.LimitError{What: "fields of the form", Limit: maxFields}
	}
	w.seen[ref] = true
	d, err := dictOf(w.src, ref)
	if err != nil || d == nil {
		return nil //nolint:nilerr // a field that cannot be read is left as it is
	}
	name := prefix
	if t, ok := stringOf(w.src, d.Get("T")); ok {
		if name != "" {
			name += "."
		}
		name += pdf.DecodeText(t)
		if w.bytes += len(name); w.bytes > maxNameBytes {
			return &pdf.LimitError{What: "bytes of the names of fields", Limit: maxNameBytes}
		}
		w.form.names[name] = true
	}
	kind := inherited
	if ft := nameOf(w.src, d.Get("FT")); ft != "" {
		kind = ft
	}
	kids, err := arrayOf(w.src, d.Get("Kids"))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	if w.kids += len(kids); w.kids > maxKids {
		return &pdf.LimitError{What: "kids of fields", Limit: maxKids}
	}
	var widgets []pdf.Ref
	for _, kid := range kids {
		k, ok := kid.(pdf.Ref)
		if !ok {
			continue
		}
		kd, err := dictOf(w.src, k)
		if err != nil || kd == nil {
			continue
		}
		if _, named := stringOf(w.src, kd.Get("T")); named || kd.Has("Kids") {
			if err := w.visit(k, name, kind, depth+1); err != nil {
				return err
			}
			continue
		}
		widgets = append(widgets, k)
	}
	if kind != "Sig" || len(kids) > 0 && len(widgets) == 0 {
		return nil
	}
	s := &signatureField{ref: ref, name: name, dict: d, widget: ref, widgetDict: d}
	if len(widgets) > 0 {
		s.widget = widgets[0]
		if s.widgetDict, err = dictOf(w.src, widgets[0]); err != nil {
			return nil //nolint:nilerr // see above
		}
	}
	if v := d.Get("V"); v != nil {
		s.valueRef, _ = v.(pdf.Ref)
		if s.value, err = dictOf(w.src, v); err != nil {
			return fmt.Errorf("read the signature of the field %q: %w", name, err)
		}
	}
	w.form.signatures = append(w.form.signatures, s)
	return nil
}

// signed tells whether a field has a value.
func (f *form) signed() bool {
	return slices.ContainsFunc(f.signatures, func(g *signatureField) bool { return g.value != nil })
}

// named finds a signature field by its full name.
func (f *form) named(name string) *signatureField {
	for _, s := range f.signatures {
		if s.name == name {
			return s
		}
	}
	return nil
}

// firstEmpty finds the first signature field without a signature.
func (f *form) firstEmpty() *signatureField {
	for _, s := range f.signatures {
		if s.value == nil {
			return s
		}
	}
	return nil
}

// freeName is a name for a new field that no field has.
func (f *form) freeName(stem string) string {
	for i := 1; ; i++ {
		name := stem + itoa(i)
		if !f.names[name] {
			return name
		}
	}
}
