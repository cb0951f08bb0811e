package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"runtime"
	"strings"
	"testing"
)

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func wantCode(t *testing.T, err error, want Code) {
	t.Helper()
	if codeOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func hintCodes(r Result) string {
	var list []string
	for _, h := range r.Hints {
		list = append(list, string(h.Code))
	}
	return strings.Join(list, " ")
}

func mustProcess(t *testing.T, in Input) Result {
	t.Helper()
	r, err := process(in, standard)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestImageResult(t *testing.T) {
	t.Parallel()
	up := jpegOf(t, drawn(3000, 1500))
	r := mustProcess(t, Input{Kind: IDCard, Bytes: up})
	if r.MediaType != JPEG || r.Width != MaxSide || r.Height != MaxSide/2 || r.Pages != 1 || bytes.Equal(r.Bytes, up) {
		t.Errorf("stored %s %dx%d, %d pages", r.MediaType, r.Width, r.Height, r.Pages)
	}
	for _, c := range []struct {
		b    []byte
		w, h int
	}{{r.Bytes, 2600, 1300}, {r.Preview, 1280, 640}, {r.Thumb, 320, 160}} {
		if b := decoded(t, c.b).Bounds(); b.Dx() != c.w || b.Dy() != c.h {
			t.Errorf("%v, want %dx%d", b, c.w, c.h)
		}
	}
	if r.Quality.MinSide != 1500 || hintCodes(r) != "" {
		t.Errorf("quality %+v, hints %s", r.Quality, hintCodes(r))
	}
}

// U1: an image that would unpack to gigabytes is refused by its head.
func TestPixelFlood(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes a file of 900 megapixels")
	}
	flood := floodPNG(t, 30000)
	if len(flood) > MaxBytes {
		t.Fatalf("the sample has %d bytes", len(flood))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := decodeImage(flood, PNG, standard)
	runtime.ReadMemStats(&after)
	wantCode(t, err, TooManyPixels)
	_, err = process(Input{Kind: IDCard, Bytes: flood}, standard)
	wantCode(t, err, TooManyPixels)
	// Other tests allocate at the same time; unpacking would take 112 MB at
	// one bit a pixel and 3.6 GB as RGBA.
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 100<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

func TestImageLimits(t *testing.T) {
	t.Parallel()
	small := limits{pixels: 100 * 100, pages: 10, stream: 1 << 20, unpack: 1 << 20, objects: 100}
	for _, c := range []struct {
		w, h int
		want Code
	}{{100, 100, ""}, {101, 100, TooManyPixels}, {16, 16, ""}, {15, 100, TooFewPixels}, {100, 15, TooFewPixels}} {
		_, err := process(Input{Kind: IDCard, Bytes: pngOf(t, drawn(c.w, c.h))}, small)
		wantCode(t, err, c.want)
	}
	good := jpegOf(t, drawn(300, 200))
	for _, b := range [][]byte{good[:len(good)/2], good[:10], good[:3], pngOf(t, drawn(50, 50))[:60]} {
		_, err := process(Input{Kind: IDCard, Bytes: b}, standard)
		wantCode(t, err, Damaged)
	}
}

// U3: nothing of EXIF, GPS, thumbnail and comment is stored.
func TestMetadataIsStripped(t *testing.T) {
	t.Parallel()
	up := withEXIF(t, jpegOf(t, drawn(800, 600)), 1, binary.LittleEndian)
	if bytes.Count(up, []byte(secretWords)) != 3 {
		t.Fatal("the sample lacks its metadata")
	}
	r := mustProcess(t, Input{Kind: IDCard, Bytes: up})
	for _, b := range [][]byte{r.Bytes, r.Preview, r.Thumb} {
		for _, trace := range []string{"Exif", secretWords, "thumbnail", "II*\x00"} {
			if bytes.Contains(b, []byte(trace)) {
				t.Errorf("%q is stored", trace)
			}
		}
		for s := range jpegSegments(b) {
			if s.marker >= 0xe1 && s.marker <= 0xef || s.marker == 0xfe {
				t.Errorf("segment %x is stored", s.marker)
			}
		}
	}
}

// The eight orientations show the same picture upright.
func TestOrientation(t *testing.T) {
	t.Parallel()
	upright := quarterColours(160, 80)
	for o := 1; o <= 8; o++ {
		// The file holds the picture laid back.
		back := orientations[o]
		var laid *image.RGBA
		for q := range 4 {
			for _, mirror := range []bool{false, true} {
				c := turn{mirror, q}.apply(upright)
				again := back.apply(c)
				if again.Rect == upright.Rect && bytes.Equal(again.Pix, upright.Pix) {
					laid = c
				}
			}
		}
		if laid == nil {
			t.Fatalf("orientation %d has no inverse", o)
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			up := withEXIF(t, jpegOf(t, laid), uint16(o), order)
			if got := exifOrientation(up); got != o {
				t.Fatalf("orientation %d read as %d", o, got)
			}
			r := mustProcess(t, Input{Kind: IDCard, Bytes: up})
			if got := corners(decoded(t, r.Bytes)); r.Width != 160 || got != "RGBW" {
				t.Errorf("orientation %d shows %s, %d wide", o, got, r.Width)
			}
		}
	}
	// What the standard says the values mean, for an image stored as it is.
	for o, want := range map[int]string{
		1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB",
	} {
		if got := corners(orientations[o].apply(upright)); got != want {
			t.Errorf("orientation %d turns RGBW into %s, want %s", o, got, want)
		}
	}
}

func TestTIFFOrientationOfJunk(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "II*\x00", "II*\x00\xff\xff\xff\xff", "XX*\x00\x08\x00\x00\x00\x01\x00", "II*\x00\x08\x00\x00\x00\xff\xff",
		"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x09\x00\x00\x00",
		"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x04\x00\x01\x00\x00\x00\x06\x00\x00\x00",
	} {
		if got := tiffOrientation([]byte(s)); got != 1 {
			t.Errorf("%q has orientation %d", s, got)
		}
	}
}

func TestRotateAndCrop(t *testing.T) {
	t.Parallel()
	plain := pngOf(t, quarterColours(400, 200))
	turned := withEXIF(t, jpegOf(t, quarterColours(400, 200)), 6, binary.LittleEndian)
	mirrored := withEXIF(t, jpegOf(t, quarterColours(400, 200)), 5, binary.LittleEndian)
	half := func(x0, y0, x1, y1 float64) *Rect { return &Rect{x0, y0, x1, y1} }
	for _, c := range []struct {
		name   string
		up     []byte
		rotate int
		crop   *Rect
		w, h   int
		want   string
	}{
		{"as it is", plain, 0, nil, 400, 200, "RGBW"},
		{"quarter", plain, 90, nil, 200, 400, "BRWG"},
		{"half", plain, 180, nil, 400, 200, "WBGR"},
		{"three quarters", plain, 270, nil, 200, 400, "GWRB"},
		{"left half", plain, 0, half(0, 0, .5, 1), 200, 200, "RRBB"},
		{"left half of what is seen", plain, 90, half(0, 0, .5, 1), 100, 400, "BBRR"},
		{"top half of what is seen", plain, 90, half(0, 0, 1, .5), 200, 200, "BRBR"},
		{"upside down, top half", plain, 180, half(0, 0, 1, .5), 400, 100, "WBWB"},
		{"EXIF", turned, 0, nil, 200, 400, "BRWG"},
		{"EXIF and quarter back", turned, 270, nil, 400, 200, "RGBW"},
		{"EXIF and left half", turned, 0, half(0, 0, .5, 1), 100, 400, ""},
		{"EXIF mirrored, left half", mirrored, 0, half(0, 0, .5, 1), 100, 400, "RRGG"},
		{"EXIF mirrored, quarter, right half", mirrored, 90, half(.5, 0, 1, 1), 200, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Kind: IDCard, Bytes: c.up, Rotate: c.rotate, Crop: c.crop}
			r := mustProcess(t, in)
			whole := mustProcess(t, Input{Kind: IDCard, Bytes: c.up, Rotate: c.rotate})
			got := corners(decoded(t, r.Bytes))
			if r.Width != c.w || r.Height != c.h {
				t.Errorf("%dx%d, want %dx%d", r.Width, r.Height, c.w, c.h)
			}
			if c.crop == nil && got != c.want {
				t.Errorf("shows %s, want %s", got, c.want)
			}
			if c.crop != nil {
				// What a crop keeps is what was seen there before.
				img := decoded(t, whole.Bytes)
				b := img.Bounds()
				part := image.Rect(int(c.crop.X0*float64(b.Dx())), int(c.crop.Y0*float64(b.Dy())),
					int(c.crop.X1*float64(b.Dx())), int(c.crop.Y1*float64(b.Dy())))
				seen := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
				draw.Draw(seen, seen.Rect, img, part.Min, draw.Src)
				if want := corners(seen); got != want {
					t.Errorf("shows %s, but there was %s", got, want)
				}
			}
		})
	}
	nan := 0.0
	for _, in := range []Input{
		{Rotate: 45}, {Rotate: -90}, {Rotate: 360}, {Crop: half(0, 0, 0, 1)}, {Crop: half(.5, 0, .4, 1)},
		{Crop: half(-.1, 0, 1, 1)}, {Crop: half(0, 0, 1, 1.1)}, {Crop: half(0, nan/nan, 1, 1)}, {Crop: half(0, 0, .01, .01)},
	} {
		in.Kind, in.Bytes = IDCard, plain
		_, err := process(in, standard)
		wantCode(t, err, BadCrop)
	}
}

// A specimen keeps its transparent ground; everything else stands on white.
func TestAlpha(t *testing.T) {
	t.Parallel()
	img := image.NewNRGBA(image.Rect(0, 0, 400, 200))
	draw.Draw(img, image.Rect(100, 90, 300, 110), image.NewUniform(color.NRGBA{0, 0, 120, 255}), image.Point{}, draw.Src)
	up := pngOf(t, img)
	r := mustProcess(t, Input{Kind: Specimen, Bytes: up})
	if r.MediaType != PNG {
		t.Fatalf("stored as %s", r.MediaType)
	}
	if _, _, _, a := decoded(t, r.Bytes).At(5, 5).RGBA(); a != 0 {
		t.Error("the ground is no longer transparent")
	}
	for _, b := range [][]byte{r.Thumb, mustProcess(t, Input{Kind: IDCard, Bytes: up}).Bytes} {
		if c, _, _, _ := decoded(t, b).At(5, 5).RGBA(); c < 0xf000 {
			t.Error("the ground is not white")
		}
	}
	if r := mustProcess(t, Input{Kind: Specimen, Bytes: jpegOf(t, drawn(400, 200))}); r.MediaType != JPEG {
		t.Errorf("a specimen photographed is stored as %s", r.MediaType)
	}
}

func TestQuality(t *testing.T) {
	t.Parallel()
	card, page := drawn(1010, 640), drawn(1654, 2339)
	blank := image.NewRGBA(image.Rect(0, 0, 1000, 800))
	draw.Draw(blank, blank.Rect, image.White, image.Point{}, draw.Src)
	for _, c := range []struct {
		name string
		kind Kind
		img  image.Image
		want string
	}{
		{"card", IDCard, card, ""},
		{"page", Recommendation, page, ""},
		{"slightly soft card", IDCard, blurred(card, 1), ""},
		{"blurred card", IDCard, blurred(card, 4), "scan_blurred"},
		{"blurred page", Recommendation, blurred(page, 8), "scan_blurred"},
		{"dark card", IDCard, darkened(card, .3), "scan_dark"},
		{"dim card", IDCard, darkened(card, .6), ""},
		{"small card", IDCard, drawn(500, 320), "scan_too_small"},
		{"small page", Recommendation, drawn(500, 700), "scan_too_small"},
		{"blank page", Recommendation, blank, "scan_blank"},
		{"signature", Specimen, drawn(400, 200), ""},
		{"small signature", Specimen, drawn(200, 100), "scan_too_small"},
	} {
		r := mustProcess(t, Input{Kind: c.kind, Bytes: jpegOf(t, c.img)})
		if got := hintCodes(r); got != c.want {
			t.Errorf("%s: %q, want %q (%+v)", c.name, got, c.want, r.Quality)
		}
		t.Logf("%s: %+v", c.name, r.Quality)
	}
}

// Every colour model of the decoders is read rightly.
func TestShrinkModels(t *testing.T) {
	t.Parallel()
	src := quarterColours(100, 60)
	for _, img := range []draw.Image{
		image.NewNRGBA(src.Rect), image.NewRGBA64(src.Rect), image.NewNRGBA64(src.Rect),
		image.NewPaletted(src.Rect, color.Palette{color.White, color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}}),
		image.NewCMYK(src.Rect),
	} {
		draw.Draw(img, src.Rect, src, image.Point{}, draw.Src)
		if small := shrink(img, img.Bounds(), 10); corners(small) != "RGBW" || small.Rect.Dx() != 10 || small.Rect.Dy() != 6 {
			t.Errorf("%T: %s in %v", img, corners(small), small.Rect)
		}
	}
	one := shrink(src, src.Rect, 1).Pix
	if one[0] < 126 || one[0] > 129 || one[3] != 255 {
		t.Errorf("the mean of all is %v", one)
	}
}
