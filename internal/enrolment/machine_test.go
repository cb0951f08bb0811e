package enrolment_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// allowed is the whole state machine once more, written by status, so that a
// change of the program's table alone makes a test fail.
var allowed = map[enrolment.Status]map[enrolment.Action]string{ // roles and the status after
	enrolment.None: {"Submit": "employee>New", "ResetPIN": "employee>OnSetPassphrase", "Renew": "employee>Enroll"},
	enrolment.New: {
		"Verify": "registration_officer>OnSetPassphrase", "Return": "registration_officer>Returned",
		"Reject": "registration_officer>Rejected", "Cancel": "employee system>Cancelled", "Refresh": "system>New",
	},
	enrolment.OnSetPassphrase: {
		"SendLink":      "employee registration_officer service_desk>OnSetPassphrase",
		"SetPassphrase": "employee link_holder>OnSetPassphrase", "Accept": "employee link_holder>Enroll",
		"Return": "registration_officer>Returned", "Reject": "registration_officer>Rejected",
		"Cancel": "employee system>Cancelled", "Invalidate": "system>New",
	},
	enrolment.Enroll: {
		"Approve": "registration_officer>Issuing", "Return": "registration_officer>Returned",
		"Reject": "registration_officer>Rejected", "Cancel": "employee system>Cancelled", "Invalidate": "system>New",
		"Carry": "system>Issuing",
	},
	enrolment.Issuing: {"Issue": "system>Issue", "Fail": "system>Enroll"},
	enrolment.Issue: {
		"ChangePassphrase": "employee>Issue", "Revoke": "administrator employee registration_officer>Revoked",
		"ResetPIN": "employee>Revoked", "Expire": "system>Expired", "LockOut": "system>Revoked",
		"Succeed": "system>Issue", "Supersede": "system>Revoked",
		"Suspend": "administrator employee registration_officer>Issue", "Reinstate": "administrator registration_officer>Issue",
		"AskRevocation": "registration_officer>Issue", "DeclineRevocation": "registration_officer>Issue", "Leave": "system>Revoked",
	},
	enrolment.Returned: {"Submit": "employee>New", "Cancel": "employee system>Cancelled"},
}

func TestTableForEveryStatusActionAndRole(t *testing.T) {
	t.Parallel()
	for _, from := range append([]enrolment.Status{enrolment.None}, enrolment.Statuses...) {
		for _, a := range enrolment.Actions {
			var roles []string
			var to enrolment.Status
			for _, role := range enrolment.Roles {
				if next, ok := enrolment.Next(from, a, role); ok {
					roles = append(roles, string(role))
					to = next
				}
			}
			slices.Sort(roles)
			got := ""
			if len(roles) > 0 {
				got = join(roles) + ">" + string(to)
			}
			if want := allowed[from][a]; got != want {
				t.Errorf("%q %s: %q, want %q", from, a, got, want)
			}
		}
	}
}

func join(s []string) string {
	out := s[0]
	for _, x := range s[1:] {
		out += " " + x
	}
	return out
}

// TestServiceKeepsTheTable tries every action in every status for real and
// compares what the service allows with the table.
func TestServiceKeepsTheTable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		for _, from := range enrolment.Statuses {
			for _, a := range []enrolment.Action{
				enrolment.ActionVerify, enrolment.ActionReturn, enrolment.ActionReject, enrolment.ActionCancel,
				enrolment.ActionSendLink, enrolment.ActionAccept, enrolment.ActionApprove, enrolment.ActionIssue,
				enrolment.ActionFail, enrolment.ActionRevoke, enrolment.ActionReset, enrolment.ActionLockOut,
			} {
				applicant, _, officer, r := w.to(from)
				err := w.try(a, applicant, officer, r.ID)
				_, want := allowed[from][a]
				if a == enrolment.ActionAccept && from == enrolment.OnSetPassphrase {
					want = false // the passphrase comes before
				}
				if (err == nil) != want {
					t.Errorf("%s at %s: %v, want allowed: %v", a, from, err, want)
				}
				var no *enrolment.NotAllowedError
				known := errors.As(err, &no) || errors.Is(err, enrolment.ErrNotFound) || errors.Is(err, enrolment.ErrNoPassphrase)
				if err != nil && !known && !store.IsNotFound(err) && !store.IsUnique(err) {
					t.Errorf("%s at %s: unexpected kind of error %v", a, from, err)
				}
				after, gerr := s.Read().GetRegistration(ctx, r.ID)
				must(t, gerr)
				if err != nil && after.Status != string(from) {
					t.Errorf("%s at %s was refused and yet moved to %s", a, from, after.Status)
				}
				if verr := enrolment.VerifyHistory(ctx, s.Read(), r.ID); verr != nil {
					t.Errorf("%s at %s: %v", a, from, verr)
				}
			}
		}
		if _, err := audit.Verify(ctx, s.Read()); err != nil {
			t.Error(err)
		}
	})
}

// lockOut guesses at the key of a registration until it is locked for good.
func (w *world) lockOut(id string) error {
	ctx := context.Background()
	k, err := w.store.Read().LiveCredential(ctx, id)
	if err != nil {
		return err
	}
	if err := w.guess(k.ID, 10); err != nil {
		return err
	}
	if err := w.svc.LockOut(ctx, k.ID); err != nil {
		return err
	}
	if c, err := w.store.Read().GetCredential(ctx, k.ID); err != nil || len(c.Box) > 0 {
		return errors.Join(enrolment.ErrNotFound, err) // nothing was done
	}
	return nil
}

func (w *world) try(a enrolment.Action, applicant audit.Actor, officer enrolment.Checker, id string) error {
	ctx := w.t.Context()
	switch a {
	case enrolment.ActionVerify:
		return w.svc.Verify(ctx, officer, w.all(id))
	case enrolment.ActionReturn:
		return w.svc.Return(ctx, officer, w.but(id, "id_card", "blurred"))
	case enrolment.ActionReject:
		return w.svc.Reject(ctx, officer, w.all(id), enrolment.Reason{Code: "not_entitled"})
	case enrolment.ActionCancel:
		return w.svc.Cancel(ctx, applicant, id)
	case enrolment.ActionSendLink:
		return w.svc.SendLink(ctx, officer.Actor, enrolment.Officer, officer.Units, id)
	case enrolment.ActionAccept:
		return w.svc.Accept(ctx, applicant, enrolment.Applicant, id, consent())
	case enrolment.ActionApprove:
		return w.svc.Approve(ctx, officer, w.all(id))
	case enrolment.ActionIssue:
		return w.issue(id)
	case enrolment.ActionFail:
		return w.store.InTx(ctx, func(tx *store.Tx) error { return w.svc.Refused(ctx, tx, id, "lint") })
	case enrolment.ActionRevoke:
		return w.svc.Revoke(ctx, officer, enrolment.Officer, id, enrolment.Revocation{Code: "affiliation_changed"})
	case enrolment.ActionLockOut:
		return w.lockOut(id)
	case enrolment.ActionReset:
		_, err := w.svc.ResetPIN(ctx, applicant, false)
		return err
	}
	w.t.Fatalf("no way to try %s", a)
	return nil
}
