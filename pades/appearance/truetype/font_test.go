package truetype_test

import (
	"errors"
	"testing"

	"absah/pades/appearance/liberation"
	"absah/pades/appearance/truetype"
)

func font(t testing.TB) *truetype.Font {
	t.Helper()
	f, err := truetype.Parse(liberation.Regular())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMetrics(t *testing.T) {
	f := font(t)
	if f.UnitsPerEm() != 2048 || f.Name() != "LiberationSans" || f.CapHeight() != 1409 || f.XHeight() != 1082 || f.Weight() != 400 {
		t.Errorf("units %d, name %q, cap height %d, x-height %d, weight %d", f.UnitsPerEm(), f.Name(), f.CapHeight(), f.XHeight(), f.Weight())
	}
	// The widths of Arial: space and A.
	if a, b := f.Advance(f.Glyph(' ')), f.Advance(f.Glyph('A')); a != 569 || b != 1366 {
		t.Errorf("space %d, A %d", a, b)
	}
	if k := f.Kern(f.Glyph('A'), f.Glyph('V')); k != -152 {
		t.Errorf("A V kern by %d", k)
	}
	if k := f.Kern(f.Glyph('n'), f.Glyph('n')); k != 0 {
		t.Errorf("n n kern by %d", k)
	}
	if g := f.Glyph('漢'); g != 0 {
		t.Errorf("a character that the font lacks has glyph %d", g)
	}
	for _, r := range "éñ–“”şọẤđƠỹ₫…•" {
		if f.Glyph(r) == 0 {
			t.Errorf("no glyph for %q", r)
		}
	}
}

func TestSubset(t *testing.T) {
	f := font(t)
	chars := map[rune]truetype.GID{}
	for _, r := range "Ấéñ Aş–ọ" {
		chars[r] = f.Glyph(r)
	}
	s, err := f.Subset(chars)
	if err != nil {
		t.Fatal(err)
	}
	g, err := truetype.Parse(s.Data)
	if err != nil {
		t.Fatalf("parse the subset: %v", err)
	}
	if len(s.Data) > 6000 || g.NumGlyphs() != len(s.Glyphs) {
		t.Errorf("%d bytes, %d glyphs, %d said", len(s.Data), g.NumGlyphs(), len(s.Glyphs))
	}
	composite := 0
	for r, old := range chars {
		now := g.Glyph(r)
		if now == 0 || now != s.Glyph(old) || s.Glyphs[now] != old {
			t.Errorf("%q: glyph %d in the subset's cmap, %d told, from %d", r, now, s.Glyph(old), s.Glyphs[now])
		}
		if g.Advance(now) != f.Advance(old) {
			t.Errorf("%q: width %d, was %d", r, g.Advance(now), f.Advance(old))
		}
		b1, ok1 := g.GlyphBounds(now)
		b2, ok2 := f.GlyphBounds(old)
		if b1 != b2 || ok1 != ok2 {
			t.Errorf("%q: box %v, was %v", r, b1, b2)
		}
		if r > 127 && r != '–' {
			composite++
		}
	}
	if len(s.Glyphs) < len(chars)+1+2 {
		t.Errorf("only %d glyphs for %d characters, %d of them composite: components are missing", len(s.Glyphs), len(chars), composite)
	}
	again, err := f.Subset(chars)
	if err != nil || string(again.Data) != string(s.Data) {
		t.Errorf("the same characters give other bytes (%v)", err)
	}
}

// set changes a font's two bytes at an offset within a table.
func set(t *testing.T, table string, at int, value uint16) []byte {
	t.Helper()
	data := append([]byte(nil), liberation.Regular()...)
	n := int(data[4])<<8 | int(data[5])
	for i := range n {
		e := data[12+16*i:]
		if string(e[:4]) == table {
			o := int(e[8])<<24 | int(e[9])<<16 | int(e[10])<<8 | int(e[11])
			data[o+at], data[o+at+1] = byte(value>>8), byte(value)
			return data
		}
	}
	t.Fatalf("no table %s", table)
	return nil
}

func TestRefusals(t *testing.T) {
	if _, err := truetype.Parse(set(t, "OS/2", 8, 2)); !errors.Is(err, truetype.ErrEmbedding) {
		t.Errorf("restricted licence: %v", err)
	}
	if _, err := truetype.Parse(set(t, "OS/2", 8, 8|0x100)); !errors.Is(err, truetype.ErrEmbedding) {
		t.Errorf("no subsetting: %v", err)
	}
	if _, err := truetype.Parse(set(t, "OS/2", 8, 8)); err != nil {
		t.Errorf("editable embedding: %v", err)
	}
	for name, data := range map[string][]byte{
		"nothing":       nil,
		"text":          []byte("this is certainly not a font"),
		"CFF":           []byte("OTTO\x00\x00\x00\x00\x00\x00\x00\x00"),
		"collection":    []byte("ttcf\x00\x00\x00\x00\x00\x00\x00\x00"),
		"cut":           liberation.Regular()[:1000],
		"units":         set(t, "head", 18, 1),
		"no glyphs":     set(t, "maxp", 4, 0),
		"many metrics":  set(t, "hhea", 34, 0xFFFF),
		"more glyphs":   set(t, "maxp", 4, 0xFFFF),
		"other mapping": set(t, "cmap", 2, 0),
	} {
		var format *truetype.FormatError
		if _, err := truetype.Parse(data); !errors.As(err, &format) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	full := font(f)
	chars := map[rune]truetype.GID{}
	for _, r := range "Aé" {
		chars[r] = full.Glyph(r)
	}
	s, err := full.Subset(chars)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		font, err := truetype.Parse(data)
		if err != nil {
			return
		}
		chars := map[rune]truetype.GID{}
		for r := rune(0x20); r < 0x250; r++ {
			g := font.Glyph(r)
			font.Advance(g)
			font.GlyphBounds(g)
			chars[r] = g
		}
		s, err := font.Subset(chars)
		if err != nil {
			return
		}
		if _, err := truetype.Parse(s.Data); err != nil {
			t.Fatalf("the subset does not parse: %v", err)
		}
	})
}
