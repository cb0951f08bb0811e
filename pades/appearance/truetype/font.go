// Package truetype reads TrueType fonts (glyf outlines) and makes subsets of
// them for embedding in PDF: metrics, characters, pair kerning, glyphs.
package truetype

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrEmbedding says that the font's licence bits (OS/2 fsType) forbid that a
// document embeds it or a subset of it.
var ErrEmbedding = errors.New("truetype: the font does not permit subset embedding")

// FormatError says why a font cannot be used.
type FormatError struct {
	Table string // four letters, or "" for the file itself
	Text  string
}

func (e *FormatError) Error() string {
	if e.Table == "" {
		return "truetype: " + e.Text
	}
	return "truetype: table " + e.Table + ": " + e.Text
}

// GID is the index of a glyph; 0 is the one for missing characters.
type GID uint16

// Font is a parsed font. It is safe for concurrent use.
type Font struct {
	head, hhea, hmtx, loca, glyf []byte

	unitsPerEm int
	numGlyphs  int
	numMetrics int
	longLoca   bool
	ascent     int
	descent    int
	capHeight  int
	xHeight    int
	weight     int
	italic     float64
	fixedPitch bool
	bounds     [4]int
	name       string
	cmap       []segment
	kern       map[uint32]int16
}

const maxTables = 64

// Parse reads a font file with one font in it. It keeps data, which must not be
// changed afterwards.
func Parse(data []byte) (*Font, error) {
	tables, err := directory(data)
	if err != nil {
		return nil, err
	}
	f := &Font{}
	for _, step := range []func(map[string][]byte) error{f.readHead, f.readMetrics, f.readOutlines, f.readOS2, f.readPost, f.readName, f.readCmap, f.readKern} {
		if err := step(tables); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func directory(data []byte) (map[string][]byte, error) {
	if len(data) < 12 {
		return nil, &FormatError{"", "the file is too short"}
	}
	switch binary.BigEndian.Uint32(data) {
	case 0x00010000, 0x74727565: // 1.0, "true"
	case 0x4F54544F: // "OTTO"
		return nil, &FormatError{"", "OpenType fonts with CFF outlines are not supported"}
	case 0x74746366: // "ttcf"
		return nil, &FormatError{"", "font collections are not supported"}
	default:
		return nil, &FormatError{"", "this is no TrueType font"}
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if n > maxTables || len(data) < 12+16*n {
		return nil, &FormatError{"", "the table directory is broken"}
	}
	tables := make(map[string][]byte, n)
	for i := range n {
		e := data[12+16*i:]
		offset, length := uint64(binary.BigEndian.Uint32(e[8:])), uint64(binary.BigEndian.Uint32(e[12:]))
		if offset+length > uint64(len(data)) {
			return nil, &FormatError{string(e[:4]), "lies outside the file"}
		}
		tables[string(e[:4])] = data[offset : offset+length : offset+length]
	}
	if _, variable := tables["fvar"]; variable {
		return nil, &FormatError{"fvar", "variable fonts are not supported"}
	}
	return tables, nil
}

func need(tables map[string][]byte, name string, size int) ([]byte, error) {
	t, ok := tables[name]
	if !ok {
		return nil, &FormatError{name, "is missing"}
	}
	if len(t) < size {
		return nil, &FormatError{name, fmt.Sprintf("has %d bytes, needs %d", len(t), size)}
	}
	return t, nil
}

func u16(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
func i16(b []byte, at int) int { return int(int16(binary.BigEndian.Uint16(b[at:]))) }

func (f *Font) readHead(tables map[string][]byte) error {
	head, err := need(tables, "head", 54)
	if err != nil {
		return err
	}
	f.head = head
	f.unitsPerEm = u16(head, 18)
	if f.unitsPerEm < 16 || f.unitsPerEm > 16384 {
		return &FormatError{"head", fmt.Sprintf("unitsPerEm is %d", f.unitsPerEm)}
	}
	f.bounds = [4]int{i16(head, 36), i16(head, 38), i16(head, 40), i16(head, 42)}
	f.longLoca = u16(head, 50) != 0
	return nil
}

func (f *Font) readMetrics(tables map[string][]byte) error {
	maxp, err := need(tables, "maxp", 6)
	if err != nil {
		return err
	}
	if f.numGlyphs = u16(maxp, 4); f.numGlyphs == 0 {
		return &FormatError{"maxp", "the font has no glyphs"}
	}
	if f.hhea, err = need(tables, "hhea", 36); err != nil {
		return err
	}
	f.ascent, f.descent = i16(f.hhea, 4), i16(f.hhea, 6)
	if f.numMetrics = u16(f.hhea, 34); f.numMetrics == 0 || f.numMetrics > f.numGlyphs {
		return &FormatError{"hhea", fmt.Sprintf("%d metrics for %d glyphs", f.numMetrics, f.numGlyphs)}
	}
	f.hmtx, err = need(tables, "hmtx", 4*f.numMetrics+2*(f.numGlyphs-f.numMetrics))
	return err
}

func (f *Font) readOutlines(tables map[string][]byte) error {
	size := 2
	if f.longLoca {
		size = 4
	}
	var err error
	if f.loca, err = need(tables, "loca", size*(f.numGlyphs+1)); err != nil {
		return err
	}
	f.glyf, err = need(tables, "glyf", 0)
	return err
}

func (f *Font) readOS2(tables map[string][]byte) error {
	f.weight, f.capHeight, f.xHeight = 400, f.ascent*7/10, f.ascent/2
	t, ok := tables["OS/2"]
	if !ok || len(t) < 10 {
		return nil
	}
	f.weight = u16(t, 4)
	const restricted, bitmapOnly, noSubset = 0x0002, 0x0200, 0x0100
	kind := u16(t, 8)
	if kind&0x000F == restricted || kind&(bitmapOnly|noSubset) != 0 {
		return ErrEmbedding
	}
	if version := u16(t, 0); version >= 2 && len(t) >= 90 {
		if h := i16(t, 86); h > 0 {
			f.xHeight = h
		}
		if h := i16(t, 88); h > 0 {
			f.capHeight = h
		}
	}
	return nil
}

func (f *Font) readPost(tables map[string][]byte) error {
	if t := tables["post"]; len(t) >= 16 {
		f.italic = float64(int32(binary.BigEndian.Uint32(t[4:]))) / 65536
		f.fixedPitch = binary.BigEndian.Uint32(t[12:]) != 0
	}
	return nil
}

// readName takes the PostScript name (name 6), reduced to letters that need no
// escape in a PDF name.
func (f *Font) readName(tables map[string][]byte) error {
	f.name = "Unnamed"
	t := tables["name"]
	if len(t) < 6 {
		return nil
	}
	n, storage := u16(t, 2), u16(t, 4)
	for i := 0; i < n && 6+12*(i+1) <= len(t); i++ {
		r := t[6+12*i:]
		if u16(r, 6) != 6 {
			continue
		}
		at, length := storage+u16(r, 10), u16(r, 8)
		if at+length > len(t) {
			continue
		}
		var name []byte
		for _, c := range t[at : at+length] { // of UTF-16 the upper bytes drop out as well
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' {
				name = append(name, c)
			}
		}
		if len(name) > 0 && len(name) <= 63 {
			f.name = string(name)
			return nil
		}
	}
	return nil
}

// UnitsPerEm is the number of font units in the font's size; all measures below
// are in font units.
func (f *Font) UnitsPerEm() int { return f.unitsPerEm }

// NumGlyphs is the number of glyphs.
func (f *Font) NumGlyphs() int { return f.numGlyphs }

// Ascent is the height of the line above the baseline.
func (f *Font) Ascent() int { return f.ascent }

// Descent is the depth of the line below the baseline, a negative number.
func (f *Font) Descent() int { return f.descent }

// CapHeight is the height of capital letters.
func (f *Font) CapHeight() int { return f.capHeight }

// XHeight is the height of small letters.
func (f *Font) XHeight() int { return f.xHeight }

// Weight is 400 for regular and 700 for bold fonts.
func (f *Font) Weight() int { return f.weight }

// ItalicAngle is in degrees counter-clockwise from the vertical.
func (f *Font) ItalicAngle() float64 { return f.italic }

// FixedPitch tells whether all glyphs have one width.
func (f *Font) FixedPitch() bool { return f.fixedPitch }

// Bounds is the box that holds every glyph: left, bottom, right, top.
func (f *Font) Bounds() [4]int { return f.bounds }

// Name is the PostScript name, in letters, digits and hyphens.
func (f *Font) Name() string { return f.name }

// Advance is the width of a glyph.
func (f *Font) Advance(g GID) int {
	i := int(g)
	if i >= f.numGlyphs {
		return 0
	}
	return u16(f.hmtx, 4*min(i, f.numMetrics-1))
}

func (f *Font) sideBearing(g GID) int {
	if i := int(g); i >= f.numMetrics {
		return i16(f.hmtx, 4*f.numMetrics+2*(i-f.numMetrics))
	}
	return i16(f.hmtx, 4*int(g)+2)
}

// GlyphBounds is the box of a glyph's outline: left, bottom, right, top. It
// reports false for a glyph without outline.
func (f *Font) GlyphBounds(g GID) ([4]int, bool) {
	o, err := f.outline(g)
	if err != nil || len(o) < 10 {
		return [4]int{}, false
	}
	return [4]int{i16(o, 2), i16(o, 4), i16(o, 6), i16(o, 8)}, true
}
