package pades

import (
	"errors"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// TestHostileForms: a form that is endless work is refused by a limit or walked
// through once, before anything is signed.
func TestHostileForms(t *testing.T) {
	for _, c := range pdftest.HostileForms() {
		t.Run(c.Name, func(t *testing.T) {
			doc := openPDF(t, c.Data, "")
			_, root, err := doc.Root()
			if err != nil {
				t.Fatal(err)
			}
			f, err := readForm(doc, root)
			var limit *pdf.LimitError
			if c.Limit {
				if !errors.As(err, &limit) {
					t.Errorf("read without a limit: %v", err)
				}
				return
			}
			if err != nil || len(f.names) > 20 {
				t.Errorf("%d names, %v", len(f.names), err)
			}
		})
	}
}
