package pdf

// value reads one object. stop is the keyword that stood in its place, if one
// did: the parser is then still before it.
func (p *parser) value() (o Object, stop []byte, err error) {
	p.space()
	if p.i >= len(p.b) {
		p.ended()
		return nil, nil, p.fail("object expected, file ends")
	}
	c := p.b[p.i]
	switch {
	case isDigit(c):
		return p.numberOrRef(), nil, nil
	case c == '/':
		p.i++
		return nameObject(p.nameBytes()), nil, nil
	case c == '+' || c == '-' || c == '.':
		return p.number(), nil, nil
	case c == '(':
		p.i++
		return p.literal(), nil, nil
	case c == '<':
		p.i++
		if p.peek() == '<' {
			p.i++
			d, err := p.dict()
			return d, nil, err
		}
		return p.hex(), nil, nil
	case c == '[':
		p.i++
		a, err := p.array()
		return a, nil, err
	case !isRegular(c):
		return nil, nil, p.fail("object expected, found " + string(rune(c)))
	}
	k := p.keyword()
	switch string(k) {
	case "true":
		o = Bool(true)
	case "false":
		o = Bool(false)
	case "null":
		o = Null{}
	default:
		return nil, k, nil
	}
	p.i += len(k)
	return o, nil, nil
}

// numberOrRef reads a number, or a reference "n g R".
func (p *parser) numberOrRef() Object {
	start := p.i
	o := p.number()
	n, ok := o.(Integer)
	if !ok || n > maxObjectNumber || p.i-start > 10 {
		return o
	}
	// Look ahead for "g R" without comments in between; those are rare enough
	// to be left to the slow path.
	after := p.i
	b, i := p.b, p.i
	for i < len(b) && isWhite(b[i]) {
		i++
	}
	if i < len(b) && b[i] == '%' {
		p.space()
		i = p.i
	}
	from, g := i, 0
	for i < len(b) && isDigit(b[i]) && i-from < 6 {
		g = g*10 + int(b[i]-'0')
		i++
	}
	if i > from && i < len(b) && g <= 65535 {
		at := i
		for i < len(b) && isWhite(b[i]) {
			i++
		}
		if i < len(b) && b[i] == '%' {
			p.i = i
			p.space()
			i = p.i
		}
		if i > at && i < len(b) && b[i] == 'R' {
			if i+1 == len(b) {
				p.ended()
			}
			if i+1 == len(b) || !isRegular(b[i+1]) {
				p.i = i + 1
				return Ref{uint32(n), uint16(g)}
			}
		}
	}
	if i == len(b) {
		p.ended()
	}
	p.i = after
	return o
}

func (p *parser) enter() error {
	p.depth++
	if p.depth > p.limit {
		return &LimitError{"nesting depth", int64(p.limit)}
	}
	return nil
}

func (p *parser) array() (Array, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.spans = nil
	if p.items == nil {
		p.items = make([]Object, 0, 8)
	}
	from := len(p.items)
	for {
		p.space()
		if p.i >= len(p.b) {
			p.ended()
			p.note(Syntax, p.i, "array without end")
			break
		}
		if p.b[p.i] == ']' {
			p.i++
			break
		}
		at := p.i
		o, stop, err := p.value()
		switch {
		case err != nil:
			if !p.skip(err) {
				return nil, err
			}
			if p.b[at] == '>' && at+1 < len(p.b) && p.b[at+1] == '>' {
				p.note(Syntax, at, "array without end")
				p.i = at
				return p.closeArray(from), nil
			}
			continue
		case stop != nil:
			p.note(Syntax, p.i, "keyword in an array")
			if structural(stop) {
				return p.closeArray(from), nil
			}
			p.i += len(stop)
			o = Null{}
		}
		p.items = append(p.items, o)
	}
	return p.closeArray(from), nil
}

func (p *parser) closeArray(from int) Array {
	p.depth--
	a := make(Array, len(p.items)-from)
	copy(a, p.items[from:])
	p.items = p.items[:from]
	return a
}

// skip decides whether a syntax error within an array or dictionary can be
// stepped over: a byte that means nothing there.
func (p *parser) skip(err error) bool {
	if _, syntax := err.(*SyntaxError); !syntax || p.i >= len(p.b) { //nolint:errorlint // made here, never wrapped
		return false
	}
	p.note(Syntax, p.i, "odd byte")
	p.i++
	return true
}

// structural tells keywords that can only stand behind an object that is
// complete: a container that meets one has lost its end.
func structural(k []byte) bool {
	switch string(k) {
	case "endobj", "stream", "endstream", "obj", "xref", "trailer", "startxref":
		return true
	}
	return false
}

func (p *parser) dict() (Dict, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	if p.entries == nil {
		p.entries = make([]Entry, 0, 16)
	}
	from := len(p.entries)
	spans := p.spans
	p.spans = nil // of the outermost only
	for {
		p.space()
		if p.i >= len(p.b) {
			p.ended()
			p.note(Syntax, p.i, "dictionary without end")
			break
		}
		c := p.b[p.i]
		if c == '>' {
			p.i++
			if p.peek() == '>' {
				p.i++
				break
			}
			p.note(Syntax, p.i-1, "odd byte")
			continue
		}
		if c != '/' {
			if k := p.keyword(); structural(k) {
				p.note(Syntax, p.i, "dictionary without end")
				break
			}
			p.note(Syntax, p.i, "key expected")
			_, stop, err := p.value()
			if err != nil && !p.skip(err) {
				return nil, err
			}
			p.i += len(stop)
			continue
		}
		p.i++
		key := nameObject(p.nameBytes()).(Name)
		p.space()
		at := p.offset()
		if c := p.peek(); c == '>' && p.i+1 < len(p.b) && p.b[p.i+1] == '>' {
			p.note(Syntax, p.i, "key without value")
			p.entries = append(p.entries, Entry{key, Null{}})
			if spans != nil {
				*spans = append(*spans, Span{at, at})
			}
			continue
		}
		o, stop, err := p.value()
		switch {
		case err != nil:
			if !p.skip(err) {
				return nil, err
			}
			o = Null{}
		case stop != nil:
			p.note(Syntax, p.i, "keyword in a dictionary")
			o = Null{}
			if !structural(stop) {
				p.i += len(stop)
			}
		}
		p.entries = append(p.entries, Entry{key, o})
		if spans != nil {
			*spans = append(*spans, Span{at, p.offset()})
		}
	}
	p.depth--
	d := make(Dict, len(p.entries)-from)
	copy(d, p.entries[from:])
	clear(p.entries[from:])
	p.entries = p.entries[:from]
	if key, twice := d.Duplicate(); twice {
		p.note(DuplicateKey, p.i, "key /"+printable(key)+" repeated")
	}
	return d, nil
}

// printable shortens a name for a message and leaves nothing in it that could
// act on a terminal or a page.
func printable(n Name) string {
	b := []byte(n[:min(len(n), 40)])
	for i, c := range b {
		if c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			b[i] = '?'
		}
	}
	return string(b)
}

// header reads "n g obj".
func (p *parser) header() (Ref, error) {
	p.comments = false
	n, ok := p.unsigned()
	if !ok || n > maxObjectNumber {
		return Ref{}, p.fail("object number expected")
	}
	p.space()
	g, ok := p.unsigned()
	if !ok || g > 65535 {
		return Ref{}, p.fail("generation number expected")
	}
	p.space()
	if p.comments {
		p.note(CommentInStructure, p.i, "comment in an object's header")
	}
	// "obj" may touch what follows ("1 0 obj<<"), even a regular character.
	if p.i+3 > len(p.b) {
		p.ended()
		return Ref{}, p.fail("obj expected")
	}
	if string(p.b[p.i:p.i+3]) != "obj" {
		return Ref{}, p.fail("obj expected")
	}
	p.i += 3
	if c := p.peek(); isRegular(c) && p.i < len(p.b) {
		p.note(Syntax, p.i, "no white space behind obj")
	}
	return Ref{uint32(n), uint16(g)}, nil
}

// indirect reads "n g obj ... endobj". For a stream it stops behind the keyword
// stream and its end of line, with isStream set.
func (p *parser) indirect() (ref Ref, o Object, isStream bool, err error) {
	ref, err = p.header()
	if err != nil {
		return ref, nil, false, err
	}
	o, stop, err := p.value()
	if err != nil {
		return ref, nil, false, err
	}
	if stop != nil {
		p.note(Syntax, p.i, "object expected, found a keyword")
		o = Null{}
		if !structural(stop) {
			p.i += len(stop)
		}
	}
	p.space()
	k := p.keyword()
	if string(k) == "stream" {
		if _, ok := o.(Dict); ok {
			p.i += len(k)
			p.streamEOL()
			return ref, o, true, nil
		}
		p.note(Syntax, p.i, "stream without a dictionary")
		return ref, o, false, nil
	}
	p.endobj()
	return ref, o, false, nil
}

func (p *parser) endobj() {
	p.space()
	if p.accept("endobj") {
		return
	}
	p.note(EndobjMissing, p.i, "endobj expected")
	// "endobj12 0 obj": the keyword is there, its end is not.
	if k := p.keyword(); len(k) > 6 && string(k[:6]) == "endobj" {
		p.i += 6
	}
}

// streamEOL goes behind the end of line that follows the keyword stream: CR LF
// or LF (7.3.8.1).
func (p *parser) streamEOL() {
	at := p.i
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\t') {
		p.i++
	}
	switch p.peek() {
	case '\n':
		p.i++
	case '\r':
		p.i++
		if p.peek() == '\n' {
			p.i++
		} else {
			p.note(StreamKeyword, at, "stream is followed by CR alone")
		}
	default:
		p.i = at // blanks without an end of line belong to the data
		p.note(StreamKeyword, at, "stream is followed by no end of line")
		return
	}
	if p.b[at] == ' ' || p.b[at] == '\t' {
		p.note(StreamKeyword, at, "white space behind stream")
	}
}
