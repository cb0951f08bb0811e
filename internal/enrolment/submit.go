package enrolment

import (
	"context"
	"crypto/sha256"
	"fmt"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Submit is the button "Registrasi DS": it makes a registration of the
// applicant's data as they stand, or submits a returned one again. Pressed
// twice, it returns the registration that the first press made.
//
// Errors: ErrIncomplete unless all five prerequisites are valid and the
// applicant is in service, ErrExists
// when the applicant has a valid certificate.
func (s *Service) Submit(ctx context.Context, who audit.Actor) (db.Registration, error) {
	var r db.Registration
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := tx.LockEmployee(ctx, who.EmployeeID)
		if err != nil {
			return fmt.Errorf("lock employee: %w", err)
		}
		open, err := tx.OpenRegistration(ctx, e.ID)
		switch {
		case err == nil && Status(open.Status) != Returned:
			r = open // the first press of two, or the back button
			return nil
		case err != nil && !store.IsNotFound(err):
			return fmt.Errorf("look for an open registration: %w", err)
		}
		// A returned renewal is submitted again beside the certificate in use.
		if _, err := tx.IssuedRegistration(ctx, e.ID); err == nil && Kind(open.Kind) != Renewal {
			return ErrExists
		} else if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("look for a certificate: %w", err)
		}
		snapshot, complete, err := s.People.Snapshot(ctx, tx.Queries, e.ID)
		if err != nil {
			return fmt.Errorf("read the applicant's data: %w", err)
		}
		if !complete || !e.Active {
			return ErrIncomplete
		}
		st := step{action: ActionSubmit, role: Applicant, who: who}
		if open.ID == "" {
			r, err = s.create(ctx, tx, e, Initial, snapshot, st)
		} else {
			r, err = s.resubmit(ctx, tx, open.ID, e, snapshot, st)
		}
		if err != nil {
			return err
		}
		return s.Courier.Received(ctx, tx, r)
	})
	return r, err
}

func (s *Service) resubmit(ctx context.Context, tx *store.Tx, id string, e db.Employee, snapshot []byte, st step) (db.Registration, error) {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return r, err
	}
	if err := s.retake(ctx, tx, &r, e, snapshot); err != nil {
		return r, err
	}
	st.evidence = r.SnapshotHash
	return s.advance(ctx, tx, r, st)
}

// retake replaces what the officers judge by the data of now.
func (s *Service) retake(ctx context.Context, tx *store.Tx, r *db.Registration, e db.Employee, snapshot []byte) error {
	sealed, err := s.Vault.Seal(ctx, keys.Data, snapshot, snapshotContext(r.ID))
	if err != nil {
		return fmt.Errorf("seal snapshot: %w", err)
	}
	hash := sha256.Sum256(snapshot)
	err = tx.SetRegistrationSnapshot(ctx, db.SetRegistrationSnapshotParams{
		ID: r.ID, Snapshot: sealed, SnapshotHash: hash[:], UnitID: e.UnitID, SubmittedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("store snapshot: %w", err)
	}
	if e.UnitID != r.UnitID {
		if err := tx.DeleteRegistrationScopes(ctx, r.ID); err != nil {
			return fmt.Errorf("move registration: %w", err)
		}
		err := tx.InsertRegistrationScopes(ctx, db.InsertRegistrationScopesParams{
			RegistrationID: r.ID, UnitID: e.UnitID, Status: r.Status, StatusSince: r.StatusSince,
		})
		if err != nil {
			return fmt.Errorf("move registration: %w", err)
		}
	}
	r.Snapshot, r.SnapshotHash, r.UnitID = sealed, hash[:], e.UnitID
	return nil
}

// Cancel withdraws the applicant's registration.
func (s *Service) Cancel(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if r.EmployeeID != who.EmployeeID {
			return ErrNotFound
		}
		r, err = s.advance(ctx, tx, r, step{action: ActionCancel, role: Applicant, who: who})
		if err != nil {
			return err
		}
		return s.discard(ctx, tx, r)
	})
}

// discard ends what a check had opened: the approvals, the link and the key
// that waits for its certificate.
func (s *Service) discard(ctx context.Context, tx *store.Tx, r db.Registration) error {
	now := clock.Micros(s.now())
	if _, err := tx.VoidReviews(ctx, db.VoidReviewsParams{RegistrationID: r.ID, VoidedAt: now}); err != nil {
		return fmt.Errorf("void approvals: %w", err)
	}
	if err := tx.ClearApprovals(ctx, r.ID); err != nil {
		return fmt.Errorf("void approvals: %w", err)
	}
	if _, err := tx.SupersedeEnrolLinks(ctx, db.SupersedeEnrolLinksParams{RegistrationID: r.ID, SupersededAt: now}); err != nil {
		return fmt.Errorf("end link: %w", err)
	}
	if err := tx.DeleteEnrolSessions(ctx, r.ID); err != nil {
		return fmt.Errorf("end enrolment session: %w", err)
	}
	if err := s.Courier.CancelLink(ctx, tx, r); err != nil {
		return err
	}
	return s.eraseKey(ctx, tx, r.ID, "discarded")
}

// eraseKey forgets the sealed key of a registration, if it has one.
func (s *Service) eraseKey(ctx context.Context, tx *store.Tx, registrationID, state string) error {
	c, err := tx.LiveCredential(ctx, registrationID)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the key: %w", err)
	}
	erased, err := s.Sealer.Erase(ctx, sealedOf(c))
	if err != nil {
		return fmt.Errorf("erase the key: %w", err)
	}
	_, err = tx.EraseCredential(ctx, db.EraseCredentialParams{
		ID: c.ID, State: state, RowMac: erased.RowMAC, UpdatedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("erase the key: %w", err)
	}
	return nil
}

// ReasonLeft is why a registration ends whose applicant has left the service.
const ReasonLeft = "left_service"

// left ends the registration of an applicant who is no longer in service: his
// link needs no account, and nobody may become a subscriber by it. In Issuing
// the authority looks for itself, and refuses.
func (s *Service) left(ctx context.Context, tx *store.Tx, r db.Registration) error {
	if Status(r.Status) == Issuing {
		return nil
	}
	r, err := s.advance(ctx, tx, r, step{action: ActionCancel, role: System, who: audit.System("worker"), reason: Reason{Code: ReasonLeft}})
	if err != nil {
		return err
	}
	return s.discard(ctx, tx, r)
}

// EmployeeChanged voids checks that rest on data which are no longer so, and
// ends the registration of an applicant who has left and revokes his
// certificates. It is called in the transaction that changes an employee.
func (s *Service) EmployeeChanged(ctx context.Context, tx *store.Tx, employeeID string, who audit.Actor) error {
	e, err := tx.GetEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	if !e.Active {
		if err := s.leave(ctx, tx, employeeID, who); err != nil {
			return err
		}
	}
	open, err := tx.OpenRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for an open registration: %w", err)
	}
	r, err := lock(ctx, tx, open.ID)
	if err != nil {
		return err
	}
	if !e.Active {
		return s.left(ctx, tx, r)
	}
	action := ActionInvalidate
	switch Status(r.Status) {
	case New:
		action = ActionRefresh
	case OnSetPassphrase, Enroll:
	default:
		// Returned takes the data anew when it is submitted again; in Issuing
		// both checks were about the data that the certificate will hold.
		return nil
	}
	snapshot, _, err := s.People.Snapshot(ctx, tx.Queries, employeeID)
	if err != nil {
		return fmt.Errorf("read the applicant's data: %w", err)
	}
	if hash := sha256.Sum256(snapshot); string(hash[:]) == string(r.SnapshotHash) {
		return nil // what changed is not what officers judge
	}
	before, err := s.Snapshot(ctx, r)
	if err != nil {
		return err
	}
	if err := s.retake(ctx, tx, &r, e, snapshot); err != nil {
		return err
	}
	r, err = s.advance(ctx, tx, r, step{action: action, role: System, who: audit.System("worker"), evidence: r.SnapshotHash})
	if err != nil {
		return err
	}
	if action == ActionRefresh {
		return nil
	}
	if err := s.discard(ctx, tx, r); err != nil {
		return err
	}
	return s.Courier.Invalidated(ctx, tx, r, changedFields(before, snapshot))
}
