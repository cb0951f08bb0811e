package enrol

import (
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"absah/internal/agreement"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// The names of the cookies.
const (
	sessionCookie = "absah_enrol"      // the session that SetPassphrase opened
	linkCookie    = "absah_enrol_link" // the link, over a detour to the login
	doneCookie    = "absah_enrol_done" // the reference for the last page
)

// keep sets a cookie that goes to these pages only.
func (p *Pages) keep(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, p.cookie(r, name, value, int(life.Seconds())))
}

func (p *Pages) forget(w http.ResponseWriter, r *http.Request, name string) {
	http.SetCookie(w, p.cookie(r, name, "", -1))
}

func (p *Pages) cookie(r *http.Request, name, value string, age int) *http.Cookie {
	site := web.RequestOf(r.Context()).Site
	return &http.Cookie{
		Name: cookieName(site, name), Value: value, Path: base, MaxAge: age,
		HttpOnly: true, Secure: site.Secure, SameSite: http.SameSiteLaxMode,
	}
}

func (p *Pages) kept(r *http.Request, name string) string {
	c, err := r.Cookie(cookieName(web.RequestOf(r.Context()).Site, name))
	if err != nil {
		return ""
	}
	return c.Value
}

// cookieName has the prefix of RFC 6265bis 4.1.3.1. That of 4.1.3.2, which
// site.CookieName gives, does not allow a path.
func cookieName(site *web.Site, name string) string {
	if site.Secure {
		return "__Secure-" + name
	}
	return name
}

// session is the registration whose passphrase this browser has set.
func (p *Pages) session(r *http.Request) (db.Registration, error) {
	token := p.kept(r, sessionCookie)
	if token == "" {
		return db.Registration{}, enrolment.ErrNotFound
	}
	return p.enrolment.Session(r.Context(), token)
}

// consent is the page of the two texts.
type consent struct {
	Action    string
	Reference string
	Texts     Texts
	Errors    web.FieldErrors
}

// Texts are the two texts in one language.
type Texts struct {
	Locale    string
	Agreement enrolment.Text
	Privacy   enrolment.Text
}

// TextsIn finds the texts in force in a language.
func TextsIn(t enrolment.Texts, locale string) (Texts, error) {
	out := Texts{Locale: locale}
	var err error
	if out.Agreement, err = t.Current(agreement.Agreement, locale); err != nil {
		return out, err
	}
	out.Privacy, err = t.Current(agreement.Privacy, locale)
	return out, err
}

func (p *Pages) agreement(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.session(r)
	if errors.Is(err, enrolment.ErrNotFound) {
		return p.lost(w, r)
	}
	if err != nil {
		return err
	}
	if enrolment.Status(reg.Status) != enrolment.OnSetPassphrase {
		return web.See(w, r, base+"selesai")
	}
	return p.showAgreement(w, r, reg, nil)
}

// lost is the page when the session has ended or belongs to another browser:
// the passphrase is kept, and the agreement can be accepted after logging in.
func (p *Pages) lost(w http.ResponseWriter, r *http.Request) error {
	if p.kept(r, doneCookie) != "" {
		return web.See(w, r, base+"selesai")
	}
	return web.PublicPage(w, r, http.StatusGone, page(r, "enrol.lost.title", false), lostBody())
}

func (p *Pages) showAgreement(w http.ResponseWriter, r *http.Request, reg db.Registration, errs web.FieldErrors) error {
	ctx := r.Context()
	texts, err := TextsIn(p.enrolment.Texts, string(i18n.LangOf(ctx)))
	if err != nil {
		return err
	}
	pg := page(r, "enrol.agreement.title", len(errs) > 0)
	pg.Lede = i18n.T(ctx, "enrol.step", "n", 2)
	c := consent{Action: base + "perjanjian", Reference: reg.Reference, Texts: texts, Errors: errs}
	return web.PublicPage(w, r, errs.Status(w), pg, agreementBody(c))
}

// The fields of the agreement's form.
const (
	fieldAgree   = "setuju"
	fieldConsent = "data_pribadi"
	fieldLocale  = "bahasa"
)

// ReadConsent reads the form of Consent. Whatever is not ticked is noted in
// errs.
func ReadConsent(r *http.Request, errs web.FieldErrors) enrolment.Consent {
	c := enrolment.Consent{Locale: web.Value(r, fieldLocale)}
	tick := func(field, key string) []byte {
		hash, err := hex.DecodeString(web.Value(r, field))
		if err != nil || len(hash) == 0 {
			errs.Add(field, key)
		}
		return hash
	}
	c.Agreement = tick(fieldAgree, "enrol.agreement.needAgree")
	c.Privacy = tick(fieldConsent, "enrol.agreement.needConsent")
	return c
}

// accept takes both declarations: each is its own act, and the value of its
// box is the hash of the very text beside it.
func (p *Pages) accept(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	reg, err := p.session(r)
	if errors.Is(err, enrolment.ErrNotFound) {
		return p.lost(w, r)
	}
	if err != nil {
		return err
	}
	errs := web.FieldErrors{}
	c := ReadConsent(r, errs)
	if len(errs) > 0 {
		return p.showAgreement(w, r, reg, errs)
	}
	err = p.enrolment.Accept(r.Context(), holder(r), enrolment.LinkHolder, reg.ID, c)
	var not *enrolment.NotAllowedError
	switch {
	case errors.Is(err, enrolment.ErrConsent), errors.Is(err, agreement.ErrNoText):
		errs.Add(fieldAgree, "enrol.agreement.changed")
		return p.showAgreement(w, r, reg, errs)
	case errors.As(err, &not) && not.Status == enrolment.Enroll:
		// Sent twice: the first one did it.
	case errors.As(err, &not), errors.Is(err, enrolment.ErrNoPassphrase), errors.Is(err, enrolment.ErrNotFound):
		return p.lost(w, r)
	case err != nil:
		return err
	}
	p.forget(w, r, sessionCookie)
	p.keep(w, r, doneCookie, reg.Reference, 15*time.Minute)
	return web.See(w, r, base+"selesai")
}

// done says that the subscriber has done what is his.
func (p *Pages) done(w http.ResponseWriter, r *http.Request) error {
	reference := p.kept(r, doneCookie)
	if len(reference) > 20 {
		reference = ""
	}
	pg := page(r, "enrol.done.title", false)
	pg.HideTitle = true
	wait, ok, err := p.enrolment.UsualWait(r.Context(), enrolment.Enroll)
	if err != nil {
		return err
	}
	d := finished{Reference: reference}
	if ok {
		d.Wait = &wait
	}
	return web.PublicPage(w, r, http.StatusOK, pg, doneBody(d))
}
