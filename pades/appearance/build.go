package appearance

import (
	"fmt"

	"absah/pdf"
)

// Sizes outside of which no appearance is drawn, in points.
const (
	smallestBox = 4
	largestBox  = 14400
	maxText     = 4000 // bytes of all lines
)

// Build draws spec as a form XObject whose BBox is [0 0 Width Height]. It hands
// the objects that the form refers to (fonts, images) to add; the form itself is
// the caller's to add. The same spec gives the same bytes.
func Build(spec Spec, add func(pdf.Object) pdf.Ref) (*pdf.Stream, error) {
	if !finite(spec.Width, spec.Height, spec.Padding, spec.FontSize, spec.MinFontSize, spec.Border) ||
		spec.Width < smallestBox || spec.Height < smallestBox || spec.Width > largestBox || spec.Height > largestBox {
		return nil, ErrBox
	}
	faces, err := newFaces(spec.Family)
	if err != nil {
		return nil, err
	}
	d := &drawing{spec: spec, faces: faces}
	if err := d.load(); err != nil {
		return nil, err
	}
	if err := d.arrange(); err != nil {
		return nil, err
	}
	for _, f := range []*face{faces.regular, faces.bold} {
		if err := f.makeSubset(spec.Cache); err != nil {
			return nil, err
		}
	}
	resources := d.resources(add)
	matrix := Matrix(spec.Rotate)
	dict := pdf.Dict{
		{Key: "Type", Value: pdf.Name("XObject")},
		{Key: "Subtype", Value: pdf.Name("Form")},
		{Key: "BBox", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), number(spec.Width), number(spec.Height)}},
	}
	if matrix != Matrix(0) {
		m := make(pdf.Array, 6)
		for i, v := range matrix {
			m[i] = number(v)
		}
		dict.Set("Matrix", m)
	}
	dict.Set("Resources", resources)
	return pdf.Deflate(dict, d.content())
}

// drawing is an appearance being made.
type drawing struct {
	spec  Spec
	faces *faces

	paragraphs []paragraph
	code       *code // the QR code
	image      *picture
	logo       *picture

	// What goes where, in the order of painting.
	background *placed
	placed     []placed
	texts      []placedText
}

// area is a rectangle of the form: left, bottom, width, height.
type area struct{ x, y, w, h float64 }

func (a area) inset(by float64) area { return area{a.x + by, a.y + by, a.w - 2*by, a.h - 2*by} }

// placed is an image or a QR code with its place.
type placed struct {
	picture *picture
	code    *code
	area    area
}

// placedText is a fitted block of text with its place.
type placedText struct {
	block block
	area  area // its width is that of the column, its height that of the block
	align Align
}

// load reads the parts of the spec.
func (d *drawing) load() error {
	size := 0
	for _, l := range d.spec.Lines {
		if size += len(l.Text); size > maxText {
			return fmt.Errorf("appearance: the text has more than %d bytes", maxText)
		}
		p, err := shape(l, d.faces)
		if err != nil {
			return err
		}
		if len(p.words) > 0 {
			d.paragraphs = append(d.paragraphs, p)
		}
	}
	limit := max(d.spec.Width, d.spec.Height)
	var err error
	if len(d.spec.Image) > 0 {
		if d.image, err = d.spec.Cache.picture(d.spec.Image, limit, d.spec.Conformance); err != nil {
			return err
		}
	}
	if len(d.spec.Logo) > 0 && d.spec.QR != "" {
		if d.logo, err = d.spec.Cache.picture(d.spec.Logo, limit/4, d.spec.Conformance); err != nil {
			return err
		}
	}
	if d.spec.QR != "" {
		level := d.spec.QRLevel
		if d.logo != nil {
			level = LevelH
		}
		if d.code, err = encodeQR(d.spec.QR, level); err != nil {
			return err
		}
	}
	return nil
}
