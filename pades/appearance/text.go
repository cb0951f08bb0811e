package appearance

import (
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"absah/pades/appearance/truetype"
)

// A style is how a role is set: size and space above relative to the text's size.
type style struct {
	bold  bool
	scale float64
	above float64 // space between it and a line of another role
}

func styleOf(r Role) style {
	switch r {
	case Label:
		return style{scale: 0.86}
	case Office:
		return style{scale: 1, above: 0.12}
	case Name:
		return style{bold: true, scale: 1.06, above: 0.28}
	case Detail:
		return style{scale: 0.92, above: 0.04}
	case Small:
		return style{scale: 0.72, above: 0.35}
	}
	return style{scale: 1, above: 0.12}
}

const (
	leading = 1.18 // from baseline to baseline, relative to the larger line's size
	// smallest that a role may come out: print below it cannot be read on paper.
	smallestPrint = 4.0
)

// glyph is a glyph of a word and what the next one is moved by.
type glyph struct {
	id   truetype.GID
	kern int // font units, before this glyph
}

// word is a piece of a line that is not broken.
type word struct {
	glyphs []glyph
	width  int // font units
}

// paragraph is a Line that was shaped.
type paragraph struct {
	role  Role
	face  *face
	words []word
}

// row is a line as set.
type row struct {
	role  Role
	face  *face
	size  float64
	words []word
	width float64 // points
	above float64 // from the baseline before (or the block's top) to its baseline
}

// block is text that was fitted into a width and height.
type block struct {
	rows          []row
	width, height float64 // from the top of the first line's capitals to below the last line's descenders
	descent       float64 // the part of the height below the last baseline
	size          float64
}

// shape turns a line of text into words of glyphs.
func shape(line Line, faces *faces) (paragraph, error) {
	p := paragraph{role: line.Role, face: faces.regular}
	if styleOf(line.Role).bold {
		p.face = faces.bold
	}
	for _, w := range strings.FieldsFunc(norm.NFC.String(line.Text), breaks) {
		s, err := p.face.shape(w)
		if err != nil {
			return p, err
		}
		if len(s.glyphs) > 0 {
			p.words = append(p.words, s)
		}
	}
	return p, nil
}

// breaks tells where lines may be broken: at spaces, except those that keep
// words together.
func breaks(r rune) bool {
	return unicode.IsSpace(r) && r != '\u00A0' && r != '\u202F' && r != '\u2007'
}

// shape maps the characters of a word to glyphs, with the kerning between them.
func (f *face) shape(w string) (word, error) {
	var s word
	for _, r := range w {
		switch {
		case r == '\u2011':
			r = '\u2010' // fonts draw the hyphen that does not break with the one that does
		case r == '\u202F' || r == '\u2007' || r == '\u00A0':
			r = ' '
		case r == '\u00AD' || unicode.Is(unicode.Cf, r):
			continue // soft hyphens, joiners, marks of direction: nothing is drawn for them
		}
		g := f.font.Glyph(r)
		if g == 0 {
			return s, &GlyphError{r, f.font.Name()}
		}
		f.chars[r] = g
		kern := 0
		if n := len(s.glyphs); n > 0 {
			kern = f.font.Kern(s.glyphs[n-1].id, g)
		}
		s.glyphs = append(s.glyphs, glyph{g, kern})
		s.width += kern + f.font.Advance(g)
	}
	return s, nil
}

// space is the width of a space between two words, kerned on both sides.
func (f *face) space(left, right word) (before, width, after int) {
	g := f.font.Glyph(' ')
	return f.font.Kern(left.glyphs[len(left.glyphs)-1].id, g), f.font.Advance(g), f.font.Kern(g, right.glyphs[0].id)
}

// measure is the width of words set in one line, in font units.
func (f *face) measure(words []word) int {
	total := 0
	for i, w := range words {
		total += w.width
		if i > 0 {
			before, width, after := f.space(words[i-1], w)
			total += before + width + after
		}
	}
	return total
}

// wrap breaks words into as few lines as the width (in font units) allows, or
// reports false where a word is wider than that.
func (f *face) wrap(words []word, width int) ([][]word, bool) {
	var lines [][]word
	for start := 0; start < len(words); {
		end := start + 1
		if f.measure(words[start:end]) > width {
			return nil, false
		}
		for end < len(words) && f.measure(words[start:end+1]) <= width {
			end++
		}
		lines = append(lines, words[start:end])
		start = end
	}
	return lines, true
}

// balance breaks words into as few lines as wrap does, with the longest line as
// short as it can be: no single word is left on the last line for no reason.
func (f *face) balance(words []word, width int) ([][]word, bool) {
	best, ok := f.wrap(words, width)
	if !ok || len(best) < 2 {
		return best, ok
	}
	low, high := 0, width
	for low < high {
		mid := (low + high) / 2
		if lines, ok := f.wrap(words, mid); ok && len(lines) == len(best) {
			best, high = lines, mid
		} else {
			low = mid + 1
		}
	}
	return best, true
}

// set sets paragraphs at a size in a column of the given width.
func set(ps []paragraph, size, width float64) (block, bool) {
	b := block{size: size}
	for _, p := range ps {
		if len(p.words) == 0 {
			continue
		}
		st := styleOf(p.role)
		s := math.Max(size*st.scale, smallestPrint)
		units := float64(p.face.font.UnitsPerEm())
		lines, ok := p.face.balance(p.words, int(width/s*units))
		if !ok {
			return b, false
		}
		for i, l := range lines {
			r := row{role: p.role, face: p.face, size: s, words: l, width: float64(p.face.measure(l)) * s / units}
			if n := len(b.rows); n == 0 {
				r.above = float64(p.face.font.CapHeight()) * s / units
			} else {
				r.above = leading * math.Max(s, b.rows[n-1].size)
				if before := b.rows[n-1]; i == 0 && before.role != p.role {
					r.above += st.above * size
				}
				if before := b.rows[n-1].size; s < before {
					r.above -= (before - s) * (leading - 1) // smaller print needs less air
				}
			}
			b.rows = append(b.rows, r)
			b.width = math.Max(b.width, r.width)
			b.height += r.above
		}
	}
	if n := len(b.rows); n > 0 {
		last := b.rows[n-1]
		b.descent = descent(last.face.font) * last.size
		b.height += b.descent
	}
	return b, true
}

// descent is how deep letters reach below the baseline, relative to the size.
// The font's own figure leaves room for marks that letters with a descender do
// not have.
func descent(f *truetype.Font) float64 {
	if b, ok := f.GlyphBounds(f.Glyph('p')); ok {
		return -float64(b[1]) / float64(f.UnitsPerEm())
	}
	return -float64(f.Descent()) / float64(f.UnitsPerEm())
}

const sizeStep = 0.1 // points between the sizes that are tried

// fit sets groups of paragraphs in one size, as large as the width and the sum of
// their heights allow, between two sizes. A smaller size is taken where it saves
// lines and is still easy to read: what fits in one line reads better there.
func fit(groups [][]paragraph, width, height, smallest, largest float64) ([]block, error) {
	if !(width > 0) || !(height > 0) {
		return nil, &FitError{max(width, 0), max(height, 0), smallest}
	}
	var first, best []block
	fewest := 0
	for size := largest; size > smallest-sizeStep/2; size -= sizeStep {
		if first != nil && size < first[0].size*0.88 && size < max(first[0].size*0.7, 7.2) {
			break
		}
		blocks, rows, ok := setAll(groups, size, width, height)
		switch {
		case !ok:
		case first == nil:
			first, best, fewest = blocks, blocks, rows
		case rows < fewest:
			best, fewest = blocks, rows
		}
	}
	if best == nil {
		return nil, &FitError{width, height, smallest}
	}
	return best, nil
}

// setAll sets groups at one size and reports whether they fit.
func setAll(groups [][]paragraph, size, width, height float64) (blocks []block, rows int, ok bool) {
	for _, g := range groups {
		b, ok := set(g, size, width)
		if height -= b.height; !ok || height < 0 {
			return nil, 0, false
		}
		blocks = append(blocks, b)
		rows += len(b.rows)
	}
	return blocks, rows, true
}
