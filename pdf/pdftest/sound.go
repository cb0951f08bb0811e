package pdftest

import (
	"bytes"
	"fmt"
)

// Case is one small file.
type Case struct {
	Name      string
	Data      []byte
	Pages     int      // -1: it cannot be opened
	Revisions int      // 0: not to be looked at
	Anomalies []string // kinds that must be told; nil for a sound file
	Limit     bool     // some object must be refused for its size
}

// Sound makes files that keep ISO 32000-2 to the letter.
func Sound() []Case {
	table := New("1.4")
	table.Body()
	table.Table(Trailer)

	incremental := New("1.7")
	incremental.Body()
	incremental.Table(Trailer)
	incremental.Update()
	incremental.Table(Trailer)
	incremental.Free(7)
	incremental.Object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>")
	incremental.Table(Trailer)

	streams := New("1.5")
	streams.Body()
	streams.XrefStream(7, Trailer, false)

	streamUpdate := New("1.5")
	streamUpdate.Body()
	streamUpdate.XrefStream(8, Trailer, true)
	streamUpdate.Update()
	streamUpdate.XrefStream(9, Trailer, true)

	return []Case{
		{Name: "table", Data: table.Bytes(), Pages: 1, Revisions: 1},
		{Name: "table with CR LF", Data: crlf(), Pages: 1, Revisions: 1},
		{Name: "incremental", Data: incremental.Bytes(), Pages: 1, Revisions: 3},
		{Name: "xref stream", Data: streams.Bytes(), Pages: 1, Revisions: 1},
		{Name: "incremental xref streams", Data: streamUpdate.Bytes(), Pages: 1, Revisions: 2},
		{Name: "object streams", Data: objectStreams(), Pages: 1, Revisions: 1},
		{Name: "hybrid", Data: hybrid(), Pages: 1, Revisions: 1},
		{Name: "linearized", Data: Linearized(), Pages: 1, Revisions: 1},
		{Name: "linearized and updated", Data: linearizedUpdated(), Pages: 1, Revisions: 2},
		{Name: "page tree", Data: pageTree(), Pages: 5, Revisions: 1},
		{Name: "every kind of object", Data: objects(), Pages: 1, Revisions: 1},
		{Name: "filters", Data: filters(), Pages: 1, Revisions: 1},
		{Name: "stream length by reference", Data: lengthReference(), Pages: 1, Revisions: 1},
	}
}

func crlf() []byte {
	f := New("1.3")
	f.Body()
	at := f.At()
	f.TableEntries()
	fmt.Fprintf(f, "trailer\r\n<< /Size %d %s >>\r\n", f.Size, Trailer)
	b := f.Bytes()
	b = append(b[:at:at], bytes.ReplaceAll(b[at:], []byte(" \n"), []byte("\r\n"))...)
	return fmt.Appendf(b, "startxref\r\n%d\r\n%%%%EOF\r\n", at)
}

// Members are the objects of Body that may stand in an object stream.
func Members() []Member {
	return []Member{
		{1, "<< /Type /Catalog /Pages 2 0 R >>"},
		{2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> >>"},
		{3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"},
		{5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"},
		{6, "<< /Producer (pdftest) >>"},
	}
}

func objectStreams() []byte {
	f := New("1.5")
	f.Stream(4, "", []byte(Content))
	f.ObjectStream(7, Members()...)
	f.XrefStream(8, Trailer, true)
	return f.Bytes()
}

// hybrid hides the note and its annotation list in a stream that old readers do
// not see (7.5.8.4).
func hybrid() []byte {
	f := New("1.4")
	f.Body()
	f.hide(7, 8, 9)
	return f.Bytes()
}

// hide ends a revision as a hybrid one: the object note is compressed in the
// stream container, and the table shows both and the cross-reference stream as
// free.
func (f *File) hide(note, container, stream int) {
	f.ObjectStream(container, Member{note, "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (hidden) >>"})
	hidden := f.At()
	f.Begin(stream)
	rows := []byte{
		2, byte(container >> 8), byte(container), 0,
		1, byte(f.Offsets[container] >> 8), byte(f.Offsets[container]), 0,
		1, byte(hidden >> 8), byte(hidden), 0,
	}
	f.Stream(stream, fmt.Sprintf("/Type /XRef /W [1 2 1] /Index [%d 1 %d 1 %d 1] /Size %d /Filter /FlateDecode", note, container, stream, f.Size), Deflate(rows))
	for _, n := range []int{note, container, stream} {
		delete(f.Offsets, n)
		f.Free(n)
	}
	f.Table(fmt.Sprintf("%s /XRefStm %d", Trailer, hidden))
}

// Linearized makes a file whose first page comes first (annex F): the section at
// its beginning is the one that startxref names, the main one ends it.
func Linearized() []byte {
	build := func(l, mainXref int64, offsets map[int]int64) *File {
		f := New("1.6")
		f.Object(7, fmt.Sprintf("<< /Linearized 1 /L %010d /H [ %010d 10 ] /O 3 /E %010d /N 1 /T %010d >>", l, 0, 0, mainXref))
		at := f.At()
		entry := func(n int) string { return fmt.Sprintf("%010d 00000 n \n", offsets[n]) }
		f.WriteString("xref\n3 5\n" + entry(3) + entry(4) + entry(5) + entry(6) + entry(7))
		fmt.Fprintf(f, "trailer\n<< /Size 8 %s /Prev %010d >>\nstartxref\n0\n%%%%EOF\n", Trailer, mainXref)
		f.Object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>")
		f.Stream(4, "", []byte(Content))
		f.Object(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
		f.Object(6, "<< /Producer (pdftest) >>")
		f.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
		f.Object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> >>")
		f.Prev = f.At()
		f.WriteString("xref\n0 3\n0000000000 65535 f \n" + entry(1) + entry(2))
		fmt.Fprintf(f, "trailer\n<< /Size 3 >>\nstartxref\n%d\n%%%%EOF\n", at)
		return f
	}
	first := build(0, 0, nil)
	return build(first.At(), first.Prev, first.Offsets).Bytes()
}

func linearizedUpdated() []byte {
	b := Linearized()
	f := New("1.6")
	f.Reset()
	f.Write(b)
	f.Prev, f.Size = int64(bytes.Index(b, []byte("xref\n3 5"))), 8
	f.Object(3, "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Annots [8 0 R] >>")
	f.Object(8, "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (note) >>")
	f.Table(Trailer)
	return f.Bytes()
}

func pageTree() []byte {
	f := New("1.7")
	f.Object(1, "<< /Type /Catalog /Pages 2 0 R /Version /2.0 >>")
	f.Object(2, "<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 5 /MediaBox [0 0 595 842] /Rotate 90 >>")
	f.Object(3, "<< /Type /Page /Parent 2 0 R /Resources << >> >>")
	f.Object(4, "<< /Type /Pages /Parent 2 0 R /Kids [6 0 R 7 0 R 8 0 R] /Count 3 /CropBox [600 900 50 50] /Rotate -90 /Resources << /X 1 >> >>")
	f.Object(5, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 200] /Rotate 0 /Resources << >> >>")
	f.Object(6, "<< /Type /Page /Parent 4 0 R >>")
	f.Object(7, "<< /Type /Page /Parent 4 0 R /Resources << /Y 2 >> /CropBox [0 0 10 10] >>")
	f.Object(8, "<< /Type /Page /Parent 4 0 R /MediaBox [10 10 300 300] >>")
	f.Table("/Root 1 0 R")
	return f.Bytes()
}

// Objects are object 10 of the file "every kind of object": the syntax, and the
// same in the canonical form.
const Objects = `[ null true false 0 -17 +3 4294967296 .5 -.002 12.0 123456789.25 -0
  (plain) (nested (in) \(escaped\) \n\r\t\b\f\\\)) (octal \101\1012\7) (line\
 joined) () <48656C6c6F> <4 8 6> <> /Name /A#20B /Paired#28#29 / /Lime%comment
 <</Nested<</Deeper[<</Deepest true>>]>>/Null null/Ref 6 0 R>> 6 0 R [1 0 R 2 0 R 1 0] [] << >> ]`

func objects() []byte {
	f := New("1.7")
	f.Body()
	f.Object(10, Objects)
	f.Object(11, "true")
	f.Object(12, "-12")
	f.Object(13, "(string)")
	f.Object(14, "/name")
	f.Object(16, "null")
	f.Begin(17)
	f.WriteString("17 0 obj<</A/B/C(d)/E[/F/G]/H<68>>>endobj\n")
	f.Table(Trailer)
	return f.Bytes()
}

func filters() []byte {
	f := New("1.7")
	f.Body()
	f.Stream(10, "/Filter /FlateDecode", Deflate([]byte(Content)))
	f.Stream(11, "/Filter [/ASCIIHexDecode /FlateDecode]", fmt.Appendf(nil, "%x>", Deflate([]byte(Content))))
	f.Stream(12, "/Filter /ASCIIHexDecode", fmt.Appendf(nil, "%X>", Content))
	f.Stream(13, "/Filter /ASCII85Decode", Ascii85([]byte(Content)))
	f.Stream(14, "/Filter /RunLengthDecode", RunLength([]byte(Content)))
	f.Stream(15, "/Filter /LZWDecode", LZW([]byte(Content), true))
	f.Stream(16, "/Filter /LZWDecode /DecodeParms << /EarlyChange 0 >>", LZW([]byte(Content), false))
	f.Stream(17, "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >>", Deflate(Up([]byte(Content+" "), 4)))
	f.Stream(18, "/Filter [/FlateDecode] /DecodeParms [null]", Deflate([]byte(Content)))
	f.Table(Trailer)
	return f.Bytes()
}

func lengthReference() []byte {
	f := New("1.7")
	f.Head()
	f.Begin(4)
	fmt.Fprintf(f, "4 0 obj\n<< /Length 8 0 R >>\nstream\r\n%s\r\nendstream\nendobj\n", Content)
	f.Object(8, fmt.Sprint(len(Content)))
	f.Tail()
	f.Table(Trailer)
	return f.Bytes()
}
