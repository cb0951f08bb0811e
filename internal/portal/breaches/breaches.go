// Package breaches holds the administrators' pages for what has to be done when
// personal data came into wrong hands: the register with its clock of 3x24
// hours, whom a breach concerns, and the letters.
package breaches

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/privacy"
	"absah/internal/staff/sheet"
	"absah/internal/store"
)

// Base is the address of the register; a breach lies below it by its number.
const Base = "/admin/kebocoran"

// Config is what the pages are made of.
type Config struct {
	Store        *store.Store
	Privacy      *privacy.Service
	Accounts     *account.Service
	Clock        clock.Clock
	Organisation string // whose letter it is
	Contact      string // of who answers for the protection of personal data
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post, admin := http.MethodGet, http.MethodPost, web.Role(account.Administrator)
	return []web.Route{
		{Method: get, Path: Base, Access: admin, Handler: p.list},
		{Method: post, Path: Base, Access: admin, Handler: p.preview},
		{Method: post, Path: Base + "/catat", Access: admin, Handler: p.report},
		{Method: get, Path: Base + "/{nomor}", Access: admin, Handler: p.show},
		{Method: get, Path: Base + "/{nomor}/orang.csv", Access: admin, Handler: p.people},
		{Method: get, Path: Base + "/{nomor}/surat/{bahasa}", Access: admin, Handler: p.letter},
		{Method: post, Path: Base + "/{nomor}/kirim", Access: admin, Handler: p.tell},
	}
}

// Count is how many breaches wait for their letters.
func Count(ctx context.Context, s *store.Store) (int, error) {
	n, err := s.Read().CountBreachesDue(ctx)
	return int(n), err
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, form{}, -1)
}

// showList shows the register, and the form with what was typed; people is how
// many it would concern, or negative.
func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f form, people int) error {
	ctx := r.Context()
	rows, err := p.Privacy.Breaches(ctx)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "breaches.title"), Lede: i18n.T(ctx, "breaches.lede"), HasErrors: len(f.Errors) > 0, Wide: true}
	return web.Page(w, r, f.Errors.Status(w), page, listPage(f, people, table(ctx, rows, p.Clock())))
}

// preview says whom an exposure would concern, and puts nothing on record.
func (p *Pages) preview(w http.ResponseWriter, r *http.Request) error {
	f, x, err := p.read(w, r)
	if err != nil {
		return err
	}
	people := -1
	if len(f.Errors) == 0 {
		people, err = p.Privacy.Preview(r.Context(), x)
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return p.showList(w, r, f, people)
}

func (p *Pages) report(w http.ResponseWriter, r *http.Request) error {
	f, x, err := p.read(w, r)
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return p.showList(w, r, f, -1)
	}
	if ok, err := p.fresh(w, r, Base); !ok {
		return err
	}
	made, err := p.Privacy.ReportBreach(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), x)
	if err = f.refused(err); err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return p.showList(w, r, f, -1)
	}
	web.Flash(w, r, ui.Success, "breaches.reported")
	return web.See(w, r, path(made.Reference))
}

// fresh has the administrator prove himself anew, and comes back to path.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request, path string) (bool, error) {
	if p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh) == nil {
		return true, nil
	}
	return false, web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(path))
}

func path(reference string) string { return Base + "/" + reference }

// breach is one of the register with everything about it.
type breach struct {
	privacy.Register
	Report   privacy.Report
	Exposure privacy.Exposure
}

func (p *Pages) find(r *http.Request) (breach, error) {
	var b breach
	var err error
	b.Register, b.Report, b.Exposure, err = p.Privacy.Breach(r.Context(), r.PathValue("nomor"))
	if errors.Is(err, privacy.ErrNotFound) {
		return b, web.ErrNotFound
	}
	return b, err
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	b, err := p.find(r)
	if err != nil {
		return err
	}
	v := oneView{breach: b, Now: p.Clock(), People: peopleTable(ctx, b.Report.Subjects)}
	for _, lang := range []string{"id", "en"} {
		text, err := privacy.AuthorityLetter(b.Report, p.Organisation, p.Contact, lang)
		if err != nil {
			return err
		}
		v.Letters = append(v.Letters, letterView{Lang: lang, Text: text})
	}
	page := ui.Page{
		Title: i18n.T(ctx, "breaches.title_of", "reference", b.Reference), Wide: true,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "breaches.title"), Href: Base}, {Label: b.Reference}},
	}
	return web.Page(w, r, http.StatusOK, page, onePage(v))
}

// letter is the notice to the authority as a file.
func (p *Pages) letter(w http.ResponseWriter, r *http.Request) error {
	b, err := p.find(r)
	if err != nil {
		return err
	}
	lang := r.PathValue("bahasa")
	if lang != "id" && lang != "en" {
		return web.ErrNotFound
	}
	text, err := privacy.AuthorityLetter(b.Report, p.Organisation, p.Contact, lang)
	if err != nil {
		return err
	}
	p.attach(w, "text/plain; charset=utf-8", b.Reference+"-"+lang+".txt", []byte(text))
	return nil
}

// people is the list of everybody whom a breach concerns. That somebody took it
// along is on record.
func (p *Pages) people(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	b, err := p.find(r)
	if err != nil {
		return err
	}
	if err := p.Privacy.NoteExport(ctx, web.ViewerOf(ctx).Actor(account.Administrator), b.ID); err != nil {
		return err
	}
	rows := [][]string{{"nip", "name", "email", "data"}}
	for _, a := range b.Report.Subjects {
		rows = append(rows, []string{a.NIP, a.Name, a.Email, strings.Join(a.Data, " ")})
	}
	p.attach(w, "text/csv; charset=utf-8", b.Reference+".csv", sheet.Write(';', rows))
	return nil
}

func (p *Pages) attach(w http.ResponseWriter, kind, name string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(b) // the browser is gone when this fails
}

// tell sends the letters to the subjects, once.
func (p *Pages) tell(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	b, err := p.find(r)
	if err != nil {
		return err
	}
	if ok, err := p.fresh(w, r, path(b.Reference)); !ok {
		return err
	}
	n, err := p.Privacy.TellBreach(ctx, web.ViewerOf(ctx).Actor(account.Administrator), b.Reference)
	switch {
	case errors.Is(err, privacy.ErrClosed):
		web.Flash(w, r, ui.Warning, "breaches.told_already")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "breaches.told", "count", i18n.Number(ctx, int64(n)))
	}
	return web.See(w, r, path(b.Reference))
}
