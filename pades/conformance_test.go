package pades

import (
	"fmt"
	"testing"

	"absah/pades/appearance"
)

// TestClaimsOfPDFA: the appearance keeps the part of PDF/A that the metadata claims,
// and is without transparency where the page has no colours to blend in.
func TestClaimsOfPDFA(t *testing.T) {
	const (
		intent  = "/OutputIntents [<< /S /GTS_PDFA1 >>]"
		group   = "/Group << /S /Transparency /CS /DeviceRGB >>"
		part1   = `<rdf:Description pdfaid:part="1" pdfaid:conformance="B"/>`
		element = `<pdfaid:part> 3 </pdfaid:part>`
	)
	for _, c := range []struct {
		xmp, catalog, page string
		want               appearance.Conformance
	}{
		{part1, "", "", appearance.PDFA1},
		{part1, intent, group, appearance.PDFA1},
		{`<pdfaid:part>1</pdfaid:part>`, "", "", appearance.PDFA1},
		{`<rdf:Description pdfaid:part='2'/>`, intent, "", appearance.PDFA},
		{element, intent, "", appearance.PDFA},
		{element, "", group, appearance.PDFA},
		{element, "", intent, appearance.PDFA}, // of the page, as part 4 allows
		{element, "", "", appearance.PDFA1},
		{element, "/OutputIntents [<< /S /GTS_PDFX >>]", "/Group << /S /Transparency >>", appearance.PDFA1},
		{`<pdfaid:part>4</pdfaid:part>`, intent, "", appearance.PDFA},
		{`<pdfuaid:part>1</pdfuaid:part>`, "", "", appearance.AnyPDF},
		{``, intent, group, appearance.AnyPDF},
	} {
		s := basic(true)
		n := s.add("<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream", len(c.xmp), c.xmp)
		s.replace(1, "/Type /Catalog", fmt.Sprintf("/Type /Catalog /Metadata %d 0 R %s", n, c.catalog))
		s.replace(3, "/Type /Page", "/Type /Page "+c.page)
		site, err := openSite(openPDF(t, s.bytes(), ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := site.conformance(0); got != c.want {
			t.Errorf("%q with %s %s wants %v, want %v", c.xmp, c.catalog, c.page, got, c.want)
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
