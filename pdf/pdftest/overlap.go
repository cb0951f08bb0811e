package pdftest

import (
	"bytes"
	"fmt"
	"strings"
)

// overlaps make files in which many objects share the same bytes, so that reading
// each of them is much more than reading the file.
func overlaps() []Case {
	const n = 20_000

	// Strings within strings: each object runs to the end of the last.
	nested := New("1.7")
	nested.Body()
	for i := 10; i < n; i++ {
		nested.Begin(i)
		fmt.Fprintf(nested, "%d 0 obj ( ", i)
	}
	nested.WriteString(strings.Repeat(")", n) + " endobj\n")
	nested.Table(Trailer)

	// Streams without an end: each is searched for to the end of the file.
	endless := New("1.7")
	endless.Body()
	for i := 10; i < n; i++ {
		endless.Begin(i)
		fmt.Fprintf(endless, "%d 0 obj<<>>stream\n", i)
	}
	endless.Table(Trailer)

	// Members that begin at one place, before an array of a million numbers.
	members := New("1.5")
	members.Body()
	var head strings.Builder
	for i := 10; i < n; i++ {
		fmt.Fprintf(&head, "%d 0 ", i)
		members.members[i] = [2]int{7, i - 10}
	}
	body := head.String() + "[" + strings.Repeat("1 ", 1_000_000) + "]"
	members.Stream(7, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", n-10, head.Len()), Deflate([]byte(body)))
	members.Size = n
	members.XrefStream(8, Trailer, false)

	// Members that each end with the next one's beginning, all within one array.
	comb := New("1.5")
	comb.Body()
	head.Reset()
	for i := 10; i < n; i++ {
		fmt.Fprintf(&head, "%d %d ", i, i-10)
		comb.members[i] = [2]int{7, i - 10}
	}
	body = head.String() + strings.Repeat("[", n) + strings.Repeat("1 ", 1_000_000) + "]"
	comb.Stream(7, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", n-10, head.Len()), Deflate([]byte(body)))
	comb.Size = n
	comb.XrefStream(8, Trailer, false)

	// Thousands of small revisions over one section of millions of entries.
	tall := New("1.5")
	tall.Body()
	at := tall.At()
	rows := make([]byte, 8_000_000*4)
	for i := range 7 {
		o := tall.Offsets[i]
		rows[4*i], rows[4*i+1], rows[4*i+2] = byte(min(i, 1)), byte(o>>8), byte(o)
	}
	tall.Stream(8, "/Type /XRef /W [1 2 1] /Size 8000000 /Filter /FlateDecode "+Trailer, Deflate(rows))
	tall.End(at)
	tall.Size = 8_000_000
	for range 3000 {
		tall.Object(9, "1")
		tall.Table(Trailer)
	}

	leaves := New("1.7")
	leaves.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	leaves.Object(2, "<< /Type /Pages /Kids ["+strings.Repeat("3 0 R ", 500_000)+"] /MediaBox [0 0 1 1] >>")
	leaves.Object(3, "<< /Type /Page /Parent 2 0 R >>")
	leaves.Table("/Root 1 0 R")

	encrypt := New("1.7")
	encrypt.Body()
	for i := 10; i < 20; i++ {
		encrypt.Object(i, "["+strings.Repeat(fmt.Sprintf("%d 0 R ", i+1), 1000)+"]")
	}
	encrypt.Object(20, "<< /Filter /Standard /V 1 /R 2 /CF 10 0 R >>")
	encrypt.Table(Trailer + " /Encrypt 20 0 R")

	marks := New("1.7")
	marks.Body()
	marks.Write(bytes.Repeat([]byte("%%EOF\n"), 100_000))
	for range 2000 {
		marks.Table(Trailer)
	}

	same := New("1.7")
	same.Body()
	for range 100_000 {
		same.WriteString("3 0 obj<<>>endobj\n")
	}
	for i := range 2000 {
		same.Offsets = map[int]int64{3: int64(400 + i)}
		same.Table(Trailer)
	}

	return []Case{
		{Name: "strings within strings", Data: nested.Bytes()},
		{Name: "streams without end", Data: endless.Bytes()},
		{Name: "members at one place", Data: members.Bytes()},
		{Name: "members within one array", Data: comb.Bytes()},
		{Name: "3000 revisions over 8 million entries", Data: tall.Bytes()},
		{Name: "a page 500,000 times", Data: leaves.Bytes()},
		{Name: "encryption dictionary of exponential size", Data: encrypt.Bytes()},
		{Name: "100,000 EOFs and 2000 sections", Data: marks.Bytes()},
		{Name: "100,000 objects of one number", Data: same.Bytes()},
	}
}
