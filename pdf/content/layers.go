package content

import "absah/pdf"

// layers tells which optional content is seen when the file is opened (ISO 32000-2
// 8.11): the default configuration decides.
type layers struct {
	doc *pdf.Document
	off map[pdf.Ref]bool // what the configuration switches
	// base is the state of groups that the configuration does not name.
	base bool // hidden
}

const (
	maxGroups     = 100_000 // that a configuration or a membership dictionary names
	maxExpression = 16      // levels of a visibility expression
)

// loadLayers reads the default configuration. What cannot be read hides nothing.
func loadLayers(d *pdf.Document) *layers {
	l := &layers{doc: d, off: map[pdf.Ref]bool{}}
	_, root, err := d.Root()
	if err != nil {
		return l
	}
	properties, err := d.ResolveDict(root.Get("OCProperties"))
	if err != nil {
		return l
	}
	config, err := d.ResolveDict(properties.Get("D"))
	if err != nil {
		return l
	}
	base, _ := d.ResolveName(config.Get("BaseState"))
	l.base = base == "OFF"
	for _, list := range []struct {
		key pdf.Name
		off bool
	}{{"ON", false}, {"OFF", true}} {
		groups, _ := d.ResolveArray(config.Get(list.key))
		for _, g := range groups[:min(len(groups), maxGroups)] {
			if ref, ok := g.(pdf.Ref); ok {
				l.off[ref] = list.off
			}
		}
	}
	return l
}

// hides tells whether content that belongs to o, a group or a membership
// dictionary, is not seen.
func (l *layers) hides(o pdf.Object) bool {
	dict, err := l.doc.ResolveDict(o)
	if err != nil || dict == nil {
		return false
	}
	if kind, _ := l.doc.ResolveName(dict.Get("Type")); kind != "OCMD" {
		return l.group(o)
	}
	if ve, _ := l.doc.ResolveArray(dict.Get("VE")); len(ve) > 0 {
		seen, ok := l.expression(ve, 0, new(int))
		return ok && !seen
	}
	groups := dict.Get("OCGs")
	list, err := l.doc.ResolveArray(groups)
	if err != nil {
		list = pdf.Array{groups} // one group
	}
	on, off := 0, 0
	for _, g := range list[:min(len(list), maxGroups)] {
		switch group, err := l.doc.ResolveDict(g); {
		case err != nil || group == nil: // null and what is deleted do not count
		case l.group(g):
			off++
		default:
			on++
		}
	}
	if on+off == 0 {
		return false
	}
	switch policy, _ := l.doc.ResolveName(dict.Get("P")); policy {
	case "AllOn":
		return off > 0
	case "AnyOff":
		return off == 0
	case "AllOff":
		return on > 0
	}
	return on == 0 // AnyOn
}

// group tells whether a group is switched off.
func (l *layers) group(o pdf.Object) bool {
	ref, ok := o.(pdf.Ref)
	if !ok {
		return false // a group is an indirect object
	}
	if off, named := l.off[ref]; named {
		return off
	}
	return l.base
}

// expression evaluates a visibility expression (table 97); ok is false where it is
// none.
func (l *layers) expression(ve pdf.Array, depth int, terms *int) (seen, ok bool) {
	operator, _ := l.doc.ResolveName(ve[0])
	if depth > maxExpression || operator != "And" && operator != "Or" && operator != "Not" || operator == "Not" && len(ve) != 2 {
		return false, false
	}
	seen = operator == "And"
	for _, o := range ve[1:] {
		if *terms++; *terms > maxGroups {
			return false, false
		}
		r, err := l.doc.Resolve(o)
		if err != nil {
			return false, false
		}
		term, valid := !l.group(o), true
		if inner, isArray := r.(pdf.Array); isArray {
			if len(inner) == 0 {
				return false, false
			}
			term, valid = l.expression(inner, depth+1, terms)
		}
		if !valid {
			return false, false
		}
		switch operator {
		case "And":
			seen = seen && term
		case "Or":
			seen = seen || term
		case "Not":
			seen = !term
		}
	}
	return seen, true
}

// maxMarked is how deep marked content may be nested in one content stream.
const maxMarked = 10_000

// begin opens marked content; tag and properties are those of BDC (14.6).
func (m *machine) begin(operands []pdf.Object, f *frame) error {
	if len(f.marked) >= maxMarked {
		return &LimitError{"nested marked content", maxMarked}
	}
	hidden := false
	if len(operands) == 2 && operands[0] == pdf.Object(pdf.Name("OC")) {
		if name, ok := operands[1].(pdf.Name); ok {
			o, err := m.resource(f, "Properties", name)
			if err != nil {
				return m.note(err)
			}
			hidden = m.hides(o)
		}
	}
	f.marked = append(f.marked, hidden)
	if hidden {
		m.hidden++
	}
	return nil
}

// end closes marked content.
func (m *machine) end(f *frame) {
	if n := len(f.marked); n > 0 {
		if f.marked[n-1] {
			m.hidden--
		}
		f.marked = f.marked[:n-1]
	}
}

// hides tells whether optional content is not seen; nil is no optional content.
func (m *machine) hides(o pdf.Object) bool {
	if o == nil {
		return false
	}
	if m.layers == nil {
		m.layers = loadLayers(m.doc)
	}
	return m.layers.hides(o)
}

// within runs what belongs to optional content.
func (m *machine) within(o pdf.Object, run func() error) error {
	if m.hides(o) {
		m.hidden++
		defer func() { m.hidden-- }()
	}
	return run()
}
