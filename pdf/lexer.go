package pdf

import (
	"bytes"
	"strconv"
	"strings"
)

// Classes of bytes (ISO 32000-2 7.2.3).
const (
	regular   = 0
	white     = 1
	delimiter = 2
	digit     = 4 // regular, and 0-9
)

var class = [256]byte{
	0: white, '\t': white, '\n': white, '\f': white, '\r': white, ' ': white,
	'(': delimiter, ')': delimiter, '<': delimiter, '>': delimiter, '[': delimiter,
	']': delimiter, '{': delimiter, '}': delimiter, '/': delimiter, '%': delimiter,
	'0': digit, '1': digit, '2': digit, '3': digit, '4': digit,
	'5': digit, '6': digit, '7': digit, '8': digit, '9': digit,
}

// hexValue gives the value of a hexadecimal digit plus one; 0 for other bytes.
var hexValue = [256]byte{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'a': 11, 'b': 12, 'c': 13, 'd': 14, 'e': 15, 'f': 16,
	'A': 11, 'B': 12, 'C': 13, 'D': 14, 'E': 15, 'F': 16,
}

func isWhite(c byte) bool   { return class[c] == white }
func isDigit(c byte) bool   { return class[c] == digit }
func isRegular(c byte) bool { return class[c]&(white|delimiter) == 0 }

// parser reads objects from a piece of the file, or from a decoded object
// stream. Where the piece ends before the file does, a parser that came to its
// end says so in short: what it read counts for nothing, and the caller tries
// again with a longer piece.
type parser struct {
	b     []byte
	i     int
	base  int64 // offset in the file of b[0]
	whole bool  // nothing follows b
	short bool
	depth int
	limit int // of depth

	comments bool // a comment was skipped
	notes    []Anomaly
	entries  []Entry  // of the dictionaries that are open
	items    []Object // of the arrays that are open
	spans    *[]Span  // where to put the places of the outermost dictionary's values
}

func (p *parser) offset() int64 { return p.base + int64(p.i) }

func (p *parser) note(kind AnomalyKind, at int, text string) {
	if len(p.notes) < 64 {
		p.notes = append(p.notes, Anomaly{Kind: kind, Offset: p.base + int64(at), Text: text})
	}
}

func (p *parser) fail(text string) error { return &SyntaxError{p.offset(), text} }

// space skips white space and comments.
func (p *parser) space() {
	b, i := p.b, p.i
	for i < len(b) {
		c := b[i]
		if class[c] == white {
			i++
			continue
		}
		if c != '%' {
			p.i = i
			return
		}
		p.comments = true
		for i < len(b) && b[i] != '\n' && b[i] != '\r' {
			i++
		}
	}
	p.i = i
	p.ended()
}

// ended is called where the piece ended in the middle of something.
func (p *parser) ended() {
	if !p.whole {
		p.short = true
	}
}

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	p.ended()
	return 0
}

// keyword returns the regular characters from here on, without going behind them.
func (p *parser) keyword() []byte {
	j := p.i
	for j < len(p.b) && isRegular(p.b[j]) {
		j++
	}
	if j == len(p.b) {
		p.ended()
	}
	return p.b[p.i:j]
}

// accept goes behind word if it stands here as a token of its own.
func (p *parser) accept(word string) bool {
	if k := p.keyword(); string(k) == word {
		p.i += len(k)
		return true
	}
	return false
}

// unsigned reads digits; ok is false where there are none or too many.
func (p *parser) unsigned() (v int64, ok bool) {
	j := p.i
	for j < len(p.b) && isDigit(p.b[j]) {
		if v > (1<<63-10)/10 {
			return 0, false
		}
		v = v*10 + int64(p.b[j]-'0')
		j++
	}
	if j == len(p.b) {
		p.ended()
	}
	ok = j > p.i
	p.i = j
	return v, ok
}

// number reads an Integer or a Real. It takes what the readers in the field take
// ("--5", "1.2.3", "4-3") and notes what is not 7.3.3.
func (p *parser) number() Object {
	start := p.i
	b, i := p.b, p.i
	neg := false
	signs := 0
	for i < len(b) && (b[i] == '+' || b[i] == '-') {
		neg = neg || b[i] == '-'
		signs++
		i++
	}
	odd := signs > 1
	var mantissa uint64
	digits, scale := 0, 0
	point, overflow := false, false
	from := i
loop:
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case isDigit(c):
			if mantissa > (1<<63-10)/10 {
				overflow = true
			} else {
				mantissa = mantissa*10 + uint64(c-'0')
				if point {
					scale++
				}
			}
			digits++
		case c == '.' && !point:
			point = true
		case c == '.' || c == '-':
			// A second point, or a sign within: the rest is dropped.
			odd = true
			for i < len(b) && (isDigit(b[i]) || b[i] == '.' || b[i] == '-') {
				i++
			}
			break loop
		default:
			break loop
		}
	}
	if i == len(b) {
		p.ended()
	}
	p.i = i
	if digits == 0 || odd {
		p.note(Syntax, start, "odd number")
	}
	if !point && !overflow {
		v := int64(mantissa)
		if neg {
			v = -v
		}
		return Integer(v)
	}
	f := real(mantissa, scale)
	if overflow {
		text := string(b[from:i])
		if odd {
			text = strconv.FormatUint(mantissa, 10)
		}
		f, _ = strconv.ParseFloat(text, 64) // an overflow gives infinity
		if f > 1e300 {
			f = 1e300
		}
	}
	if neg {
		f = -f
	}
	return Real(f)
}

var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func real(mantissa uint64, scale int) float64 {
	if mantissa < 1<<53 && scale < len(powers) {
		return float64(mantissa) / powers[scale] // exact operands: rounded once
	}
	f, err := strconv.ParseFloat(strconv.FormatUint(mantissa, 10)+"e-"+strconv.Itoa(scale), 64)
	if err != nil {
		return 0
	}
	return f
}

// nameBytes reads a name behind its slash. The result may lie in the piece.
func (p *parser) nameBytes() []byte {
	start := p.i
	escaped := false
	j := start
	for j < len(p.b) && isRegular(p.b[j]) {
		if p.b[j] == '#' {
			escaped = true
		}
		j++
	}
	if j == len(p.b) {
		p.ended()
	}
	p.i = j
	raw := p.b[start:j]
	if !escaped {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for k := 0; k < len(raw); k++ {
		if raw[k] == '#' {
			if k+2 < len(raw) && hexValue[raw[k+1]] > 0 && hexValue[raw[k+2]] > 0 {
				if c := (hexValue[raw[k+1]]-1)<<4 | (hexValue[raw[k+2]] - 1); c != 0 {
					out = append(out, c)
					k += 2
					continue
				}
			}
			p.note(Syntax, start+k, "odd # in a name")
		}
		out = append(out, raw[k])
	}
	return out
}

// literal reads a string behind its opening parenthesis.
func (p *parser) literal() String {
	start := p.i
	b := p.b
	// Most strings have nothing to be undone.
	j := start
	for j < len(b) && b[j] != ')' && b[j] != '\\' && b[j] != '(' && b[j] != '\r' {
		j++
	}
	if j < len(b) && b[j] == ')' {
		p.i = j + 1
		return String(b[start:j])
	}
	out := append(make([]byte, 0, j-start+32), b[start:j]...)
	open := 1
	for j < len(b) {
		c := b[j]
		j++
		switch c {
		case '(':
			open++
		case ')':
			open--
			if open == 0 {
				p.i = j
				return String(out)
			}
		case '\r':
			if j < len(b) && b[j] == '\n' {
				j++
			}
			c = '\n'
		case '\\':
			var keep bool
			if c, j, keep = escape(b, j); !keep {
				continue
			}
		}
		out = append(out, c)
	}
	p.i = j
	p.ended()
	p.note(Syntax, start, "string without end")
	return String(out)
}

// escape undoes what stands behind a backslash (7.3.4.2).
func escape(b []byte, j int) (c byte, next int, keep bool) {
	if j >= len(b) {
		return 0, j, false
	}
	c = b[j]
	j++
	switch c {
	case 'n':
		return '\n', j, true
	case 'r':
		return '\r', j, true
	case 't':
		return '\t', j, true
	case 'b':
		return '\b', j, true
	case 'f':
		return '\f', j, true
	case '\n':
		return 0, j, false
	case '\r':
		if j < len(b) && b[j] == '\n' {
			j++
		}
		return 0, j, false
	case '0', '1', '2', '3', '4', '5', '6', '7':
		v := int(c - '0')
		for n := 1; n < 3 && j < len(b) && b[j] >= '0' && b[j] <= '7'; n++ {
			v = v<<3 | int(b[j]-'0')
			j++
		}
		return byte(v), j, true // high-order overflow is ignored (7.3.4.2)
	}
	return c, j, true
}

// hex reads a hexadecimal string behind its <.
func (p *parser) hex() String {
	start := p.i
	n := bytes.IndexByte(p.b[start:], '>')
	if n < 0 {
		n = len(p.b) - start
		p.ended()
		p.note(Syntax, start, "hexadecimal string without end")
		p.i = len(p.b)
	} else {
		p.i = start + n + 1
	}
	raw := p.b[start : start+n]
	var out strings.Builder
	out.Grow((n + 1) / 2)
	var piece [512]byte
	k := 0
	at := 0
	for ; at+1 < len(raw); at += 2 {
		// Digits in pairs, as nearly all strings have them.
		h, l := hexValue[raw[at]], hexValue[raw[at+1]]
		if h == 0 || l == 0 {
			break
		}
		piece[k] = (h-1)<<4 | (l - 1)
		if k++; k == len(piece) {
			out.Write(piece[:])
			k = 0
		}
	}
	out.Write(piece[:k])
	if at < len(raw) {
		p.hexRest(&out, raw[at:], start+at)
	}
	return String(out.String())
}

// hexRest reads digits with white space and other bytes between them. A digit
// without a second one is followed by 0.
func (p *parser) hexRest(out *strings.Builder, raw []byte, start int) {
	var high byte
	half := false
	for at, c := range raw {
		v := hexValue[c]
		if v == 0 {
			if !isWhite(c) {
				p.note(Syntax, start+at, "odd byte in a hexadecimal string")
			}
			continue
		}
		if v--; half {
			out.WriteByte(high | v)
		} else {
			high = v << 4
		}
		half = !half
	}
	if half {
		out.WriteByte(high)
	}
}
