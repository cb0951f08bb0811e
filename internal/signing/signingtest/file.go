package signingtest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"time"

	"github.com/go-pdf/fpdf"
)

// PDF is a letter of some pages; each shows its number and the anchors # and
// ${ttd}. The same letter has the same bytes, whenever it is made.
func PDF(title string, pages int) ([]byte, error) {
	f := fpdf.New("P", "pt", "A4", "")
	f.SetTitle(title, true)
	at := time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)
	f.SetCreationDate(at)
	f.SetModificationDate(at)
	f.SetCatalogSort(true)
	f.SetFont("Helvetica", "", 12)
	for range pages {
		f.AddPage()
		f.Text(72, 72, title)
		f.Text(72, 600, "#")
		f.Text(300, 600, "${ttd}")
	}
	var b bytes.Buffer
	err := f.Output(&b)
	return b.Bytes(), err
}

// Specimen is the picture of a signature, PNG.
func Specimen() ([]byte, error) {
	m := image.NewNRGBA(image.Rect(0, 0, 240, 90))
	for x := range 240 {
		for dy := range 4 {
			m.Set(x, 45+dy+(x*x/97)%40-20, color.NRGBA{20, 30, 120, 255})
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}
