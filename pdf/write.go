package pdf

import (
	"math"
	"strconv"
)

// Span is the bytes [Start, End) of a file.
type Span struct{ Start, End int64 }

// AppendObject appends the canonical form of o to dst: one spelling for each
// object (ISO 32000-2 7.3), with no more white space than its syntax needs. A
// stream is written with the bytes of its Data and a Length of their number; one
// that was read from a file has to be loaded first (see Update.Set). A nil Object
// is written as null.
func AppendObject(dst []byte, o Object) []byte {
	w := encoder{buf: dst}
	w.object(o)
	return w.buf
}

// encoder writes objects and notes where each Verbatim came to lie.
type encoder struct {
	buf     []byte
	crypt   func(dst []byte, s String) []byte // what to write for a string; nil: the string itself
	marks   []Span                            // of each Verbatim, as offsets in buf
	failure error
}

func (w *encoder) object(o Object) {
	switch v := o.(type) {
	case nil, Null:
		w.buf = append(w.buf, "null"...)
	case Bool:
		w.buf = strconv.AppendBool(w.buf, bool(v))
	case Integer:
		w.buf = strconv.AppendInt(w.buf, int64(v), 10)
	case Real:
		w.buf = appendReal(w.buf, float64(v))
	case String:
		if w.crypt != nil {
			w.buf = w.crypt(w.buf, v)
			return
		}
		w.buf = appendString(w.buf, string(v))
	case Name:
		w.buf = appendName(w.buf, v)
	case Array:
		w.buf = append(w.buf, '[')
		for i, e := range v {
			if i > 0 && !startsWithDelimiter(e) {
				w.buf = append(w.buf, ' ')
			}
			w.object(e)
		}
		w.buf = append(w.buf, ']')
	case Dict:
		w.dict(v)
	case *Stream:
		w.stream(v, v.Data)
	case Ref:
		w.buf = appendRef(w.buf, v)
	case Verbatim:
		start := int64(len(w.buf))
		w.buf = append(w.buf, v...)
		w.marks = append(w.marks, Span{start, int64(len(w.buf))})
	}
}

func (w *encoder) dict(d Dict) {
	w.buf = append(w.buf, "<<"...)
	for _, e := range d {
		w.buf = appendName(w.buf, e.Key)
		if !startsWithDelimiter(e.Value) {
			w.buf = append(w.buf, ' ')
		}
		w.object(e.Value)
	}
	w.buf = append(w.buf, ">>"...)
}

// stream writes the dictionary of s around data, which is already encoded and
// encrypted.
func (w *encoder) stream(s *Stream, data []byte) {
	d := s.Dict
	if n, ok := d.Get("Length").(Integer); !ok || int(n) != len(data) {
		d = d.Clone()
		d.Set("Length", Integer(len(data)))
	}
	w.dict(d)
	w.buf = append(w.buf, "\nstream\r\n"...)
	w.buf = append(w.buf, data...)
	w.buf = append(w.buf, "\nendstream"...)
}

// startsWithDelimiter tells whether what is written for o begins with a
// character that ends the token before it.
func startsWithDelimiter(o Object) bool {
	switch o.(type) {
	case String, Name, Array, Dict:
		return true
	}
	return false
}

func appendRef(dst []byte, r Ref) []byte {
	dst = strconv.AppendUint(dst, uint64(r.Number), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, uint64(r.Generation), 10)
	return append(dst, " R"...)
}

// appendReal writes a number without an exponent and with at most ten digits
// behind the point; what is no number becomes 0, because PDF has no word for it.
func appendReal(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, '0')
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for i := start; i < len(dst); i++ {
		if dst[i] != '.' {
			continue
		}
		if len(dst)-i > 11 {
			dst = strconv.AppendFloat(dst[:start], f, 'f', 10, 64)
			for dst[len(dst)-1] == '0' && dst[len(dst)-2] != '.' {
				dst = dst[:len(dst)-1] // that rounding left
			}
		}
		return dst
	}
	// A point keeps the type through a round trip.
	return append(dst, ".0"...)
}

const hexDigits = "0123456789ABCDEF"

func appendName(dst []byte, n Name) []byte {
	dst = append(dst, '/')
	for i := range len(n) {
		c := n[i]
		if c <= ' ' || c >= 0x7f || c == '#' || isDelimiterByte(c) {
			dst = append(dst, '#', hexDigits[c>>4], hexDigits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

func isDelimiterByte(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

// appendString writes text as a literal string and everything else in
// hexadecimal, which no tool that passes the file on can damage.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c >= 0x7f) && c != '\n' && c != '\r' && c != '\t' {
			return appendHex(dst, s)
		}
	}
	dst = append(dst, '(')
	for i := range len(s) {
		switch c := s[i]; c {
		case '(', ')', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, ')')
}

func appendHex[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '<')
	for i := range len(s) {
		dst = append(dst, hexDigits[s[i]>>4], hexDigits[s[i]&15])
	}
	return append(dst, '>')
}
