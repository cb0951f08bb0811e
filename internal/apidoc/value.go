package apidoc

import (
	"encoding/json"
	"errors"
	"strings"
)

// maxDepth is how deep objects and arrays may lie in each other.
const maxDepth = 32

// ErrSyntax says that bytes are no JSON, or nested too deep.
var ErrSyntax = errors.New("not JSON")

// Kind is a type of JSON, by its name in JSON Schema.
type Kind string

// The kinds.
const (
	Object  Kind = "object"
	Array   Kind = "array"
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Null    Kind = "null"
)

// Value is a JSON value as it stands in the bytes that were parsed: nothing is
// copied, so that whoever wipes them wipes what was in it. Members keep their
// order.
type Value struct {
	Kind    Kind
	Raw     []byte
	Names   []string // of the members of an object
	Members []Value  // of an object or an array
}

// Parse reads one JSON value. It fails with ErrSyntax.
func Parse(b []byte) (Value, error) {
	if !json.Valid(b) {
		return Value{}, ErrSyntax
	}
	s := splitter{b: b}
	return s.value(0)
}

// Get is the member of an object; of two with one name the last counts, as for
// encoding/json.
func (v Value) Get(name string) (Value, bool) {
	for i := len(v.Names) - 1; i >= 0; i-- {
		if v.Names[i] == name {
			return v.Members[i], true
		}
	}
	return Value{}, false
}

// At follows a JSON pointer (RFC 6901).
func (v Value) At(pointer string) (Value, bool) {
	if pointer == "" {
		return v, true
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		found := false
		if v.Kind == Array {
			var i int
			if json.Unmarshal([]byte(part), &i) == nil && i >= 0 && i < len(v.Members) {
				v, found = v.Members[i], true
			}
		} else {
			v, found = v.Get(part)
		}
		if !found {
			return Value{}, false
		}
	}
	return v, true
}

// Text is a string without its quotes; of anything else what stands there.
func (v Value) Text() string {
	var s string
	if v.Kind == String && json.Unmarshal(v.Raw, &s) == nil {
		return s
	}
	return string(v.Raw)
}

// splitter finds the parts of bytes that are valid JSON.
type splitter struct {
	b  []byte
	at int
}

func (s *splitter) space() {
	for s.at < len(s.b) && strings.IndexByte(" \t\r\n", s.b[s.at]) >= 0 {
		s.at++
	}
}

func (s *splitter) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, ErrSyntax
	}
	s.space()
	start := s.at
	v := Value{}
	var err error
	switch s.b[s.at] {
	case '{', '[':
		v, err = s.inside(depth)
	case '"':
		v.Kind = String
		s.text()
	case 't', 'f':
		v.Kind = Boolean
		s.word()
	case 'n':
		v.Kind = Null
		s.word()
	default:
		v.Kind = Number
		s.word()
	}
	v.Raw = s.b[start:s.at]
	return v, err
}

// inside reads the members of an object or an array.
func (s *splitter) inside(depth int) (Value, error) {
	v := Value{Kind: Array}
	end := byte(']')
	if s.b[s.at] == '{' {
		v.Kind, end = Object, '}'
	}
	s.at++
	for s.space(); s.b[s.at] != end; s.space() {
		if v.Kind == Object {
			from := s.at
			s.text()
			var name string
			if err := json.Unmarshal(s.b[from:s.at], &name); err != nil {
				return v, ErrSyntax
			}
			v.Names = append(v.Names, name)
			s.space()
			s.at++ // colon
		}
		m, err := s.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Members = append(v.Members, m)
		if s.space(); s.b[s.at] == ',' {
			s.at++
		}
	}
	s.at++
	return v, nil
}

func (s *splitter) text() {
	for s.at++; s.b[s.at] != '"'; s.at++ {
		if s.b[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

func (s *splitter) word() {
	for s.at < len(s.b) && strings.IndexByte(" \t\r\n,:]}", s.b[s.at]) < 0 {
		s.at++
	}
}
