package content

import (
	"encoding/binary"
	"strings"
	"sync"
)

// cff reads a font program in the Compact Font Format (Adobe Technical Note 5176)
// as far as its built-in encoding. Reading beyond the end gives zeros and sets
// short.
type cff struct {
	b     []byte
	short bool
}

func (c *cff) u8(at int) int {
	if at < 0 || at >= len(c.b) {
		c.short = true
		return 0
	}
	return int(c.b[at])
}

func (c *cff) u16(at int) int { return c.u8(at)<<8 | c.u8(at+1) }

// index reads an INDEX: its elements, and where it ends.
func (c *cff) index(at int) (elements [][]byte, end int) {
	n := c.u16(at)
	if n == 0 {
		return nil, at + 2
	}
	size := c.u8(at + 2)
	if size < 1 || size > 4 || at+3+(n+1)*size > len(c.b) {
		c.short = true
		return nil, at
	}
	offset := func(i int) int {
		v := 0
		for k := range size {
			v = v<<8 | c.u8(at+3+i*size+k)
		}
		return v
	}
	data := at + 2 + (n+1)*size // offsets count from the byte before the data
	for i := range n {
		from, to := data+offset(i), data+offset(i+1)
		if from < data || to < from || to > len(c.b) {
			c.short = true
			return nil, at
		}
		elements = append(elements, c.b[from:to])
	}
	return elements, data + offset(n)
}

// Operators of a Top DICT.
const (
	cffCharset     = 15
	cffEncoding    = 16
	cffCharStrings = 17
	cffROS         = 12<<8 | 30
)

// dict reads the last integer operand of each operator of a DICT.
func (c *cff) dict(b []byte) map[int]int {
	d := &cff{b: b}
	found := map[int]int{}
	operand := 0
	for at := 0; at < len(b) && !d.short; {
		switch v := d.u8(at); {
		case v == 12:
			found[12<<8|d.u8(at+1)], operand = operand, 0
			at += 2
		case v <= 21:
			found[v], operand = operand, 0
			at++
		case v == 28:
			operand = int(int16(d.u16(at + 1)))
			at += 3
		case v == 29:
			operand = int(int32(d.u16(at+1)<<16 | d.u16(at+3)))
			at += 5
		case v == 30: // a real number, in nibbles up to one of 15
			for at++; d.u8(at)&0xF != 0xF && d.u8(at)>>4 != 0xF && !d.short; at++ {
			}
			at++
		case v >= 32 && v <= 246:
			operand = v - 139
			at++
		case v >= 247 && v <= 250:
			operand = (v-247)*256 + d.u8(at+1) + 108
			at += 2
		case v >= 251 && v <= 254:
			operand = -(v-251)*256 - d.u8(at+1) - 108
			at += 2
		default:
			at++
		}
	}
	return found
}

// cffEncodingOf reads the built-in encoding of a font program (FontFile3 of the
// subtypes Type1C and OpenType); nil where it has none.
func cffEncodingOf(program []byte) *encoding {
	if strings.HasPrefix(string(program[:min(len(program), 4)]), "OTTO") {
		program = cffTable(program)
	}
	c := &cff{b: program}
	_, at := c.index(c.u8(2)) // behind the header: names of fonts
	fonts, at := c.index(at)
	strs, _ := c.index(at)
	if c.short || len(fonts) == 0 {
		return nil
	}
	top := c.dict(fonts[0])
	if _, cid := top[cffROS]; cid {
		return nil
	}
	switch top[cffEncoding] {
	case 0:
		return standard()
	case 1:
		return nil // the expert encoding: small capitals, fractions
	}
	glyphs, _ := c.index(top[cffCharStrings])
	if c.short {
		return nil
	}
	names := c.charset(top[cffCharset], min(len(glyphs), 1<<16))
	return c.encoding(top[cffEncoding], names, strs)
}

// cffTable finds the table "CFF " of an OpenType font.
func cffTable(font []byte) []byte {
	if len(font) < 12 {
		return nil
	}
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		at := 12 + 16*i
		if at+16 > len(font) {
			break
		}
		if string(font[at:at+4]) == "CFF " {
			from, size := uint64(binary.BigEndian.Uint32(font[at+8:])), uint64(binary.BigEndian.Uint32(font[at+12:]))
			if from+size <= uint64(len(font)) {
				return font[from : from+size]
			}
		}
	}
	return nil
}

// charset reads the names of n glyphs, as numbers of strings (5176, 13).
func (c *cff) charset(at, n int) []int {
	sids := make([]int, 1, max(n, 1)) // glyph 0 is .notdef
	if at <= 2 {                      // one of the predefined; only ISOAdobe is in order
		for at == 0 && len(sids) < min(n, 229) {
			sids = append(sids, len(sids))
		}
		return sids
	}
	format := c.u8(at)
	at++
	for len(sids) < n && !c.short {
		switch format {
		case 0:
			sids = append(sids, c.u16(at))
			at += 2
		case 1, 2:
			first, left := c.u16(at), c.u8(at+2)
			at += 3
			if format == 2 {
				left = left<<8 | c.u8(at)
				at++
			}
			for i := 0; i <= left && len(sids) < n; i++ {
				sids = append(sids, first+i)
			}
		default:
			return sids
		}
	}
	return sids
}

// encoding reads the codes of the glyphs (5176, 12).
func (c *cff) encoding(at int, names []int, strs [][]byte) *encoding {
	e := new(encoding)
	put := func(code, sid int) {
		if code >= 0 && code < 256 {
			e[code] = cffText(sid, strs)
		}
	}
	format, n := c.u8(at), c.u8(at+1)
	at += 2
	glyph := 1
	take := func(code int) {
		if glyph < len(names) {
			put(code, names[glyph])
		}
		glyph++
	}
	switch format & 0x7F {
	case 0:
		for i := range n {
			take(c.u8(at + i))
		}
		at += n
	case 1:
		for range n {
			first, left := c.u8(at), c.u8(at+1)
			at += 2
			for i := 0; i <= left; i++ {
				take(first + i)
			}
		}
	default:
		return nil
	}
	if format&0x80 != 0 { // further codes of glyphs
		for i := range c.u8(at) {
			put(c.u8(at+1+3*i), c.u16(at+2+3*i))
		}
	}
	if c.short {
		return nil
	}
	return e
}

// ownStrings is from which number on strings are those of the font itself.
const ownStrings = 391

// cffText gives the characters of a string's number: a standard string, or one of
// the font. Standard strings from 229 on belong to expert sets.
func cffText(sid int, strs [][]byte) string {
	if known := standardStrings(); sid < len(known) {
		return known[max(sid, 0)]
	}
	if sid >= ownStrings && sid-ownStrings < len(strs) {
		text, _ := glyphText(string(strs[sid-ownStrings]))
		return text
	}
	return ""
}

// standardStrings are the characters of the names of ISOAdobe, by their numbers:
// ASCII and the upper half of the standard encoding in their order, then isoAdobe.
var standardStrings = sync.OnceValue(func() []string {
	texts := []string{""} // .notdef
	e := standard()
	texts = append(texts, e[' ':'~'+1]...)
	for _, name := range strings.Fields(strings.ReplaceAll(standardUpper, ".", "") + " " + isoAdobe) {
		text, _ := glyphText(name)
		texts = append(texts, text)
	}
	return texts
})

// isoAdobe are the names from 150 on (5176, Appendix A).
const isoAdobe = "onesuperior logicalnot mu trademark Eth onehalf plusminus Thorn onequarter divide brokenbar degree thorn threequarters twosuperior registered minus eth" +
	" multiply threesuperior copyright Aacute Acircumflex Adieresis Agrave Aring Atilde Ccedilla Eacute Ecircumflex Edieresis Egrave Iacute Icircumflex" +
	" Idieresis Igrave Ntilde Oacute Ocircumflex Odieresis Ograve Otilde Scaron Uacute Ucircumflex Udieresis Ugrave Yacute Ydieresis Zcaron aacute" +
	" acircumflex adieresis agrave aring atilde ccedilla eacute ecircumflex edieresis egrave iacute icircumflex idieresis igrave ntilde oacute ocircumflex" +
	" odieresis ograve otilde scaron uacute ucircumflex udieresis ugrave yacute ydieresis zcaron"
