package content

import (
	"context"
	"fmt"

	"absah/pdf"
)

// maxOperands is how many operands are kept for an operator; none takes more.
const maxOperands = 64

// state is the part of the graphics state that text depends on (ISO 32000-2
// 8.4.1, 9.3).
type state struct {
	ctm                         matrix
	charSpace, wordSpace, scale float64
	leading, size, rise         float64
	mode                        int64
	font                        *font
	clip                        [4]float64 // a box around the clipping area
	// For marks only.
	lineWidth              float64
	whiteFill, whiteStroke bool
}

var initial = state{ctm: identity, scale: 1, clip: everywhere, lineWidth: 1}

// machine runs content streams.
type machine struct {
	ctx    context.Context
	doc    *pdf.Document
	limits Limits
	text   *Text
	fonts  map[pdf.Ref]*font
	loaded int

	operators  int
	bytes      int64
	annotation bool
	crop       [4]float64 // what the page shows of its content
	layers     *layers    // nil until the content asks
	hidden     int        // levels of optional content around that are not seen

	state    state
	tm, line matrix
	paint    painter
}

// frame is a content stream being run, with its resources.
type frame struct {
	resources pdf.Dict
	depth     int
	fonts     map[pdf.Name]*font // that are no indirect objects
	stack     []state
	marked    []bool // levels of marked content: whether they are hidden
}

func (m *machine) page(p pdf.Page) error {
	data, err := m.contents(p.Dict.Get("Contents"))
	if err != nil {
		return err
	}
	m.state, m.tm, m.line, m.crop = initial, identity, identity, p.CropBox
	return m.run(data, &frame{resources: p.Resources})
}

// contents joins the page's streams; a token does not go on in the next one.
func (m *machine) contents(o pdf.Object) ([]byte, error) {
	r, err := m.doc.Resolve(o)
	if err != nil {
		return nil, m.note(err)
	}
	switch r := r.(type) {
	case *pdf.Stream:
		return m.data(r)
	case pdf.Array:
		var all []byte
		for _, e := range r {
			s, err := m.doc.Resolve(e)
			if err != nil {
				if err := m.note(err); err != nil {
					return nil, err
				}
				continue
			}
			stream, ok := s.(*pdf.Stream)
			if !ok {
				continue
			}
			data, err := m.data(stream)
			if err != nil {
				return nil, err
			}
			all = append(append(all, data...), '\n')
		}
		return all, nil
	}
	return nil, nil
}

// data decodes a content stream; one that cannot be decoded is noted and empty.
func (m *machine) data(s *pdf.Stream) ([]byte, error) {
	data, err := m.doc.StreamData(s)
	if err != nil {
		return nil, m.note(err)
	}
	if m.bytes += int64(len(data)); m.bytes > m.limits.Bytes {
		return nil, &LimitError{"content bytes", m.limits.Bytes}
	}
	return data, nil
}

// note keeps an error that leaves the rest of the page readable, and returns any
// other.
func (m *machine) note(err error) error {
	if fault(err) {
		return err
	}
	if len(m.text.Damaged) < 100 {
		m.text.Damaged = append(m.text.Damaged, err)
	}
	return nil
}

func (m *machine) run(data []byte, f *frame) error {
	hidden := m.hidden
	defer func() { m.hidden = hidden }() // marked content ends with its stream
	l := lexer{data: data}
	var operands []pdf.Object
	for {
		o, op, ok := l.next()
		if !ok {
			return nil
		}
		if op == "" {
			if len(operands) == maxOperands {
				operands = operands[:copy(operands, operands[1:])]
			}
			operands = append(operands, o)
			continue
		}
		if m.operators++; m.operators > m.limits.Operators {
			return &LimitError{"operators", int64(m.limits.Operators)}
		}
		if m.operators%1024 == 0 {
			if err := m.ctx.Err(); err != nil {
				return err
			}
		}
		if op == "BI" {
			l.skipInlineImage()
			if err := m.mark(Image, m.unitSquare(), 0); err != nil {
				return err
			}
		} else if err := m.execute(op, operands, f); err != nil {
			return err
		}
		operands = operands[:0]
	}
}

func (m *machine) execute(op string, operands []pdf.Object, f *frame) error {
	switch op {
	case "q":
		if len(f.stack) >= m.limits.States {
			return &LimitError{"nested states", int64(m.limits.States)}
		}
		f.stack = append(f.stack, m.state)
	case "Q":
		if n := len(f.stack); n > 0 {
			m.state, f.stack = f.stack[n-1], f.stack[:n-1]
		}
	case "cm":
		if n, ok := matrixOf(operands); ok {
			if n = n.mul(m.state.ctm); n.finite() {
				m.state.ctm = n
			}
		}
	case "BDC", "BMC":
		return m.begin(operands, f)
	case "EMC":
		m.end(f)
	case "gs":
		return m.extGState(operands, f)
	case "Do":
		return m.xobject(operands, f)
	default:
		return m.textOperator(op, operands, f)
	}
	return nil
}

func (m *machine) textOperator(op string, operands []pdf.Object, f *frame) error {
	n := numbersOf(operands)
	s := &m.state
	switch op {
	case "BT":
		m.tm, m.line = identity, identity
	case "Tc":
		set(&s.charSpace, n)
	case "Tw":
		set(&s.wordSpace, n)
	case "Tz":
		if len(n) == 1 {
			s.scale = n[0] / 100
		}
	case "TL":
		set(&s.leading, n)
	case "Ts":
		set(&s.rise, n)
	case "Tr":
		if len(n) == 1 {
			s.mode = int64(n[0])
		}
	case "Tf":
		return m.selectFont(operands, f)
	case "Td", "TD":
		if len(n) == 2 {
			if op == "TD" {
				s.leading = -n[1]
			}
			m.move(n[0], n[1])
		}
	case "Tm":
		if t, ok := matrixOf(operands); ok && t.finite() {
			m.tm, m.line = t, t
		}
	case "T*":
		m.move(0, -s.leading)
	case "Tj":
		return m.show(operands)
	case "TJ":
		if len(operands) > 0 {
			a, _ := operands[len(operands)-1].(pdf.Array)
			return m.show(a)
		}
	case "'":
		m.move(0, -s.leading)
		return m.show(operands)
	case "\"":
		if len(n) >= 2 {
			s.wordSpace, s.charSpace = n[0], n[1]
		}
		m.move(0, -s.leading)
		if len(operands) > 0 {
			return m.show(operands[len(operands)-1:])
		}
	default:
		return m.paintOperator(op, n, operands)
	}
	return nil
}

func set(v *float64, n []float64) {
	if len(n) == 1 {
		*v = n[0]
	}
}

func numbersOf(operands []pdf.Object) []float64 {
	var n []float64
	for _, o := range operands {
		switch o := o.(type) {
		case pdf.Integer:
			n = append(n, float64(o))
		case pdf.Real:
			n = append(n, float64(o))
		}
	}
	return n
}

func matrixOf(operands []pdf.Object) (matrix, bool) {
	n := numbersOf(operands)
	if len(n) != 6 {
		return identity, false
	}
	return matrix(n), true
}

func (m *machine) move(x, y float64) {
	if t := (matrix{1, 0, 0, 1, x, y}).mul(m.line); t.finite() {
		m.tm, m.line = t, t
	}
}

// resource looks up an entry of a category of the resources.
func (m *machine) resource(f *frame, category, name pdf.Name) (pdf.Object, error) {
	d, err := m.doc.ResolveDict(f.resources.Get(category))
	if err != nil {
		return nil, err
	}
	return d.Get(name), nil
}

func (m *machine) selectFont(operands []pdf.Object, f *frame) error {
	if len(operands) < 2 {
		return nil
	}
	name, ok := operands[len(operands)-2].(pdf.Name)
	if n := numbersOf(operands[len(operands)-1:]); len(n) == 1 {
		m.state.size = n[0]
	}
	if !ok {
		return nil
	}
	if known := f.fonts[name]; known != nil {
		m.state.font = known
		return nil
	}
	o, err := m.resource(f, "Font", name)
	if err != nil {
		return m.note(fmt.Errorf("find the font %q: %w", name, err))
	}
	loaded, err := m.font(o)
	if err != nil {
		return err
	}
	if f.fonts == nil {
		f.fonts = map[pdf.Name]*font{}
	}
	f.fonts[name], m.state.font = loaded, loaded
	return nil
}

func (m *machine) font(o pdf.Object) (*font, error) {
	ref, indirect := o.(pdf.Ref)
	if indirect {
		if known := m.fonts[ref]; known != nil {
			return known, nil
		}
	}
	if m.loaded++; m.loaded > m.limits.Fonts {
		return nil, &LimitError{"fonts", int64(m.limits.Fonts)}
	}
	dict, err := m.doc.ResolveDict(o)
	if err != nil {
		if err := m.note(fmt.Errorf("read a font: %w", err)); err != nil {
			return nil, err
		}
	}
	font := loadFont(m.doc, dict)
	if indirect {
		m.fonts[ref] = font
	}
	return font, nil
}

func (m *machine) extGState(operands []pdf.Object, f *frame) error {
	if len(operands) != 1 {
		return nil
	}
	name, _ := operands[0].(pdf.Name)
	o, err := m.resource(f, "ExtGState", name)
	if err != nil {
		return m.note(err)
	}
	gs, err := m.doc.ResolveDict(o)
	if err != nil {
		return m.note(err)
	}
	a, err := m.doc.ResolveArray(gs.Get("Font"))
	if err != nil {
		return m.note(err)
	}
	if len(a) != 2 {
		return nil
	}
	if m.state.font, err = m.font(a[0]); err != nil {
		return err
	}
	if size, err := m.doc.ResolveNumber(a[1]); err == nil {
		m.state.size = size
	}
	return nil
}

// xobject runs a form XObject (8.10); images hold no text.
func (m *machine) xobject(operands []pdf.Object, f *frame) error {
	if len(operands) != 1 {
		return nil
	}
	name, _ := operands[0].(pdf.Name)
	o, err := m.resource(f, "XObject", name)
	if err != nil {
		return m.note(err)
	}
	r, err := m.doc.Resolve(o)
	if err != nil {
		return m.note(err)
	}
	s, ok := r.(*pdf.Stream)
	if !ok {
		return nil
	}
	return m.within(s.Dict.Get("OC"), func() error {
		switch subtype, _ := m.doc.ResolveName(s.Dict.Get("Subtype")); subtype {
		case "Form":
			return m.form(s, identity, f)
		case "Image":
			return m.mark(Image, m.unitSquare(), 0)
		}
		return nil
	})
}

// form runs a form XObject, after placing it by a matrix. It starts with the
// graphics state of its caller and leaves that as it was.
func (m *machine) form(s *pdf.Stream, place matrix, f *frame) error {
	if f.depth >= m.limits.Depth {
		return &LimitError{"nested forms", int64(m.limits.Depth)}
	}
	data, err := m.data(s)
	if err != nil {
		return err
	}
	saved, tm, line := m.state, m.tm, m.line
	defer func() { m.state, m.tm, m.line = saved, tm, line }()
	if n := m.formMatrix(s).mul(place).mul(m.state.ctm); n.finite() {
		m.state.ctm = n
	}
	if box, ok := m.doc.Rect(s.Dict.Get("BBox")); ok {
		c := m.state.ctm
		m.state.clip = intersect(m.state.clip, Quad{c.apply(box[0], box[1]), c.apply(box[2], box[1]), c.apply(box[2], box[3]), c.apply(box[0], box[3])}.Bounds())
	}
	inner := &frame{resources: f.resources, depth: f.depth + 1}
	if o := s.Dict.Get("Resources"); o != nil { // without them, old files mean the page's
		resources, err := m.doc.ResolveDict(o)
		if err != nil {
			return m.note(err)
		}
		inner.resources = resources
	}
	return m.run(data, inner)
}

func (m *machine) formMatrix(s *pdf.Stream) matrix {
	a, err := m.doc.ResolveArray(s.Dict.Get("Matrix"))
	if err != nil || len(a) != 6 {
		return identity
	}
	var out matrix
	for i, o := range a {
		if out[i], err = m.doc.ResolveNumber(o); err != nil {
			return identity
		}
	}
	return out
}
