package validationtest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"absah/pades"
	"absah/pdf"
)

// shared is a document in which something has two roles, and a later revision
// that changes it in the harmless one.
type shared struct {
	name                        string
	catalog, resources, content string            // further entries, and what the page draws
	form, text, signature       string            // further entries of the form and its two fields
	more                        []string          // objects from 9
	contents, annots, pages     string            // in place of what a page has; inherited by it
	trailer                     string            // further entries of the trailer
	change                      map[uint32]string // data of streams, by object number
	do                          func(t testing.TB, u *pdf.Update)
	want                        [4][]string // as Change.Want; nil: invalid everywhere
}

const faceDict = "/Type /XObject /Subtype /Form /BBox [0 0 100 100]"

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// file builds the document. Object numbers are those of Letter.
func (s shared) file() []byte {
	field := "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R "
	resources := "/Resources << /Font << /F1 5 0 R >> " + s.resources + " >>"
	if s.pages != "" {
		resources = ""
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R " + s.catalog + " >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 " + s.pages + " >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents " + or(s.contents, "4 0 R") + " " + resources + " /Annots " +
			or(s.annots, "[7 0 R 8 0 R]") + " >>",
		Stream("", "BT /F1 18 Tf 72 700 Td (Bayar satu juta rupiah) Tj ET "+s.content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Fields " + or(s.annots, "[7 0 R 8 0 R]") + " /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf 0 g) " + s.form + " >>",
		field + "/FT /Tx /T (catatan) /Rect [72 500 272 520] /DA (/F1 12 Tf 0 g) " + s.text + " >>",
		field + "/FT /Sig /T (kedua) /Rect [72 400 272 450] " + s.signature + " >>",
	}
	return bytes.Replace(Build(append(objects, s.more...)...), []byte(" /Root 1 0 R"), []byte(" /Root 1 0 R "+s.trailer), 1)
}

// sharings are documents in which one object serves two roles.
func sharings() []shared {
	face := Stream(faceDict, "0 g 0 0 100 100 re f")
	darker := map[uint32]string{9: "1 g 0 0 100 100 re f"}
	return []shared{
		{name: "face of an empty signature field, and picture of the page", resources: "/XObject 10 0 R", content: "/N Do", signature: "/AP 10 0 R",
			more: []string{face, "<< /N 9 0 R >>"}, change: darker},
		{name: "face, and picture, two objects on", resources: "/XObject 11 0 R", content: "/N Do", signature: "/AP << /N 11 0 R >>",
			more: []string{face, "<< >>", "<< /N 9 0 R >>"}, change: darker},
		{name: "face, and action when the document opens", catalog: "/OpenAction 10 0 R", signature: "/AP 10 0 R",
			more: []string{Stream(faceDict, "app.alert(1)"), "<< /S /JavaScript /JS 9 0 R /N 9 0 R >>"}, change: map[uint32]string{9: "app.alert(2)"}},
		{name: "face, and key that nobody knows", catalog: "/Lain 10 0 R", signature: "/AP 10 0 R", more: []string{face, "<< /N 9 0 R >>"}, change: darker},
		{name: "validation data, and picture of the page", catalog: "/DSS 10 0 R", resources: "/XObject 10 0 R", content: "/N Do",
			more: []string{face, "<< /N 9 0 R /Certs [9 0 R] >>"}, change: darker},
		{name: "extensions, and picture of the page", catalog: "/Extensions 10 0 R", resources: "/XObject 10 0 R", content: "/N Do",
			more: []string{face, "<< /N 9 0 R >>"}, change: darker},
		{name: "form's XFA, and picture of the page", form: "/XFA 9 0 R", resources: "/XObject 6 0 R", content: "/XFA Do", more: []string{face}, change: darker},
		{name: "element of the structure, and pattern of the page", catalog: "/StructTreeRoot 10 0 R /MarkInfo << /Marked true >>", resources: "/Pattern << /K 9 0 R >>",
			content: "/Pattern cs /K scn 0 0 400 400 re f",
			more: []string{Stream("/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >> /S /Span /P 10 0 R", "0 g 0 0 9 9 re f"),
				"<< /Type /StructTreeRoot /K [9 0 R] >>"}, change: map[uint32]string{9: "1 g 0 0 9 9 re f"}},
		{name: "field, and content of the page", contents: "10 0 R", annots: "10 0 R",
			more:   []string{Stream("/Type /Annot /Subtype /Widget /FT /Sig /T (aliran) /F 4 /P 3 0 R /Rect [72 300 172 350]", "0 g 0 0 100 100 re f"), "[4 0 R 9 0 R 7 0 R 8 0 R]"},
			change: darker},
		{name: "note, and state of the page's graphics", resources: "/ExtGState << /P 9 0 R >>", content: "/P gs BT /F1 18 Tf 72 600 Td (dua kali) Tj ET",
			annots: "[7 0 R 8 0 R 9 0 R]", more: []string{"<< /Type /Annot /Subtype /Text /Rect [500 20 520 40] /P 3 0 R /Contents (catatan) /ca 1 >>"},
			do: func(t testing.TB, u *pdf.Update) { Set(t, u, Obj(9), "ca", pdf.Integer(0)) }},
		{name: "face, and inherited picture of the page", pages: "/Resources << /Font << /F1 5 0 R >> /XObject 10 0 R >>", content: "/N Do", signature: "/AP 10 0 R",
			more: []string{face, "<< /N 9 0 R >>"}, change: darker},
		deepFace(),
		{name: "two fields with one face", text: "/AP 10 0 R", signature: "/AP 10 0 R", more: []string{face, "<< /N 9 0 R >>"}, change: darker,
			want: [4][]string{doubtful, invalid, doubtful, doubtful}},
		{name: "a list of fields that is the page's list too", annots: "9 0 R", more: []string{"[7 0 R 8 0 R]"},
			do: func(t testing.TB, u *pdf.Update) {
				Set(t, u, Obj(7), "V", pdf.String("setuju"), "AP", pdf.Dict{{Key: "N", Value: u.Add(Form("BT (setuju) Tj ET"))}})
			}, want: [4][]string{doubtful, invalid, valid, valid}},
	}
}

// deepFace hides the common part far below the face of a stamp.
func deepFace() shared {
	const levels = 12
	s := shared{name: "face, and part of a stamp's face, far below", signature: "/AP 10 0 R", annots: "[7 0 R 8 0 R 11 0 R]",
		more:   []string{Stream(faceDict, "0 g 0 0 100 100 re f"), "<< /N 9 0 R >>", "<< /Type /Annot /Subtype /Stamp /F 4 /P 3 0 R /Rect [300 300 400 400] /AP << /N 12 0 R >> >>"},
		change: map[uint32]string{9: "1 g 0 0 100 100 re f"}}
	for i := range levels {
		s.more = append(s.more, Stream(faceDict+fmt.Sprintf(" /Resources << /XObject << /N %d 0 R >> >>", 13+i), "/N Do"))
	}
	s.more = append(s.more, Stream(faceDict+" /Resources << /XObject 10 0 R >>", "/N Do"))
	return s
}

// Sharings are documents in which one object serves two roles, changed behind a
// signature in the role that may change.
func (h *House) Sharings(t testing.TB) []Case { return h.prepared(t, sharings()) }

func (h *House) prepared(t testing.TB, list []shared) []Case {
	t.Helper()
	var out []Case
	for _, s := range list {
		if s.want[0] == nil {
			s.want = same(invalid)
		}
		for certify := range 4 {
			base := h.Sign(t, s.file(), pades.Options{Field: "pertama", Certify: pades.Certification(certify)})
			file := Amend(t, base, func(u *pdf.Update) {
				for n, data := range s.change {
					o, err := u.Get(Obj(n))
					if err != nil {
						t.Fatal(err)
					}
					stream, ok := o.(*pdf.Stream)
					if !ok {
						t.Fatalf("%s: object %d is %T", s.name, n, o)
					}
					u.Set(Obj(n), &pdf.Stream{Dict: stream.Dict, Data: []byte(data)})
				}
				if s.do != nil {
					s.do(t, u)
				}
			})
			out = append(out, Case{TwoRoles, fmt.Sprintf("P%d/%s", certify, strings.ReplaceAll(s.name, ",", "")), file, s.want[certify]})
		}
	}
	return out
}
