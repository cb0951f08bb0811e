package appearance

import (
	"errors"
	"fmt"
	"math"
)

// Origin says where a box's place is measured from.
type Origin int

const (
	// BottomLeft: X to the right and Y up, to the box's lower left corner.
	BottomLeft Origin = iota
	// TopLeft: X to the right and Y down, to the box's upper left corner.
	TopLeft
)

// Box is a place on a page as its viewer sees it: upright, after the page's
// rotation, with the corner of the visible part (the CropBox) as origin, in
// points of 1/72 inch of the page shown at its true size.
type Box struct {
	X, Y, Width, Height float64
	Origin              Origin
}

// Page is what placing needs to know of a page (ISO 32000-2 7.7.3.3).
type Page struct {
	// MediaBox and CropBox are in default user space; a zero CropBox is the
	// MediaBox.
	MediaBox, CropBox [4]float64
	// Rotate is how many degrees the page is turned clockwise when shown.
	Rotate int
	// UserUnit is the size of a unit of user space in points; 0 is 1.
	UserUnit float64
}

// Placement is where an appearance goes.
type Placement struct {
	// Rect is the widget annotation's Rect in default user space, left, bottom,
	// right, top. The viewer fits the appearance (turned by its Matrix) into it.
	Rect [4]float64
	// Width and Height of the appearance's BBox, in points, upright.
	Width, Height float64
	// Rotate is the page's rotation: 0, 90, 180 or 270. The form's Matrix turns
	// it back (Matrix does).
	Rotate int
	// Clipped tells that a part of the box lies outside the visible page.
	Clipped bool
}

var (
	// ErrBox says that a box has no area or its numbers are none.
	ErrBox = errors.New("appearance: the box of the signature has no area")
	// ErrPage says that a page's boxes have no area or its rotation is no
	// multiple of 90 degrees.
	ErrPage = errors.New("appearance: the page has no usable size")
)

// OutsideError says that nothing of the box would be seen.
type OutsideError struct {
	Box                   Box
	PageWidth, PageHeight float64 // in points, as shown
}

func (e *OutsideError) Error() string {
	return fmt.Sprintf("appearance: the box at %g, %g with %g by %g points lies outside the page of %g by %g points",
		e.Box.X, e.Box.Y, e.Box.Width, e.Box.Height, e.PageWidth, e.PageHeight)
}

// visible returns the part of the page that is shown, in user space, with the
// rotation normalised and the unit's size.
func (p Page) visible() (crop [4]float64, rotate int, unit float64, err error) {
	media := normal(p.MediaBox)
	crop = normal(p.CropBox)
	if crop[0] == crop[2] || crop[1] == crop[3] {
		crop = media
	} else if media[0] < media[2] && media[1] < media[3] {
		// A CropBox reaches no further than the MediaBox (ISO 32000-2 14.11.2); one
		// that lies wholly outside counts as absent for readers.
		inner := [4]float64{max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3])}
		if crop = inner; inner[0] >= inner[2] || inner[1] >= inner[3] {
			crop = media
		}
	}
	unit = p.UserUnit
	if unit == 0 {
		unit = 1
	}
	rotate = (p.Rotate%360 + 360) % 360
	if !(crop[2]-crop[0] > 0) || !(crop[3]-crop[1] > 0) || !finite(crop[:]...) || !(unit > 0) || !finite(unit) || rotate%90 != 0 {
		return crop, rotate, unit, ErrPage
	}
	return crop, rotate, unit, nil
}

func normal(b [4]float64) [4]float64 {
	return [4]float64{min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])}
}

func finite(v ...float64) bool {
	for _, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// Size returns the width and height of the page as shown, in points.
func (p Page) Size() (width, height float64, err error) {
	crop, rotate, unit, err := p.visible()
	if err != nil {
		return 0, 0, err
	}
	width, height = (crop[2]-crop[0])*unit, (crop[3]-crop[1])*unit
	if rotate%180 != 0 {
		width, height = height, width
	}
	return width, height, nil
}

// Place puts a box that is given as the viewer sees it.
func (p Page) Place(b Box) (Placement, error) {
	crop, rotate, unit, err := p.visible()
	if err != nil {
		return Placement{}, err
	}
	if !finite(b.X, b.Y, b.Width, b.Height) || !(b.Width > 0) || !(b.Height > 0) {
		return Placement{}, ErrBox
	}
	width, height, err := p.Size()
	if err != nil {
		return Placement{}, err
	}
	bottom := b.Y
	if b.Origin == TopLeft {
		bottom = height - b.Y - b.Height
	}
	// Half a point: numbers that came through millimetres or pixels.
	const slack = 0.5
	if b.X >= width || bottom >= height || b.X+b.Width <= 0 || bottom+b.Height <= 0 {
		return Placement{}, &OutsideError{b, width, height}
	}
	out := Placement{Width: b.Width, Height: b.Height, Rotate: rotate,
		Clipped: b.X < -slack || bottom < -slack || b.X+b.Width > width+slack || bottom+b.Height > height+slack}
	// From the shown page (in units) back into user space.
	x, y, w, h := b.X/unit, bottom/unit, b.Width/unit, b.Height/unit
	switch rotate {
	case 0:
		x, y = crop[0]+x, crop[1]+y
	case 90: // shown x runs up the page, shown y leftwards
		x, y, w, h = crop[2]-y-h, crop[1]+x, h, w
	case 180:
		x, y = crop[2]-x-w, crop[3]-y-h
	case 270:
		x, y, w, h = crop[0]+y, crop[3]-x-w, h, w
	}
	out.Rect = [4]float64{x, y, x + w, y + h}
	return out, nil
}

// PlaceCentred puts a box of width by height points with its centre at a point of
// default user space, such as a glyph found in the page's content.
func (p Page) PlaceCentred(x, y, width, height float64) (Placement, error) {
	sx, sy, err := p.Shown(x, y)
	if err != nil {
		return Placement{}, err
	}
	return p.Place(Box{X: sx - width/2, Y: sy - height/2, Width: width, Height: height})
}

// Shown says where a point of default user space is seen: in points from the
// lower left corner of the shown page.
func (p Page) Shown(x, y float64) (sx, sy float64, err error) {
	crop, rotate, unit, err := p.visible()
	if err != nil {
		return 0, 0, err
	}
	switch rotate {
	case 0:
		sx, sy = x-crop[0], y-crop[1]
	case 90:
		sx, sy = y-crop[1], crop[2]-x
	case 180:
		sx, sy = crop[2]-x, crop[3]-y
	case 270:
		sx, sy = crop[3]-y, x-crop[0]
	}
	return sx * unit, sy * unit, nil
}

// Matrix is the form's Matrix for a page that is shown turned by rotate degrees:
// it turns the appearance the other way (ISO 32000-2 12.5.5).
func Matrix(rotate int) [6]float64 {
	switch (rotate%360 + 360) % 360 {
	case 90:
		return [6]float64{0, 1, -1, 0, 0, 0}
	case 180:
		return [6]float64{-1, 0, 0, -1, 0, 0}
	case 270:
		return [6]float64{0, -1, 1, 0, 0, 0}
	}
	return [6]float64{1, 0, 0, 1, 0, 0}
}
