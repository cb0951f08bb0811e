package auth

import (
	"errors"
	"net/http"

	"absah/internal/account"
	"absah/internal/ca"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// overview is the page of the account's security.
type overview struct {
	Viewer   *account.Viewer
	Factors  account.Factors
	Sessions []db.Session
	Passkeys bool // can be used here
	Needed   bool // the viewer's roles ask for a second factor
}

// fingerprint is what an officer reads out so that the authority knows his
// passkey; empty when the passkey cannot be read.
func fingerprint(k db.Passkey) string {
	mark, err := ca.PasskeyFingerprint(k.CredentialID, k.Data)
	if err != nil {
		return ""
	}
	return mark
}

func (p *Pages) security(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	o := overview{Viewer: v, Passkeys: p.accounts.HasPasskeys(), Needed: v.Officer()}
	var err error
	if o.Factors, err = p.accounts.Factors(r.Context(), v.Account.ID); err != nil {
		return err
	}
	if o.Sessions, err = p.accounts.Sessions(r.Context(), v); err != nil {
		return err
	}
	pg := page(r, "auth.security.title", false)
	pg.Scripts = []string{"passkey.js"}
	return web.Page(w, r, http.StatusOK, pg, securityPage(o))
}

func (p *Pages) setLocale(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	lang, ok := i18n.ParseLang(web.Value(r, "lang"))
	if !ok {
		return web.ErrBadRequest
	}
	if err := p.accounts.SetLocale(r.Context(), web.ViewerOf(r.Context()), string(lang)); err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "auth.security.saved")
	return web.See(w, r, "/akun")
}

// passwordForm is the page that changes the password.
type passwordForm struct {
	Username string // for password managers
	Min      int
	Errors   web.FieldErrors
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) error {
	return p.showPassword(w, r, nil)
}

func (p *Pages) showPassword(w http.ResponseWriter, r *http.Request, errs web.FieldErrors) error {
	pg := page(r, "auth.password.title", len(errs) > 0)
	pg.Breadcrumbs = crumbs(r, "auth.password.title")
	f := passwordForm{Username: web.ViewerOf(r.Context()).Account.Username, Min: p.accounts.Policy.MinPassword, Errors: errs}
	return web.Page(w, r, errs.Status(w), pg, passwordPage(f))
}

func crumbs(r *http.Request, here string) []ui.Link {
	ctx := r.Context()
	if web.ViewerOf(ctx).MustEnrol {
		return nil // the page above is not open yet
	}
	return []ui.Link{{Label: i18n.T(ctx, "auth.security.title"), Href: "/akun"}, {Label: i18n.T(ctx, here)}}
}

func (p *Pages) doPassword(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v, errs := web.ViewerOf(r.Context()), web.FieldErrors{}
	if r.PostForm.Get("old") == "" {
		errs.Add("old", "auth.password.need_old")
		return p.showPassword(w, r, errs)
	}
	if err := p.tries.Allow(web.ClientAddress(r.Context())); err != nil {
		return err
	}
	var weak *account.WeakError
	in, err := p.accounts.ChangePassword(r.Context(), v, r.PostForm.Get("old"), r.PostForm.Get("password"))
	switch {
	case errors.Is(err, account.ErrCredentials):
		errs.Add("old", "auth.password.wrong_old")
	case errors.As(err, &weak):
		p.weak(errs, "password", weak)
	case errors.Is(err, account.ErrBusy):
		errs.AddBusy("old", "auth.password.busy")
	case err != nil:
		return err
	}
	if len(errs) > 0 {
		return p.showPassword(w, r, errs)
	}
	web.StartSession(w, r, in)
	web.Flash(w, r, ui.Success, "auth.password.done")
	return web.See(w, r, "/akun")
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	id := r.PathValue("id")
	if err := p.accounts.RevokeSession(r.Context(), v, id); errors.Is(err, account.ErrNotFound) {
		return web.ErrNotFound
	} else if err != nil {
		return err
	}
	if id == v.Session.ID {
		web.ForgetSession(w, web.RequestOf(r.Context()).Site)
		return web.See(w, r, "/masuk")
	}
	web.Flash(w, r, ui.Success, "auth.session.ended")
	return web.See(w, r, "/akun")
}

func (p *Pages) endOthers(w http.ResponseWriter, r *http.Request) error {
	if err := p.accounts.RevokeOthers(r.Context(), web.ViewerOf(r.Context())); err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "auth.session.others_ended")
	return web.See(w, r, "/akun")
}

// setUp offers the kinds of second factor, to those who must have one and to
// those who want one.
func (p *Pages) setUp(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	if err := p.accounts.RequireFresh(v, p.accounts.Policy.Fresh); err != nil {
		return err
	}
	pg := page(r, "auth.setup.title", false)
	pg.Scripts, pg.Breadcrumbs = []string{"passkey.js"}, crumbs(r, "auth.setup.title")
	return web.Page(w, r, http.StatusOK, pg, setUpPage(v.MustEnrol, p.accounts.HasPasskeys()))
}

// appForm is the page that adds an authenticator app.
type appForm struct {
	Setup  account.TOTPSetup
	Code   qrCode
	Errors web.FieldErrors
}

func (p *Pages) app(w http.ResponseWriter, r *http.Request) error {
	setup, err := p.accounts.BeginTOTP(r.Context(), web.ViewerOf(r.Context()))
	if err != nil {
		return err
	}
	return p.showApp(w, r, appForm{Setup: setup})
}

func (p *Pages) showApp(w http.ResponseWriter, r *http.Request, f appForm) error {
	var err error
	if f.Code, err = drawQR(f.Setup.URI); err != nil {
		return err
	}
	pg := page(r, "auth.app.title", len(f.Errors) > 0)
	pg.Breadcrumbs = crumbs(r, "auth.app.title")
	return web.Page(w, r, f.Errors.Status(w), pg, appPage(f))
}

func (p *Pages) doApp(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	v, state := web.ViewerOf(r.Context()), r.PostForm.Get("state")
	in, err := p.accounts.FinishTOTP(r.Context(), v, state, web.Value(r, "code"))
	if errors.Is(err, account.ErrCode) {
		setup, err := p.accounts.ResumeTOTP(r.Context(), v, state)
		if errors.Is(err, account.ErrCode) { // too old: start again
			return web.See(w, r, "/akun/aplikasi")
		}
		if err != nil {
			return err
		}
		errs := web.FieldErrors{}
		errs.Add("code", "auth.app.wrong")
		return p.showApp(w, r, appForm{Setup: setup, Errors: errs})
	}
	if errors.Is(err, account.ErrNotFresh) {
		return web.See(w, r, withNext("/akun/konfirmasi", "/akun/aplikasi"))
	}
	if err != nil {
		return err
	}
	web.StartSession(w, r, in)
	web.Flash(w, r, ui.Success, "auth.app.done")
	to, err := p.afterFactor(r, v)
	if err != nil {
		return err
	}
	return web.See(w, r, to)
}

func (p *Pages) removeApp(w http.ResponseWriter, r *http.Request) error {
	return p.removed(w, r, p.accounts.RemoveTOTP(r.Context(), web.ViewerOf(r.Context())), "auth.app.removed")
}

// recoveryForm is the page of the recovery codes: before and after making them.
type recoveryForm struct {
	Left  int64
	Codes []string
}

func (p *Pages) recovery(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	if err := p.accounts.RequireFresh(v, p.accounts.Policy.Fresh); err != nil {
		return err
	}
	f, err := p.accounts.Factors(r.Context(), v.Account.ID)
	if err != nil {
		return err
	}
	if !f.Any() {
		return web.See(w, r, "/akun/dua-langkah")
	}
	return p.showRecovery(w, r, recoveryForm{Left: f.RecoveryLeft})
}

func (p *Pages) showRecovery(w http.ResponseWriter, r *http.Request, f recoveryForm) error {
	pg := page(r, "auth.recovery.title", false)
	pg.Breadcrumbs = crumbs(r, "auth.recovery.title")
	return web.Page(w, r, http.StatusOK, pg, recoveryPage(f))
}

func (p *Pages) doRecovery(w http.ResponseWriter, r *http.Request) error {
	codes, err := p.accounts.NewRecoveryCodes(r.Context(), web.ViewerOf(r.Context()))
	if errors.Is(err, account.ErrNotFresh) {
		return web.See(w, r, withNext("/akun/konfirmasi", "/akun/kode-pemulihan"))
	}
	if err != nil {
		return err
	}
	return p.showRecovery(w, r, recoveryForm{Codes: codes})
}
