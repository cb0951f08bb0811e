package pdf_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// extend sets an entry of the catalog and adds a stream.
func extend(t testing.TB, d *pdf.Document) ([]byte, pdf.Offsets, pdf.Ref, pdf.Ref) {
	t.Helper()
	u, err := d.NewUpdate()
	if err != nil {
		t.Fatalf("begin an update: %v", err)
	}
	ref, root, err := d.Root()
	if err != nil {
		t.Fatalf("read the catalog: %v", err)
	}
	added := u.Add(&pdf.Stream{Data: []byte("tambahan"), Dict: pdf.Dict{{Key: "Note", Value: pdf.String("rahasia")}}})
	held := u.Add(pdf.Dict{{Key: "A", Value: pdf.Verbatim("<00000000>")}, {Key: "B", Value: pdf.Verbatim("[0 0]")}})
	root = root.Clone()
	root.Set("Tambahan", added)
	u.Set(ref, root)
	tail, off, err := u.Tail()
	if err != nil {
		t.Fatalf("write the update: %v", err)
	}
	return tail, off, added, held
}

// twoParts is a file and what was appended to it.
type twoParts struct {
	head io.ReaderAt
	size int64
	tail []byte
}

func (p *twoParts) ReadAt(b []byte, off int64) (int, error) {
	n := 0
	for n < len(b) {
		at := off + int64(n)
		if at >= p.size {
			if at-p.size >= int64(len(p.tail)) {
				return n, io.EOF
			}
			n += copy(b[n:], p.tail[at-p.size:])
			continue
		}
		m, err := p.head.ReadAt(b[n:n+int(min(int64(len(b)-n), p.size-at))], at)
		n += m
		if err != nil && err != io.EOF {
			return n, err
		}
	}
	return n, nil
}

// extended checks an update: it opens, without a repair that was not needed
// before, and shows what was written.
func extended(t testing.TB, before *pdf.Document, head io.ReaderAt, tail []byte, off pdf.Offsets, added, held pdf.Ref) *pdf.Document {
	t.Helper()
	size := before.Size() + int64(len(tail))
	if off.End != size {
		t.Errorf("the end is told at %d, not %d", off.End, size)
	}
	p := &twoParts{head, before.Size(), tail}
	after, err := pdf.Open(p, size, pdf.Options{})
	if err != nil {
		t.Fatalf("open the extended file: %v", err)
	}
	for _, a := range after.Anomalies() {
		if a.Kind == pdf.XrefRebuilt || a.Kind == pdf.StartxrefWrong {
			t.Errorf("the extended file needs repair: %v at %d: %s", a.Kind, a.Offset, a.Text)
		}
	}
	_, root, err := after.Root()
	if err != nil {
		t.Fatal(err)
	}
	o, err := after.Resolve(root.Get("Tambahan"))
	s, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		t.Fatalf("the new stream is %v: %v", o, err)
	}
	data, err := after.StreamData(s)
	if err != nil || string(data) != "tambahan" || s.Dict.Get("Note") != pdf.Object(pdf.String("rahasia")) {
		t.Errorf("the new stream holds %q and %v: %v", data, s.Dict, err)
	}
	for _, ref := range []pdf.Ref{added, held} {
		span, ok := off.Object(ref)
		at, located := after.Locate(ref)
		if !ok || !located || at.Offset != span.Start {
			t.Errorf("%v is told at %v and lies at %v", ref, span, at)
		}
	}
	marks := off.Verbatims(held)
	if len(marks) != 2 {
		t.Fatalf("the placeholders are told at %v", marks)
	}
	for i, want := range []string{"<00000000>", "[0 0]"} {
		b := make([]byte, marks[i].End-marks[i].Start)
		if _, err := p.ReadAt(b, marks[i].Start); err != nil || string(b) != want {
			t.Errorf("placeholder %d holds %q: %v", i, b, err)
		}
	}
	return after
}

func TestUpdateOfEveryFile(t *testing.T) {
	for _, c := range append(pdftest.Sound(), pdftest.Damaged()...) {
		if c.Pages < 0 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			before := open(t, c.Data)
			pages, err := before.PageCount()
			if err != nil {
				t.Fatal(err)
			}
			kind := before.Revisions()
			tail, off, added, held := extend(t, before)
			after := extended(t, before, pdf.Bytes(c.Data), tail, off, added, held)
			if n, err := after.PageCount(); err != nil || n != pages {
				t.Errorf("%d pages became %d: %v", pages, n, err)
			}
			if c.Anomalies != nil {
				return
			}
			// A sound file stays one, in its own form.
			revisions := after.Revisions()
			was, is := kind[len(kind)-1].Kind, revisions[len(revisions)-1].Kind
			if len(revisions) != len(kind)+1 || (was == pdf.XrefStream) != (is == pdf.XrefStream) || is == pdf.XrefHybrid {
				t.Errorf("%d revisions, %v became %d, %v", len(kind), was, len(revisions), is)
			}
			if err := after.Scan(context.Background()); err != nil {
				t.Fatal(err)
			}
			if a := after.Anomalies(); len(a) > 0 {
				t.Errorf("anomalies: %v", a)
			}
			file := append(bytes.Clone(c.Data), tail...)
			name := filepath.Join(t.TempDir(), "extended.pdf")
			if err := os.WriteFile(name, file, 0o600); err != nil {
				t.Fatal(err)
			}
			qpdfCheck(t, name)
		})
	}
}

func TestUpdateKeepsTheTrailer(t *testing.T) {
	for _, c := range pdftest.Sound() {
		before := open(t, c.Data)
		tail, off, added, held := extend(t, before)
		after := extended(t, before, pdf.Bytes(c.Data), tail, off, added, held)
		for _, e := range before.Trailer() {
			switch e.Key {
			case "Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "ID":
				continue
			}
			if string(pdf.AppendObject(nil, after.Trailer().Get(e.Key))) != string(pdf.AppendObject(nil, e.Value)) {
				t.Errorf("%s: %s of the trailer became %v", c.Name, e.Key, after.Trailer().Get(e.Key))
			}
		}
		id, err := after.ResolveArray(after.Trailer().Get("ID"))
		if err != nil || len(id) != 2 {
			t.Fatalf("%s: ID %v: %v", c.Name, id, err)
		}
		old, err := before.ResolveArray(before.Trailer().Get("ID"))
		if err != nil {
			t.Fatal(err)
		}
		if len(old) == 2 && (id[0] != old[0] || id[1] == old[1]) {
			t.Errorf("%s: ID %v became %v", c.Name, old, id)
		}
	}
}

func TestUpdateBehindHeaderJunk(t *testing.T) {
	for _, c := range pdftest.Damaged() {
		if c.Name != "header junk, offsets from the header" {
			continue
		}
		tail, _, _, _ := extend(t, open(t, c.Data))
		name := filepath.Join(t.TempDir(), "extended.pdf")
		if err := os.WriteFile(name, append(bytes.Clone(c.Data), tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		qpdfCheck(t, name)
		return
	}
	t.Fatal("no such file is made")
}

func TestUpdateOfHugeFiles(t *testing.T) {
	for name, hole := range map[string]int64{"2 GiB": 1 << 31, "4 GiB": 1 << 32, "ten digits": 9_999_999_000, "above": 10_000_000_000, "1 TB": 1_000_000_000_000} {
		t.Run(name, func(t *testing.T) {
			f := pdftest.Big(hole)
			before, err := pdf.Open(f, f.Size(), pdf.Options{})
			if err != nil {
				t.Fatal(err)
			}
			tail, off, added, held := extend(t, before)
			after := extended(t, before, f, tail, off, added, held)
			revisions := after.Revisions()
			if stream := revisions[len(revisions)-1].Kind == pdf.XrefStream; stream != (off.Startxref > 9_999_999_999) {
				t.Errorf("a section at %d is written as %v", off.Startxref, revisions[len(revisions)-1].Kind)
			}
		})
	}
}

func TestUpdateReloadsStreams(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Table(pdftest.Trailer)
	before := open(t, f.Bytes())
	u, err := before.NewUpdate()
	if err != nil {
		t.Fatal(err)
	}
	content, err := before.Object(pdf.Ref{Number: 4})
	if err != nil {
		t.Fatal(err)
	}
	u.Set(pdf.Ref{Number: 4}, content)
	if !u.Touched(pdf.Ref{Number: 4}) || u.Touched(pdf.Ref{Number: 3}) {
		t.Error("the update does not know what it touches")
	}
	tail, _, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	after := open(t, append(f.Bytes(), tail...))
	o, err := after.Object(pdf.Ref{Number: 4})
	s, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		t.Fatalf("%v: %v", o, err)
	}
	if data, err := after.StreamData(s); err != nil || string(data) != pdftest.Content {
		t.Errorf("the stream holds %q: %v", data, err)
	}
}

func TestUpdateNeedsNumbers(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Table(strings.Replace(pdftest.Trailer, "/Root", "/Size 2147483647 /Root", 1))
	before := open(t, f.Bytes())
	u, err := before.NewUpdate()
	if err == nil {
		if r := u.Reserve(); r.Number > math.MaxInt32 {
			t.Errorf("the number %d was given out", r.Number)
		}
	}
}

// objectOf draws an object of any kind that can be written and read.
func objectOf(depth int) *rapid.Generator[pdf.Object] {
	return rapid.Custom(func(t *rapid.T) pdf.Object {
		top := 8
		if depth <= 0 {
			top = 6
		}
		switch rapid.IntRange(0, top).Draw(t, "kind") {
		case 0:
			return pdf.Bool(rapid.Bool().Draw(t, "bool"))
		case 1:
			return pdf.Integer(rapid.Int64Range(-1e18, 1e18).Draw(t, "integer"))
		case 2:
			return pdf.Real(float64(rapid.IntRange(-1e9, 1e9).Draw(t, "real")) / 1024)
		case 3:
			return pdf.String(rapid.SliceOf(rapid.Byte()).Draw(t, "string"))
		case 4:
			return pdf.Name(rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 30).Draw(t, "name"))
		case 5:
			return pdf.Null{}
		case 6:
			return pdf.Ref{Number: rapid.Uint32Range(1, 1000).Draw(t, "number"), Generation: rapid.Uint16().Draw(t, "generation")}
		case 7:
			n := rapid.IntRange(0, 5).Draw(t, "length")
			a := make(pdf.Array, 0, n)
			for range n {
				a = append(a, objectOf(depth-1).Draw(t, "element"))
			}
			return a
		}
		d := pdf.Dict{}
		for range rapid.IntRange(0, 5).Draw(t, "entries") {
			d.Set(pdf.Name(rapid.StringMatching(`[A-Za-z0-9 #/()]{1,8}`).Draw(t, "key")), objectOf(depth-1).Draw(t, "value"))
		}
		return d
	})
}

// What is written reads as what was written, encrypted or not.
func TestUpdateRoundTrip(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Table(pdftest.Trailer)
	files := [][]byte{f.Bytes()}
	names := []string{"not encrypted"}
	for _, args := range encryptions {
		files, names = append(files, encrypted(t, f.Bytes(), args...)), append(names, strings.Join(args, " "))
	}
	rapid.Check(t, func(t *rapid.T) {
		file := files[slices.Index(names, rapid.SampledFrom(names).Draw(t, "file"))]
		o := objectOf(4).Draw(t, "object")
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		before, err := pdf.Open(pdf.Bytes(file), int64(len(file)), pdf.Options{Password: []byte("u")})
		if err != nil {
			t.Fatal(err)
		}
		u, err := before.NewUpdate()
		if err != nil {
			t.Fatal(err)
		}
		ref := u.Add(pdf.Array{o})
		stream := u.Add(&pdf.Stream{Data: append([]byte{}, data...), Dict: pdf.Dict{{Key: "Extra", Value: o}}})
		tail, _, err := u.Tail()
		if err != nil {
			t.Fatal(err)
		}
		all := append(bytes.Clone(file), tail...)
		after, err := pdf.Open(pdf.Bytes(all), int64(len(all)), pdf.Options{Password: []byte("o")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := after.Object(ref)
		if a, ok := got.(pdf.Array); err != nil || !ok || len(a) != 1 || !same(a[0], o) {
			t.Fatalf("%v was written and %v read: %v", o, got, err)
		}
		got, err = after.Object(stream)
		s, ok := got.(*pdf.Stream)
		if err != nil || !ok || !same(s.Dict.Get("Extra"), o) {
			t.Fatalf("%v was written and %v read: %v", o, got, err)
		}
		if b, err := after.StreamData(s); err != nil || !bytes.Equal(b, data) {
			t.Fatalf("%x was written and %x read: %v", data, b, err)
		}
	})
}

// same compares by what is written; null and nothing are the same.
func same(a, b pdf.Object) bool {
	return bytes.Equal(pdf.AppendObject(nil, a), pdf.AppendObject(nil, b))
}

func TestObjectsBeforeTheHeader(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	// The only %PDF- stands behind the objects.
	b := append(bytes.Replace(f.Bytes(), []byte("%PDF-1.7"), []byte("%pdf 1.7"), 1), "trailer << /Root 1 0 R >>\n%PDF-1.7\n"...)
	if _, err := open(t, b).NewUpdate(); !errors.Is(err, pdf.ErrBeforeHeader) {
		t.Errorf("an update begins with %v", err)
	}
}
