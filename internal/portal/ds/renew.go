package ds

import (
	"context"
	hexa "encoding/hex"
	"errors"
	"net/http"
	"time"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

// renewal is the page that renews the certificate.
type renewal struct {
	enrolment.RenewalOffer
	Until   time.Time // end of the certificate in use
	Now     time.Time
	Counter counter
	Errors  web.FieldErrors
}

// renewNotice says that a renewal is due.
func renewNotice(ctx context.Context, all certificates) string {
	if all.Renewal.Reissue {
		return i18n.T(ctx, "renew.reissueNotice")
	}
	v := renewal{Until: clock.FromMicros(all.Renewal.Certificate.NotAfter), Now: all.Now}
	return i18n.T(ctx, "renew.notice", "days", v.Days())
}

func renewButton(ctx context.Context, all certificates) ui.ButtonProps {
	b := ui.ButtonProps{Kind: ui.Secondary, Label: i18n.T(ctx, "renew.do"), Href: "/ds/perpanjang", Icon: "arrow-repeat"}
	if all.Renewal.Reissue {
		b.Label = i18n.T(ctx, "renew.doReissue")
	}
	if all.Renewal.Open(all.Now) {
		b.Kind = ui.Primary
	}
	return b
}

// Days are the full days left.
func (v renewal) Days() int { return max(0, int(v.Until.Sub(v.Now).Hours()/24)) }

func (p *Pages) renew(w http.ResponseWriter, r *http.Request) error { return p.showRenew(w, r, nil) }

func (p *Pages) showRenew(w http.ResponseWriter, r *http.Request, errs web.FieldErrors) error {
	ctx := r.Context()
	o, err := p.Enrolment.Renewal(ctx, me(r).EmployeeID, string(i18n.LangOf(ctx)))
	if errors.Is(err, enrolment.ErrNotFound) {
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
		return web.See(w, r, "/ds")
	}
	if err != nil {
		return err
	}
	v := renewal{RenewalOffer: o, Until: clock.FromMicros(o.Certificate.NotAfter), Now: p.Clock(), Errors: errs}
	if v.Counter, err = p.counter(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	return web.Page(w, r, errs.Status(w), page(r, "renew.title", len(errs) > 0), renewBody(v))
}

// doRenew renews with the passphrase, or asks for a renewal that officers check.
func (p *Pages) doRenew(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f, err := passform.Read(w, r, fieldOld)
	if err != nil {
		return err
	}
	defer f.Wipe()
	if f.Value("cara") == "periksa" {
		_, err := p.Enrolment.RequestRenewal(ctx, me(r))
		return p.afterRenewal(w, r, err, "renew.requested")
	}
	errs, policy := web.FieldErrors{}, p.Enrolment.Estimator.Policy()
	secret, err := f.Secret(fieldOld)
	if err != nil {
		passform.Explain(errs, fieldOld, policy, err)
		return p.showRenew(w, r, errs)
	}
	c := enrolment.Consent{Locale: string(i18n.LangOf(ctx))}
	c.Agreement, _ = hexa.DecodeString(f.Value("setuju"))     // what is no hash is no consent
	c.Privacy, _ = hexa.DecodeString(f.Value("data_pribadi")) // the same
	reg, err := p.Enrolment.Renew(ctx, me(r), secret, c)
	var weak *passphrase.WeakError
	switch {
	case errors.Is(err, enrolment.ErrConsent):
		errs.Add("setuju", "renew.needConsent")
		return p.showRenew(w, r, errs)
	case errors.As(err, &weak):
		errs.Add(fieldOld, "renew.weak")
		return p.showRenew(w, r, errs)
	case err != nil && p.destroyed(w, r, err):
		return web.See(w, r, "/ds")
	case err != nil && p.explain(ctx, errs, err):
		return p.showRenew(w, r, errs)
	}
	done := "renew.done"
	if enrolment.Status(reg.Status) == enrolment.Enroll {
		done = "renew.second"
	}
	return p.afterRenewal(w, r, err, done)
}

// afterRenewal leads on, or back to the page that says why not.
func (p *Pages) afterRenewal(w http.ResponseWriter, r *http.Request, err error, done string) error {
	var early *enrolment.EarlyError
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, done)
		return web.See(w, r, "/ds")
	case errors.Is(err, enrolment.ErrNotFound):
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
		return web.See(w, r, "/ds")
	case errors.As(err, &early), errors.Is(err, enrolment.ErrRenewing), errors.Is(err, enrolment.ErrIncomplete),
		errors.Is(err, enrolment.ErrNeedsChecks), errors.Is(err, enrolment.ErrStale):
		// The page of now says which of these it is, and what to do.
		return web.See(w, r, "/ds/perpanjang")
	case errors.Is(err, credential.ErrBusy):
		return web.TooMany{After: time.Second * 10}
	}
	return err
}
