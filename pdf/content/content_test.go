package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"absah/pdf"
)

// page is a file of one page with the content, and further objects from number 6
// on. Object 4 is the content, 5 the font.
func page(content string, resources string, more ...string) []byte {
	objects := append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> " + resources + " >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	}, more...)
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

func read(t testing.TB, file []byte, o Options) *Text {
	t.Helper()
	text, err := readAll(t.Context(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readAll(ctx context.Context, file []byte, o Options) (*Text, error) {
	d, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Options{})
	if err != nil {
		return nil, err
	}
	p, err := d.Page(0)
	if err != nil {
		return nil, err
	}
	return Read(ctx, d, p, o)
}

func find(t testing.TB, text *Text, anchor string) []Match {
	t.Helper()
	m, err := text.Find(anchor)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.6 }

// TestFind finds anchors however they are drawn; places are those that the
// operators of ISO 32000-2 9.4 give.
func TestFind(t *testing.T) {
	form := "<< /Type /XObject /Subtype /Form /BBox [0 0 500 500] /Matrix [1 0 0 1 10 20] /Resources << /Font << /F1 5 0 R >> >> /Length 43 >>\nstream\nBT /F1 12 Tf 100 100 Td (${ttd}) Tj ET\n    \nendstream"
	for _, c := range []struct {
		name, content, resources string
		more                     []string
		anchor                   string
		x, y                     float64 // of the origin; NaN: not found
	}{
		{"one string", "BT /F1 12 Tf 100 200 Td (${ttd}) Tj ET", "", nil, "${ttd}", 100, 200},
		{"several operators", "BT /F1 12 Tf 100 200 Td (${) Tj (tt) Tj (d}) Tj ET", "", nil, "${ttd}", 100, 200},
		{"kerning", "BT /F1 12 Tf 100 200 Td [(${) -20 (t) 15 (td}) ] TJ ET", "", nil, "${ttd}", 100, 200},
		{"hexadecimal", "BT /F1 12 Tf 100 200 Td <247B7474647D> Tj ET", "", nil, "${ttd}", 100, 200},
		{"text matrix", "BT /F1 1 Tf 12 0 0 12 100 200 Tm (#) Tj ET", "", nil, "#", 100, 200},
		{"transformed", "q 2 0 0 2 10 20 cm BT /F1 6 Tf 45 90 Td (#) Tj ET Q", "", nil, "#", 100, 200},
		{"behind words", "BT /F1 10 Tf 100 200 Td (iii) Tj (#) Tj ET", "", nil, "#", 100 + 3*2.22, 200},
		{"next line", "BT /F1 10 Tf 14 TL 100 200 Td (a) Tj T* (#) Tj ET", "", nil, "#", 100, 186},
		{"apostrophe", "BT /F1 10 Tf 14 TL 100 200 Td (a) Tj (#) ' ET", "", nil, "#", 100, 186},
		{"in a form", "/X Do", "/XObject << /X 6 0 R >>", []string{form}, "${ttd}", 110, 120},
		{"not drawn", "% BT (#) Tj ET\n", "", nil, "#", math.NaN(), 0},
		{"other text", "BT /F1 12 Tf 100 200 Td ($ttd) Tj ET", "", nil, "${ttd}", math.NaN(), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := find(t, read(t, page(c.content, c.resources, c.more...), Options{}), c.anchor)
			if math.IsNaN(c.x) {
				if len(found) != 0 {
					t.Fatalf("found %+v", found)
				}
				return
			}
			if len(found) != 1 || !near(found[0].Origin.X, c.x) || !near(found[0].Origin.Y, c.y) {
				t.Fatalf("found %+v, want one at %v, %v", found, c.x, c.y)
			}
		})
	}
	if _, err := read(t, page("", ""), Options{}).Find(""); !errors.Is(err, ErrAnchor) {
		t.Errorf("empty anchor: %v", err)
	}
}

// TestToUnicode reads text of a font with two-byte codes by its ToUnicode map.
func TestToUnicode(t *testing.T) {
	cmap := "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n" +
		"1 beginbfchar <0001> <0023> endbfchar 1 beginbfrange <0010> <0012> <0061> endbfrange endcmap end end"
	file := page("BT /F2 12 Tf 100 200 Td <0010 0011 0012 0001> Tj ET", "/ColorSpace << >> /ExtGState << >>",
		"<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+Contoh /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 8 0 R >>",
		"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /AAAAAA+Contoh /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(cmap), cmap))
	file = bytes.Replace(file, []byte("/F1 5 0 R >>"), []byte("/F2 6 0 R >>"), 1)
	text := read(t, file, Options{})
	if m := find(t, text, "abc#"); len(m) != 1 || !near(m[0].Origin.X, 100) {
		t.Fatalf("found %+v (damaged %v)", m, text.Damaged)
	}
	if m := find(t, text, "#"); len(m) != 1 || !near(m[0].Origin.X, 118) {
		t.Fatalf("# found at %+v, want x 118", m)
	}
}

// TestCovers and TestMarks: what a box would lie over.
func TestCovers(t *testing.T) {
	text := read(t, page("BT /F1 20 Tf 100 200 Td (Rupiah) Tj ET", ""), Options{})
	for box, want := range map[[4]float64]bool{
		{90, 190, 300, 230}: true, {110, 205, 120, 210}: true, {300, 230, 90, 190}: true,
		{90, 300, 300, 330}: false, {300, 190, 400, 230}: false, {0, 0, 595, 842}: true,
	} {
		if got := len(text.Covers(box)) > 0; got != want {
			t.Errorf("%v covers text: %v, want %v", box, got, want)
		}
	}
}

func TestMarks(t *testing.T) {
	image := "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\nstream\nx\nendstream"
	content := "q 100 0 0 50 200 300 cm /Im Do Q\nq 10 0 0 10 400 400 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q\n0 g 50 600 20 20 re f\n"
	text := read(t, page(content, "/XObject << /Im 6 0 R >>", image), Options{Marks: true})
	for box, want := range map[[4]float64]string{
		{210, 310, 220, 320}: "image", {401, 401, 402, 402}: "image", {55, 605, 60, 610}: "path", {500, 500, 510, 510}: "",
	} {
		got := ""
		if m := text.Marks(box); len(m) > 0 {
			got = m[0].Kind.String()
		}
		if got != want {
			t.Errorf("%v lies over %q, want %q", box, got, want)
		}
	}
}

// TestLimits: loops and floods end with an error or a note, never with the memory.
func TestLimits(t *testing.T) {
	loop := "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> /Length 5 >>\nstream\n/X Do\nendstream"
	if _, err := readAll(t.Context(), page("/X Do", "/XObject << /X 6 0 R >>", loop), Options{}); err != nil {
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("a form that draws itself: %v", err)
		}
	}
	var limit *LimitError
	flood := "BT /F1 1 Tf " + strings.Repeat("(aaaaaaaaaa) Tj ", 2000) + "ET"
	if _, err := readAll(t.Context(), page(flood, ""), Options{Limits: Limits{Glyphs: 1000}}); !errors.As(err, &limit) {
		t.Errorf("too many glyphs: %v", err)
	}
	if _, err := readAll(t.Context(), page(strings.Repeat("q Q ", 2000), ""), Options{Limits: Limits{Operators: 1000}}); !errors.As(err, &limit) {
		t.Errorf("too many operators: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readAll(ctx, page(strings.Repeat("q Q ", 200_000), ""), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

var word = regexp.MustCompile(`<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]*)</word>`)

// TestSameAsPoppler compares the places of words with those of pdftotext.
func TestSameAsPoppler(t *testing.T) {
	file := page("BT /F1 14 Tf 72 700 Td (Keputusan) Tj 0 -30 Td (Nomor) Tj 100 0 Td [(Con) -300 (toh)] TJ ET\n"+
		"q 0.7 0 0 0.7 50 60 cm BT /F1 24 Tf 1 0 0 1 300 400 Tm 2 Tc (Jarak) Tj 0 Tc 150 Tz 0 -50 Td (Lebar) Tj ET Q", "")
	name := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-bbox", name, "-").Output()
	if err != nil {
		t.Fatalf("run pdftotext (scripts/setup-test installs it): %v", err)
	}
	text := read(t, file, Options{})
	words := word.FindAllStringSubmatch(string(out), -1)
	if len(words) < 4 {
		t.Fatalf("pdftotext finds %d words:\n%s", len(words), out)
	}
	for _, w := range words {
		at := func(i int) float64 { v, _ := strconv.ParseFloat(w[i], 64); return v }
		found := find(t, text, w[5])
		if len(found) != 1 {
			t.Errorf("%q: found %d times", w[5], len(found))
			continue
		}
		b := found[0].Quad.Bounds()
		if math.Abs(b[0]-at(1)) > 1.5 || math.Abs(b[2]-at(3)) > 3.5 {
			t.Errorf("%q from %.1f to %.1f, pdftotext says %.1f to %.1f", w[5], b[0], b[2], at(1), at(3))
		}
		if y := 842 - found[0].Origin.Y; y < at(2) || y > at(4) {
			t.Errorf("%q has its baseline at %.1f from the top, pdftotext's box is %.1f to %.1f", w[5], y, at(2), at(4))
		}
	}
}

// FuzzPage: no content stops or crashes the interpreter.
func FuzzPage(f *testing.F) {
	for _, s := range []string{
		"BT /F1 12 Tf 100 200 Td (${ttd}) Tj ET", "q 1 0 0 1 0 0 cm /X Do Q", "BI /W 1 /H 1 /CS /G /BPC 8 ID x EI", "BT [(a) -9 <41> 1e9 ] TJ ET",
		"BT /F1 -12 Tf 0 0 0 0 0 0 Tm (a) ' (b) \" ET", "0 0 m 1 1 l 2 2 3 3 4 4 c h B* W n", "<</A[<</B",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		text, err := readAll(t.Context(), page(string(content), "/XObject << /X 4 0 R >>"), Options{Annotations: true, Marks: true, Limits: Limits{Operators: 20_000, Glyphs: 20_000}})
		if err != nil {
			return
		}
		text.Covers([4]float64{0, 0, 595, 842})
		text.Marks([4]float64{0, 0, 595, 842})
		if _, err := text.Find("#"); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzCMap: no character map crashes its reader.
func FuzzCMap(f *testing.F) {
	f.Add([]byte("1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <01> <0041> endbfchar"))
	f.Add([]byte("1 beginbfrange <0000> <FFFF> [<0041> <0042>] endbfrange"))
	f.Fuzz(func(t *testing.T, cmap []byte) {
		file := page("BT /F1 12 Tf <000102030405FFFF> Tj ET", "",
			fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(cmap), cmap))
		file = bytes.Replace(file, []byte("/Encoding /WinAnsiEncoding"), []byte("/ToUnicode 6 0 R          "), 1)
		if _, err := readAll(t.Context(), file, Options{}); err != nil {
			return
		}
	})
}
