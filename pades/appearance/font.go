package appearance

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf16"

	"absah/pades/appearance/liberation"
	"absah/pades/appearance/truetype"
	"absah/pdf"
)

// builtIn parses the fonts of the binary once; a parsed font does not change.
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
	parts *fontParts
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

// fontParts is a subset of a font as files embed it.
type fontParts struct {
	subset                  *truetype.Subset
	name                    pdf.Name
	program, unicode, glyph *pdf.Stream // the font file, ToUnicode, CIDSet
	widths                  pdf.Array
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

// build makes the subset of the characters that are used.
func (f *face) build() (*fontParts, error) {
	subset, err := f.font.Subset(f.chars)
	if err != nil {
		return nil, fmt.Errorf("make a subset of the font %s: %w", f.font.Name(), err)
	}
	p := &fontParts{subset: subset, name: pdf.Name(tag(subset.Data) + "+" + f.font.Name())}
	file, err := deflate(subset.Data)
	if err != nil {
		return nil, err
	}
	p.program = stream(pdf.Dict{{Key: "Filter", Value: pdf.Name("FlateDecode")}, {Key: "Length1", Value: pdf.Integer(len(subset.Data))}}, file)
	unicode, err := deflate(f.toUnicode(subset))
	if err != nil {
		return nil, err
	}
	p.unicode = stream(pdf.Dict{{Key: "Filter", Value: pdf.Name("FlateDecode")}}, unicode)
	// PDF/A-1 asks for the set of glyphs (ISO 19005-1 6.3.5), later parts let it
	// stand when it is complete; every glyph of the file is in it.
	n := len(subset.Glyphs)
	set := bytes.Repeat([]byte{0xFF}, (n+7)/8)
	if n%8 != 0 {
		set[len(set)-1] = 0xFF << (8 - n%8)
	}
	p.glyph = stream(nil, set)
	p.widths = make(pdf.Array, n)
	for i, g := range subset.Glyphs {
		p.widths[i] = f.thousandths(f.font.Advance(g))
	}
	return p, nil
}

// object adds the font as a Type 0 font with a CIDFontType2 descendant (ISO
// 32000-2 9.7), Identity-H, with the CIDs being the subset's glyphs.
func (f *face) object(add func(pdf.Object) pdf.Ref) pdf.Ref {
	p := f.parts
	program, toUnicode, cidSet := add(p.program), add(p.unicode), add(p.glyph)
	box := f.font.Bounds()
	flags := 1 << 2 // symbolic: not of the standard Latin character set alone
	if f.font.FixedPitch() {
		flags |= 1
	}
	if f.font.ItalicAngle() != 0 {
		flags |= 1 << 6
	}
	stem := 88
	if f.font.Weight() >= 600 {
		stem = 144
	}
	descriptor := add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("FontDescriptor")},
		{Key: "FontName", Value: p.name},
		{Key: "Flags", Value: pdf.Integer(flags)},
		{Key: "FontBBox", Value: pdf.Array{f.thousandths(box[0]), f.thousandths(box[1]), f.thousandths(box[2]), f.thousandths(box[3])}},
		{Key: "ItalicAngle", Value: number(f.font.ItalicAngle())},
		{Key: "Ascent", Value: f.thousandths(f.font.Ascent())},
		{Key: "Descent", Value: f.thousandths(f.font.Descent())},
		{Key: "CapHeight", Value: f.thousandths(f.font.CapHeight())},
		{Key: "XHeight", Value: f.thousandths(f.font.XHeight())},
		{Key: "StemV", Value: pdf.Integer(stem)},
		{Key: "FontFile2", Value: program},
		{Key: "CIDSet", Value: cidSet},
	})
	descendant := add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Font")},
		{Key: "Subtype", Value: pdf.Name("CIDFontType2")},
		{Key: "BaseFont", Value: p.name},
		{Key: "CIDSystemInfo", Value: pdf.Dict{{Key: "Registry", Value: pdf.String("Adobe")}, {Key: "Ordering", Value: pdf.String("Identity")}, {Key: "Supplement", Value: pdf.Integer(0)}}},
		{Key: "FontDescriptor", Value: descriptor},
		{Key: "DW", Value: p.widths[0]},
		{Key: "W", Value: pdf.Array{pdf.Integer(0), p.widths}},
		{Key: "CIDToGIDMap", Value: pdf.Name("Identity")},
	})
	return add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Font")},
		{Key: "Subtype", Value: pdf.Name("Type0")},
		{Key: "BaseFont", Value: p.name},
		{Key: "Encoding", Value: pdf.Name("Identity-H")},
		{Key: "DescendantFonts", Value: pdf.Array{descendant}},
		{Key: "ToUnicode", Value: toUnicode},
	})
}

// thousandths converts font units, rounded as PDF/A checks it (to one unit of a
// thousandth).
func (f *face) thousandths(v int) pdf.Object {
	x := float64(v) * 1000 / float64(f.font.UnitsPerEm())
	return number(math.Round(x*100) / 100)
}

// tag is the six letters of a subset's name (ISO 32000-2 9.9.2), by its content.
func tag(data []byte) string {
	sum := sha256.Sum256(data)
	b := make([]byte, 6)
	for i := range b {
		b[i] = 'A' + sum[i]%26
	}
	return string(b)
}

// toUnicode is the CMap from the subset's glyphs to characters (ISO 32000-2
// 9.10.3). Where several characters share a glyph, the first one counts.
func (f *face) toUnicode(subset *truetype.Subset) []byte {
	chars := map[truetype.GID]rune{}
	for _, r := range slices.Sorted(maps.Keys(f.chars)) {
		if g := subset.Glyph(f.chars[r]); g != 0 {
			if _, known := chars[g]; !known {
				chars[g] = r
			}
		}
	}
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	ids := slices.Sorted(maps.Keys(chars))
	for len(ids) > 0 {
		n := min(len(ids), 100) // as many as an operator may take
		fmt.Fprintf(&b, "%d beginbfchar\n", n)
		for _, g := range ids[:n] {
			fmt.Fprintf(&b, "<%04X> <", g)
			for _, u := range utf16.Encode([]rune{chars[g]}) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
		ids = ids[n:]
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return []byte(b.String())
}

func stream(d pdf.Dict, data []byte) *pdf.Stream {
	d.Set("Length", pdf.Integer(len(data)))
	return &pdf.Stream{Dict: d, Data: data}
}

// deflaters hold the tables of compression, which cost more to make than most of
// what is compressed here.
var deflaters = sync.Pool{New: func() any {
	w, err := zlib.NewWriterLevel(nil, zlib.BestCompression)
	if err != nil {
		return nil // cannot be: the level is one
	}
	return w
}}

func deflate(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, _ := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}

// number is v as an integer where it is one.
func number(v float64) pdf.Object {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return pdf.Integer(v)
	}
	return pdf.Real(v)
}
