package validation

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"absah/pades"
	"absah/pades/validation/validationtest"
	"absah/pdf"
	"absah/pdf/pdftest"
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
	invalid  = expected{Invalid}
	doubtful = expected{Indeterminate}
)

// TestChangesAfterSigning is the table of what may come behind a signature.
func TestChangesAfterSigning(t *testing.T) {
	h := home()
	holds(t, h, h.Changed(t))
}

// TestOneObjectInTwoRoles: what may change in one role, and must not in another,
// must not; what has two roles that both may change, may.
func TestOneObjectInTwoRoles(t *testing.T) {
	h := home()
	holds(t, h, h.Sharings(t))
}

// TestPreparedDocuments: what a document was laid out for before it was signed is
// judged by what it does.
func TestPreparedDocuments(t *testing.T) {
	h := home()
	holds(t, h, h.Preparations(t))
	holds(t, h, h.Generations(t))
}

// TestKindOfAFieldByReference: a signature field is one however its kind is written,
// so what was signed in it is no form data.
func TestKindOfAFieldByReference(t *testing.T) {
	h := home()
	v := h.validator(t)
	file := amend(t, letter("", "<< /Type /Annot /Subtype /Widget /FT 11 0 R /T (lain) /F 4 /Rect [72 300 272 350] /P 3 0 R >>", "/Sig"), func(u *pdf.Update) {
		addToForm(t, u, obj(10))
		addToPage(t, u, obj(10))
	})
	one := h.sign(t, file, pades.Options{Field: "pertama", Certify: 2})
	two := h.sign(t, one, pades.Options{Field: "lain"})
	valid.check(t, judge(t, v, two))
	invalid.check(t, judge(t, v, amend(t, two, func(u *pdf.Update) { set(t, u, obj(10), "V", nil) })))
}

// TestTimestampThatShows: a certification that permits nothing permits document
// timestamps, and no words on the page with them.
func TestTimestampThatShows(t *testing.T) {
	h := home()
	v := h.validator(t)
	one := h.sign(t, letter("", "<< /Type /Annot /Subtype /Widget /FT /Sig /T (waktu) /F 4 /Rect [300 300 400 350] /P 3 0 R >>"), pades.Options{Field: "pertama", Certify: 1})
	hole := validationtest.RawSignature("ETSI.RFC3161", "")
	dict := bytes.Replace([]byte(hole), []byte("/Type /Sig"), []byte("/Type /DocTimeStamp"), 1)
	stamp := func(covered []byte) []byte {
		sum := sha256.Sum256(covered)
		token, err := h.timestamper(signedAt).Timestamp(t.Context(), crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for name, c := range map[string]struct {
		do   func(u *pdf.Update, value pdf.Ref)
		want expected
	}{
		"nothing to see": {func(u *pdf.Update, value pdf.Ref) {
			f := sigField(u, "cap", rect(0, 0, 0, 0))
			set(t, u, f, "V", value, "AP", nil)
			addToForm(t, u, f)
			addToPage(t, u, f)
		}, valid},
		"a new field with a face": {func(u *pdf.Update, value pdf.Ref) {
			f := sigField(u, "cap", rect(400, 20, 500, 60))
			set(t, u, f, "V", value)
			addToForm(t, u, f)
			addToPage(t, u, f)
		}, invalid},
		"a face for a field that was there": {func(u *pdf.Update, value pdf.Ref) {
			set(t, u, obj(8), "V", value, "AP", pdf.Dict{{Key: "N", Value: u.Add(validationtest.Form("BT (LUNAS) Tj ET"))}})
		}, invalid},
		"a field that was there": {func(u *pdf.Update, value pdf.Ref) { set(t, u, obj(8), "V", value) }, valid},
	} {
		var value pdf.Ref
		file := amend(t, one, func(u *pdf.Update) {
			value = u.Add(pdf.Dict{{Key: "Lubang", Value: pdf.String("LUBANG")}})
			c.do(u, value)
		})
		file = validationtest.WithObject(t, file, value, string(dict))
		r := judge(t, v, validationtest.FillHole(t, file, stamp))
		if !slices.Contains(c.want, r.Verdict) {
			t.Errorf("%s: %s", name, dump(r))
		}
	}
}

// TestContainerExchanged: what lies in an object stream changes with it.
func TestContainerExchanged(t *testing.T) {
	h := home()
	v := h.validator(t)
	f := pdftest.New("1.5")
	f.Stream(4, "", []byte(pdftest.Content))
	f.ObjectStream(9, pdftest.Members()[:3]...)
	f.ObjectStream(7, pdftest.Members()[3:]...)
	f.XrefStream(8, pdftest.Trailer, false)
	base := h.sign(t, f.Bytes(), pades.Options{Field: "pertama"})
	valid.check(t, judge(t, v, base))
	doc, err := pdf.Open(pdf.Bytes(base), int64(len(base)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o, err := doc.Object(obj(7))
	if err != nil {
		t.Fatal(err)
	}
	was := o.(*pdf.Stream)
	data, err := doc.StreamData(was)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][2]string{{"/Helvetica", "/Wingdings"}, {"/Helvetica", "/Helvetica"}} {
		evil := bytes.Replace(data, []byte(words[0]), []byte(words[1]), 1)
		changed := words[0] != words[1]
		if bytes.Equal(evil, data) == changed {
			t.Fatalf("no %s in %q", words[0], data)
		}
		file := amend(t, base, func(u *pdf.Update) {
			u.Set(obj(7), &pdf.Stream{Dict: pdf.Dict{{Key: "Type", Value: pdf.Name("ObjStm")}, {Key: "N", Value: was.Dict.Get("N")}, {Key: "First", Value: was.Dict.Get("First")}}, Data: evil})
		})
		r := judge(t, v, file)
		if changed && r.Verdict == Valid {
			t.Errorf("the members are others, and it is called %s", r.Verdict)
		}
		if !changed && r.Verdict != Valid {
			t.Errorf("the members are the same: %s", dump(r))
		}
	}
}

// TestContainersExchangedOverAndOver: how much is compared is bounded, and said.
func TestContainersExchangedOverAndOver(t *testing.T) {
	h := home()
	f := pdftest.New("1.5")
	f.Stream(4, "", []byte(pdftest.Content))
	f.ObjectStream(9, pdftest.Members()...)
	const members = 1000
	var head, data strings.Builder
	var list []pdftest.Member
	for n := range members {
		list = append(list, pdftest.Member{Number: 100 + n, Body: "1"})
		fmt.Fprintf(&head, "%d %d ", 100+n, 2*n)
		data.WriteString("1 ")
	}
	f.ObjectStream(7, list...)
	f.XrefStream(8, pdftest.Trailer, false)
	file := h.sign(t, f.Bytes(), pades.Options{Field: "pertama"})
	packed := string(pdftest.Deflate([]byte(head.String() + data.String())))
	object := "7 0 obj\n" + stream(fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", members, head.Len()), packed) + "\nendobj\n"
	var prev int
	if _, err := fmt.Sscanf(string(file[bytes.LastIndex(file, []byte("startxref")):]), "startxref\n%d", &prev); err != nil {
		t.Fatal(err)
	}
	for range 1<<20/members + 1 {
		at := len(file)
		file = append(file, object...)
		section := len(file)
		file = fmt.Appendf(file, "xref\n7 1\n%010d 00000 n \ntrailer\n<< /Size 2000 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", at, prev, section)
		prev = section
	}
	if r := judge(t, h.validator(t), file); r.Verdict == Valid || !has(r, codeCompare) {
		t.Errorf("called %s: %v", r.Verdict, r.Errors)
	}
}

// TestResourcesWrittenAgain: some writers give a page another object that says the
// same; the object from before is nowhere changed.
func TestResourcesWrittenAgain(t *testing.T) {
	h := home()
	v := h.validator(t)
	own := amend(t, letter(""), func(u *pdf.Update) {
		d, err := u.Get(obj(3))
		if err != nil {
			t.Fatal(err)
		}
		set(t, u, obj(3), "Resources", u.Add(d.(pdf.Dict).Get("Resources")))
	})
	base := h.sign(t, own, pades.Options{Field: "pertama"})
	again := func(more ...pdf.Entry) []byte {
		return amend(t, base, func(u *pdf.Update) {
			d, err := u.Get(obj(3))
			if err != nil {
				t.Fatal(err)
			}
			old, err := u.Get(d.(pdf.Dict).Get("Resources").(pdf.Ref))
			if err != nil {
				t.Fatal(err)
			}
			set(t, u, obj(3), "Resources", u.Add(append(old.(pdf.Dict).Clone(), more...)))
		})
	}
	valid.check(t, judge(t, v, again()))
	invalid.check(t, judge(t, v, again(pdf.Entry{Key: "Pattern", Value: pdf.Dict{}})))
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

// TestLockedFields: a field that a signature locks stays as it is, whatever the
// document's certification lets be filled in (ISO 32000-2 12.7.5.5, 12.8.2.4).
func TestLockedFields(t *testing.T) {
	h := home()
	v := h.validator(t)
	fill := func(u *pdf.Update) {
		set(t, u, obj(7), "V", pdf.String("setuju"), "AP", pdf.Dict{{Key: "N", Value: u.Add(validationtest.Form("BT (setuju) Tj ET"))}})
	}
	for _, c := range []struct {
		lock *pades.Lock
		want expected
	}{
		{&pades.Lock{Action: pades.LockAll}, invalid},
		{&pades.Lock{Action: pades.LockInclude, Fields: []string{"catatan"}}, invalid},
		{&pades.Lock{Action: pades.LockInclude, Fields: []string{"lain"}}, valid},
		{&pades.Lock{Action: pades.LockExclude, Fields: []string{"catatan"}}, valid},
		{&pades.Lock{Action: pades.LockExclude, Fields: []string{"lain"}}, invalid},
	} {
		for _, certify := range []pades.Certification{0, 2} {
			signed := h.sign(t, letter(""), pades.Options{Field: "pertama", Certify: certify, Lock: c.lock})
			valid.check(t, judge(t, v, signed))
			t.Logf("%s %q, P %d", c.lock.Action, c.lock.Fields, certify)
			c.want.check(t, judge(t, v, amend(t, signed, fill)))
		}
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

// TestBytesBehindTheEnd: what no revision accounts for is not signed; ends of line
// are harmless.
func TestBytesBehindTheEnd(t *testing.T) {
	h := home()
	holds(t, h, h.Tails(t))
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	for name, tail := range map[string]string{"one line end": "\n", "two": "\r\n"} {
		t.Run(name, func(t *testing.T) {
			r := judge(t, h.validator(t), append(bytes.Clone(base), tail...))
			if r.Verdict == Invalid {
				t.Errorf("a line end at the end makes nothing invalid: %s", dump(r))
			}
		})
	}
}
