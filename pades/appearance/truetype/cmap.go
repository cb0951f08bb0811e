package truetype

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// A segment maps the characters from first to last: to first's glyph and the
// following ones, or, where the font lists them, to those of glyphs.
type segment struct {
	first, last rune
	glyph       GID
	glyphs      []GID
}

const (
	maxSegments = 1 << 16
	maxPairs    = 1 << 16
)

// readCmap takes the best Unicode subtable: all planes before the basic one.
func (f *Font) readCmap(tables map[string][]byte) error {
	t, err := need(tables, "cmap", 4)
	if err != nil {
		return err
	}
	var best []byte
	rank := 0
	for i, n := 0, u16(t, 2); i < n && 4+8*(i+1) <= len(t); i++ {
		e := t[4+8*i:]
		at := uint64(binary.BigEndian.Uint32(e[4:]))
		if at+16 > uint64(len(t)) {
			continue
		}
		r, format := 0, u16(t, int(at))
		switch platform, encoding := u16(e, 0), u16(e, 2); {
		case format == 12 && (platform == 3 && encoding == 10 || platform == 0):
			r = 2
		case format == 4 && (platform == 3 && encoding == 1 || platform == 0):
			r = 1
		}
		if r > rank {
			best, rank = t[at:], r
		}
	}
	switch rank {
	case 1:
		f.cmap, err = format4(best)
	case 2:
		f.cmap, err = format12(best)
	default:
		err = &FormatError{"cmap", "holds no Unicode mapping of format 4 or 12"}
	}
	if err != nil {
		return err
	}
	slices.SortFunc(f.cmap, func(a, b segment) int { return cmp.Compare(a.first, b.first) })
	return nil
}

func format4(t []byte) ([]segment, error) {
	if l := u16(t, 2); l >= 16 && l <= len(t) {
		t = t[:l]
	}
	n := u16(t, 6) / 2
	if len(t) < 16+8*n {
		return nil, &FormatError{"cmap", "a format 4 subtable is too short"}
	}
	ends, starts, deltas, ranges := t[14:], t[16+2*n:], t[16+4*n:], t[16+6*n:]
	segments := make([]segment, 0, n)
	total := 0
	for i := range n {
		first, last := u16(starts, 2*i), u16(ends, 2*i)
		if first > last || first == 0xFFFF {
			continue
		}
		delta, offset := u16(deltas, 2*i), u16(ranges, 2*i)
		s := segment{first: rune(first), last: rune(last), glyph: GID(first + delta)}
		if offset != 0 {
			if total += last - first + 1; total > maxSegments {
				return nil, &FormatError{"cmap", "maps more characters than there are"}
			}
			s.glyphs = make([]GID, last-first+1)
			for c := range s.glyphs {
				at := 2*i + offset + 2*c
				if at+2 > len(ranges) {
					break
				}
				if g := u16(ranges, at); g != 0 {
					s.glyphs[c] = GID(g + delta)
				}
			}
		}
		segments = append(segments, s)
	}
	return segments, nil
}

func format12(t []byte) ([]segment, error) {
	n := uint64(binary.BigEndian.Uint32(t[12:]))
	if n > maxSegments || uint64(len(t)) < 16+12*n {
		return nil, &FormatError{"cmap", "a format 12 subtable is too short"}
	}
	segments := make([]segment, 0, n)
	for i := range int(n) {
		g := t[16+12*i:]
		first, last := binary.BigEndian.Uint32(g), binary.BigEndian.Uint32(g[4:])
		if first > last || last > 0x10FFFF {
			continue
		}
		segments = append(segments, segment{first: rune(first), last: rune(last), glyph: GID(binary.BigEndian.Uint32(g[8:]))})
	}
	return segments, nil
}

// Glyph returns the glyph of a character, or 0 where the font has none.
func (f *Font) Glyph(r rune) GID {
	i, exact := slices.BinarySearchFunc(f.cmap, r, func(s segment, r rune) int { return cmp.Compare(s.first, r) })
	if !exact {
		i--
	}
	if i < 0 || r > f.cmap[i].last {
		return 0
	}
	s := f.cmap[i]
	g := s.glyph + GID(r-s.first)
	if s.glyphs != nil {
		g = s.glyphs[r-s.first]
	}
	if int(g) >= f.numGlyphs {
		return 0
	}
	return g
}

// readKern takes the horizontal pairs of a kern table of version 0. A font that
// kerns by GPOS alone is set without kerning.
func (f *Font) readKern(tables map[string][]byte) error {
	t := tables["kern"]
	if len(t) < 4 || u16(t, 0) != 0 {
		return nil
	}
	at := 4
	for range u16(t, 2) {
		if at+14 > len(t) {
			break
		}
		length, coverage, pairs := u16(t, at+2), u16(t, at+4), u16(t, at+6)
		// Bits 0-3: horizontal, minimum, cross-stream, override. Bits 8-15: format.
		if coverage&0xFF07 == 1 {
			for i := 0; i < pairs && at+14+6*(i+1) <= len(t) && len(f.kern) < maxPairs; i++ {
				if f.kern == nil {
					f.kern = make(map[uint32]int16, min(pairs, maxPairs))
				}
				p := t[at+14+6*i:]
				f.kern[binary.BigEndian.Uint32(p)] = int16(binary.BigEndian.Uint16(p[4:]))
			}
		}
		if length < 14 {
			break
		}
		at += length
	}
	return nil
}

// Kern is what the distance between two glyphs differs from left's advance.
func (f *Font) Kern(left, right GID) int {
	return int(f.kern[uint32(left)<<16|uint32(right)])
}
