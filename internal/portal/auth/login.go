package auth

import (
	"errors"
	"net/http"

	"absah/internal/account"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// loginForm is what somebody typed; never the password.
type loginForm struct {
	Username string
	Next     string
	Passkeys bool
	Errors   web.FieldErrors
}

func (p *Pages) login(w http.ResponseWriter, r *http.Request) error {
	to := next(r.URL.Query().Get("next"))
	if web.ViewerOf(r.Context()) != nil {
		return web.See(w, r, to)
	}
	return p.showLogin(w, r, loginForm{Next: to})
}

func (p *Pages) showLogin(w http.ResponseWriter, r *http.Request, f loginForm) error {
	f.Passkeys = p.accounts.HasPasskeys()
	pg := page(r, "auth.login.title", len(f.Errors) > 0)
	pg.Scripts = []string{"passkey.js"}
	pg.HideTitle = true
	return web.PublicPage(w, r, f.Errors.Status(w), pg, loginPage(f))
}

func (p *Pages) doLogin(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	f := loginForm{Username: web.Value(r, "username"), Next: next(web.Value(r, "next")), Errors: web.FieldErrors{}}
	password := r.PostForm.Get("password")
	if f.Username == "" {
		f.Errors.Add("username", "auth.login.need_username")
	}
	if password == "" {
		f.Errors.Add("password", "auth.login.need_password")
	}
	if len(f.Errors) > 0 {
		return p.showLogin(w, r, f)
	}
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	in, err := p.accounts.Login(r.Context(), f.Username, password, client(r))
	switch {
	case errors.Is(err, account.ErrCredentials):
		f.Errors.Add("username", "auth.login.wrong")
		return p.showLogin(w, r, f)
	case errors.Is(err, account.ErrBusy):
		f.Errors.AddBusy("password", "auth.login.busy")
		return p.showLogin(w, r, f)
	case err != nil:
		return err
	}
	web.StartSession(w, r, in)
	if in.Session.State == account.Half {
		return web.See(w, r, withNext("/masuk/dua-langkah", f.Next))
	}
	return web.See(w, r, f.Next)
}

// secondForm is the page of the second step.
type secondForm struct {
	Factors  account.Factors
	Next     string
	Action   string
	Confirm  bool // a fresh proof, not the second step of signing in
	Password bool // the password is the only factor there is
	Recovery bool // a recovery code is typed instead
	Passkeys bool
	Errors   web.FieldErrors
}

func (p *Pages) second(w http.ResponseWriter, r *http.Request) error {
	return p.showSecond(w, r, secondForm{
		Next: next(r.URL.Query().Get("next")), Recovery: r.URL.Query().Get("cara") == "pemulihan",
	})
}

func (p *Pages) showSecond(w http.ResponseWriter, r *http.Request, f secondForm) error {
	v := web.ViewerOf(r.Context())
	var err error
	if f.Factors, err = p.accounts.Factors(r.Context(), v.Account.ID); err != nil {
		return err
	}
	f.Action, f.Passkeys = "/masuk/dua-langkah", p.accounts.HasPasskeys() && len(f.Factors.Passkeys) > 0
	title := "auth.second.title"
	if f.Confirm {
		f.Action, title = "/akun/konfirmasi", "auth.confirm.title"
		f.Password = v.Session.Factor == account.FactorNone
	}
	pg := page(r, title, len(f.Errors) > 0)
	pg.Scripts, pg.HideTitle = []string{"passkey.js"}, true
	return web.PublicPage(w, r, f.Errors.Status(w), pg, secondPage(f))
}

func (p *Pages) doSecond(w http.ResponseWriter, r *http.Request) error {
	return p.tryFactor(w, r, false)
}

func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	return p.showSecond(w, r, secondForm{
		Confirm: true, Next: next(r.URL.Query().Get("next")), Recovery: r.URL.Query().Get("cara") == "pemulihan",
	})
}

func (p *Pages) doConfirm(w http.ResponseWriter, r *http.Request) error {
	return p.tryFactor(w, r, true)
}

// tryFactor checks what was typed on the page of the second step or of a fresh
// proof.
func (p *Pages) tryFactor(w http.ResponseWriter, r *http.Request, confirm bool) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v := web.ViewerOf(r.Context())
	f := secondForm{Confirm: confirm, Next: next(web.Value(r, "next")), Errors: web.FieldErrors{}}
	f.Recovery = r.PostForm.Has("recovery")
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	var in account.SignIn
	var err error
	field := "code"
	switch {
	case confirm && v.Session.Factor == account.FactorNone:
		field = "password"
		in, err = p.accounts.ConfirmPassword(r.Context(), v, r.PostForm.Get("password"))
	case f.Recovery:
		field = "recovery"
		in, err = p.accounts.ProveRecovery(r.Context(), v, web.Value(r, "recovery"))
	default:
		in, err = p.accounts.ProveTOTP(r.Context(), v, web.Value(r, "code"))
	}
	switch {
	case errors.Is(err, account.ErrCode):
		f.Errors.Add(field, "auth.second.wrong_"+field)
		return p.showSecond(w, r, f)
	case errors.Is(err, account.ErrCredentials):
		f.Errors.Add("password", "auth.confirm.wrong_password")
		return p.showSecond(w, r, f)
	case errors.Is(err, account.ErrNoSession):
		return web.See(w, r, "/masuk")
	case errors.Is(err, account.ErrBusy):
		f.Errors.AddBusy(field, "auth.login.busy")
		return p.showSecond(w, r, f)
	case err != nil:
		return err
	}
	web.StartSession(w, r, in)
	if in.Session.Factor == account.FactorRecovery {
		web.Flash(w, r, ui.Warning, "auth.second.recovery_used")
	}
	return web.See(w, r, f.Next)
}

func (p *Pages) logout(w http.ResponseWriter, r *http.Request) error {
	if v := web.ViewerOf(r.Context()); v != nil {
		if err := p.accounts.Logout(r.Context(), v); err != nil && !errors.Is(err, account.ErrNotFound) {
			return err
		}
	}
	web.ForgetSession(w, web.RequestOf(r.Context()).Site)
	web.Flash(w, r, ui.Success, "auth.login.out")
	return web.See(w, r, "/masuk")
}
