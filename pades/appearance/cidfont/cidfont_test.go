package cidfont_test

import (
	"bytes"
	"strings"
	"testing"

	"absah/pades/appearance"
	"absah/pades/appearance/cidfont"
	"absah/pades/appearance/truetype"
	"absah/pdf"
)

// A font in a file shows each character by a code that leads back to it.
func TestFont(t *testing.T) {
	t.Parallel()
	family, err := appearance.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	chars := map[rune]truetype.GID{}
	for _, r := range "Sah é–" {
		chars[r] = family.Regular.Glyph(r)
	}
	font, err := cidfont.New(family.Regular, chars)
	if err != nil {
		t.Fatal(err)
	}
	var objects []pdf.Object
	font.Object(func(o pdf.Object) pdf.Ref {
		objects = append(objects, o)
		return pdf.Ref{Number: uint32(len(objects))}
	})
	if len(objects) != 6 {
		t.Fatalf("%d objects, want program, ToUnicode, CIDSet, descriptor, descendant and font", len(objects))
	}
	dict := objects[5].(pdf.Dict)
	if name, _ := dict.Get("BaseFont").(pdf.Name); len(name) < 8 || name[6] != '+' || !strings.HasSuffix(string(name), "LiberationSans") {
		t.Errorf("the subset is called %q", name)
	}
	seen := map[uint16]bool{}
	for r, g := range chars {
		code := font.Code(g)
		if code == 0 || seen[code] {
			t.Errorf("%q has the code %d", r, code)
		}
		seen[code] = true
	}
	if font.Code(family.Regular.Glyph('Z')) != 0 {
		t.Error("a glyph that is not in the subset has a code")
	}
	again, err := cidfont.New(family.Regular, chars)
	if err != nil {
		t.Fatal(err)
	}
	var program *pdf.Stream
	again.Object(func(o pdf.Object) pdf.Ref {
		if s, ok := o.(*pdf.Stream); ok && program == nil {
			program = s
		}
		return pdf.Ref{}
	})
	if !bytes.Equal(program.Data, objects[0].(*pdf.Stream).Data) {
		t.Error("the same characters give another font file")
	}
}
