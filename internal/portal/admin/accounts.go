// Package admin holds the administrator's pages of accounts and roles.
package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Pages are the pages of this package.
type Pages struct {
	store    *store.Store
	accounts *account.Service
}

// New makes the pages.
func New(s *store.Store, accounts *account.Service) *Pages {
	return &Pages{store: s, accounts: accounts}
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post, admin := http.MethodGet, http.MethodPost, web.Role(account.Administrator)
	return []web.Route{
		{Method: get, Path: "/admin/akun", Access: admin, Handler: p.list},
		{Method: get, Path: "/admin/akun/baru", Access: admin, Handler: p.create},
		{Method: post, Path: "/admin/akun/baru", Access: admin, Handler: p.doCreate},
		{Method: get, Path: "/admin/akun/{id}", Access: admin, Handler: p.detail},
		{Method: post, Path: "/admin/akun/{id}/peran", Access: admin, Handler: p.grant},
		{Method: post, Path: "/admin/akun/{id}/peran/{grant}/cabut", Access: admin, Handler: p.revoke},
		{Method: post, Path: "/admin/akun/{id}/permintaan-peran/{request}", Access: admin, Handler: p.decide},
		{Method: post, Path: "/admin/akun/{id}/nonaktif", Access: admin, Handler: p.disable},
		{Method: post, Path: "/admin/akun/{id}/aktif", Access: admin, Handler: p.enable},
		{Method: post, Path: "/admin/akun/{id}/verifikasi/atur-ulang", Access: admin, Handler: p.resetFactors},
		{Method: post, Path: "/admin/akun/{id}/tautan", Access: admin, Handler: p.mailLink},
		{Method: post, Path: "/admin/akun/{id}/tautan/tampilkan", Access: admin, Handler: p.showLink},
	}
}

// pageSize is how many accounts a page of the list shows.
const pageSize = 50

// listing is the page of the list.
type listing struct {
	Query    string
	Accounts []db.Account
	Waiting  []waitingRole // roles that wait for an administrator
	Next     string        // address of the next page; empty on the last
	Paged    bool
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	l := listing{Query: strings.TrimSpace(q.Get("q")), Paged: q.Get("setelah") != ""}
	rows, err := p.accounts.Search(r.Context(), l.Query, q.Get("setelah"), pageSize+1)
	if err != nil {
		return err
	}
	if len(rows) > pageSize {
		rows = rows[:pageSize]
		l.Next = "/admin/akun?" + url.Values{"q": {l.Query}, "setelah": {rows[pageSize-1].Username}}.Encode()
	}
	l.Accounts = rows
	if !l.Paged && l.Query == "" {
		waiting, err := p.accounts.RoleRequests(r.Context(), "")
		if err != nil {
			return err
		}
		l.Waiting = waitingFor(web.ViewerOf(r.Context()), waiting)
	}
	pg := ui.Page{Title: i18n.T(r.Context(), "accounts.title"), Lede: i18n.T(r.Context(), "accounts.lede"), Wide: true}
	pg.Actions = append(pg.Actions, newButton())
	return web.Page(w, r, http.StatusOK, pg, listPage(l))
}

// createForm is the page for an account of somebody who is not on the staff.
type createForm struct {
	Username, Name, Email string
	Errors                web.FieldErrors
}

func (p *Pages) create(w http.ResponseWriter, r *http.Request) error {
	return p.showCreate(w, r, createForm{})
}

func (p *Pages) showCreate(w http.ResponseWriter, r *http.Request, f createForm) error {
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{Title: i18n.T(r.Context(), "accounts.new"), Breadcrumbs: crumbs(r, i18n.T(r.Context(), "accounts.new")), HasErrors: len(f.Errors) > 0}
	return web.Page(w, r, status, pg, createPage(f))
}

func crumbs(r *http.Request, here string) []ui.Link {
	return []ui.Link{{Label: i18n.T(r.Context(), "accounts.title"), Href: "/admin/akun"}, {Label: here}}
}

func (p *Pages) doCreate(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := createForm{
		Username: account.NormalUsername(web.Value(r, "username")), Name: web.Value(r, "name"), Email: web.Value(r, "email"),
		Errors: web.FieldErrors{},
	}
	f.check()
	if len(f.Errors) > 0 {
		return p.showCreate(w, r, f)
	}
	v := web.ViewerOf(r.Context())
	if p.accounts.RequireFresh(v, p.accounts.Policy.Fresh) != nil {
		return web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape("/admin/akun/baru"))
	}
	var a db.Account
	err := p.store.InTx(r.Context(), func(tx *store.Tx) (err error) {
		a, err = p.accounts.CreateAccount(r.Context(), tx, v.Actor(account.Administrator), account.NewAccount{
			Username: f.Username, DisplayName: f.Name, Email: f.Email, Locale: string(i18n.LangOf(r.Context())),
		})
		return err
	})
	if errors.Is(err, account.ErrTaken) {
		f.Errors.Add("username", "accounts.taken")
		return p.showCreate(w, r, f)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "accounts.created")
	return web.See(w, r, "/admin/akun/"+a.ID)
}

const (
	maxName  = 120
	maxEmail = 254 // RFC 5321 4.5.3.1.3
)

// check judges what was typed. User names of digits alone are NIPs and belong
// to employees.
func (f *createForm) check() {
	switch {
	case !validUsername(f.Username):
		f.Errors.Add("username", "accounts.bad_username")
	case strings.Trim(f.Username, "0123456789") == "":
		f.Errors.Add("username", "accounts.username_nip")
	}
	if f.Name == "" || len(f.Name) > maxName {
		f.Errors.Add("name", "accounts.bad_name")
	}
	if a, err := mail.ParseAddress(f.Email); err != nil || a.Address != f.Email || len(f.Email) > maxEmail {
		f.Errors.Add("email", "accounts.bad_email")
	}
}

func validUsername(s string) bool {
	if len(s) < 3 || len(s) > 40 {
		return false
	}
	return strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_'
	}) < 0
}

// detailForm is the page of one account.
type detailForm struct {
	account.Detail
	Self   bool
	Wait   []waitingRole
	Units  []db.Unit
	Role   string
	Unit   string
	Link   string // shown once
	Errors web.FieldErrors
}

func (p *Pages) detail(w http.ResponseWriter, r *http.Request) error {
	return p.showDetail(w, r, detailForm{})
}

func (p *Pages) showDetail(w http.ResponseWriter, r *http.Request, f detailForm) error {
	ctx := r.Context()
	var err error
	if f.Detail, err = p.accounts.Detail(ctx, r.PathValue("id")); err != nil {
		return known(err)
	}
	f.Self = f.Account.ID == web.ViewerOf(ctx).Account.ID
	f.Wait = waitingFor(web.ViewerOf(ctx), f.Waiting)
	if f.Units, err = p.store.Read().ListUnits(ctx); err != nil {
		return fmt.Errorf("list units: %w", err)
	}
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{
		Title: f.Account.DisplayName, Breadcrumbs: crumbs(r, f.Account.DisplayName), HasErrors: len(f.Errors) > 0,
	}
	return web.Page(w, r, status, pg, detailPage(f))
}

// known turns errors of the domain that mean "no such thing" into the page.
func known(err error) error {
	if errors.Is(err, account.ErrNotFound) {
		return web.ErrNotFound
	}
	return err
}

func (p *Pages) grant(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := detailForm{Role: web.Value(r, "role"), Unit: web.Value(r, "unit"), Errors: web.FieldErrors{}}
	role, ok := account.ParseRole(f.Role)
	if !ok {
		f.Errors.Add("role", "accounts.choose_role")
	}
	if f.Unit == "" {
		f.Errors.Add("unit", "accounts.choose_unit")
	}
	if len(f.Errors) > 0 {
		return p.showDetail(w, r, f)
	}
	unit := f.Unit
	if unit == allUnits {
		unit = account.Everywhere
	}
	asked, err := p.accounts.AskRole(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"), role, unit)
	switch {
	case errors.Is(err, account.ErrSelf):
		f.Errors.Add("role", "accounts.self")
	case errors.Is(err, account.ErrNeedsEmployee):
		f.Errors.Add("role", "accounts.needs_employee")
	case errors.Is(err, account.ErrConflictingRoles):
		f.Errors.Add("role", "accounts.conflict")
	case errors.Is(err, account.ErrTaken):
		f.Errors.Add("role", "accounts.granted_already")
	case errors.Is(err, account.ErrPending):
		f.Errors.Add("role", "accounts.wait.pending")
	case errors.Is(err, account.ErrAloneTooSoon):
		f.Errors.Add("role", "accounts.wait.too_soon")
	case errors.Is(err, account.ErrNotAllowed):
		f.Errors.Add("role", "accounts.not_possible")
	case err != nil:
		return p.stepUp(w, r, err)
	}
	if len(f.Errors) > 0 {
		return p.showDetail(w, r, f)
	}
	switch {
	case asked.Waits:
		web.Flash(w, r, ui.Info, "accounts.wait.asked")
	case asked.Alone:
		web.Flash(w, r, ui.Warning, "accounts.wait.alone")
	default:
		web.Flash(w, r, ui.Success, "accounts.granted")
	}
	return p.back(w, r)
}

// allUnits is the choice "all units" of the form, which the empty choice is not.
const allUnits = "*"

func (p *Pages) back(w http.ResponseWriter, r *http.Request) error {
	return web.See(w, r, "/admin/akun/"+r.PathValue("id"))
}

// stepUp asks who acts to prove himself again and then shows the account again.
func (p *Pages) stepUp(w http.ResponseWriter, r *http.Request, err error) error {
	if errors.Is(err, account.ErrNotFresh) {
		return web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape("/admin/akun/"+r.PathValue("id")))
	}
	return known(err)
}

// act does one thing to the account and comes back with a message.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, err error, message string) error {
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, message)
	case errors.Is(err, account.ErrSelf):
		web.Flash(w, r, ui.Danger, "accounts.self")
	case errors.Is(err, account.ErrLastAdministrator):
		web.Flash(w, r, ui.Danger, "accounts.last_admin")
	case errors.Is(err, account.ErrNotAllowed):
		web.Flash(w, r, ui.Danger, "accounts.not_possible")
	case errors.Is(err, account.ErrNewAddress):
		web.Flash(w, r, ui.Danger, "accounts.new_address")
	default:
		return p.stepUp(w, r, err)
	}
	return p.back(w, r)
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	err := p.accounts.Revoke(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"), r.PathValue("grant"))
	return p.act(w, r, err, "accounts.revoked")
}

func (p *Pages) disable(w http.ResponseWriter, r *http.Request) error {
	err := p.accounts.Disable(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"))
	return p.act(w, r, err, "accounts.disabled")
}

func (p *Pages) enable(w http.ResponseWriter, r *http.Request) error {
	err := p.accounts.Enable(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"))
	return p.act(w, r, err, "accounts.enabled")
}

func (p *Pages) resetFactors(w http.ResponseWriter, r *http.Request) error {
	err := p.accounts.ResetFactors(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"))
	return p.act(w, r, err, "accounts.factors_reset")
}

func (p *Pages) mailLink(w http.ResponseWriter, r *http.Request) error {
	_, err := p.accounts.SendLink(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"), false)
	return p.act(w, r, err, "accounts.link_sent")
}

// showLink shows a new activation link in the answer itself: a page that is
// kept nowhere and that coming back does not show again.
func (p *Pages) showLink(w http.ResponseWriter, r *http.Request) error {
	token, err := p.accounts.SendLink(r.Context(), web.ViewerOf(r.Context()), r.PathValue("id"), true)
	if err != nil {
		return p.act(w, r, err, "")
	}
	return p.showDetail(w, r, detailForm{Link: web.Link(r.Context(), "/aktivasi/"+token)})
}
