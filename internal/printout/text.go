package printout

import (
	"fmt"
	"math"
	"strconv"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"absah/pades/appearance/cidfont"
	"absah/pades/appearance/truetype"
	"absah/pdf"
)

// style is how a paragraph is set, in points.
type style struct {
	bold          bool
	size, leading float64
	above         float64 // space before it, left out at the top of a page
	color         Color
}

var (
	title    = style{true, 20, 25, 0, accent}
	section  = style{true, 13, 17, 17, accent}
	nested   = style{true, 10.5, 14.5, 10, ink}
	subtitle = style{false, 11.5, 16, 2, faint}
	caption  = style{true, 11, 15, 16, accent}
	body     = style{false, 10, 14.5, 5.5, ink}
	item     = style{false, 10, 14.5, 3.5, ink}
	cell     = style{false, 9, 12.5, 0, ink}
	label    = style{false, 9, 12.5, 0, faint}
	columns  = style{true, 9, 12.5, 0, ink}
	small    = style{false, 9, 13, 0, faint}
	running  = style{false, 8, 10, 0, faint}
)

// glyph is a character as it is drawn.
type glyph struct {
	face  *face
	id    truetype.GID
	kern  int     // before it, in font units
	width float64 // with the kerning, in points
	span  int     // which of the paragraph's spans it belongs to
	lost  rune    // the character that the font lacks
	space bool
	soft  bool // a long word may be broken behind it
}

// line is a line of a paragraph. The space at which it was broken ends it, so that
// words stay apart for those who listen.
type line struct {
	glyphs []glyph
	width  float64 // without that space
}

// shape turns spans into glyphs.
func (d *Document) shape(s style, spans []Span) []glyph {
	var out []glyph
	for i, span := range spans {
		f := d.faces[0]
		if s.bold || span.Bold {
			f = d.faces[1]
		}
		for _, r := range norm.NFC.String(span.Text) {
			g, drawn := f.glyph(r)
			if !drawn {
				continue
			}
			g.span = i
			units := f.font.Advance(g.id)
			if n := len(out); n > 0 && out[n-1].face == f {
				g.kern = f.font.Kern(out[n-1].id, g.id)
			}
			g.width = float64(units+g.kern) * s.size / float64(f.font.UnitsPerEm())
			out = append(out, g)
		}
	}
	return out
}

// glyph finds a character, and notes that the document uses it. What the font
// lacks is shown as a mark, and kept as text.
func (f *face) glyph(r rune) (g glyph, drawn bool) {
	space := unicode.IsSpace(r)
	breaks := space && r != '\u00A0' && r != '\u202F' && r != '\u2007'
	switch {
	case space:
		r = ' '
	case r == '\u2011':
		r = '\u2010'
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		return g, false
	}
	g = glyph{face: f, id: f.font.Glyph(r), space: breaks, soft: r == '/' || r == '.' || r == '_' || r == '-' || r == '&'}
	if g.id == 0 {
		g.lost = r
		r = '?'
		g.id = f.font.Glyph(r)
	}
	f.chars[r] = g.id
	return g, true
}

// wrap breaks glyphs into lines: at spaces, and a word that is too long for a line
// behind a mark or else anywhere.
func wrap(glyphs []glyph, width float64) []line {
	var lines []line
	for len(glyphs) > 0 {
		end := fit(glyphs, width)
		l := line{glyphs: glyphs[:end]}
		visible := end
		for visible > 0 && glyphs[visible-1].space {
			visible--
		}
		for _, g := range glyphs[:visible] {
			l.width += g.width
		}
		lines = append(lines, l)
		for end < len(glyphs) && glyphs[end].space {
			end++ // further spaces
		}
		glyphs = glyphs[end:]
	}
	return lines
}

// fit tells how many glyphs make the next line.
func fit(glyphs []glyph, width float64) int {
	at, space, soft := 0.0, 0, 0
	for i, g := range glyphs {
		if g.space {
			space = i + 1
		}
		if at += g.width; at > width && !g.space {
			switch {
			case space > 0:
				return space
			case soft > 0:
				return soft
			}
			return max(i, 1)
		}
		if g.soft {
			soft = i + 1
		}
	}
	return len(glyphs)
}

// lines breaks spans into lines.
func (d *Document) lines(s style, spans []Span, width float64) []line {
	return wrap(d.shape(s, spans), width)
}

// short cuts text to a width.
func (d *Document) short(s style, text string, width float64) line {
	glyphs := d.shape(s, Plain(text))
	if l := wrap(glyphs, math.Inf(1)); len(l) == 0 || l[0].width <= width {
		return append(l, line{})[0]
	}
	dots := d.shape(s, Plain("…"))[0]
	cut := line{width: dots.width}
	for _, g := range glyphs {
		if cut.width+g.width > width {
			break
		}
		cut.width += g.width
		cut.glyphs = append(cut.glyphs, g)
	}
	cut.glyphs = append(cut.glyphs, dots)
	return cut
}

// runs calls f for each part of a line that is of one font and one span, with its
// distance from the beginning of the line and its width.
func (l line) runs(f func(glyphs []glyph, at, width float64)) {
	at, start := 0.0, 0
	for start < len(l.glyphs) {
		end, width := start, 0.0
		for end < len(l.glyphs) && l.glyphs[end].span == l.glyphs[start].span && l.glyphs[end].face == l.glyphs[start].face {
			width += l.glyphs[end].width
			end++
		}
		f(l.glyphs[start:end], at, width)
		at += width
		start = end
	}
}

// show writes the operators that show glyphs of one font, whose embedded form is
// named f0 or f1.
func show(b []byte, glyphs []glyph, fonts map[*face]embedded, size, x, y float64, c Color) []byte {
	f := fonts[glyphs[0].face]
	b = fmt.Appendf(b, "BT %s/%s %s Tf %s %s Td ", fill(c), f.name, number(size), number(x), number(y))
	for len(glyphs) > 0 {
		n := 0
		for n < len(glyphs) && (glyphs[n].lost == 0) == (glyphs[0].lost == 0) {
			n++
		}
		if glyphs[0].lost != 0 {
			lost := make([]rune, n)
			for i, g := range glyphs[:n] {
				lost[i] = g.lost
			}
			b = append(b, "/Span <</ActualText "...)
			b = pdf.AppendObject(b, pdf.EncodeText(string(lost)))
			b = append(b, ">> BDC "...)
		}
		b = f.array(b, glyphs[:n])
		if glyphs[0].lost != 0 {
			b = append(b, "EMC "...)
		}
		glyphs = glyphs[n:]
	}
	return append(b, "ET\n"...)
}

// embedded is a font as the file has it.
type embedded struct {
	name string
	font *cidfont.Font
}

func (e embedded) array(b []byte, glyphs []glyph) []byte {
	b = append(b, "[<"...)
	for _, g := range glyphs {
		if g.kern != 0 {
			b = append(b, '>')
			b = strconv.AppendFloat(b, -float64(g.kern)*1000/float64(g.face.font.UnitsPerEm()), 'f', 0, 64)
			b = append(b, '<')
		}
		b = fmt.Appendf(b, "%04X", e.font.Code(g.id))
	}
	return append(b, ">] TJ "...)
}

func fill(c Color) string {
	return fmt.Sprintf("%s %s %s rg ", number(float64(c[0])/255), number(float64(c[1])/255), number(float64(c[2])/255))
}

// number writes a length to a thousandth of a point.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
}
