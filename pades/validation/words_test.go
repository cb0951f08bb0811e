package validation

import (
	"encoding/json"
	"testing"
)

// TestSameWordsEachTime holds that what is said of a document does not depend on
// the order in which a map gives its members.
func TestSameWordsEachTime(t *testing.T) {
	t.Parallel()
	h := home()
	v := h.validator(t)
	for _, c := range h.Changed(t) {
		var first string
		for range 8 {
			b, err := json.Marshal(judge(t, v, c.File))
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = string(b)
			}
			if string(b) != first {
				t.Errorf("%s: once %s, then %s", c.Name, first, b)
				break
			}
		}
	}
}
