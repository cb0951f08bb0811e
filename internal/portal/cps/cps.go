// Package cps is the page at the CPS URI that certificates carry: the practice
// statement in both languages, and its earlier versions.
package cps

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"absah/internal/cps"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// Pages serves the statement. It stands by itself, without the portal's frame
// and files: the host of the CPS URI may be another one.
type Pages struct {
	Publisher *cps.Publisher
	Log       *slog.Logger
	page      *template.Template
	policy    string
}

// New makes the pages.
func New(p *cps.Publisher, log *slog.Logger) (*Pages, error) {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return &Pages{
		Publisher: p, Log: log, page: page,
		policy: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}, nil
}

// ServeHTTP answers with a version (versi, the latest without) in a language
// (lang, id or en).
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var number int64
	if text := r.URL.Query().Get("versi"); text != "" {
		var err error
		if number, err = strconv.ParseInt(text, 10, 64); err != nil || number < 1 {
			http.NotFound(w, r)
			return
		}
	}
	lang := r.URL.Query().Get("lang")
	if lang != "en" {
		lang = "id"
	}
	v, err := p.Publisher.Get(r.Context(), number)
	if errors.Is(err, cps.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	all, err2 := p.Publisher.Versions(r.Context())
	if err := errors.Join(err, err2); err != nil {
		p.Log.ErrorContext(r.Context(), "read the practice statement", "error", err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	var b strings.Builder
	err = p.page.Execute(&b, map[string]any{
		"Lang": lang, "Version": v, "All": all, "Facts": p.Publisher.Facts, "Date": v.Published.UTC().Format("2006-01-02 15:04 UTC"),
		"Body":  template.HTML(v.Body[lang]), //nolint:gosec // html/template made it when it was published
		"Style": template.CSS(pageCSS),       //nolint:gosec // a file of ours
	})
	if err != nil {
		p.Log.ErrorContext(r.Context(), "write the practice statement", "error", err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "max-age=300")
	_, _ = w.Write([]byte(b.String())) // a browser that went away is nobody to tell
}
