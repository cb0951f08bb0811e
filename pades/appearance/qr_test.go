package appearance_test

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"absah/pades/appearance"
)

// TestQRIsRead: another program reads the code from the rendered page, whatever
// mode, level and logo it has.
func TestQRIsRead(t *testing.T) {
	t.Parallel()
	logo := pngOf(t, quarters(60, 60))
	for name, c := range map[string]appearance.Spec{
		"address":      {QR: "https://absah.example/v/7Q2M4K9X3B"},
		"digits":       {QR: "31415926535897932384626433832795"},
		"capitals":     {QR: "ABSAH/2026-XI*31 $%"},
		"letters":      {QR: "Ditandatangani – é ü 署名"},
		"level L":      {QR: "https://absah.example/v/1", QRLevel: appearance.LevelL},
		"level Q":      {QR: "https://absah.example/v/1", QRLevel: appearance.LevelQ},
		"level H":      {QR: "https://absah.example/v/1", QRLevel: appearance.LevelH},
		"with a logo":  {QR: "https://absah.example/v/7Q2M4K9X3B", Logo: logo},
		"long":         {QR: strings.Repeat("https://absah.example/", 20)},
		"turned page":  {QR: "https://absah.example/v/90", Rotate: 90},
		"for archives": {QR: "https://absah.example/v/a", Logo: logo, Conformance: appearance.PDFA1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Width, c.Height = 120, 120
			b := build(t, c)
			page := appearance.Page{MediaBox: [4]float64{0, 0, 120, 120}, Rotate: c.Rotate}
			file := b.file.save(t, page, stamp{b.form, page.MediaBox})
			render(t, file, 288)
			out, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", strings.TrimSuffix(file, ".pdf")+".png").Output()
			if err != nil {
				t.Fatalf("zbarimg: %v", err)
			}
			if got := strings.TrimSuffix(string(out), "\n"); got != c.QR {
				t.Errorf("read as %q, want %q", got, c.QR)
			}
		})
	}
}

// TestLogo: the logo lies in the middle of the code and covers under a tenth.
func TestLogo(t *testing.T) {
	t.Parallel()
	spec := appearance.Spec{Width: 120, Height: 120, QR: "https://absah.example/v/1", Logo: pngOf(t, quarters(60, 60)), Padding: -1}
	m := build(t, spec).seen(t, spec)
	left, top, right, bottom := 120.0, 120.0, 0.0, 0.0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if n := named(m.At(x, y)); n == 'R' || n == 'G' || n == 'B' {
				left, right = min(left, float64(x)/2), max(right, float64(x+1)/2)
				top, bottom = min(top, float64(y)/2), max(bottom, float64(y+1)/2)
			}
		}
	}
	if side := right - left; side < 8 || side*(bottom-top) > 120*120/10 {
		t.Errorf("the logo has %v by %v points", side, bottom-top)
	}
	if x, y := (left+right)/2, (top+bottom)/2; x < 58 || x > 62 || y < 58 || y > 62 {
		t.Errorf("its middle is at %v, %v", x, y)
	}
}

func TestQRRefused(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]appearance.Spec{
		"too long":             {QR: strings.Repeat("x", 3000)},
		"too long for level H": {QR: strings.Repeat("x", 2000), QRLevel: appearance.LevelH},
		"no such level":        {QR: "x", QRLevel: 9},
	} {
		spec.Width, spec.Height = 200, 200
		var f testFile
		var refused *appearance.QRError
		if _, err := appearance.Build(spec, f.add); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMissingGlyphs: what the font cannot show is refused, never left out.
func TestMissingGlyphs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		char rune
	}{{"Nama 署名", '署'}, {"Nama 🙂", '🙂'}, {"Nama \uFFFE", '\uFFFE'}, {"ꦲ", 'ꦲ'}} {
		for _, role := range []appearance.Role{appearance.Body, appearance.Name} {
			var f testFile
			var missing *appearance.GlyphError
			_, err := appearance.Build(appearance.Spec{Width: 200, Height: 60, Lines: []appearance.Line{{Role: role, Text: c.text}}}, f.add)
			if !errors.As(err, &missing) || missing.Char != c.char || missing.Font == "" {
				t.Errorf("%q: %v", c.text, err)
			}
		}
	}
	// Latin letters of the archipelago and of neighbours, and what is not drawn.
	spec := appearance.Spec{Width: 300, Height: 60, Lines: []appearance.Line{{Text: "Éva Ñoño Šťastný Nguyễn Thị Ơ e\u0301 so\u00ADft co‑op ẻ Ŵ “–…”"}}}
	b := build(t, spec)
	page := appearance.Page{MediaBox: [4]float64{0, 0, 300, 60}}
	text := run(t, "pdftotext", "-layout", b.file.save(t, page, stamp{b.form, page.MediaBox}), "-")
	for _, w := range []string{"Éva", "Ñoño", "Šťastný", "Nguyễn", "Thị", "Ơ", "é", "soft", "“–…”"} {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in %q", w, text)
		}
	}
}

func TestBoxesRefused(t *testing.T) {
	t.Parallel()
	for _, spec := range []appearance.Spec{{}, {Width: 3, Height: 50}, {Width: 50, Height: 20000}, {Width: 50, Height: -50}} {
		var f testFile
		if _, err := appearance.Build(spec, f.add); !errors.Is(err, appearance.ErrBox) {
			t.Errorf("%v by %v: %v", spec.Width, spec.Height, err)
		}
	}
}
