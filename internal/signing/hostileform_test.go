package signing

import (
	"errors"
	"testing"

	"absah/pdf/pdftest"
)

// TestHostileForms: no form keeps the server busy when its fields are asked for.
func TestHostileForms(t *testing.T) {
	for _, c := range pdftest.HostileForms() {
		t.Run(c.Name, func(t *testing.T) {
			if _, err := readForm("a.pdf", c.Data); !errors.Is(err, ErrForm) && !errors.Is(err, ErrTooHard) || c.Limit && !errors.Is(err, ErrTooHard) {
				t.Errorf("the fields of a form without text fields: %v", err)
			}
		})
	}
}
