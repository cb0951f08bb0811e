package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apidoc"
)

// problemError is an error that is told as problem details (RFC 9457).
type problemError struct {
	code     string
	detail   apidoc.Text // zero: that of the catalogue
	errors   []fieldError
	left     *int // attempts
	wait     time.Duration
	until    time.Time // instead of wait
	headers  map[string]string
	items    any
	standing bool // an act was carried out, so a retry gets this answer again
	void     bool // for sure nothing has happened, so a retry begins anew
}

type fieldError struct {
	pointer, code string
	detail        apidoc.Text
}

// problem is an error of the catalogue of package apidoc.
func problem(code string) *problemError { return &problemError{code: code} }

// Error implements error.
func (p *problemError) Error() string { return p.code }

// say tells more than the catalogue does.
func (p *problemError) say(id, en string) *problemError {
	p.detail = apidoc.Text{ID: id, EN: en}
	return p
}

// at names a field of the request.
func (p *problemError) at(pointer, code string) *problemError {
	p.errors = append(p.errors, fieldError{pointer: pointer, code: code})
	return p
}

// after says when to try again.
func (p *problemError) after(d time.Duration) *problemError {
	p.wait = d
	return p
}

func (p *problemError) header(name, value string) *problemError {
	if p.headers == nil {
		p.headers = map[string]string{}
	}
	p.headers[name] = value
	return p
}

// invalid tells faults of a request.
func invalid(faults ...apidoc.Fault) *problemError {
	p := problem("invalid_fields")
	for _, f := range faults {
		p.errors = append(p.errors, fieldError{f.Pointer, f.Code, f.FaultText()})
	}
	return p
}

// problemBody is how it is written.
type problemBody struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`
	Instance string      `json:"instance"`
	Code     string      `json:"code"`
	Errors   []fieldBody `json:"errors,omitempty"`
	Left     *int        `json:"attempts_left,omitempty"`
	Items    any         `json:"items,omitempty"`
}

type fieldBody struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// failure turns an error into an answer.
func (d *door) failure(ctx context.Context, c *call, err error) *answer {
	p := problemOf(err)
	kind, known := apidoc.ProblemOf(p.code)
	if !known { // a test holds every code to the catalogue
		kind, _ = apidoc.ProblemOf("internal")
	}
	if kind.Status == http.StatusInternalServerError {
		d.Log.ErrorContext(ctx, "rest", "route", c.route.method+" "+c.route.path, "reference", c.reference, "error", err)
	}
	body := problemBody{
		Type: d.BaseURL + apidoc.ReferencePage + "#" + kind.Anchor(), Title: kind.Title.In(c.lang), Status: kind.Status, Detail: p.detail.In(c.lang),
		Instance: c.request.URL.Path + "#" + c.reference, Code: kind.Code, Left: p.left, Items: p.items,
	}
	if body.Detail == "" {
		body.Detail = kind.Detail.In(c.lang)
	}
	for _, f := range p.errors {
		text := f.detail.In(c.lang)
		if text == "" {
			other, _ := apidoc.ProblemOf(f.code)
			text = other.Title.In(c.lang)
		}
		body.Errors = append(body.Errors, fieldBody{f.pointer, f.code, text})
	}
	b, err := json.Marshal(body)
	if err != nil { // of strings and numbers
		b = []byte(`{"code":"internal"}`)
	}
	a := &answer{status: kind.Status, kind: "application/problem+json", body: append(b, '\n'), headers: p.headers}
	a.set("Content-Language", c.lang)
	if !p.until.IsZero() {
		p.wait = p.until.Sub(d.Clock())
	}
	if p.wait > 0 {
		rec := http.Header{}
		quota.RetryAfter(headerOnly(rec), p.wait)
		a.set("Retry-After", rec.Get("Retry-After"))
	}
	return a
}

// headerOnly is a response of which only the header is wanted.
type headerOnly http.Header

func (h headerOnly) Header() http.Header         { return http.Header(h) }
func (h headerOnly) Write(b []byte) (int, error) { return len(b), nil }
func (h headerOnly) WriteHeader(int)             {}

// language is the one of the two that a client prefers (RFC 9110 12.5.4).
func language(r *http.Request) string {
	best, weight := "id", 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				q = f
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if (primary == "id" || primary == "en") && q > weight {
			best, weight = primary, q
		}
	}
	return best
}
