package appearance_test

import (
	"testing"

	"absah/pades/appearance"
)

// BenchmarkBuild draws the appearance of a letter, as each file of a batch needs
// it: the text alone, and with a QR code.
func BenchmarkBuild(b *testing.B) {
	for name, spec := range map[string]appearance.Spec{
		"text": {Width: 200, Height: 80, Lines: letter.Lines()},
		"QR":   {Width: 200, Height: 80, Lines: letter.Lines(), QR: "https://absah.example/v/7Q2M4K9X3B"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var f testFile
				if _, err := appearance.Build(spec, f.add); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
