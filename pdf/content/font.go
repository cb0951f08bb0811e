package content

import (
	"bytes"
	"math"
	"strings"

	"absah/pdf"
)

// unknown stands for a character that no table of the font names.
const unknown = "\uFFFD"

// font is what the interpreter needs of a font: how strings are split into codes,
// what these mean, and how far they move.
type font struct {
	name     string
	vertical bool
	// ascent and descent of a line, relative to the size.
	ascent, descent float64
	widths          widths

	// One of them.
	simple    *encoding
	composite *cmap

	toUnicode *cmap
	// direct tells that the codes of a composite font are UTF-16 themselves.
	direct bool
	// mixed tells that codes are of one byte, or of two from 0x81 on, as in the
	// East Asian encodings that are known by their names only.
	mixed bool
	texts map[uint32]string // of codes met before
}

// widths holds advance widths relative to the size, by code or by CID.
type widths struct {
	of     map[uint32]float64
	ranges []widthRange
	other  float64
}

type widthRange struct {
	low, high uint32
	width     float64
}

func (w *widths) get(c uint32) float64 {
	if v, ok := w.of[c]; ok {
		return v
	}
	for _, r := range w.ranges {
		if c >= r.low && c <= r.high {
			return r.width
		}
	}
	return w.other
}

const (
	maxWidths      = 1 << 17
	maxWidthRanges = 1 << 10
	maxCachedTexts = 1 << 16
)

// next takes the first character of s.
func (f *font) next(s string) (c uint32, size int, text string, width float64) {
	var cid uint32
	switch {
	case f.composite != nil:
		c, size = f.composite.split(s)
		cid = c
		if f.composite.cids != nil {
			cid = f.composite.cid(c)
		}
	case f.mixed:
		size = 1
		if s[0] >= 0x81 && len(s) > 1 {
			size = 2
		}
		c, _ = code(s[:size])
		cid = c
	default:
		c, size, cid = uint32(s[0]), 1, uint32(s[0])
	}
	text, ok := f.texts[c]
	if !ok {
		if text = f.text(c); len(f.texts) < maxCachedTexts {
			f.texts[c] = text
		}
	}
	return c, size, text, f.widths.get(cid)
}

func (f *font) text(c uint32) string {
	if f.toUnicode != nil {
		if t, ok := f.toUnicode.text(c); ok && t != "" && t != "\x00" {
			return t
		}
	}
	switch {
	case f.simple != nil && c < 256 && f.simple[c] != "":
		return f.simple[c]
	case f.direct && c >= 32 && c <= 0xFFFF:
		return string(rune(c))
	}
	return unknown
}

// loadFont reads a font dictionary; what is missing or broken takes a default.
func loadFont(d *pdf.Document, dict pdf.Dict) *font {
	f := &font{ascent: 0.75, descent: -0.25, texts: map[uint32]string{}}
	base, _ := d.ResolveName(dict.Get("BaseFont"))
	f.name = string(base)
	if m, err := resolveStream(d, dict.Get("ToUnicode")); err == nil && m != nil {
		f.toUnicode = parseCMap(m)
	}
	subtype, _ := d.ResolveName(dict.Get("Subtype"))
	switch subtype {
	case "Type0":
		f.loadComposite(d, dict)
	case "Type3":
		f.loadSimple(d, dict, nil)
		f.loadType3(d, dict)
	default:
		descriptor, _ := d.ResolveDict(dict.Get("FontDescriptor"))
		f.loadSimple(d, dict, descriptor)
		f.loadMetrics(d, descriptor)
	}
	return f
}

// resolveStream returns a stream's data, or nil where o is none.
func resolveStream(d *pdf.Document, o pdf.Object) ([]byte, error) {
	r, err := d.Resolve(o)
	if err != nil {
		return nil, err
	}
	s, ok := r.(*pdf.Stream)
	if !ok {
		return nil, nil
	}
	return d.StreamData(s)
}

// loadMetrics takes ascent and descent, where they make sense.
func (f *font) loadMetrics(d *pdf.Document, descriptor pdf.Dict) {
	ascent, _ := d.ResolveNumber(descriptor.Get("Ascent"))
	descent, _ := d.ResolveNumber(descriptor.Get("Descent"))
	if descent > 0 {
		descent = -descent // a frequent fault
	}
	if ascent >= 300 && ascent <= 2000 && descent >= -1500 {
		f.ascent, f.descent = ascent/1000, descent/1000
	}
}

func (f *font) loadSimple(d *pdf.Document, dict, descriptor pdf.Dict) {
	f.simple = f.baseEncoding(d, dict, descriptor)
	o, _ := d.Resolve(dict.Get("Encoding"))
	if e, ok := o.(pdf.Dict); ok {
		differences, _ := d.ResolveArray(e.Get("Differences"))
		f.differ(d, differences)
	}
	f.widths = widths{of: map[uint32]float64{}}
	first, _ := d.ResolveInt(dict.Get("FirstChar"))
	list, _ := d.ResolveArray(dict.Get("Widths"))
	missing, _ := d.ResolveNumber(descriptor.Get("MissingWidth"))
	f.widths.other = missing / 1000
	for i, o := range list {
		if i > 255 {
			break
		}
		if w, err := d.ResolveNumber(o); err == nil && first+int64(i) >= 0 && first+int64(i) < 256 {
			f.widths.of[uint32(first)+uint32(i)] = w / 1000
		}
	}
	if len(list) == 0 {
		f.standardWidths()
	}
}

func (f *font) baseEncoding(d *pdf.Document, dict, descriptor pdf.Dict) *encoding {
	o, _ := d.Resolve(dict.Get("Encoding"))
	name, _ := o.(pdf.Name)
	if e, ok := o.(pdf.Dict); ok {
		name, _ = d.ResolveName(e.Get("BaseEncoding"))
	}
	switch name {
	case "WinAnsiEncoding":
		return winAnsi()
	case "MacRomanEncoding":
		return macRoman()
	case "StandardEncoding":
		return standard()
	}
	if program, err := resolveStream(d, descriptor.Get("FontFile")); err == nil && program != nil {
		if e := type1Encoding(program); e != nil {
			return e
		}
	}
	if program, err := resolveStream(d, descriptor.Get("FontFile3")); err == nil && program != nil {
		if e := cffEncodingOf(program); e != nil {
			return e
		}
	}
	if subtype, _ := d.ResolveName(dict.Get("Subtype")); subtype == "TrueType" {
		return winAnsi()
	}
	if f.name == "Symbol" || f.name == "ZapfDingbats" || strings.HasSuffix(f.name, "+Symbol") {
		return new(encoding)
	}
	return standard()
}

func (f *font) differ(d *pdf.Document, differences pdf.Array) {
	at := int64(0)
	for _, o := range differences {
		o, _ = d.Resolve(o)
		switch o := o.(type) {
		case pdf.Integer:
			at = int64(o)
		case pdf.Name:
			if at >= 0 && at < 256 {
				f.simple[at] = ""
				if t, ok := glyphText(string(o)); ok {
					f.simple[at] = t
				}
			}
			at++
		}
	}
}

// type1Encoding reads the encoding array of a Type 1 font program, which stands
// in its readable part (Adobe Type 1 Font Format, 2.2).
func type1Encoding(program []byte) *encoding {
	if i := bytes.Index(program, []byte("eexec")); i >= 0 {
		program = program[:i]
	}
	i := bytes.Index(program, []byte("/Encoding"))
	if i < 0 {
		return nil
	}
	l := lexer{data: program, pos: i + len("/Encoding")}
	e := new(encoding)
	var code pdf.Object
	found := 0
	for range 4096 {
		o, op, ok := l.next()
		switch {
		case !ok || op == "def" || op == "readonly":
			if found == 0 {
				return nil
			}
			return e
		case op == "StandardEncoding":
			return standard()
		case op != "":
		default:
			if name, isName := o.(pdf.Name); isName {
				if c, isInt := code.(pdf.Integer); isInt && c >= 0 && c < 256 {
					e[c], _ = glyphText(string(name))
					found++
				}
			}
			code = o
		}
	}
	return e
}

// standardWidths fills in the widths of a font that a PDF need not describe, or
// of the one nearest to it.
func (f *font) standardWidths() {
	name := f.name
	if _, after, ok := strings.Cut(name, "+"); ok {
		name = after
	}
	lower := strings.ToLower(name)
	bold, italic := strings.Contains(lower, "bold"), strings.Contains(lower, "italic") || strings.Contains(lower, "oblique")
	key := "Helvetica"
	switch {
	case strings.Contains(lower, "courier"):
		f.widths.other = 0.6
		return
	case strings.Contains(lower, "times") && bold && italic:
		key = "Times-BoldItalic"
	case strings.Contains(lower, "times") && bold:
		key = "Times-Bold"
	case strings.Contains(lower, "times") && italic:
		key = "Times-Italic"
	case strings.Contains(lower, "times"):
		key = "Times-Roman"
	case bold:
		key = "Helvetica-Bold"
	}
	table := standardWidths[key]
	f.widths.other = 0.5
	for c, t := range f.simple {
		if r := baseLetter(t); r >= ' ' && r <= '~' {
			f.widths.of[uint32(c)] = float64(table[r-' ']) / 1000
		}
	}
}

// loadType3 brings widths and height from glyph space (9.6.4).
func (f *font) loadType3(d *pdf.Document, dict pdf.Dict) {
	m := matrix{0.001, 0, 0, 0.001, 0, 0}
	if a, _ := d.ResolveArray(dict.Get("FontMatrix")); len(a) == 6 {
		for i, o := range a {
			m[i], _ = d.ResolveNumber(o)
		}
	}
	for c, w := range f.widths.of {
		f.widths.of[c] = w * 1000 * math.Hypot(m[0], m[1])
	}
	f.ascent, f.descent = 0.75, -0.25
	if box, ok := d.Rect(dict.Get("FontBBox")); ok {
		low, high := box[1]*m[3], box[3]*m[3]
		if low, high = min(low, high), max(low, high); high > low && high-low < 10 {
			f.ascent, f.descent = high, low
		}
	}
}
