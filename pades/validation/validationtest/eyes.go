package validationtest

import (
	"fmt"
	"testing"

	"absah/pades"
	"absah/pdf"
)

// preparations are documents whose maker laid out, before they were signed, what a
// later revision then uses.
func preparations() []shared {
	face := Stream(faceDict, "0 g 0 0 100 100 re f")
	script := func(words string) string { return "<< /S /JavaScript /JS (app.alert\\(" + words + "\\)) >>" }
	alert := func(n uint32) func(t testing.TB, u *pdf.Update) {
		return func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(n), "JS", pdf.String("app.alert(2)")) }
	}
	infoIs9 := "/Info 9 0 R"
	return []shared{
		{name: "information, and script of the document", trailer: infoIs9, catalog: "/Names << /JavaScript << /Names [(a) 9 0 R] >> >>", more: []string{script("1")}, do: alert(9)},
		{name: "information, and names of the document", trailer: infoIs9, catalog: "/Names 9 0 R", more: []string{"<< /Title (x) >>", script("1")},
			do: func(t testing.TB, u *pdf.Update) {
				Set(t, u, Obj(9), "JavaScript", pdf.Dict{{Key: "Names", Value: pdf.Array{pdf.String("a"), u.Add(pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("x")}})}}})
			}},
		{name: "validation data, and names of the document", catalog: "/Names 9 0 R /DSS 9 0 R", more: []string{"<< /Certs [] >>"},
			do: func(t testing.TB, u *pdf.Update) {
				Set(t, u, Obj(9), "JavaScript", pdf.Dict{{Key: "Names", Value: pdf.Array{pdf.String("a"), u.Add(pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("x")}})}}})
			}},
		{name: "information, and what a field inherits", trailer: infoIs9, text: "/Parent 9 0 R", more: []string{"<< /Title (x) >>"},
			do: func(t testing.TB, u *pdf.Update) {
				Set(t, u, Obj(9), "V", pdf.String("dua juta"), "FT", pdf.Name("Tx"))
			}},
		{name: "note, and script of the document", catalog: "/Names << /JavaScript << /Names [(a) 9 0 R] >> >>", annots: "[7 0 R 8 0 R 9 0 R]",
			more: []string{"<< /Type /Annot /Subtype /Text /Rect [500 20 520 40] /P 3 0 R /S /JavaScript /JS (app.alert\\(1\\)) >>"}, do: alert(9)},
		{name: "picture that says it is a cross-reference", resources: "/XObject << /Im 9 0 R >>", content: "/Im Do", signature: "/AP << /N 10 0 R >>", more: []string{
			Stream("/Type /XRef /Subtype /Form /BBox [0 0 100 100] /Resources << /XObject << /N 10 0 R >> >>", "/N Do"), face}, change: map[uint32]string{10: "1 g 0 0 100 100 re f"}},
		{name: "face of an empty signature field", signature: "/AP << /N 9 0 R >>", more: []string{face}, change: map[uint32]string{9: "1 g 0 0 100 100 re f"},
			want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "form that is not drawn anew any more", form: "/NeedAppearances true", text: "/V (satu juta) /AP << /N 9 0 R >>", more: []string{face},
			do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(6), "NeedAppearances", pdf.Bool(false)) }, want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "form without values that is not drawn anew any more", form: "/NeedAppearances true",
			do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(6), "NeedAppearances", nil) }, want: same(valid)},
		{name: "XFA added", do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(6), "XFA", u.Add(Text("<xdp/>"))) }},
		{name: "XFA: the template", form: "/XFA [(template) 9 0 R (datasets) 10 0 R]", more: []string{Stream("", "<t/>"), Stream("", "<d/>")}, change: map[uint32]string{9: "<u/>"}},
		{name: "XFA: the data", form: "/XFA [(template) 9 0 R (datasets) 10 0 R]", more: []string{Stream("", "<t/>"), Stream("", "<d/>")}, change: map[uint32]string{10: "<e/>"},
			want: [4][]string{doubtful, invalid, valid, valid}},
		{name: "XFA: data and template exchanged", form: "/XFA [(template) 9 0 R (datasets) 10 0 R]", more: []string{Stream("", "<t/>"), Stream("", "<d/>")},
			do: func(t testing.TB, u *pdf.Update) {
				Set(t, u, Obj(6), "XFA", pdf.Array{pdf.String("template"), Obj(10), pdf.String("datasets"), Obj(9)})
			}},
		{name: "XFA: all in one", form: "/XFA 9 0 R", more: []string{Stream("", "<t/>")}, change: map[uint32]string{9: "<u/>"}, want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "box that ticks itself", annots: "[7 0 R 8 0 R 9 0 R]", more: []string{
			"<< /Type /Annot /Subtype /Widget /FT /Btn /T (setuju) /V /Off /AS /Off /F 4 /P 3 0 R /Rect [72 300 92 320] /AP << /N << /Ya 10 0 R /Off 10 0 R >> >> >>", face},
			do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(9), "AS", pdf.Name("Ya")) }, want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "box that is ticked", annots: "[7 0 R 8 0 R 9 0 R]", more: []string{
			"<< /Type /Annot /Subtype /Widget /FT /Btn /T (setuju) /V /Off /AS /Off /F 4 /P 3 0 R /Rect [72 300 92 320] /AP << /N << /Ya 10 0 R /Off 10 0 R >> >> >>", face},
			do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(9), "AS", pdf.Name("Ya"), "V", pdf.Name("Ya")) }, want: [4][]string{doubtful, invalid, valid, valid}},
		{name: "field over the text that only prints", do: func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "palsu", Rect(60, 690, 400, 730))
			Set(t, u, f, "F", pdf.Integer(4|32))
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}, want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "field over the text that shows when touched", do: func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "palsu", Rect(60, 690, 400, 730))
			Set(t, u, f, "F", pdf.Integer(32|256))
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}, want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "signature field with a script", do: func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "palsu", Rect(400, 20, 500, 60))
			Set(t, u, f, "AA", pdf.Dict{{Key: "PV", Value: pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("x")}}}})
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}},
		{name: "note with a script", do: func(t testing.TB, u *pdf.Update) {
			a := Annotation(u, "Text", Rect(500, 20, 520, 40))
			Set(t, u, a, "AA", pdf.Dict{{Key: "PV", Value: pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("x")}}}})
			AddToPage(t, u, a)
		}},
		{name: "link that runs a program", do: func(t testing.TB, u *pdf.Update) {
			a := Annotation(u, "Link", Rect(500, 20, 520, 40))
			Set(t, u, a, "A", pdf.Dict{{Key: "S", Value: pdf.Name("Launch")}, {Key: "F", Value: pdf.String("x")}})
			AddToPage(t, u, a)
		}},
		{name: "link to a page of the web", do: func(t testing.TB, u *pdf.Update) {
			a := Annotation(u, "Link", Rect(500, 20, 520, 40))
			Set(t, u, a, "A", pdf.Dict{{Key: "S", Value: pdf.Name("URI")}, {Key: "URI", Value: pdf.String("https://contoh.example")}})
			AddToPage(t, u, a)
		}, want: [4][]string{doubtful, invalid, invalid, valid}},
		{name: "ink beside its place", do: func(t testing.TB, u *pdf.Update) {
			a := Annotation(u, "Ink", Rect(500, 20, 520, 40))
			Set(t, u, a, "InkList", pdf.Array{Rect(60, 690, 400, 730)}, "AP", nil)
			AddToPage(t, u, a)
		}, want: [4][]string{doubtful, invalid, invalid, doubtful}},
	}
}

// Preparations are documents that were laid out for what a later revision does.
func (h *House) Preparations(t testing.TB) []Case { return h.prepared(t, preparations()) }

// Generations give an object's number to the next generation: what referred to it
// leads nowhere, and what led nowhere refers to it.
func (h *House) Generations(t testing.TB) []Case {
	t.Helper()
	page := Build("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] >> >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [4 0 R 6 0 R] /Resources << /Font << /F1 5 0 R >> >> >>",
		Stream("", "BT /F1 18 Tf 72 700 Td (Bayar satu juta rupiah) Tj ET"), "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		Stream("", "BT /F1 18 Tf 72 600 Td (kecuali hari libur) Tj ET"))
	base := h.Sign(t, page, pades.Options{Field: "pertama"})
	object := "6 1 obj\n" + Stream("", "BT /F1 18 Tf 72 600 Td (kecuali hari libur) Tj ET") + "\nendobj\n"
	return []Case{{TwoRoles, "object of the next generation", appendTable(t, base, object, 6, 1), notValid}}
}

// appendTable appends an object with a table of its own.
func appendTable(t testing.TB, base []byte, object string, number, generation int) []byte {
	t.Helper()
	b := append(base[:len(base):len(base)], object...)
	return fmt.Appendf(b, "xref\n%d 1\n%010d %05d n \ntrailer\n<< /Size 40 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", number, len(base), generation, startxref(t, base), len(b))
}
