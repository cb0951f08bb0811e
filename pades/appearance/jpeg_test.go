package appearance_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
)

// flatJPEG is a baseline JPEG of 8 by 8 pixels of one colour, written by hand:
// component identifiers, samples, and the transform of an Adobe segment (-1: no
// such segment).
func flatJPEG(ids string, values []byte, transform int) []byte {
	var b bytes.Buffer
	segment := func(marker byte, body ...byte) {
		b.Write([]byte{0xFF, marker})
		_ = binary.Write(&b, binary.BigEndian, uint16(len(body)+2))
		b.Write(body)
	}
	b.Write([]byte{0xFF, 0xD8})
	if transform >= 0 {
		segment(0xEE, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(transform))...)
	}
	segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	frame := []byte{8, 0, 8, 0, 8, byte(len(ids))}
	scan := []byte{byte(len(ids))}
	for i := range len(ids) {
		frame = append(frame, ids[i], 0x11, 0)
		scan = append(scan, ids[i], 0)
	}
	segment(0xC0, frame...)
	// Twelve categories of DC in four bits each; AC knows the end of a block only.
	segment(0xC4, append(append([]byte{0x00, 0, 0, 0, 12}, make([]byte, 12)...), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)...)
	segment(0xC4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0)...)
	segment(0xDA, append(scan, 0, 63, 0)...)
	var bits strings.Builder
	for _, v := range values {
		dc := int(v) - 128 // the quantiser of 8 makes the coefficient the mean
		size, n := 0, max(dc, -dc)
		for ; n>>size > 0; size++ {
		}
		if dc < 0 {
			dc += 1<<size - 1
		}
		fmt.Fprintf(&bits, "%04b", size)
		if size > 0 {
			fmt.Fprintf(&bits, "%0*b", size, dc)
		}
		bits.WriteByte('0')
	}
	s := bits.String()
	s += strings.Repeat("1", (8-len(s)%8)%8)
	for ; s != ""; s = s[8:] {
		var v byte
		_, _ = fmt.Sscanf(s[:8], "%b", &v)
		if b.WriteByte(v); v == 0xFF {
			b.WriteByte(0)
		}
	}
	b.Write([]byte{0xFF, 0xD9})
	return b.Bytes()
}

// built is a form and the objects that it refers to.
type built struct {
	file testFile
	form *pdf.Stream
}

func build(t testing.TB, spec appearance.Spec) *built {
	t.Helper()
	var b built
	form, err := appearance.Build(spec, b.file.add)
	if err != nil {
		t.Fatal(err)
	}
	b.form = form
	return &b
}

// images are the image XObjects.
func (b *built) images() []*pdf.Stream {
	var list []*pdf.Stream
	for _, o := range b.file.objects {
		if s, ok := o.(*pdf.Stream); ok && s.Dict.Get("Subtype") == pdf.Name("Image") {
			list = append(list, s)
		}
	}
	return list
}

// seen draws the form on a page of its size at two pixels a point.
func (b *built) seen(t testing.TB, spec appearance.Spec) image.Image {
	t.Helper()
	page := appearance.Page{MediaBox: [4]float64{0, 0, spec.Width, spec.Height}}
	return render(t, b.file.save(t, page, stamp{b.form, page.MediaBox}), 144)
}

func near(c color.Color, want color.NRGBA) bool {
	r, g, b, _ := c.RGBA()
	d := func(a uint32, b uint8) int { return max(int(a>>8)-int(b), int(b)-int(a>>8)) }
	return d(r, want.R) <= 12 && d(g, want.G) <= 12 && d(b, want.B) <= 12
}

// TestJPEGColours: every kind of JPEG that is taken shows its colour.
func TestJPEGColours(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file        []byte
		want        color.NRGBA
		passed      bool // through, as a JPEG
		colourSpace pdf.Name
	}{
		"grey":                  {flatJPEG("\x01", []byte{90}, -1), color.NRGBA{90, 90, 90, 255}, true, "DeviceGray"},
		"YCbCr":                 {flatJPEG("\x01\x02\x03", []byte{76, 85, 255}, -1), color.NRGBA{254, 0, 0, 255}, true, "DeviceRGB"},
		"RGB by names":          {flatJPEG("RGB", []byte{20, 160, 60}, -1), color.NRGBA{20, 160, 60, 255}, true, "DeviceRGB"},
		"RGB by Adobe":          {flatJPEG("\x01\x02\x03", []byte{20, 160, 60}, 0), color.NRGBA{20, 160, 60, 255}, true, "DeviceRGB"},
		"YCbCr by Adobe":        {flatJPEG("\x01\x02\x03", []byte{76, 85, 255}, 1), color.NRGBA{254, 0, 0, 255}, true, "DeviceRGB"},
		"CMYK, as Adobe writes": {flatJPEG("\x01\x02\x03\x04", []byte{255, 40, 40, 255}, 0), color.NRGBA{255, 40, 40, 255}, false, "DeviceRGB"},
		"YCCK":                  {flatJPEG("\x01\x02\x03\x04", []byte{128, 128, 128, 255}, 2), color.NRGBA{128, 128, 128, 255}, false, "DeviceGray"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := appearance.Spec{Width: 40, Height: 40, Image: c.file, Padding: -1}
			b := build(t, spec)
			i := b.images()[0]
			if passed := i.Dict.Get("Filter") == pdf.Name("DCTDecode"); passed != c.passed || i.Dict.Get("ColorSpace") != c.colourSpace {
				t.Errorf("passed through %v, in %v", passed, i.Dict.Get("ColorSpace"))
			}
			if got := b.seen(t, spec).At(40, 40); !near(got, c.want) {
				t.Errorf("it shows %v, want %v", got, c.want)
			}
		})
	}
}

// withExif puts an Exif segment with an orientation behind the start of a JPEG.
func withExif(file []byte, orientation uint16, order binary.AppendByteOrder) []byte {
	mark := "II*\x00"
	if order.String() == "BigEndian" {
		mark = "MM\x00*"
	}
	tiff := order.AppendUint32([]byte(mark), 8)
	tiff = order.AppendUint16(tiff, 2)
	entry := func(tag, value uint16) {
		tiff = order.AppendUint16(tiff, tag)
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, value)
		tiff = order.AppendUint16(tiff, 0)
	}
	entry(0x0100, 7)
	entry(0x0112, orientation)
	body := append([]byte("Exif\x00\x00"), tiff...)
	body = append(body, "RUMAH"...)
	out := append([]byte{}, file[:2]...)
	out = append(out, 0xFF, 0xE1, byte((len(body)+2)>>8), byte(len(body)+2))
	return append(append(out, body...), file[2:]...)
}

// turned lays an upright image as a camera with that orientation stores it.
func turned(m *image.NRGBA, orientation int) image.Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		out = image.NewNRGBA(image.Rect(0, 0, h, w))
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			// Where the stored pixel is seen (Exif 2.32, 4.6.5.1.6).
			at := [...][2]int{{x, y}, {w - 1 - x, y}, {w - 1 - x, h - 1 - y}, {x, h - 1 - y}, {y, x}, {w - 1 - y, x}, {w - 1 - y, h - 1 - x}, {y, h - 1 - x}}[orientation-1]
			out.Set(x, y, m.At(at[0], at[1]))
		}
	}
	return out
}

// TestJPEGOrientation: all eight ways of holding a camera show the same.
func TestJPEGOrientation(t *testing.T) {
	t.Parallel()
	upright := quarters(160, 96)
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, turned(upright, o), &jpeg.Options{Quality: 95}); err != nil {
				t.Fatal(err)
			}
			spec := appearance.Spec{Width: 80, Height: 48, Image: withExif(b.Bytes(), uint16(o), order), Padding: -1}
			made := build(t, spec)
			if data := made.images()[0].Data; bytes.Contains(data, []byte("Exif")) || bytes.Contains(data, []byte("RUMAH")) {
				t.Errorf("orientation %d: what the camera wrote is in the document", o)
			}
			m := made.seen(t, spec)
			if p := patch(m, 144, 0, 0, 80, 48); p != "RGBK" {
				t.Errorf("orientation %d, %v: the quarters are %s", o, order, p)
			}
		}
	}
}

func TestImagesRefused(t *testing.T) {
	t.Parallel()
	good := pngOf(t, quarters(20, 20))
	twelve := flatJPEG("\x01", []byte{90}, -1)
	twelve[bytes.IndexByte(twelve, 0xC0)+3] = 12
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[16:], 20000)
	for name, file := range map[string][]byte{
		"no image":           []byte("GIF89a and more"),
		"head of a PNG":      good[:8],
		"half a PNG":         good[:len(good)/2],
		"wide PNG":           huge,
		"head of a JPEG":     {0xFF, 0xD8, 0xFF},
		"half a JPEG":        flatJPEG("\x01\x02\x03", []byte{9, 9, 9}, -1)[:90],
		"JPEG of 12 bits":    twelve,
		"two components":     flatJPEG("\x01\x02", []byte{9, 9}, -1),
		"CMYK without Adobe": flatJPEG("\x01\x02\x03\x04", []byte{1, 2, 3, 4}, -1),
		"more than 16 MiB":   append(bytes.Clone(good), make([]byte, 16<<20)...),
	} {
		for _, spec := range []appearance.Spec{{Width: 40, Height: 40, Image: file}, {Width: 80, Height: 80, QR: "x", Logo: file}} {
			var f testFile
			var refused *appearance.ImageError
			if _, err := appearance.Build(spec, f.add); !errors.As(err, &refused) || refused.Text == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
