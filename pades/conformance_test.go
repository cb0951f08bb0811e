package pades

import (
	"fmt"
	"testing"

	"absah/pades/appearance"
)

func TestClaimsOfPDFA(t *testing.T) {
	for xmp, want := range map[string]appearance.Conformance{
		`<rdf:Description pdfaid:part="1" pdfaid:conformance="B"/>`: appearance.PDFA1,
		`<pdfaid:part>1</pdfaid:part>`:                              appearance.PDFA1,
		`<rdf:Description pdfaid:part='2'/>`:                        appearance.PDFA,
		`<pdfaid:part> 3 </pdfaid:part>`:                            appearance.PDFA,
		`<pdfaid:part>4</pdfaid:part>`:                              appearance.PDFA,
		`<pdfuaid:part>1</pdfuaid:part>`:                            appearance.AnyPDF,
		``:                                                          appearance.AnyPDF,
	} {
		s := basic(true)
		n := s.add("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(xmp), xmp)
		s.replace(1, "/Type /Catalog", fmt.Sprintf("/Type /Catalog /Metadata %d 0 R", n))
		site, err := openSite(openPDF(t, s.bytes(), ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := site.conformance(); got != want {
			t.Errorf("%q claims %v, want %v", xmp, got, want)
		}
	}
}

// An invisible widget of a PDF/A file has an appearance stream, prints, and is
// neither hidden nor left out of view (ISO 19005-2 6.3.2 and 6.3.3).
func TestInvisibleWidget(t *testing.T) {
	signed := sign(t, basic(true).bytes(), testSigner(t), Options{})
	doc := openPDF(t, signed, "")
	site, err := openSite(doc)
	if err != nil {
		t.Fatal(err)
	}
	w := site.form.named("Signature1").widgetDict
	flags := must(doc.ResolveInt(w.Get("F")))
	const hidden, noView, invisible, toggle = 1 << 1, 1 << 5, 1 << 0, 1 << 8
	if flags&annotPrint == 0 || flags&(hidden|noView|invisible|toggle) != 0 {
		t.Errorf("flags %b", flags)
	}
	ap := must(doc.ResolveDict(w.Get("AP")))
	if n := must(doc.ResolveDict(ap.Get("N"))); n.Get("Subtype") == nil {
		t.Errorf("appearance %v", ap)
	}
}
