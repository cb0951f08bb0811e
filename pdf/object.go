package pdf

import (
	"slices"
	"strconv"
)

// Object is one of the basic objects of ISO 32000-2 7.3: Null, Bool, Integer,
// Real, String, Name, Array, Dict, *Stream or Ref. Verbatim exists for writing
// only. A nil Object means that there is none.
type Object interface{ object() }

// Null is the null object. Where it is the value of a dictionary's entry, the
// entry counts as absent (ISO 32000-2 7.3.7).
type Null struct{}

// Bool is true or false.
type Bool bool

// Integer is a whole number; numbers beyond 64 bits are read as Real.
type Integer int64

// Real is a number with a fraction. PDF knows no exponents.
type Real float64

// String holds the decoded (and, in an encrypted file, decrypted) bytes of a
// literal or hexadecimal string.
type String string

// Name holds a name without its slash, with #xx decoded.
type Name string

// Array is a sequence of objects.
type Array []Object

// Entry is one key of a dictionary and its value.
type Entry struct {
	Key   Name
	Value Object
}

// Dict is a dictionary in the order of the file. A key that the file repeats is
// kept as often as it stands there, because readers disagree on which of them
// counts; Duplicate tells.
type Dict []Entry

// Ref is an indirect reference.
type Ref struct {
	Number     uint32
	Generation uint16
}

// Stream is a dictionary with a sequence of bytes. One that was read from a file
// knows where its bytes lie (use Document.StreamData); one that was made in
// memory holds them in Data, encoded as its dictionary's Filter says.
type Stream struct {
	Dict Dict
	// Data holds the encoded bytes of a stream made in memory. Nil for one that
	// was read: its bytes stay in the file.
	Data []byte

	offset, length int64 // of the encoded bytes in the file, where Data is nil
	ref            Ref   // by which it was read; its key of encryption depends on it
	plain          bool  // never encrypted: a cross-reference stream
}

// Verbatim is written to a file as it is. It never comes out of reading.
type Verbatim []byte

func (Null) object()     {}
func (Bool) object()     {}
func (Integer) object()  {}
func (Real) object()     {}
func (String) object()   {}
func (Name) object()     {}
func (Array) object()    {}
func (Dict) object()     {}
func (*Stream) object()  {}
func (Ref) object()      {}
func (Verbatim) object() {}

// String gives "12 0 R".
func (r Ref) String() string {
	return strconv.FormatUint(uint64(r.Number), 10) + " " + strconv.FormatUint(uint64(r.Generation), 10) + " R"
}

// Get returns the value of key, or nil when the key is absent or null. Where the
// file repeats the key, the last one counts, as for most readers.
func (d Dict) Get(key Name) Object {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i].Key == key {
			if _, null := d[i].Value.(Null); null {
				return nil
			}
			return d[i].Value
		}
	}
	return nil
}

// Has reports whether key stands in the dictionary, even with null as its value.
func (d Dict) Has(key Name) bool {
	return slices.ContainsFunc(d, func(e Entry) bool { return e.Key == key })
}

// Set gives key the value, in place where the key exists, else at the end. Of a
// repeated key one remains.
func (d *Dict) Set(key Name, value Object) {
	at := slices.IndexFunc(*d, func(e Entry) bool { return e.Key == key })
	if at < 0 {
		*d = append(*d, Entry{key, value})
		return
	}
	(*d)[at].Value = value
	tail := slices.DeleteFunc((*d)[at+1:], func(e Entry) bool { return e.Key == key })
	*d = (*d)[:at+1+len(tail)]
}

// Delete removes key.
func (d *Dict) Delete(key Name) {
	*d = slices.DeleteFunc(*d, func(e Entry) bool { return e.Key == key })
}

// Clone returns a copy whose entries can be set without changing d, with room for
// two more. The values are shared.
func (d Dict) Clone() Dict {
	if d == nil {
		return nil
	}
	return append(make(Dict, 0, len(d)+2), d...)
}

// Duplicate returns the first key that stands in the dictionary more than once.
func (d Dict) Duplicate() (Name, bool) {
	if len(d) < 16 {
		for i := range d {
			for j := range d[:i] {
				if d[i].Key == d[j].Key {
					return d[i].Key, true
				}
			}
		}
		return "", false
	}
	seen := make(map[Name]bool, len(d))
	for _, e := range d {
		if seen[e.Key] {
			return e.Key, true
		}
		seen[e.Key] = true
	}
	return "", false
}
