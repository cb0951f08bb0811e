package content

import (
	"cmp"
	"slices"
	"sort"
	"unicode/utf16"

	"absah/pdf"
)

// Limits of one CMap.
const (
	maxCMapBytes   = 8 << 20
	maxCMapEntries = 1 << 18
	maxCMapTarget  = 64 // bytes that one code stands for
)

// cmap maps the codes of a font's strings to characters (ToUnicode, ISO 32000-2
// 9.10.3) or to CIDs (9.7.5).
type cmap struct {
	spaces   []codespace
	unicode  []unicodeRange
	cids     []cidRange
	vertical bool
}

type codespace struct {
	size      int // bytes of a code
	low, high uint32
}

type unicodeRange struct {
	low, high uint32
	target    []uint16 // of low; the last unit counts up
}

type cidRange struct{ low, high, cid uint32 }

// code is a big-endian number of at most four bytes.
func code(s string) (uint32, bool) {
	if len(s) == 0 || len(s) > 4 {
		return 0, false
	}
	v := uint32(0)
	for i := range len(s) {
		v = v<<8 | uint32(s[i])
	}
	return v, true
}

func utf16Units(s string) []uint16 {
	if len(s) == 1 { // some writers give one byte
		return []uint16{uint16(s[0])}
	}
	u := make([]uint16, 0, len(s)/2)
	for i := 0; i+1 < len(s); i += 2 {
		u = append(u, uint16(s[i])<<8|uint16(s[i+1]))
	}
	return u
}

// parseCMap reads a CMap file. It keeps what it understands.
func parseCMap(data []byte) *cmap {
	m := &cmap{}
	if len(data) > maxCMapBytes {
		data = data[:maxCMapBytes]
	}
	l := lexer{data: data}
	var operands []pdf.Object
	for entries := 0; entries < maxCMapEntries; {
		o, op, ok := l.next()
		if !ok {
			break
		}
		if op == "" {
			if operands = append(operands, o); len(operands) > 3*maxCMapEntries {
				break
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			entries += m.codespaces(operands)
		case "endbfchar":
			entries += m.bfchar(operands)
		case "endbfrange":
			entries += m.bfrange(operands)
		case "endcidchar":
			entries += m.cidchar(operands)
		case "endcidrange":
			entries += m.cidrange(operands)
		case "def":
			if n := len(operands); n >= 2 && operands[n-2] == pdf.Object(pdf.Name("WMode")) {
				m.vertical = operands[n-1] == pdf.Object(pdf.Integer(1))
			}
		}
		operands = operands[:0]
	}
	// Sorted stably, so that of equal codes the last one can be found.
	slices.SortStableFunc(m.unicode, func(a, b unicodeRange) int { return cmp.Compare(a.low, b.low) })
	slices.SortStableFunc(m.cids, func(a, b cidRange) int { return cmp.Compare(a.low, b.low) })
	return m
}

func text(o pdf.Object) string {
	s, _ := o.(pdf.String)
	return string(s)
}

func (m *cmap) codespaces(o []pdf.Object) int {
	n := len(o) / 2
	for ; len(o) >= 2; o = o[2:] {
		low, high := text(o[0]), text(o[1])
		a, ok1 := code(low)
		b, ok2 := code(high)
		if ok1 && ok2 && len(low) == len(high) && len(m.spaces) < 256 {
			m.spaces = append(m.spaces, codespace{len(low), a, b})
		}
	}
	return n
}

func (m *cmap) bfchar(o []pdf.Object) int {
	n := len(o) / 2
	for ; len(o) >= 2; o = o[2:] {
		c, ok := code(text(o[0]))
		target := text(o[1])
		if name, isName := o[1].(pdf.Name); isName {
			if t, known := glyphText(string(name)); known {
				m.unicode = append(m.unicode, unicodeRange{c, c, utf16.Encode([]rune(t))})
			}
			continue
		}
		if ok && len(target) <= maxCMapTarget {
			m.unicode = append(m.unicode, unicodeRange{c, c, utf16Units(target)})
		}
	}
	return n
}

func (m *cmap) bfrange(o []pdf.Object) int {
	n := 0
	for ; len(o) >= 3; o = o[3:] {
		n++
		low, ok1 := code(text(o[0]))
		high, ok2 := code(text(o[1]))
		if !ok1 || !ok2 || high < low {
			continue
		}
		switch t := o[2].(type) {
		case pdf.String:
			if len(t) <= maxCMapTarget {
				m.unicode = append(m.unicode, unicodeRange{low, high, utf16Units(string(t))})
			}
		case pdf.Array:
			for i, e := range t {
				if uint64(low)+uint64(i) > uint64(high) {
					break
				}
				if s := text(e); len(s) <= maxCMapTarget {
					m.unicode = append(m.unicode, unicodeRange{low + uint32(i), low + uint32(i), utf16Units(s)})
				}
				n++
			}
		}
	}
	return n
}

func (m *cmap) cidchar(o []pdf.Object) int {
	n := len(o) / 2
	for ; len(o) >= 2; o = o[2:] {
		c, ok := code(text(o[0]))
		if cid, isInt := o[1].(pdf.Integer); ok && isInt {
			m.cids = append(m.cids, cidRange{c, c, uint32(cid)})
		}
	}
	return n
}

func (m *cmap) cidrange(o []pdf.Object) int {
	n := len(o) / 3
	for ; len(o) >= 3; o = o[3:] {
		low, ok1 := code(text(o[0]))
		high, ok2 := code(text(o[1]))
		if cid, isInt := o[2].(pdf.Integer); ok1 && ok2 && isInt && low <= high {
			m.cids = append(m.cids, cidRange{low, high, uint32(cid)})
		}
	}
	return n
}

// lookBack is how many ranges with a lower start are looked at, for ranges that
// overlap.
const lookBack = 16

// text returns the characters of a code.
func (m *cmap) text(c uint32) (string, bool) {
	i := sort.Search(len(m.unicode), func(i int) bool { return m.unicode[i].low > c })
	for n := 0; i > 0 && n < lookBack; n++ {
		i--
		r := m.unicode[i]
		if c > r.high {
			continue
		}
		if len(r.target) == 0 {
			return "", true
		}
		u := slices.Clone(r.target)
		u[len(u)-1] += uint16(c - r.low)
		return string(utf16.Decode(u)), true
	}
	return "", false
}

// cid returns the CID of a code; 0 where there is none.
func (m *cmap) cid(c uint32) uint32 {
	i := sort.Search(len(m.cids), func(i int) bool { return m.cids[i].low > c })
	for n := 0; i > 0 && n < lookBack; n++ {
		i--
		if r := m.cids[i]; c <= r.high {
			return r.cid + c - r.low
		}
	}
	return 0
}

// split takes the first code of s by the codespace ranges (9.7.6.3).
func (m *cmap) split(s string) (c uint32, size int) {
	shortest := 4
	for n := 1; n <= 4 && n <= len(s); n++ {
		v, _ := code(s[:n])
		for _, space := range m.spaces {
			shortest = min(shortest, space.size)
			if space.size == n && within(v, space) {
				return v, n
			}
		}
	}
	if len(m.spaces) == 0 {
		shortest = 2
	}
	size = min(shortest, len(s))
	c, _ = code(s[:size])
	return c, size
}

// within checks each byte of a code against the range, as codespaces are boxes.
func within(v uint32, s codespace) bool {
	for i := range s.size {
		shift := 8 * i
		if b := byte(v >> shift); b < byte(s.low>>shift) || b > byte(s.high>>shift) {
			return false
		}
	}
	return true
}
