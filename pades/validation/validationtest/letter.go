package validationtest

import (
	"bytes"
	"fmt"
	"testing"

	"absah/pdf"
)

// Build writes a file of the objects, number 1 the catalog, with a classic table.
func Build(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for i, o := range objects {
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// Stream writes a stream object.
func Stream(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

// Letter is a page with text, a form with a text field, and an empty signature
// field. Object numbers: 4 contents, 5 font, 6 form, 7 text field, 8 signature
// field, 9 an image that the page does not draw yet; then more.
func Letter(form string, more ...string) []byte {
	return Build(append([]string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject << /Im1 9 0 R >> >> /Annots [7 0 R 8 0 R] >>",
		Stream("", "BT /F1 18 Tf 72 700 Td (Bayar satu juta rupiah) Tj ET"),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Fields [7 0 R 8 0 R] /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf 0 g) " + form + " >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (catatan) /F 4 /Rect [72 500 272 520] /DA (/F1 12 Tf 0 g) /P 3 0 R >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (kedua) /F 4 /Rect [72 400 272 450] /P 3 0 R >>",
		Stream("/Type /XObject /Subtype /Form /BBox [0 0 100 100]", "0 g 0 0 100 100 re f"),
	}, more...)...)
}

// Amend appends a revision that sets and adds objects.
func Amend(t testing.TB, file []byte, change func(*pdf.Update)) []byte {
	t.Helper()
	doc, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := doc.NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	tail, _, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(file), tail...)
}

// DictOf gives a copy of an object that is a dictionary.
func DictOf(t testing.TB, u *pdf.Update, r pdf.Ref) pdf.Dict {
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

// Obj refers to an object.
func Obj(n uint32) pdf.Ref { return pdf.Ref{Number: n} }

// Set gives keys of an object new values.
func Set(t testing.TB, u *pdf.Update, r pdf.Ref, pairs ...any) {
	t.Helper()
	d := DictOf(t, u, r)
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

// Text is a content stream.
func Text(s string) *pdf.Stream {
	return &pdf.Stream{Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(len(s))}}, Data: []byte(s)}
}

// Form is a form XObject.
func Form(s string) *pdf.Stream {
	return &pdf.Stream{Dict: pdf.Dict{
		{Key: "Type", Value: pdf.Name("XObject")}, {Key: "Subtype", Value: pdf.Name("Form")},
		{Key: "BBox", Value: pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(200), pdf.Integer(50)}},
		{Key: "Length", Value: pdf.Integer(len(s))},
	}, Data: []byte(s)}
}

// Rect is a rectangle.
func Rect(a, b, c, d int) pdf.Array {
	return pdf.Array{pdf.Integer(a), pdf.Integer(b), pdf.Integer(c), pdf.Integer(d)}
}

// Annotation is one on the page with an appearance of its own.
func Annotation(u *pdf.Update, subtype string, r pdf.Array) pdf.Ref {
	return u.Add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name(subtype)}, {Key: "Rect", Value: r}, {Key: "F", Value: pdf.Integer(4)},
		{Key: "P", Value: Obj(3)}, {Key: "Contents", Value: pdf.String("lain")},
		{Key: "AP", Value: pdf.Dict{{Key: "N", Value: u.Add(Form("1 g 0 0 200 50 re f"))}}},
	})
}

// AddToPage gives the page annotations.
func AddToPage(t testing.TB, u *pdf.Update, more ...pdf.Object) {
	t.Helper()
	annots := DictOf(t, u, Obj(3)).Get("Annots").(pdf.Array)
	Set(t, u, Obj(3), "Annots", append(annots[:len(annots):len(annots)], more...))
}

// SigField is a signature field with a face at r.
func SigField(u *pdf.Update, name string, r pdf.Array) pdf.Ref {
	return u.Add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Annot")}, {Key: "Subtype", Value: pdf.Name("Widget")}, {Key: "FT", Value: pdf.Name("Sig")},
		{Key: "T", Value: pdf.String(name)}, {Key: "F", Value: pdf.Integer(4)}, {Key: "Rect", Value: r}, {Key: "P", Value: Obj(3)},
		{Key: "AP", Value: pdf.Dict{{Key: "N", Value: u.Add(Form("1 g 0 0 200 50 re f"))}}},
	})
}

// AddToForm gives the form fields.
func AddToForm(t testing.TB, u *pdf.Update, more ...pdf.Object) {
	t.Helper()
	fields := DictOf(t, u, Obj(6)).Get("Fields").(pdf.Array)
	Set(t, u, Obj(6), "Fields", append(fields[:len(fields):len(fields)], more...))
}

// SignatureOf finds the dictionary of the signature in the named field.
func SignatureOf(t testing.TB, u *pdf.Update, field string) pdf.Ref {
	t.Helper()
	for _, o := range DictOf(t, u, Obj(6)).Get("Fields").(pdf.Array) {
		d := DictOf(t, u, o.(pdf.Ref))
		if d.Get("T") == pdf.String(field) {
			return d.Get("V").(pdf.Ref)
		}
	}
	t.Fatalf("no field %s", field)
	return pdf.Ref{}
}
