package web

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"absah/internal/identity"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

// MaxForm is how many bytes ReadForm takes.
const MaxForm = 64 << 10

// ReadForm reads the form in the body of r, at most MaxForm bytes, into
// r.PostForm; what the query says is not in it. It fails with ErrTooLarge or
// ErrBadRequest.
func ReadForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		return ReadMultipart(w, r, MaxForm)
	}
	r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
	return formError(r, r.ParseForm())
}

// ReadMultipart reads a form with files, at most max bytes in all, into
// r.MultipartForm and r.PostForm. The files stay in memory: the plain bytes of
// a scan must not touch the disk. It fails with ErrTooLarge or ErrBadRequest.
func ReadMultipart(w http.ResponseWriter, r *http.Request, max int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, max)
	return formError(r, r.ParseMultipartForm(max))
}

func formError(r *http.Request, err error) error {
	var tooBig *http.MaxBytesError
	switch {
	case err == nil && texts(r.PostForm):
		return nil
	case errors.As(err, &tooBig):
		return fmt.Errorf("read form: %w", ErrTooLarge)
	}
	// The library's text may quote what was typed.
	return fmt.Errorf("read form: %w", ErrBadRequest)
}

// CheckAddress fails with ErrBadRequest where path or query are no text.
func CheckAddress(r *http.Request) error {
	if !text(r.URL.Path) || !texts(r.URL.Query()) {
		return fmt.Errorf("read address: %w", ErrBadRequest)
	}
	return nil
}

// texts tells whether all that was filled in is text.
func texts(form map[string][]string) bool {
	for name, values := range form {
		if !text(name) || slices.ContainsFunc(values, func(v string) bool { return !text(v) }) {
			return false
		}
	}
	return true
}

// text tells whether s is what every database keeps and every page shows: UTF-8
// without a zero byte. No browser sends anything else.
func text(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// Value is the first value of a field of the form, without spaces around it.
// Passwords are read from r.PostForm as they are.
func Value(r *http.Request, field string) string {
	return strings.TrimSpace(r.PostForm.Get(field))
}

// NIP is the value of a field for an NIP, without what people put between its digits,
// such as the spaces with which it is printed.
func NIP(r *http.Request, field string) string { return identity.Normalise(Value(r, field)) }

// Message is a text of the message files with what fills it.
type Message struct {
	Key  string
	Args []any
	// Busy says that nothing is wrong with the field: the form could not be
	// looked at now, and may be sent again.
	Busy bool
}

// FieldErrors says what is wrong with a form, by field (the id of its input).
type FieldErrors map[string]Message

// Add notes an error of a field; the first one stays.
func (e FieldErrors) Add(field, key string, args ...any) {
	if _, ok := e[field]; !ok {
		e[field] = Message{Key: key, Args: args}
	}
}

// AddBusy notes that a form could not be looked at, beside the field that is to
// be filled in again.
func (e FieldErrors) AddBusy(field, key string, args ...any) {
	if _, ok := e[field]; !ok {
		e[field] = Message{Key: key, Args: args, Busy: true}
	}
}

// retryAfter is when whoever met a full queue may try again. Queues are given
// up after two seconds.
const retryAfter = 5 * time.Second

// Status is that of the page which shows the form once more: 200 without
// errors, 422 with some, and 503 with the header Retry-After when the form was
// not looked at.
func (e FieldErrors) Status(w http.ResponseWriter) int {
	if len(e) == 0 {
		return http.StatusOK
	}
	for _, m := range e {
		if m.Busy {
			setRetryAfter(w, retryAfter)
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusUnprocessableEntity
}

// Text is the error of a field in the language of ctx, or nothing.
func (e FieldErrors) Text(ctx context.Context, field string) string {
	m, ok := e[field]
	if !ok {
		return ""
	}
	return i18n.T(ctx, m.Key, m.Args...)
}

// Summary lists the errors for ui.ErrorSummary: first the fields in order, then
// the others by name.
func (e FieldErrors) Summary(ctx context.Context, order ...string) []ui.FieldError {
	fields := make([]string, 0, len(e))
	for field := range e {
		fields = append(fields, field)
	}
	rank := func(field string) int {
		if i := slices.Index(order, field); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(fields, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	list := make([]ui.FieldError, len(fields))
	for i, field := range fields {
		list[i] = ui.FieldError{ID: field, Text: e.Text(ctx, field)}
	}
	return list
}
