package pdftest

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
)

// Hostile makes files that try to make a reader hang, crash or take all memory.
// What comes of them does not matter, as long as it comes soon.
func Hostile() []Case {
	cases := append(loops(), bombs()...)
	cases = append(cases, nested()...)
	cases = append(cases, overlaps()...)
	return append(cases, repeated()...)
}

// withObject is a sound file with the object 10 before its section.
func withObject(body string) []byte {
	f := New("1.7")
	f.Body()
	f.Object(10, body)
	f.Table(Trailer)
	return f.Bytes()
}

func loops() []Case {
	self := New("1.5")
	self.Stream(4, "", []byte(Content))
	self.ObjectStream(7, append(Members(), Member{7, "<< >>"})...)
	delete(self.Offsets, 7)
	self.XrefStream(8, Trailer, false)

	mutual := New("1.5")
	mutual.Body()
	mutual.ObjectStream(7, Member{9, "1"})
	mutual.ObjectStream(9, Member{7, "2"})
	clear(mutual.Offsets)
	mutual.Stream(4, "", []byte(Content))
	mutual.XrefStream(8, Trailer, false)

	lengths := New("1.7")
	lengths.Body()
	for n := 10; n < 500; n++ {
		lengths.Begin(n)
		fmt.Fprintf(lengths, "%d 0 obj\n<< /Length %d 0 R >>\nstream\nx\nendstream\nendobj\n", n, 10+(n-9)%490)
	}
	lengths.Table(Trailer)

	resolve := New("1.7")
	resolve.Body()
	resolve.Object(10, "11 0 R")
	resolve.Object(11, "10 0 R")
	resolve.Stream(12, "/Filter 10 0 R /DecodeParms 11 0 R", nil)
	resolve.Table("/Root 1 0 R /Info 10 0 R /Extra 11 0 R")

	tree := New("1.7")
	tree.Object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	for n := 2; n < 60; n++ {
		tree.Object(n, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R %d 0 R %d 0 R] /Count 1 >>", n+1, n+1, n+1))
	}
	tree.Object(60, "<< /Type /Page >>")
	tree.Table("/Root 1 0 R")

	chain := New("1.7")
	chain.Body()
	chain.Table(Trailer)
	for range 5000 {
		chain.Object(9, "1")
		chain.Table(Trailer)
	}

	prev := sound().Bytes()
	at := bytes.LastIndex(prev, []byte("xref\n0"))
	prev = bytes.Replace(prev, []byte("/Size 7"), fmt.Appendf(nil, "/Prev %d /XRefStm %d /Size 7", at, at), 1)

	return []Case{
		{Name: "object stream that holds itself", Data: self.Bytes()},
		{Name: "object streams that hold each other", Data: mutual.Bytes()},
		{Name: "lengths that name streams", Data: lengths.Bytes()},
		{Name: "references that name each other", Data: resolve.Bytes()},
		{Name: "page tree of exponential size", Data: tree.Bytes()},
		{Name: "page tree that is its own parent", Data: replace("/Kids [3 0 R]", "/Kids [2 0 R 1 0 R]")},
		{Name: "5000 revisions", Data: chain.Bytes()},
		{Name: "Prev and XRefStm to itself", Data: prev},
	}
}

// Bomb makes data for FlateDecode that give size zeros.
func Bomb(size int) []byte {
	const piece = 1 << 20
	var block bytes.Buffer
	w, _ := flate.NewWriter(&block, 9)
	w.Write(make([]byte, piece)) //nolint:errcheck // a bytes.Buffer takes all
	w.Flush()
	head := block.Len()
	// From the second on the pieces are alike: they refer to zeros before them.
	w.Write(make([]byte, piece)) //nolint:errcheck // as above
	w.Flush()
	again := block.Bytes()[head:]
	out := append([]byte{0x78, 0x9c}, block.Bytes()[:head]...)
	for n := piece; n < size; n += piece {
		out = append(out, again...)
	}
	return append(out, 3, 0, 0, 0, 0, 0) // an empty last block and no right checksum
}

func bombs() []Case {
	f := func(n int, dict string, data []byte) []byte {
		f := New("1.7")
		f.Body()
		f.Stream(n, dict, data)
		f.Table(Trailer)
		return f.Bytes()
	}
	bomb := Bomb(2 << 30)
	xref := New("1.5")
	xref.Body()
	at := xref.At()
	xref.Stream(8, "/Type /XRef /W [1 2 1] /Index [0 400000000] /Size 400000000 /Filter /FlateDecode "+Trailer, bomb)
	xref.End(at)
	members := New("1.5")
	members.Body()
	members.Stream(7, "/Type /ObjStm /N 1000000000 /First 100000000 /Filter /FlateDecode", bomb)
	members.members[9] = [2]int{7, 5}
	members.members[10] = [2]int{7, 1 << 15}
	members.XrefStream(8, Trailer, false)
	many := New("1.5")
	many.Body()
	for n := 10; n < 60; n++ {
		many.Stream(n, "/Filter /FlateDecode", Bomb(60<<20))
	}
	many.Table(Trailer)
	wide := New("1.5")
	wide.Body()
	at = wide.At()
	wide.Stream(8, "/Type /XRef /W [8 8 8] /Index [0 8388607 8388607 1 0 8388607] /Size 8388607 /Filter [/FlateDecode /FlateDecode] "+Trailer, Deflate(Bomb(200<<20)))
	wide.End(at)
	return []Case{
		{Name: "2 GiB in a content stream", Limit: true, Data: f(4, "/Filter /FlateDecode", bomb)},
		{Name: "compressed twice", Limit: true, Data: f(10, "/Filter [/FlateDecode /FlateDecode]", Deflate(bomb))},
		{Name: "compressed three times", Data: f(10, "/Filter [/FlateDecode /FlateDecode /FlateDecode]", Deflate(Deflate(bomb)))},
		{Name: "a hundred filters", Limit: true, Data: f(10, "/Filter ["+strings.Repeat("/FlateDecode ", 100)+"]", bomb)},
		{Name: "LZW bomb", Data: f(10, "/Filter [/FlateDecode /LZWDecode]", Deflate(LZW(make([]byte, 1<<20), true)))},
		{Name: "run-length bomb", Data: f(10, "/Filter [/FlateDecode /RunLengthDecode]", Deflate(bytes.Repeat([]byte{129, 0}, 1<<20)))},
		{Name: "base 85 bomb", Data: f(10, "/Filter [/FlateDecode /ASCII85Decode]", Deflate(bytes.Repeat([]byte{'z'}, 4<<20)))},
		{Name: "wide predictor", Data: f(10, "/Filter /FlateDecode /DecodeParms << /Predictor 12 /Colors 64 /BitsPerComponent 16 /Columns 16777215 >>", Deflate(make([]byte, 1<<20)))},
		{Name: "cross-reference stream bomb", Data: xref.Bytes()},
		{Name: "cross-reference stream of wide rows", Data: wide.Bytes()},
		{Name: "object stream bomb", Data: members.Bytes()},
		{Name: "many streams of 60 MiB", Limit: true, Data: many.Bytes()},
		{Name: "table of a billion", Data: replace("xref\n0 7", "xref\n0 1000000000")},
		{Name: "table at a high number", Data: replace("xref\n0 7", "xref\n4294967290 7")},
		{Name: "Size of a billion", Data: replace("/Size 7", "/Size 1000000000")},
	}
}

func nested() []Case {
	return []Case{
		{Name: "a million arrays", Data: withObject(strings.Repeat("[", 1_000_000))},
		{Name: "a million arrays, closed", Limit: true, Data: withObject(strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000))},
		{Name: "500,000 dictionaries", Data: withObject(strings.Repeat("<</A ", 500_000) + "1" + strings.Repeat(">>", 500_000))},
		{Name: "two million parentheses", Data: withObject(strings.Repeat("(", 2_000_000) + strings.Repeat(")", 2_000_000))},
		{Name: "parentheses without end", Data: withObject(strings.Repeat("(", 2_000_000))},
		{Name: "a million keys that are one", Data: withObject("<<" + strings.Repeat("/A 1", 500_000) + ">>")},
		{Name: "arrays in the catalog", Data: replace("/Type /Catalog", "/X "+strings.Repeat("[", 100_000)+" /Type /Catalog")},
		{Name: "arrays in the trailer", Data: replace("/Size 7", "/X "+strings.Repeat("[", 100_000)+" /Size 7")},
	}
}

// repeated files are searched from the beginning, and every piece of them could
// make the search go over the rest again.
func repeated() (cases []Case) {
	for _, r := range []string{
		"1 0 obj (", "1 0 obj <<", "1 0 obj [", "1 0 obj <", "1 0 obj <</Length 5>>\nstream\n", "1 0 obj <</Length 2 0 R>>\nstream\n", "xref\n0 1\n", "xref\n0 100000\n",
		"trailer <<", "trailer << /Root 1 0 R /Prev 0 >>\n", "startxref 0 ", "%", "%PDF-1.7\n", "1 0 obj", "endstream ", "1 0 obj <</Type/ObjStm/N 9/First 3>>\nstream\nendstream\n",
		"1 2 3 4 ", "9999999999 ", "1 0 obj <</Type/Catalog/Pages 1 0 R>>endobj ", "1 0 %\nobj ", "<</A", "/", "1 0 R ",
	} {
		cases = append(cases, Case{Name: fmt.Sprintf("%q over and over", r), Data: []byte("%PDF-1.4\n" + strings.Repeat(r, 1_000_000/len(r)))})
	}
	return cases
}
