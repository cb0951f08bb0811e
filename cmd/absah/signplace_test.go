package main

import (
	"math"
	"os"
	"strings"
	"testing"

	"absah/pdf"
)

// fieldsOf returns the signature fields of a file by name.
func fieldsOf(t *testing.T, name string) map[string]pdf.Dict {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := d.Root()
	if err != nil {
		t.Fatal(err)
	}
	form, err := d.ResolveDict(root.Get("AcroForm"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.ResolveArray(form.Get("Fields"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]pdf.Dict{}
	for _, o := range list {
		f, err := d.ResolveDict(o)
		if err != nil {
			t.Fatal(err)
		}
		title, err := d.ResolveString(f.Get("T"))
		if err != nil {
			t.Fatal(err)
		}
		fields[pdf.DecodeText(title)] = f
	}
	return fields
}

// rectOf is the lower left corner and the size of a field.
func rectOf(t *testing.T, field pdf.Dict) (x, y, w, h float64) {
	t.Helper()
	var v [4]float64
	for i, o := range field.Get("Rect").(pdf.Array) {
		switch o := o.(type) {
		case pdf.Integer:
			v[i] = float64(o)
		case pdf.Real:
			v[i] = float64(o)
		}
	}
	return v[0], v[1], v[2] - v[0], v[3] - v[1]
}

const a4Height = 841.89

// TestSignOrigin: the same box, measured from either corner.
func TestSignOrigin(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	for origin, want := range map[string]float64{"bottom-left": 60, "top-left": a4Height - 60 - 80} {
		out := s.path(origin + ".pdf")
		program(t, nil, append(s.pem(), "--origin", origin, "--visible", "1,50,60,200,80", "--field", "F", s.path("letter.pdf"), out)...).want(t, 0)
		x, y, w, h := rectOf(t, fieldsOf(t, out)["F"])
		if x != 50 || math.Abs(y-want) > .01 || math.Abs(w-200) > .01 || math.Abs(h-80) > .01 {
			t.Errorf("%s: at %v, %v, %v by %v", origin, x, y, w, h)
		}
	}
	r := program(t, nil, append(s.pem(), "--origin", "middle", s.path("letter.pdf"), s.path("o.pdf"))...)
	if r.code == 0 || !strings.Contains(r.err, "--origin") {
		t.Errorf("another origin: %d, %s", r.code, r.err)
	}
}

// TestSignAddField: the second signer signs in the field that the first one made,
// and both signatures are valid.
func TestSignAddField(t *testing.T) {
	t.Parallel()
	s := newSignatory(t)
	one, two := s.path("one.pdf"), s.path("two.pdf")
	program(t, nil, append(s.pem(), "--origin", "top-left", "--visible", "1,50,500,160,60", "--field", "pertama",
		"--add-field", "kedua=1,300,500,160,60", "--add-field", "ketiga=anchor:${ttd}", s.path("letter.pdf"), one)...).want(t, 0)
	fields := fieldsOf(t, one)
	if len(fields) != 3 || fields["kedua"].Get("V") != nil || fields["ketiga"].Get("V") != nil || fields["pertama"].Get("V") == nil {
		t.Fatalf("fields: %v", fields)
	}
	if x, y, w, h := rectOf(t, fields["kedua"]); x != 300 || math.Abs(y-(a4Height-560)) > .01 || math.Abs(w-160) > .01 || math.Abs(h-60) > .01 {
		t.Errorf("the second field is at %v, %v, %v by %v", x, y, w, h)
	}
	if _, y, _, _ := rectOf(t, fields["ketiga"]); y < 700 || y > 760 { // the text stands 100 points below the upper edge
		t.Errorf("the field at the anchor is at %v", y)
	}
	program(t, nil, append(s.pem(), "--field", "kedua", "--text", "Siti Contoh", one, two)...).want(t, 0)
	soundSignatures(t, two, 2)
	program(t, nil, "verify", "--trust", s.path("chain.pem"), two).want(t, 0, `signature "pertama": valid`, `signature "kedua": valid`)
	for _, bad := range []string{"x", "=1,2,3,4,5", "x=", "x=1,2", "x=anchor:", "x=a,b,c,d,e", "pertama.x=1,2,3,4,5", "x=9,1,1,9,9"} {
		out := s.path("bad.pdf")
		r := program(t, nil, append(s.pem(), "--add-field", bad, s.path("letter.pdf"), out)...)
		if r.code != 1 {
			t.Errorf("--add-field %s: exit status %d, %s", bad, r.code, r.err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("--add-field %s: %s was written", bad, out)
		}
	}
}
