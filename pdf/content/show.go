package content

import (
	"math"

	"absah/pdf"
)

// show places the glyphs of strings, moved by the numbers between them (9.4.3).
func (m *machine) show(parts []pdf.Object) error {
	s := &m.state
	if s.font == nil {
		return nil
	}
	first, linear := len(m.text.glyphs), (matrix{s.size * s.scale, 0, 0, s.size, 0, 0}).mul(m.tm).mul(s.ctm)
	for _, p := range parts {
		switch p := p.(type) {
		case pdf.String:
			if err := m.showString(string(p)); err != nil {
				return err
			}
		case pdf.Integer:
			m.kern(float64(p))
		case pdf.Real:
			m.kern(float64(p))
		}
	}
	if last := len(m.text.glyphs); last > first {
		m.text.runs = append(m.text.runs, run{first: first, last: last, a: linear[0], b: linear[1], c: linear[2], d: linear[3],
			font: s.font, invisible: s.mode == 3 || s.mode == 7, annotation: m.annotation})
		m.hide(first, last)
	}
	return nil
}

// hide marks the glyphs that are not seen: those of a layer that is switched off,
// and those that lie wholly outside the clipping area or the page.
func (m *machine) hide(first, last int) {
	seen := intersect(m.state.clip, m.crop)
	for i := first; i < last; i++ {
		if m.hidden > 0 {
			m.text.glyphs[i].hidden = true
			continue
		}
		b := m.text.quad(i).Bounds()
		m.text.glyphs[i].hidden = b[2] < seen[0] || b[0] > seen[2] || b[3] < seen[1] || b[1] > seen[3]
	}
}

func (m *machine) kern(thousandths float64) {
	by := -thousandths / 1000 * m.state.size
	if m.state.font.vertical {
		m.advance(0, by)
		return
	}
	m.advance(by*m.state.scale, 0)
}

func (m *machine) advance(x, y float64) {
	if t := (matrix{1, 0, 0, 1, x, y}).mul(m.tm); t.finite() {
		m.tm = t
	}
}

func (m *machine) showString(str string) error {
	s := &m.state
	for str != "" {
		c, size, text, width := s.font.next(str)
		str = str[size:]
		if len(m.text.glyphs) >= m.limits.Glyphs {
			return &LimitError{"glyphs", int64(m.limits.Glyphs)}
		}
		at := (matrix{1, 0, 0, 1, 0, s.rise}).mul(m.tm).mul(s.ctm)
		m.text.glyphs = append(m.text.glyphs, glyph{text: text, x: at[4], y: at[5], advance: width, run: int32(len(m.text.runs))})
		spacing := s.charSpace
		if size == 1 && c == ' ' {
			spacing += s.wordSpace
		}
		if s.font.vertical {
			m.advance(0, -s.size+spacing)
		} else {
			m.advance((width*s.size+spacing)*s.scale, 0)
		}
	}
	return nil
}

// height is the size of the font on the page.
func (r run) height() float64 { return math.Hypot(r.c, r.d) }
