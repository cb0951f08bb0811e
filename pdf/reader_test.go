package pdf_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

func open(t testing.TB, b []byte) *pdf.Document {
	t.Helper()
	d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return d
}

// readAll reads every object, page and revision, and scans the file.
func readAll(t testing.TB, d *pdf.Document) {
	t.Helper()
	if _, err := d.PageCount(); err != nil {
		t.Errorf("pages: %v", err)
	}
	for ref := range d.Objects() {
		o, err := d.Object(ref)
		if err != nil {
			t.Errorf("object %v: %v", ref, err)
		}
		if s, ok := o.(*pdf.Stream); ok {
			if _, err := d.StreamData(s); err != nil {
				t.Errorf("stream %v: %v", ref, err)
			}
		}
	}
	if err := d.Scan(context.Background()); err != nil {
		t.Errorf("scan: %v", err)
	}
}

func kinds(d *pdf.Document) (kinds []string) {
	for _, a := range d.Anomalies() {
		kinds = append(kinds, string(a.Kind))
	}
	return kinds
}

func TestSoundFilesHaveNoAnomaly(t *testing.T) {
	for _, c := range pdftest.Sound() {
		t.Run(c.Name, func(t *testing.T) {
			d := open(t, c.Data)
			readAll(t, d)
			for _, a := range d.Anomalies() {
				t.Errorf("anomaly %s at %d: %s", a.Kind, a.Offset, a.Text)
			}
			if n, _ := d.PageCount(); n != c.Pages {
				t.Errorf("%d pages, want %d", n, c.Pages)
			}
			if n := len(d.Revisions()); n != c.Revisions {
				t.Errorf("%d revisions, want %d", n, c.Revisions)
			}
			end := int64(0)
			for i, r := range d.Revisions() {
				if r.Start != end || !strings.HasSuffix(strings.TrimSpace(string(c.Data[:r.End])), "%%EOF") {
					t.Errorf("revision %d is [%d, %d), the one before ends at %d", i, r.Start, r.End, end)
				}
				end = r.End
			}
			if end != int64(len(c.Data)) {
				t.Errorf("the last revision ends at %d of %d", end, len(c.Data))
			}
		})
	}
}

func TestDamagedFilesAreMendedAndTold(t *testing.T) {
	for _, c := range pdftest.Damaged() {
		t.Run(c.Name, func(t *testing.T) {
			d, err := pdf.Open(pdf.Bytes(c.Data), int64(len(c.Data)), pdf.Options{})
			if c.Pages < 0 {
				if err == nil {
					t.Fatal("opened")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			readAll(t, d)
			if n, _ := d.PageCount(); n != c.Pages {
				t.Errorf("%d pages, want %d", n, c.Pages)
			}
			if n := len(d.Revisions()); c.Revisions > 0 && n != c.Revisions {
				t.Errorf("%d revisions, want %d", n, c.Revisions)
			}
			page, err := d.Page(0)
			if err != nil {
				t.Fatal(err)
			}
			content, err := d.Resolve(page.Dict.Get("Contents"))
			if s, ok := content.(*pdf.Stream); !ok {
				t.Errorf("content is %T, %v", content, err)
			} else if b, err := d.StreamData(s); err != nil || strings.TrimSpace(string(b)) != pdftest.Content {
				t.Errorf("content %q, %v", b, err)
			}
			told(t, d, c)
		})
	}
}

func TestHarmlessFilesAreToldAsSuch(t *testing.T) {
	for _, c := range pdftest.Harmless() {
		t.Run(c.Name, func(t *testing.T) {
			d := open(t, c.Data)
			readAll(t, d)
			if n, _ := d.PageCount(); n != 1 || len(d.Revisions()) != c.Revisions {
				t.Errorf("%d pages, %d revisions", n, len(d.Revisions()))
			}
			told(t, d, c)
			for _, a := range d.Anomalies() {
				if a.Kind.Serious() || len(c.Anomalies) == 0 {
					t.Errorf("%s at %d: %s", a.Kind, a.Offset, a.Text)
				}
			}
		})
	}
}

func told(t *testing.T, d *pdf.Document, c pdftest.Case) {
	t.Helper()
	got := kinds(d)
	for _, k := range c.Anomalies {
		if !slices.Contains(got, k) {
			t.Errorf("anomaly %s is not told; told: %v", k, got)
		}
	}
}

func TestAmbiguousFilesAreTold(t *testing.T) {
	for _, c := range pdftest.Ambiguous() {
		t.Run(c.Name, func(t *testing.T) {
			d := open(t, c.Data)
			readAll(t, d)
			if n, _ := d.PageCount(); n != max(1, c.Pages) {
				t.Errorf("%d pages", n)
			}
			told(t, d, c)
		})
	}
}

// TestObjectStreamOfAnUnknownFilter: a container that cannot be decoded is a fault of
// the file, which Scan tells of; it is none of reading.
func TestObjectStreamOfAnUnknownFilter(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	f.Stream(10, "/Type /ObjStm /N 1 /First 4 /Filter /Lain", []byte("11 0 (x)"))
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	if err := d.Scan(t.Context()); err != nil {
		t.Fatalf("scan: %v", err)
	}
	if !slices.ContainsFunc(d.Anomalies(), func(a pdf.Anomaly) bool { return a.Kind == pdf.ObjectStream }) {
		t.Errorf("nothing said: %v", d.Anomalies())
	}
}

// TestDictAtIsTheOneWithin: the places of what a nested dictionary holds.
func TestDictAtIsTheOneWithin(t *testing.T) {
	f := pdftest.New("1.7")
	f.Body()
	at := f.At()
	f.Object(10, "<< /T (x) /V << /Type /Sig /Contents <00ff> /Inner << /Contents <11> >> >> >>")
	f.Table(pdftest.Trailer)
	d := open(t, f.Bytes())
	_, o, spans, err := d.ParseAt(at)
	if err != nil {
		t.Fatal(err)
	}
	inner, places, err := d.DictAt(spans.Values[1])
	if err != nil || len(places) != len(inner) || len(inner) != 3 || !reflect.DeepEqual(inner, o.(pdf.Dict).Get("V")) {
		t.Fatalf("%v %v %v", inner, places, err)
	}
	if s := places[1]; string(f.Bytes()[s.Start:s.End]) != "<00ff>" {
		t.Errorf("Contents is at %v", s)
	}
	var wrong *pdf.TypeError
	if _, _, err := d.DictAt(spans.Values[0]); !errors.As(err, &wrong) {
		t.Errorf("a string is taken for a dictionary: %v", err)
	}
}
