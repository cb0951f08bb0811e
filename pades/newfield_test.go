package pades

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
)

// tagged is a sample whose structure tree has one element.
func tagged() *sample {
	s := basic(true)
	tree := len(s.objects) + 1
	s.add("<< /Type /StructTreeRoot /K %d 0 R /ParentTree %d 0 R /ParentTreeNextKey 1 >>", tree+1, tree+2)
	s.add("<< /Type /StructElem /S /Document /P %d 0 R /K [%d 0 R] >>", tree, tree+3)
	s.add("<< /Nums [0 [%d 0 R]] >>", tree+3)
	s.add("<< /Type /StructElem /S /P /P %d 0 R /Pg 3 0 R /K 0 >>", tree+1)
	s.replace(1, "/Type /Catalog", "/Type /Catalog /MarkInfo << /Marked true >> /StructTreeRoot "+itoa(tree)+" 0 R")
	return s
}

func TestFieldsForLaterSignatures(t *testing.T) {
	box := func(x float64) Visible {
		return Visible{Page: 1, Box: appearance.Box{X: x, Y: 60, Width: 120, Height: 50}}
	}
	own := box(40)
	own.Spec = look()
	indirect := basic(true)
	fields, annots := indirect.add("[8 0 R 9 0 R]"), indirect.add("[8 0 R]")
	indirect.replace(7, "[8 0 R 9 0 R]", itoa(fields)+" 0 R")
	indirect.replace(3, "[8 0 R]", itoa(annots)+" 0 R")
	for name, s := range map[string]*sample{"form": basic(true), "no form": basic(false), "tagged": tagged(), "indirect arrays": indirect} {
		t.Run(name, func(t *testing.T) {
			file := s.bytes()
			one := sign(t, file, testSigner(t), Options{
				Visible: &own, Field: "pertama",
				Fields: []NewField{{Name: "kedua", Place: box(200)}, {Name: "ketiga", Place: box(360), Lock: &Lock{Action: LockAll}}},
			})
			judge{signatures: 1}.check(t, one)
			if got, want := len(fieldsOf(t, one)), 3+len(fieldsOf(t, file)); got != want {
				t.Errorf("%d fields, not %d", got, want)
			}
			// The empty fields show nothing yet. (mutool would mark them for its user,
			// and poppler draws no signature where NeedAppearances is set.)
			if got := dark(printed(t, file), printed(t, one)); got.Empty() && name == "no form" || !got.In(image.Rect(39, 0, 161, 842)) {
				t.Errorf("the page changed in %v", got)
			}
			two := sign(t, one, testSigner(t), Options{Field: "kedua", Visible: &Visible{Spec: look()}})
			judge{signatures: 2}.check(t, two)
			three := sign(t, two, testSigner(t), Options{Field: "ketiga", Visible: &Visible{Spec: look()}})
			judge{signatures: 3}.check(t, three)
			refused(t, three, Options{}, ReasonLocked)
			doc := openPDF(t, two, "")
			for i, ref := range doc.Changed(2) {
				if _, ok := must(doc.Object(ref)).(pdf.Dict); i == 0 && !ok {
					t.Errorf("signing the second field wrote %v", ref)
				}
			}
			if name == "tagged" {
				keys := []int64{}
				for _, f := range must(readForm(doc, rootOf(t, doc))).signatures {
					keys = append(keys, must(doc.ResolveInt(f.dict.Get("StructParent"))))
				}
				if !slices.Equal(keys, []int64{1, 2, 3}) {
					t.Errorf("the fields have the keys %v", keys)
				}
			}
		})
	}
}

// printed draws the first page by poppler.
func printed(t testing.TB, b []byte) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	if text, code := run(t, "pdftoppm", "-r", "72", "-png", "-singlefile", "-f", "1", write(t, b), out); code != 0 {
		t.Fatalf("pdftoppm: %s", text)
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return must(png.Decode(f))
}

func rootOf(t testing.TB, doc *pdf.Document) pdf.Dict {
	t.Helper()
	_, root, err := doc.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestNewFieldsAreRefused(t *testing.T) {
	file := basic(true).bytes()
	place := Visible{Page: 1, Box: appearance.Box{X: 10, Y: 10, Width: 100, Height: 40}}
	for name, c := range map[string]struct {
		fields []NewField
		reason Reason
	}{
		"no name":      {[]NewField{{Place: place}}, ReasonFieldName},
		"a period":     {[]NewField{{Name: "a.b", Place: place}}, ReasonFieldName},
		"exists":       {[]NewField{{Name: "nama", Place: place}}, ReasonFieldName},
		"own name":     {[]NewField{{Name: "Signature1", Place: place}}, ReasonFieldName},
		"twice":        {[]NewField{{Name: "a", Place: place}, {Name: "a", Place: place}}, ReasonFieldName},
		"no place":     {[]NewField{{Name: "a"}}, ReasonPlacement},
		"unknown lock": {[]NewField{{Name: "a", Place: place, Lock: &Lock{Action: "x"}}}, ReasonOptions},
	} {
		t.Run(name, func(t *testing.T) { refused(t, file, Options{Fields: c.fields}, c.reason) })
	}
	certified := sign(t, file, testSigner(t), Options{Certify: CertifyForms})
	refused(t, certified, Options{Fields: []NewField{{Name: "a", Place: place}}}, ReasonCertified)
}
