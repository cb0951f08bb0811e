package ds

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"

	"absah/internal/agreement"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/enrol"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// past is one registration in the history.
type past struct {
	db.Registration
	Steps    []ui.Step
	Accepted bool
	Open     bool
}

// history shows every registration of the viewer with every step.
func (p *Pages) history(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := p.Enrolment.Store.Read()
	all, err := q.RegistrationsOfEmployee(ctx, me(r).EmployeeID)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	list := make([]past, len(all))
	for i, reg := range all {
		rows, err := q.HistoryOf(ctx, reg.ID)
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		accepted, err := q.AcceptancesOf(ctx, reg.ID)
		if err != nil {
			return fmt.Errorf("read acceptances: %w", err)
		}
		list[i] = past{Registration: reg, Accepted: len(accepted) > 0, Open: i == 0}
		for _, h := range rows {
			step := ui.Step{
				Title: i18n.T(ctx, "ds.action."+h.Action), State: ui.StepDone, At: clock.FromMicros(h.At), Who: actor(ctx, h), Text: h.ReasonText,
			}
			if why := reason(ctx, h.ReasonCode); why != "" {
				step.Text = why
				if h.ReasonText != "" {
					step.Text += ": " + h.ReasonText
				}
			}
			if badEnd(enrolment.Action(h.Action)) {
				step.State = ui.StepStopped
			}
			list[i].Steps = append(list[i].Steps, step)
		}
	}
	return web.Page(w, r, http.StatusOK, page(r, "ds.history.title", false), historyBody(list))
}

// badEnd tells the steps that stopped a registration.
func badEnd(a enrolment.Action) bool {
	switch a {
	case enrolment.ActionReturn, enrolment.ActionReject, enrolment.ActionCancel, enrolment.ActionRevoke,
		enrolment.ActionReset, enrolment.ActionExpire, enrolment.ActionLockOut, enrolment.ActionFail, enrolment.ActionInvalidate,
		enrolment.ActionSuspend, enrolment.ActionAskRevocation, enrolment.ActionLeave:
		return true
	}
	return false
}

// agreement lets the viewer accept when the session of the link was lost, and
// shows what was accepted before.
func (p *Pages) agreement(w http.ResponseWriter, r *http.Request) error {
	return p.showAgreement(w, r, nil)
}

func (p *Pages) showAgreement(w http.ResponseWriter, r *http.Request, errs web.FieldErrors) error {
	ctx := r.Context()
	st, err := p.Enrolment.StandingOf(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	pg := page(r, "enrol.agreement.title", len(errs) > 0)
	if st.Status == enrolment.OnSetPassphrase && st.KeySet {
		texts, err := enrol.TextsIn(p.Enrolment.Texts, string(i18n.LangOf(ctx)))
		if err != nil {
			return err
		}
		pg.Lede = i18n.T(ctx, "ds.agreement.lede")
		return web.Page(w, r, errs.Status(w), pg, consentBody(texts, errs))
	}
	list, err := p.receipts(r)
	if err != nil {
		return err
	}
	return web.Page(w, r, http.StatusOK, pg, receiptsBody(list, st.Status == enrolment.OnSetPassphrase))
}

// receipt is what was accepted for one registration.
type receipt struct {
	Registration db.Registration
	agreement.Receipt
}

func (p *Pages) receipts(r *http.Request) ([]receipt, error) {
	ctx := r.Context()
	all, err := p.Enrolment.Store.Read().RegistrationsOfEmployee(ctx, me(r).EmployeeID)
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	var list []receipt
	for _, reg := range all {
		one, err := p.Archive.Receipt(ctx, reg.ID)
		if errors.Is(err, agreement.ErrNoText) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, receipt{Registration: reg, Receipt: one})
	}
	return list, nil
}

func (p *Pages) accept(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	reg, err := p.open(r)
	if errors.Is(err, web.ErrNotFound) {
		return web.See(w, r, "/ds/perjanjian")
	}
	if err != nil {
		return err
	}
	errs := web.FieldErrors{}
	c := enrol.ReadConsent(r, errs)
	if len(errs) > 0 {
		return p.showAgreement(w, r, errs)
	}
	err = p.Enrolment.Accept(r.Context(), me(r), enrolment.Applicant, reg.ID, c)
	var not *enrolment.NotAllowedError
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, "ds.agreement.done")
		return web.See(w, r, "/ds")
	case errors.Is(err, enrolment.ErrConsent), errors.Is(err, agreement.ErrNoText):
		errs.Add("setuju", "enrol.agreement.changed")
		return p.showAgreement(w, r, errs)
	case errors.As(err, &not), errors.Is(err, enrolment.ErrNoPassphrase):
		return web.See(w, r, "/ds")
	}
	return err
}

// accepted is the PDF of what was accepted for one registration.
func (p *Pages) accepted(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.own(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	pdf, name, err := p.Archive.Copy(r.Context(), reg.ID)
	if errors.Is(err, agreement.ErrNoText) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	return file(w, "application/pdf", name, pdf)
}

// file sends bytes that the browser saves.
func file(w http.ResponseWriter, contentType, name string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the browser is gone when this fails
	return nil
}
