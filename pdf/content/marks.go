package content

import (
	"math"

	"absah/pdf"
)

// Kind is what a mark is made by.
type Kind int

const (
	// Image is an image XObject or an inline image.
	Image Kind = iota
	// Path is a path that was filled or stroked.
	Path
	// Shading fills the clipping area.
	Shading
)

func (k Kind) String() string {
	switch k {
	case Image:
		return "image"
	case Path:
		return "path"
	case Shading:
		return "shading"
	}
	return "unknown"
}

// Mark is something other than text that the page shows.
type Mark struct {
	Kind Kind
	// Box is the upright box around it, within its clipping area: left, bottom,
	// right, top in default user space.
	Box [4]float64
	// Annotation tells that it belongs to an annotation.
	Annotation bool
	// Hidden tells that it belongs to a layer that is not seen when the file is
	// opened.
	Hidden bool
}

// everywhere is a clipping area that clips nothing.
var everywhere = [4]float64{-1e12, -1e12, 1e12, 1e12}

// painter follows paths, clipping and colours as far as marks depend on them.
type painter struct {
	wanted bool
	box    [4]float64 // of the path being built
	any    bool
	clip   bool // W or W* was read
}

func (p *painter) point(at Point) {
	if !p.any {
		p.box, p.any = [4]float64{at.X, at.Y, at.X, at.Y}, true
		return
	}
	p.box = [4]float64{min(p.box[0], at.X), min(p.box[1], at.Y), max(p.box[2], at.X), max(p.box[3], at.Y)}
}

func intersect(a, b [4]float64) [4]float64 {
	return [4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])}
}

// mark keeps a box, within the clipping area, grown by the width of a stroke.
func (m *machine) mark(kind Kind, box [4]float64, grow float64) error {
	if !m.paint.wanted {
		return nil
	}
	box = intersect([4]float64{box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow}, m.state.clip)
	if !(box[0] <= box[2]) || !(box[1] <= box[3]) {
		return nil
	}
	if len(m.text.marks) >= m.limits.Marks {
		return &LimitError{"marks", int64(m.limits.Marks)}
	}
	m.text.marks = append(m.text.marks, Mark{kind, box, m.annotation, m.hidden > 0})
	return nil
}

// unitSquare is where an image lies.
func (m *machine) unitSquare() [4]float64 {
	c := m.state.ctm
	return Quad{c.apply(0, 0), c.apply(1, 0), c.apply(1, 1), c.apply(0, 1)}.Bounds()
}

// paintOperator handles the operators of paths and colours (8.5, 8.6).
func (m *machine) paintOperator(op string, n []float64, operands []pdf.Object) error {
	switch op {
	case "m", "l", "c", "v", "y":
		for ; len(n) >= 2; n = n[2:] {
			m.paint.point(m.state.ctm.apply(n[0], n[1]))
		}
	case "re":
		if len(n) == 4 {
			for _, at := range [][2]float64{{n[0], n[1]}, {n[0] + n[2], n[1]}, {n[0], n[1] + n[3]}, {n[0] + n[2], n[1] + n[3]}} {
				m.paint.point(m.state.ctm.apply(at[0], at[1]))
			}
		}
	case "W", "W*":
		m.paint.clip = true
	case "f", "F", "f*":
		return m.endPath(true, false)
	case "S", "s":
		return m.endPath(false, true)
	case "B", "B*", "b", "b*":
		return m.endPath(true, true)
	case "n":
		return m.endPath(false, false)
	case "sh":
		return m.mark(Shading, m.state.clip, 0)
	case "w":
		set(&m.state.lineWidth, n)
	default:
		m.color(op, n, operands)
	}
	return nil
}

// color follows whether filling and stroking leave white.
func (m *machine) color(op string, n []float64, operands []pdf.Object) {
	switch op {
	case "g", "rg", "sc", "scn":
		m.state.whiteFill = white(n, operands)
	case "k":
		m.state.whiteFill = none(n)
	case "G", "RG", "SC", "SCN":
		m.state.whiteStroke = white(n, operands)
	case "K":
		m.state.whiteStroke = none(n)
	case "cs":
		m.state.whiteFill = false
	case "CS":
		m.state.whiteStroke = false
	}
}

// white tells whether a colour of one or three components is white; patterns have
// a name among their operands.
func white(n []float64, operands []pdf.Object) bool {
	if len(n) != len(operands) || len(n) != 1 && len(n) != 3 {
		return false
	}
	for _, v := range n {
		if v < 1 {
			return false
		}
	}
	return true
}

func none(n []float64) bool {
	for _, v := range n {
		if v > 0 {
			return false
		}
	}
	return len(n) == 4
}

// endPath paints the path and makes it the clipping area where that was asked.
func (m *machine) endPath(fill, stroke bool) error {
	p, s := &m.paint, &m.state
	defer func() { p.any, p.clip = false, false }()
	if !p.any {
		return nil
	}
	var err error
	switch {
	case stroke && !s.whiteStroke:
		err = m.mark(Path, p.box, s.lineWidth/2*math.Sqrt(math.Abs(s.ctm[0]*s.ctm[3]-s.ctm[1]*s.ctm[2])))
	case fill && !s.whiteFill:
		err = m.mark(Path, p.box, 0)
	}
	if p.clip {
		s.clip = intersect(s.clip, p.box)
	}
	return err
}

// Marks returns what the page shows besides text where a box (left, bottom,
// right, top in default user space) would lie over it: images, painted paths
// other than white ones, shadings. Options.Marks must have been set for Read.
func (t *Text) Marks(box [4]float64) []Mark {
	box = [4]float64{min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])}
	var found []Mark
	for _, m := range t.marks {
		if b := m.Box; b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1] {
			found = append(found, m)
		}
	}
	return found
}
