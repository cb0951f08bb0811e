package enrolment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// SuspendReasons are the reasons for which a certificate is suspended.
var SuspendReasons = []string{"device_lost", "investigation", "leave_of_absence", OtherReason}

// ReleaseReasons are the reasons for which a suspension ends.
var ReleaseReasons = []string{"device_found", "investigation_closed", "returned_to_duty", OtherReason}

// Suspended reports whether c is suspended: OCSP and CRLs say certificateHold,
// and nothing is signed with its key.
func Suspended(c db.Certificate) bool {
	return c.RevokedAt > 0 && ca.Reason(c.RevocationReason) == ca.CertificateHold
}

// Suspend puts the certificate of a registration on hold. Subscribers do that
// for themselves, officers for those of their units, administrators for all. It
// ends by Reinstate, or by a revocation as of the time of the suspension.
func (s *Service) Suspend(ctx context.Context, who Checker, role Role, registrationID string, why Reason) error {
	if err := why.check(SuspendReasons); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.lockFor(ctx, tx, who, role, registrationID)
		if err != nil {
			return err
		}
		r, c, err := s.hold(ctx, tx, r, step{action: ActionSuspend, role: role, who: who.Actor, reason: why})
		if err != nil {
			return err
		}
		return s.Courier.CertificateSuspended(ctx, tx, r, c)
	})
}

// Reinstate ends a suspension. Subscribers cannot: whoever got hold of an account
// must not undo what its owner did. The release of a suspension that waits for a
// second officer is that officer's (DeclineRevocation).
func (s *Service) Reinstate(ctx context.Context, who Checker, role Role, registrationID string, why Reason) error {
	if err := why.check(ReleaseReasons); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.lockFor(ctx, tx, who, role, registrationID)
		if err != nil {
			return err
		}
		if _, err := tx.OpenRevocationRequest(ctx, r.ID); err == nil {
			return ErrRevocationAsked
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("look for a request to revoke: %w", err)
		}
		return s.reinstate(ctx, tx, r, step{action: ActionReinstate, role: role, who: who.Actor, reason: why})
	})
}

func (s *Service) reinstate(ctx context.Context, tx *store.Tx, r db.Registration, st step) error {
	c, err := tx.CertificateOfRegistration(ctx, r.ID)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("read certificate: %w", err)
	}
	if !Suspended(c) {
		return &NotAllowedError{Status: Status(r.Status), Action: st.action, Role: st.role}
	}
	st.detail = map[string]string{"serial": c.Serial}
	if r, err = s.advance(ctx, tx, r, st); err != nil {
		return err
	}
	if err := s.Certificates.Release(ctx, tx, c, s.now()); err != nil {
		return err
	}
	c.RevokedAt, c.RevocationReason = 0, 0
	return s.Courier.CertificateReleased(ctx, tx, r, c)
}

// hold suspends the certificate of a registration.
func (s *Service) hold(ctx context.Context, tx *store.Tx, r db.Registration, st step) (db.Registration, db.Certificate, error) {
	c, err := tx.CertificateOfRegistration(ctx, r.ID)
	if err != nil && !store.IsNotFound(err) {
		return r, c, fmt.Errorf("read certificate: %w", err)
	}
	st.detail = map[string]string{"serial": c.Serial}
	if c.Serial == "" || c.RevokedAt > 0 {
		return r, c, &NotAllowedError{Status: Status(r.Status), Action: st.action, Role: st.role}
	}
	if r, err = s.advance(ctx, tx, r, st); err != nil {
		return r, c, err
	}
	at := s.now()
	if err := s.Certificates.Hold(ctx, tx, c, at); err != nil {
		return r, c, err
	}
	c.RevokedAt, c.RevocationReason = clock.Micros(at), int64(ca.CertificateHold)
	return r, c, nil
}

// lockFor locks a registration for somebody who acts on its certificate in a
// role. Officers are bound to their units and cannot act for themselves in that
// role.
func (s *Service) lockFor(ctx context.Context, tx *store.Tx, who Checker, role Role, id string) (db.Registration, error) {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return r, err
	}
	switch role {
	case Applicant:
		if r.EmployeeID != who.EmployeeID {
			return r, ErrNotFound
		}
	case Officer:
		ok, err := inUnits(ctx, tx.Queries, who.Units, r.UnitID)
		if err != nil {
			return r, err
		}
		if !ok {
			return r, ErrNotFound
		}
		if who.EmployeeID == r.EmployeeID {
			return r, ErrSamePerson // his own he revokes as the subscriber
		}
	}
	return r, nil
}

// AskRevocation is an officer's wish to revoke. The certificate is suspended at
// once, so nobody waits for protection; a second officer confirms the wish or
// declines it. A certificate that is suspended already stays so.
func (s *Service) AskRevocation(ctx context.Context, who Checker, registrationID string, why Revocation) error {
	if _, ok := RevokeReasons[why.Code]; !ok || len(why.Text) > maxWords {
		return ErrReason
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.lockFor(ctx, tx, who, Officer, registrationID)
		if err != nil {
			return err
		}
		if err := permitted(r, ActionAskRevocation, Officer); err != nil {
			return err
		}
		if _, err := tx.OpenRevocationRequest(ctx, r.ID); err == nil {
			return ErrRevocationAsked
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("look for a request to revoke: %w", err)
		}
		c, err := tx.CertificateOfRegistration(ctx, r.ID)
		if err != nil {
			return fmt.Errorf("read certificate: %w", err)
		}
		st := step{action: ActionAskRevocation, role: Officer, who: who.Actor, reason: Reason(why)}
		if Suspended(c) {
			st.detail = map[string]string{"serial": c.Serial}
			r, err = s.advance(ctx, tx, r, st)
		} else {
			r, c, err = s.hold(ctx, tx, r, st)
		}
		if err != nil {
			return err
		}
		err = tx.InsertRevocationRequest(ctx, db.InsertRevocationRequestParams{
			ID: newID(s), RegistrationID: r.ID, Serial: c.Serial, SubscriberID: r.EmployeeID,
			ReasonCode: why.Code, ReasonText: why.Text, RequestedBy: who.EmployeeID, RequestedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("record the wish to revoke: %w", err)
		}
		return s.Courier.CertificateSuspended(ctx, tx, r, c)
	})
}

// ConfirmRevocation is the second officer's yes: the certificate is revoked, for
// the reason that the first one gave and as of the suspension.
func (s *Service) ConfirmRevocation(ctx context.Context, who Checker, registrationID string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, wish, err := s.wish(ctx, tx, who, registrationID)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, wish, "confirmed", who.EmployeeID); err != nil {
			return err
		}
		why := Reason{Code: wish.ReasonCode, Text: wish.ReasonText}
		return s.revoke(ctx, tx, r, step{action: ActionRevoke, role: Officer, who: who.Actor, reason: why}, RevokeReasons[why.Code])
	})
}

// DeclineRevocation is the second officer's no: the suspension ends.
func (s *Service) DeclineRevocation(ctx context.Context, who Checker, registrationID, text string) error {
	if text == "" || len(text) > maxWords {
		return ErrReason
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, wish, err := s.wish(ctx, tx, who, registrationID)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, tx, wish, "declined", who.EmployeeID); err != nil {
			return err
		}
		why := Reason{Code: OtherReason, Text: text}
		return s.reinstate(ctx, tx, r, step{action: ActionDeclineRevocation, role: Officer, who: who.Actor, reason: why})
	})
}

// wish locks a registration and finds the wish to revoke that waits for
// somebody else than who.
func (s *Service) wish(ctx context.Context, tx *store.Tx, who Checker, id string) (db.Registration, db.RevocationRequest, error) {
	r, err := s.lockFor(ctx, tx, who, Officer, id)
	if err != nil {
		return r, db.RevocationRequest{}, err
	}
	wish, err := tx.OpenRevocationRequest(ctx, r.ID)
	switch {
	case store.IsNotFound(err):
		return r, wish, &NotAllowedError{Status: Status(r.Status), Action: ActionDeclineRevocation, Role: Officer}
	case err != nil:
		return r, wish, fmt.Errorf("read the wish to revoke: %w", err)
	case wish.RequestedBy == who.EmployeeID:
		return r, wish, ErrSamePerson
	}
	return r, wish, nil
}

func (s *Service) settle(ctx context.Context, tx *store.Tx, wish db.RevocationRequest, state, by string) error {
	n, err := tx.DecideRevocationRequest(ctx, db.DecideRevocationRequestParams{
		ID: wish.ID, State: state, DecidedBy: null(by), DecidedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("decide the wish to revoke: %w", err)
	}
	if n != 1 {
		return ErrRevocationAsked
	}
	return nil
}

// revoke ends the certificate and those that it renewed, and tells the owner.
func (s *Service) revoke(ctx context.Context, tx *store.Tx, r db.Registration, st step, code int) error {
	r, c, err := s.end(ctx, tx, r, st, code)
	if err != nil {
		return err
	}
	if err := s.endPredecessors(ctx, tx, r, st.role, st.who, st.reason, code); err != nil {
		return err
	}
	return s.Courier.CertificateRevoked(ctx, tx, r, c)
}

// RevocationWish returns the wish to revoke that waits for a second officer, or
// nil.
func (s *Service) RevocationWish(ctx context.Context, registrationID string) (*db.RevocationRequest, error) {
	wish, err := s.Store.Read().OpenRevocationRequest(ctx, registrationID)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the wish to revoke: %w", err)
	}
	return &wish, nil
}

// leave revokes what an employee has who left the service.
func (s *Service) leave(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error {
	all, err := tx.RegistrationsOfEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	slices.SortFunc(all, func(a, b db.Registration) int { return compare(a.ID, b.ID) }) // one order of locks for all
	for _, r := range all {
		if Status(r.Status) != Issue {
			continue
		}
		if r, err = lock(ctx, tx, r.ID); err != nil {
			return err
		}
		if Status(r.Status) != Issue {
			continue
		}
		why := Reason{Code: "cessation"}
		r, c, err := s.end(ctx, tx, r, step{action: ActionLeave, role: System, who: who, reason: why}, RevokeReasons[why.Code])
		if err != nil {
			return err
		}
		if err := s.Courier.CertificateRevoked(ctx, tx, r, c); err != nil {
			return err
		}
	}
	return nil
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// overtake closes a wish to revoke that something faster made needless.
func (s *Service) overtake(ctx context.Context, tx *store.Tx, registrationID string) error {
	wish, err := tx.OpenRevocationRequest(ctx, registrationID)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the wish to revoke: %w", err)
	}
	_, err = tx.DecideRevocationRequest(ctx, db.DecideRevocationRequestParams{ID: wish.ID, State: "overtaken", DecidedAt: clock.Micros(s.now())})
	return err
}

var (
	// ErrRevocationAsked says that a wish to revoke waits for a second officer.
	ErrRevocationAsked = errors.New("a request to revoke waits for a second officer")
	// ErrNeedsSecond says that one officer alone cannot revoke (Policy).
	ErrNeedsSecond = errors.New("a second officer has to confirm a revocation")
)
