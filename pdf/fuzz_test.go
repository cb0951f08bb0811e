package pdf

import (
	"bytes"
	"context"
	"testing"

	"absah/pdf/pdftest"
)

// seeds are the small files of pdftest, without those that are big on purpose.
func seeds() (files [][]byte) {
	for _, list := range [][]pdftest.Case{pdftest.Sound(), pdftest.Damaged(), pdftest.Ambiguous(), pdftest.Harmless()} {
		for _, c := range list {
			files = append(files, c.Data)
		}
	}
	return files
}

// tight are limits under which a fuzzer's file is soon done with.
func tight() Limits {
	return Limits{StreamBytes: 1 << 20, FileBytes: 4 << 20, Objects: 100_000, Pages: 10_000, Sections: 64}
}

func FuzzFile(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Open(Bytes(b), int64(len(b)), Options{Limits: tight()})
		if err != nil {
			return
		}
		n := 0
		for ref := range d.Objects() {
			if n++; n > 1000 {
				break
			}
			o, err := d.Object(ref)
			if s, ok := o.(*Stream); ok && err == nil {
				if data, err := d.StreamData(s); err == nil && len(data) > 1<<20 {
					t.Fatalf("%d bytes decoded", len(data))
				}
			}
			if loc, err := d.Extent(ref); err == nil && loc.End > int64(len(b)) {
				t.Fatalf("object %v ends at %d of %d", ref, loc.End, len(b))
			}
		}
		for p, err := range d.Pages() {
			if err == nil && (p.MediaBox[0] >= p.MediaBox[2] || p.MediaBox[1] >= p.MediaBox[3] || p.Rotate%90 != 0) {
				t.Fatalf("page %+v", p)
			}
		}
		end := int64(0)
		for i, r := range d.Revisions() {
			if r.Start != end || r.End < r.Start || r.End > int64(len(b)) {
				t.Fatalf("revision %d is [%d, %d), the one before ends at %d", i, r.Start, r.End, end)
			}
			end = r.End
			d.At(i).Root() // which may have none
			d.Changed(i)
		}
		if err := d.Scan(context.Background()); err != nil && !mendable(err) {
			t.Fatalf("scan: %v", err)
		}
	})
}

func FuzzObject(f *testing.F) {
	f.Add([]byte(pdftest.Objects))
	for _, s := range []string{"<</A 1/B[2 0 R]/C<</D(e)>>>>", "[[[]]]", "(\\)", "<zz>", "--5.3.4", "/#zz#41", "1 0 R", "<<", "true false", "[1 2 R /A]", "0.00000000097"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := parser{b: b, whole: true, limit: 100}
		o, _, err := p.value()
		if err != nil || o == nil {
			return
		}
		if p.i > len(b) || len(p.items) != 0 || len(p.entries) != 0 {
			t.Fatalf("stopped at %d of %d, with %d items and %d entries left", p.i, len(b), len(p.items), len(p.entries))
		}
		// What is written comes back as it was.
		once := AppendObject(nil, o)
		p = parser{b: once, whole: true, limit: 100}
		again, _, err := p.value()
		if err != nil {
			t.Fatalf("%q is not read again: %v", once, err)
		}
		if twice := AppendObject(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%q came back as %q", once, twice)
		}
		// Pieces of any length give the same object or ask for more.
		for _, n := range []int{len(b) / 2, len(b) - 1} {
			p := parser{b: b[:max(0, n)], limit: 100}
			part, _, err := p.value()
			if !p.short && (err != nil || part != nil && !bytes.Equal(AppendObject(nil, part), once)) {
				t.Fatalf("%d bytes of %q give %#v, %v", n, b, part, err)
			}
		}
	})
}

// FuzzSkim holds skimming to what the parser reads.
func FuzzSkim(f *testing.F) {
	for _, b := range seeds() {
		for _, mark := range []string{"1 0 obj", "4 0 obj", "10 0 obj"} {
			if i := bytes.Index(b, []byte(mark)); i >= 0 {
				f.Add(b[i:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := skimmer{b: b}
		ref, ok := s.indirect()
		if !ok || s.i >= len(b) {
			return
		}
		p := parser{b: b, whole: true, limit: 100}
		want, o, isStream, err := p.indirect()
		if err != nil || want != ref || isStream != s.streams || p.i != s.i || len(p.notes) > 0 {
			t.Fatalf("skimmed %v to %d, stream %v; parsed %v to %d, stream %v, %v, %v", ref, s.i, s.streams, want, p.i, isStream, p.notes, err)
		}
		if d, ok := o.(Dict); ok {
			if k, _ := d.Get("Type").(Name); string(k) != string(s.kind) {
				t.Fatalf("Type %q, want %q", s.kind, k)
			}
			if l, _ := d.Get("Length").(Integer); s.length != nil && s.length != Object(l) {
				if _, number := s.length.(Integer); number {
					t.Fatalf("Length %v, want %v", s.length, l)
				}
			}
		}
	})
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{"(a(b)\\101\\\r\n)", "<4142 4>", "/A#42", "12.5", "-", "+.", "%c\n1", "12345678901234567890", "0.00000000000000000000000001"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func(p *parser){
			func(p *parser) { p.number() }, func(p *parser) { p.literal() }, func(p *parser) { p.hex() },
			func(p *parser) { p.nameBytes() }, func(p *parser) { p.space() }, func(p *parser) { p.keyword() },
			func(p *parser) { p.header() },
		} {
			p := parser{b: b, whole: true}
			read(&p)
			if p.i > len(b) {
				t.Fatalf("stopped at %d of %d", p.i, len(b))
			}
		}
	})
}

// blank is a document without a cross-reference over the bytes b.
func blank(b []byte) *Document {
	src, err := newSource(Bytes(b), int64(len(b)))
	if err != nil {
		panic(err)
	}
	return &Document{file: &file{source: src, limits: tight().withDefaults()}, limit: int64(len(b))}
}

// section reads the section at the beginning of b and asks for some entries.
func readOne(t *testing.T, b []byte) {
	d := blank(b)
	s, err := d.readSection(0)
	if err != nil {
		return
	}
	for _, n := range []uint32{0, 1, 5, s.next() - 1, s.next(), 1 << 31} {
		if e, ok, err := s.resolve(d.file, n); ok && err == nil && e.Ref.Number != n {
			t.Fatalf("entry of %d is %+v", n, e)
		}
	}
	last, count := int64(-1), 0
	err = s.each(d.file, func(e XrefEntry) bool {
		if int64(e.Ref.Number) <= last {
			t.Fatalf("entry %d behind %d", e.Ref.Number, last)
		}
		last = int64(e.Ref.Number)
		count++
		return count < 1000
	})
	if err != nil && !mendable(err) {
		t.Fatal(err)
	}
}

func FuzzXrefTable(f *testing.F) {
	for _, b := range seeds() {
		if i := bytes.LastIndex(b, []byte("\nxref")); i >= 0 {
			f.Add(b[i+1:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readOne(t, append([]byte("xref"), bytes.TrimPrefix(b, []byte("xref"))...))
	})
}

func FuzzXrefStream(f *testing.F) {
	for _, b := range seeds() {
		if i := bytes.LastIndex(b, []byte("/Type /XRef")); i >= 0 {
			if i = bytes.LastIndex(b[:i], []byte("endobj\n")); i >= 0 {
				f.Add(b[i+7:])
			}
		}
	}
	f.Add([]byte("1 0 obj<</Type/XRef/W[1 2 1]/Size 3/Index[1 2]/Length 8>>stream\n12341234\nendstream endobj"))
	f.Fuzz(func(t *testing.T, b []byte) { readOne(t, b) })
}

func FuzzObjectStream(f *testing.F) {
	f.Add([]byte("1 0 2 4 (a) <</B 1>>"), int64(2), int64(8))
	f.Add([]byte("5 0"), int64(1000000), int64(3))
	f.Fuzz(func(t *testing.T, b []byte, n, first int64) {
		d := blank(b)
		s := &Stream{Dict: Dict{{"Type", Name("ObjStm")}, {"N", Integer(n)}, {"First", Integer(first)}}, Data: b}
		st, err := d.openObjectStream(s)
		if err != nil {
			return
		}
		for i := range min(len(st.numbers), 100) {
			if _, err := d.parseMember(st, i, 1); err != nil && !mendable(err) {
				t.Fatal(err)
			}
		}
	})
}

func fuzzFilter(f *testing.F, name Name, parms Dict, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := blank(nil)
		out, err := d.StreamData(&Stream{Dict: Dict{{"Filter", name}, {"DecodeParms", parms}}, Data: b})
		if err == nil && int64(len(out)) > d.limits.StreamBytes {
			t.Fatalf("%d bytes", len(out))
		}
	})
}

func FuzzFlate(f *testing.F) {
	fuzzFilter(f, "FlateDecode", nil, pdftest.Deflate([]byte(pdftest.Content)), []byte("\n\x78\x9c"), nil)
}

func FuzzLZW(f *testing.F) {
	fuzzFilter(f, "LZWDecode", nil, pdftest.LZW([]byte(pdftest.Content), true), pdftest.LZW(make([]byte, 9000), true))
}

func FuzzASCIIHex(f *testing.F) { fuzzFilter(f, "ASCIIHexDecode", nil, []byte("41 4>"), []byte("zz")) }

func FuzzASCII85(f *testing.F) {
	fuzzFilter(f, "ASCII85Decode", nil, pdftest.Ascii85([]byte(pdftest.Content)), []byte("zz!~>"))
}

func FuzzRunLength(f *testing.F) {
	fuzzFilter(f, "RunLengthDecode", nil, pdftest.RunLength([]byte(pdftest.Content)), []byte{129})
}

func FuzzPredictor(f *testing.F) {
	f.Add([]byte("\x02abcd\x02abcd\x04abcd"), 12, 4, 1, 8)
	f.Add([]byte("abcdefgh"), 2, 3, 2, 4)
	f.Add([]byte("abcdefgh"), 2, 2, 1, 16)
	f.Fuzz(func(t *testing.T, b []byte, predictor, columns, colors, bits int) {
		w := &bounded{b: b, limit: 1 << 20, ratio: 1 << 20}
		parm := Dict{{"Predictor", Integer(predictor)}, {"Columns", Integer(columns)}, {"Colors", Integer(colors)}, {"BitsPerComponent", Integer(bits)}}
		n := len(b)
		if _, err := blank(nil).unpredict(w, parm); err == nil && len(w.b) > n {
			t.Fatalf("%d bytes of %d", len(w.b), n)
		}
	})
}
