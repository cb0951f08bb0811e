package staffview

import (
	"testing"

	"absah/internal/staff"
)

func TestTypedDateHasTheDayFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		field        staff.Field
		value, typed string
	}{
		{staff.BirthDate, "1991-08-17", "17-08-1991"},
		{staff.BirthDate, "", ""},
		{staff.BirthDate, "17-08-1991", "17-08-1991"}, // as somebody typed it
		{staff.Name, "1991-08-17", "1991-08-17"},
	} {
		if got := Typed(c.field, c.value); got != c.typed {
			t.Errorf("Typed(%s, %q) = %q, want %q", c.field, c.value, got, c.typed)
		}
	}
}
