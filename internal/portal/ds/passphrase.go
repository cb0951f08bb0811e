package ds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/passphrase"
	"absah/internal/portal/i18n"
	"absah/internal/portal/passform"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store"
	"absah/internal/store/db"
)

// fieldOld is the passphrase that is known.
const fieldOld = "passphrase_lama"

// issued is the viewer's registration with a valid certificate. Without one
// the pages about it lead back to the status.
func (p *Pages) issued(w http.ResponseWriter, r *http.Request) (reg db.Registration, ok bool, err error) {
	reg, err = p.Enrolment.Store.Read().IssuedRegistration(r.Context(), me(r).EmployeeID)
	if store.IsNotFound(err) {
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
		return reg, false, web.See(w, r, "/ds")
	}
	if err != nil {
		return reg, false, fmt.Errorf("look for the certificate: %w", err)
	}
	return reg, true, nil
}

// changeForm is the page that changes the passphrase.
type changeForm struct {
	Counter counter
	Fields  passform.Props
	Errors  web.FieldErrors
}

func (p *Pages) change(w http.ResponseWriter, r *http.Request) error {
	if _, ok, err := p.issued(w, r); !ok {
		return err
	}
	return p.showChange(w, r, nil, nil)
}

func (p *Pages) showChange(w http.ResponseWriter, r *http.Request, errs web.FieldErrors, s *passphrase.Strength) error {
	ctx := r.Context()
	f := changeForm{Errors: errs}
	var err error
	if f.Counter, err = p.counter(ctx, me(r).EmployeeID); err != nil {
		return err
	}
	own, err := p.publicWords(ctx, me(r).EmployeeID)
	if err != nil {
		return err
	}
	f.Fields = passform.Props{Another: true, Policy: p.Enrolment.Estimator.Policy(), Own: own, Year: p.Clock().Year(), Errors: errs, Strength: s}
	pg := page(r, "ds.change.title", len(errs) > 0)
	pg.Lede = i18n.T(ctx, "ds.change.lede")
	return web.Page(w, r, errs.Status(w), pg, changeBody(f))
}

func (p *Pages) publicWords(ctx context.Context, employeeID string) ([]string, error) {
	q := p.Enrolment.Store.Read()
	e, err := q.GetEmployee(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	u, err := q.GetUnit(ctx, e.UnitID)
	if err != nil {
		return nil, fmt.Errorf("read unit: %w", err)
	}
	return passphrase.Owner{Name: e.Name, Email: e.Email, Unit: u.Name}.PublicWords(), nil
}

// doChange seals the same key with another passphrase. The old one is tried
// only after the new one was found good, so that a weak new one costs nothing.
func (p *Pages) doChange(w http.ResponseWriter, r *http.Request) error {
	if _, ok, err := p.issued(w, r); !ok {
		return err
	}
	f, err := passform.Read(w, r, fieldOld, passform.Field, passform.Confirm)
	if err != nil {
		return err
	}
	defer f.Wipe()
	errs, policy := web.FieldErrors{}, p.Enrolment.Estimator.Policy()
	old, err := f.Secret(fieldOld)
	if err != nil {
		passform.Explain(errs, fieldOld, policy, err)
	}
	fresh := passform.Pair(f, errs, policy)
	if fresh != nil && old != nil && fresh.Equal(old) {
		errs.Add(passform.Field, "ds.change.same")
	}
	if len(errs) > 0 {
		return p.showChange(w, r, errs, nil)
	}
	err = p.Enrolment.ChangePassphrase(r.Context(), me(r), old, fresh)
	switch {
	case err == nil:
		web.Flash(w, r, ui.Success, "ds.change.done")
		return web.See(w, r, "/ds/sertifikat")
	case p.destroyed(w, r, err):
		return web.See(w, r, "/ds")
	case p.explain(r.Context(), errs, err), passform.Explain(errs, passform.Field, policy, err):
		return p.showChange(w, r, errs, nil)
	}
	return err
}

// destroyed tells of the last wrong passphrase: there is no key left to change.
func (p *Pages) destroyed(w http.ResponseWriter, r *http.Request, err error) bool {
	var wrong *enrolment.PassphraseError
	if !errors.As(err, &wrong) || wrong.End == credential.NoEnd {
		return false
	}
	web.Flash(w, r, ui.Danger, "ds.change.destroyed", "cause", reason(r.Context(), string(wrong.End)))
	return true
}

// explain says exactly why the key did not open.
func (p *Pages) explain(ctx context.Context, errs web.FieldErrors, err error) bool {
	var wrong *enrolment.PassphraseError
	left := 0
	if errors.As(err, &wrong) {
		left = wrong.Left
	}
	var locked *credential.LockedError
	var busy *credential.BusyError
	switch {
	case errors.As(err, &locked) && locked.ForGood:
		errs.Add(fieldOld, "ds.change.lost")
	case errors.As(err, &locked):
		errs.Add(fieldOld, "ds.change.locked", "until", i18n.DateTime(ctx, locked.Until))
	case errors.As(err, &busy):
		errs.AddBusy(fieldOld, "ds.change.inflight")
	case errors.Is(err, credential.ErrBusy), errors.Is(err, passphrase.ErrBusy), errors.Is(err, passphrase.ErrTimeout):
		errs.AddBusy(fieldOld, "ds.change.busy")
	case errors.Is(err, credential.ErrStale), errors.Is(err, enrolment.ErrStale):
		errs.Add(fieldOld, "ds.change.stale")
	case errors.Is(err, credential.ErrWrongPassphrase) && left > 0:
		errs.Add(fieldOld, "ds.change.wrong", "left", left)
	case errors.Is(err, credential.ErrWrongPassphrase):
		errs.Add(fieldOld, "ds.change.wrongLast")
	default:
		return false
	}
	return true
}

// resetForm is the page that says what a reset does.
type resetForm struct {
	Waits     bool // an officer checks the data first
	LockedOut bool // the certificate is revoked already
	Errors    web.FieldErrors
}

// understand is the key of what the subscriber confirms.
func (f resetForm) understand() string {
	if f.LockedOut {
		return "ds.reset.alreadyUnderstand"
	}
	return "ds.reset.understand"
}

func (f resetForm) back() string {
	if f.LockedOut {
		return "/ds"
	}
	return "/ds/sertifikat"
}

func (p *Pages) confirmReset(w http.ResponseWriter, r *http.Request) error {
	return p.showReset(w, r, nil)
}

func (p *Pages) showReset(w http.ResponseWriter, r *http.Request, errs web.FieldErrors) error {
	_, lockedOut, err := p.Enrolment.Resettable(r.Context(), me(r).EmployeeID)
	if errors.Is(err, enrolment.ErrNotFound) {
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
		return web.See(w, r, "/ds")
	}
	if err != nil {
		return err
	}
	pg := page(r, "ds.reset.title", len(errs) > 0)
	return web.Page(w, r, errs.Status(w), pg, resetBody(resetForm{Waits: p.Enrolment.Policy.ResetNeedsOfficer, LockedOut: lockedOut, Errors: errs}))
}

// reset revokes the certificate now and sends a link to make a new key.
func (p *Pages) reset(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	errs := web.FieldErrors{}
	if web.Value(r, "paham") != "ya" {
		errs.Add("paham", "ds.reset.need")
		return p.showReset(w, r, errs)
	}
	_, lockedOut, err := p.Enrolment.Resettable(r.Context(), me(r).EmployeeID)
	var reg db.Registration
	if err == nil {
		reg, err = p.Enrolment.ResetPIN(r.Context(), me(r), web.Value(r, "diketahui") == "ya")
	}
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
	case errors.Is(err, enrolment.ErrIncomplete):
		errs.Add("paham", "ds.reset.incomplete")
		return p.showReset(w, r, errs)
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, resetDone(lockedOut, enrolment.Status(reg.Status) == enrolment.New))
	}
	return web.See(w, r, "/ds")
}

// resetDone is the key of what is said after a reset.
func resetDone(lockedOut, waits bool) string {
	switch {
	case lockedOut && waits:
		return "ds.reset.alreadyWaits"
	case lockedOut:
		return "ds.reset.alreadyDone"
	case waits:
		return "ds.reset.waits"
	}
	return "ds.reset.done"
}

// ownReasons are those for which a subscriber revokes; the others are for
// officers.
var ownReasons = []string{"key_compromise", "affiliation_changed", "cessation"}

func (p *Pages) confirmRevoke(w http.ResponseWriter, r *http.Request) error {
	return p.showRevoke(w, r, nil, "", "")
}

// revokeForm is the page that asks for the reason of a revocation.
type revokeForm struct {
	Registration db.Registration
	Reason, Text string
	Errors       web.FieldErrors
}

func (p *Pages) showRevoke(w http.ResponseWriter, r *http.Request, errs web.FieldErrors, why, text string) error {
	reg, ok, err := p.issued(w, r)
	if !ok {
		return err
	}
	f := revokeForm{Registration: reg, Reason: why, Text: text, Errors: errs}
	return web.Page(w, r, errs.Status(w), page(r, "ds.revoke.title", len(errs) > 0), revokeBody(f))
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	errs := web.FieldErrors{}
	why, text := web.Value(r, "alasan"), web.Value(r, "catatan")
	if !slices.Contains(ownReasons, why) {
		errs.Add("alasan", "ds.revoke.needReason")
	}
	if web.Value(r, "paham") != "ya" {
		errs.Add("paham", "ds.revoke.need")
	}
	if len(text) > 2000 {
		errs.Add("catatan", "ds.revoke.long")
	}
	if len(errs) > 0 {
		return p.showRevoke(w, r, errs, why, text)
	}
	err := p.Enrolment.Revoke(r.Context(), checker(me(r)), enrolment.Applicant, web.Value(r, "registrasi"), enrolment.Revocation{Code: why, Text: text})
	var not *enrolment.NotAllowedError
	switch {
	case errors.Is(err, enrolment.ErrNotFound):
		return web.ErrNotFound
	case errors.As(err, &not):
		web.Flash(w, r, ui.Warning, "ds.certificate.none")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "ds.revoke.done")
	}
	return web.See(w, r, "/ds")
}

func checker(a audit.Actor) enrolment.Checker { return enrolment.Checker{Actor: a} }
