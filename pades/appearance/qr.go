package appearance

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// quietZone is the margin around a code, in modules (ISO/IEC 18004 5.3.8).
const quietZone = 4

// code is a QR code.
type code struct {
	size int // modules a side
	dark []bool
}

func (c *code) at(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.size && y < c.size && c.dark[y*c.size+x]
}

// encodeQR encodes text in the mode that makes the code smallest.
func encodeQR(text string, level Level) (*code, error) {
	levels := map[Level]qr.ErrorCorrectionLevel{LevelL: qr.L, LevelM: qr.M, LevelQ: qr.Q, LevelH: qr.H}
	l, ok := levels[level]
	if !ok {
		return nil, &QRError{fmt.Sprintf("there is no level %d", level)}
	}
	var b barcode.Barcode
	err := fmt.Errorf("no mode fits")
	// The modes by the size of what they make. Numeric and alphanumeric refuse
	// texts with other characters.
	for _, mode := range []qr.Encoding{qr.Numeric, qr.AlphaNumeric, qr.Unicode} {
		if b, err = qr.Encode(text, l, mode); err == nil {
			break
		}
	}
	if err != nil {
		return nil, &QRError{fmt.Sprintf("%d bytes of text do not fit", len(text))}
	}
	size := b.Bounds().Dx()
	c := &code{size: size, dark: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			r, _, _, _ := b.At(x, y).RGBA()
			c.dark[y*size+x] = r < 0x8000
		}
	}
	return c, nil
}

// clear makes the modules light over which a logo lies, a square in the middle of
// the given number of modules.
func (c *code) clear(modules int) {
	from := (c.size - modules) / 2
	for y := from; y < from+modules; y++ {
		for x := from; x < from+modules; x++ {
			c.dark[y*c.size+x] = false
		}
	}
}

// logoModules is how many modules a side a logo may take: an odd number like the
// code's, less than a quarter of the side, which is 6 % of the area of which
// level H restores 30 %.
func (c *code) logoModules() int {
	n := c.size * 24 / 100
	if n%2 == 0 {
		n--
	}
	return n
}

// path writes the dark modules as rectangles, in modules from the lower left
// corner of the quiet zone. Each rectangle is as wide and then as high as it can
// be, so that there are few.
func (c *code) path(b *strings.Builder) {
	done := make([]bool, len(c.dark))
	open := func(x, y int) bool { return c.at(x, y) && !done[y*c.size+x] }
	for y := range c.size {
		for x := range c.size {
			if !open(x, y) {
				continue
			}
			w, h := 1, 1
			for open(x+w, y) {
				w++
			}
			if !open(x+1, y) {
				for open(x, y+h) && !open(x-1, y+h) && !open(x+1, y+h) {
					h++
				}
			} else {
				for full := true; full; {
					for i := range w {
						full = full && open(x+i, y+h)
					}
					if full = full && !open(x-1, y+h) && !open(x+w, y+h); full {
						h++
					}
				}
			}
			for j := range h {
				for i := range w {
					done[(y+j)*c.size+x+i] = true
				}
			}
			fmt.Fprintf(b, "%d %d %d %d re\n", quietZone+x, quietZone+c.size-y-h, w, h)
		}
	}
}
