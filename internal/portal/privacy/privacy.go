// Package privacy holds the pages about personal data: what a person may ask
// and take along, and the queue of who answers.
package privacy

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/privacy"
)

// Base is the page of one's own data, Queue that of who answers.
const (
	Base  = "/data-saya"
	Queue = "/admin/privasi"
)

// Pages are the pages of this package.
type Pages struct {
	Privacy *privacy.Service
	Clock   clock.Clock
	Contact string // of who answers for the protection of personal data
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	employee, admin := web.Role(account.Employee), web.Role(account.Administrator)
	return []web.Route{
		{Method: get, Path: Base, Access: employee, Handler: p.mine},
		{Method: post, Path: Base + "/ekspor", Access: employee, Handler: p.export},
		{Method: post, Path: Base + "/permintaan", Access: employee, Handler: p.ask},
		{Method: post, Path: Base + "/permintaan/{id}/tarik", Access: employee, Handler: p.withdraw},
		{Method: get, Path: Queue, Access: admin, Handler: p.queue},
		{Method: get, Path: Queue + "/{id}", Access: admin, Handler: p.request},
		{Method: post, Path: Queue + "/{id}", Access: admin, Handler: p.answer},
	}
}

// form is what was typed into the form of a request.
type form struct {
	Kind, Text string
	Errors     web.FieldErrors
}

func (p *Pages) mine(w http.ResponseWriter, r *http.Request) error { return p.showMine(w, r, form{}) }

func (p *Pages) showMine(w http.ResponseWriter, r *http.Request, f form) error {
	ctx := r.Context()
	list, err := p.Privacy.Requests(ctx, web.ViewerOf(ctx).EmployeeID)
	if err != nil {
		return err
	}
	pg := ui.Page{
		Title: i18n.T(ctx, "privacy.title"), Lede: i18n.T(ctx, "privacy.lede"), HasErrors: len(f.Errors) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "privacy.title")}},
	}
	return web.Page(w, r, f.Errors.Status(w), pg, mineBody(p.Contact, list, p.Clock(), f))
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := form{Kind: web.Value(r, "jenis"), Text: web.Value(r, "isi"), Errors: web.FieldErrors{}}
	_, err := p.Privacy.Ask(r.Context(), web.ViewerOf(r.Context()).Actor(account.Employee), privacy.Kind(f.Kind), f.Text)
	switch {
	case errors.Is(err, privacy.ErrText) && f.Kind == "":
		f.Errors.Add("jenis", "privacy.needKind")
		return p.showMine(w, r, f)
	case errors.Is(err, privacy.ErrText):
		f.Errors.Add("isi", "privacy.needText", "max", privacy.MaxText)
		return p.showMine(w, r, f)
	case errors.Is(err, privacy.ErrTooMany):
		f.Errors.Add("isi", "privacy.tooMany")
		return p.showMine(w, r, f)
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, "privacy.asked")
	return web.See(w, r, Base)
}

func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	err := p.Privacy.Withdraw(r.Context(), web.ViewerOf(r.Context()).Actor(account.Employee), r.PathValue("id"))
	switch {
	case errors.Is(err, privacy.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, privacy.ErrClosed):
		web.Flash(w, r, ui.Warning, "privacy.closed")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "privacy.withdrawn")
	}
	return web.See(w, r, Base)
}

// export hands out everything that is stored about the viewer. It is made
// whole before the first byte, so that a failure is told and no half file goes.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	if err := p.Privacy.Export(r.Context(), web.ViewerOf(r.Context()).Actor(account.Employee), &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="data-saya-`+p.Clock().UTC().Format("20060102")+`.zip"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // a browser that went away is nobody to tell
	return nil
}

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	open, closed, err := p.Privacy.Queue(ctx)
	if err != nil {
		return err
	}
	pg := ui.Page{Title: i18n.T(ctx, "privacy.queue.title"), Lede: i18n.T(ctx, "privacy.queue.lede"), Wide: true}
	return web.Page(w, r, http.StatusOK, pg, queueBody(p.table(ctx, open, true), p.table(ctx, closed, false)))
}

// table lists requests; those that are late are marked.
func (p *Pages) table(ctx context.Context, list []privacy.Request, open bool) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "privacy.queue.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "privacy.reference")}, {Label: i18n.T(ctx, "privacy.who")}, {Label: i18n.T(ctx, "privacy.kind")}, {Label: i18n.T(ctx, "privacy.due")},
			{Label: i18n.T(ctx, "privacy.state")},
		},
		Empty: ui.Empty{Icon: "shield-check", Title: i18n.T(ctx, "privacy.queue.empty")},
	}
	for _, r := range list {
		row := ui.Row{ID: r.ID, Cells: []templ.Component{
			ui.Anchor(r.Reference, Queue+"/"+r.ID, ""), ui.Text(r.Name + " · " + r.Unit), ui.Text(i18n.T(ctx, "privacy.kinds."+r.Kind)),
			ui.ShortTime(r.Due()), stateTag(r, p.Clock()),
		}}
		if open && r.Late(p.Clock()) {
			row.Tone = ui.Danger
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// answerForm is what was typed into an answer.
type answerForm struct {
	Outcome, Answer string
	Erase           bool
	Errors          web.FieldErrors
}

func (p *Pages) request(w http.ResponseWriter, r *http.Request) error {
	return p.showRequest(w, r, answerForm{})
}

func (p *Pages) showRequest(w http.ResponseWriter, r *http.Request, f answerForm) error {
	ctx := r.Context()
	one, err := p.Privacy.Request(ctx, r.PathValue("id"))
	if errors.Is(err, privacy.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	pg := ui.Page{
		Title: one.Reference, HasErrors: len(f.Errors) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "privacy.queue.title"), Href: Queue}, {Label: one.Reference}},
	}
	return web.Page(w, r, f.Errors.Status(w), pg, requestBody(one, p.Clock(), f))
}

func (p *Pages) answer(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("id")
	who := web.ViewerOf(ctx).Actor(account.Administrator)
	f := answerForm{Outcome: web.Value(r, "keputusan"), Answer: web.Value(r, "jawaban"), Erase: web.Value(r, "hapus") == "ya", Errors: web.FieldErrors{}}
	one, err := p.Privacy.Request(ctx, id)
	if errors.Is(err, privacy.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	err = p.Privacy.Answer(ctx, who, id, privacy.Outcome(f.Outcome), f.Answer)
	switch {
	case errors.Is(err, privacy.ErrText) && f.Outcome == "":
		f.Errors.Add("keputusan", "privacy.needOutcome")
		return p.showRequest(w, r, f)
	case errors.Is(err, privacy.ErrText):
		f.Errors.Add("jawaban", "privacy.needAnswer", "max", privacy.MaxText)
		return p.showRequest(w, r, f)
	case errors.Is(err, privacy.ErrOwn):
		f.Errors.Add("keputusan", "privacy.own")
		return p.showRequest(w, r, f)
	case errors.Is(err, privacy.ErrClosed):
		web.Flash(w, r, ui.Warning, "privacy.closed")
		return web.See(w, r, Queue)
	case err != nil:
		return err
	}
	done := "privacy.answered"
	if f.Erase && one.Kind == string(privacy.Erasure) && privacy.Outcome(f.Outcome) != privacy.Refused {
		n, err := p.Privacy.EraseScans(ctx, who, one.EmployeeID, one.Reference)
		if err != nil {
			return err
		}
		if n > 0 {
			done = "privacy.erased"
		}
	}
	web.Flash(w, r, ui.Success, done)
	return web.See(w, r, Queue)
}
