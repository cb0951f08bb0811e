package mail

import (
	"strings"
	"unicode"
)

// maxWords bounds the words of a server that are kept, in characters.
const maxWords = 500

// Words makes text of unknown origin fit for storage and pages: one line of
// valid UTF-8 without control characters and direction marks, at most 500
// characters. Mail servers say what they like; people read it later.
func Words(s string) string { return truncate(clean(s), maxWords) }

// clean turns s into one line: invalid UTF-8, control characters, line
// separators and white space become single spaces; marks that turn the
// direction of writing or hide in it vanish, so that a name cannot disguise
// what stands after it.
func clean(s string) string {
	s = strings.ToValidUTF8(s, " ")
	s = strings.Map(func(r rune) rune {
		switch {
		case hidden(r):
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r), r == '\u2028', r == '\u2029', r == unicode.ReplacementChar:
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// hidden reports whether r is an invisible mark of direction or format
// (Unicode category Cf): bidirectional overrides and isolates, zero-width
// characters, the byte order mark, language tags. The two joiners U+200C and
// U+200D are among them; no Indonesian or English text needs them.
func hidden(r rune) bool { return unicode.Is(unicode.Cf, r) }

// truncate cuts s after n characters and marks the cut.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n-1 {
			for j := range s[i:] {
				if j > 0 {
					return s[:i] + "…"
				}
			}
			return s
		}
		count++
	}
	return s
}
