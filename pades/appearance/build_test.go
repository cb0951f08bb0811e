package appearance_test

import (
	"errors"
	"strings"
	"testing"

	"absah/pades/appearance"
)

var letter = appearance.Letter{
	Label:  "Ditandatangani secara elektronik oleh:",
	Office: []string{"Kepala Biro Sumber Daya Manusia"},
	Name:   "Contoh Pegawai Fiktif",
	Detail: []string{"NIP 19800101 200501 1 001"},
}

// alone builds an appearance on a page of its own size.
func alone(t testing.TB, spec appearance.Spec) string {
	t.Helper()
	var f testFile
	form, err := appearance.Build(spec, f.add)
	if err != nil {
		t.Fatal(err)
	}
	page := appearance.Page{MediaBox: [4]float64{0, 0, spec.Width, spec.Height}}
	return f.save(t, page, stamp{form, page.MediaBox})
}

func TestLayouts(t *testing.T) {
	url := "https://absah.example.go.id/v/7Q2M4K9X3B"
	for name, spec := range map[string]appearance.Spec{
		"text":             {Width: 200, Height: 80},
		"side":             {Width: 200, Height: 80, QR: url},
		"stacked":          {Width: 120, Height: 120, QR: url},
		"side with border": {Width: 240, Height: 80, QR: url, Border: 0.5, BorderColor: appearance.Color{0.6, 0.6, 0.6}},
	} {
		t.Run(name, func(t *testing.T) {
			spec.Lines = letter.Lines()
			file := alone(t, spec)
			run(t, "qpdf", "--check", file)
			text := run(t, "pdftotext", "-layout", file, "-")
			flat := strings.Join(strings.Fields(text), " ")
			for _, l := range []string{"Ditandatangani secara elektronik oleh:", "Kepala Biro", "Contoh Pegawai Fiktif", "NIP 19800101 200501 1 001"} {
				if !strings.Contains(flat, l) {
					t.Errorf("%q is not in the text that can be selected:\n%s", l, text)
				}
			}
			m := render(t, file, 288)
			left, top, right, bottom := ink(m, 288)
			if spec.Border == 0 && (left < 1.5 || top < 1.5 || right > spec.Width-1.5 || bottom > spec.Height-1.5) {
				t.Errorf("ink from %.1f, %.1f to %.1f, %.1f reaches into the padding", left, top, right, bottom)
			}
		})
	}
}

func TestTextThatDoesNotFit(t *testing.T) {
	var f testFile
	_, err := appearance.Build(appearance.Spec{Width: 60, Height: 20, Lines: letter.Lines()}, f.add)
	var fit *appearance.FitError
	if !errors.As(err, &fit) {
		t.Errorf("four lines in 20 points: %v", err)
	}
}
