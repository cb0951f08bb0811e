package rest

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"time"

	"absah/internal/apidoc"
)

// answer is what a call is answered with.
type answer struct {
	status   int
	kind     string // media type
	body     []byte
	location string // path below apidoc.Base of what was created
	headers  map[string]string
}

// ok answers with JSON; v is of this package, so that it can be written.
func ok(v any) (*answer, error) { return with(http.StatusOK, v) }

// created answers that something was made; path is where it is, below
// apidoc.Base.
func created(path string, v any) (*answer, error) {
	a, err := with(http.StatusCreated, v)
	if err == nil {
		a.location = path
	}
	return a, err
}

func with(status int, v any) (*answer, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &answer{status: status, kind: "application/json", body: append(b, '\n')}, nil
}

// none answers that it is done and there is nothing to say.
func none() (*answer, error) { return &answer{status: http.StatusNoContent}, nil }

// fileAnswer answers with a file.
func fileAnswer(name string, b []byte) *answer {
	return &answer{status: http.StatusOK, kind: "application/pdf", body: b, headers: map[string]string{
		"Content-Disposition": mime.FormatMediaType("attachment", map[string]string{"filename": name}),
	}}
}

func (a *answer) set(name, value string) *answer {
	if a.headers == nil {
		a.headers = map[string]string{}
	}
	a.headers[name] = value
	return a
}

func (a *answer) write(w http.ResponseWriter, r *http.Request) int {
	h := w.Header()
	for k, v := range a.headers {
		h.Set(k, v)
	}
	if a.location != "" {
		h.Set("Location", apidoc.Base+a.location)
	}
	if a.kind != "" {
		h.Set("Content-Type", a.kind)
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // who hung up is gone
	}
	return a.status
}

// moment is a time as the interface writes it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// maybe is a time, or null for none.
func maybe(t time.Time) *string {
	if t.IsZero() || t.UnixMicro() <= 0 {
		return nil
	}
	s := moment(t)
	return &s
}
