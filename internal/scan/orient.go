package scan

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"
)

// turn is one of the eight ways to lay an image: mirrored left to right or
// not, then turned clockwise by quarters.
type turn struct {
	mirror   bool
	quarters int
}

// orientations has the turn that shows an image upright for each value of the
// EXIF tag Orientation (CIPA DC-008, 4.6.5.1.6). 0 is no value.
var orientations = [9]turn{
	{}, {}, {mirror: true}, {quarters: 2}, {mirror: true, quarters: 2},
	{mirror: true, quarters: 3}, {quarters: 1}, {mirror: true, quarters: 1}, {quarters: 3},
}

// apply lays src.
func (t turn) apply(src *image.RGBA) *image.RGBA {
	if t == (turn{}) {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if t.quarters%2 == 1 {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range dh {
		for x := range dw {
			sx, sy := x, y
			switch t.quarters {
			case 1:
				sx, sy = y, h-1-x
			case 2:
				sx, sy = w-1-x, h-1-y
			case 3:
				sx, sy = w-1-y, x
			}
			if t.mirror {
				sx = w - 1 - sx
			}
			copy(dst.Pix[y*dst.Stride+x*4:][:4], src.Pix[sy*src.Stride+sx*4:][:4])
		}
	}
	return dst
}

// source returns the pixels of an image in bounds that show as crop once the
// image is laid; all of them for no crop.
func (t turn) source(crop *Rect, bounds image.Rectangle) image.Rectangle {
	if crop == nil {
		return bounds
	}
	c := *crop
	for range t.quarters { // turn back: what is at (x, y) was at (y, 1-x)
		c = Rect{X0: c.Y0, X1: c.Y1, Y0: 1 - c.X1, Y1: 1 - c.X0}
	}
	if t.mirror {
		c.X0, c.X1 = 1-c.X1, 1-c.X0
	}
	at := func(from, size int, f float64) int { return from + int(math.Round(f*float64(size))) }
	w, h := bounds.Dx(), bounds.Dy()
	return image.Rect(
		at(bounds.Min.X, w, c.X0), at(bounds.Min.Y, h, c.Y0),
		at(bounds.Min.X, w, c.X1), at(bounds.Min.Y, h, c.Y1),
	).Intersect(bounds)
}

// exifOrientation returns the Orientation tag (1-8) of a JPEG file, and 1 when
// there is none that can be read.
func exifOrientation(b []byte) int {
	for s := range jpegSegments(b) {
		if s.marker == 0xe1 && bytes.HasPrefix(s.data, []byte("Exif\x00\x00")) {
			return tiffOrientation(s.data[6:])
		}
	}
	return 1
}

// tiffOrientation looks through the first directory (IFD0) of a TIFF block.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const orientation, short = 0x0112, 3
		if order.Uint16(entries) == orientation {
			v := order.Uint16(entries[8:])
			if order.Uint16(entries[2:]) != short || v < 1 || v > 8 {
				return 1
			}
			return int(v)
		}
		entries = entries[12:]
	}
	return 1
}
