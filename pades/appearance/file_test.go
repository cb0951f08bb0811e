package appearance_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
)

// testFile writes a PDF with one page and appearances on it as stamp
// annotations, which viewers place by the same rules as signatures' widgets.
type testFile struct {
	objects []pdf.Object
}

func (f *testFile) add(o pdf.Object) pdf.Ref {
	f.objects = append(f.objects, o)
	return pdf.Ref{Number: uint32(len(f.objects))}
}

func write(b *bytes.Buffer, o pdf.Object) {
	switch o := o.(type) {
	case pdf.Integer:
		fmt.Fprint(b, int64(o))
	case pdf.Real:
		b.WriteString(strconv.FormatFloat(float64(o), 'f', -1, 64))
	case pdf.Name:
		b.WriteString("/" + string(o))
	case pdf.String:
		fmt.Fprintf(b, "<%x>", string(o))
	case pdf.Ref:
		b.WriteString(o.String())
	case pdf.Array:
		b.WriteString("[")
		for _, e := range o {
			write(b, e)
			b.WriteString(" ")
		}
		b.WriteString("]")
	case pdf.Dict:
		b.WriteString("<<")
		for _, e := range o {
			b.WriteString("/" + string(e.Key) + " ")
			write(b, e.Value)
			b.WriteString("\n")
		}
		b.WriteString(">>")
	case *pdf.Stream:
		write(b, o.Dict)
		b.WriteString("\nstream\n")
		b.Write(o.Data)
		b.WriteString("\nendstream")
	default:
		panic(fmt.Sprintf("cannot write %T", o))
	}
}

type stamp struct {
	form *pdf.Stream
	rect [4]float64
}

func numbers(v ...float64) pdf.Array {
	a := make(pdf.Array, len(v))
	for i, x := range v {
		a[i] = pdf.Real(x)
	}
	return a
}

// save writes the file with a page of the given geometry and returns its path.
func (f *testFile) save(t testing.TB, page appearance.Page, stamps ...stamp) string {
	t.Helper()
	var annots pdf.Array
	for _, s := range stamps {
		annots = append(annots, f.add(pdf.Dict{
			{Key: "Type", Value: pdf.Name("Annot")},
			{Key: "Subtype", Value: pdf.Name("Stamp")},
			{Key: "F", Value: pdf.Integer(4)},
			{Key: "Rect", Value: numbers(s.rect[:]...)},
			{Key: "AP", Value: pdf.Dict{{Key: "N", Value: f.add(s.form)}}},
		}))
	}
	dict := pdf.Dict{
		{Key: "Type", Value: pdf.Name("Page")},
		{Key: "MediaBox", Value: numbers(page.MediaBox[:]...)},
		{Key: "Rotate", Value: pdf.Integer(page.Rotate)},
		{Key: "Annots", Value: annots},
		{Key: "Resources", Value: pdf.Dict{}},
	}
	if page.CropBox != [4]float64{} {
		dict.Set("CropBox", numbers(page.CropBox[:]...))
	}
	if page.UserUnit != 0 {
		dict.Set("UserUnit", pdf.Real(page.UserUnit))
	}
	pages := pdf.Ref{Number: uint32(len(f.objects) + 2)}
	dict.Set("Parent", pages)
	kid := f.add(dict)
	f.add(pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: pdf.Array{kid}}, {Key: "Count", Value: pdf.Integer(1)}})
	root := f.add(pdf.Dict{{Key: "Type", Value: pdf.Name("Catalog")}, {Key: "Pages", Value: pages}})

	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(f.objects))
	for i, o := range f.objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n", i+1)
		write(&b, o)
		b.WriteString("\nendobj\n")
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root %s>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, root, start)
	name := filepath.Join(t.TempDir(), "test.pdf")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// run calls a program of the tests' setup.
func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// render draws the page as a viewer shows it.
func render(t testing.TB, file string, dpi int) image.Image {
	t.Helper()
	base := strings.TrimSuffix(file, ".pdf")
	run(t, "pdftoppm", "-r", strconv.Itoa(dpi), "-cropbox", "-png", "-singlefile", file, base)
	if out := os.Getenv("ABSAH_APPEARANCE_OUT"); out != "" { // to look at what the tests draw
		b, err := os.ReadFile(base + ".png")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, strings.NewReplacer("/", "_", " ", "_").Replace(t.Name())+".png"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := os.Open(base + ".png")
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

// ink is the box of everything darker than half grey, in points from the top left
// corner.
func ink(m image.Image, dpi int) (left, top, right, bottom float64) {
	b := m.Bounds()
	x0, y0, x1, y1 := b.Max.X, b.Max.Y, -1, -1
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := m.At(x, y).RGBA()
			if r+g+bl < 3*0x8000 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	f := 72 / float64(dpi)
	return float64(x0) * f, float64(y0) * f, float64(x1) * f, float64(y1) * f
}
