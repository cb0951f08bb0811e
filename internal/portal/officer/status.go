package officer

import (
	"context"
	"net/http"

	"absah/internal/enrolment"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/store/db"
)

// hold is what is to be decided about a certificate that is suspended.
type hold struct {
	Suspended bool
	Wish      *db.RevocationRequest // waits for a second officer
	AskedBy   string                // name
	MyWish    bool                  // the viewer asked
	Text      string                // of a form that was refused
	Errors    web.FieldErrors
}

// holding reads how a certificate stands.
func (p *Pages) holding(ctx context.Context, v *caseView, employeeID string) error {
	c := v.Standing.Certificate
	if v.status() != enrolment.Issue || c == nil {
		return nil
	}
	v.Hold.Suspended = enrolment.Suspended(*c)
	var err error
	if v.Hold.Wish, err = p.Enrolment.RevocationWish(ctx, v.Registration.ID); err != nil || v.Hold.Wish == nil {
		return err
	}
	v.Hold.MyWish = v.Hold.Wish.RequestedBy == employeeID
	e, err := p.Store.Read().GetEmployee(ctx, v.Hold.Wish.RequestedBy)
	if err != nil {
		return err
	}
	v.Hold.AskedBy = e.Name
	return nil
}

func (p *Pages) suspend(w http.ResponseWriter, r *http.Request) error {
	return p.endPage(w, r, http.StatusOK, "tangguhkan", endForm{})
}

func (p *Pages) doSuspend(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if _, err := p.find(r); err != nil {
		return err
	}
	f := readEnd(r)
	if f.check(enrolment.SuspendReasons); len(f.Errors) > 0 {
		return p.endPage(w, r, http.StatusUnprocessableEntity, "tangguhkan", f)
	}
	err := p.Enrolment.Suspend(r.Context(), checker(r.Context()), enrolment.Officer, r.PathValue("id"), enrolment.Reason{Code: f.Reason, Text: f.Words})
	return p.answer(w, r, err, "officer.done.suspend")
}

func (p *Pages) reinstate(w http.ResponseWriter, r *http.Request) error {
	return p.endPage(w, r, http.StatusOK, "aktifkan", endForm{})
}

func (p *Pages) doReinstate(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if _, err := p.find(r); err != nil {
		return err
	}
	f := readEnd(r)
	if f.check(enrolment.ReleaseReasons); len(f.Errors) > 0 {
		return p.endPage(w, r, http.StatusUnprocessableEntity, "aktifkan", f)
	}
	err := p.Enrolment.Reinstate(r.Context(), checker(r.Context()), enrolment.Officer, r.PathValue("id"), enrolment.Reason{Code: f.Reason, Text: f.Words})
	return p.answer(w, r, err, "officer.done.reinstate")
}

// confirm is the second officer's decision about a wish to revoke.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	if _, err := p.find(r); err != nil {
		return err
	}
	who, id := checker(r.Context()), r.PathValue("id")
	if web.Value(r, "keputusan") == "cabut" {
		return p.answer(w, r, p.Enrolment.ConfirmRevocation(r.Context(), who, id), "officer.done.revoke")
	}
	words := web.Value(r, "penjelasan")
	if words == "" || len(words) > maxNote {
		key := "officer.check.need_words"
		if words != "" {
			key = "officer.check.too_long"
		}
		return p.decline(w, r, words, key)
	}
	return p.answer(w, r, p.Enrolment.DeclineRevocation(r.Context(), who, id, words), "officer.done.decline")
}

// decline shows the registration anew with what is missing.
func (p *Pages) decline(w http.ResponseWriter, r *http.Request, words, key string) error {
	reg, err := p.find(r)
	if err != nil {
		return err
	}
	f := checkForm{HoldText: words, HoldErrors: web.FieldErrors{}}
	f.HoldErrors.Add("penjelasan", key)
	return p.render(w, r, http.StatusUnprocessableEntity, reg, f, ui.Flash{})
}

// askOrRevoke does what the policy lets one officer do.
func (p *Pages) askOrRevoke(ctx context.Context, id string, why enrolment.Revocation) (done string, err error) {
	if p.Enrolment.Policy.RevocationNeedsSecond {
		return "officer.done.ask", p.Enrolment.AskRevocation(ctx, checker(ctx), id, why)
	}
	return "officer.done.revoke", p.Enrolment.Revoke(ctx, checker(ctx), enrolment.Officer, id, why)
}

// second reports whether a second officer has to confirm revocations.
func (p *Pages) second() bool { return p.Enrolment.Policy.RevocationNeedsSecond }
