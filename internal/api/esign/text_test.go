package esign

import (
	"fmt"
	"testing"

	"absah/internal/store/storetest"
)

// TestNoText: what a database does not keep as text is the caller's fault, not ours.
func TestNoText(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	for _, text := range []string{"a\x00", "\xff"} {
		_, err := s.ReadDB().ExecContext(t.Context(), "select $1::text", text)
		if err == nil {
			t.Fatal("PostgreSQL takes it")
		}
		err = fmt.Errorf("read: %w", err)
		if p := problemOf(err); p.status != 400 {
			t.Errorf("%q: %+v", text, p)
		}
	}
}
