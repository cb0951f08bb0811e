package ds

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// suspendForm is the page that asks for the reason of a suspension.
type suspendForm struct {
	Registration db.Registration
	Reason, Text string
	Errors       web.FieldErrors
}

func (p *Pages) confirmSuspend(w http.ResponseWriter, r *http.Request) error {
	return p.showSuspend(w, r, nil, "", "")
}

func (p *Pages) showSuspend(w http.ResponseWriter, r *http.Request, errs web.FieldErrors, why, text string) error {
	reg, ok, err := p.issued(w, r)
	if !ok {
		return err
	}
	f := suspendForm{Registration: reg, Reason: why, Text: text, Errors: errs}
	return web.Page(w, r, errs.Status(w), page(r, "ds.suspend.title", len(errs) > 0), suspendBody(f))
}

func (p *Pages) suspend(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	errs := web.FieldErrors{}
	why, text := web.Value(r, "alasan"), web.Value(r, "catatan")
	if !slices.Contains(enrolment.SuspendReasons, why) {
		errs.Add("alasan", "ds.suspend.needReason")
	}
	if why == enrolment.OtherReason && text == "" {
		errs.Add("catatan", "ds.suspend.needWords")
	}
	if len(text) > 2000 {
		errs.Add("catatan", "ds.revoke.long")
	}
	if len(errs) > 0 {
		return p.showSuspend(w, r, errs, why, text)
	}
	err := p.Enrolment.Suspend(r.Context(), checker(me(r)), enrolment.Applicant, web.Value(r, "registrasi"), enrolment.Reason{Code: why, Text: text})
	var not *enrolment.NotAllowedError
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		return web.ErrNotFound
	case errors.As(err, &not):
		web.Flash(w, r, ui.Warning, "ds.suspend.already")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "ds.suspend.done")
	}
	return web.See(w, r, "/ds")
}

func suspendOptions(ctx context.Context) []ui.Option {
	out := make([]ui.Option, len(enrolment.SuspendReasons))
	for i, code := range enrolment.SuspendReasons {
		out[i] = ui.Option{Value: code, Label: i18n.T(ctx, "reason."+code)}
	}
	return out
}
