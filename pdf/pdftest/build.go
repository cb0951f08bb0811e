// Package pdftest makes small PDF files for tests: sound ones of every form that
// ISO 32000-2 knows, each kind of damage that is found in the field, and those
// that attack a reader. It writes bytes and knows nothing of package pdf, so that
// both are never wrong together.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"slices"
	"strings"
)

// File is a file that is being written.
type File struct {
	bytes.Buffer
	Offsets map[int]int64 // of the objects since the last section
	Prev    int64         // place of the last section; -1 before the first
	Size    int           // highest object number plus one
	members map[int][2]int
	free    []int
}

// New begins a file with a header of that version.
func New(version string) *File {
	f := &File{Offsets: make(map[int]int64), members: make(map[int][2]int), Prev: -1, Size: 1}
	f.WriteString("%PDF-" + version + "\n%\xe2\xe3\xcf\xd3\n")
	return f
}

// At returns the place of what is written next.
func (f *File) At() int64 { return int64(f.Len()) }

// Begin notes that object n stands here.
func (f *File) Begin(n int) {
	f.Offsets[n] = f.At()
	f.Size = max(f.Size, n+1)
}

// Object writes "n 0 obj body endobj".
func (f *File) Object(n int, body string) {
	f.Begin(n)
	fmt.Fprintf(f, "%d 0 obj\n%s\nendobj\n", n, body)
}

// Stream writes a stream; dict are its entries besides Length.
func (f *File) Stream(n int, dict string, data []byte) {
	f.Begin(n)
	fmt.Fprintf(f, "%d 0 obj\n<< %s /Length %d >>\nstream\n%s\nendstream\nendobj\n", n, dict, len(data), data)
}

// Member is an object for an object stream.
type Member struct {
	Number int
	Body   string
}

// ObjectStream writes an object stream with members.
func (f *File) ObjectStream(n int, members ...Member) {
	var head, body strings.Builder
	for i, m := range members {
		fmt.Fprintf(&head, "%d %d ", m.Number, body.Len())
		body.WriteString(m.Body + "\n")
		f.members[m.Number] = [2]int{n, i}
		f.Size = max(f.Size, m.Number+1)
	}
	f.Stream(n, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(members), head.Len()), Deflate([]byte(head.String()+body.String())))
}

// Free notes that the next section frees object n.
func (f *File) Free(n int) { f.free = append(f.free, n) }

// runs calls yield for each run of numbers that follow one another.
func runs(numbers []int, yield func(first, count int)) {
	slices.Sort(numbers)
	for i := 0; i < len(numbers); {
		j := i + 1
		for j < len(numbers) && numbers[j] == numbers[j-1]+1 {
			j++
		}
		yield(numbers[i], j-i)
		i = j
	}
}

// numbers are those of the next section.
func (f *File) numbers(compressed bool) []int {
	var n []int
	if f.Prev < 0 {
		n = append(n, 0)
	}
	for k := range f.Offsets {
		n = append(n, k)
	}
	n = append(n, f.free...)
	if compressed {
		for k := range f.members {
			n = append(n, k)
		}
	}
	return n
}

// TableEntries writes "xref" and the subsections of the objects since the last
// section.
func (f *File) TableEntries() {
	f.WriteString("xref\n")
	runs(f.numbers(false), func(first, count int) {
		fmt.Fprintf(f, "%d %d\n", first, count)
		for n := first; n < first+count; n++ {
			switch at, used := f.Offsets[n]; {
			case used:
				fmt.Fprintf(f, "%010d 00000 n \n", at)
			case n == 0:
				f.WriteString("0000000000 65535 f \n")
			default:
				f.WriteString("0000000000 00001 f \n")
			}
		}
	})
}

// Table writes a classic section with its trailer, startxref and %%EOF. trailer
// are its entries besides Size and Prev.
func (f *File) Table(trailer string) {
	at := f.At()
	f.TableEntries()
	if f.Prev >= 0 {
		trailer += fmt.Sprintf(" /Prev %d", f.Prev)
	}
	fmt.Fprintf(f, "trailer\n<< /Size %d %s >>\n", f.Size, trailer)
	f.End(at)
}

// XrefStream writes a section as the stream n, with startxref and %%EOF. Its rows
// go through the PNG predictor Up where predict says so.
func (f *File) XrefStream(n int, trailer string, predict bool) {
	at := f.At()
	f.WriteXrefStream(n, trailer, predict)
	f.End(at)
}

// WriteXrefStream writes a cross-reference stream and nothing behind it.
func (f *File) WriteXrefStream(n int, trailer string, predict bool) {
	f.Begin(n)
	var index strings.Builder
	var rows []byte
	runs(f.numbers(true), func(first, count int) {
		fmt.Fprintf(&index, "%d %d ", first, count)
		for n := first; n < first+count; n++ {
			row := []byte{0, 0, 0, 0, 0, 0xff, 0xff}
			if m, ok := f.members[n]; ok {
				row = []byte{2, 0, 0, byte(m[0] >> 8), byte(m[0]), byte(m[1] >> 8), byte(m[1])}
			}
			if at, ok := f.Offsets[n]; ok {
				row = []byte{1, byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at), 0, 0}
			}
			rows = append(rows, row...)
		}
	})
	parms := ""
	if predict {
		rows = Up(rows, 7)
		parms = " /DecodeParms << /Predictor 12 /Columns 7 >>"
	}
	if f.Prev >= 0 {
		trailer += fmt.Sprintf(" /Prev %d", f.Prev)
	}
	f.Stream(n, fmt.Sprintf("/Type /XRef /W [1 4 2] /Index [%s] /Size %d %s /Filter /FlateDecode%s", strings.TrimSpace(index.String()), f.Size, trailer, parms), Deflate(rows))
}

// End writes startxref and %%EOF for the section at that place and forgets the
// objects of it.
func (f *File) End(at int64) {
	fmt.Fprintf(f, "startxref\n%d\n%%%%EOF\n", at)
	f.Prev = at
	clear(f.Offsets)
	clear(f.members)
	f.free = nil
}

// Deflate compresses as FlateDecode expects it.
func Deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b) //nolint:errcheck // a bytes.Buffer takes all
	w.Close()
	return out.Bytes()
}

// Up puts the row filter Up of PNG before each row.
func Up(b []byte, width int) []byte {
	var out []byte
	prev := make([]byte, width)
	for ; len(b) >= width; b = b[width:] {
		out = append(out, 2)
		for i := range width {
			out = append(out, b[i]-prev[i])
		}
		prev = b[:width]
	}
	return out
}

// Content draws a line of text.
const Content = "BT /F1 24 Tf 72 700 Td (Tanda tangan) Tj ET"

// Trailer is what Body needs.
const Trailer = "/Root 1 0 R /Info 6 0 R /ID [<0123456789abcdef0123456789abcdef> <0123456789abcdef0123456789abcdef>]"

// Body writes the objects 1 to 6: a catalog, a tree with one page, its content,
// a font, and the document information.
func (f *File) Body() {
	f.Head()
	f.Stream(4, "", []byte(Content))
	f.Tail()
}

// Head writes the objects 1 to 3 of Body.
func (f *File) Head() {
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	f.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> >>")
	f.Object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>")
}

// Tail writes the objects 5 and 6 of Body.
func (f *File) Tail() {
	f.Object(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	f.Object(6, "<< /Producer (pdftest) /Title (A \\(small\\) file) >>")
}

// Update writes the objects of a second revision: the page gets a note.
func (f *File) Update() {
	f.Object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Annots [7 0 R] >>")
	f.Object(7, "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (note) >>")
}
