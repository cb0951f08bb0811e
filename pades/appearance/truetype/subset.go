package truetype

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
)

// Subset is a font file with the glyphs that somebody asked for.
type Subset struct {
	// Data is the file: head, hhea, maxp, hmtx, cmap, loca and glyf, without
	// hinting.
	Data []byte
	// Glyphs holds, for each glyph of the subset, the one of the font that it
	// comes from. 0 stays 0.
	Glyphs []GID
	index  map[GID]GID
}

// Glyph returns the index that a glyph of the font has in the subset, or 0.
func (s *Subset) Glyph(g GID) GID { return s.index[g] }

// Flags of a component of a composite glyph.
const (
	argsAreWords   = 0x0001
	haveScale      = 0x0008
	moreComponents = 0x0020
	haveXYScale    = 0x0040
	haveTwoByTwo   = 0x0080
	haveProgram    = 0x0100
)

// outline returns the bytes of a glyph; none for one without outline.
func (f *Font) outline(g GID) ([]byte, error) {
	i := int(g)
	if i >= f.numGlyphs {
		return nil, &FormatError{"loca", "there is no such glyph"}
	}
	var from, to uint64
	if f.longLoca {
		from, to = uint64(binary.BigEndian.Uint32(f.loca[4*i:])), uint64(binary.BigEndian.Uint32(f.loca[4*i+4:]))
	} else {
		from, to = 2*uint64(u16(f.loca, 2*i)), 2*uint64(u16(f.loca, 2*i+2))
	}
	if from > to || to > uint64(len(f.glyf)) {
		return nil, &FormatError{"loca", "a glyph lies outside glyf"}
	}
	if from == to {
		return nil, nil
	}
	if to-from < 10 {
		return nil, &FormatError{"glyf", "a glyph is too short"}
	}
	return f.glyf[from:to], nil
}

// eachComponent calls visit with the place of each component record and its
// flags, and returns the place behind the last one.
func eachComponent(o []byte, visit func(at, flags int)) (int, error) {
	at := 10
	for {
		if at+4 > len(o) {
			return 0, &FormatError{"glyf", "a composite glyph is too short"}
		}
		flags := u16(o, at)
		visit(at, flags)
		at += 6
		if flags&argsAreWords != 0 {
			at += 2
		}
		switch {
		case flags&haveScale != 0:
			at += 2
		case flags&haveXYScale != 0:
			at += 4
		case flags&haveTwoByTwo != 0:
			at += 8
		}
		if at > len(o) {
			return 0, &FormatError{"glyf", "a composite glyph is too short"}
		}
		if flags&moreComponents == 0 {
			return at, nil
		}
	}
}

// Subset makes a font of glyph 0, the glyphs of the given characters and what
// these are composed of. The order of glyphs is that of the font, so that the
// same characters give the same bytes.
func (f *Font) Subset(chars map[rune]GID) (*Subset, error) {
	keep := map[GID]bool{0: true}
	pending := []GID{0}
	for _, g := range chars {
		if !keep[g] {
			keep[g] = true
			pending = append(pending, g)
		}
	}
	for len(pending) > 0 {
		g := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		o, err := f.outline(g)
		if err != nil {
			return nil, err
		}
		if o == nil || i16(o, 0) >= 0 {
			continue
		}
		if _, err := eachComponent(o, func(at, _ int) {
			if c := GID(u16(o, at+2)); !keep[c] {
				keep[c] = true
				pending = append(pending, c)
			}
		}); err != nil {
			return nil, err
		}
	}
	s := &Subset{Glyphs: slices.Sorted(maps.Keys(keep)), index: make(map[GID]GID, len(keep))}
	for i, g := range s.Glyphs {
		s.index[g] = GID(i)
	}
	return s, f.write(s, chars)
}

func (f *Font) write(s *Subset, chars map[rune]GID) error {
	var glyf, hmtx []byte
	var offsets []int
	for _, g := range s.Glyphs {
		o, err := f.outline(g)
		if err != nil {
			return err
		}
		if len(glyf) > len(f.glyf)+4*f.numGlyphs {
			return &FormatError{"loca", "glyphs overlap"}
		}
		offsets = append(offsets, len(glyf))
		o, err = s.rewrite(o)
		if err != nil {
			return err
		}
		glyf = append(glyf, o...)
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.Advance(g)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.sideBearing(g)))
	}
	offsets = append(offsets, len(glyf))

	head := bytes.Clone(f.head[:54])
	clear(head[8:12]) // checkSumAdjustment, set when the whole file is there
	long := len(glyf) > 2*0xFFFF
	binary.BigEndian.PutUint16(head[50:], 0)
	var loca []byte
	for _, o := range offsets {
		if long {
			loca = binary.BigEndian.AppendUint32(loca, uint32(o))
		} else {
			loca = binary.BigEndian.AppendUint16(loca, uint16(o/2))
		}
	}
	if long {
		binary.BigEndian.PutUint16(head[50:], 1)
	}
	hhea := bytes.Clone(f.hhea[:36])
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(s.Glyphs)))
	s.Data = assemble([]table{
		{"cmap", s.cmap(chars)},
		{"glyf", glyf},
		{"head", head},
		{"hhea", hhea},
		{"hmtx", hmtx},
		{"loca", loca},
		{"maxp", f.maxp(s)},
	})
	return nil
}

// rewrite drops the instructions of a glyph and renumbers its components.
// Hinting serves screens of another time; viewers draw signatures without it.
func (s *Subset) rewrite(o []byte) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	if contours := i16(o, 0); contours >= 0 {
		at := 10 + 2*contours
		if at+2 > len(o) {
			return nil, &FormatError{"glyf", "a glyph is too short"}
		}
		program := u16(o, at)
		if at+2+program > len(o) {
			return nil, &FormatError{"glyf", "a glyph's instructions are longer than it"}
		}
		r := append(bytes.Clone(o[:at]), 0, 0)
		return append(r, o[at+2+program:]...), nil
	}
	r := bytes.Clone(o)
	end, err := eachComponent(r, func(at, flags int) {
		binary.BigEndian.PutUint16(r[at:], uint16(flags&^haveProgram))
		binary.BigEndian.PutUint16(r[at+2:], uint16(s.index[GID(u16(r, at+2))]))
	})
	if err != nil {
		return nil, err
	}
	return r[:end], nil
}

// maxp writes the table in version 1.0, as glyf outlines require, with the
// maxima of the font where it states them and none for hinting.
func (f *Font) maxp(s *Subset) []byte {
	var points, contours, compositePoints, compositeContours, components, depth int
	for _, g := range s.Glyphs {
		budget := 256
		p, c, n, d := f.complexity(g, &budget)
		if n == 0 {
			points, contours = max(points, p), max(contours, c)
		} else {
			compositePoints, compositeContours = max(compositePoints, p), max(compositeContours, c)
			components, depth = max(components, n), max(depth, d)
		}
	}
	t := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{len(s.Glyphs), points, contours, compositePoints, compositeContours, 1 /* zones */, 0, 0, 0, 0, 0, 0, components, depth} {
		t = binary.BigEndian.AppendUint16(t, uint16(min(v, 0xFFFF)))
	}
	return t
}

// complexity counts the points and contours of a glyph, its components on the
// first level (0 for a simple glyph) and how deep they nest. budget bounds the
// glyphs looked at, because a hostile font nests glyphs in themselves.
func (f *Font) complexity(g GID, budget *int) (points, contours, components, depth int) {
	*budget--
	o, err := f.outline(g)
	if err != nil || o == nil || *budget < 0 {
		return 0, 0, 0, 0
	}
	if contours = i16(o, 0); contours >= 0 {
		if contours > 0 && 10+2*contours <= len(o) {
			points = u16(o, 10+2*(contours-1)) + 1
		}
		return points, contours, 0, 0
	}
	contours = 0
	_, _ = eachComponent(o, func(at, _ int) { // a broken one was refused when the subset was closed
		components++
		p, c, _, d := f.complexity(GID(u16(o, at+2)), budget)
		points, contours, depth = points+p, contours+c, max(depth, d)
	})
	return points, contours, components, depth + 1
}

// cmap maps the characters of the basic plane in format 4; a PDF needs none, but
// programs that take the font out of it do.
func (s *Subset) cmap(chars map[rune]GID) []byte {
	type run struct{ first, last, glyph int }
	var runs []run
	for _, r := range slices.Sorted(maps.Keys(chars)) {
		if r < 0 || r >= 0xFFFF {
			continue
		}
		g := int(s.index[chars[r]])
		if n := len(runs); n > 0 && runs[n-1].last+1 == int(r) && runs[n-1].glyph+int(r)-runs[n-1].first == g {
			runs[n-1].last = int(r)
			continue
		}
		runs = append(runs, run{int(r), int(r), g})
	}
	runs = append(runs, run{0xFFFF, 0xFFFF, 0})
	n := len(runs)
	power, exponent := 1, 0
	for power*2 <= n {
		power, exponent = power*2, exponent+1
	}
	var t []byte
	put := func(v ...int) {
		for _, v := range v {
			t = binary.BigEndian.AppendUint16(t, uint16(v))
		}
	}
	put(0, 1, 3, 1, 0, 12) // version 0, one subtable: Windows, Unicode basic plane, at 12
	put(4, 16+8*n, 0, 2*n, 2*power, exponent, 2*(n-power))
	for _, r := range runs {
		put(r.last)
	}
	put(0)
	for _, r := range runs {
		put(r.first)
	}
	for _, r := range runs {
		put(r.glyph - r.first)
	}
	for range runs {
		put(0)
	}
	return t
}

type table struct {
	name string
	data []byte
}

func checksum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		sum += binary.BigEndian.Uint32(last[:])
	}
	return sum
}

// assemble writes the file; tables must include head.
func assemble(tables []table) []byte {
	slices.SortFunc(tables, func(a, b table) int { return cmp.Compare(a.name, b.name) })
	n := len(tables)
	power, exponent := 1, 0
	for power*2 <= n {
		power, exponent = power*2, exponent+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{n, 16 * power, exponent, 16 * (n - power)} {
		out = binary.BigEndian.AppendUint16(out, uint16(v))
	}
	at, head := 12+16*n, 0
	for _, t := range tables {
		if t.name == "head" {
			head = at
		}
		out = append(out, t.name...)
		out = binary.BigEndian.AppendUint32(out, checksum(t.data))
		out = binary.BigEndian.AppendUint32(out, uint32(at))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t.data)))
		at += (len(t.data) + 3) &^ 3
	}
	for _, t := range tables {
		out = append(out, t.data...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	binary.BigEndian.PutUint32(out[head+8:], 0xB1B0AFBA-checksum(out))
	return out
}
