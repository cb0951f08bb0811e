// Package enrol holds the pages behind the link of the e-mail: make a
// passphrase, read and accept the agreement, done. They need no login unless
// policy asks for one, and no GET or HEAD changes anything.
package enrol

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/identity"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// base is the folder of the pages; the guide's links begin with it.
const base = "/email/user/enroll/"

// Pages are the pages of this package.
type Pages struct {
	enrolment *enrolment.Service
	clock     clock.Clock
	tries     *web.Limiter // of forms, by address: each costs an estimate
}

// New makes the pages.
func New(s *enrolment.Service, now clock.Clock) *Pages {
	return &Pages{enrolment: s, clock: now, tries: web.NewLimiter(now, time.Second, 60)}
}

// Routes lists the pages, and the files of the meter, which the pages of
// package ds use too.
func (p *Pages) Routes() []web.Route {
	get, post := http.MethodGet, http.MethodPost
	return append([]web.Route{
		{Method: get, Path: base + "{token}", Access: web.Public, Handler: p.link},
		{Method: post, Path: base + "{token}", Access: web.Public, Handler: p.set},
		{Method: get, Path: base + "lanjut", Access: web.Public, Handler: p.resume},
		{Method: get, Path: base + "perjanjian", Access: web.Public, Handler: p.agreement},
		{Method: post, Path: base + "perjanjian", Access: web.Public, Handler: p.accept},
		{Method: get, Path: base + "selesai", Access: web.Public, Handler: p.done},
	}, passform.Routes()...)
}

// form is the page that makes a passphrase.
type form struct {
	Action string
	Link   enrolment.Link
	NIK    string // masked
	Reset  bool
	Now    time.Time
	Fields passform.Props
	Errors web.FieldErrors
}

// link shows what a link leads to. However often it is opened, by whomever,
// nothing changes.
func (p *Pages) link(w http.ResponseWriter, r *http.Request) error {
	l, err := p.enrolment.LookAtLink(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if l.State != enrolment.LinkLive {
		return p.dead(w, r, l)
	}
	if stop, err := p.needsLogin(w, r, l); stop || err != nil {
		return err
	}
	return p.show(w, r, l, nil, nil)
}

// needsLogin answers in place of the form when policy wants the owner of the
// link to be signed in and he is not.
func (p *Pages) needsLogin(w http.ResponseWriter, r *http.Request, l enrolment.Link) (stop bool, err error) {
	if !p.enrolment.Policy.LinkLogin {
		return false, nil
	}
	v := web.ViewerOf(r.Context())
	if v != nil && v.EmployeeID == l.Registration.EmployeeID {
		return false, nil
	}
	if v != nil {
		pg := page(r, "enrol.stranger.title", false)
		return true, web.PublicPage(w, r, http.StatusForbidden, pg, otherBody())
	}
	// The way back must not hold the token: addresses are logged.
	p.keep(w, r, linkCookie, r.PathValue("token"), time.Hour)
	pg := page(r, "enrol.login.title", false)
	return true, web.PublicPage(w, r, http.StatusForbidden, pg, loginBody())
}

// resume leads back to the link after logging in.
func (p *Pages) resume(w http.ResponseWriter, r *http.Request) error {
	token := p.kept(r, linkCookie)
	if len(token) != 32 {
		return web.See(w, r, "/ds")
	}
	return web.See(w, r, base+token)
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, l enrolment.Link, errs web.FieldErrors, s *passphrase.Strength) error {
	ctx := r.Context()
	f := form{
		Action: base + r.PathValue("token"), Link: l, Now: p.clock(), Errors: errs,
		Reset: enrolment.Kind(l.Registration.Kind) == enrolment.Reset,
	}
	var err error
	if f.NIK, err = p.maskedNIK(ctx, l.Employee); err != nil {
		return err
	}
	own, err := p.publicWords(ctx, l.Employee)
	if err != nil {
		return err
	}
	f.Fields = passform.Props{
		Policy: p.enrolment.Estimator.Policy(), Own: own, Year: p.clock().Year(), Errors: errs, Strength: s,
	}
	pg := page(r, "enrol.title", len(errs) > 0)
	pg.Lede = i18n.T(ctx, "enrol.step", "n", 1)
	return web.PublicPage(w, r, errs.Status(w), pg, formBody(f))
}

func (p *Pages) maskedNIK(ctx context.Context, e db.Employee) (string, error) {
	if len(e.NikSealed) == 0 {
		return "", nil
	}
	plain, err := p.enrolment.Vault.Open(ctx, keys.Data, e.NikSealed, []byte("employee/"+e.ID+"/nik"))
	if err != nil {
		return "", fmt.Errorf("open NIK: %w", err)
	}
	nik, err := identity.ParseNIK(string(plain))
	if err != nil {
		return "", fmt.Errorf("open NIK: %w", err)
	}
	return nik.Masked(), nil
}

func (p *Pages) publicWords(ctx context.Context, e db.Employee) ([]string, error) {
	u, err := p.enrolment.Store.Read().GetUnit(ctx, e.UnitID)
	if err != nil {
		return nil, fmt.Errorf("read unit: %w", err)
	}
	return passphrase.Owner{Name: e.Name, Email: e.Email, Unit: u.Name}.PublicWords(), nil
}

// set takes the passphrase. Only this uses the link up.
func (p *Pages) set(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := p.tries.Allow(web.ClientAddress(ctx)); err != nil {
		return err
	}
	f, err := passform.Read(w, r, passform.Field, passform.Confirm)
	if err != nil {
		return err
	}
	defer f.Wipe()
	l, err := p.enrolment.LookAtLink(ctx, r.PathValue("token"))
	if err != nil {
		return err
	}
	if l.State != enrolment.LinkLive {
		return p.dead(w, r, l)
	}
	if stop, err := p.needsLogin(w, r, l); stop || err != nil {
		return err
	}
	errs, policy := web.FieldErrors{}, p.enrolment.Estimator.Policy()
	secret := passform.Pair(f, errs, policy)
	if secret == nil {
		return p.show(w, r, l, errs, nil)
	}
	session, err := p.enrolment.SetPassphrase(ctx, holder(r), r.PathValue("token"), secret)
	var link *enrolment.LinkError
	switch {
	case err == nil:
		p.keep(w, r, sessionCookie, session, p.enrolment.Policy.SessionValidity)
		p.forget(w, r, linkCookie)
		return web.See(w, r, base+"perjanjian")
	case errors.As(err, &link):
		if l, err = p.enrolment.LookAtLink(ctx, r.PathValue("token")); err != nil {
			return err
		}
		return p.dead(w, r, l)
	case errors.Is(err, credential.ErrBusy), errors.Is(err, passphrase.ErrBusy), errors.Is(err, passphrase.ErrTimeout):
		errs.AddBusy(passform.Field, "passphrase.error.busy")
		return p.show(w, r, l, errs, nil)
	case passform.Explain(errs, passform.Field, policy, err):
		strength, err := p.enrolment.Strength(ctx, l.Employee, secret)
		if err != nil {
			return p.show(w, r, l, errs, nil)
		}
		return p.show(w, r, l, errs, &strength)
	}
	return err
}

// holder is whoever has the link. An account may be signed in beside, but it
// is the link that gives the right.
func holder(r *http.Request) audit.Actor {
	a := audit.Actor{AccountID: "link", Role: string(enrolment.LinkHolder), Address: web.ClientAddress(r.Context()), UserAgent: r.UserAgent()}
	if v := web.ViewerOf(r.Context()); v != nil {
		a.UserAgent = v.UserAgent
	}
	return a
}

// dead is the page of a link that leads nowhere: why, since when, what to do.
func (p *Pages) dead(w http.ResponseWriter, r *http.Request, l enrolment.Link) error {
	code := http.StatusGone
	if l.State == enrolment.LinkUnknown {
		code = http.StatusNotFound
	}
	d := deadLink{State: l.State, At: l.At, Status: enrolment.Status(l.Registration.Status), KeySet: l.KeySet}
	if reg, err := p.session(r); err == nil && reg.ID == l.Registration.ID {
		d.Continue = enrolment.Status(reg.Status) == enrolment.OnSetPassphrase
	} else if err != nil && !errors.Is(err, enrolment.ErrNotFound) {
		return err
	}
	return web.PublicPage(w, r, code, page(r, "enrol.dead."+string(l.State)+".title", false), deadBody(d))
}

func page(r *http.Request, title string, bad bool) ui.Page {
	return ui.Page{Title: i18n.T(r.Context(), title), HasErrors: bad}
}
