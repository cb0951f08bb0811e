package pdf

import (
	"errors"
	"fmt"
	"strconv"
)

var (
	// ErrNotPDF: the bytes hold no PDF header, cross-reference or object.
	ErrNotPDF = errors.New("not a PDF file")
	// ErrNoCatalog: neither the trailer nor a search of the file leads to a catalog
	// with a tree of pages.
	ErrNoCatalog = errors.New("the file holds no catalog")
	// ErrPassword: the file is encrypted and the password opens it neither as
	// the user's nor as the owner's.
	ErrPassword = errors.New("the password does not open the file")
	// ErrEncryption: the file is encrypted in a way that is not supported.
	ErrEncryption = errors.New("encryption of this kind is not supported")
	// ErrFilter: a stream has a filter that is not undone here (those of images).
	ErrFilter = errors.New("the stream's filter is not supported")
)

// SyntaxError tells where the bytes of a file depart from the syntax so far
// that nothing could be read.
type SyntaxError struct {
	Offset int64 // from the start of the file, or of the decoded object stream
	Text   string
}

func (e *SyntaxError) Error() string {
	return "pdf syntax at byte " + strconv.FormatInt(e.Offset, 10) + ": " + e.Text
}

// TypeError tells that an object is of another type than its place demands.
type TypeError struct {
	Want string
	Got  Object
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("pdf object is %s, want %s", typeName(e.Got), e.Want)
}

// LimitError tells which bound on work or memory a file would exceed.
type LimitError struct {
	What  string // depth, objects, stream bytes, file bytes, ratio, ...
	Limit int64
}

func (e *LimitError) Error() string {
	return "pdf exceeds the limit of " + e.What + " (" + strconv.FormatInt(e.Limit, 10) + ")"
}

func typeName(o Object) string {
	switch o.(type) {
	case nil:
		return "absent"
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Integer:
		return "an integer"
	case Real:
		return "a real"
	case String:
		return "a string"
	case Name:
		return "a name"
	case Array:
		return "an array"
	case Dict:
		return "a dictionary"
	case *Stream:
		return "a stream"
	case Ref:
		return "a reference"
	}
	return fmt.Sprintf("%T", o)
}
