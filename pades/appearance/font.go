package appearance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"absah/pades/appearance/cidfont"
	"absah/pades/appearance/liberation"
	"absah/pades/appearance/truetype"
	"absah/pdf"
)

// BuiltIn is the family that the binary holds, Liberation Sans. Parsed fonts do not
// change; all callers share them.
func BuiltIn() (Family, error) { return builtIn() }

var builtIn = sync.OnceValues(func() (Family, error) {
	regular, err := truetype.Parse(liberation.Regular())
	if err != nil {
		return Family{}, fmt.Errorf("parse Liberation Sans: %w", err)
	}
	bold, err := truetype.Parse(liberation.Bold())
	if err != nil {
		return Family{}, fmt.Errorf("parse Liberation Sans Bold: %w", err)
	}
	return Family{regular, bold}, nil
})

// face is a font and the characters of it that the appearance uses.
type face struct {
	font  *truetype.Font
	name  pdf.Name // in the form's resources
	chars map[rune]truetype.GID
	parts *cidfont.Font
}

type faces struct{ regular, bold *face }

func newFaces(f *Family) (*faces, error) {
	if f == nil {
		b, err := builtIn()
		if err != nil {
			return nil, err
		}
		f = &b
	}
	regular, bold := f.Regular, f.Bold
	if regular == nil {
		regular = bold
	}
	if bold == nil {
		bold = regular
	}
	if regular == nil {
		return nil, fmt.Errorf("appearance: the family has no font")
	}
	return &faces{&face{font: regular, name: "F0", chars: map[rune]truetype.GID{}}, &face{font: bold, name: "F1", chars: map[rune]truetype.GID{}}}, nil
}

// makeSubset fixes the glyphs' numbers; every text must have been shaped.
func (f *face) makeSubset(c *Cache) error {
	if len(f.chars) == 0 {
		return nil
	}
	if g := f.font.Glyph(' '); g != 0 {
		f.chars[' '] = g
	}
	var err error
	f.parts, err = c.subset(f, string(slices.Sorted(maps.Keys(f.chars))))
	return err
}

// number is v as an integer where it is one.
func number(v float64) pdf.Object {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return pdf.Integer(v)
	}
	return pdf.Real(v)
}
