package pdf_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

func sound(t *testing.T, name string) *pdf.Document {
	t.Helper()
	for _, c := range pdftest.Sound() {
		if c.Name == name {
			return open(t, c.Data)
		}
	}
	t.Fatalf("no case %q", name)
	return nil
}

func ref(n uint32) pdf.Ref { return pdf.Ref{Number: n} }

func TestRevisionsAreViews(t *testing.T) {
	d := sound(t, "incremental")
	numbers := func(refs []pdf.Ref) (n []uint32) {
		for _, r := range refs {
			n = append(n, r.Number)
		}
		return n
	}
	for i, want := range [][]uint32{{0, 1, 2, 3, 4, 5, 6}, {3, 7}, {3, 7}} {
		if got := numbers(d.Changed(i)); !reflect.DeepEqual(got, want) {
			t.Errorf("revision %d changes %v, want %v", i, got, want)
		}
	}
	for i, want := range []struct{ annots, note bool }{{false, false}, {true, true}, {false, false}} {
		v := d.At(i)
		p, err := v.Page(0)
		if err != nil {
			t.Fatal(err)
		}
		note, err := v.Object(ref(7))
		if p.Dict.Has("Annots") != want.annots || (note != nil) != want.note || err != nil {
			t.Errorf("revision %d: annotations %v, note %v, %v", i, p.Dict.Has("Annots"), note, err)
		}
		if n := len(v.Revisions()); n != i+1 {
			t.Errorf("revision %d has %d revisions", i, n)
		}
		if (len(v.Trailer()) == 0) || v.Trailer().Has("Prev") != (i > 0) {
			t.Errorf("revision %d has the trailer %v", i, v.Trailer())
		}
	}
	kinds := map[uint32]pdf.EntryKind{}
	for e := range d.Entries(2) {
		kinds[e.Ref.Number] = e.Kind
	}
	if kinds[3] != pdf.EntryInUse || kinds[7] != pdf.EntryFree {
		t.Errorf("entries of revision 2: %v", kinds)
	}
	if loc, ok := d.Locate(ref(3)); !ok || loc.Revision != 2 {
		t.Errorf("page is located at %+v, %v", loc, ok)
	}
	if loc, ok := d.At(1).Locate(ref(3)); !ok || loc.Revision != 1 {
		t.Errorf("page of revision 1 is located at %+v, %v", loc, ok)
	}
	if _, ok := d.Locate(ref(7)); ok {
		t.Error("a freed object is located")
	}
	if o, err := d.Object(pdf.Ref{Number: 3, Generation: 1}); o != nil || err != nil {
		t.Errorf("a reference of another generation gives %v, %v", o, err)
	}
}

func TestViewsDoNotShareLengths(t *testing.T) {
	// The second revision gives a stream of the first another length by changing
	// the integer that its Length names.
	f := pdftest.New("1.7")
	f.Head()
	f.Tail()
	f.Begin(4)
	f.WriteString("4 0 obj\n<< /Length 8 0 R >>\nstream\nshort\nendstream\nlonger\nendstream\nendobj\n")
	f.Object(8, "5")
	f.Table(pdftest.Trailer)
	f.Object(8, "22")
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	content := func(v *pdf.Document) string {
		o, err := v.Object(ref(4))
		if err != nil {
			t.Fatal(err)
		}
		b, err := v.StreamData(o.(*pdf.Stream))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for range 2 {
		if got := content(d); got != "short\nendstream\nlonger" {
			t.Errorf("newest view reads %q", got)
		}
		if got := content(d.At(0)); got != "short" {
			t.Errorf("oldest view reads %q", got)
		}
	}
}

// TestRevisionsOfARebuiltFile loses the cross-reference of the file with three
// revisions: they are still there.
func TestRevisionsOfARebuiltFile(t *testing.T) {
	for _, c := range pdftest.Damaged() {
		if c.Name != "three revisions and no use in startxref" {
			continue
		}
		d := open(t, c.Data)
		var marks []int
		for i, r := range d.Revisions() {
			marks = append(marks, len(d.Changed(i)))
			if !bytes.HasSuffix(c.Data[:r.End], []byte("%%EOF\n")) {
				t.Errorf("revision %d ends at %d", i, r.End)
			}
			if _, _, err := d.At(i).Root(); err != nil {
				t.Errorf("revision %d: %v", i, err)
			}
		}
		if !reflect.DeepEqual(marks, []int{6, 2, 2}) {
			t.Errorf("objects per revision: %v", marks)
		}
		if o, err := d.At(0).Object(ref(7)); o != nil || err != nil {
			t.Errorf("revision 0 sees %v, %v", o, err)
		}
		if o, err := d.Object(ref(7)); o == nil || err != nil {
			t.Errorf("the newest view does not see the note: %v", err)
		}
		return
	}
	t.Fatal("no such case")
}

func TestPlacesOfMislaidObjects(t *testing.T) {
	for _, c := range pdftest.Damaged() {
		if c.Name != "offsets too high by one" && c.Name != "offsets far off" {
			continue
		}
		d := open(t, c.Data)
		if _, err := d.Object(ref(5)); err != nil {
			t.Fatal(err)
		}
		loc, ok := d.Locate(ref(5))
		if want := int64(bytes.Index(c.Data, []byte("5 0 obj"))); !ok || loc.Offset != want {
			t.Errorf("%s: font is located at %d, stands at %d", c.Name, loc.Offset, want)
		}
	}
}

func TestAnomaliesNameTheirRevision(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Table(pdftest.Trailer)
	f.Object(6, "<< /Title (a) /Title (b) >>")
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	if _, err := d.Object(ref(6)); err != nil {
		t.Fatal(err)
	}
	got := d.Anomalies()
	if len(got) != 1 || got[0].Kind != pdf.DuplicateKey || got[0].Revision != 1 || !got[0].Kind.Serious() {
		t.Errorf("%+v", got)
	}
	if pdf.StreamKeyword.Serious() || !pdf.ObjectShadow.Serious() {
		t.Error("kinds are not told apart")
	}
}

func TestLimitsHold(t *testing.T) {
	deep := pdftest.New("1.7")
	deep.Body()
	deep.Object(10, strings.Repeat("[", 20)+strings.Repeat("]", 20))
	deep.Stream(11, "/Filter /FlateDecode", pdftest.Deflate(make([]byte, 5000)))
	deep.Stream(12, "/Filter [/ASCIIHexDecode /ASCIIHexDecode /ASCIIHexDecode]", []byte(">"))
	deep.Table(pdftest.Trailer)
	for range 3 {
		deep.Update()
		deep.Table(pdftest.Trailer)
	}
	b := deep.Bytes()
	stream := func(n uint32) func(d *pdf.Document) error {
		return func(d *pdf.Document) error {
			o, err := d.Object(ref(n))
			if err == nil {
				_, err = d.StreamData(o.(*pdf.Stream))
			}
			return err
		}
	}
	for _, c := range []struct {
		name   string
		limits pdf.Limits
		do     func(d *pdf.Document) error
	}{
		{"depth", pdf.Limits{Depth: 10}, func(d *pdf.Document) error { _, err := d.Object(ref(10)); return err }},
		{"bytes of a stream", pdf.Limits{StreamBytes: 4000}, stream(11)},
		{"bytes of a file", pdf.Limits{FileBytes: 4000}, stream(11)},
		{"filters", pdf.Limits{Filters: 2}, stream(12)},
		{"pages", pdf.Limits{Pages: 1}, func(d *pdf.Document) error { _, err := d.PageCount(); return err }},
		{"objects", pdf.Limits{Objects: 5}, nil},
	} {
		d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{Limits: c.limits})
		if err == nil && c.do != nil {
			err = c.do(d)
		}
		var limit *pdf.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: %v, want a LimitError", c.name, err)
		}
		if c.do != nil {
			if err := c.do(open(t, b)); err != nil {
				t.Errorf("%s, by default: %v", c.name, err)
			}
		}
	}
}

func TestPagesInherit(t *testing.T) {
	d := sound(t, "page tree")
	if major, minor := d.Version(); major != 2 || minor != 0 {
		t.Errorf("version %d.%d: the catalog's counts", major, minor)
	}
	want := []struct {
		ref       uint32
		media     [4]float64
		crop      [4]float64
		rotate    int
		resources pdf.Dict
	}{
		{3, [4]float64{0, 0, 595, 842}, [4]float64{0, 0, 595, 842}, 90, pdf.Dict{}},
		{6, [4]float64{0, 0, 595, 842}, [4]float64{50, 50, 595, 842}, 270, pdf.Dict{{Key: "X", Value: pdf.Integer(1)}}},
		{7, [4]float64{0, 0, 595, 842}, [4]float64{0, 0, 10, 10}, 270, pdf.Dict{{Key: "Y", Value: pdf.Integer(2)}}},
		{8, [4]float64{10, 10, 300, 300}, [4]float64{50, 50, 300, 300}, 270, pdf.Dict{{Key: "X", Value: pdf.Integer(1)}}},
		{5, [4]float64{0, 0, 100, 200}, [4]float64{0, 0, 100, 200}, 0, pdf.Dict{}},
	}
	n := 0
	for p, err := range d.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		w := want[n]
		if p.Number != n || p.Ref != ref(w.ref) || p.MediaBox != w.media || p.CropBox != w.crop || p.Rotate != w.rotate || !reflect.DeepEqual(p.Resources, w.resources) {
			t.Errorf("page %d is %+v, want %+v", n, p, w)
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d pages", n)
	}
	if _, err := d.Page(5); !errors.Is(err, pdf.ErrNoPage) {
		t.Errorf("page 5: %v", err)
	}
}

func TestSpansAreThePlacesOfValues(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	at := f.At()
	f.Object(10, "<< /Type /Sig /Contents <00ff00> /ByteRange [0 1 2 3] /Inner << /Contents <11> >> /Empty /Last (x) >>")
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	r, o, spans, err := d.ParseAt(at)
	dict, ok := o.(pdf.Dict)
	if err != nil || !ok || r != ref(10) || len(spans.Values) != len(dict) {
		t.Fatalf("%v %v %+v %v", r, o, spans, err)
	}
	for i, want := range []string{"/Sig", "<00ff00>", "[0 1 2 3]", "<< /Contents <11> >>", "/Last"} {
		s := spans.Values[i]
		if got := string(f.Bytes()[s.Start:s.End]); got != want {
			t.Errorf("value of %s is %q, want %q", dict[i].Key, got, want)
		}
	}
	raw, err := d.Raw(spans.Object.Start, spans.Object.End-spans.Object.Start)
	if err != nil || !bytes.HasPrefix(raw, []byte("10 0 obj")) || !bytes.HasSuffix(raw, []byte("endobj")) {
		t.Errorf("object is %q, %v", raw, err)
	}
	loc, err := d.Extent(ref(10))
	if err != nil || loc.Offset != spans.Object.Start || loc.End != spans.Object.End {
		t.Errorf("extent %+v, %v, want %+v", loc, err, spans.Object)
	}
	if _, err := d.Raw(d.Size()-1, 2); err == nil {
		t.Error("bytes behind the end were read")
	}
}

func TestResolveTellsTypes(t *testing.T) {
	d := sound(t, "every kind of object")
	var wrong *pdf.TypeError
	if v, err := d.ResolveDict(ref(1)); err != nil || v.Get("Type") != pdf.Name("Catalog") {
		t.Errorf("dictionary: %v, %v", v, err)
	}
	if v, err := d.ResolveDict(ref(4)); err != nil || v.Get("Length") == nil {
		t.Errorf("dictionary of a stream: %v, %v", v, err)
	}
	if _, err := d.ResolveDict(ref(11)); !errors.As(err, &wrong) {
		t.Errorf("a boolean as dictionary: %v", err)
	}
	if v, err := d.ResolveInt(ref(12)); err != nil || v != -12 {
		t.Errorf("integer: %v, %v", v, err)
	}
	if v, err := d.ResolveInt(pdf.Real(3)); err != nil || v != 3 {
		t.Errorf("whole real: %v, %v", v, err)
	}
	if _, err := d.ResolveInt(pdf.Real(3.5)); !errors.As(err, &wrong) {
		t.Errorf("fraction as integer: %v", err)
	}
	if v, err := d.ResolveNumber(pdf.Real(3.5)); err != nil || v != 3.5 {
		t.Errorf("number: %v, %v", v, err)
	}
	if v, err := d.ResolveString(ref(13)); err != nil || v != "string" {
		t.Errorf("string: %v, %v", v, err)
	}
	if v, err := d.ResolveName(ref(14)); err != nil || v != "name" {
		t.Errorf("name: %v, %v", v, err)
	}
	if v, err := d.ResolveArray(ref(10)); err != nil || len(v) < 20 {
		t.Errorf("array: %v, %v", v, err)
	}
	for _, absent := range []pdf.Object{nil, pdf.Null{}, ref(0), ref(16), ref(999)} {
		if v, err := d.Resolve(absent); v != nil || err != nil {
			t.Errorf("%v resolves to %v, %v", absent, v, err)
		}
		if v, err := d.ResolveName(absent); v != "" || err != nil {
			t.Errorf("%v resolves to the name %q, %v", absent, v, err)
		}
	}
}

func TestFiltersAreUndone(t *testing.T) {
	d := sound(t, "filters")
	for n := uint32(10); n < 19; n++ {
		o, err := d.Object(ref(n))
		s, ok := o.(*pdf.Stream)
		if !ok {
			t.Fatalf("%d is %v, %v", n, o, err)
		}
		b, err := d.StreamData(s)
		if err != nil || strings.TrimSpace(string(b)) != pdftest.Content {
			t.Errorf("%d gives %q, %v", n, b, err)
		}
		if raw, err := d.StreamRaw(s); err != nil || string(raw) == pdftest.Content {
			t.Errorf("%d is %q without its filters undone, %v", n, raw, err)
		}
	}
	if _, err := d.StreamData(&pdf.Stream{Dict: pdf.Dict{{Key: "Filter", Value: pdf.Name("DCTDecode")}}, Data: []byte{1}}); !errors.Is(err, pdf.ErrFilter) {
		t.Errorf("an image's filter: %v", err)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	for _, s := range []string{"", "x", "%PDF", "<html></html>", strings.Repeat("\x00", 3000)} {
		if _, err := pdf.Open(pdf.Bytes(s), int64(len(s)), pdf.Options{}); !errors.Is(err, pdf.ErrNotPDF) {
			t.Errorf("%.10q: %v", s, err)
		}
	}
	s := "%PDF-1.4\n%%EOF\n"
	if _, err := pdf.Open(pdf.Bytes(s), int64(len(s)), pdf.Options{}); !errors.Is(err, pdf.ErrNoCatalog) {
		t.Errorf("an empty file: %v", err)
	}
}

// failing gives an error from some byte on.
type failing struct {
	pdf.Bytes
	from int64
}

var errDisk = errors.New("disk")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.Bytes.ReadAt(p, off)
}

func TestErrorsOfReadingComeThrough(t *testing.T) {
	b := typical(3000, 1000)
	if _, err := pdf.Open(failing{b, 1000}, int64(len(b)), pdf.Options{}); !errors.Is(err, errDisk) {
		t.Errorf("open: %v", err)
	}
	if _, err := pdf.Open(pdf.Bytes(b), int64(len(b))+1, pdf.Options{}); err == nil {
		t.Error("a size beyond the end was taken")
	}
}

func TestScanStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sound(t, "table").Scan(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
