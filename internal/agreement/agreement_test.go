package agreement

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"absah/internal/printout/printouttest"
)

var contoh = Identity{
	Issuer: "Absah CA Demo (tidak tersertifikasi)", Organisation: "Instansi Contoh",
	ServiceDesk: "Servis Desk (servicedesk@contoh.example)",
}

func texts(t testing.TB) *Texts {
	t.Helper()
	all, err := New(contoh)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTextsNameTheConfiguredPartiesAndNobodyElse(t *testing.T) {
	t.Parallel()
	all := texts(t)
	for _, kind := range Kinds() {
		for _, locale := range Locales() {
			text, err := all.Current(kind, locale)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{contoh.Issuer, contoh.Organisation, contoh.ServiceDesk} {
				if !strings.Contains(text.Body, want) {
					t.Errorf("%s/%s does not name %q", kind, locale, want)
				}
			}
			for _, bad := range []string{"{{", "<no value>", "BSrE", "BSSN", "Kemenkeu"} {
				if strings.Contains(text.Body, bad) {
					t.Errorf("%s/%s holds %q", kind, locale, bad)
				}
			}
			if sum := sha256.Sum256([]byte(text.Body)); !bytes.Equal(sum[:], text.Hash) {
				t.Errorf("%s/%s: the hash is not of the body", kind, locale)
			}
			if text.Kind != kind || text.Locale != locale || text.Version == "" {
				t.Errorf("%s/%s is labelled %+v", kind, locale, text)
			}
		}
	}
	if _, err := all.Current(Agreement, "jv"); !errors.Is(err, ErrNoText) {
		t.Errorf("an unknown language: %v", err)
	}
}

func TestAnotherIssuerMakesAnotherHash(t *testing.T) {
	t.Parallel()
	other := contoh
	other.Issuer = "Penerbit Lain"
	b, err := New(other)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := texts(t).Current(Agreement, "id")
	y, _ := b.Current(Agreement, "id")
	if bytes.Equal(x.Hash, y.Hash) {
		t.Error("the text names another issuer under the same hash")
	}
}

func TestNamesThatChangeTheFormAreRefused(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"", " ", "**X**", "A\n# B"} {
		bad := contoh
		bad.Issuer = issuer
		if _, err := New(bad); err == nil {
			t.Errorf("issuer %q was taken", issuer)
		}
	}
}

// Both languages must have the same sections with the same numbers of items,
// and the sections that RFC 3647 9.6.3 and 9.8 ask for.
func TestBothLanguagesHaveTheSameForm(t *testing.T) {
	t.Parallel()
	all := texts(t)
	for _, kind := range Kinds() {
		form := map[string]string{}
		for _, locale := range Locales() {
			text, err := all.Current(kind, locale)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for i, block := range Parse(text.Body) {
				fmt.Fprintf(&b, "%d %d %d\n", i, block.Kind, block.Number)
			}
			form[locale] = b.String()
		}
		if form["id"] != form["en"] {
			t.Errorf("%s differs in form between the languages", kind)
		}
	}
	text, _ := all.Current(Agreement, "id")
	n := 0
	for _, b := range Parse(text.Body) {
		if b.Kind != Heading {
			continue
		}
		if n++; !strings.HasPrefix(b.Text(), fmt.Sprintf("%d. ", n)) {
			t.Errorf("section %d is headed %q", n, b.Text())
		}
	}
	if n != 9 || !strings.Contains(text.Body, "\n## 8. Pernyataan Penyangkalan\n") {
		t.Errorf("%d sections, want 9 with the guide's eighth", n)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	blocks := Parse("# Judul\n\nSatu **dua** tiga\n## 1. Bab\n1. a\n2. **b**\n- c\n10. d ** e\n0. f\n1.g\n")
	want := []struct {
		kind   BlockKind
		number int
		text   string
		spans  int
	}{
		{Title, 0, "Judul", 1}, {Paragraph, 0, "Satu dua tiga", 3}, {Heading, 0, "1. Bab", 1}, {Numbered, 1, "a", 1},
		{Numbered, 2, "b", 1}, {Bullet, 0, "c", 1}, {Numbered, 10, "d ** e", 1}, {Paragraph, 0, "0. f", 1}, {Paragraph, 0, "1.g", 1},
	}
	if len(blocks) != len(want) {
		t.Fatalf("%d blocks, want %d: %+v", len(blocks), len(want), blocks)
	}
	for i, w := range want {
		b := blocks[i]
		if b.Kind != w.kind || b.Number != w.number || b.Text() != w.text || len(b.Spans) != w.spans {
			t.Errorf("block %d is %+v, want %+v", i, b, w)
		}
	}
	if !blocks[4].Spans[0].Bold || blocks[3].Spans[0].Bold {
		t.Error("emphasis is wrong")
	}
	if g := Groups(blocks); len(g) != 8 || len(g[3].Items) != 2 {
		t.Errorf("groups: %+v", g)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "# a", "1. b **c** d", "**", "- **x", "## \n\n999. y\n1000. z", "a\x00b\r\nc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// Nothing but marks, line ends and spaces may be lost.
		letters := func(s string) string {
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune("#*-. 0123456789", r) || strings.TrimSpace(string(r)) == "" {
					return -1
				}
				return r
			}, s)
		}
		var got strings.Builder
		for _, b := range Parse(s) {
			got.WriteString(b.Text())
		}
		if letters(got.String()) != letters(s) {
			t.Errorf("Parse(%q) keeps %q", s, got.String())
		}
	})
}

func receipt(t testing.TB, locale string) Receipt {
	t.Helper()
	r := Receipt{
		Identity: contoh, Name: "Melati Contohwati, S.E.", NIP: "199001012015022001", Unit: "Bagian Contoh Umum",
		Reference: "DS-7K3M-9QXA", Address: "203.0.113.7", Zone: "WITA",
	}
	for _, kind := range Kinds() {
		text, err := texts(t).Current(kind, locale)
		if err != nil {
			t.Fatal(err)
		}
		r.Accepted = append(r.Accepted, Accepted{Text: text, At: time.Date(2026, 11, 23, 16, 30, 5, 0, time.UTC)})
	}
	return r
}

var spaces = regexp.MustCompile(`\s+`)

func TestPDFHoldsTextsAndReceipt(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"pdftotext", "qpdf"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: run scripts/setup-test", tool)
		}
	}
	for _, locale := range Locales() {
		r := receipt(t, locale)
		pdf, err := PDF(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range printouttest.Check(pdf) {
			t.Errorf("%s: %s", locale, wrong)
		}
		file := filepath.Join(t.TempDir(), "a.pdf")
		if dir := os.Getenv("ABSAH_KEEP_PDF"); dir != "" {
			file = filepath.Join(dir, FileName(r))
		}
		if err := os.WriteFile(file, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("qpdf", "--check", file).CombinedOutput(); err != nil {
			t.Errorf("qpdf: %v\n%s", err, out)
		}
		out, err := exec.Command("pdftotext", "-raw", file, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		got := spaces.ReplaceAllString(string(out), "")
		for _, a := range r.Accepted {
			if !strings.Contains(got, fmt.Sprintf("%x", a.Text.Hash)) {
				t.Errorf("%s: the hash of the %s is missing", locale, a.Text.Kind)
			}
			for _, b := range Parse(a.Text.Body) {
				// Long blocks may be cut by the end of a page: their beginning must be there.
				start := []rune(spaces.ReplaceAllString(b.Text(), ""))
				if want := string(start[:min(len(start), 40)]); !strings.Contains(got, want) {
					t.Errorf("%s: %q is missing", locale, want)
				}
			}
		}
		at := map[string]string{"id": "24November2026pukul00.30.05WITA", "en": "24November2026at00:30:05WITA"}[locale]
		for _, want := range []string{"MelatiContohwati,S.E.", r.NIP, r.Address, r.Reference, at, words[locale].languageName[:6]} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the receipt lacks %q", locale, want)
			}
		}
	}
}

func TestPDFIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	a, err := PDF(t.Context(), receipt(t, "id"))
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		b, err := PDF(t.Context(), receipt(t, "id"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Fatal("two PDFs of one receipt differ")
		}
	}
}

func TestNoReceiptWithoutTexts(t *testing.T) {
	t.Parallel()
	if _, err := PDF(t.Context(), Receipt{}); !errors.Is(err, ErrNoText) {
		t.Errorf("PDF of nothing: %v", err)
	}
}
