package pdftest

import (
	"bytes"
	"fmt"
)

// Harmless makes files as signers in use leave them: they depart from the
// standard, and every reader sees the same in them.
func Harmless() []Case {
	space := New("1.7")
	space.Body()
	for n := range space.Offsets {
		space.Offsets[n]-- // the end of line before each
	}
	delete(space.Offsets, 1) // the first has a comment before it
	space.Begin(1)
	space.WriteString("1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
	space.Table(Trailer)

	twice := New("1.7")
	twice.Body()
	twice.Object(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	twice.Table(Trailer)

	linearization := New("1.7")
	linearization.Object(9, "<< /Linearized 1 /L 99999 /O 3 /E 1 /N 1 /T 1 >>")
	clear(linearization.Offsets)
	linearization.Body()
	linearization.Table(Trailer)

	// A hybrid file whose signer copied XRefStm into the trailer of its update.
	stale := New("1.4")
	stale.Body()
	stale.hide(7, 8, 9)
	stream := bytes.LastIndex(stale.Bytes(), []byte("9 0 obj"))
	stale.Object(7, "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (newer) >>")
	stale.Table(fmt.Sprintf("%s /XRefStm %d", Trailer, stream))

	// An update that writes a cross-reference stream, and then a table that names
	// it as an object.
	spare := sound()
	spare.Update()
	prev := spare.Prev
	spare.WriteXrefStream(8, Trailer, false)
	spare.Prev = prev
	spare.Table(Trailer)

	// The trailer that some producers put behind a cross-reference stream.
	behind := New("1.5")
	behind.Body()
	at := behind.At()
	behind.WriteXrefStream(7, Trailer, false)
	behind.WriteString("trailer\n<< /Size 8 >>\n")
	behind.End(at)

	ends := sound()
	ends.Truncate(ends.Len() - len(fmt.Sprintf("startxref\n%d\n%%%%EOF\n", ends.Prev)))
	fmt.Fprintf(ends, "%%a signer's name\nstartxref\n%d\n%%%%EOF\n", ends.Prev)

	unused := New("1.5")
	unused.Stream(4, "", []byte(Content))
	unused.ObjectStream(7, append(Members(), Member{9, "(unused)"})...)
	delete(unused.members, 9)
	unused.Object(10, "(unused)")
	delete(unused.Offsets, 10)
	unused.XrefStream(8, Trailer, false)

	return []Case{
		{Name: "objects that nothing uses", Data: unused.Bytes(), Revisions: 1, Anomalies: []string{"object-unused"}},
		{Name: "comment about a stream", Data: replace("/Contents 4 0 R >>\nendobj\n", "/Contents 4 0 R >>\nendobj\n% The content stream; its trailer, and 3 pages of xref.\n"), Revisions: 1},
		{Name: "entries that point at the end of line before", Data: space.Bytes(), Revisions: 1, Anomalies: []string{"offset-space"}},
		{Name: "object twice and the same", Data: twice.Bytes(), Revisions: 1, Anomalies: []string{"object-spare"}},
		{Name: "linearization dictionary that is left", Data: linearization.Bytes(), Revisions: 1, Anomalies: []string{"object-spare"}},
		{Name: "XRefStm copied", Data: stale.Bytes(), Revisions: 2, Anomalies: []string{"hybrid-stale"}},
		{Name: "cross-reference stream as an object", Data: spare.Bytes(), Revisions: 2, Anomalies: []string{"section-spare"}},
		{Name: "trailer behind a cross-reference stream", Data: behind.Bytes(), Revisions: 1, Anomalies: []string{"xref-syntax"}},
		{Name: "white space at the end", Data: append(sound().Bytes(), "\r\n\r\n \t"...), Revisions: 1, Anomalies: []string{"trailing-space"}},
		{Name: "comment before startxref", Data: ends.Bytes(), Revisions: 1},
		{Name: "comment between objects", Data: replace("/Contents 4 0 R >>\nendobj\n", "/Contents 4 0 R >>\nendobj\n% An object follows.\n"), Revisions: 1},
		{Name: "startxref at the end of line before", Data: tail("startxref", fmt.Sprintf("startxref\n%d\n%%%%EOF\n", sound().Prev-1)), Revisions: 1, Anomalies: []string{"xref-syntax"}},
	}
}
