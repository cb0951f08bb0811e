// Package incidents holds the administrators' pages for what concerns many
// certificates at once: one administrator looks what would be revoked and asks
// for it, another one decides, and both see how far it is.
package incidents

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"absah/internal/account"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
)

// Base is the address of the list; an incident lies below it.
const Base = "/admin/insiden"

// Config is what the pages are made of.
type Config struct {
	Store     *store.Store
	Enrolment *enrolment.Service
	Accounts  *account.Service
	Issuers   func() []string // names of the issuing CAs
	Clock     clock.Clock
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
		{Method: post, Path: Base, Access: admin, Handler: p.survey},
		{Method: post, Path: Base + "/ajukan", Access: admin, Handler: p.ask},
		{Method: get, Path: Base + "/{id}", Access: admin, Handler: p.show},
		{Method: get, Path: Base + "/{id}/kabar", Access: admin, Handler: p.news},
		{Method: get, Path: Base + "/{id}/daftar.csv", Access: admin, Handler: p.download},
		{Method: post, Path: Base + "/{id}/putuskan", Access: admin, Handler: p.decide},
	}
}

// Count is how many incidents wait for the viewer's decision.
func Count(ctx context.Context, s *store.Store, accountID string) (int, error) {
	n, err := s.Read().CountIncidentsFor(ctx, accountID)
	return int(n), err
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, form{}, nil)
}

// showList shows the list, and the form with what was typed and, after a look,
// what it would concern.
func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f form, found *enrolment.Survey) error {
	ctx := r.Context()
	rows, err := p.Enrolment.Incidents(ctx)
	if err != nil {
		return err
	}
	v := listView{Form: f, Found: found, Table: table(ctx, rows), Issuers: issuerOptions(ctx, p.Issuers(), f.Issuer)}
	page := ui.Page{Title: i18n.T(ctx, "incidents.title"), Lede: i18n.T(ctx, "incidents.lede"), HasErrors: len(f.Errors) > 0, Wide: true}
	return web.Page(w, r, f.Errors.Status(w), page, listPage(v))
}

// survey says what an incident would concern, and does nothing.
func (p *Pages) survey(w http.ResponseWriter, r *http.Request) error {
	f, incident, err := p.read(w, r)
	if err != nil {
		return err
	}
	if len(f.Errors) > 0 {
		return p.showList(w, r, f, nil)
	}
	found, err := p.Enrolment.Survey(r.Context(), incident)
	if errors.Is(err, enrolment.ErrNoFilter) {
		f.Errors.Add("penerbit", "incidents.need_filter")
		return p.showList(w, r, f, nil)
	}
	if err != nil {
		return err
	}
	return p.showList(w, r, f, &found)
}

// ask puts the incident before the other administrators.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) error {
	f, incident, err := p.read(w, r)
	if err != nil {
		return err
	}
	f.needReason()
	if len(f.Errors) > 0 {
		found, err := p.Enrolment.Survey(r.Context(), incident)
		if err != nil && !errors.Is(err, enrolment.ErrNoFilter) {
			return err
		}
		return p.showList(w, r, f, &found)
	}
	if ok, err := p.fresh(w, r, Base); !ok {
		return err
	}
	i, err := p.Enrolment.AskIncident(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), incident, enrolment.Revocation{Code: f.Reason, Text: f.Words})
	switch {
	case errors.Is(err, enrolment.ErrNoFilter):
		f.Errors.Add("penerbit", "incidents.need_filter")
		return p.showList(w, r, f, nil)
	case errors.Is(err, enrolment.ErrNotFound):
		f.Errors.Add("seri", "incidents.nothing")
		return p.showList(w, r, f, nil)
	case err != nil:
		return err
	}
	web.Flash(w, r, ui.Success, "incidents.asked")
	return web.See(w, r, Base+"/"+i.ID)
}

// fresh has the administrator prove himself anew, and comes back to path.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request, path string) (bool, error) {
	if p.Accounts.RequireFresh(web.ViewerOf(r.Context()), p.Accounts.Policy.Fresh) == nil {
		return true, nil
	}
	return false, web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(path))
}

func (p *Pages) find(r *http.Request) (enrolment.IncidentState, error) {
	i, err := p.Enrolment.IncidentByID(r.Context(), r.PathValue("id"))
	if errors.Is(err, enrolment.ErrNotFound) {
		return i, web.ErrNotFound
	}
	return i, err
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	i, err := p.find(r)
	if err != nil {
		return err
	}
	v, err := p.view(ctx, i)
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "incidents.title_of", "reference", i.Reference), Wide: true,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "incidents.title"), Href: Base}, {Label: i.Reference}},
	}
	return web.Page(w, r, http.StatusOK, page, onePage(v))
}

// decide is the other administrator's yes or no.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	i, err := p.find(r)
	if err != nil {
		return err
	}
	id, yes := i.ID, web.Value(r, "keputusan") == "cabut"
	if !yes && web.Value(r, "keputusan") != "tolak" {
		return web.ErrBadRequest
	}
	if ok, err := p.fresh(w, r, Base+"/"+id); !ok {
		return err
	}
	err = p.Enrolment.DecideIncident(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), id, yes)
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, enrolment.ErrSamePerson):
		web.Flash(w, r, ui.Danger, "incidents.own")
	case errors.Is(err, enrolment.ErrStale):
		web.Flash(w, r, ui.Warning, "incidents.decided_already")
	case err != nil:
		return err
	case yes:
		web.Flash(w, r, ui.Success, "incidents.approved")
	default:
		web.Flash(w, r, ui.Success, "incidents.declined")
	}
	return web.See(w, r, Base+"/"+id)
}

// news tells an open page when the incident has moved on.
func (p *Pages) news(w http.ResponseWriter, r *http.Request) error {
	type progress struct {
		left  int64
		state string
	}
	return web.Watch(w, r, func() (progress, bool, error) {
		i, err := p.find(r)
		if err != nil {
			return progress{}, false, err
		}
		return progress{i.Left(), i.State}, i.State == enrolment.IncidentDone || i.State == enrolment.IncidentDeclined, nil
	})
}
