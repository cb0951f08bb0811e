package content

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxAnchor is the longest text to look for, in bytes.
const maxAnchor = 512

// ErrAnchor says that the text to look for is empty or too long.
var ErrAnchor = errors.New("content: the text to look for is empty or longer than 512 bytes")

// Match is a text that was found. All places are in default user space.
type Match struct {
	Page int // from 0
	Text string
	Quad Quad
	// Origin is the left end of the text's baseline.
	Origin Point
	// Centre is the middle of the text's box.
	Centre Point
	// Size is the font's.
	Size float64
	// Alone tells that no other character touches the text, as the # of C#.
	Alone bool
	// Invisible text is neither filled nor stroked.
	Invisible bool
	// Hidden text is not seen when the file is opened; see Run. Find passes over
	// it, Covers tells of it: a layer can be switched on.
	Hidden bool
	first  int
}

// unit is a character of the page with the glyph that draws it.
type unit struct {
	r     rune
	glyph int
}

// Find returns the places of a text that is seen, in the order in which they are
// drawn. White space in it stands for any space or for the end of a line, whether
// or not the file draws a space there. Letters count as equal when Unicode says
// that they differ by form only (a ligature and its letters).
func (t *Text) Find(anchor string) ([]Match, error) {
	if len(anchor) > maxAnchor {
		return nil, ErrAnchor
	}
	needle, spaced := prepare(anchor)
	if len(needle) == 0 {
		return nil, ErrAnchor
	}
	var found []Match
	add := func(units []unit) {
		for _, m := range t.search(units, needle, spaced) {
			if !slices.ContainsFunc(found, func(o Match) bool { return same(m, o) }) && len(found) < 10000 {
				found = append(found, m)
			}
		}
	}
	drawn := t.units()
	add(drawn)
	if len(needle) > 1 {
		// Some producers draw the characters of a word in another order.
		add(t.byLine(drawn))
	}
	slices.SortStableFunc(found, func(a, b Match) int { return cmp.Compare(a.first, b.first) })
	return found, nil
}

// same tells whether two finds are one, as where a producer draws twice to make
// text bold.
func same(a, b Match) bool {
	return math.Hypot(a.Centre.X-b.Centre.X, a.Centre.Y-b.Centre.Y) < 0.25*max(a.Size, b.Size)
}

// prepare drops white space; spaced tells before which characters it stood.
func prepare(s string) (needle []rune, spaced []bool) {
	space := false
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		needle, spaced, space = append(needle, r), append(spaced, space), false
	}
	return needle, spaced
}

// units lists the characters of the page's content, without white space.
func (t *Text) units() []unit {
	units := make([]unit, 0, len(t.glyphs))
	for i, g := range t.glyphs {
		if g.hidden || t.runs[g.run].annotation {
			continue
		}
		s := g.text
		if len(s) != 1 {
			s = norm.NFKC.String(s)
		}
		for _, r := range s {
			if !unicode.IsSpace(r) && r != '\u00AD' {
				units = append(units, unit{r, i})
			}
		}
	}
	return units
}

// byLine sorts characters by direction, line and place in the line.
func (t *Text) byLine(units []unit) []unit {
	type key struct{ angle, line, place float64 }
	keys := make(map[int]key, len(units))
	for _, u := range units {
		g := t.glyphs[u.glyph]
		r := t.runs[g.run]
		n := math.Hypot(r.a, r.b)
		if n == 0 {
			continue
		}
		cos, sin := r.a/n, r.b/n
		// Baselines within a third of a point count as one.
		keys[u.glyph] = key{math.Round(math.Atan2(sin, cos) * 100), math.Round((g.y*cos - g.x*sin) * 3), g.x*cos + g.y*sin}
	}
	sorted := slices.Clone(units)
	slices.SortStableFunc(sorted, func(a, b unit) int {
		x, y := keys[a.glyph], keys[b.glyph]
		return cmp.Or(cmp.Compare(x.angle, y.angle), cmp.Compare(y.line, x.line), cmp.Compare(x.place, y.place))
	})
	return sorted
}

func (t *Text) search(units []unit, needle []rune, spaced []bool) []Match {
	var found []Match
	for i := 0; i+len(needle) <= len(units); i++ {
		if !t.matches(units[i:], needle, spaced) {
			continue
		}
		end := i + len(needle)
		first, last := units[i].glyph, units[end-1].glyph
		m := t.match(units[i:end])
		m.Alone = (i == 0 || !t.touch(units[i-1].glyph, first)) && (end == len(units) || !t.touch(last, units[end].glyph))
		found = append(found, m)
		i = end - 1
	}
	return found
}

func (t *Text) matches(units []unit, needle []rune, spaced []bool) bool {
	for j, r := range needle {
		if units[j].r != r {
			return false
		}
		if j > 0 && units[j].glyph != units[j-1].glyph && !t.follows(units[j-1].glyph, units[j].glyph, spaced[j]) {
			return false
		}
	}
	return true
}

// gap measures from the end of a glyph to the origin of another, along and across
// the line, in sizes of the font.
func (t *Text) gap(a, b int) (along, across float64) {
	g, h := t.glyphs[a], t.glyphs[b]
	r := t.runs[g.run]
	dx, dy := h.x-g.x, h.y-g.y
	if r.font.vertical {
		n := math.Hypot(r.c, r.d)
		if n == 0 {
			return math.Inf(1), 0
		}
		return -(dx*r.c+dy*r.d)/(n*n) - 1, (dx*r.d - dy*r.c) / (n * n)
	}
	n := math.Hypot(r.a, r.b)
	if n == 0 {
		return math.Inf(1), 0
	}
	// The end of the glyph, and the size across the line for both measures, as
	// text may be stretched.
	size := r.height()
	if size == 0 {
		size = n
	}
	return ((dx*r.a+dy*r.b)/n - g.advance*n) / size, (dy*r.a - dx*r.b) / n / size
}

// follows tells whether glyph b reads on after a: on the same line next to it, or,
// where the text looked for has a space, further away or on the next line.
func (t *Text) follows(a, b int, spaced bool) bool {
	along, across := t.gap(a, b)
	if math.Abs(across) < 0.5 {
		return along > -0.7 && (along < 0.7 || spaced && along < 4)
	}
	return spaced && across < 0 && across > -3
}

// touch tells whether two glyphs stand next to each other.
func (t *Text) touch(a, b int) bool {
	along, across := t.gap(a, b)
	return math.Abs(across) < 0.5 && along > -0.5 && along < 0.15
}

// match makes the find of characters, which may go over several lines.
func (t *Text) match(units []unit) Match {
	first, last := units[0].glyph, units[len(units)-1].glyph
	g := t.glyphs[first]
	r := t.runs[g.run]
	m := Match{Page: t.Page, Origin: Point{g.x, g.y}, Size: r.height(), Invisible: r.invisible, first: first}
	var b strings.Builder
	m.Hidden = true
	for _, u := range units {
		b.WriteRune(u.r)
		m.Hidden = m.Hidden && t.glyphs[u.glyph].hidden
	}
	m.Text = b.String()
	along, across := t.gap(first, last)
	if first == last || math.Abs(across) < 0.5 && along > -1 {
		m.Quad = t.span(first, last)
	} else {
		box := t.quad(first).Bounds()
		for _, u := range units {
			o := t.quad(u.glyph).Bounds()
			box = [4]float64{min(box[0], o[0]), min(box[1], o[1]), max(box[2], o[2]), max(box[3], o[3])}
		}
		m.Quad = Quad{{box[0], box[1]}, {box[2], box[1]}, {box[2], box[3]}, {box[0], box[3]}}
	}
	m.Centre = m.Quad.Centre()
	return m
}

// Covers returns the pieces of text that a box (left, bottom, right, top in
// default user space) would lie over, in the order in which they are drawn. Text
// at the very edge does not count.
func (t *Text) Covers(box [4]float64) []Match {
	box = [4]float64{min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])}
	var found []Match
	var piece []unit
	flush := func() {
		if len(piece) > 0 && len(found) < 10000 {
			found = append(found, t.match(piece))
		}
		piece = nil
	}
	for i, g := range t.glyphs {
		if len(piece) > 0 && t.glyphs[i-1].run != g.run {
			flush()
		}
		q := t.quad(i).Bounds()
		// A line's box is higher than its letters.
		inset := 0.15 * min(q[3]-q[1], q[2]-q[0])
		if q[0]+inset >= box[2] || q[2]-inset <= box[0] || q[1]+inset >= box[3] || q[3]-inset <= box[1] || strings.TrimSpace(g.text) == "" && len(piece) == 0 {
			flush()
			continue
		}
		for _, r := range g.text {
			piece = append(piece, unit{r, i})
		}
	}
	flush()
	for i := range found {
		found[i].Text = strings.TrimSpace(found[i].Text)
	}
	return found
}
