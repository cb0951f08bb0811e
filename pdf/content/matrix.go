package content

import "math"

// Point is a place in default user space.
type Point struct{ X, Y float64 }

// Quad is the corners of a piece of text: lower left, lower right, upper right,
// upper left as the text is read.
type Quad [4]Point

// Bounds is the upright box around the quad: left, bottom, right, top.
func (q Quad) Bounds() [4]float64 {
	b := [4]float64{q[0].X, q[0].Y, q[0].X, q[0].Y}
	for _, p := range q[1:] {
		b = [4]float64{min(b[0], p.X), min(b[1], p.Y), max(b[2], p.X), max(b[3], p.Y)}
	}
	return b
}

// Centre is the middle of the quad.
func (q Quad) Centre() Point {
	return Point{(q[0].X + q[1].X + q[2].X + q[3].X) / 4, (q[0].Y + q[1].Y + q[2].Y + q[3].Y) / 4}
}

// matrix is a transformation as PDF writes it: x' = a x + c y + e.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul applies m first and then n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

func (m matrix) apply(x, y float64) Point {
	return Point{m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]}
}

func (m matrix) finite() bool {
	for _, v := range m {
		if math.IsNaN(v) || math.Abs(v) > 1e12 {
			return false
		}
	}
	return true
}
