package appearance_test

import (
	"testing"

	"absah/pades/appearance"
)

// BenchmarkBuild draws the appearance of a letter, as each file of a batch needs
// it.
func BenchmarkBuild(b *testing.B) {
	for name, spec := range map[string]appearance.Spec{
		"text":                 {Width: 200, Height: 80, Lines: letter.Lines()},
		"text with a cache":    {Width: 200, Height: 80, Lines: letter.Lines(), Cache: &appearance.Cache{}},
		"picture":              {Width: 200, Height: 80, Lines: letter.Lines(), Image: pngOf(b, quarters(800, 600))},
		"picture with a cache": {Width: 200, Height: 80, Lines: letter.Lines(), Image: pngOf(b, quarters(800, 600)), Cache: &appearance.Cache{}},
		"QR":                   {Width: 200, Height: 80, Lines: letter.Lines(), QR: "https://absah.example/v/7Q2M4K9X3B"},
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
