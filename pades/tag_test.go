package pades

import (
	"testing"

	"absah/pades/appearance"
	"absah/pdf"
	"absah/pdf/pdftest"
)

// Of a file that claims PDF/UA nothing stays outside of the structure, not even what
// nobody sees, and everything has words.
func TestAccessibleStaysAccessible(t *testing.T) {
	box := appearance.Box{X: 50, Y: 60, Width: 120, Height: 60}
	for name, c := range map[string]struct {
		options Options
		page    int // from 0
		words   string
		tagged  bool
	}{
		"invisible":       {Options{}, 0, "Tanda tangan elektronik Siti Contoh", true},
		"visible":         {Options{Visible: &Visible{Page: 1, Box: box, Spec: look()}}, 0, "Tanda tangan elektronik Siti Contoh", true},
		"on another page": {Options{Visible: &Visible{Page: 2, Box: box, Spec: look()}}, 1, "Tanda tangan elektronik Siti Contoh", true},
		"in a field":      {Options{Field: "ttd", Visible: &Visible{Spec: look()}}, 0, "Tempat tanda tangan", true},
		"a place":         {Options{Field: "ttd", Fields: []NewField{{Name: "kedua", Place: Visible{Page: 2, Box: box}}}}, 1, "Tempat tanda tangan kedua", true},
		"level A alone":   {Options{}, 0, "", false},
	} {
		part := 2
		if !c.tagged {
			part = 1
		}
		if c.options.Name == "" {
			c.options.Name = "Siti Contoh"
		}
		signed := sign(t, pdftest.Accessible(part), testSigner(t), c.options)
		judge{signatures: 1}.check(t, signed)
		doc := openPDF(t, signed, "")
		page := must(doc.Page(c.page))
		annots := must(doc.ResolveArray(page.Dict.Get("Annots")))
		widget := must(doc.ResolveDict(annots[len(annots)-1]))
		if got := pdf.DecodeText(must(doc.ResolveString(widget.Get("TU")))); got != c.words {
			t.Errorf("%s: the field says %q", name, got)
		}
		if !c.tagged {
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

// Words about fields are in the language of the document.
func TestCaptions(t *testing.T) {
	for lang, want := range map[string]string{"id": "Penanda waktu dokumen x", "ID-id": "Penanda waktu dokumen x", "en": "Document timestamp x", "ido": "Document timestamp x", "": "Document timestamp x"} {
		doc := openPDF(t, basic(true).bytes(), "")
		s := must(openSite(doc))
		s.root = s.root.Clone()
		s.root.Set("Lang", pdf.String(lang))
		if got := s.say(caption{ofTimestamp, "x"}); got != want {
			t.Errorf("in %q: %q", lang, got)
		}
	}
}
