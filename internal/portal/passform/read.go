// Package passform is the form in which people type a passphrase: the fields,
// the meter that judges while they type, and reading what they sent without a
// Go string, which nobody could wipe.
package passform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"absah/internal/passphrase"
	"absah/internal/portal/web"
)

// maxBody bounds a form: three passphrases in percent-encoding and a little.
const maxBody = 4 << 10

// Form is what was sent. Wipe it when done.
type Form struct {
	secrets map[string]*passphrase.Secret
	errors  map[string]error
	values  url.Values
}

// Read reads the form in the body of r. The fields named in secrets become
// passphrases, the others values. It fails with web.ErrTooLarge or
// web.ErrBadRequest; what is wrong with one passphrase is told by Secret.
func Read(w http.ResponseWriter, r *http.Request, secrets ...string) (*Form, error) {
	return ReadMax(w, r, maxBody, secrets...)
}

// ReadMax is Read for a form of at most limit bytes that says more than a
// passphrase.
func ReadMax(w http.ResponseWriter, r *http.Request, limit int64, secrets ...string) (*Form, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("read form: %w", web.ErrBadRequest)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	defer clear(body)
	var tooBig *http.MaxBytesError
	if errors.As(err, &tooBig) {
		return nil, fmt.Errorf("read form: %w", web.ErrTooLarge)
	}
	if err != nil {
		return nil, fmt.Errorf("read form: %w", web.ErrBadRequest)
	}
	f := &Form{secrets: map[string]*passphrase.Secret{}, errors: map[string]error{}, values: url.Values{}}
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		rawName, rawValue, _ := bytes.Cut(pair, []byte("="))
		name, ok1 := unescape(rawName)
		value, ok2 := unescape(rawValue)
		if !ok1 || !ok2 {
			clear(value)
			f.Wipe()
			return nil, fmt.Errorf("read form: %w", web.ErrBadRequest)
		}
		f.take(string(name), value, secrets)
	}
	return f, nil
}

// take keeps the values of a field, of a passphrase the first, whose bytes it clears.
func (f *Form) take(name string, value []byte, secrets []string) {
	for _, s := range secrets {
		if s != name {
			continue
		}
		if _, twice := f.secrets[name]; twice {
			clear(value)
			return
		}
		f.secrets[name], f.errors[name] = passphrase.Read(value)
		return
	}
	f.values.Add(name, string(value))
}

// Secret is the passphrase in a field, or why it is none: an error of
// passphrase.Read.
func (f *Form) Secret(field string) (*passphrase.Secret, error) {
	if s, ok := f.secrets[field]; ok {
		return s, f.errors[field]
	}
	return nil, passphrase.ErrEmpty
}

// Value is what was sent in another field, for the first time.
func (f *Form) Value(field string) string { return f.values.Get(field) }

// Values are all fields that are no passphrases.
func (f *Form) Values() url.Values { return f.values }

// Wipe overwrites the passphrases.
func (f *Form) Wipe() {
	for _, s := range f.secrets {
		s.Wipe()
	}
}

// unescape undoes the percent-encoding of a form into bytes of its own.
func unescape(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(b) {
				return out, false
			}
			hi, ok1 := digit(b[i+1])
			lo, ok2 := digit(b[i+2])
			if !ok1 || !ok2 {
				return out, false
			}
			out = append(out, hi<<4|lo)
			i += 2
		default:
			out = append(out, b[i])
		}
	}
	return out, true
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
