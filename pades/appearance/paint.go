package appearance

import (
	"fmt"
	"strconv"
	"strings"

	"absah/pdf"
)

// content writes the form's content stream.
func (d *drawing) content() []byte {
	var b strings.Builder
	white, black := Color{1, 1, 1}, Color{}
	if d.spec.Opaque {
		b.WriteString(d.fillColor(white))
		fmt.Fprintf(&b, "0 0 %s %s re f\n", decimal(d.spec.Width), decimal(d.spec.Height))
	}
	if d.background != nil {
		d.paintPicture(&b, d.background.picture, d.background.area)
	}
	for _, p := range d.placed {
		if p.picture != nil {
			d.paintPicture(&b, p.picture, p.area)
			continue
		}
		modules := p.code.size + 2*quietZone
		scale := p.area.w / float64(modules)
		fmt.Fprintf(&b, "q %s 0 0 %s %s %s cm\n", exact(scale), exact(scale), decimal(p.area.x), decimal(p.area.y))
		b.WriteString(d.fillColor(white))
		fmt.Fprintf(&b, "0 0 %d %d re f\n", modules, modules)
		b.WriteString(d.fillColor(black))
		logo := 0
		if d.logo != nil {
			logo = p.code.logoModules()
			p.code.clear(logo)
		}
		p.code.path(&b)
		b.WriteString("f Q\n")
		if logo > 0 {
			side := float64(logo) * scale
			at := area{p.area.x + (p.area.w-side)/2, p.area.y + (p.area.h-side)/2, side, side}
			d.paintPicture(&b, d.logo, at.inset(scale/2))
		}
	}
	d.paintTexts(&b)
	if w := d.spec.Border; w > 0 {
		b.WriteString("q " + d.strokeColor(d.spec.BorderColor))
		fmt.Fprintf(&b, "%s w %s %s %s %s re S Q\n", decimal(w), decimal(w/2), decimal(w/2), decimal(d.spec.Width-w), decimal(d.spec.Height-w))
	}
	return []byte(b.String())
}

// paintPicture draws a picture in the middle of an area, as large as its
// proportions allow.
func (d *drawing) paintPicture(b *strings.Builder, p *picture, a area) {
	w, h := a.w, a.w/p.aspect()
	if h > a.h {
		w, h = a.h*p.aspect(), a.h
	}
	fmt.Fprintf(b, "q %s 0 0 %s %s %s cm ", decimal(w), decimal(h), decimal(a.x+(a.w-w)/2), decimal(a.y+(a.h-h)/2))
	if p.turn != upright {
		for _, v := range p.turn {
			b.WriteString(decimal(v) + " ")
		}
		b.WriteString("cm ")
	}
	fmt.Fprintf(b, "/%s Do Q\n", d.pictureName(p))
}

func (d *drawing) pictureName(p *picture) pdf.Name {
	if p == d.logo {
		return "Im1"
	}
	return "Im0"
}

// paintTexts writes all text as one text object.
func (d *drawing) paintTexts(b *strings.Builder) {
	if len(d.texts) == 0 {
		return
	}
	b.WriteString("BT\n" + d.fillColor(d.spec.TextColor))
	var face *face
	var size, atX, atY float64
	for _, t := range d.texts {
		y := t.area.y + t.area.h
		for _, r := range t.block.rows {
			y -= r.above
			x := t.area.x
			switch t.align {
			case AlignCentre:
				x += (t.area.w - r.width) / 2
			case AlignRight:
				x += t.area.w - r.width
			}
			if r.face != face || r.size != size {
				face, size = r.face, r.size
				fmt.Fprintf(b, "/%s %s Tf\n", face.name, decimal(size))
			}
			// Td counts from the line before; what was rounded there is not lost.
			dx, dy := decimal(x-atX), decimal(y-atY)
			fmt.Fprintf(b, "%s %s Td\n", dx, dy)
			atX, atY = atX+parse(dx), atY+parse(dy)
			r.show(b)
		}
	}
	b.WriteString("ET\n")
}

// show writes the row's glyphs with the kerning between them.
func (r row) show(b *strings.Builder) {
	units := float64(r.face.font.UnitsPerEm())
	b.WriteString("[<")
	put := func(g glyph) {
		if g.kern != 0 {
			fmt.Fprintf(b, ">%s<", strconv.FormatFloat(float64(-g.kern)*1000/units, 'f', 0, 64))
		}
		fmt.Fprintf(b, "%04X", r.face.parts.Code(g.id))
	}
	space := r.face.font.Glyph(' ')
	for i, w := range r.words {
		after := 0
		if i > 0 {
			before, _, next := r.face.space(r.words[i-1], w)
			put(glyph{space, before})
			after = next
		}
		for j, g := range w.glyphs {
			if j == 0 {
				g.kern = after
			}
			put(g)
		}
	}
	b.WriteString(">] TJ\n")
}

// decimal writes a length to a thousandth of a point.
func decimal(v float64) string { return trim(strconv.FormatFloat(v, 'f', 3, 64)) }

// exact writes a factor, whose error is multiplied.
func exact(v float64) string { return trim(strconv.FormatFloat(v, 'f', 6, 64)) }

func trim(s string) string {
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func parse(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0 // cannot be: decimal wrote it
	}
	return v
}

func (d *drawing) fillColor(c Color) string {
	if d.spec.Conformance != AnyPDF {
		return fmt.Sprintf("/CS0 cs %s %s %s sc\n", decimal(c[0]), decimal(c[1]), decimal(c[2]))
	}
	if c[0] == c[1] && c[1] == c[2] {
		return decimal(c[0]) + " g\n"
	}
	return fmt.Sprintf("%s %s %s rg\n", decimal(c[0]), decimal(c[1]), decimal(c[2]))
}

func (d *drawing) strokeColor(c Color) string {
	if d.spec.Conformance != AnyPDF {
		return fmt.Sprintf("/CS0 CS %s %s %s SC\n", decimal(c[0]), decimal(c[1]), decimal(c[2]))
	}
	return fmt.Sprintf("%s %s %s RG\n", decimal(c[0]), decimal(c[1]), decimal(c[2]))
}

// resources adds fonts and images and returns the form's Resources.
func (d *drawing) resources(add func(pdf.Object) pdf.Ref) pdf.Dict {
	var fonts, images, out pdf.Dict
	for _, f := range []*face{d.faces.regular, d.faces.bold} {
		if f.parts != nil {
			fonts.Set(f.name, f.parts.Object(add))
		}
	}
	for _, p := range []*picture{d.image, d.logo} {
		if p == nil {
			continue
		}
		images.Set(d.pictureName(p), p.object(add))
	}
	if d.spec.Conformance != AnyPDF {
		out.Set("ColorSpace", pdf.Dict{{Key: "CS0", Value: calRGB()}})
	}
	if fonts != nil {
		out.Set("Font", fonts)
	}
	if images != nil {
		out.Set("XObject", images)
	}
	if out == nil {
		out = pdf.Dict{}
	}
	return out
}

// calRGB describes sRGB without a profile, as near as one exponent allows (ISO
// 32000-2 8.6.5.3). PDF/A takes it without an output intent.
func calRGB() pdf.Object {
	return pdf.Array{pdf.Name("CalRGB"), pdf.Dict{
		{Key: "WhitePoint", Value: reals(0.9505, 1, 1.089)},
		{Key: "Gamma", Value: reals(2.2, 2.2, 2.2)},
		{Key: "Matrix", Value: reals(0.4124, 0.2126, 0.0193, 0.3576, 0.7152, 0.1192, 0.1805, 0.0722, 0.9505)},
	}}
}

func calGray() pdf.Object {
	return pdf.Array{pdf.Name("CalGray"), pdf.Dict{
		{Key: "WhitePoint", Value: reals(0.9505, 1, 1.089)},
		{Key: "Gamma", Value: pdf.Real(2.2)},
	}}
}

func reals(v ...float64) pdf.Array {
	a := make(pdf.Array, len(v))
	for i, x := range v {
		a[i] = number(x)
	}
	return a
}
