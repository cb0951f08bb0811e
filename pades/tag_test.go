package pades

import (
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
	"absah/pdf/pdftest"
)

// Of a file that claims PDF/UA nothing that is seen stays outside of the structure and
// without words; what nobody sees lies beside the page.
func TestAccessibleStaysAccessible(t *testing.T) {
	box := appearance.Box{X: 50, Y: 60, Width: 120, Height: 60}
	for name, c := range map[string]struct {
		options Options
		page    int // from 0
		words   string
		tagged  bool
	}{
		"visible":         {Options{Visible: &Visible{Page: 1, Box: box, Spec: look()}}, 0, "Tanda tangan elektronik Siti Contoh", true},
		"on another page": {Options{Visible: &Visible{Page: 2, Box: box, Spec: look()}}, 1, "Tanda tangan elektronik Siti Contoh", true},
		"in a field":      {Options{Field: "ttd", Visible: &Visible{Spec: look()}}, 0, "Tempat tanda tangan", true},
		"a place":         {Options{Field: "ttd", Fields: []NewField{{Name: "kedua", Place: Visible{Page: 2, Box: box}}}}, 1, "Tempat tanda tangan kedua", true},
		"invisible":       {Options{}, 0, "", false},
	} {
		if c.options.Name == "" {
			c.options.Name = "Siti Contoh"
		}
		signed := sign(t, pdftest.Accessible(2), testSigner(t), c.options)
		judge{signatures: 1}.check(t, signed)
		doc := openPDF(t, signed, "")
		page := must(doc.Page(c.page))
		annots := must(doc.ResolveArray(page.Dict.Get("Annots")))
		widget := must(doc.ResolveDict(annots[len(annots)-1]))
		if got := pdf.DecodeText(must(doc.ResolveString(widget.Get("TU")))); got != c.words {
			t.Errorf("%s: the field says %q", name, got)
		}
		if !c.tagged {
			crop := page.CropBox
			if r := must(placeOf(doc, widget)); r[2] >= crop[0] || r[3] >= crop[1] || r[0] != r[2] || r[1] != r[3] || widget.Get("StructParent") != nil {
				t.Errorf("%s: it lies at %v, the page is %v", name, r, crop)
			}
			continue
		}
		if page.Dict.Get("Tabs") != pdf.Object(pdf.Name("S")) {
			t.Errorf("%s: the annotations are in no order", name)
		}
		tree := must(doc.ResolveDict(rootOf(t, doc).Get("StructTreeRoot")))
		key := must(doc.ResolveInt(widget.Get("StructParent")))
		if next := must(doc.ResolveInt(tree.Get("ParentTreeNextKey"))); key < 1 || key >= next {
			t.Errorf("%s: the key %d, and the next is to be %d", name, key, next)
		}
		var element pdf.Dict
		for _, kid := range must(doc.ResolveArray(must(doc.ResolveDict(tree.Get("ParentTree"))).Get("Kids"))) {
			nums := must(doc.ResolveArray(must(doc.ResolveDict(kid)).Get("Nums")))
			for i := 0; i < len(nums); i += 2 {
				if nums[i] == pdf.Object(pdf.Integer(key)) {
					element = must(doc.ResolveDict(nums[i+1]))
				}
			}
		}
		object := must(doc.ResolveDict(element.Get("K")))
		if element.Get("S") != pdf.Object(pdf.Name("Form")) || object.Get("Obj") != annots[len(annots)-1] {
			t.Errorf("%s: the tree of parents leads to %v", name, element)
		}
	}
}

// Once somebody has signed, the structure stays what was signed: validators call
// another one a change of the document.
func TestTheSignedStructureStays(t *testing.T) {
	place := &Visible{Page: 2, Box: appearance.Box{X: 50, Y: 60, Width: 120, Height: 60}, Spec: look()}
	first := sign(t, pdftest.Accessible(2), testSigner(t), Options{})
	for name, c := range map[string]struct {
		before []byte
		o      Options
		same   bool
	}{
		"the first":        {pdftest.Accessible(2), Options{Visible: place}, false},
		"a second":         {first, Options{Visible: place}, true},
		"a second, unseen": {first, Options{}, true},
	} {
		signed := sign(t, c.before, testSigner(t), c.o)
		was, is := openPDF(t, c.before, ""), openPDF(t, signed, "")
		before, after := rootOf(t, was).Get("StructTreeRoot").(pdf.Ref), rootOf(t, is).Get("StructTreeRoot").(pdf.Ref)
		a, b := must(was.ResolveDict(before)), must(is.ResolveDict(after))
		if same := string(pdf.AppendObject(nil, a)) == string(pdf.AppendObject(nil, b)); same != c.same {
			t.Errorf("%s: the structure stays: %v", name, same)
		}
	}
}

func placeOf(doc *pdf.Document, widget pdf.Dict) (r [4]float64, err error) {
	list, err := doc.ResolveArray(widget.Get("Rect"))
	for i := range min(len(list), 4) {
		if err == nil {
			r[i], err = doc.ResolveNumber(list[i])
		}
	}
	return r, err
}

// Words about fields are in the language of the document.
func TestCaptions(t *testing.T) {
	for lang, want := range map[string]string{"id": "Tempat tanda tangan x", "ID-id": "Tempat tanda tangan x", "en": "Place for the signature x", "ido": "Place for the signature x", "": "Place for the signature x"} {
		doc := openPDF(t, basic(true).bytes(), "")
		s := must(openSite(doc))
		s.root = s.root.Clone()
		s.root.Set("Lang", pdf.String(lang))
		if got := s.say(caption{ofPlace, "x"}); got != want {
			t.Errorf("in %q: %q", lang, got)
		}
	}
}
