package ds

import (
	"errors"
	"net/http"
	"time"

	"absah/internal/account"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
)

// beat keeps a stream open through proxies.
const beat = 25 * time.Second

// stream tells the status on the page to ask again when something changed.
func (p *Pages) stream(w http.ResponseWriter, r *http.Request) error {
	news, leave := p.Hub.Subscribe(me(r).EmployeeID)
	defer leave()
	s, ctx, cancel, err := web.StartStream(w, r)
	if err != nil {
		return err
	}
	defer cancel()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news:
			err = s.Send("refresh", "")
		case <-tick.C:
			err = s.Beat()
		}
		if err != nil {
			return nil // the browser is gone
		}
	}
}

// sendLink sends a new link of the viewer's own open registration.
func (p *Pages) sendLink(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	who := me(r)
	reg, err := p.Enrolment.Store.Read().OpenRegistration(ctx, who.EmployeeID)
	if store.IsNotFound(err) {
		web.Flash(w, r, ui.Warning, "ds.link.late")
		return web.See(w, r, "/ds")
	}
	if err != nil {
		return err
	}
	err = p.Enrolment.SendLink(ctx, who, enrolment.Applicant, nil, reg.ID)
	var many *enrolment.TooManyError
	var not *enrolment.NotAllowedError
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, "ds.link.sent")
	case errors.As(err, &many):
		web.Flash(w, r, ui.Warning, "ds.link.toomany", "again", i18n.DateTime(ctx, many.Again))
	case errors.As(err, &not), errors.Is(err, enrolment.ErrAlreadySet), errors.Is(err, enrolment.ErrNotFound):
		web.Flash(w, r, ui.Warning, "ds.link.late")
	default:
		return err
	}
	return web.See(w, r, "/ds")
}

// resend sends one of the viewer's own mails once more.
func (p *Pages) resend(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := p.Enrolment.Store.Read().GetMail(ctx, r.PathValue("id"))
	if store.IsNotFound(err) || err == nil && row.EmployeeID.String != web.ViewerOf(ctx).EmployeeID {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	err = p.Mails.Resend(ctx, web.ViewerOf(ctx).Actor(account.Employee), row.ID)
	switch {
	case errors.Is(err, outbox.ErrNotAgain):
		web.Flash(w, r, ui.Warning, "ds.mail.notagain")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "ds.mail.again")
	}
	return web.See(w, r, "/ds")
}
