package esign

import (
	"testing"

	"absah/internal/store/storetest"
)

// TestNoText: what a database does not keep as text is the caller's fault, not ours.
func TestNoText(t *testing.T) {
	t.Parallel()
	for _, err := range storetest.NoText(t) {
		if p := problemOf(err); p.status != 400 {
			t.Errorf("%v: %+v", err, p)
		}
	}
}
