package content

import "absah/pdf"

const maxAnnotations = 10000

// Flags of an annotation that is not seen (ISO 32000-2 12.5.3).
const (
	flagHidden = 1 << 1
	flagNoView = 1 << 5
)

// annotations runs the normal appearances of the annotations that are seen.
func (m *machine) annotations(p pdf.Page) error {
	list, err := m.doc.ResolveArray(p.Dict.Get("Annots"))
	if err != nil {
		return m.note(err)
	}
	m.annotation, m.crop = true, everywhere
	for i, o := range list {
		if i >= maxAnnotations {
			return &LimitError{"annotations", maxAnnotations}
		}
		if err := m.ctx.Err(); err != nil {
			return err
		}
		dict, err := m.doc.ResolveDict(o)
		if err == nil {
			err = m.annotationText(dict)
		}
		if err != nil {
			if err := m.note(err); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *machine) annotationText(dict pdf.Dict) error {
	flags, _ := m.doc.ResolveInt(dict.Get("F"))
	if flags&(flagHidden|flagNoView) != 0 {
		return nil
	}
	if subtype, _ := m.doc.ResolveName(dict.Get("Subtype")); subtype == "Popup" {
		return nil
	}
	ap, err := m.doc.ResolveDict(dict.Get("AP"))
	if err != nil {
		return err
	}
	o, err := m.doc.Resolve(ap.Get("N"))
	if err != nil {
		return err
	}
	if states, ok := o.(pdf.Dict); ok {
		name, _ := m.doc.ResolveName(dict.Get("AS"))
		if o, err = m.doc.Resolve(states.Get(name)); err != nil {
			return err
		}
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return nil
	}
	rect, ok1 := m.doc.Rect(dict.Get("Rect"))
	box, ok2 := m.doc.Rect(s.Dict.Get("BBox"))
	if !ok1 || !ok2 {
		return nil
	}
	m.state, m.tm, m.line = initial, identity, identity
	return m.within(dict.Get("OC"), func() error {
		return m.form(s, fitting(m.formMatrix(s), box, rect), &frame{})
	})
}

// fitting maps the box of an appearance, as its matrix turns it, onto the
// annotation's rectangle (12.5.5, algorithm 8.1).
func fitting(m matrix, box, rect [4]float64) matrix {
	b := Quad{m.apply(box[0], box[1]), m.apply(box[2], box[1]), m.apply(box[2], box[3]), m.apply(box[0], box[3])}.Bounds()
	scale := func(from, to float64) float64 {
		if from == 0 {
			return 1
		}
		return to / from
	}
	sx, sy := scale(b[2]-b[0], rect[2]-rect[0]), scale(b[3]-b[1], rect[3]-rect[1])
	return matrix{sx, 0, 0, sy, rect[0] - sx*b[0], rect[1] - sy*b[1]}
}
