package auth

import (
	"errors"
	"net/http"

	"absah/internal/account"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// linkForm is the page of a live one-time link.
type linkForm struct {
	Link   account.Link
	Min    int
	Errors web.FieldErrors
}

// link shows the page of a one-time link. However often somebody opens it,
// the link stays as it was.
func (p *Pages) link(w http.ResponseWriter, r *http.Request) error {
	if err := p.opens.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	l, err := p.accounts.FindLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return p.deadLink(w, r, err)
	}
	return p.showLink(w, r, linkForm{Link: l})
}

func (p *Pages) showLink(w http.ResponseWriter, r *http.Request, f linkForm) error {
	f.Min = p.accounts.Policy.MinPassword
	title := "auth.link.activate"
	if f.Link.Purpose == account.ResetPassword {
		title = "auth.link.password"
	}
	pg := page(r, title, len(f.Errors) > 0)
	pg.HideTitle = true
	return web.PublicPage(w, r, f.Errors.Status(w), pg, linkPage(f))
}

// deadLink says why a link no longer works, and what to do.
func (p *Pages) deadLink(w http.ResponseWriter, r *http.Request, err error) error {
	var dead *account.DeadLink
	if !errors.As(err, &dead) {
		if errors.Is(err, account.ErrNoLink) {
			return web.ErrNotFound
		}
		return err
	}
	return web.PublicPage(w, r, http.StatusGone, page(r, "auth.link.dead."+string(dead.Why), false), deadLinkPage(*dead))
}

func (p *Pages) doLink(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if err := p.opens.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	token := r.PathValue("token")
	l, err := p.accounts.FindLink(r.Context(), token)
	if err != nil {
		return p.deadLink(w, r, err)
	}
	f := linkForm{Link: l, Errors: web.FieldErrors{}}
	var weak *account.WeakError
	_, err = p.accounts.Redeem(r.Context(), token, r.PostForm.Get("password"), client(r))
	switch {
	case errors.As(err, &weak):
		p.weak(f.Errors, "password", weak)
		return p.showLink(w, r, f)
	case errors.Is(err, account.ErrBusy):
		f.Errors.AddBusy("password", "auth.link.busy")
		return p.showLink(w, r, f)
	case err != nil:
		return p.deadLink(w, r, err)
	}
	web.Flash(w, r, ui.Success, "auth.link.done")
	return web.See(w, r, "/masuk")
}

// weak says which rule a password breaks.
func (p *Pages) weak(errs web.FieldErrors, field string, e *account.WeakError) {
	if e.Rule == account.RuleShort {
		errs.Add(field, "auth.weak.short", "min", p.accounts.Policy.MinPassword)
		return
	}
	errs.Add(field, "auth.weak."+e.Rule)
}

// forgotForm is the page for forgotten passwords.
type forgotForm struct {
	Username string
	Sent     bool
	Errors   web.FieldErrors
}

func (p *Pages) forgot(w http.ResponseWriter, r *http.Request) error {
	return p.showForgot(w, r, forgotForm{})
}

func (p *Pages) showForgot(w http.ResponseWriter, r *http.Request, f forgotForm) error {
	pg := page(r, "auth.forgot.title", len(f.Errors) > 0)
	pg.HideTitle = true
	return web.PublicPage(w, r, f.Errors.Status(w), pg, forgotPage(f))
}

// doForgot gives the same answer whether or not there is such an account.
func (p *Pages) doForgot(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := forgotForm{Username: web.Value(r, "username"), Errors: web.FieldErrors{}}
	if f.Username == "" {
		f.Errors.Add("username", "auth.login.need_username")
		return p.showForgot(w, r, f)
	}
	if err := p.mails.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	if err := p.accounts.Forgot(r.Context(), f.Username, client(r)); err != nil {
		return err
	}
	f.Sent, f.Username = true, ""
	return p.showForgot(w, r, f)
}
