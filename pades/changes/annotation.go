package changes

import (
	"slices"

	"absah/pdf"
)

// Flags of annotations (ISO 32000-2 table 167).
const (
	flagHidden       = 1 << 1
	flagPrint        = 1 << 2
	flagNoView       = 1 << 5
	flagToggleNoView = 1 << 8
)

// visible tells whether people can get to see an annotation: on the screen, when
// they point at it, or on paper.
func (c *comparison) visible(is pdf.Dict) bool {
	f := flags(resolve(c.cur, is.Get("F")))
	return f&flagHidden == 0 && (f&flagNoView == 0 || f&(flagPrint|flagToggleNoView) != 0)
}

// shows tells whether an annotation has a place and something to draw there.
func (c *comparison) shows(is pdf.Dict) bool {
	box, ok := c.extent(is)
	return c.visible(is) && is.Get("AP") != nil && (!ok || box[0] != box[2] && box[1] != box[3])
}

// drawn are the keys with points that readers draw by where an annotation has no
// appearance, whatever its rectangle says.
var drawn = []pdf.Name{"L", "Vertices", "CL", "QuadPoints", "InkList", "Path"}

// extent is where an annotation may draw, in default user space: left, bottom, right,
// top. ok is false where that cannot be told.
func (c *comparison) extent(is pdf.Dict) (box [4]float64, ok bool) {
	r, whole := c.numbers(is.Get("Rect"), 0)
	if len(r) != 4 || !whole {
		return box, false
	}
	box = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	if is.Get("AP") != nil {
		return box, true
	}
	for _, k := range drawn {
		points, whole := c.numbers(is.Get(k), 0)
		if !whole {
			return box, false
		}
		for i := 0; i+1 < len(points); i += 2 {
			x, y := points[i], points[i+1]
			box = [4]float64{min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)}
		}
	}
	return box, true
}

// numbers are those of an array and of the arrays in it; whole is false where it holds
// anything else.
func (c *comparison) numbers(o pdf.Object, depth int) (all []float64, whole bool) {
	whole = true
	for _, e := range array(resolve(c.cur, o)) {
		switch v := resolve(c.cur, e).(type) {
		case pdf.Array:
			if depth > 1 {
				return all, false
			}
			more, ok := c.numbers(v, depth+1)
			all, whole = append(all, more...), whole && ok
		default:
			if !number(v) {
				return all, false
			}
			all = append(all, numberOf(v))
		}
	}
	return all, whole
}

// harmless are the actions that lead people to another place and do nothing.
var harmless = []pdf.Name{"GoTo", "GoToR", "GoToE", "URI", "Named", "Thread"}

// acts tells whether an annotation does something when it is touched, or by itself
// when its page is shown (ISO 32000-2 12.6.3, 12.6.4): scripts, programs, fields that
// are filled or hidden.
func (c *comparison) acts(is pdf.Dict) bool {
	if is.Get("AA") != nil {
		return true
	}
	a := c.curDict(is.Get("A"))
	if a == nil {
		return false
	}
	kind, _ := resolve(c.cur, a.Get("S")).(pdf.Name)
	return a.Get("Next") != nil || !slices.Contains(harmless, kind)
}
