package changes

import (
	"strings"
	"testing"
)

// TestIsAnchor: only text that marks a place may be covered by a signature.
func TestIsAnchor(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"#": true, "$": true, "^": true, "*": true, "~": true, "@": true, "${ttd}": true, "{{ttd_1}}": true, "${nama-pejabat}": true,
		"": false, "##": false, "a": false, "${}": false, "{{}}": false, "${a b}": false, "${a}${b}": false, "{{a}": false, "x${a}": false, "${a} ": false,
		"${" + strings.Repeat("é", 64) + "}": true, "${" + strings.Repeat("a", 65) + "}": false, "${a{b}": false,
	} {
		if isAnchor(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}
