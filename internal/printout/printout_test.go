package printout_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/printout"
	"absah/internal/printout/printouttest"
	"absah/pdf"
)

// everything has each kind of block, over several pages.
func everything(t testing.TB) []byte {
	t.Helper()
	d, err := printout.New(printout.Head{
		Title: "Judul & <contoh>", Author: "Instansi Contoh", Subject: "Perihal", Lang: "id", At: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC), Page: "Halaman %d dari %d",
	})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("Kalimat yang panjang supaya ada beberapa baris. ", 12)
	d.Part("Judul yang berjalan "+long, "Kaki halaman "+long)
	d.Title("Judul contoh")
	d.Subtitle(printout.Span{Text: "A subtitle", Lang: "en"})
	d.Code("https://absah.example/v/1", "Kode QR", printout.Linked("Alamat: https://absah.example/v/1.")...)
	d.Contents("Daftar isi")
	for n := range 6 {
		d.Heading(1, fmt.Sprintf("%d. Bab", n+1))
		d.Heading(2, fmt.Sprintf("%d.1. Bagian", n+1))
		d.Paragraph(printout.Span{Text: long}, printout.Span{Text: "tebal", Bold: true}, printout.Span{Text: " Huruf 字 dan \u202eé\u00ad\t" + strings.Repeat("sangat", 40)})
		d.List(true, printout.Item{Label: "1.", Text: printout.Plain(long)}, printout.Item{Label: "2.", Text: printout.Linked("lihat https://absah.example/" + strings.Repeat("jalan/", 30))})
		d.List(false, printout.Item{Label: "•", Text: printout.Plain("butir")}, printout.Item{Label: "•"})
		d.Table(printout.Table{Widths: []float64{1, 2}, Rows: [][]string{{"Nama", "Siti Contoh"}, {"Kosong", ""}}})
	}
	columns := printout.Table{Head: []string{"Halaman", "Perubahan"}, Widths: []float64{1, 3}}
	for n := range 70 {
		columns.Rows = append(columns.Rows, []string{fmt.Sprint(n), "Bidang diisi"})
	}
	columns.Rows = append(columns.Rows, []string{"akhir", strings.Repeat(long, 12)})
	d.Table(columns)
	d.Table(printout.Table{})
	d.Panel(printout.Accent(), func() {
		d.Heading(1, "Bukti")
		d.Paragraph(printout.Plain(long)...)
	})
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEverything(t *testing.T) {
	t.Parallel()
	b := everything(t)
	for _, wrong := range printouttest.Check(b) {
		t.Error(wrong)
	}
	if !bytes.Equal(b, everything(t)) {
		t.Error("the same calls give other bytes")
	}
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatalf("pdftotext: %v\n%s", err, out)
	}
	text := string(out)
	// The head of the table stands on each of its pages, and pages are numbered.
	if n := strings.Count(text, "Perubahan"); n < 3 {
		t.Errorf("the head of the table stands on %d pages", n)
	}
	for _, want := range []string{"Judul contoh", "A subtitle", "字", "Halaman 1 dari ", "6.1. Bagian", "Bukti"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
	if heard, err := exec.CommandContext(t.Context(), "pdfinfo", "-struct-text", path).Output(); err != nil {
		t.Error(err)
	} else if n := strings.Count(string(heard), `"Perubahan"`); n != 1 {
		t.Errorf("the head of the table is heard %d times", n)
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	d, err := printout.New(printout.Head{Title: "a", Lang: "id", Page: "%d %d"})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := d.Bytes(); err == nil {
		t.Errorf("%d bytes of nothing", len(b))
	}
	d.Paragraph(printout.Plain("a")...) // without a part
	b, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range printouttest.Check(b) {
		t.Error(wrong)
	}
}

func TestLinked(t *testing.T) {
	t.Parallel()
	spans := printout.Linked("Lihat http://a.example/b, lalu (https://c.example/d?e=f).")
	var links []string
	all := ""
	for _, s := range spans {
		all += s.Text
		if s.Link != "" {
			links = append(links, s.Link)
		}
	}
	if all != "Lihat http://a.example/b, lalu (https://c.example/d?e=f)." || strings.Join(links, " ") != "http://a.example/b https://c.example/d?e=f" {
		t.Errorf("%q with the links %q", all, links)
	}
}

// What the checker must see: each fault is put into a sound file.
func TestFaultsAreSeen(t *testing.T) {
	t.Parallel()
	sound := everything(t)
	change := func(t *testing.T, edit func(doc *pdf.Document, u *pdf.Update, root pdf.Dict)) []string {
		t.Helper()
		doc, err := pdf.Open(bytes.NewReader(sound), int64(len(sound)), pdf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, root, err := doc.Root()
		if err != nil {
			t.Fatal(err)
		}
		u, err := doc.NewUpdate()
		if err != nil {
			t.Fatal(err)
		}
		edit(doc, u, root)
		tail, _, err := u.Tail()
		if err != nil {
			t.Fatal(err)
		}
		return printouttest.Check(append(bytes.Clone(sound), tail...))
	}
	// each finds the first object of a kind and changes it.
	each := func(match func(pdf.Dict) bool, edit func(*pdf.Dict)) func(doc *pdf.Document, u *pdf.Update, root pdf.Dict) {
		return func(doc *pdf.Document, u *pdf.Update, _ pdf.Dict) {
			for ref := range doc.Objects() {
				o, err := doc.Object(ref)
				d, ok := o.(pdf.Dict)
				if err != nil || !ok || !match(d) {
					continue
				}
				d = d.Clone()
				edit(&d)
				u.Set(ref, d)
				return
			}
			t.Error("there is nothing to change")
		}
	}
	is := func(key, value pdf.Name) func(pdf.Dict) bool {
		return func(d pdf.Dict) bool { return d.Get(key) == pdf.Object(value) }
	}
	for name, edit := range map[string]func(doc *pdf.Document, u *pdf.Update, root pdf.Dict){
		"no words for a figure":      each(is("S", "Figure"), func(d *pdf.Dict) { d.Delete("Alt") }),
		"a header cell of nothing":   each(is("S", "TH"), func(d *pdf.Dict) { d.Delete("A") }),
		"content of no element":      each(is("S", "P"), func(d *pdf.Dict) { d.Set("K", pdf.Array{}) }),
		"a skipped level":            each(is("S", "H2"), func(d *pdf.Dict) { d.Set("S", pdf.Name("H4")) }),
		"a list of paragraphs":       each(is("S", "LI"), func(d *pdf.Dict) { d.Set("S", pdf.Name("P")) }),
		"a link without words":       each(is("Subtype", "Link"), func(d *pdf.Dict) { d.Delete("Contents") }),
		"a link outside of the tree": each(is("Subtype", "Link"), func(d *pdf.Dict) { d.Delete("StructParent") }),
		"another order":              each(is("Type", "Page"), func(d *pdf.Dict) { d.Set("Tabs", pdf.Name("R")) }),
		"no language":                each(is("Type", "Catalog"), func(d *pdf.Dict) { d.Delete("Lang") }),
		"not tagged":                 each(is("Type", "Catalog"), func(d *pdf.Dict) { d.Delete("MarkInfo") }),
		"no profile":                 each(is("Type", "Catalog"), func(d *pdf.Dict) { d.Delete("OutputIntents") }),
		"another title":              each(func(d pdf.Dict) bool { return d.Has("CreationDate") }, func(d *pdf.Dict) { d.Set("Title", pdf.String("x")) }),
		"paint outside": func(doc *pdf.Document, u *pdf.Update, _ pdf.Dict) {
			p, err := doc.Page(0)
			if err != nil {
				t.Fatal(err)
			}
			ref, _ := p.Dict.Get("Contents").(pdf.Ref)
			u.Set(ref, &pdf.Stream{Data: []byte("0 0 9 9 re f"), Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(12)}}})
		},
	} {
		if wrong := change(t, edit); len(wrong) == 0 {
			t.Errorf("%s: not seen", name)
		}
	}
}

func BenchmarkEverything(b *testing.B) {
	for b.Loop() {
		everything(b)
	}
}
