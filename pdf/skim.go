package pdf

import "bytes"

// skimmer goes over one indirect object without making anything of it. It knows
// only the plain syntax: at anything that 7.3 does not allow, or that is rare, it
// gives up, and the parser reads the object with all its notes. What it accepts
// the parser would read without a note, up to the same byte.
type skimmer struct {
	b       []byte
	i       int
	depth   int
	keys    []keySpan // of the dictionaries that are open
	kind    []byte    // the outermost dictionary's Type
	length  Object    // and its Length
	file    bool      // it has an F
	streams bool      // the object is a stream; i is where its bytes begin
}

type keySpan struct{ from, to int }

// skimDepth is far below any limit of nesting: deeper objects are the parser's.
const skimDepth = 24

// indirect goes over "n g obj ... endobj", or up to the bytes of a stream.
func (s *skimmer) indirect() (ref Ref, ok bool) {
	n, ok1 := s.digits()
	ok2 := s.white()
	g, ok3 := s.digits()
	ok4 := s.white()
	if !ok1 || !ok2 || !ok3 || !ok4 || n > maxObjectNumber || g > 65535 || !s.word("obj") || s.i >= len(s.b) || isRegular(s.b[s.i]) {
		return ref, false
	}
	ref = Ref{uint32(n), uint16(g)}
	s.white()
	dict := bytes.HasPrefix(s.b[s.i:], []byte("<<"))
	if !s.value() {
		return ref, false
	}
	s.white()
	switch {
	case s.word("endobj"):
		return ref, s.i < len(s.b) && !isRegular(s.b[s.i])
	case dict && !s.file && s.word("stream"):
		s.streams = true
		if s.i < len(s.b) && s.b[s.i] == '\r' {
			s.i++
		}
		ok = s.i < len(s.b) && s.b[s.i] == '\n'
		s.i++
		return ref, ok
	}
	return ref, false
}

// white goes over white space, and tells whether there was any.
func (s *skimmer) white() bool {
	from := s.i
	for s.i < len(s.b) && isWhite(s.b[s.i]) {
		s.i++
	}
	return s.i > from
}

func (s *skimmer) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

// digits goes over at most ten digits.
func (s *skimmer) digits() (v int64, ok bool) {
	from := s.i
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		v = v*10 + int64(s.b[s.i]-'0')
		s.i++
		if s.i-from > 10 {
			return 0, false
		}
	}
	return v, s.i > from
}

func (s *skimmer) value() bool {
	if s.i >= len(s.b) {
		return false
	}
	switch c := s.b[s.i]; c {
	case '/':
		s.i++
		return s.name()
	case '(':
		return s.literal()
	case '[':
		return s.array()
	case '<':
		if s.i+1 < len(s.b) && s.b[s.i+1] == '<' {
			return s.dict()
		}
		return s.hex()
	case 't':
		return s.word("true") && s.delimited()
	case 'f':
		return s.word("false") && s.delimited()
	case 'n':
		return s.word("null") && s.delimited()
	}
	return s.number()
}

// delimited tells whether a token ends here.
func (s *skimmer) delimited() bool { return s.i < len(s.b) && !isRegular(s.b[s.i]) }

func (s *skimmer) name() bool {
	for s.i < len(s.b) && isRegular(s.b[s.i]) {
		if s.b[s.i] == '#' {
			return false
		}
		s.i++
	}
	return s.i < len(s.b)
}

func (s *skimmer) literal() bool {
	open := 0
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case '\\':
			s.i++
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				s.i++
				return true
			}
		}
	}
	return false
}

func (s *skimmer) hex() bool {
	for s.i++; s.i < len(s.b); s.i++ {
		c := s.b[s.i]
		if c == '>' {
			s.i++
			return true
		}
		if hexValue[c] == 0 && !isWhite(c) {
			return false
		}
	}
	return false
}

// number goes over a number, and over the rest of a reference that begins with
// it.
func (s *skimmer) number() bool {
	from := s.i
	if c := s.b[s.i]; c == '-' || c == '+' {
		s.i++
	}
	first, count := s.i, 0
	for s.i < len(s.b) && isDigit(s.b[s.i]) {
		s.i++
		count++
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		for s.i++; s.i < len(s.b) && isDigit(s.b[s.i]); s.i++ {
			count++
		}
		return count > 0 && count < 18 && s.delimited()
	}
	if count == 0 || count > 17 || !s.delimited() {
		return false
	}
	if first > from || count > 7 {
		return true // a sign, or more digits than object numbers need
	}
	back := s.i
	if s.white() {
		if g, ok := s.digits(); ok && g <= 65535 && s.white() && s.i < len(s.b) && s.b[s.i] == 'R' {
			s.i++
			return s.delimited()
		}
	}
	if s.i >= len(s.b) || s.b[s.i] == '%' {
		return false
	}
	s.i = back
	return true
}

func (s *skimmer) array() bool {
	if s.depth++; s.depth > skimDepth {
		return false
	}
	s.i++
	for {
		s.white()
		if s.i < len(s.b) && s.b[s.i] == ']' {
			s.i++
			s.depth--
			return true
		}
		if !s.value() {
			return false
		}
	}
}

func (s *skimmer) dict() bool {
	if s.depth++; s.depth > skimDepth {
		return false
	}
	s.i += 2
	outer := len(s.keys)
	for {
		s.white()
		if s.word(">>") {
			s.depth--
			s.keys = s.keys[:outer]
			return true
		}
		if !s.word("/") {
			return false
		}
		from := s.i
		if !s.name() || len(s.keys)-outer >= 40 {
			return false
		}
		key := s.b[from:s.i]
		for _, k := range s.keys[outer:] {
			if k.to-k.from == len(key) && string(s.b[k.from:k.to]) == string(key) {
				return false
			}
		}
		s.keys = append(s.keys, keySpan{from, s.i})
		s.white()
		at := s.i
		if !s.value() {
			return false
		}
		if s.depth == 1 {
			s.keep(key, s.b[at:s.i])
		}
	}
}

// keep remembers what must be known of a stream.
func (s *skimmer) keep(key, value []byte) {
	switch string(key) {
	case "Type":
		if value[0] == '/' {
			s.kind = value[1:]
		}
	case "F":
		s.file = true
	case "Length":
		p := parser{b: value, whole: true, limit: 1}
		s.length, _, _ = p.value()
	}
}

// skimAt reads the object at pos by skimming. ok is false where the parser has to
// read it.
func (d *Document) skimAt(pos int64) (l loaded, ok bool, err error) {
	b, last, err := d.at(pos, 1024)
	if err != nil {
		return l, false, err
	}
	s := skimmer{b: b, keys: d.keys[:0]}
	l.start = pos
	l.ref, ok = s.indirect()
	d.keys = s.keys[:0]
	if !ok || s.i >= len(b) && !last {
		return l, false, nil
	}
	l.end = pos + int64(s.i)
	if !s.streams {
		return l, true, nil
	}
	dict := Dict{{"Type", nameObject(s.kind)}}
	if s.length != nil {
		dict = append(dict, Entry{"Length", s.length})
	}
	st := &Stream{Dict: dict, offset: l.end, ref: l.ref}
	l.object = st
	l.end, err = d.measure(st)
	return l, true, err
}
