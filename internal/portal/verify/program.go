package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"absah/internal/apidoc"
	"absah/internal/portal/i18n"
	"absah/internal/portal/web"
)

// judgeForProgram is judge for programs: the same form and the same limit, and
// for an answer the report that the page offers as JSON.
func (p *Pages) judgeForProgram(w http.ResponseWriter, r *http.Request) error {
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return refuse(w, r, err)
	}
	answer, name, err := p.answer(w, r)
	if err != nil {
		return refuse(w, r, err)
	}
	b, err := answer.JSON(name)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, b)
}

// refuse answers with problem details (RFC 9457) of the catalogue of /api/v1. An
// error that is none of the caller's is returned.
func refuse(w http.ResponseWriter, r *http.Request, err error) error {
	code := ""
	wait := time.Duration(0)
	for _, f := range faults {
		if errors.Is(err, f.err) {
			code = f.code
		}
	}
	var many web.TooMany
	switch {
	case errors.As(err, &many):
		code, wait = "too_many_requests", many.After
	case code == "busy":
		wait = busyFor
	case code == "" && errors.Is(err, web.ErrBadRequest):
		code = "unreadable"
	}
	kind, known := apidoc.ProblemOf(code)
	if !known {
		return err
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(wait, time.Second).Seconds()))))
	}
	lang := string(i18n.LangOf(r.Context()))
	b, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Code   string `json:"code"`
	}{web.RequestOf(r.Context()).Site.BaseURL + apidoc.ReferencePage + "#" + kind.Anchor(), kind.Title.In(lang), kind.Status, kind.Code})
	if err != nil {
		return fmt.Errorf("write problem: %w", err)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Language", lang)
	w.WriteHeader(kind.Status)
	_, _ = w.Write(append(b, '\n')) // the caller is gone when this fails
	return nil
}
