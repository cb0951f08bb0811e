package pdftest

import (
	"fmt"
	"strings"
)

// HostileForms makes small files whose interactive form is endless work for who
// walks through it trustingly. All the rest of them is sound.
func HostileForms() []Case {
	form := func(fields string, more func(f *File)) []byte {
		f := New("1.7")
		f.Body()
		f.Object(1, "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R >>")
		f.Object(9, "<< /Fields ["+fields+"] >>")
		more(f)
		f.Table(Trailer)
		return f.Bytes()
	}
	many := func(n, of int) string { return strings.Repeat(fmt.Sprintf("%d 0 R ", of), n) }
	run := func(first, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d 0 R ", first+i)
		}
		return b.String()
	}
	return []Case{
		{Name: "field tree of exponential size", Data: form("10 0 R", func(f *File) {
			for level := range 18 {
				f.Object(10+level, "<< /T (a) /Kids ["+many(30, 11+level)+"] >>")
			}
			f.Object(28, "<< /T (a) /FT /Btn >>")
		})},
		{Name: "field that is its own kid", Data: form("10 0 R", func(f *File) {
			f.Object(10, "<< /T (a) /Kids [10 0 R 10 0 R 10 0 R] >>")
		})},
		{Name: "long name that many fields inherit", Limit: true, Data: form("10 0 R", func(f *File) {
			f.Object(10, "<< /T ("+strings.Repeat("n", 200_000)+") /Kids ["+run(11, 200)+"] >>")
			for i := range 200 {
				f.Object(11+i, fmt.Sprintf("<< /T (a%d) /FT /Tx /Rect [1 1 90 20] >>", i))
			}
		})},
		{Name: "kids that many fields share", Limit: true, Data: form(run(12, 1100), func(f *File) {
			f.Object(10, "<< /Subtype /Widget /Rect [1 1 90 20] >>")
			f.Object(11, "["+many(1000, 10)+"]")
			for i := range 1100 {
				f.Object(12+i, fmt.Sprintf("<< /T (a%d) /FT /Btn /Kids 11 0 R >>", i))
			}
		})},
	}
}
