// Package desk holds the pages of those who look and do not decide: the service
// desk, which finds a registration and sends links and mails again, and the
// auditors, who read everything and change nothing. Every look at a person's
// registration is recorded before it is shown.
package desk

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// Pages are the pages of this package.
type Pages struct{ *dossier.Reader }

// New makes the pages.
func New(d *dossier.Reader) *Pages { return &Pages{d} }

// Where the pages are.
const (
	Desk     = "/servicedesk"
	Audit    = "/audit"
	auditReg = Audit + "/registrasi"
)

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	desk, auditor := web.Role(account.ServiceDesk), web.Role(account.Auditor)
	return []web.Route{
		{Method: get, Path: Desk, Access: desk, Handler: p.search(helper)},
		{Method: get, Path: Desk + "/{id}", Access: desk, Handler: p.show(helper)},
		{Method: post, Path: Desk + "/{id}/tautan", Access: desk, Handler: p.sendLink},
		{Method: post, Path: Desk + "/{id}/surel/{mail}", Access: desk, Handler: p.resend},

		{Method: get, Path: Audit, Access: auditor, Handler: p.record},
		{Method: post, Path: Audit + "/periksa", Access: auditor, Handler: p.verify},
		{Method: get, Path: Audit + "/ekspor.csv", Access: auditor, Handler: p.exportCSV},
		{Method: get, Path: Audit + "/ekspor.json", Access: auditor, Handler: p.exportJSON},
		{Method: get, Path: auditReg, Access: auditor, Handler: p.search(reader)},
		{Method: get, Path: auditReg + "/{id}", Access: auditor, Handler: p.show(reader)},
	}
}

// capacity is in which role somebody looks at registrations.
type capacity struct {
	role account.Role
	base string // below which the registrations are
	key  string // of the texts
}

var (
	helper = capacity{account.ServiceDesk, Desk, "desk.search"}
	reader = capacity{account.Auditor, auditReg, "desk.audited"}
)

func (c capacity) units(ctx context.Context) []string {
	return dossier.Units(web.ViewerOf(ctx), c.role)
}

func (c capacity) actor(ctx context.Context) audit.Actor { return web.ViewerOf(ctx).Actor(c.role) }

func (p *Pages) find(r *http.Request, c capacity) (db.Registration, error) {
	reg, err := p.Enrolment.Get(r.Context(), c.units(r.Context()), r.PathValue("id"))
	if errors.Is(err, enrolment.ErrNotFound) {
		return reg, web.ErrNotFound
	}
	return reg, err
}

// found is how many registrations a search shows.
const found = 50

// searchView is the page of a search.
type searchView struct {
	capacity
	Query string
	Rows  []enrolment.Row
}

func (p *Pages) search(c capacity) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		v := searchView{capacity: c, Query: strings.TrimSpace(r.URL.Query().Get("q"))}
		if v.Query != "" {
			var err error
			if v.Rows, err = p.Enrolment.Search(ctx, enrolment.Filter{Units: c.units(ctx), Limit: found}, v.Query); err != nil {
				return err
			}
		}
		page := ui.Page{Title: i18n.T(ctx, c.key+".title"), Lede: i18n.T(ctx, c.key+".lede")}
		if c.role == account.Auditor {
			page.Breadcrumbs = auditCrumbs(ctx, page.Title)
		}
		return web.Page(w, r, http.StatusOK, page, searchPage(v))
	}
}

// caseView is a registration as the service desk and auditors see it.
type caseView struct {
	dossier.Dossier
	capacity
	Intact bool // the chain of the history holds
}

func (p *Pages) show(c capacity) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		reg, err := p.find(r, c)
		if err != nil {
			return err
		}
		if err := p.RecordView(ctx, c.actor(ctx), reg.ID); err != nil {
			return err
		}
		d, err := p.Read(ctx, reg)
		if err != nil {
			return err
		}
		v := caseView{Dossier: d, capacity: c}
		if c.role == account.Auditor {
			err := enrolment.VerifyHistory(ctx, p.Store.Read(), reg.ID)
			if err != nil && !errors.Is(err, audit.ErrBroken) {
				return err
			}
			v.Intact = err == nil
		}
		page := ui.Page{Title: d.Employee.Name, Lede: i18n.T(ctx, "desk.recorded"), Breadcrumbs: []ui.Link{
			{Label: i18n.T(ctx, c.key+".title"), Href: c.base}, {Label: reg.Reference},
		}}
		if c.role == account.Auditor {
			page.Breadcrumbs = append(auditCrumbs(ctx, "")[:1], page.Breadcrumbs...)
		}
		return web.Page(w, r, http.StatusOK, page, casePage(v))
	}
}

func auditCrumbs(ctx context.Context, here string) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "desk.record.title"), Href: Audit}, {Label: here}}
}

func (p *Pages) sendLink(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if _, err := p.find(r, helper); err != nil {
		return err
	}
	err := p.Enrolment.SendLink(ctx, helper.actor(ctx), enrolment.ServiceDesk, helper.units(ctx), r.PathValue("id"))
	var moved *enrolment.NotAllowedError
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, enrolment.ErrAlreadySet):
		web.Flash(w, r, ui.Info, "desk.link_set")
	case errors.As(err, &moved):
		web.Flash(w, r, ui.Warning, "desk.link_moved")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "desk.link_sent")
	}
	return web.See(w, r, Desk+"/"+r.PathValue("id"))
}

func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	reg, err := p.find(r, helper)
	if err != nil {
		return err
	}
	err = p.Resend(ctx, helper.actor(ctx), reg, r.PathValue("mail"))
	switch {
	case errors.Is(err, dossier.ErrNoMail):
		return web.ErrNotFound
	case errors.Is(err, outbox.ErrNotAgain):
		web.Flash(w, r, ui.Warning, "dossier.mail.not_again")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "dossier.mail.queued_again")
	}
	return web.See(w, r, Desk+"/"+reg.ID)
}
