package sign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/identity"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// AuthorityPath is where HR units enter who signs for an office by decree.
const AuthorityPath = "/hr/wewenang"

// Scopes tells what lies below a viewer's roles. *account.Service is one.
type Scopes interface {
	InScope(ctx context.Context, v *account.Viewer, role account.Role, unitID string) (bool, error)
}

// authorityView is the page of one employee's authorities, or of none yet.
type authorityView struct {
	employee *db.Employee
	nip      string
	list     []signing.Authority
	entry    signing.Authority // as it was typed
	now      time.Time
	Errors   web.FieldErrors
}

// staffMember is the employee that nip names, if the viewer's unit is above him;
// nil otherwise. Nobody enters an authority of his own.
func (p *Pages) staffMember(r *http.Request, nip string) (*db.Employee, error) {
	ctx := r.Context()
	e, err := p.Signing.Store.Read().GetEmployeeByNIP(ctx, nip)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	v := web.ViewerOf(ctx)
	ok, err := p.Scopes.InScope(ctx, v, account.HROfficer, e.UnitID)
	if err != nil || !ok || e.ID == v.EmployeeID {
		return nil, err
	}
	return &e, nil
}

func (p *Pages) authorities(w http.ResponseWriter, r *http.Request) error {
	v := authorityView{nip: identity.Normalise(r.URL.Query().Get("nip")), Errors: web.FieldErrors{}}
	if v.nip == "" {
		return p.showAuthorities(w, r, v)
	}
	var err error
	if v.employee, err = p.staffMember(r, v.nip); err != nil {
		return err
	}
	if v.employee == nil {
		v.Errors.Add("nip", "sign.wewenang.nobody")
	}
	return p.showAuthorities(w, r, v)
}

func (p *Pages) showAuthorities(w http.ResponseWriter, r *http.Request, v authorityView) error {
	ctx := r.Context()
	v.now = p.Clock()
	if v.employee != nil {
		var err error
		if v.list, err = p.Signing.Authorities(ctx, v.employee.ID); err != nil {
			return err
		}
	}
	title := i18n.T(ctx, "sign.wewenang.title")
	page := ui.Page{
		Title: title, Lede: i18n.T(ctx, "sign.wewenang.lede"), HasErrors: len(v.Errors) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: title}},
	}
	return web.Page(w, r, v.Errors.Status(w), page, authorityBody(v))
}

// addAuthority enters one.
func (p *Pages) addAuthority(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v := authorityView{nip: web.NIP(r, "nip"), Errors: web.FieldErrors{}, entry: signing.Authority{
		Form: signing.Form(web.Value(r, "bentuk")), Office: web.Value(r, "jabatan"), Behalf: web.Value(r, "untuk"), Decree: web.Value(r, "sk"),
		DecreeDate: web.Value(r, "tanggal_sk"), From: web.Value(r, "mulai"), Until: web.Value(r, "sampai"), Forbidden: r.PostForm["dilarang"],
	}}
	var err error
	if v.employee, err = p.staffMember(r, v.nip); err != nil {
		return err
	}
	if v.employee == nil {
		return web.ErrNotFound
	}
	if v.entry.Form != signing.UntukBeliau {
		v.entry.Behalf = ""
	}
	v.entry.EmployeeID = v.employee.ID
	_, err = p.Signing.AddAuthority(r.Context(), web.ViewerOf(r.Context()).Actor(account.HROfficer), v.entry)
	switch {
	case errors.Is(err, signing.ErrAuthorityDates):
		v.Errors.Add("mulai", "sign.wewenang.bad_dates")
	case errors.Is(err, signing.ErrAuthorityData):
		v.Errors.Add("jabatan", "sign.wewenang.bad_data")
	case errors.Is(err, signing.ErrKind):
		return web.ErrBadRequest
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "sign.wewenang.added")
		return web.See(w, r, AuthorityPath+"?nip="+url.QueryEscape(v.nip))
	}
	return p.showAuthorities(w, r, v)
}

// revokeAuthority ends one now.
func (p *Pages) revokeAuthority(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx, nip := r.Context(), web.NIP(r, "nip")
	e, err := p.staffMember(r, nip)
	if err != nil {
		return err
	}
	if e == nil {
		return web.ErrNotFound
	}
	list, err := p.Signing.Authorities(ctx, e.ID)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.ID != r.PathValue("id") {
			continue
		}
		err := p.Signing.RevokeAuthority(ctx, web.ViewerOf(ctx).Actor(account.HROfficer), a.ID)
		if err != nil && !errors.Is(err, signing.ErrNotFound) {
			return err
		}
		web.Flash(w, r, ui.Success, "sign.wewenang.revoked")
		return web.See(w, r, AuthorityPath+"?nip="+url.QueryEscape(nip))
	}
	return web.ErrNotFound
}

func (v authorityView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "sign.wewenang.caption"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "sign.wewenang.form")}, {Label: i18n.T(ctx, "sign.wewenang.decree")}, {Label: i18n.T(ctx, "sign.wewenang.days")},
			{Label: i18n.T(ctx, "sign.wewenang.state"), Shrink: true}, {Label: i18n.T(ctx, "sign.wewenang.revoke"), HideLabel: true, Shrink: true},
		},
		Empty: ui.Empty{Icon: "award", Title: i18n.T(ctx, "sign.wewenang.none"), Text: i18n.T(ctx, "sign.wewenang.noneText")},
	}
	today := v.now.In(time.FixedZone("WIB", 7*3600)).Format(time.DateOnly)
	for _, a := range v.list {
		until := a.Until
		if until == "" {
			until = "…"
		}
		state, act := stateOf(ui.Success, "sign.wewenang.in_force"), revokeButton(a.ID, v.nip)
		var no *signing.AuthorityError
		if errors.As(a.Serves("", today), &no) {
			state = stateOf(ui.Neutral, "sign.problem.authority_"+no.Cause)
			if no.Cause != signing.AuthorityNotYet {
				act = ui.Text("")
			}
		}
		t.Rows = append(t.Rows, ui.Row{ID: a.ID, Cells: []templ.Component{
			ui.Text(strings.Join(a.Lines(v.employee.Position), ", ")), ui.Text(a.Decree + " (" + a.DecreeDate + ")"), ui.Text(a.From + " – " + until), state, act,
		}})
	}
	return t
}
