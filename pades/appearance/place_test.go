package appearance_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"absah/pades/appearance"
)

// Colours of the quarters of quarters, as letters.
var quarterColours = map[byte]color.NRGBA{
	'R': {255, 0, 0, 255}, 'G': {0, 160, 0, 255}, 'B': {0, 0, 255, 255}, 'K': {0, 0, 0, 255},
}

// quarters is an image whose quarters are red and green above, blue and black
// below.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, c := range []byte("RGBK") {
		at := image.Pt(i%2*w/2, i/2*h/2)
		draw.Draw(m, image.Rectangle{at, at.Add(image.Pt(w/2, h/2))}, image.NewUniform(quarterColours[c]), image.Point{}, draw.Src)
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// named returns the letter of a colour that is near one of quarterColours.
func named(c color.Color) byte {
	r, g, b, _ := c.RGBA()
	best, name := 60.0, byte('?')
	for n, q := range quarterColours {
		d := math.Sqrt(math.Pow(float64(r>>8)-float64(q.R), 2) + math.Pow(float64(g>>8)-float64(q.G), 2) + math.Pow(float64(b>>8)-float64(q.B), 2))
		if d < best {
			best, name = d, n
		}
	}
	return name
}

// patch tells the colours in the middle of the quarters of a part of m, in points
// from the top left corner.
func patch(m image.Image, dpi int, left, top, right, bottom float64) string {
	var s strings.Builder
	f := float64(dpi) / 72
	for _, at := range [][2]float64{{.25, .25}, {.75, .25}, {.25, .75}, {.75, .75}} {
		s.WriteByte(named(m.At(int((left+(right-left)*at[0])*f), int((top+(bottom-top)*at[1])*f))))
	}
	return s.String()
}

// renderTrue draws the page at its true size, UserUnit included.
func renderTrue(t testing.TB, file string, dpi int) image.Image {
	t.Helper()
	out := strings.TrimSuffix(file, ".pdf") + ".true.png"
	run(t, "mutool", "draw", "-q", "-r", strconv.Itoa(dpi), "-o", out, file)
	r, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := png.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// coloured is the box of everything that is not white, in points.
func coloured(m image.Image, dpi int) (left, top, right, bottom float64) {
	b := m.Bounds()
	x0, y0, x1, y1 := b.Max.X, b.Max.Y, -1, -1
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, g, bl, _ := m.At(x, y).RGBA(); r < 0x7000 || g < 0x7000 || bl < 0x7000 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	f := 72 / float64(dpi)
	return float64(x0) * f, float64(y0) * f, float64(x1) * f, float64(y1) * f
}

// TestPlaceIsSeen: a box comes to lie where the viewer of the page sees it, and
// upright, whatever the page's rotation, cropping and unit.
func TestPlaceIsSeen(t *testing.T) {
	t.Parallel()
	const dpi = 144
	picture := pngOf(t, quarters(240, 100))
	pages := map[string]appearance.Page{
		"plain":            {MediaBox: [4]float64{0, 0, 300, 400}},
		"offset":           {MediaBox: [4]float64{-50, 1000, 250, 1400}},
		"cropped":          {MediaBox: [4]float64{0, 0, 600, 800}, CropBox: [4]float64{100, 150, 400, 650}},
		"crop beyond":      {MediaBox: [4]float64{10, 20, 310, 420}, CropBox: [4]float64{-500, -500, 900, 900}},
		"corners swapped":  {MediaBox: [4]float64{300, 400, 0, 0}},
		"unit":             {MediaBox: [4]float64{0, 0, 150, 200}, UserUnit: 2},
		"unit and cropped": {MediaBox: [4]float64{0, 0, 300, 400}, CropBox: [4]float64{40, 50, 190, 250}, UserUnit: 2},
	}
	for name, page := range pages {
		for _, rotate := range []int{0, 90, 180, 270, -90} {
			for _, origin := range []appearance.Origin{appearance.BottomLeft, appearance.TopLeft} {
				page := page
				page.Rotate = rotate
				t.Run(fmt.Sprintf("%s/%d/%d", name, rotate, origin), func(t *testing.T) {
					t.Parallel()
					box := appearance.Box{X: 20, Y: 30, Width: 120, Height: 50, Origin: origin}
					place, err := page.Place(box)
					if err != nil {
						t.Fatal(err)
					}
					_, height, err := page.Size()
					if err != nil {
						t.Fatal(err)
					}
					var f testFile
					form, err := appearance.Build(appearance.Spec{Width: place.Width, Height: place.Height, Rotate: place.Rotate, Image: picture, Padding: -1}, f.add)
					if err != nil {
						t.Fatal(err)
					}
					m := renderTrue(t, f.save(t, page, stamp{form, place.Rect}), dpi)
					top := height - 30 - 50
					if origin == appearance.TopLeft {
						top = 30
					}
					want := [4]float64{20, top, 140, top + 50}
					var got [4]float64
					got[0], got[1], got[2], got[3] = coloured(m, dpi)
					for i := range got {
						if math.Abs(got[i]-want[i]) > 1 {
							t.Fatalf("ink at %.1f, want %.1f, on a page of %v", got, want, m.Bounds())
						}
					}
					if p := patch(m, dpi, want[0], want[1], want[2], want[3]); p != "RGBK" {
						t.Errorf("the quarters are %s", p)
					}
				})
			}
		}
	}
}

// TestPlaceCentred: the middle of the box comes over a point of user space.
func TestPlaceCentred(t *testing.T) {
	t.Parallel()
	for _, rotate := range []int{0, 90, 180, 270} {
		page := appearance.Page{MediaBox: [4]float64{0, 0, 600, 800}, CropBox: [4]float64{100, 150, 500, 700}, Rotate: rotate, UserUnit: 1.5}
		place, err := page.PlaceCentred(333, 444, 90, 30)
		if err != nil {
			t.Fatal(err)
		}
		x, y := (place.Rect[0]+place.Rect[2])/2, (place.Rect[1]+place.Rect[3])/2
		if math.Abs(x-333) > 1e-9 || math.Abs(y-444) > 1e-9 {
			t.Errorf("turned by %d: centre at %v, %v", rotate, x, y)
		}
		w, h := place.Rect[2]-place.Rect[0], place.Rect[3]-place.Rect[1]
		if rotate%180 != 0 {
			w, h = h, w
		}
		if math.Abs(w-60) > 1e-9 || math.Abs(h-20) > 1e-9 {
			t.Errorf("turned by %d: %v by %v units", rotate, w, h)
		}
	}
}

func TestPlaceRefuses(t *testing.T) {
	t.Parallel()
	page := appearance.Page{MediaBox: [4]float64{0, 0, 300, 400}}
	good := appearance.Box{X: 1, Y: 1, Width: 10, Height: 10}
	for name, c := range map[string]struct {
		page appearance.Page
		box  appearance.Box
		want error
	}{
		"no width":        {page, appearance.Box{Height: 10}, appearance.ErrBox},
		"negative":        {page, appearance.Box{Width: -10, Height: 10}, appearance.ErrBox},
		"no number":       {page, appearance.Box{X: math.NaN(), Width: 10, Height: 10}, appearance.ErrBox},
		"infinite":        {page, appearance.Box{Width: math.Inf(1), Height: 10}, appearance.ErrBox},
		"page of no area": {appearance.Page{MediaBox: [4]float64{5, 5, 5, 100}}, good, appearance.ErrPage},
		"odd rotation":    {appearance.Page{MediaBox: page.MediaBox, Rotate: 45}, good, appearance.ErrPage},
		"negative unit":   {appearance.Page{MediaBox: page.MediaBox, UserUnit: -1}, good, appearance.ErrPage},
	} {
		if _, err := c.page.Place(c.box); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, b := range []appearance.Box{
		{X: 300, Y: 0, Width: 10, Height: 10}, {X: -10, Y: 0, Width: 10, Height: 10}, {X: 0, Y: 400, Width: 10, Height: 10},
		{X: 0, Y: 400, Width: 10, Height: 10, Origin: appearance.TopLeft}, {X: 0, Y: -10, Width: 10, Height: 10},
	} {
		var outside *appearance.OutsideError
		if _, err := page.Place(b); !errors.As(err, &outside) || outside.PageWidth != 300 {
			t.Errorf("%v: %v", b, err)
		}
	}
	for x, clipped := range map[float64]bool{0: false, -0.4: false, -3: true, 290.4: false, 295: true} {
		p, err := page.Place(appearance.Box{X: x, Y: 1, Width: 10, Height: 10})
		if err != nil || p.Clipped != clipped {
			t.Errorf("x %v: clipped %v, %v", x, p.Clipped, err)
		}
	}
}
