// Package cps is the page at the CPS URI that certificates carry: the practice
// statement in both languages, and its earlier versions.
package cps

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"

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
	// Seal signs a PDF with the seal of the institution; nil, and where it fails,
	// the statement goes out without.
	Seal   func(ctx context.Context, pdf []byte) ([]byte, error)
	page   *template.Template
	policy string

	mu     sync.Mutex
	papers map[string][]byte // sealed, by number and language; a few of them
}

// maxPapers bounds the papers that are kept.
const maxPapers = 32

// New makes the pages.
func New(p *cps.Publisher, seal func(ctx context.Context, pdf []byte) ([]byte, error), log *slog.Logger) (*Pages, error) {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(pageCSS))
	return &Pages{
		Publisher: p, Seal: seal, Log: log, page: page, papers: map[string][]byte{},
		policy: "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}, nil
}

// ServeHTTP answers with a version (versi, the latest without) in a language
// (lang, id or en), as a page or on paper (bentuk=pdf).
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
	if err == nil && r.URL.Query().Get("bentuk") == "pdf" {
		p.paper(w, r, v, lang)
		return
	}
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

// paper answers with a version as PDF, sealed where there is a seal. It is made
// once: a seal with its timestamp takes milliseconds that strangers do not pay.
func (p *Pages) paper(w http.ResponseWriter, r *http.Request, v cps.Version, lang string) {
	pdf, err := p.sealed(r.Context(), v, lang)
	if err != nil {
		p.Log.ErrorContext(r.Context(), "write the practice statement", "error", err)
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Language", lang)
	h.Set("Content-Disposition", `inline; filename="cps-`+strconv.FormatInt(v.Number, 10)+"-"+lang+`.pdf"`)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "max-age=300")
	_, _ = w.Write(pdf) // a browser that went away is nobody to tell
}

func (p *Pages) sealed(ctx context.Context, v cps.Version, lang string) ([]byte, error) {
	key := strconv.FormatInt(v.Number, 10) + lang + v.Hex()
	p.mu.Lock()
	defer p.mu.Unlock()
	if pdf, ok := p.papers[key]; ok {
		return pdf, nil
	}
	pdf, err := cps.PDF(v, lang, p.Publisher.Facts)
	if err != nil {
		return nil, err
	}
	if p.Seal != nil {
		sealed, err := p.Seal(ctx, pdf)
		if err != nil {
			p.Log.WarnContext(ctx, "the practice statement goes out without a seal", "error", err)
			return pdf, nil
		}
		pdf = sealed
	}
	if len(p.papers) >= maxPapers {
		clear(p.papers)
	}
	p.papers[key] = pdf
	return pdf, nil
}
