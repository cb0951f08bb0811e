package validationtest

import (
	"testing"

	"absah/pdf"
)

// What a file may be called, in the words of a report.
var (
	valid    = []string{"valid"}
	notValid = []string{"invalid", "indeterminate"}
	invalid  = []string{"invalid"}
	doubtful = []string{"indeterminate"}
)

// Change is one later revision and what it is to be called behind an approval
// signature and behind certifications of the three levels.
type Change struct {
	Name string
	Do   func(t testing.TB, u *pdf.Update)
	Want [4][]string // behind an approval signature, and behind P = 1, 2 and 3
}

func same(e []string) [4][]string { return [4][]string{e, e, e, e} }

// LaterRevisions are what may come behind a signature, and what must not.
func LaterRevisions() []Change {
	c := func(name string, e [4][]string, do func(t testing.TB, u *pdf.Update)) Change {
		return Change{name, do, e}
	}
	return []Change{
		// Incremental saving: what is shown changes.
		c("contents replaced", same(invalid), func(_ testing.TB, u *pdf.Update) {
			u.Set(Obj(4), Text("BT /F1 18 Tf 72 700 Td (Bayar satu miliar rupiah) Tj ET"))
		}),
		c("contents added", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(3), "Contents", pdf.Array{Obj(4), u.Add(Text("BT /F1 18 Tf 72 600 Td (tambahan) Tj ET"))})
		}),
		c("font replaced", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(5), "BaseFont", pdf.Name("Symbol"))
		}),
		c("page's box changed", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(3), "MediaBox", Rect(0, 0, 300, 300)) }),
		c("page turned", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(3), "Rotate", pdf.Integer(180)) }),
		c("resources changed", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(3), "Resources", pdf.Dict{{Key: "Font", Value: pdf.Dict{}}})
		}),
		c("resources moved to an object of their own", same(valid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(3), "Resources", u.Add(DictOf(t, u, Obj(3)).Get("Resources")))
		}),
		c("font exchanged for its like", same(invalid), func(t testing.TB, u *pdf.Update) {
			like := u.Add(DictOf(t, u, Obj(5)))
			Set(t, u, Obj(3), "Resources", pdf.Dict{{Key: "Font", Value: pdf.Dict{{Key: "F1", Value: like}}}, {Key: "XObject", Value: pdf.Dict{{Key: "Im1", Value: Obj(9)}}}})
		}),
		c("page added", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: Obj(2)}, {Key: "MediaBox", Value: Rect(0, 0, 595, 842)}})
			Set(t, u, Obj(2), "Kids", pdf.Array{Obj(3), p}, "Count", pdf.Integer(2))
		}),
		c("page exchanged", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: Obj(2)}, {Key: "MediaBox", Value: Rect(0, 0, 595, 842)}})
			Set(t, u, Obj(2), "Kids", pdf.Array{p})
		}),
		// Shadows: content that lay hidden in the file comes to light.
		c("shadow: another tree of pages", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "MediaBox", Value: Rect(0, 0, 595, 842)}})
			tree := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: pdf.Array{p}}, {Key: "Count", Value: pdf.Integer(1)}})
			Set(t, u, Obj(1), "Pages", tree)
		}),
		c("shadow: another catalog", same(invalid), func(t testing.TB, u *pdf.Update) {
			d := DictOf(t, u, Obj(1))
			d.Set("OpenAction", pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("app.alert(1)")}})
			u.Set(Obj(1), d)
		}),
		c("shadow: object that was covering is emptied", same(invalid), func(_ testing.TB, u *pdf.Update) { u.Set(Obj(9), Form("")) }),
		c("attachments added", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(1), "Names", pdf.Dict{{Key: "EmbeddedFiles", Value: pdf.Dict{{Key: "Names", Value: pdf.Array{}}}}})
		}),
		c("layers added", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(1), "OCProperties", pdf.Dict{{Key: "OCGs", Value: pdf.Array{}}})
		}),
		// Annotations.
		c("stamp over the text", [4][]string{doubtful, invalid, invalid, doubtful}, func(t testing.TB, u *pdf.Update) {
			AddToPage(t, u, Annotation(u, "Stamp", Rect(60, 690, 400, 730)))
		}),
		c("note in the margin", [4][]string{doubtful, invalid, invalid, valid}, func(t testing.TB, u *pdf.Update) {
			AddToPage(t, u, Annotation(u, "Text", Rect(500, 20, 520, 40)))
		}),
		c("annotation's appearance is page content", same(notValid), func(t testing.TB, u *pdf.Update) {
			// One object in two roles: new as appearance, and replacing what the page shows.
			u.Set(Obj(4), Form("1 g 0 0 200 50 re f"))
			a := Annotation(u, "Text", Rect(500, 20, 520, 40))
			Set(t, u, a, "AP", pdf.Dict{{Key: "N", Value: Obj(4)}})
			AddToPage(t, u, a)
		}),
		c("widget without a field", same(invalid), func(t testing.TB, u *pdf.Update) {
			AddToPage(t, u, Annotation(u, "Widget", Rect(500, 20, 520, 40)))
		}),
		c("annotations removed", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(3), "Annots", nil) }),
		// Forms.
		c("field filled", [4][]string{doubtful, invalid, valid, valid}, func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(7), "V", pdf.String("setuju"), "AP", pdf.Dict{{Key: "N", Value: u.Add(Form("BT (setuju) Tj ET"))}})
		}),
		c("field shows what it does not hold", [4][]string{doubtful, invalid, doubtful, doubtful}, func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(7), "AP", pdf.Dict{{Key: "N", Value: u.Add(Form("BT (tidak setuju) Tj ET"))}})
		}),
		c("field moved", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(7), "Rect", Rect(60, 690, 400, 730)) }),
		c("field's type changed", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(7), "FT", pdf.Name("Btn")) }),
		c("field renamed", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(7), "T", pdf.String("lain")) }),
		c("field with an action", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(7), "AA", pdf.Dict{{Key: "F", Value: pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}}}})
		}),
		c("text field added", same(invalid), func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "baru", Rect(300, 20, 400, 40))
			Set(t, u, f, "FT", pdf.Name("Tx"), "V", pdf.String("isi"))
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}),
		c("field removed", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(6), "Fields", pdf.Array{Obj(8)}) }),
		c("form's font replaced", same(invalid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(6), "DR", pdf.Dict{{Key: "Font", Value: pdf.Dict{{Key: "F1", Value: u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Font")}})}}}})
		}),
		c("signature's field hidden", same(invalid), func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(8), "OC", Obj(9)) }),
		// Sneaky signatures.
		c("signature field over the text", [4][]string{doubtful, invalid, doubtful, doubtful}, func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "palsu", Rect(60, 690, 400, 730))
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}),
		c("signature field in the margin", [4][]string{valid, invalid, valid, valid}, func(t testing.TB, u *pdf.Update) {
			f := SigField(u, "wajar", Rect(400, 20, 500, 60))
			AddToForm(t, u, f)
			AddToPage(t, u, f)
		}),
		c("validation data added", same(valid), func(t testing.TB, u *pdf.Update) {
			Set(t, u, Obj(1), "DSS", u.Add(pdf.Dict{{Key: "Certs", Value: pdf.Array{u.Add(Text("x"))}}}))
		}),
		c("validation data that are page content too", same(invalid), func(t testing.TB, u *pdf.Update) {
			u.Set(Obj(4), Text("BT /F1 18 Tf 72 700 Td (lain) Tj ET"))
			Set(t, u, Obj(1), "DSS", u.Add(pdf.Dict{{Key: "Certs", Value: pdf.Array{Obj(4)}}}))
		}),
		c("object that nothing uses", same(valid), func(_ testing.TB, u *pdf.Update) { u.Add(pdf.Dict{}) }),
		c("all written again as it was", same(valid), func(t testing.TB, u *pdf.Update) {
			for n := uint32(1); n <= 3; n++ {
				u.Set(Obj(n), DictOf(t, u, Obj(n)))
			}
		}),
		c("permissions removed or invented", same(invalid), func(t testing.TB, u *pdf.Update) {
			d := DictOf(t, u, Obj(1))
			if d.Has("Perms") {
				d.Delete("Perms")
			} else {
				d.Set("Perms", pdf.Dict{{Key: "DocMDP", Value: SignatureOf(t, u, "pertama")}})
			}
			u.Set(Obj(1), d)
		}),
		c("signature removed", same(invalid), func(t testing.TB, u *pdf.Update) {
			for _, o := range DictOf(t, u, Obj(6)).Get("Fields").(pdf.Array) {
				if d := DictOf(t, u, o.(pdf.Ref)); d.Get("T") == pdf.String("pertama") {
					Set(t, u, o.(pdf.Ref), "V", nil)
				}
			}
		}),
		c("signature's face exchanged", same(invalid), func(t testing.TB, u *pdf.Update) {
			for _, o := range DictOf(t, u, Obj(6)).Get("Fields").(pdf.Array) {
				if d := DictOf(t, u, o.(pdf.Ref)); d.Get("T") == pdf.String("pertama") {
					Set(t, u, o.(pdf.Ref), "AP", pdf.Dict{{Key: "N", Value: u.Add(Form("BT (Budi) Tj ET"))}})
				}
			}
		}),
	}
}
