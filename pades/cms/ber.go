package cms

import (
	"fmt"
)

// Bounds of what is read. A signature of a PDF is a few kilobytes; with a CRL
// inside it can be some megabytes.
const (
	maxSize       = 64 << 20
	maxDepth      = 64
	maxSigners    = 32
	maxAttributes = 256
	maxCerts      = 1024
)

// LimitError says that an input exceeds a bound of the parser.
type LimitError struct {
	What  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("cms: more than %d %s", e.Limit, e.What)
}

// SyntaxError says that an input is no BER, or not of the ASN.1 type that it
// should have.
type SyntaxError struct {
	Text string
}

func (e *SyntaxError) Error() string { return "cms: " + e.Text }

func syntax(format string, args ...any) error {
	return &SyntaxError{Text: fmt.Sprintf(format, args...)}
}

// normalise re-encodes the BER value at the start of b with definite, minimal
// lengths and unbroken strings, which is as near to DER as one comes without
// knowing the types: the order of sets and the values of primitives stay. It
// returns how many octets of b the value took.
func normalise(b []byte) (der []byte, taken int, err error) {
	if len(b) > maxSize {
		return nil, 0, &LimitError{"octets", maxSize}
	}
	n := normaliser{in: b}
	der, taken, err = n.value(nil, 0, 0)
	if err != nil {
		return nil, 0, err
	}
	return der, taken, nil
}

type normaliser struct {
	in []byte
}

// element is the header of a BER value.
type element struct {
	class, number int // of the first identifier octet
	constructed   bool
	indefinite    bool
	identifier    []byte
	start, end    int // of the content; end is the end of the input when indefinite
}

func (e element) isEnd() bool { return len(e.identifier) == 1 && e.identifier[0] == 0 }

// constructedString reports whether e is one of the universal string types in
// pieces (X.690 8.7.3, 8.23.6).
func (e element) constructedString() bool {
	if !e.constructed || e.class != 0 {
		return false
	}
	switch e.number {
	case 4, 12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30:
		return true
	}
	return false
}

// header reads identifier and length octets at pos; end bounds the value.
func (n *normaliser) header(pos, end int) (element, error) {
	var e element
	if pos >= end {
		return e, syntax("truncated at octet %d", pos)
	}
	first := n.in[pos]
	e.class, e.constructed, e.number = int(first>>6), first&0x20 != 0, int(first&0x1f)
	at := pos + 1
	if e.number == 0x1f {
		for i := 0; ; i++ {
			if at >= end || i == 4 {
				return e, syntax("bad tag at octet %d", pos)
			}
			at++
			if n.in[at-1]&0x80 == 0 {
				break
			}
		}
	}
	e.identifier = n.in[pos:at]
	if at >= end {
		return e, syntax("truncated at octet %d", at)
	}
	length := int(n.in[at])
	at++
	switch {
	case length == 0x80:
		if !e.constructed {
			return e, syntax("primitive value of indefinite length at octet %d", pos)
		}
		e.indefinite, e.start, e.end = true, at, end
		return e, nil
	case length > 0x80:
		octets := length & 0x7f
		length = 0
		for range octets {
			if at >= end {
				return e, syntax("truncated at octet %d", at)
			}
			if length > maxSize {
				return e, syntax("length beyond the end at octet %d", pos)
			}
			length = length<<8 | int(n.in[at])
			at++
		}
	}
	if length > end-at {
		return e, syntax("length beyond the end at octet %d", pos)
	}
	e.start, e.end = at, at+length
	return e, nil
}

// value appends the re-encoding of the value at pos to dst and returns where
// the value ends.
func (n *normaliser) value(dst []byte, pos, depth int) ([]byte, int, error) {
	return n.within(dst, pos, len(n.in), depth)
}

func (n *normaliser) within(dst []byte, pos, end, depth int) ([]byte, int, error) {
	if depth > maxDepth {
		return nil, 0, &LimitError{"levels", maxDepth}
	}
	e, err := n.header(pos, end)
	if err != nil {
		return nil, 0, err
	}
	if e.isEnd() {
		return nil, 0, syntax("end-of-contents without a value at octet %d", pos)
	}
	if !e.constructed {
		dst = n.open(dst, e, e.end-e.start, false)
		return append(dst, n.in[e.start:e.end]...), e.end, nil
	}
	mark := len(dst)
	var after int
	primitive := e.constructedString()
	if primitive {
		dst, after, err = n.pieces(dst, e, e, depth)
	} else {
		dst, after, err = n.children(dst, e, depth)
	}
	if err != nil {
		return nil, 0, err
	}
	// The header goes in front of what was written when its length is known.
	content := len(dst) - mark
	size := len(e.identifier) + headerSize(content) - 1
	dst = append(dst, make([]byte, size)...)
	copy(dst[mark+size:], dst[mark:mark+content])
	n.open(dst[mark:mark], e, content, primitive)
	return dst, after, nil
}

// open appends a header; as primitive when a string in pieces became one.
func (n *normaliser) open(dst []byte, e element, length int, primitive bool) []byte {
	id := e.identifier
	first := id[0]
	if primitive {
		first &^= 0x20
	}
	dst = append(dst, first)
	dst = append(dst, id[1:]...)
	h := appendHeader(make([]byte, 0, 8), 0, length)
	return append(dst, h[1:]...)
}

// children appends the values inside e.
func (n *normaliser) children(dst []byte, e element, depth int) ([]byte, int, error) {
	pos := e.start
	for {
		if !e.indefinite && pos == e.end {
			return dst, pos, nil
		}
		if e.indefinite {
			end, err := n.endOfContents(pos, e.end)
			if err != nil {
				return nil, 0, err
			}
			if end {
				return dst, pos + 2, nil
			}
		}
		var err error
		if dst, pos, err = n.within(dst, pos, e.end, depth+1); err != nil {
			return nil, 0, err
		}
	}
}

// pieces appends the content of the pieces of a string; whole is the outermost.
func (n *normaliser) pieces(dst []byte, e, whole element, depth int) ([]byte, int, error) {
	if depth > maxDepth {
		return nil, 0, &LimitError{"levels", maxDepth}
	}
	pos := e.start
	for {
		if !e.indefinite && pos == e.end {
			return dst, pos, nil
		}
		if e.indefinite {
			end, err := n.endOfContents(pos, e.end)
			if err != nil {
				return nil, 0, err
			}
			if end {
				return dst, pos + 2, nil
			}
		}
		p, err := n.header(pos, e.end)
		if err != nil {
			return nil, 0, err
		}
		// The pieces of every string type are OCTET STRINGs or of the type itself.
		if p.class != 0 || (p.number != 4 && p.number != whole.number) {
			return nil, 0, syntax("foreign piece of a string at octet %d", pos)
		}
		if p.constructed {
			if dst, pos, err = n.pieces(dst, p, whole, depth+1); err != nil {
				return nil, 0, err
			}
			continue
		}
		dst = append(dst, n.in[p.start:p.end]...)
		pos = p.end
	}
}

func (n *normaliser) endOfContents(pos, end int) (bool, error) {
	if pos+2 > end {
		return false, syntax("value of indefinite length without an end")
	}
	return n.in[pos] == 0 && n.in[pos+1] == 0, nil
}

// checkDER reports whether every value of b down to the last level has a
// definite, minimal length and an unbroken string, with nothing behind the
// first value. SETs of DER order are the caller's: they need the type.
func checkDER(b []byte) error {
	if n, ok := plain(b, 0); ok && n == len(b) {
		return nil
	}
	der, taken, err := normalise(b)
	if err != nil {
		return err
	}
	if taken != len(b) {
		return syntax("%d octets behind the value", len(b)-taken)
	}
	if string(der) != string(b) {
		return syntax("lengths or strings are not those of DER")
	}
	return nil
}

// plain reports whether the value at the start of b is written as the re-encoding
// would write it, and how many octets it takes. It makes no copy and knows short
// tags only; a no is explained by the re-encoding.
func plain(b []byte, depth int) (int, bool) {
	if len(b) < 2 || b[0] == 0 || b[0]&0x1f == 0x1f || depth > maxDepth {
		return 0, false
	}
	start, length := 2, int(b[1])
	if length >= 0x80 {
		octets := length & 0x7f
		if octets == 0 || octets > 4 || len(b) < 2+octets || b[2] == 0 {
			return 0, false
		}
		start, length = 2+octets, 0
		for _, o := range b[2:start] {
			length = length<<8 | int(o)
		}
		if length < 0x80 {
			return 0, false
		}
	}
	if length > len(b)-start {
		return 0, false
	}
	end := start + length
	if b[0]&0x20 == 0 {
		return end, true
	}
	if (element{class: int(b[0] >> 6), number: int(b[0] & 0x1f), constructed: true}).constructedString() {
		return 0, false
	}
	for at := start; at < end; {
		n, ok := plain(b[at:end], depth+1)
		if !ok {
			return 0, false
		}
		at += n
	}
	return end, true
}
