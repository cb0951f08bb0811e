// Package apps holds the administrator's pages of applications that call the
// interfaces for programs.
package apps

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/apiclient"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// Base is the address of the list; an application lies below it.
const Base = "/admin/aplikasi"

// Pages are the pages of this package.
type Pages struct {
	clients  *apiclient.Service
	accounts *account.Service
}

// New makes the pages.
func New(c *apiclient.Service, a *account.Service) *Pages { return &Pages{c, a} }

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	admin := web.Role(account.Administrator)
	return []web.Route{
		{Method: http.MethodGet, Path: Base, Access: admin, Handler: p.list},
		{Method: http.MethodPost, Path: Base, Access: admin, Handler: p.add},
		{Method: http.MethodGet, Path: Base + "/{id}", Access: admin, Handler: p.show},
		{Method: http.MethodPost, Path: Base + "/{id}", Access: admin, Handler: p.change},
		{Method: http.MethodPost, Path: Base + "/{id}/rahasia", Access: admin, Handler: p.rotate},
		{Method: http.MethodPost, Path: Base + "/{id}/oauth", Access: admin, Handler: p.changeOAuth},
		{Method: http.MethodPost, Path: Base + "/{id}/nonaktif", Access: admin, Handler: p.turn(false)},
		{Method: http.MethodPost, Path: Base + "/{id}/aktif", Access: admin, Handler: p.turn(true)},
	}
}

// form is what is typed.
type form struct {
	Name, Info, Networks, Rate string
	Unit                       string // its code
	bound                      string // name of that unit
	Scopes                     []string
	Corner, Sandbox            bool
	Errors                     web.FieldErrors
	Secret                     string // shown once
	Redirects, Window          string // of OAuth; Window in minutes
	typed                      bool   // what of OAuth is there was typed
}

func blank() form {
	return form{Rate: strconv.Itoa(apiclient.DefaultRate), Scopes: []string{string(apiclient.Sign), string(apiclient.Verify), string(apiclient.Status)}}
}

func of(c apiclient.Client) form {
	f := form{Name: c.Name, Info: c.Info, Rate: strconv.Itoa(c.Rate), Corner: c.Corner, Sandbox: c.Sandbox}
	for _, s := range c.Scopes {
		f.Scopes = append(f.Scopes, string(s))
	}
	var lines []string
	for _, n := range c.Networks {
		lines = append(lines, n.String())
	}
	f.Networks = strings.Join(lines, "\n")
	return f
}

// read reads the form; what is wrong is in Errors.
func (p *Pages) read(r *http.Request) (form, apiclient.Settings, error) {
	f := form{
		Name: web.Value(r, "name"), Info: web.Value(r, "info"), Networks: r.PostForm.Get("networks"), Rate: web.Value(r, "rate"),
		Unit: web.Value(r, "unit"), Scopes: r.PostForm["scope"], Corner: r.PostForm.Get("corner") == "1", Sandbox: r.PostForm.Get("sandbox") == "1", Errors: web.FieldErrors{},
	}
	set := apiclient.Settings{Info: f.Info, Corner: f.Corner, Enabled: true}
	if len([]rune(f.Info)) > apiclient.MaxInfo {
		f.Errors.Add("info", "apps.bad_info")
	}
	var err error
	if set.Networks, err = apiclient.Networks(f.Networks); err != nil {
		f.Errors.Add("networks", "apps.bad_networks")
	}
	if set.Rate, err = strconv.Atoi(f.Rate); err != nil || set.Rate < 1 || set.Rate > apiclient.MaxRate {
		f.Errors.Add("rate", "apps.bad_rate")
	}
	for _, s := range f.Scopes {
		if slices.Contains(apiclient.Scopes(), apiclient.Scope(s)) {
			set.Scopes = append(set.Scopes, apiclient.Scope(s))
		}
	}
	if len(set.Scopes) == 0 {
		f.Errors.Add("scope", "apps.no_scope")
	}
	if f.Unit == "" {
		return f, set, nil
	}
	u, err := p.clients.Unit(r.Context(), f.Unit)
	if errors.Is(err, apiclient.ErrUnit) {
		f.Errors.Add("unit", "apps.bad_unit")
		err = nil
	}
	set.Unit = u.ID
	return f, set, err
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) error {
	return p.showList(w, r, blank())
}

func (p *Pages) showList(w http.ResponseWriter, r *http.Request, f form) error {
	ctx := r.Context()
	list, err := p.clients.List(ctx)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{Title: i18n.T(ctx, "apps.title"), Lede: i18n.T(ctx, "apps.lede"), HasErrors: len(f.Errors) > 0}
	return web.Page(w, r, status, pg, listPage(f, table(ctx, list)))
}

func table(ctx context.Context, list []apiclient.Client) ui.TableProps {
	t := ui.TableProps{Caption: i18n.T(ctx, "apps.title"), Columns: []ui.Column{
		{Label: i18n.T(ctx, "apps.name")}, {Label: i18n.T(ctx, "apps.state"), Shrink: true}, {Label: i18n.T(ctx, "apps.used"), Shrink: true},
	}, Empty: ui.Empty{Title: i18n.T(ctx, "apps.none"), Text: i18n.T(ctx, "apps.none_text")}}
	for _, c := range list {
		t.Rows = append(t.Rows, ui.Row{ID: c.ID, Cells: []templ.Component{ui.Anchor(c.Name, Base+"/"+c.ID, c.Info), state(c), used(c)}})
	}
	return t
}

// fresh has the administrator prove himself anew, and comes back to path.
func (p *Pages) fresh(w http.ResponseWriter, r *http.Request, path string) (bool, error) {
	if p.accounts.RequireFresh(web.ViewerOf(r.Context()), p.accounts.Policy.Fresh) == nil {
		return true, nil
	}
	return false, web.See(w, r, "/akun/konfirmasi?next="+url.QueryEscape(path))
}

func (p *Pages) add(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f, set, err := p.read(r)
	if err != nil {
		return err
	}
	if len(f.Errors) == 0 {
		if ok, err := p.fresh(w, r, Base); !ok {
			return err
		}
		c, secret, err := p.clients.Add(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), f.Name, f.Sandbox, set)
		switch {
		case errors.Is(err, apiclient.ErrName):
			f.Errors.Add("name", "apps.bad_name")
		case errors.Is(err, apiclient.ErrTaken):
			f.Errors.Add("name", "apps.taken")
		case err != nil:
			return err
		default:
			f.Secret = secret
			return p.showOne(w, r, c, f)
		}
	}
	return p.showList(w, r, f)
}

func (p *Pages) client(r *http.Request) (apiclient.Client, error) {
	c, err := p.clients.Get(r.Context(), r.PathValue("id"))
	if errors.Is(err, apiclient.ErrNotFound) {
		return c, web.ErrNotFound
	}
	return c, err
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	c, err := p.client(r)
	if err != nil {
		return err
	}
	return p.showOne(w, r, c, of(c))
}

func (p *Pages) showOne(w http.ResponseWriter, r *http.Request, c apiclient.Client, f form) error {
	ctx := r.Context()
	if err := p.fillOAuth(ctx, c, &f); err != nil {
		return err
	}
	u, err := p.clients.UnitOf(ctx, c)
	if err != nil {
		return err
	}
	f.bound = u.Name
	if len(f.Errors) == 0 {
		f.Unit = u.Code
	}
	status := http.StatusOK
	if len(f.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	pg := ui.Page{
		Title: c.Name, HasErrors: len(f.Errors) > 0, Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "apps.title"), Href: Base}, {Label: c.Name}},
	}
	return web.Page(w, r, status, pg, onePage(c, f))
}

func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, err := p.client(r)
	if err != nil {
		return err
	}
	f, set, err := p.read(r)
	if err != nil {
		return err
	}
	f.Name, f.Sandbox, set.Enabled = c.Name, c.Sandbox, c.Enabled
	if len(f.Errors) > 0 {
		return p.showOne(w, r, c, f)
	}
	return p.set(w, r, c, set, "apps.changed")
}

func (p *Pages) set(w http.ResponseWriter, r *http.Request, c apiclient.Client, set apiclient.Settings, message string) error {
	if ok, err := p.fresh(w, r, Base+"/"+c.ID); !ok {
		return err
	}
	if err := p.clients.Change(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), c.ID, set); err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, message)
	return web.See(w, r, Base+"/"+c.ID)
}

// turn disables or enables an application, with everything else as it is.
func (p *Pages) turn(on bool) web.Handler {
	message := "apps.disabled"
	if on {
		message = "apps.enabled"
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := p.client(r)
		if err != nil {
			return err
		}
		set := c.Settings()
		set.Enabled = on
		return p.set(w, r, c, set, message)
	}
}

func (p *Pages) rotate(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	c, err := p.client(r)
	if err != nil {
		return err
	}
	if ok, err := p.fresh(w, r, Base+"/"+c.ID); !ok {
		return err
	}
	grace := apiclient.GracePeriod
	if r.PostForm.Get("segera") == "1" {
		grace = 0
	}
	secret, err := p.clients.Rotate(r.Context(), web.ViewerOf(r.Context()).Actor(account.Administrator), c.ID, grace)
	if err != nil {
		return err
	}
	if c, err = p.client(r); err != nil {
		return err
	}
	f := of(c)
	f.Secret = secret
	return p.showOne(w, r, c, f)
}

// scopes are the choices of what an application may do.
func scopes(ctx context.Context, f form) []ui.Option {
	var out []ui.Option
	for _, s := range apiclient.Scopes() {
		out = append(out, ui.Option{
			Value: string(s), Label: i18n.T(ctx, "apps.scope_"+string(s)), Hint: i18n.T(ctx, "apps.scope_hint_"+string(s)), Selected: slices.Contains(f.Scopes, string(s)),
		})
	}
	return out
}

func facts(ctx context.Context, c apiclient.Client, unit string) []ui.Term {
	terms := []ui.Term{
		{Label: i18n.T(ctx, "apps.user"), Value: c.Name, Code: true, Copy: true},
		{Label: i18n.T(ctx, "apps.created"), Value: i18n.DateTime(ctx, c.CreatedAt)},
	}
	if unit != "" {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "apps.bound"), Value: unit})
	}
	last := i18n.T(ctx, "apps.never")
	if !c.UsedAt.IsZero() {
		last = i18n.DateTime(ctx, c.UsedAt)
	}
	terms = append(terms, ui.Term{Label: i18n.T(ctx, "apps.used"), Value: last})
	if !c.Rotating.IsZero() {
		terms = append(terms, ui.Term{Label: i18n.T(ctx, "apps.rotating"), Value: i18n.DateTime(ctx, c.Rotating)})
	}
	return terms
}
