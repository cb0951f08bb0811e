package validation

import (
	"bytes"
	"testing"

	"absah/pades"
	"absah/pades/validation/validationtest"
)

// TestForgeries: no file of any class of attack is called valid, and each is
// called what it may be.
func TestForgeries(t *testing.T) {
	h := home()
	for name, cases := range map[string][]validationtest.Case{
		"universal": h.Forgeries(t), "in place": h.FlippedKeys(t), "wrapping": h.Wrappings(t), "recycled": h.RecycledSignatures(t), "two readers": h.TwoReaders(t), "CMS": h.CMS(t),
	} {
		t.Run(name, func(t *testing.T) { holds(t, h, cases) })
	}
}

// TestEveryByteCounts flips each byte once: no file that differs in what is
// covered may be called valid.
func TestEveryByteCounts(t *testing.T) {
	h := home()
	v := h.validator(t)
	base := h.sign(t, letter(""), pades.Options{Field: "pertama"})
	from, to := gap(t, base)
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(base); i += step {
		file := bytes.Clone(base)
		file[i] ^= 1
		r := judge(t, v, file)
		if r.Verdict == Valid {
			// Parts of a SignedData are signed by nobody: its version, its set of
			// digest algorithms, certificates that are not needed.
			if i > from && i < to-1 {
				continue
			}
			t.Fatalf("byte %d of %d (%q in %q): called valid", i, len(base), base[i], base[max(0, i-40):min(len(base), i+40)])
		}
	}
}
