package pades

import (
	"errors"
	"fmt"
	"strings"

	"absah/pdf"
)

// Flags of an annotation (ISO 32000-2 table 167).
const (
	annotPrint  = 1 << 2
	annotLocked = 1 << 7
)

// Flags of the form (ISO 32000-2 table 225).
const (
	sigFlagsExist  = 1 << 0
	sigFlagsAppend = 1 << 1
)

// site is the document while a signature is put into it.
type site struct {
	doc     *pdf.Document
	update  *pdf.Update
	rootRef pdf.Ref
	root    pdf.Dict
	form    *form

	rootChanged bool
}

// openSite reads what a signature needs of the document.
func openSite(doc *pdf.Document) (*site, error) {
	update, err := doc.NewUpdate()
	if errors.Is(err, pdf.ErrBeforeHeader) {
		return nil, refuse(ReasonDamaged, "%v", err)
	}
	if err != nil {
		return nil, fmt.Errorf("begin an update: %w", err)
	}
	s := &site{doc: doc, update: update}
	if s.rootRef, s.root, err = doc.Root(); err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if s.form, err = readForm(doc, s.root); err != nil {
		return nil, err
	}
	return s, nil
}

// setRoot changes an entry of the catalog.
func (s *site) setRoot(key pdf.Name, value pdf.Object) {
	if !s.rootChanged {
		s.root, s.rootChanged = s.root.Clone(), true
	}
	s.root.Set(key, value)
	s.update.Set(s.rootRef, s.root)
}

// target is the field that gets the signature.
type target struct {
	field *signatureField // nil: a new one
	name  string
}

// chooseField finds the field that the options mean.
func (s *site) chooseField(o *Options) (target, error) {
	switch {
	case o.Field != "":
		if f := s.form.named(o.Field); f != nil {
			if f.value != nil {
				return target{}, refuse(ReasonFieldSigned, "the field %q is signed already", o.Field)
			}
			return target{f, f.name}, nil
		}
		if s.form.names[o.Field] {
			return target{}, refuse(ReasonFieldKind, "the field %q is not a signature field", o.Field)
		}
		if strings.Contains(o.Field, ".") {
			return target{}, refuse(ReasonFieldName, "no field is named %q, and a new one cannot have a name with a period", o.Field)
		}
		return target{nil, o.Field}, nil
	case o.FirstEmpty:
		f := s.form.firstEmpty()
		if f == nil {
			return target{}, refuse(ReasonFieldMissing, "the document has no empty signature field")
		}
		return target{f, f.name}, nil
	}
	return target{nil, s.form.freeName("Signature")}, nil
}

// mayChange holds the permissions of an encrypted file (ISO 32000-2 table 22)
// against what is planned.
func (s *site) mayChange(newField bool) error {
	e := s.doc.Encryption()
	if newField {
		if !e.Permits(pdf.PermitModify) || e != nil && e.Revision >= 3 && !e.Permits(pdf.PermitAnnotate) {
			return refuse(ReasonPermission, "the file's encryption permits no new signature field; its owner's password does")
		}
		return nil
	}
	if !e.Permits(pdf.PermitFill) && !e.Permits(pdf.PermitAnnotate) {
		return refuse(ReasonPermission, "the file's encryption permits no signing; its owner's password does")
	}
	return nil
}

// fill signs an existing field: its value, its appearance, and nothing else.
func (s *site) fill(f *signatureField, signature pdf.Ref, look *face) error {
	d := f.dict.Clone()
	d.Set("V", signature)
	if look != nil {
		if f.widget == f.ref {
			look.dress(&d)
		} else {
			w := f.widgetDict.Clone()
			look.dress(&w)
			s.update.Set(f.widget, w)
		}
	}
	s.update.Set(f.ref, d)
	return s.setForm(pdf.Ref{})
}

// add makes a new field, merged with its widget, on a page. words say what a visible
// one is.
func (s *site) add(name string, signature pdf.Ref, lock *Lock, look *face, words caption) error {
	page, err := s.page(look)
	if err != nil {
		return err
	}
	d := s.widget(name, page, lock)
	d.Set("V", signature)
	field := s.update.Reserve()
	if look == nil {
		// PDF/A wants an appearance for every widget, and none with transparency.
		d.Set("AP", pdf.Dict{{Key: "N", Value: s.update.Add(emptyForm(0, 0))}})
		s.hide(&d, page)
	} else {
		look.dress(&d)
		if err := s.tag(&d, field, page, words); err != nil {
			return err
		}
	}
	return s.enter(field, d, page)
}

// widget is a signature field without a place, merged with its widget.
func (s *site) widget(name string, page pdf.Page, lock *Lock) pdf.Dict {
	zero := pdf.Integer(0)
	d := append(make(pdf.Dict, 0, 12), []pdf.Entry{ // with room for value, appearance, lock, tag
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name("Widget")},
		{Key: "FT", Value: pdf.Name("Sig")}, {Key: "T", Value: pdf.EncodeText(name)},
		{Key: "F", Value: pdf.Integer(annotPrint | annotLocked)}, {Key: "Rect", Value: pdf.Array{zero, zero, zero, zero}}, {Key: "P", Value: page.Ref},
	}...)
	if lock != nil {
		d.Set("Lock", s.update.Add(lock.dict("SigFieldLock")))
	}
	return d
}

// enter puts a new field into the page and the form.
func (s *site) enter(field pdf.Ref, d pdf.Dict, page pdf.Page) error {
	s.update.Set(field, d)
	if err := s.annotate(page, field); err != nil {
		return err
	}
	return s.setForm(field)
}

// emptyForm draws nothing, on as much room.
func emptyForm(width, height float64) *pdf.Stream {
	box := pdf.Array{pdf.Integer(0), pdf.Integer(0), number(width), number(height)}
	return &pdf.Stream{Data: []byte{}, Dict: pdf.Dict{
		{Key: "Type", Value: pdf.Name("XObject")}, {Key: "Subtype", Value: pdf.Name("Form")}, {Key: "BBox", Value: box}, {Key: "Length", Value: pdf.Integer(0)},
	}}
}

// page is where a new field goes: the page of its appearance, else the first.
func (s *site) page(look *face) (pdf.Page, error) {
	n := 0
	if look != nil {
		n = look.page
	}
	p, err := s.doc.Page(n)
	if errors.Is(err, pdf.ErrNoPage) {
		return p, refuse(ReasonPlacement, "there is no page %d", n+1)
	}
	if err != nil {
		return p, fmt.Errorf("read page %d: %w", n+1, err)
	}
	if p.Ref == (pdf.Ref{}) {
		return p, refuse(ReasonDamaged, "page %d is not an indirect object", n+1)
	}
	return p, nil
}

// annotate adds the widget to the annotations of the page.
func (s *site) annotate(p pdf.Page, widget pdf.Ref) error {
	page := p.Dict
	if s.update.Touched(p.Ref) { // by an earlier widget of the same update
		var err error
		if page, err = dictOf(s.update, p.Ref); err != nil {
			return fmt.Errorf("read page %d: %w", p.Number+1, err)
		}
	}
	entry := page.Get("Annots")
	if ref, ok := entry.(pdf.Ref); ok {
		// The reference may lead to a further one.
		ref = s.last(ref)
		o, err := s.update.Get(ref)
		if err != nil {
			return fmt.Errorf("read the annotations of page %d: %w", p.Number+1, err)
		}
		switch annots := o.(type) {
		case pdf.Array:
			s.update.Set(ref, appended(annots, widget))
			return nil
		case nil, pdf.Null:
			entry = nil
		default:
			return refuse(ReasonDamaged, "the annotations of page %d are no array", p.Number+1)
		}
	}
	annots, _ := entry.(pdf.Array)
	if entry != nil && annots == nil {
		return refuse(ReasonDamaged, "the annotations of page %d are no array", p.Number+1)
	}
	d := page.Clone()
	d.Set("Annots", appended(annots, widget))
	s.update.Set(p.Ref, d)
	return nil
}

// last follows references to the last one, whose object is no reference.
func (s *site) last(ref pdf.Ref) pdf.Ref {
	for range 32 {
		o, err := s.update.Get(ref)
		next, ok := o.(pdf.Ref)
		if err != nil || !ok {
			break
		}
		ref = next
	}
	return ref
}

func appended(a pdf.Array, o pdf.Object) pdf.Array {
	return append(a[:len(a):len(a)], o)
}

// setForm enters a new field (unless its Ref is zero) and the flags into the
// form, which keeps everything else.
func (s *site) setForm(field pdf.Ref) error {
	flags, _ := intOf(s.doc, s.form.dict.Get("SigFlags"))
	want := flags | sigFlagsExist | sigFlagsAppend
	isNew := field != pdf.Ref{}
	if !isNew && flags == want {
		return nil
	}
	d := s.form.dict.Clone()
	if flags != want {
		d.Set("SigFlags", pdf.Integer(want))
	}
	if isNew {
		entry := d.Get("Fields")
		fields, err := arrayOf(s.update, entry)
		if err != nil {
			return fmt.Errorf("read the fields of the form: %w", err)
		}
		if ref, ok := entry.(pdf.Ref); ok && fields != nil {
			s.update.Set(s.last(ref), appended(fields, field))
			if flags == want {
				return nil
			}
		} else {
			d.Set("Fields", appended(fields, field))
		}
	}
	s.form.dict = d
	switch {
	case !s.form.exists:
		s.form.exists, s.form.ref = true, s.update.Add(d)
		s.setRoot("AcroForm", s.form.ref)
	case s.form.ref != pdf.Ref{}:
		s.update.Set(s.last(s.form.ref), d)
	default:
		s.setRoot("AcroForm", d)
	}
	return nil
}

// certifyIn names the certification signature in the catalog (ISO 32000-2
// 12.8.6).
func (s *site) certifyIn(signature pdf.Ref) error {
	entry := s.root.Get("Perms")
	perms, err := dictOf(s.doc, entry)
	if err != nil {
		return fmt.Errorf("read the permissions of the catalog: %w", err)
	}
	d := perms.Clone()
	d.Set("DocMDP", signature)
	if ref, ok := entry.(pdf.Ref); ok && perms != nil {
		s.update.Set(s.last(ref), d)
		return nil
	}
	s.setRoot("Perms", d)
	return nil
}
