// Package passphrase reads, judges and hides what only the subscriber knows.
//
// A passphrase travels as a Secret: bytes that can be wiped, and that no log
// line, error, JSON document or debugger's print shows. How hard it is to
// guess is told by one program, which the server and the browser both run
// (web/meter), so that a page never promises what the server then refuses.
package passphrase

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxBytes is the longest passphrase in bytes of UTF-8, before and after
// normalisation.
const MaxBytes = 256

// redacted is all that a print of a Secret shows.
const redacted = "[redacted]"

// Error says why bytes are not a passphrase. Code is the last part of the key
// of its text for people: "empty", "too_long", "not_utf8" or "control".
type Error struct{ Code string }

func (e *Error) Error() string { return "read passphrase: " + e.Code }

// What Read answers.
var (
	// ErrEmpty says that there is nothing.
	ErrEmpty = &Error{Code: "empty"}
	// ErrTooLong says that there are more than MaxBytes.
	ErrTooLong = &Error{Code: "too_long"}
	// ErrNotUTF8 says that the bytes are not text.
	ErrNotUTF8 = &Error{Code: "not_utf8"}
	// ErrControl says that there is a control character, which no keyboard
	// gives twice alike: a tab, a line feed, a NUL.
	ErrControl = &Error{Code: "control"}
)

// Secret is a passphrase. Its zero value and nil are empty ones.
type Secret struct{ box *box }

// box keeps the bytes two pointers away from the Secret. On an unexported
// field fmt calls no method; of a Secret in somebody's private field it then
// shows an address, with any verb.
type box struct{ b *[]byte }

// Read makes a Secret of what a person typed: UTF-8, put into Unicode's form
// NFKC so that two keyboards that spell one character differently give the same
// passphrase. It takes over b and clears it, whatever it returns. Spaces count:
// nothing is trimmed. It fails with one of the errors above.
func Read(b []byte) (*Secret, error) {
	defer clear(b)
	switch {
	case len(b) == 0:
		return nil, ErrEmpty
	case len(b) > MaxBytes:
		return nil, ErrTooLong
	case !utf8.Valid(b):
		return nil, ErrNotUTF8
	}
	// Room for the longest result there may be, so that appending does not
	// leave a shorter copy behind.
	out := norm.NFKC.Append(make([]byte, 0, 12*MaxBytes), b...)
	s := &Secret{box: &box{b: &out}}
	if len(out) > MaxBytes {
		s.Wipe()
		return nil, ErrTooLong
	}
	for rest := out; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			s.Wipe()
			return nil, ErrControl
		}
		rest = rest[n:]
	}
	return s, nil
}

// Bytes gives the passphrase itself. The slice is the Secret's own: do not
// keep or change it.
func (s *Secret) Bytes() []byte {
	if s == nil || s.box == nil {
		return nil
	}
	return *s.box.b
}

// Wipe overwrites the passphrase; what remains is empty. Copies that others
// made are out of its reach.
func (s *Secret) Wipe() {
	if s == nil || s.box == nil {
		return
	}
	b := s.box.b
	clear((*b)[:cap(*b)])
	*b = nil
}

// Equal reports whether both are the same passphrase, in a time that tells
// nothing but their lengths: for the field that repeats it.
func (s *Secret) Equal(t *Secret) bool { return subtle.ConstantTimeCompare(s.Bytes(), t.Bytes()) == 1 }

// String gives "[redacted]".
func (s Secret) String() string { return redacted }

// GoString gives "[redacted]".
func (s Secret) GoString() string { return redacted }

// Format writes "[redacted]" for every verb, also those that would print the
// bytes.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue gives "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON gives "[redacted]".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText gives "[redacted]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
