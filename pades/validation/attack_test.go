package validation

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"absah/pades"
	"absah/pdf"
)

// expected is what a case may be called: never what is not in it.
type expected []Verdict

func (e expected) check(t *testing.T, r *Report) {
	t.Helper()
	for _, v := range e {
		if r.Verdict == v {
			return
		}
	}
	t.Errorf("called %s, want %v\n%s", r.Verdict, []Verdict(e), dump(r))
}

var (
	valid    = expected{Valid}
	notValid = expected{Invalid, Indeterminate}
	invalid  = expected{Invalid}
	doubtful = expected{Indeterminate}
)

func dictOf(t testing.TB, u *pdf.Update, r pdf.Ref) pdf.Dict {
	t.Helper()
	o, err := u.Get(r)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := o.(pdf.Dict)
	if !ok {
		t.Fatalf("%v is %T", r, o)
	}
	return d.Clone()
}

func obj(n uint32) pdf.Ref { return pdf.Ref{Number: n} }

// set gives keys of an object new values.
func set(t testing.TB, u *pdf.Update, r pdf.Ref, pairs ...any) {
	t.Helper()
	d := dictOf(t, u, r)
	for i := 0; i < len(pairs); i += 2 {
		value, _ := pairs[i+1].(pdf.Object)
		if value == nil {
			d.Delete(pdf.Name(pairs[i].(string)))
			continue
		}
		d.Set(pdf.Name(pairs[i].(string)), value)
	}
	u.Set(r, d)
}

func text(s string) *pdf.Stream {
	return &pdf.Stream{Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(len(s))}}, Data: []byte(s)}
}

func form(s string) *pdf.Stream {
	return &pdf.Stream{Dict: pdf.Dict{
		{Key: "Type", Value: pdf.Name("XObject")}, {Key: "Subtype", Value: pdf.Name("Form")},
		{Key: "BBox", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(200), pdf.Integer(50)}},
		{Key: "Length", Value: pdf.Integer(len(s))},
	}, Data: []byte(s)}
}

func rect(a, b, c, d int) pdf.Array {
	return pdf.Array{pdf.Integer(a), pdf.Integer(b), pdf.Integer(c), pdf.Integer(d)}
}

// annotation is one on the page with an appearance of its own.
func annotation(u *pdf.Update, subtype string, r pdf.Array) pdf.Ref {
	return u.Add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name(subtype)}, {Key: "Rect", Value: r}, {Key: "F", Value: pdf.Integer(4)},
		{Key: "P", Value: obj(3)}, {Key: "Contents", Value: pdf.String("lain")},
		{Key: "AP", Value: pdf.Dict{{Key: "N", Value: u.Add(form("1 g 0 0 200 50 re f"))}}},
	})
}

func addToPage(t testing.TB, u *pdf.Update, more ...pdf.Object) {
	t.Helper()
	annots := dictOf(t, u, obj(3)).Get("Annots").(pdf.Array)
	set(t, u, obj(3), "Annots", append(annots[:len(annots):len(annots)], more...))
}

// sigField is a signature field with a face at r.
func sigField(u *pdf.Update, name string, r pdf.Array) pdf.Ref {
	return u.Add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name("Widget")}, {Key: "FT", Value: pdf.Name("Sig")},
		{Key: "T", Value: pdf.String(name)}, {Key: "F", Value: pdf.Integer(4)}, {Key: "Rect", Value: r}, {Key: "P", Value: obj(3)},
		{Key: "AP", Value: pdf.Dict{{Key: "N", Value: u.Add(form("1 g 0 0 200 50 re f"))}}},
	})
}

func addToForm(t testing.TB, u *pdf.Update, more ...pdf.Object) {
	t.Helper()
	fields := dictOf(t, u, obj(6)).Get("Fields").(pdf.Array)
	set(t, u, obj(6), "Fields", append(fields[:len(fields):len(fields)], more...))
}

// signatureOf finds the dictionary of the signature in the named field.
func signatureOf(t testing.TB, u *pdf.Update, field string) pdf.Ref {
	t.Helper()
	for _, o := range dictOf(t, u, obj(6)).Get("Fields").(pdf.Array) {
		d := dictOf(t, u, o.(pdf.Ref))
		if d.Get("T") == pdf.String(field) {
			return d.Get("V").(pdf.Ref)
		}
	}
	t.Fatalf("no field %s", field)
	return pdf.Ref{}
}

// change is one later revision and what it is to be called behind an approval
// signature and behind certifications of the three levels.
type change struct {
	name                 string
	do                   func(t testing.TB, u *pdf.Update)
	approval, p1, p2, p3 expected
}

func same(e expected) [4]expected { return [4]expected{e, e, e, e} }

func changesUnderTest() []change {
	c := func(name string, e [4]expected, do func(t testing.TB, u *pdf.Update)) change {
		return change{name, do, e[0], e[1], e[2], e[3]}
	}
	return []change{
		// Incremental saving: what is shown changes.
		c("contents replaced", same(invalid), func(_ testing.TB, u *pdf.Update) {
			u.Set(obj(4), text("BT /F1 18 Tf 72 700 Td (Bayar satu miliar rupiah) Tj ET"))
		}),
		c("contents added", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(3), "Contents", pdf.Array{obj(4), u.Add(text("BT /F1 18 Tf 72 600 Td (tambahan) Tj ET"))})
		}),
		c("font replaced", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(5), "BaseFont", pdf.Name("Symbol"))
		}),
		c("page's box changed", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(3), "MediaBox", rect(0, 0, 300, 300)) }),
		c("page turned", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(3), "Rotate", pdf.Integer(180)) }),
		c("resources changed", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(3), "Resources", pdf.Dict{{Key: "Font", Value: pdf.Dict{}}})
		}),
		c("page added", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: obj(2)}, {Key: "MediaBox", Value: rect(0, 0, 595, 842)}})
			set(t, u, obj(2), "Kids", pdf.Array{obj(3), p}, "Count", pdf.Integer(2))
		}),
		c("page exchanged", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "Parent", Value: obj(2)}, {Key: "MediaBox", Value: rect(0, 0, 595, 842)}})
			set(t, u, obj(2), "Kids", pdf.Array{p})
		}),
		// Shadows: content that lay hidden in the file comes to light.
		c("shadow: another tree of pages", same(invalid), func(t testing.TB, u *pdf.Update) {
			p := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Page")}, {Key: "MediaBox", Value: rect(0, 0, 595, 842)}})
			tree := u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Pages")}, {Key: "Kids", Value: pdf.Array{p}}, {Key: "Count", Value: pdf.Integer(1)}})
			set(t, u, obj(1), "Pages", tree)
		}),
		c("shadow: another catalog", same(invalid), func(t testing.TB, u *pdf.Update) {
			d := dictOf(t, u, obj(1))
			d.Set("OpenAction", pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}, {Key: "JS", Value: pdf.String("app.alert(1)")}})
			u.Set(obj(1), d)
		}),
		c("shadow: object that was covering is emptied", same(invalid), func(_ testing.TB, u *pdf.Update) { u.Set(obj(9), form("")) }),
		c("attachments added", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(1), "Names", pdf.Dict{{Key: "EmbeddedFiles", Value: pdf.Dict{{Key: "Names", Value: pdf.Array{}}}}})
		}),
		c("layers added", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(1), "OCProperties", pdf.Dict{{Key: "OCGs", Value: pdf.Array{}}})
		}),
		// Annotations.
		c("stamp over the text", [4]expected{doubtful, invalid, invalid, doubtful}, func(t testing.TB, u *pdf.Update) {
			addToPage(t, u, annotation(u, "Stamp", rect(60, 690, 400, 730)))
		}),
		c("note in the margin", [4]expected{doubtful, invalid, invalid, valid}, func(t testing.TB, u *pdf.Update) {
			addToPage(t, u, annotation(u, "Text", rect(500, 20, 520, 40)))
		}),
		c("annotation's appearance is page content", same(notValid), func(t testing.TB, u *pdf.Update) {
			// One object in two roles: new as appearance, and replacing what the page shows.
			u.Set(obj(4), form("1 g 0 0 200 50 re f"))
			a := annotation(u, "Text", rect(500, 20, 520, 40))
			set(t, u, a, "AP", pdf.Dict{{Key: "N", Value: obj(4)}})
			addToPage(t, u, a)
		}),
		c("widget without a field", same(invalid), func(t testing.TB, u *pdf.Update) {
			addToPage(t, u, annotation(u, "Widget", rect(500, 20, 520, 40)))
		}),
		c("annotations removed", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(3), "Annots", nil) }),
		// Forms.
		c("field filled", [4]expected{doubtful, invalid, valid, valid}, func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(7), "V", pdf.String("setuju"), "AP", pdf.Dict{{Key: "N", Value: u.Add(form("BT (setuju) Tj ET"))}})
		}),
		c("field shows what it does not hold", [4]expected{doubtful, invalid, doubtful, doubtful}, func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(7), "AP", pdf.Dict{{Key: "N", Value: u.Add(form("BT (tidak setuju) Tj ET"))}})
		}),
		c("field moved", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(7), "Rect", rect(60, 690, 400, 730)) }),
		c("field's type changed", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(7), "FT", pdf.Name("Btn")) }),
		c("field renamed", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(7), "T", pdf.String("lain")) }),
		c("field with an action", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(7), "AA", pdf.Dict{{Key: "F", Value: pdf.Dict{{Key: "S", Value: pdf.Name("JavaScript")}}}})
		}),
		c("text field added", same(invalid), func(t testing.TB, u *pdf.Update) {
			f := sigField(u, "baru", rect(300, 20, 400, 40))
			set(t, u, f, "FT", pdf.Name("Tx"), "V", pdf.String("isi"))
			addToForm(t, u, f)
			addToPage(t, u, f)
		}),
		c("field removed", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(6), "Fields", pdf.Array{obj(8)}) }),
		c("form's font replaced", same(invalid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(6), "DR", pdf.Dict{{Key: "Font", Value: pdf.Dict{{Key: "F1", Value: u.Add(pdf.Dict{{Key: "Type", Value: pdf.Name("Font")}})}}}})
		}),
		c("signature's field hidden", same(invalid), func(t testing.TB, u *pdf.Update) { set(t, u, obj(8), "OC", obj(9)) }),
		// Sneaky signatures.
		c("signature field over the text", [4]expected{doubtful, invalid, doubtful, doubtful}, func(t testing.TB, u *pdf.Update) {
			f := sigField(u, "palsu", rect(60, 690, 400, 730))
			addToForm(t, u, f)
			addToPage(t, u, f)
		}),
		c("signature field in the margin", [4]expected{valid, invalid, valid, valid}, func(t testing.TB, u *pdf.Update) {
			f := sigField(u, "wajar", rect(400, 20, 500, 60))
			addToForm(t, u, f)
			addToPage(t, u, f)
		}),
		c("validation data added", same(valid), func(t testing.TB, u *pdf.Update) {
			set(t, u, obj(1), "DSS", u.Add(pdf.Dict{{Key: "Certs", Value: pdf.Array{u.Add(text("x"))}}}))
		}),
		c("validation data that are page content too", same(invalid), func(t testing.TB, u *pdf.Update) {
			u.Set(obj(4), text("BT /F1 18 Tf 72 700 Td (lain) Tj ET"))
			set(t, u, obj(1), "DSS", u.Add(pdf.Dict{{Key: "Certs", Value: pdf.Array{obj(4)}}}))
		}),
		c("object that nothing uses", same(valid), func(_ testing.TB, u *pdf.Update) { u.Add(pdf.Dict{}) }),
		c("all written again as it was", same(valid), func(t testing.TB, u *pdf.Update) {
			for n := uint32(1); n <= 3; n++ {
				u.Set(obj(n), dictOf(t, u, obj(n)))
			}
		}),
		c("permissions removed or invented", same(invalid), func(t testing.TB, u *pdf.Update) {
			d := dictOf(t, u, obj(1))
			if d.Has("Perms") {
				d.Delete("Perms")
			} else {
				d.Set("Perms", pdf.Dict{{Key: "DocMDP", Value: signatureOf(t, u, "pertama")}})
			}
			u.Set(obj(1), d)
		}),
		c("signature removed", same(expected{Invalid}), func(t testing.TB, u *pdf.Update) {
			for _, o := range dictOf(t, u, obj(6)).Get("Fields").(pdf.Array) {
				if d := dictOf(t, u, o.(pdf.Ref)); d.Get("T") == pdf.String("pertama") {
					set(t, u, o.(pdf.Ref), "V", nil)
				}
			}
		}),
		c("signature's face exchanged", same(invalid), func(t testing.TB, u *pdf.Update) {
			for _, o := range dictOf(t, u, obj(6)).Get("Fields").(pdf.Array) {
				if d := dictOf(t, u, o.(pdf.Ref)); d.Get("T") == pdf.String("pertama") {
					set(t, u, o.(pdf.Ref), "AP", pdf.Dict{{Key: "N", Value: u.Add(form("BT (Budi) Tj ET"))}})
				}
			}
		}),
	}
}

// TestChangesAfterSigning is the table of what may come behind a signature.
func TestChangesAfterSigning(t *testing.T) {
	h := home()
	v := h.validator(t)
	for _, certify := range []int{0, 1, 2, 3} {
		base := h.sign(t, letter(""), pades.Options{Field: "pertama", Certify: pades.Certification(certify)})
		valid.check(t, judge(t, v, base))
		for _, c := range changesUnderTest() {
			t.Run(fmt.Sprintf("P%d/%s", certify, c.name), func(t *testing.T) {
				file := amend(t, base, func(u *pdf.Update) { c.do(t, u) })
				[]expected{c.approval, c.p1, c.p2, c.p3}[certify].check(t, judge(t, v, file))
			})
		}
	}
}

// TestFurtherSignatures: what signers do to one another's documents is permitted.
func TestFurtherSignatures(t *testing.T) {
	h := home()
	v := h.validator(t)
	for _, certify := range []pades.Certification{0, 2, 3} {
		one := h.sign(t, letter(""), pades.Options{Field: "pertama", Certify: certify})
		two := h.sign(t, one, pades.Options{Field: "kedua"})
		r := judge(t, v, two)
		valid.check(t, r)
		if len(r.Signatures) != 2 || r.Signatures[0].CoversWholeFile || !r.Signatures[1].CoversWholeFile || len(r.Signatures[0].ChangesAfter) == 0 {
			t.Errorf("coverage and changes: %s", dump(r))
		}
		three := h.sign(t, two, pades.Options{Level: pades.BLTA, Timestamper: h.timestamper(signedAt), Evidence: h.source()})
		valid.check(t, judge(t, v, three))
	}
}

// TestObjectsThatNothingNames: what no reader gets to may refer to whatever it
// likes, but an object that a later revision brings to light may not.
func TestObjectsThatNothingNames(t *testing.T) {
	h := home()
	v := h.validator(t)
	lost := letter("", "<< /Catalog 1 0 R /Page [3 0 R] /Contents 4 0 R >>")
	base := h.sign(t, lost, pades.Options{Field: "pertama"})
	valid.check(t, judge(t, v, h.sign(t, base, pades.Options{Field: "kedua"})))
	found := amend(t, base, func(u *pdf.Update) { set(t, u, obj(1), "Lost", obj(10)) })
	invalid.check(t, judge(t, v, found))
}

// TestAnchorsMayBeCovered: two signers over two anchors is the ordinary letter;
// text around an anchor stays protected.
func TestAnchorsMayBeCovered(t *testing.T) {
	h := home()
	v := h.validator(t)
	for words, want := range map[string]expected{"#": valid, "${dua}": valid, "{{dua}}": valid, "# Rp": doubtful, "${dua} juta": doubtful, "dua": doubtful} {
		file := amend(t, letter(""), func(u *pdf.Update) {
			set(t, u, obj(3), "Contents", pdf.Array{obj(4), u.Add(text("BT /F1 18 Tf 300 300 Td (" + words + ") Tj ET"))})
		})
		base := h.sign(t, file, pades.Options{Field: "pertama"})
		later := amend(t, base, func(u *pdf.Update) {
			f := sigField(u, "di sini", rect(280, 280, 440, 340))
			addToForm(t, u, f)
			addToPage(t, u, f)
		})
		t.Run(words, func(t *testing.T) { want.check(t, judge(t, v, later)) })
	}
}

// TestBytesBehindTheEnd: what no revision accounts for is not signed.
func TestBytesBehindTheEnd(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	page := "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>\nendobj\n"
	start := bytes.LastIndex(base, []byte("startxref"))
	for name, tail := range map[string]string{
		"only an object":              page,
		"object and end of file":      page + "%%EOF\n",
		"object and trailer":          page + "trailer\n<< /Size 20 /Root 1 0 R >>\n%%EOF\n",
		"table without trailer":       page + fmt.Sprintf("xref\n3 1\n%010d 00000 n \n", len(base)) + fmt.Sprintf("startxref\n%d\n%%%%EOF\n", len(base)+len(page)),
		"old startxref again":         page + string(base[start:]),
		"startxref to nowhere":        page + "startxref\n5\n%%EOF\n",
		"second header":               "%PDF-1.4\n" + page,
		"comment":                     "% hello\n",
		"whole second document":       string(letter("")),
		"table with Prev to itself":   page + fmt.Sprintf("xref\n3 1\n%010d 00000 n \ntrailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", len(base), len(base)+len(page), len(base)+len(page)),
		"table that hides older ones": page + fmt.Sprintf("xref\n3 1\n%010d 00000 n \ntrailer\n<< /Size 20 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(base), len(base)+len(page)),
		"zero bytes":                  strings.Repeat("\x00", 64),
	} {
		t.Run(name, func(t *testing.T) {
			want := notValid
			if name == "whole second document" { // which is what readers show, and it has no signature
				want = expected{Unsigned, Indeterminate, Invalid}
			}
			want.check(t, judge(t, v, append(bytes.Clone(base), tail...)))
		})
	}
	for name, tail := range map[string]string{"one line end": "\n", "two": "\r\n"} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, v, append(bytes.Clone(base), tail...))
			if r.Verdict == Invalid {
				t.Errorf("a line end at the end makes nothing invalid: %s", dump(r))
			}
		})
	}
}
