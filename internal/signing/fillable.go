package signing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"absah/internal/audit"
	"absah/pades/appearance"
	"absah/pdf"
)

// ErrForm says that a document is no form whose text fields can be filled in:
// it has none, is encrypted, signed, or an XFA form.
var ErrForm = errors.New("the document has no text fields that can be filled in")

// FieldError says which field of a form does not take its value. It wraps
// *appearance.FitError or *appearance.GlyphError, or nothing where the value has
// more than Max characters.
type FieldError struct {
	Field string
	Max   int
	Err   error
}

func (e *FieldError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("the field %s takes %d characters", e.Field, e.Max)
	}
	return fmt.Sprintf("fill in the field %s: %v", e.Field, e.Err)
}

// Unwrap gives the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// Fillable is a form whose text fields are filled in again and again (ISO
// 32000-2 12.7.5.3). What it makes are whole files: the form and one update.
type Fillable struct {
	Name   string // of the file
	bytes  []byte
	fields []textField
	cache  appearance.Cache
}

// textField is one text field with its widgets.
type textField struct {
	name    string // fully qualified
	kind    pdf.Name
	ref     pdf.Ref
	dict    pdf.Dict
	flags   int64
	max     int
	quad    int64
	size    float64 // of the font; 0: what fits
	color   appearance.Color
	widgets []widget
}

type widget struct {
	ref    pdf.Ref
	dict   pdf.Dict
	rect   [4]float64
	rotate int
}

// The flags of fields (ISO 32000-2 tables 227 and 231).
const (
	flagReadOnly  = 1 << 0
	flagMultiline = 1 << 12
	flagPassword  = 1 << 13
)

// The bounds of a form. Its tree is walked in the server, so that each node counts
// once, kids as often as they are looked at, and names with what they inherit.
const (
	maxFormFields = 500
	maxFormDepth  = 20
	maxFormKids   = 100_000
	maxFormName   = 1000 // bytes of one
)

// formWalk goes through the tree of fields of a form.
type formWalk struct {
	*Fillable
	seen map[pdf.Ref]bool
	kids int
}

// FormFields lists the names of the text fields of a document of the actor's. It
// fails with ErrNotFound and ErrForm.
func (s *Service) FormFields(ctx context.Context, who audit.Actor, id string) ([]string, error) {
	f, err := s.fillable(ctx, who.EmployeeID, id)
	if err != nil {
		return nil, err
	}
	return f.Names(), nil
}

func (s *Service) fillable(ctx context.Context, owner, id string) (*Fillable, error) {
	d, err := s.Document(ctx, owner, id)
	if err != nil {
		return nil, err
	}
	if d.State != StateNew || d.Encrypted {
		return nil, ErrForm
	}
	b, err := s.Content(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	return readForm(d.Name, b)
}

// readForm finds the text fields. It fails with ErrForm, ErrTooHard and
// *DamagedError.
func readForm(name string, b []byte) (*Fillable, error) {
	d, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return nil, &DamagedError{err}
	}
	_, form, err := acroForm(d)
	if err != nil {
		return nil, err
	}
	signed, err := d.ResolveInt(form.Get("SigFlags"))
	if err != nil || d.Encryption() != nil || form.Has("XFA") || signed&2 != 0 { // AppendOnly: signed
		return nil, ErrForm
	}
	fields, err := d.ResolveArray(form.Get("Fields"))
	if err != nil {
		return nil, &DamagedError{err}
	}
	f := &Fillable{Name: name, bytes: b}
	top := textField{quad: whole(d, form.Get("Q"))}
	if da, err := d.ResolveString(form.Get("DA")); err == nil {
		top.appear(string(da))
	}
	w := formWalk{Fillable: f, seen: map[pdf.Ref]bool{}}
	for _, o := range fields {
		if err := w.walk(d, o, top, 0); err != nil {
			return nil, err
		}
	}
	if len(f.fields) == 0 {
		return nil, ErrForm
	}
	return f, nil
}

// acroForm is the form of a document, and the object that holds it.
func acroForm(d *pdf.Document) (root pdf.Dict, form pdf.Dict, err error) {
	if _, root, err = d.Root(); err != nil {
		return nil, nil, &DamagedError{err}
	}
	if form, err = d.ResolveDict(root.Get("AcroForm")); err != nil {
		return nil, nil, &DamagedError{err}
	}
	if form == nil {
		return nil, nil, ErrForm
	}
	return root, form, nil
}

func whole(d *pdf.Document, o pdf.Object) int64 {
	n, err := d.ResolveInt(o)
	if err != nil {
		return 0
	}
	return n
}

// walk goes through the tree of fields; in has what a field inherits.
func (f *formWalk) walk(d *pdf.Document, o pdf.Object, in textField, depth int) error {
	ref, ok := o.(pdf.Ref)
	if !ok || f.seen[ref] || depth > maxFormDepth || len(f.fields) >= maxFormFields {
		return nil // a field is an indirect object, and in the tree once; what is not is no field of a sound form
	}
	f.seen[ref] = true
	dict, err := d.ResolveDict(ref)
	if err != nil {
		return &DamagedError{err}
	}
	in.ref, in.dict, in.widgets = ref, dict, nil
	if t, err := d.ResolveString(dict.Get("T")); err == nil && len(t) > 0 {
		if in.name = strings.TrimPrefix(in.name+"."+pdf.DecodeText(t), "."); len(in.name) > maxFormName {
			return ErrTooHard
		}
	}
	if dict.Has("Ff") {
		in.flags = whole(d, dict.Get("Ff"))
	}
	if dict.Has("MaxLen") {
		in.max = int(whole(d, dict.Get("MaxLen")))
	}
	if dict.Has("Q") {
		in.quad = whole(d, dict.Get("Q"))
	}
	if da, err := d.ResolveString(dict.Get("DA")); err == nil && len(da) > 0 {
		in.appear(string(da))
	}
	kind, err := d.ResolveName(dict.Get("FT"))
	if err != nil {
		return &DamagedError{err}
	}
	if kind != "" {
		in.kind = kind
	}
	kids, err := d.ResolveArray(dict.Get("Kids"))
	if err != nil {
		return &DamagedError{err}
	}
	return f.enter(d, in, kids, depth)
}

// enter takes a text field with its widgets, or goes on below it.
func (f *formWalk) enter(d *pdf.Document, in textField, kids pdf.Array, depth int) error {
	if f.kids += len(kids); f.kids > maxFormKids {
		return ErrTooHard
	}
	below := false // fields, not widgets
	for _, k := range kids {
		kid, err := d.ResolveDict(k)
		if err != nil {
			return &DamagedError{err}
		}
		below = below || kid.Has("T")
	}
	if below {
		for _, k := range kids {
			if err := f.walk(d, k, in, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if in.kind != "Tx" || in.name == "" || in.flags&(flagReadOnly|flagPassword) != 0 {
		return nil
	}
	if len(kids) == 0 {
		kids = pdf.Array{in.ref}
	}
	for _, k := range kids {
		ref, ok := k.(pdf.Ref)
		if !ok {
			continue
		}
		dict, err := d.ResolveDict(ref)
		if err != nil {
			return &DamagedError{err}
		}
		w := widget{ref: ref, dict: dict}
		rect, ok := d.Rect(dict.Get("Rect"))
		if !ok {
			continue
		}
		w.rect = rect
		if mk, err := d.ResolveDict(dict.Get("MK")); err == nil {
			w.rotate = int(whole(d, mk.Get("R")))
		}
		in.widgets = append(in.widgets, w)
	}
	if len(in.widgets) > 0 {
		f.fields = append(f.fields, in)
	}
	return nil
}

// appear reads size and colour out of a default appearance (ISO 32000-2 12.7.4.3).
func (t *textField) appear(da string) {
	words := strings.Fields(da)
	number := func(i int) float64 {
		if i < 0 {
			return 0
		}
		v, err := strconv.ParseFloat(words[i], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		return v
	}
	share := func(i int) float64 { return min(max(number(i), 0), 1) }
	for i, w := range words {
		switch w {
		case "Tf":
			t.size = min(max(number(i-1), 0), 200)
		case "g":
			t.color = appearance.Color{share(i - 1), share(i - 1), share(i - 1)}
		case "rg":
			t.color = appearance.Color{share(i - 3), share(i - 2), share(i - 1)}
		}
	}
}

// Names lists the text fields in their order.
func (f *Fillable) Names() []string {
	out := make([]string, len(f.fields))
	for i, t := range f.fields {
		out[i] = t.name
	}
	return out
}

// named finds the field that a heading of a table means.
func (f *Fillable) named(cell string) (string, bool) {
	for _, t := range f.fields {
		if strings.EqualFold(t.name, strings.TrimSpace(cell)) || heading(cell) != "" && heading(cell) == heading(t.name) {
			return t.name, true
		}
	}
	return "", false
}

// Fill sets the values of fields, draws them in embedded fonts and makes every
// text field read-only. Fields without a value become empty. It fails with
// *FieldError and *DamagedError.
func (f *Fillable) Fill(values map[string]string) ([]byte, error) {
	d, err := pdf.Open(bytes.NewReader(f.bytes), int64(len(f.bytes)), pdf.Options{})
	if err != nil {
		return nil, &DamagedError{err}
	}
	u, err := d.NewUpdate()
	if err != nil {
		return nil, &DamagedError{err}
	}
	for i := range f.fields {
		if err := f.fill(u, &f.fields[i], values[f.fields[i].name]); err != nil {
			return nil, err
		}
	}
	if err := drawn(d, u); err != nil {
		return nil, err
	}
	tail, _, err := u.Tail()
	if err != nil {
		return nil, fmt.Errorf("write the form: %w", err)
	}
	return append(slices.Clip(f.bytes), tail...), nil
}

// fill sets one field.
func (f *Fillable) fill(u *pdf.Update, t *textField, value string) error {
	if t.max > 0 && len([]rune(value)) > t.max {
		return &FieldError{Field: t.name, Max: t.max}
	}
	forms := make([]pdf.Ref, len(t.widgets))
	for i, w := range t.widgets {
		form, err := f.draw(u, t, w, value)
		if err != nil {
			return &FieldError{Field: t.name, Err: err}
		}
		forms[i] = form
	}
	dict := t.dict.Clone()
	dict.Set("V", pdf.EncodeText(value))
	dict.Set("Ff", pdf.Integer(t.flags|flagReadOnly))
	dict.Delete("RV")
	for i, w := range t.widgets {
		if w.ref == t.ref {
			dict.Set("AP", pdf.Dict{{Key: "N", Value: forms[i]}})
			continue
		}
		own := w.dict.Clone()
		own.Set("AP", pdf.Dict{{Key: "N", Value: forms[i]}})
		u.Set(w.ref, own)
	}
	u.Set(t.ref, dict)
	return nil
}

// draw is the appearance of a value in a widget.
func (f *Fillable) draw(u *pdf.Update, t *textField, w widget, value string) (pdf.Ref, error) {
	wide, high := w.rect[2]-w.rect[0], w.rect[3]-w.rect[1]
	if w.rotate%180 != 0 {
		wide, high = high, wide
	}
	spec := appearance.Spec{
		Width: wide, Height: high, Rotate: ((w.rotate % 360) + 360) % 360, FontSize: t.size, MinFontSize: 5, TextColor: t.color,
		Align: appearance.AlignLeft, Padding: 2, Conformance: appearance.PDFA1, Cache: &f.cache,
	}
	switch t.quad {
	case 1:
		spec.Align = appearance.AlignCentre
	case 2:
		spec.Align = appearance.AlignRight
	}
	if t.size > 0 {
		spec.MinFontSize = min(t.size, spec.MinFontSize)
	} else {
		spec.FontSize = min(12, max(5, high*0.7))
	}
	if t.flags&flagMultiline == 0 {
		value = strings.Join(strings.Fields(value), "\u00a0") // one line stays one
	}
	for _, text := range strings.Split(value, "\n") {
		spec.Lines = append(spec.Lines, appearance.Line{Role: appearance.Body, Text: text})
	}
	form, err := appearance.Build(spec, u.Add)
	if err != nil {
		return pdf.Ref{}, err
	}
	return u.Add(form), nil
}

// drawn says in the form that readers need not draw its fields themselves.
func drawn(d *pdf.Document, u *pdf.Update) error {
	root, form, err := acroForm(d)
	if err != nil {
		return err
	}
	if !form.Has("NeedAppearances") {
		return nil
	}
	next := form.Clone()
	next.Delete("NeedAppearances")
	if ref, ok := root.Get("AcroForm").(pdf.Ref); ok {
		u.Set(ref, next)
		return nil
	}
	at, _, err := d.Root()
	if err != nil {
		return &DamagedError{err}
	}
	own := root.Clone()
	own.Set("AcroForm", next)
	u.Set(at, own)
	return nil
}
