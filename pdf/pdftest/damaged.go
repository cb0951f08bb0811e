package pdftest

import (
	"bytes"
	"fmt"
	"strings"
)

// sound is the file that most damage is done to.
func sound() *File {
	f := New("1.7")
	f.Body()
	f.Table(Trailer)
	return f
}

// replace exchanges the first old for new in a sound file. What stands behind is
// found by its offsets all the same.
func replace(old, new string) []byte {
	f := New("1.7")
	f.Body()
	body := bytes.Clone(f.Bytes())
	if at := bytes.Index(body, []byte(old)); at >= 0 {
		f.Reset()
		f.Write(bytes.Replace(body, []byte(old), []byte(new), 1))
		for n, o := range f.Offsets {
			if o > int64(at) {
				f.Offsets[n] += int64(len(new) - len(old))
			}
		}
		f.Table(Trailer)
		return f.Bytes()
	}
	b := sound().Bytes()
	if !bytes.Contains(b, []byte(old)) {
		panic("pdftest: no " + old)
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// tail exchanges everything from the last mark on.
func tail(mark, with string) []byte {
	b := sound().Bytes()
	return append(b[:bytes.LastIndex(b, []byte(mark)):bytes.LastIndex(b, []byte(mark))], with...)
}

// Damaged makes a file for each kind of damage that readers in the field mend.
// Every one of them has a page that can be found.
func Damaged() []Case {
	at := sound().Prev
	cases := []Case{
		{Name: "startxref too high by one", Data: tail("startxref", fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at+1)), Anomalies: []string{"startxref-wrong"}},
		{Name: "startxref too low", Data: tail("startxref", fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at-60)), Anomalies: []string{"startxref-wrong", "xref-rebuilt"}},
		{Name: "startxref too low by one", Data: tail("startxref", fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at-1)), Anomalies: []string{"xref-syntax"}},
		{Name: "startxref 0", Data: tail("startxref", "startxref\n0\n%%EOF\n"), Anomalies: []string{"startxref-wrong", "xref-rebuilt"}},
		{Name: "startxref beyond the end", Data: tail("startxref", "startxref\n99999999999\n%%EOF\n"), Anomalies: []string{"startxref-wrong", "xref-rebuilt"}},
		{Name: "no startxref", Data: tail("startxref", ""), Anomalies: []string{"startxref-missing", "xref-rebuilt"}},
		{Name: "no cross-reference", Data: tail("xref\n0", "trailer\n<< /Root 1 0 R >>\n"), Anomalies: []string{"startxref-missing", "xref-rebuilt"}},
		{Name: "no trailer", Data: tail("trailer", fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at)), Anomalies: []string{"xref-rebuilt"}},
		{Name: "no trailer at all", Data: tail("xref\n0", ""), Anomalies: []string{"xref-rebuilt", "catalog-wrong"}},
		{Name: "no EOF", Data: tail("%%EOF", ""), Anomalies: []string{"eof-missing"}},
		{Name: "nothing behind startxref's number", Data: bytes.TrimRight(tail("%%EOF", ""), "\n"), Anomalies: []string{"eof-missing"}},
		{Name: "bytes behind EOF", Data: append(sound().Bytes(), "\n<html>\n"...), Anomalies: []string{"trailing-bytes"}},
		{Name: "zeros behind EOF", Data: append(sound().Bytes(), make([]byte, 8)...), Anomalies: []string{"trailing-bytes"}},
		{Name: "lines behind EOF", Data: append(sound().Bytes(), strings.Repeat("\n", 40)...), Anomalies: []string{"trailing-bytes"}},
		{Name: "many bytes behind EOF", Data: append(sound().Bytes(), strings.Repeat("x", 2000)...), Anomalies: []string{"trailing-bytes", "startxref-far"}},
		{Name: "truncated", Data: tail("endobj", ""), Anomalies: []string{"xref-rebuilt"}},
		{Name: "offsets too high by one", Data: shift(1), Anomalies: []string{"offset-wrong"}},
		{Name: "offsets too low", Data: shift(-7), Anomalies: []string{"offset-wrong"}},
		{Name: "offsets far off", Data: shift(200), Anomalies: []string{"offset-wrong"}},
		{Name: "header junk, offsets from the header", Data: append([]byte("junk of a mail\r\n\r\n"), sound().Bytes()...), Anomalies: []string{"header-junk"}},
		{Name: "header junk, offsets from the start", Data: junkFromStart(), Anomalies: []string{"header-junk"}},
		{Name: "no header", Data: replace("%PDF-1.7", "        "), Anomalies: []string{"header-missing"}},
		{Name: "no version", Data: replace("%PDF-1.7", "%PDF-a.b"), Anomalies: []string{"header-missing"}},
		{Name: "length too long", Data: replace(fmt.Sprintf("/Length %d", len(Content)), fmt.Sprintf("/Length %d", len(Content)+30)), Anomalies: []string{"stream-length"}},
		{Name: "length too short", Data: replace(fmt.Sprintf("/Length %d", len(Content)), fmt.Sprintf("/Length %02d", 5)), Anomalies: []string{"stream-length"}},
		{Name: "length beyond the file", Data: replace(fmt.Sprintf(" /Length %d", len(Content)), " /Length 9999999"), Anomalies: []string{"stream-length"}},
		{Name: "no length", Data: replace(fmt.Sprintf("/Length %d", len(Content)), "/Depth 0 "), Anomalies: []string{"stream-length"}},
		{Name: "no endobj", Data: replace("/Contents 4 0 R >>\nendobj", "/Contents 4 0 R >>\n      "), Anomalies: []string{"endobj-missing"}},
		{Name: "no endstream", Data: replace("endstream", "         "), Anomalies: []string{"stream-length"}},
		{Name: "dictionary without end", Data: replace("/Contents 4 0 R >>", "/Contents 4 0 R   "), Anomalies: []string{"syntax"}},
		{Name: "entries of 19 bytes", Data: narrow(), Anomalies: []string{"xref-syntax"}},
		{Name: "one bad entry", Data: replace("00000 n \n", "0000x n \n"), Anomalies: []string{"xref-syntax"}},
		{Name: "table that counts from 1", Data: replace("xref\n0 7", "xref\n1 7"), Anomalies: []string{"xref-shifted"}},
		{Name: "count too high", Data: replace("xref\n0 7", "xref\n0 9"), Anomalies: []string{"xref-syntax"}},
		{Name: "count too low", Data: replace("xref\n0 7", "xref\n0 6"), Anomalies: []string{"xref-rebuilt"}},
		{Name: "Size too low", Data: replace("/Size 7", "/Size 3"), Anomalies: []string{"xref-size"}},
		{Name: "Root is no catalog", Data: replace("/Root 1 0 R", "/Root 5 0 R"), Anomalies: []string{"xref-rebuilt", "catalog-wrong"}},
		{Name: "Root is direct", Data: replace("/Root 1 0 R", "/Root (1) "), Anomalies: []string{"xref-rebuilt", "catalog-wrong"}},
		{Name: "Pages is missing", Data: replace("2 0 obj", "7 0 obj"), Anomalies: nil, Pages: -1},
		{Name: "Prev loop", Data: prev(func(at int64) int64 { return at }), Anomalies: []string{"prev-loop"}},
		{Name: "Prev wrong", Data: prev(func(int64) int64 { return 3 }), Anomalies: []string{"prev-wrong", "xref-rebuilt"}},
		{Name: "Prev negative", Data: prev(func(int64) int64 { return -3 }), Anomalies: []string{"prev-wrong"}},
		{Name: "Prev 0", Data: prev(func(int64) int64 { return 0 }), Anomalies: []string{"prev-zero"}},
		{Name: "Prev one too high", Data: chained(1), Revisions: 3, Anomalies: []string{"prev-wrong"}},
		{Name: "Prev at the end of line before", Data: chained(-1), Revisions: 3, Anomalies: []string{"xref-syntax"}},
		{Name: "three revisions and no use in startxref", Data: lost(), Revisions: 3, Anomalies: []string{"xref-rebuilt"}},
		{Name: "a wrong entry, and a page that has none", Data: unlisted(), Anomalies: []string{"offset-wrong"}},
		{Name: "CR behind stream", Data: replace("stream\nBT", "stream\rBT"), Anomalies: []string{"stream-keyword"}},
		{Name: "odd numbers", Data: replace("[0 0 595 842]", "[0 --0 5-95 842]"), Anomalies: []string{"syntax"}},
		{Name: "cross-reference stream destroyed", Data: streamDestroyed(), Anomalies: []string{"xref-rebuilt"}},
		{Name: "object stream with a wrong index", Data: wrongIndex(), Anomalies: []string{"object-stream"}},
		{Name: "object stream of another type", Data: bytes.Replace(objectStreams(), []byte("/Type /ObjStm"), []byte("/Type /Potato"), 1), Anomalies: []string{"object-stream"}},
		{Name: "rows missing", Data: rows(-1), Anomalies: []string{"xref-rows"}},
		{Name: "rows too many", Data: rows(1), Anomalies: []string{"xref-rows"}},
	}
	for i := range cases {
		if cases[i].Pages == 0 {
			cases[i].Pages = 1
		}
	}
	return cases
}

// shift writes a table whose offsets are all wrong by n.
func shift(n int64) []byte {
	f := New("1.7")
	f.Body()
	for k := range f.Offsets {
		f.Offsets[k] += n
	}
	f.Table(Trailer)
	return f.Bytes()
}

func junkFromStart() []byte {
	f := New("1.7")
	f.Reset()
	f.WriteString("junk\n%PDF-1.7\n")
	f.Body()
	f.Table(Trailer)
	return f.Bytes()
}

func narrow() []byte {
	b := sound().Bytes()
	at := bytes.Index(b, []byte("xref\n0"))
	return append(b[:at:at], bytes.ReplaceAll(b[at:], []byte(" \n"), []byte("\n"))...)
}

// prev writes an update whose Prev is where(its own section's place).
func prev(where func(at int64) int64) []byte {
	f := sound()
	f.Update()
	at := f.At()
	f.TableEntries()
	// All objects, so that the section stands by itself.
	f.Truncate(int(at))
	f.Body()
	f.Update()
	at = f.At()
	f.Prev = -1
	f.TableEntries()
	fmt.Fprintf(f, "trailer\n<< /Size %d %s /Prev %d >>\n", f.Size, Trailer, where(at))
	f.End(at)
	return f.Bytes()
}

// chained writes three revisions whose Prevs are off by n.
func chained(n int64) []byte {
	f := sound()
	for range 2 {
		f.Update()
		f.Prev += n
		f.Table(Trailer)
	}
	return f.Bytes()
}

func lost() []byte {
	b := chained(0)
	at := bytes.LastIndex(b, []byte("startxref\n")) + len("startxref\n")
	for i := at; b[i] != '\n'; i++ {
		b[i] = '9'
	}
	return b
}

// unlisted leaves the content out of the table, and puts the page elsewhere.
func unlisted() []byte {
	f := New("1.7")
	f.Body()
	f.Offsets[3] -= 100
	delete(f.Offsets, 4)
	f.Table(Trailer)
	return f.Bytes()
}

func streamDestroyed() []byte {
	b := objectStreams()
	at := bytes.Index(b, []byte("/Type /XRef"))
	return append(append(b[:at:at], "/Type /XXXX"...), b[at+11:]...)
}

func wrongIndex() []byte {
	f := New("1.5")
	f.Stream(4, "", []byte(Content))
	f.ObjectStream(7, Members()...)
	f.members[3] = [2]int{7, 0}
	f.XrefStream(8, Trailer, false)
	return f.Bytes()
}

// rows writes a cross-reference stream with n rows more than its Index says.
func rows(n int) []byte {
	f := New("1.5")
	f.Body()
	at := f.At()
	f.Begin(8)
	var data []byte
	for i := range 7 {
		o := f.Offsets[i]
		kind := byte(1)
		if i == 0 {
			kind = 0
		}
		data = append(data, kind, byte(o>>8), byte(o), 0)
	}
	f.Stream(8, fmt.Sprintf("/Type /XRef /W [1 2 1] /Index [0 %d] /Size 9 %s", 7-n, Trailer), data)
	f.End(at)
	return f.Bytes()
}
