package appearance_test

import (
	"bytes"
	"compress/zlib"
	"image"
	"image/color"
	"io"
	"regexp"
	"sync"
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
)

// translucent is red at the left, by half, and nothing at the right.
func translucent() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 20 {
			m.SetNRGBA(x, y, color.NRGBA{255, 0, 0, 128})
		}
	}
	return m
}

// TestAlpha: a transparent image lets what is below show, but for PDF/A-1, which
// knows no transparency and gets it on white.
func TestAlpha(t *testing.T) {
	t.Parallel()
	for conformance, masked := range map[appearance.Conformance]bool{appearance.AnyPDF: true, appearance.PDFA: true, appearance.PDFA1: false} {
		spec := appearance.Spec{Width: 40, Height: 40, Image: pngOf(t, translucent()), Padding: -1, Conformance: conformance}
		b := build(t, spec)
		masks := 0
		for _, i := range b.images() {
			if i.Dict.Has("SMask") {
				masks++
			}
		}
		if (masks == 1) != masked {
			t.Errorf("conformance %d: %d masks", conformance, masks)
		}
		m := b.seen(t, spec)
		if got := m.At(20, 40); !near(got, color.NRGBA{255, 127, 127, 255}) {
			t.Errorf("conformance %d: half of red shows as %v", conformance, got)
		}
		if got := m.At(60, 40); !near(got, color.NRGBA{255, 255, 255, 255}) {
			t.Errorf("conformance %d: nothing shows as %v", conformance, got)
		}
	}
	// What is below: the same over a dark page.
	spec := appearance.Spec{Width: 40, Height: 40, Image: pngOf(t, translucent()), Padding: -1}
	below := build(t, appearance.Spec{Width: 40, Height: 40, Padding: -1, Image: pngOf(t, image.NewNRGBA(image.Rect(0, 0, 1, 1)))})
	dark := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	for i := range dark.Pix {
		dark.Pix[i] = []uint8{0, 0, 255, 255}[i%4]
	}
	form, err := appearance.Build(appearance.Spec{Width: 40, Height: 40, Image: pngOf(t, dark), Padding: -1}, below.file.add)
	if err != nil {
		t.Fatal(err)
	}
	over, err := appearance.Build(spec, below.file.add)
	if err != nil {
		t.Fatal(err)
	}
	page := appearance.Page{MediaBox: [4]float64{0, 0, 40, 40}}
	m := render(t, below.file.save(t, page, stamp{form, page.MediaBox}, stamp{over, page.MediaBox}), 144)
	if got := m.At(60, 40); !near(got, color.NRGBA{0, 0, 255, 255}) {
		t.Errorf("blue below nothing shows as %v", got)
	}
	if got := m.At(20, 40); !near(got, color.NRGBA{128, 0, 127, 255}) {
		t.Errorf("blue below half of red shows as %v", got)
	}
}

// TestOpaque: an opaque box hides what is below, another does not.
func TestOpaque(t *testing.T) {
	t.Parallel()
	for _, opaque := range []bool{true, false} {
		var f testFile
		below, err := appearance.Build(appearance.Spec{Width: 60, Height: 30, Image: pngOf(t, quarters(60, 30)), Padding: -1}, f.add)
		if err != nil {
			t.Fatal(err)
		}
		over, err := appearance.Build(appearance.Spec{Width: 60, Height: 30, Lines: []appearance.Line{{Text: "x"}}, Opaque: opaque}, f.add)
		if err != nil {
			t.Fatal(err)
		}
		page := appearance.Page{MediaBox: [4]float64{0, 0, 60, 30}}
		m := render(t, f.save(t, page, stamp{below, page.MediaBox}, stamp{over, page.MediaBox}), 144)
		want := byte('R')
		if opaque {
			want = '?'
		}
		if got := named(m.At(4, 4)); got != want {
			t.Errorf("opaque %v: the corner is %c", opaque, got)
		}
	}
}

// TestBackground: the image fills the box, and the text stands over it.
func TestBackground(t *testing.T) {
	t.Parallel()
	spec := appearance.Spec{Width: 200, Height: 80, Image: pngOf(t, quarters(400, 160)), Arrangement: appearance.Background,
		Lines: []appearance.Line{{Role: appearance.Name, Text: "MMMMMMMM"}}, TextColor: appearance.Color{1, 1, 1}, Padding: -1}
	b := build(t, spec)
	m := b.seen(t, spec)
	if p := patch(m, 144, 0, 0, 200, 10); p[0] != 'R' || p[1] != 'G' {
		t.Errorf("above the background is %s", p)
	}
	if p := patch(m, 144, 0, 75, 200, 80); p[2] != 'B' || p[3] != 'K' {
		t.Errorf("below the background is %s", p)
	}
	white := 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r, g, bl, _ := m.At(x, y).RGBA(); r > 0xf000 && g > 0xf000 && bl > 0xf000 {
				white++
			}
		}
	}
	if white < 300 {
		t.Errorf("%d pixels of white text are seen", white)
	}
}

// content is the form's content stream.
func (b *built) content(t testing.TB) string {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(b.form.Data))
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// everything is a spec that uses all there is.
func everything(t testing.TB, c appearance.Conformance) appearance.Spec {
	t.Helper()
	return appearance.Spec{
		Width: 240, Height: 100, Lines: letter.Lines(), Image: pngOf(t, translucent()), QR: "https://absah.example/v/1", Logo: pngOf(t, quarters(20, 20)),
		Border: 1, BorderColor: appearance.Color{.5, .6, .7}, TextColor: appearance.Color{.1, .1, .4}, Opaque: true, Arrangement: appearance.Background, Conformance: c,
	}
}

// TestArchivedColours: in a file that claims PDF/A no colour hangs on the device.
func TestArchivedColours(t *testing.T) {
	t.Parallel()
	device := regexp.MustCompile(`(^|\s)(g|G|rg|RG|k|K)(\s|$)`)
	var spaces func(o pdf.Object) []pdf.Name
	spaces = func(o pdf.Object) (found []pdf.Name) {
		switch o := o.(type) {
		case pdf.Name:
			return []pdf.Name{o}
		case pdf.Array:
			for _, e := range o {
				found = append(found, spaces(e)...)
			}
		case pdf.Dict:
			for _, e := range o {
				found = append(found, spaces(e.Value)...)
			}
		}
		return found
	}
	for _, c := range []appearance.Conformance{appearance.AnyPDF, appearance.PDFA, appearance.PDFA1} {
		b := build(t, everything(t, c))
		usesDevice := device.MatchString(b.content(t))
		masks := map[pdf.Object]bool{}
		for _, i := range b.images() {
			masks[i.Dict.Get("SMask")] = true
		}
		for n, o := range append(b.file.objects, b.form) {
			s, ok := o.(*pdf.Stream)
			if !ok || masks[pdf.Ref{Number: uint32(n + 1)}] { // a mask is no colour; its space is fixed (11.6.5.2)
				continue
			}
			for _, name := range spaces(s.Dict) {
				if name == "DeviceRGB" || name == "DeviceGray" || name == "DeviceCMYK" {
					usesDevice = true
				}
			}
		}
		if usesDevice != (c == appearance.AnyPDF) {
			t.Errorf("conformance %d: depends on the device: %v", c, usesDevice)
		}
	}
}

// TestSameBytes: the same spec gives the same objects.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	all := func(b *built) []byte {
		var out []byte
		for _, o := range append(b.file.objects, b.form) {
			out = pdf.AppendObject(append(out, '\n'), o)
		}
		return out
	}
	first := all(build(t, everything(t, appearance.AnyPDF)))
	for range 5 {
		if !bytes.Equal(all(build(t, everything(t, appearance.AnyPDF))), first) {
			t.Fatal("the same spec gives other bytes")
		}
	}
	// The same with a cache, be it empty, filled or filled by others at once.
	cache := &appearance.Cache{}
	var users sync.WaitGroup
	for i := range 8 {
		users.Go(func() {
			spec := everything(t, appearance.AnyPDF)
			spec.Cache = cache
			noise := appearance.Spec{Width: 200, Height: 60, Cache: cache, Lines: []appearance.Line{{Text: "abcdefgh"[i:]}}}
			var f testFile
			if _, err := appearance.Build(noise, f.add); err != nil {
				t.Error(err)
			}
			for range 3 {
				var b built
				form, err := appearance.Build(spec, b.file.add)
				if err != nil {
					t.Error(err)
					return
				}
				b.form = form
				if !bytes.Equal(all(&b), first) {
					t.Error("a cache gives other bytes")
				}
			}
		})
	}
	users.Wait()
	spec := everything(t, appearance.PDFA1)
	spec.Cache = cache
	if !bytes.Equal(all(build(t, spec)), all(build(t, everything(t, appearance.PDFA1)))) {
		t.Error("a cache mixes up files that claim PDF/A with others")
	}
	other := everything(t, appearance.AnyPDF)
	other.QR += "2"
	if bytes.Equal(all(build(t, other)), first) {
		t.Error("another spec gives the same bytes")
	}
}
