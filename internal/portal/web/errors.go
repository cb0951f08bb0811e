package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"absah/internal/account"
	"absah/internal/apidoc"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/store"
)

var (
	// ErrNotFound answers with the page "not found" (404).
	ErrNotFound = errors.New("not found")
	// ErrForbidden answers exactly as ErrNotFound does, so that nobody learns
	// what exists by asking for it.
	ErrForbidden = errors.New("forbidden")
	// ErrBadRequest answers 400: a form that no page of ours sends.
	ErrBadRequest = errors.New("malformed request")
	// ErrTooLarge answers 413.
	ErrTooLarge = errors.New("request too large")
	// ErrConflict answers 409: somebody else was faster, the page is stale.
	ErrConflict = errors.New("changed meanwhile")
)

// TooMany answers 429 and says when to come back.
type TooMany struct{ After time.Duration }

// Error implements error.
func (e TooMany) Error() string { return "too many requests" }

// Fail answers with the page that err stands for. Errors that it does not know
// are faults of ours: a page with a reference (500), and the error in the log
// under that reference.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	req := RequestOf(ctx)
	var many TooMany
	var tooBig *http.MaxBytesError
	switch {
	case errors.Is(err, account.ErrNotFresh):
		next := "/"
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next = r.URL.RequestURI()
		}
		Redirect(w, r, "/akun/konfirmasi?next="+url.QueryEscape(next))
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrForbidden):
		errorPage(w, r, http.StatusNotFound, "notfound")
	case errors.Is(err, ErrBadRequest), store.IsText(err):
		errorPage(w, r, http.StatusBadRequest, "bad")
	case errors.Is(err, ErrTooLarge), errors.As(err, &tooBig):
		errorPage(w, r, http.StatusRequestEntityTooLarge, "toolarge")
	case errors.Is(err, ErrConflict):
		errorPage(w, r, http.StatusConflict, "conflict")
	case errors.As(err, &many):
		setRetryAfter(w, many.After)
		errorPage(w, r, http.StatusTooManyRequests, "toomany", "wait", i18n.Duration(ctx, wait(many.After)))
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		w.WriteHeader(499) // the browser is gone; only the log sees it
	default:
		req.Site.Log.ErrorContext(ctx, "request failed", "reference", req.Reference, "error", err)
		errorPage(w, r, http.StatusInternalServerError, "fault")
	}
}

// setRetryAfter tells in whole seconds when to come back, at least one.
func setRetryAfter(w http.ResponseWriter, d time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait(d).Seconds())))
}

// wait is d in whole seconds, at least one: whoever waits for that long waits enough.
func wait(d time.Duration) time.Duration {
	return time.Duration(math.Ceil(max(d, time.Second).Seconds())) * time.Second
}

// Deny answers an unsafe request that came from another site (403).
func Deny(w http.ResponseWriter, r *http.Request) { errorPage(w, r, http.StatusForbidden, "crosssite") }

// errorJSON is errorPage for programs.
func errorJSON(w http.ResponseWriter, r *http.Request, status int, name string, args ...any) error {
	ctx, code := r.Context(), codes[name]
	kind := "about:blank" // RFC 9457 4.2.1: it is what the status says
	if p, ok := apidoc.ProblemOf(code); ok {
		kind = RequestOf(ctx).Site.BaseURL + apidoc.ReferencePage + "#" + p.Anchor()
	}
	b, err := json.Marshal(map[string]any{
		"type": kind, "status": status, "code": code, "title": i18n.T(ctx, "error."+name+".title"), "detail": i18n.T(ctx, "error."+name+".text", args...),
		"instance": r.URL.Path + "#" + RequestOf(ctx).Reference,
	})
	if err != nil { // of strings and a number
		return fmt.Errorf("write problem: %w", err)
	}
	w.Header().Set("Content-Language", string(i18n.LangOf(ctx)))
	return write(w, status, "application/problem+json", append(b, '\n'))
}

// codes are what programs are told for the names of error pages: as in /api/v1 where
// that has one.
var codes = map[string]string{
	"notfound": "not_found", "bad": "unreadable", "toolarge": "too_large", "conflict": "changed", "toomany": "too_many_requests", "fault": "internal", "crosssite": "cross_site",
}

// errorPage shows the texts error.NAME.title and error.NAME.text, which args fill, to who
// asks for JSON as problem details (RFC 9457).
func errorPage(w http.ResponseWriter, r *http.Request, status int, name string, args ...any) {
	ctx := r.Context()
	req := RequestOf(ctx)
	if WantsJSON(r) {
		if err := errorJSON(w, r, status, name, args...); err != nil {
			req.Site.Log.ErrorContext(ctx, "error page failed", "reference", req.Reference, "error", err)
		}
		return
	}
	page := ui.Page{Title: i18n.T(ctx, "error."+name+".title")}
	props := problem{
		Text:      i18n.T(ctx, "error."+name+".text", args...),
		Reference: req.Reference,
		Tell:      status >= http.StatusInternalServerError,
	}
	var err error
	if ViewerOf(ctx) != nil {
		err = Page(w, r, status, page, problemBody(props))
	} else {
		err = PublicPage(w, r, status, page, problemBody(props))
	}
	if err != nil {
		req.Site.Log.ErrorContext(ctx, "error page failed", "reference", req.Reference, "error", err)
		http.Error(w, http.StatusText(status), status)
	}
}
