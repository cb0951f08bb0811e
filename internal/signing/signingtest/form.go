package signingtest

import (
	"fmt"
	"strings"
)

// Form is a page with a text field for each name, one below the other, and the
// anchor ${ttd}. A name with a dot is a field below another one.
func Form(names ...string) []byte {
	var objects []string
	add := func(text string) int {
		objects = append(objects, text)
		return len(objects)
	}
	catalog, pages, page := add(""), add(""), add("")
	font := add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>")
	text := "BT /F 12 Tf 1 0 0 1 300 200 Tm (${ttd}) Tj ET"
	content := add(fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(text), text))
	var top, widgets []string
	for i, name := range names {
		y := 700 - 40*i
		parent, leaf, nested := strings.Cut(name, ".")
		if !nested {
			leaf = name
		}
		body := fmt.Sprintf("<</Type/Annot/Subtype/Widget/T(%s)/Rect[72 %d 300 %d]/F 4/P %d 0 R/DA(/F 11 Tf 0 g)", leaf, y, y+24, page)
		if nested {
			above := add("")
			kid := add(body + fmt.Sprintf("/Parent %d 0 R>>", above))
			objects[above-1] = fmt.Sprintf("<</T(%s)/FT/Tx/Kids[%d 0 R]>>", parent, kid)
			top, widgets = append(top, fmt.Sprintf("%d 0 R", above)), append(widgets, fmt.Sprintf("%d 0 R", kid))
			continue
		}
		field := fmt.Sprintf("%d 0 R", add(body+"/FT/Tx>>"))
		top, widgets = append(top, field), append(widgets, field)
	}
	form := add(fmt.Sprintf("<</Fields[%s]/NeedAppearances true/DA(/F 0 Tf 0 g)/DR<</Font<</F %d 0 R>>>>>>", strings.Join(top, " "), font))
	objects[catalog-1] = fmt.Sprintf("<</Type/Catalog/Pages %d 0 R/AcroForm %d 0 R>>", pages, form)
	objects[pages-1] = fmt.Sprintf("<</Type/Pages/Kids[%d 0 R]/Count 1>>", page)
	objects[page-1] = fmt.Sprintf("<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F %d 0 R>>>>/Contents %d 0 R/Annots[%s]>>",
		pages, font, content, strings.Join(widgets, " "))
	return assemble(objects, catalog)
}
