// Package officer holds the console of registration officers (Petugas DS): the
// queue, the two checks with the data beside the scans that prove them, and
// revocation. Design section 3; security U8.
package officer

import (
	"context"
	"errors"
	"net/http"

	"absah/internal/account"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// Pages are the pages of this package. Staff.Cases of the reader must be its
// Enrolment, or no officer sees a scan.
type Pages struct{ *dossier.Reader }

// New makes the pages.
func New(d *dossier.Reader) *Pages { return &Pages{d} }

// Base is the address of the queue; a registration lies below it.
const Base = "/petugas"

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	get, post, only := http.MethodGet, http.MethodPost, web.Role(account.RegistrationOfficer)
	return []web.Route{
		{Method: get, Path: Base, Access: only, Handler: p.queue},
		{Method: post, Path: Base + "/berikutnya", Access: only, Handler: p.next},
		{Method: get, Path: Wishes, Access: only, Handler: p.wishes},
		{Method: get, Path: Base + "/{id}", Access: only, Handler: p.show},
		{Method: get, Path: Base + "/{id}/berkas/{kind}", Access: only, Handler: p.scan},
		{Method: post, Path: Base + "/{id}/ambil", Access: only, Handler: p.claim},
		{Method: post, Path: Base + "/{id}/lepas", Access: only, Handler: p.release},
		{Method: post, Path: Base + "/{id}/ambil-alih", Access: only, Handler: p.takeOver},
		{Method: post, Path: Base + "/{id}/serahkan", Access: only, Handler: p.handOver},
		{Method: post, Path: Base + "/{id}/periksa", Access: only, Handler: p.decide},
		{Method: get, Path: Base + "/{id}/tolak", Access: only, Handler: p.reject},
		{Method: post, Path: Base + "/{id}/tolak", Access: only, Handler: p.doReject},
		{Method: get, Path: Base + "/{id}/cabut", Access: only, Handler: p.revoke},
		{Method: post, Path: Base + "/{id}/cabut", Access: only, Handler: p.doRevoke},
		{Method: post, Path: Base + "/{id}/cabut/putuskan", Access: only, Handler: p.confirm},
		{Method: get, Path: Base + "/{id}/tangguhkan", Access: only, Handler: p.suspend},
		{Method: post, Path: Base + "/{id}/tangguhkan", Access: only, Handler: p.doSuspend},
		{Method: get, Path: Base + "/{id}/aktifkan", Access: only, Handler: p.reinstate},
		{Method: post, Path: Base + "/{id}/aktifkan", Access: only, Handler: p.doReinstate},
		{Method: post, Path: Base + "/{id}/tautan", Access: only, Handler: p.sendLink},
		{Method: post, Path: Base + "/{id}/surel/{mail}", Access: only, Handler: p.resend},
	}
}

// checker is the viewer at work.
func checker(ctx context.Context) enrolment.Checker {
	v := web.ViewerOf(ctx)
	return enrolment.Checker{
		Actor: v.Actor(account.RegistrationOfficer), Units: dossier.Units(v, account.RegistrationOfficer),
	}
}

// find reads the registration that the address names, if the viewer may see it.
func (p *Pages) find(r *http.Request) (db.Registration, error) {
	reg, err := p.Enrolment.Get(r.Context(), checker(r.Context()).Units, r.PathValue("id"))
	if errors.Is(err, enrolment.ErrNotFound) {
		return reg, web.ErrNotFound
	}
	return reg, err
}

// path is the address of a registration.
func path(id string) string { return Base + "/" + id }

// refused is how a page says that an act of the service did not happen: the
// status of the answer and the text. ok is false for errors of other kinds.
func refused(ctx context.Context, err error) (status int, flash ui.Flash, ok bool) {
	var claimed *enrolment.ClaimedError
	var moved *enrolment.NotAllowedError
	say := func(status int, tone ui.Tone, key string, args ...any) (int, ui.Flash, bool) {
		return status, ui.Flash{
			Tone: tone, Title: i18n.T(ctx, "officer.refused."+key+".title"),
			Text: i18n.T(ctx, "officer.refused."+key+".text", args...),
		}, true
	}
	switch {
	case errors.As(err, &claimed):
		return say(http.StatusConflict, ui.Warning, "claimed", "name", claimed.By, "at", i18n.DateTime(ctx, claimed.Since))
	case errors.As(err, &moved):
		return say(http.StatusConflict, ui.Warning, "moved")
	case errors.Is(err, enrolment.ErrRevocationAsked):
		return say(http.StatusConflict, ui.Warning, "asked")
	case errors.Is(err, enrolment.ErrStale):
		return say(http.StatusConflict, ui.Warning, "stale")
	case errors.Is(err, enrolment.ErrSamePerson):
		return say(http.StatusForbidden, ui.Danger, "same")
	case errors.Is(err, errUnclaimed):
		return say(http.StatusConflict, ui.Warning, "unclaimed")
	case errors.Is(err, ca.ErrNotPinned):
		return say(http.StatusForbidden, ui.Danger, "unpinned")
	case errors.Is(err, ca.ErrUnsigned):
		return say(http.StatusForbidden, ui.Warning, "unsigned")
	case errors.Is(err, ca.ErrApproval), errors.Is(err, ca.ErrMalformed):
		return say(http.StatusForbidden, ui.Danger, "signature")
	case errors.Is(err, enrolment.ErrAlreadySet):
		return say(http.StatusConflict, ui.Info, "set")
	}
	return 0, ui.Flash{}, false
}

// errUnclaimed says that the officer decides on what he has not taken.
var errUnclaimed = errors.New("the registration has not been claimed")

// answer ends a POST: back to the registration with the message key when err is
// nil, else the registration as it stands now with what went wrong.
func (p *Pages) answer(w http.ResponseWriter, r *http.Request, err error, key string, args ...string) error {
	if err == nil {
		web.Flash(w, r, ui.Success, key, args...)
		return web.See(w, r, originOf(r).at(r.PathValue("id"), ""))
	}
	return p.explain(w, r, err, checkForm{})
}

// explain shows the registration anew with why an act was refused.
func (p *Pages) explain(w http.ResponseWriter, r *http.Request, err error, f checkForm) error {
	if errors.Is(err, enrolment.ErrNotFound) {
		return web.ErrNotFound
	}
	status, flash, ok := refused(r.Context(), err)
	if !ok {
		return err
	}
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	return p.render(w, r, status, reg, f, flash)
}
