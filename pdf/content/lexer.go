package content

import (
	"bytes"
	"math"

	"absah/pdf"
)

// maxNesting bounds arrays and dictionaries inside each other.
const maxNesting = 32

// lexer reads operands and operators of a content stream or a CMap. It takes
// whatever bytes come: what makes no token is passed over.
type lexer struct {
	data []byte
	pos  int
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func (l *lexer) skipSpace() {
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		default:
			return
		}
	}
}

// next returns an operand, or the name of an operator, or reports the end.
func (l *lexer) next() (operand pdf.Object, operator string, ok bool) {
	return l.token(0)
}

func (l *lexer) token(depth int) (pdf.Object, string, bool) {
	for {
		l.skipSpace()
		if l.pos >= len(l.data) {
			return nil, "", false
		}
		switch c := l.data[l.pos]; c {
		case '(':
			return l.literal(), "", true
		case '/':
			return l.name(), "", true
		case '[':
			l.pos++
			return l.array(depth), "", true
		case '<':
			if l.pos+1 < len(l.data) && l.data[l.pos+1] == '<' {
				l.pos += 2
				return l.dict(depth), "", true
			}
			return l.hex(), "", true
		case ')', '>', ']', '{', '}':
			l.pos++
		default:
			start := l.pos
			for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelimiter(l.data[l.pos]) {
				l.pos++
			}
			word := l.data[start:l.pos]
			if n, ok := parseNumber(word); ok {
				return n, "", true
			}
			switch string(word) {
			case "true":
				return pdf.Bool(true), "", true
			case "false":
				return pdf.Bool(false), "", true
			case "null":
				return pdf.Null{}, "", true
			}
			return nil, string(word), true
		}
	}
}

// parseNumber reads a number as readers do: signs may be doubled, a second point
// or a sign within ends it. It reports false for what does not start like one.
func parseNumber(w []byte) (pdf.Object, bool) {
	i, negative := 0, false
	for i < len(w) && (w[i] == '+' || w[i] == '-') {
		negative = negative || w[i] == '-'
		i++
	}
	if i == len(w) || w[i] != '.' && (w[i] < '0' || w[i] > '9') {
		return nil, false
	}
	value, scale, fraction := 0.0, 1.0, false
	for ; i < len(w); i++ {
		c := w[i]
		if c == '.' && !fraction {
			fraction = true
			continue
		}
		if c < '0' || c > '9' {
			if c == '.' || c == '-' || c == '+' {
				break
			}
			return nil, false // 1a is an operator that nobody knows
		}
		if value = value*10 + float64(c-'0'); fraction {
			scale *= 10
		}
	}
	if value /= scale; math.IsNaN(value) || math.IsInf(value, 0) {
		value = 0
	}
	if negative {
		value = -value
	}
	if !fraction && value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		return pdf.Integer(value), true
	}
	return pdf.Real(value), true
}

func (l *lexer) literal() pdf.Object {
	l.pos++
	var out []byte
	for depth := 1; l.pos < len(l.data); l.pos++ {
		c := l.data[l.pos]
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.pos++
				return pdf.String(out)
			}
		case '\r': // an end of line counts as \n
			if l.pos+1 < len(l.data) && l.data[l.pos+1] == '\n' {
				l.pos++
			}
			c = '\n'
		case '\\':
			l.pos++
			out = l.escape(out)
			continue
		}
		out = append(out, c)
	}
	return pdf.String(out)
}

// escape appends what the escape at pos stands for, and leaves pos on its last
// byte.
func (l *lexer) escape(out []byte) []byte {
	if l.pos >= len(l.data) {
		return out
	}
	switch c := l.data[l.pos]; c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\n':
		return out
	case '\r':
		if l.pos+1 < len(l.data) && l.data[l.pos+1] == '\n' {
			l.pos++
		}
		return out
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v, n := 0, 0
		for ; n < 3 && l.pos+n < len(l.data) && l.data[l.pos+n] >= '0' && l.data[l.pos+n] <= '7'; n++ {
			v = v*8 + int(l.data[l.pos+n]-'0')
		}
		l.pos += n - 1
		return append(out, byte(v))
	default:
		return append(out, c)
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() pdf.Object {
	l.pos++
	var out []byte
	half := -1
	for ; l.pos < len(l.data); l.pos++ {
		c := l.data[l.pos]
		if c == '>' {
			l.pos++
			break
		}
		d := hexDigit(c)
		switch {
		case d < 0:
		case half < 0:
			half = d
		default:
			out = append(out, byte(half<<4|d))
			half = -1
		}
	}
	if half >= 0 {
		out = append(out, byte(half<<4))
	}
	return pdf.String(out)
}

func (l *lexer) name() pdf.Name {
	l.pos++
	start := l.pos
	for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelimiter(l.data[l.pos]) {
		l.pos++
	}
	raw := l.data[start:l.pos]
	if bytes.IndexByte(raw, '#') < 0 {
		return pdf.Name(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if a, b := hexDigit(raw[i+1]), hexDigit(raw[i+2]); a >= 0 && b >= 0 {
				out = append(out, byte(a<<4|b))
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return pdf.Name(out)
}

func (l *lexer) array(depth int) pdf.Object {
	a := pdf.Array{}
	for {
		l.skipSpace()
		if l.pos >= len(l.data) {
			return a
		}
		if l.data[l.pos] == ']' {
			l.pos++
			return a
		}
		if depth >= maxNesting {
			l.pos++
			continue
		}
		o, _, ok := l.token(depth + 1)
		if !ok {
			return a
		}
		if o != nil {
			a = append(a, o)
		}
	}
}

func (l *lexer) dict(depth int) pdf.Object {
	var d pdf.Dict
	for {
		l.skipSpace()
		if l.pos >= len(l.data) {
			return d
		}
		if l.data[l.pos] == '>' {
			if l.pos++; l.pos < len(l.data) && l.data[l.pos] == '>' {
				l.pos++
			}
			return d
		}
		if l.data[l.pos] != '/' || depth >= maxNesting {
			if _, _, ok := l.token(maxNesting); !ok {
				return d
			}
			continue
		}
		key := l.name()
		if value, _, ok := l.token(depth + 1); ok && value != nil {
			d = append(d, pdf.Entry{Key: key, Value: value})
		}
	}
}

// skipInlineImage moves behind the EI of an image whose BI was read (ISO 32000-2
// 8.9.7).
func (l *lexer) skipInlineImage() {
	var d pdf.Dict
	for {
		o, op, ok := l.next()
		if !ok {
			return
		}
		if op == "ID" {
			break
		}
		if op == "EI" {
			return
		}
		key, isName := o.(pdf.Name)
		if !isName {
			continue
		}
		if v, op, ok := l.next(); ok && op == "" && v != nil {
			d = append(d, pdf.Entry{Key: key, Value: v})
		} else if op == "ID" {
			break
		}
	}
	if l.pos < len(l.data) && isSpace(l.data[l.pos]) {
		l.pos++
	}
	if n, ok := imageLength(d); ok && l.pos+n <= len(l.data) {
		rest := lexer{data: l.data, pos: l.pos + n}
		rest.skipSpace()
		if bytes.HasPrefix(rest.data[rest.pos:], []byte("EI")) {
			l.pos = rest.pos + 2
			return
		}
	}
	l.searchEI()
}

// imageLength is the number of bytes of an image's data, where the dictionary
// tells it.
func imageLength(d pdf.Dict) (int, bool) {
	get := func(keys ...pdf.Name) pdf.Object {
		for _, k := range keys {
			if v := d.Get(k); v != nil {
				return v
			}
		}
		return nil
	}
	if n, ok := get("L", "Length").(pdf.Integer); ok && n >= 0 && n < 1<<31 {
		return int(n), true
	}
	if get("F", "Filter") != nil {
		return 0, false
	}
	w, ok1 := get("W", "Width").(pdf.Integer)
	h, ok2 := get("H", "Height").(pdf.Integer)
	if !ok1 || !ok2 || w < 0 || h < 0 || w > 1<<16 || h > 1<<16 {
		return 0, false
	}
	bits, components := pdf.Integer(1), pdf.Integer(1)
	if mask, ok := get("IM", "ImageMask").(pdf.Bool); !ok || !bool(mask) {
		if bits, ok = get("BPC", "BitsPerComponent").(pdf.Integer); !ok || bits < 1 || bits > 16 {
			return 0, false
		}
		switch cs := get("CS", "ColorSpace").(type) {
		case pdf.Name:
			switch cs {
			case "G", "DeviceGray", "CalGray":
			case "RGB", "DeviceRGB", "CalRGB":
				components = 3
			case "CMYK", "DeviceCMYK":
				components = 4
			default:
				return 0, false
			}
		case pdf.Array: // indexed
		default:
			return 0, false
		}
	}
	return int((w*bits*components + 7) / 8 * h), true
}

// searchEI finds an EI between white space behind which text follows, as binary
// data seldom has it.
func (l *lexer) searchEI() {
	for at := l.pos; ; {
		i := bytes.Index(l.data[at:], []byte("EI"))
		if i < 0 {
			l.pos = len(l.data)
			return
		}
		at += i
		end := at + 2
		before := at == l.pos || isSpace(l.data[at-1])
		if before && (end == len(l.data) || isSpace(l.data[end])) && printable(l.data[end:min(end+12, len(l.data))]) {
			l.pos = end
			return
		}
		at = end
	}
}

func printable(b []byte) bool {
	for _, c := range b {
		if c > 0x7E || c < 0x20 && !isSpace(c) {
			return false
		}
	}
	return true
}
