package pades

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
)

func look() appearance.Spec {
	return appearance.Spec{Lines: appearance.Letter{Label: "Ditandatangani secara elektronik oleh:", Name: "Siti Contoh"}.Lines()}
}

// rendered draws a page by mutool.
func rendered(t testing.TB, b []byte, page string) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page.png")
	if text, code := run(t, "mutool", "draw", "-q", "-r", "72", "-o", out, write(t, b), page); code != 0 {
		t.Fatalf("mutool draw: %s", text)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return must(png.Decode(f))
}

// dark is the box of what is not white.
func dark(before, after image.Image) image.Rectangle {
	var r image.Rectangle
	b := after.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.GrayModel.Convert(before.At(x, y)) != color.GrayModel.Convert(after.At(x, y)) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

func TestVisible(t *testing.T) {
	file := basic(true).bytes()
	for _, c := range []struct {
		name string
		page int
		box  appearance.Box
	}{
		{"bottom left", 1, appearance.Box{X: 50, Y: 60, Width: 200, Height: 60}},
		{"top left", 1, appearance.Box{X: 50, Y: 60, Width: 200, Height: 60, Origin: appearance.TopLeft}},
		{"rotated and cropped", 2, appearance.Box{X: 50, Y: 60, Width: 200, Height: 60, Origin: appearance.TopLeft}},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := sign(t, file, testSigner(t), Options{Visible: &Visible{Page: c.page, Box: c.box, Spec: look()}})
			judge{signatures: 1}.check(t, signed)
			n := itoa(c.page)
			after := rendered(t, signed, n)
			got := dark(rendered(t, file, n), after)
			y := int(c.box.Y)
			if c.box.Origin == appearance.BottomLeft {
				y = after.Bounds().Dy() - int(c.box.Y+c.box.Height)
			}
			want := image.Rect(int(c.box.X), y, int(c.box.X+c.box.Width), y+int(c.box.Height))
			if !got.In(want.Inset(-1)) || got.Dx() < want.Dx()/2 {
				t.Errorf("the appearance is at %v, not in %v", got, want)
			}
		})
	}
}

func TestVisibleAtAnchor(t *testing.T) {
	s := basic(true)
	n := s.add("<< /Length 53 >>\nstream\nBT /F1 20 Tf 300 200 Td (${ttd}) Tj 0 400 Td (#) Tj ET\nendstream")
	s.objects[n-1] = strings.Replace(s.objects[n-1], "53", "54", 1)
	s.replace(3, "6 0 R", itoa(n)+" 0 R")
	file := s.bytes()
	for anchor, at := range map[string][2]float64{"${ttd}": {327, 207}, "#": {305, 607}} {
		signed := sign(t, file, testSigner(t), Options{Visible: &Visible{Anchor: anchor, Box: appearance.Box{Width: 120, Height: 40}, Spec: look()}})
		judge{signatures: 1}.check(t, signed)
		rect := rectOf(t, signed, "Signature1")
		x, y := (rect[0]+rect[2])/2, (rect[1]+rect[3])/2
		if math.Abs(x-at[0]) > 6 || math.Abs(y-at[1]) > 6 {
			t.Errorf("%s: the centre is at %.1f, %.1f", anchor, x, y)
		}
	}
	refused(t, file, Options{Visible: &Visible{Anchor: "tidak ada", Box: appearance.Box{Width: 120, Height: 40}, Spec: look()}}, ReasonPlacement)
}

func rectOf(t testing.TB, b []byte, field string) (r [4]float64) {
	t.Helper()
	doc := openPDF(t, b, "")
	site, err := openSite(doc)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := doc.Rect(site.form.named(field).widgetDict.Get("Rect"))
	if !ok {
		t.Fatal("the widget has no rectangle")
	}
	return r
}

func TestVisibleInField(t *testing.T) {
	file := basic(true).withField("Kepala", "").bytes()
	signed := sign(t, file, testSigner(t), Options{Field: "Kepala", Visible: &Visible{Spec: look()}})
	judge{signatures: 1}.check(t, signed)
	if got := rectOf(t, signed, "Kepala"); got != [4]float64{300, 500, 500, 560} {
		t.Errorf("the rectangle became %v", got)
	}
	got := dark(rendered(t, file, "1"), rendered(t, signed, "1"))
	if want := image.Rect(300, 842-560, 500, 842-500); got.Empty() || !got.In(want.Inset(-1)) {
		t.Errorf("the appearance is at %v, not in %v", got, want)
	}
}

func TestVisibleRefusals(t *testing.T) {
	file := basic(true).bytes()
	for name, v := range map[string]*Visible{
		"no page":  {Page: 3, Box: appearance.Box{Width: 100, Height: 50}, Spec: look()},
		"page 0":   {Box: appearance.Box{Width: 100, Height: 50}, Spec: look()},
		"no area":  {Page: 1, Spec: look()},
		"off page": {Page: 1, Box: appearance.Box{X: 5000, Width: 100, Height: 50}, Spec: look()},
	} {
		t.Run(name, func(t *testing.T) { refused(t, file, Options{Visible: v}, ReasonPlacement) })
	}
	certified := sign(t, file, testSigner(t), Options{Certify: CertifyForms})
	refused(t, certified, Options{Visible: &Visible{Page: 1, Box: appearance.Box{Width: 100, Height: 50}, Spec: look()}}, ReasonCertified)
}

func TestImageAndCode(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 8 {
		img.Set(i, i, color.NRGBA{R: 255, A: uint8(32 * i)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	spec := look()
	spec.Image, spec.QR = b.Bytes(), "https://absah.example/v/1"
	for _, file := range [][]byte{basic(true).bytes(), remake(t, basic(true).bytes(), "--encrypt", "", "o", "256", "--")} {
		signed := sign(t, file, testSigner(t), Options{Visible: &Visible{Page: 1, Box: appearance.Box{X: 50, Y: 50, Width: 250, Height: 90}, Spec: spec}})
		judge{signatures: 1}.check(t, signed)
		if dark(rendered(t, file, "1"), rendered(t, signed, "1")).Empty() {
			t.Error("nothing is drawn")
		}
	}
}

func TestTaggedStaysTagged(t *testing.T) {
	for _, kids := range []bool{false, true} {
		s := basic(true)
		tree, document, parents := len(s.objects)+1, len(s.objects)+2, len(s.objects)+3
		s.add("<< /Type /StructTreeRoot /K %d 0 R /ParentTree %d 0 R /ParentTreeNextKey 1 >>", document, parents)
		s.add("<< /Type /StructElem /S /Document /P %d 0 R /K [%d 0 R] >>", tree, parents+1)
		if kids {
			s.add("<< /Kids [%d 0 R] >>", parents+2)
		} else {
			s.add("<< /Nums [0 [%d 0 R]] >>", parents+1)
		}
		s.add("<< /Type /StructElem /S /P /P %d 0 R /Pg 3 0 R /K 0 >>", document)
		s.add("<< /Limits [0 0] /Nums [0 [%d 0 R]] >>", parents+1)
		s.replace(1, "/Type /Catalog", "/Type /Catalog /MarkInfo << /Marked true >> /StructTreeRoot "+itoa(tree)+" 0 R")
		file := s.bytes()
		o := Options{Visible: &Visible{Page: 1, Box: appearance.Box{X: 50, Y: 60, Width: 200, Height: 60}, Spec: look()}}
		one := sign(t, file, testSigner(t), o)
		judge{signatures: 1}.check(t, one)
		two := sign(t, one, testSigner(t), o)
		judge{signatures: 2}.check(t, two)
		doc := openPDF(t, two, "")
		root := must(doc.ResolveDict(pdf.Ref{Number: uint32(tree)}))
		if n := must(doc.ResolveInt(root.Get("ParentTreeNextKey"))); n != 2 {
			t.Errorf("the next key is %d", n)
		}
		top := must(doc.ResolveDict(pdf.Ref{Number: uint32(document)}))
		elements := must(doc.ResolveArray(top.Get("K")))
		// The first one's is added; the second one would change what was signed.
		if len(elements) != 2 {
			t.Fatalf("elements %v", elements)
		}
		element := must(doc.ResolveDict(elements[1]))
		kid := must(doc.ResolveDict(element.Get("K")))
		field := must(doc.ResolveDict(kid.Get("Obj")))
		if got := must(doc.ResolveString(field.Get("T"))); string(got) != "Signature1" {
			t.Errorf("the element is of the field %q", got)
		}
		if key := must(doc.ResolveInt(field.Get("StructParent"))); key != 1 {
			t.Errorf("the field has the key %d", key)
		}
		// Invisible signatures change nothing of the structure.
		three := sign(t, two, testSigner(t), Options{})
		for _, ref := range openPDF(t, three, "").Changed(3) {
			if ref.Number == uint32(tree) || ref.Number == uint32(document) {
				t.Errorf("an invisible signature wrote %v", ref)
			}
		}
	}
}
