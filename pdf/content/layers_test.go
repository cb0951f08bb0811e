package content

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// layered is a page with content, three layers A (on), B (off) and C (not named),
// the resource names A, B, C and M, where M is a membership dictionary.
func layered(content, config, membership, resources string, more ...string) []byte {
	objects := append([]string{
		"<< /Type /OCG /Name (A) >>", "<< /Type /OCG /Name (B) >>", "<< /Type /OCG /Name (C) >>",
		"<< /Type /OCMD " + membership + " >>",
	}, more...)
	file := page(content, "/Properties << /A 6 0 R /B 7 0 R /C 8 0 R /M 9 0 R >> "+resources, objects...)
	return bytes.Replace(file, []byte("/Type /Catalog"), []byte("/Type /Catalog /OCProperties << /OCGs [6 0 R 7 0 R 8 0 R] /D << /ON [6 0 R] /OFF [7 0 R] "+config+" >> >>"), 1)
}

// inked tells whether pdftoppm draws anything on the page.
func inked(t *testing.T, file []byte) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "36", "-gray", "-cropbox", path).Output()
	if err != nil {
		t.Fatalf("run pdftoppm (scripts/setup-test installs it): %v", err)
	}
	// P5, width and height, the largest value, then the pixels.
	parts := bytes.SplitN(out, []byte("\n"), 4)
	for _, v := range parts[len(parts)-1] {
		if v < 200 {
			return true
		}
	}
	return false
}

// TestSeen: text is found where it is seen, and nowhere else. pdftoppm judges what
// is seen.
func TestSeen(t *testing.T) {
	t.Parallel()
	const show = "BT /F1 40 Tf 100 200 Td (#) Tj ET"
	form := func(dict string) string {
		return fmt.Sprintf("<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] %s /Resources << /Font << /F1 5 0 R >> >> /Length %d >>\nstream\n%s\nendstream", dict, len(show), show)
	}
	tagged := func(name string) string { return "/OC /" + name + " BDC " + show + " EMC" }
	for name, c := range map[string]struct {
		file []byte
		seen bool
	}{
		"layer on":                 {layered(tagged("A"), "", "", ""), true},
		"layer off":                {layered(tagged("B"), "", "", ""), false},
		"layer not named":          {layered(tagged("C"), "", "", ""), true},
		"base off":                 {layered(tagged("C"), "/BaseState /OFF", "", ""), false},
		"base off, on":             {layered(tagged("A"), "/BaseState /OFF", "", ""), true},
		"in one that is off":       {layered("/OC /B BDC /OC /A BDC "+show+" EMC EMC", "", "", ""), false},
		"behind one that is off":   {layered("/OC /B BDC EMC "+show, "", "", ""), true},
		"other marks inside":       {layered("/OC /B BDC /Span << /MCID 0 >> BDC EMC "+show+" EMC", "", "", ""), false},
		"no layer":                 {layered("/Span /B BDC "+show+" EMC", "", "", ""), true},
		"one too many ends":        {layered("EMC EMC "+tagged("A"), "", "", ""), true},
		"any on":                   {layered(tagged("M"), "", "/OCGs [6 0 R 7 0 R]", ""), true},
		"any on of one off":        {layered(tagged("M"), "", "/OCGs 7 0 R", ""), false},
		"all on":                   {layered(tagged("M"), "", "/OCGs [6 0 R 7 0 R] /P /AllOn", ""), false},
		"any off":                  {layered(tagged("M"), "", "/OCGs [6 0 R 7 0 R] /P /AnyOff", ""), true},
		"all off":                  {layered(tagged("M"), "", "/OCGs [7 0 R] /P /AllOff", ""), true},
		"all off of one on":        {layered(tagged("M"), "", "/OCGs [6 0 R] /P /AllOff", ""), false},
		"no groups":                {layered(tagged("M"), "", "", ""), true},
		"expression, not on":       {layered(tagged("M"), "", "/VE [/Not 6 0 R]", ""), false},
		"expression, and not off":  {layered(tagged("M"), "", "/VE [/And 6 0 R [/Not 7 0 R]]", ""), true},
		"expression, or":           {layered(tagged("M"), "", "/VE [/Or 7 0 R [/Not 6 0 R]]", ""), false},
		"form of a layer off":      {layered("/X Do", "", "", "/XObject << /X 10 0 R >>", form("/OC 7 0 R")), false},
		"form of a layer on":       {layered("/X Do", "", "", "/XObject << /X 10 0 R >>", form("/OC 6 0 R")), true},
		"form within a layer off":  {layered("/OC /B BDC /X Do EMC", "", "", "/XObject << /X 10 0 R >>", form("")), false},
		"form that ends too much":  {layered("/OC /B BDC /X Do "+show+" EMC", "", "", "/XObject << /X 10 0 R >>", "<< /Subtype /Form /BBox [0 0 9 9] /Length 4 >>\nstream\nEMC \nendstream"), false},
		"clipped away":             {page("q 0 0 50 50 re W n "+show+" Q", ""), false},
		"within the clip":          {page("q 90 190 80 80 re W n "+show+" Q", ""), true},
		"behind the clip":          {page("q 0 0 50 50 re W n Q "+show, ""), true},
		"clipped twice":            {page("q 0 0 595 842 re W n 300 300 10 10 re W n "+show+" Q", ""), false},
		"clipped by a form's box":  {page("/X Do", "/XObject << /X 6 0 R >>", "<< /Subtype /Form /BBox [0 0 50 50] /Length 33 >>\nstream\n"+show+"\nendstream"), false},
		"outside the page":         {page("BT /F1 40 Tf 100 2000 Td (#) Tj ET", ""), false},
		"outside the visible part": {bytes.Replace(page(show, ""), []byte("/MediaBox [0 0 595 842]"), []byte("/MediaBox [0 0 595 842] /CropBox [300 300 500 500]"), 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if theirs := inked(t, c.file); theirs != c.seen {
				t.Errorf("the test is wrong: pdftoppm draws the text: %v", theirs)
			}
			text := read(t, c.file, Options{Marks: true})
			if found := find(t, text, "#"); (len(found) == 1) != c.seen {
				t.Errorf("found %d times (damaged: %v)", len(found), text.Damaged)
			}
			// A layer can be switched on: what lies there is told all the same.
			covered := text.Covers([4]float64{-1e4, -1e4, 1e4, 1e4})
			if len(covered) != 1 || covered[0].Hidden == c.seen {
				t.Errorf("covers %+v", covered)
			}
			for r := range text.Runs() {
				if r.Hidden == c.seen {
					t.Errorf("the run is hidden: %v", r.Hidden)
				}
			}
		})
	}
}

// TestHiddenMarks: images of layers that are switched off are told as such.
func TestHiddenMarks(t *testing.T) {
	t.Parallel()
	content := "/OC /B BDC 0 g 50 600 20 20 re f EMC 0 g 150 600 20 20 re f"
	marks := read(t, layered(content, "", "", ""), Options{Marks: true}).Marks([4]float64{0, 0, 595, 842})
	if len(marks) != 2 || !marks[0].Hidden || marks[1].Hidden {
		t.Errorf("%+v", marks)
	}
}
