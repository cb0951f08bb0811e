// Package verify holds the pages on which anybody, signed in or not, has a signed
// PDF document judged, and the administrator's list of whom to believe. Nothing
// of a document is kept.
package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/verification"
)

// Path is the address of the page.
const Path = "/verifikasi"

// Config is what the pages are made of.
type Config struct {
	Service *verification.Service
	Reports *verification.Reports
	Anchors *verification.Anchors
	// Documents are those that were signed here.
	Documents Documents
	Issuer    string // legal name of the authority here
	Certified bool   // its signatures are certified ones
	Clock     clock.Clock
}

// Pages are the pages of this package.
type Pages struct {
	service   *verification.Service
	reports   *verification.Reports
	anchors   *verification.Anchors
	documents Documents
	issuer    string
	certified bool
	tries     *web.Limiter // of judging documents, by address
	room      *verification.Room
	looks     *web.Limiter // at documents, by address
}

// New makes the pages.
func New(c Config) *Pages {
	return &Pages{
		service: c.Service, reports: c.Reports, anchors: c.Anchors, documents: c.Documents, issuer: c.Issuer, certified: c.Certified,
		tries: web.NewLimiter(c.Clock, 2*time.Second, 30), looks: web.NewLimiter(c.Clock, looksEvery, 60),
		room: &verification.Room{Total: 1 << 30, Each: 400 << 20},
	}
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	return slices.Concat([]web.Route{
		{Method: http.MethodGet, Path: Path, Access: web.Public, Handler: p.ask},
		{Method: http.MethodPost, Path: Path, Access: web.Public, Handler: p.judge, Programs: true},
		{Method: http.MethodPost, Path: reportPath, Access: web.Public, Handler: p.report},
	}, p.documentRoutes(), p.anchorRoutes())
}

// busyFor is when to come back while all is at work.
const busyFor = 10 * time.Second

// question is the form as it is shown.
type question struct {
	fault string // key of what is wrong with the document, below "verify.error"
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	return p.form(w, r, http.StatusOK, question{})
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request, status int, q question) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "verify.title"), Lede: i18n.T(ctx, "verify.lede"), Scripts: scripts()}
	return show(w, r, status, page, q)
}

func show(w http.ResponseWriter, r *http.Request, status int, page ui.Page, q question) error {
	if web.ViewerOf(r.Context()) != nil {
		return web.Page(w, r, status, page, askPage(q))
	}
	return web.PublicPage(w, r, status, page, askPage(q))
}

// faults are the refusals of a document, with the status of the answer, what the
// page says, and the code for programs.
var faults = []struct {
	err       error
	status    int
	key, code string
}{
	{verification.ErrTooBig, http.StatusRequestEntityTooLarge, "too_big", "document_too_large"},
	{verification.ErrEmpty, http.StatusUnprocessableEntity, "empty", "document_empty"},
	{verification.ErrTooHard, http.StatusUnprocessableEntity, "too_hard", "document_too_hard"},
	{verification.ErrBusy, http.StatusServiceUnavailable, "busy", "busy"},
}

func (p *Pages) judge(w http.ResponseWriter, r *http.Request) error {
	if web.WantsJSON(r) {
		return p.judgeForProgram(w, r)
	}
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	answer, name, err := p.answer(w, r)
	for _, f := range faults {
		if errors.Is(err, f.err) {
			if f.status == http.StatusServiceUnavailable {
				w.Header().Set("Retry-After", strconv.Itoa(int(busyFor.Seconds())))
			}
			return p.form(w, r, f.status, question{fault: f.key})
		}
	}
	if err != nil {
		return err
	}
	ctx := r.Context()
	known, err := p.known(ctx, answer)
	if err != nil {
		return err
	}
	v := newView(ctx, answer, known)
	if v.token, err = p.reports.Keep(ctx, name, answer); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "verify.answer"), Lede: name, Scripts: scripts()}
	if web.ViewerOf(ctx) != nil {
		return web.Page(w, r, http.StatusOK, page, answerPage(v))
	}
	return web.PublicPage(w, r, http.StatusOK, page, answerPage(v))
}

// answer reads the form part by part, so that no copy of the document lies
// anywhere but in the one file in memory.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request) (*verification.Answer, string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, verification.MaxBytes+1<<20)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, "", fmt.Errorf("read the form: %w", web.ErrBadRequest)
	}
	var document *verification.Document
	var name string
	var password []byte
	defer func() {
		if document != nil {
			document.Close()
		}
	}()
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", tooBigOrBad(err)
		}
		switch {
		case part.FormName() == "dokumen" && document == nil:
			name = shown(part)
			if document, err = p.room.Take(web.Network(web.ClientAddress(r.Context())), part); err != nil {
				return nil, "", tooBigOrBad(err)
			}
		case part.FormName() == "sandi":
			if password, err = io.ReadAll(io.LimitReader(part, verification.MaxPassword)); err != nil {
				return nil, "", tooBigOrBad(err)
			}
		}
	}
	if document == nil {
		return nil, "", verification.ErrEmpty
	}
	a, err := p.service.Judge(r.Context(), document, password)
	return a, name, err
}

// tooBigOrBad tells a body that is too long from one that is broken.
func tooBigOrBad(err error) error {
	var tooBig *http.MaxBytesError
	switch {
	case errors.Is(err, verification.ErrTooBig), errors.Is(err, verification.ErrEmpty), errors.Is(err, verification.ErrBusy):
		return err
	case errors.As(err, &tooBig):
		return verification.ErrTooBig
	}
	return fmt.Errorf("read the form: %w", web.ErrBadRequest)
}

// maxName bounds how much of a file's name is shown.
const maxName = 120

// shown is the name of the file as its sender calls it, to be shown to its sender
// and nothing else.
func shown(part *multipart.Part) string {
	name := []rune(part.FileName())
	if len(name) > maxName {
		name = append(name[:maxName], '…')
	}
	return string(name)
}

// scripts show changes side by side. The page with the form needs them too: the
// answer takes its place without it being left, so that the file stays at hand.
func scripts() []string { return []string{"revisions.js"} }

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
