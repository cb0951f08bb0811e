// Package paper reads the PDF files that people and programs bring to be signed:
// how many pages they have and how large, whether they ask for a password, and
// what a visible signature would lie over. The service has a child process do it,
// with little memory and time (Pool), for nobody knows what is in such a file.
package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"absah/pades/appearance"
)

var (
	// ErrNotPDF: the file is no PDF.
	ErrNotPDF = errors.New("the file is no PDF document")
	// ErrPassword: the password, or none, does not open the file.
	ErrPassword = errors.New("the document asks for its password")
	// ErrTooHard: reading it takes more time or memory than one file may.
	ErrTooHard = errors.New("the document takes too much time or memory to read")
	// ErrBusy: too many files are being read; try again.
	ErrBusy = errors.New("too many documents are being read")
)

// DamagedError says that a file begins as a PDF and cannot be read.
type DamagedError struct{ Text string }

func (e *DamagedError) Error() string { return "the document is damaged: " + e.Text }

// PlaceError says that a place does not exist on the document.
type PlaceError struct{ Text string }

func (e *PlaceError) Error() string { return e.Text }

// Facts are what is to be known of a file before anybody signs it.
type Facts struct {
	Pages     int
	Encrypted bool // it has a security handler
	// Locked: the empty password does not open it.
	Locked bool
	// ReadOnly: it is encrypted, and the password that was given permits neither a
	// new field nor a signature (ISO 32000-2 table 22).
	ReadOnly bool
	// AsksToSign: the empty password opens it and gives no right to sign.
	AsksToSign bool
}

// Size is that of a page as it is shown, in points.
type Size struct{ Width, Height float64 }

// Place is where a visible signature is to go.
type Place struct {
	Page int // from 1; with an Anchor, 0 is every page
	Box  appearance.Box
	// Anchor is text of the page to put the box over.
	Anchor string
}

// Where is where a place is on the document: its rectangle in default user space,
// left, bottom, right, top.
type Where struct {
	Page int // from 1
	Rect [4]float64
}

// Overlap is what a visible signature would lie over.
type Overlap struct {
	Place int // index into the places that were asked about
	Page  int
	Text  string // of the page; empty for pictures and lines
}

// Question is what is asked about a file.
type Question struct {
	Password []byte
	Sizes    bool // of the pages too
	Places   []Place
}

// Answer is what is said. Where has one entry for each place; Overlaps are those
// of all places, in their order.
type Answer struct {
	Facts
	Sizes    []Size
	Where    []Where
	Overlaps []Overlap
}

// Reader answers questions about files. Its errors are ErrNotPDF, ErrPassword,
// *DamagedError, *PlaceError, ErrTooHard, ErrBusy and that of ctx.
type Reader interface {
	Read(ctx context.Context, file []byte, q Question) (*Answer, error)
}

// Here reads in this process, for a child and for tests of what is behind it.
type Here struct{}

// Read implements Reader.
func (Here) Read(ctx context.Context, file []byte, q Question) (*Answer, error) {
	return read(ctx, bytesOf(file), int64(len(file)), q)
}

// problems are the errors of an answer that come back from a child, by the word
// that stands for each.
var problems = map[string]error{"not-pdf": ErrNotPDF, "password": ErrPassword, "too-hard": ErrTooHard}

// reply is what a child writes.
type reply struct {
	Answer  *Answer
	Problem string // one of problems, "damaged" or "place"
	Text    string
}

func replyOf(a *Answer, err error) reply {
	var damaged *DamagedError
	var place *PlaceError
	switch {
	case err == nil:
		return reply{Answer: a}
	case errors.As(err, &damaged):
		return reply{Problem: "damaged", Text: damaged.Text}
	case errors.As(err, &place):
		return reply{Problem: "place", Text: place.Text}
	}
	for word, p := range problems {
		if errors.Is(err, p) {
			return reply{Problem: word}
		}
	}
	return reply{Problem: "damaged", Text: "it cannot be read"}
}

// known tells whether all overlaps are those of one of n places.
func (a *Answer) known(n int) bool {
	return !slices.ContainsFunc(a.Overlaps, func(o Overlap) bool { return o.Place < 0 || o.Place >= n })
}

// maxText bounds what a child says of a damage.
const maxText = 300

// take gives what a reply says. It trusts nothing: a child that a file has taken
// over may answer what it likes.
func (r reply) take(q Question) (*Answer, error) {
	if len(r.Text) > maxText {
		r.Text = r.Text[:maxText]
	}
	switch {
	case r.Problem == "damaged":
		return nil, &DamagedError{r.Text}
	case r.Problem == "place":
		return nil, &PlaceError{r.Text}
	case r.Problem != "":
		if err := problems[r.Problem]; err != nil {
			return nil, err
		}
		return nil, &DamagedError{"it cannot be read"}
	case r.Answer == nil || r.Answer.Pages < 0 || q.Sizes && len(r.Answer.Sizes) != r.Answer.Pages || len(r.Answer.Where) != len(q.Places) || !r.Answer.known(len(q.Places)):
		return nil, fmt.Errorf("%w: the answer contradicts itself", ErrTooHard)
	}
	return r.Answer, nil
}
