// Package cidfont embeds subsets of TrueType fonts in PDF files: composite fonts
// with the encoding Identity-H (ISO 32000-2 9.7), as PDF/A and PDF/UA want them.
package cidfont

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf16"

	"absah/pades/appearance/truetype"
	"absah/pdf"
)

// Font is a subset of a font as files embed it. It does not change: the same one
// goes into any number of files.
type Font struct {
	font                    *truetype.Font
	subset                  *truetype.Subset
	name                    pdf.Name
	program, unicode, glyph *pdf.Stream // the font file, ToUnicode, CIDSet
	widths                  pdf.Array
}

// New makes the subset of the characters and glyphs that are used.
func New(font *truetype.Font, chars map[rune]truetype.GID) (*Font, error) {
	subset, err := font.Subset(chars)
	if err != nil {
		return nil, fmt.Errorf("make a subset of the font %s: %w", font.Name(), err)
	}
	f := &Font{font: font, subset: subset, name: pdf.Name(tag(subset.Data) + "+" + font.Name())}
	if f.program, err = pdf.Deflate(pdf.Dict{{Key: "Length1", Value: pdf.Integer(len(subset.Data))}}, subset.Data); err != nil {
		return nil, err
	}
	if f.unicode, err = pdf.Deflate(nil, toUnicode(subset, chars)); err != nil {
		return nil, err
	}
	// PDF/A-1 asks for the set of glyphs (ISO 19005-1 6.3.5), later parts let it
	// stand when it is complete; every glyph of the file is in it.
	n := len(subset.Glyphs)
	set := bytes.Repeat([]byte{0xFF}, (n+7)/8)
	if n%8 != 0 {
		set[len(set)-1] = 0xFF << (8 - n%8)
	}
	f.glyph = &pdf.Stream{Dict: pdf.Dict{{Key: "Length", Value: pdf.Integer(len(set))}}, Data: set}
	f.widths = make(pdf.Array, n)
	for i, g := range subset.Glyphs {
		f.widths[i] = f.thousandths(font.Advance(g))
	}
	return f, nil
}

// Code is the character code that shows a glyph of the font: two bytes, the
// glyph's number in the subset.
func (f *Font) Code(g truetype.GID) uint16 { return uint16(f.subset.Glyph(g)) }

// Object adds the font as a Type 0 font with a CIDFontType2 descendant (ISO
// 32000-2 9.7), Identity-H, with the CIDs being the subset's glyphs.
func (f *Font) Object(add func(pdf.Object) pdf.Ref) pdf.Ref {
	program, toUnicode, cidSet := add(f.program), add(f.unicode), add(f.glyph)
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
		{Key: "FontName", Value: f.name},
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
		{Key: "BaseFont", Value: f.name},
		{Key: "CIDSystemInfo", Value: pdf.Dict{{Key: "Registry", Value: pdf.String("Adobe")}, {Key: "Ordering", Value: pdf.String("Identity")}, {Key: "Supplement", Value: pdf.Integer(0)}}},
		{Key: "FontDescriptor", Value: descriptor},
		{Key: "DW", Value: f.widths[0]},
		{Key: "W", Value: pdf.Array{pdf.Integer(0), f.widths}},
		{Key: "CIDToGIDMap", Value: pdf.Name("Identity")},
	})
	return add(pdf.Dict{
		{Key: "Type", Value: pdf.Name("Font")},
		{Key: "Subtype", Value: pdf.Name("Type0")},
		{Key: "BaseFont", Value: f.name},
		{Key: "Encoding", Value: pdf.Name("Identity-H")},
		{Key: "DescendantFonts", Value: pdf.Array{descendant}},
		{Key: "ToUnicode", Value: toUnicode},
	})
}

// thousandths converts font units, rounded as PDF/A checks it (to one unit of a
// thousandth).
func (f *Font) thousandths(v int) pdf.Object {
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
func toUnicode(subset *truetype.Subset, used map[rune]truetype.GID) []byte {
	chars := map[truetype.GID]rune{}
	for _, r := range slices.Sorted(maps.Keys(used)) {
		if g := subset.Glyph(used[r]); g != 0 {
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

// number is v as an integer where it is one.
func number(v float64) pdf.Object {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return pdf.Integer(v)
	}
	return pdf.Real(v)
}
