package officer

import (
	"errors"
	"net/http"
	"slices"

	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/portal/dossier"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
)

func contains[T comparable](list []T, v T) bool { return slices.Contains(list, v) }

func (p *Pages) claim(w http.ResponseWriter, r *http.Request) error {
	err := p.Enrolment.Claim(r.Context(), checker(r.Context()), r.PathValue("id"))
	return p.answer(w, r, err, "officer.done.claim")
}

func (p *Pages) takeOver(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	err := p.Enrolment.TakeOver(r.Context(), checker(r.Context()), r.PathValue("id"), web.Value(r, "dari"))
	return p.answer(w, r, err, "officer.done.take_over")
}

func (p *Pages) release(w http.ResponseWriter, r *http.Request) error {
	err := p.Enrolment.Release(r.Context(), checker(r.Context()), r.PathValue("id"))
	return p.answer(w, r, err, "officer.done.release")
}

func (p *Pages) handOver(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	to := web.Value(r, "kepada")
	if to == "" {
		f := checkForm{Errors: web.FieldErrors{}}
		f.Errors.Add("kepada", "officer.hand_over.need")
		return p.render(w, r, http.StatusUnprocessableEntity, reg, f)
	}
	err = p.Enrolment.HandOver(r.Context(), checker(r.Context()), reg.ID, to)
	return p.answer(w, r, err, "officer.done.hand_over")
}

func (p *Pages) sendLink(w http.ResponseWriter, r *http.Request) error {
	who := checker(r.Context())
	err := p.Enrolment.SendLink(r.Context(), who.Actor, enrolment.Officer, who.Units, r.PathValue("id"))
	return p.answer(w, r, err, "officer.done.link")
}

func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	err = p.Resend(r.Context(), checker(r.Context()).Actor, reg, r.PathValue("mail"))
	switch {
	case errors.Is(err, dossier.ErrNoMail):
		return web.ErrNotFound
	case errors.Is(err, outbox.ErrNotAgain):
		web.Flash(w, r, ui.Warning, "dossier.mail.not_again")
		return web.See(w, r, originOf(r).at(reg.ID, ""))
	}
	return p.answer(w, r, err, "dossier.mail.queued_again")
}
