package enrolment_test

import (
	"errors"
	"strings"
	"testing"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func TestClaimKeepsOthersOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	_, one, two, r := w.to(enrolment.New)
	must(t, w.svc.Claim(ctx, one, r.ID))
	var claimed *enrolment.ClaimedError
	if err := w.svc.Verify(ctx, two, w.all(r.ID)); !errors.As(err, &claimed) || claimed.By == "" {
		t.Errorf("verify what another claimed: %v", err)
	}
	if err := w.svc.Claim(ctx, two, r.ID); !errors.As(err, &claimed) {
		t.Errorf("claim what another claimed: %v", err)
	}
	rows, err := w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Claimed: enrolment.ClaimedMine, Officer: one.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 1 || !rows[0].ClaimedByMe {
		t.Errorf("mine: %v, %v", rows, err)
	}
	rows, err = w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Claimed: enrolment.ClaimedNone, Officer: one.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 0 {
		t.Errorf("unclaimed: %v, %v", rows, err)
	}
	must(t, w.svc.Verify(ctx, one, w.all(r.ID)))
	after, err := w.store.Read().GetRegistration(ctx, r.ID)
	if err != nil || after.ClaimedBy.Valid {
		t.Errorf("the claim outlives the check: %v, %v", after.ClaimedBy, err)
	}
}

// An officer who is away, or none any more, holds nothing up.
func TestAnotherOfficerTakesOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		applicant, one, two, r := w.to(enrolment.New)
		three, far := w.officer(), w.officer(w.other)
		must(t, w.svc.Claim(ctx, one, r.ID))
		wantError(t, "from another unit", w.svc.TakeOver(ctx, far, r.ID, one.EmployeeID), enrolment.ErrNotFound)
		wantError(t, "the applicant", w.svc.TakeOver(ctx, enrolment.Checker{Actor: applicant}, r.ID, one.EmployeeID), enrolment.ErrSamePerson)
		must(t, w.svc.TakeOver(ctx, two, r.ID, one.EmployeeID))
		// Of two who saw the first officer's name only one gets it.
		var claimed *enrolment.ClaimedError
		if err := w.svc.TakeOver(ctx, three, r.ID, one.EmployeeID); !errors.As(err, &claimed) || claimed.By == "" {
			t.Errorf("taken over twice: %v", err)
		}
		if err := w.svc.Verify(ctx, one, w.all(r.ID)); !errors.As(err, &claimed) {
			t.Errorf("the first officer still decides: %v", err)
		}
		rows, err := s.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 100})
		must(t, err)
		if last := rows[len(rows)-1]; last.Action != "registration.take_over" || last.ObjectID != r.ID || !strings.Contains(last.Detail, one.EmployeeID) {
			t.Errorf("on record: %+v", last)
		}
		must(t, w.svc.Verify(ctx, two, w.all(r.ID)))
	})
}

// Who leaves the service becomes no subscriber, not by a link either.
func TestLeavingEndsARegistration(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		active := func(who audit.Actor, yes bool) {
			t.Helper()
			must(t, s.InTx(ctx, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, `update employee set active = $1 where id = $2`, yes, who.EmployeeID); err != nil {
					return err
				}
				return w.svc.EmployeeChanged(ctx, tx, who.EmployeeID, who)
			}))
		}
		for _, from := range []enrolment.Status{enrolment.New, enrolment.OnSetPassphrase, enrolment.Enroll, enrolment.Returned} {
			applicant, _, _, r := w.to(from)
			active(applicant, false)
			got, err := s.Read().GetRegistration(ctx, r.ID)
			must(t, err)
			st, err := w.svc.StandingFor(ctx, got)
			must(t, err)
			last := st.History[len(st.History)-1]
			if st.Status != enrolment.Cancelled || last.ReasonCode != enrolment.ReasonLeft || last.ActorRole != "system" {
				t.Errorf("%s: the registration is %s because of %q", from, st.Status, last.ReasonCode)
			}
			if from == enrolment.OnSetPassphrase {
				_, err := w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(t, goodPassphrase))
				var link *enrolment.LinkError
				if !errors.As(err, &link) || link.State != enrolment.LinkEnded {
					t.Errorf("the link of a leaver: %v", err)
				}
			}
			if _, err := s.Read().LiveCredential(ctx, r.ID); !store.IsNotFound(err) {
				t.Errorf("%s: a key is left: %v", from, err)
			}
			_, err = w.svc.Submit(ctx, applicant)
			wantError(t, "a leaver applies", err, enrolment.ErrIncomplete)
			active(applicant, true)
			_, err = w.svc.Submit(ctx, applicant)
			must(t, err)
		}
		// What the authority has in hand it judges itself; a certificate is revoked.
		for from, to := range map[enrolment.Status]enrolment.Status{enrolment.Issuing: enrolment.Issuing, enrolment.Issue: enrolment.Revoked} {
			applicant, _, _, r := w.to(from)
			active(applicant, false)
			if got, err := s.Read().GetRegistration(ctx, r.ID); err != nil || got.Status != string(to) {
				t.Errorf("%s became %s, %v", from, got.Status, err)
			}
			if from == enrolment.Issuing {
				must(t, s.InTx(ctx, func(tx *store.Tx) error { return w.svc.Refused(ctx, tx, r.ID, "approval") }))
				if got, err := s.Read().GetRegistration(ctx, r.ID); err != nil || got.Status != string(enrolment.Cancelled) {
					t.Errorf("after the authority refused: %s, %v", got.Status, err)
				}
			}
		}
	})
}
