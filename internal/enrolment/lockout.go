package enrolment

import (
	"context"
	"fmt"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/store"
	"absah/internal/store/db"
)

// codeLockOut is the reason of RFC 5280 5.3.1 for a certificate whose key was
// destroyed by a LockOut: cessationOfOperation. None of the guesses was right,
// so nothing was compromised.
const codeLockOut = 5

// LockOut ends a key that too many wrong passphrases have locked for good: the
// sealed key is erased, the certificate revoked, and the owner told what to do,
// in one transaction. It does nothing for a key that is not locked for good or
// gone already, and fails with ErrInFlight while the last guess may still turn
// out right. It is the Handler of JobLockOut.
func (s *Service) LockOut(ctx context.Context, kid string) error {
	c, err := s.Store.Read().GetCredential(ctx, kid)
	if store.IsNotFound(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		// The registration first, as everybody does: two orders are a deadlock.
		r, err := lock(ctx, tx, c.RegistrationID)
		if err != nil {
			return err
		}
		if Status(r.Status) != Issue {
			return nil // ended meanwhile, and its key with it
		}
		k, err := tx.LockCredential(ctx, kid)
		if err != nil {
			return fmt.Errorf("lock key: %w", err)
		}
		a, err := s.Ledger.Decode(ctx, kid, k.Attempts)
		if err != nil {
			return err
		}
		switch {
		case a.Lost(s.now()):
			return s.lockOut(ctx, tx, r, a)
		case a.LockedForGood:
			return ErrInFlight
		}
		return nil
	})
}

func (s *Service) lockOut(ctx context.Context, tx *store.Tx, r db.Registration, a credential.Attempts) error {
	st := step{
		action: ActionLockOut, role: System, who: audit.System("worker"), reason: Reason{Code: string(a.End())},
	}
	r, c, err := s.end(ctx, tx, r, st, codeLockOut)
	if err != nil {
		return err
	}
	return s.Courier.KeyDestroyed(ctx, tx, r, c, a.End())
}

// didNotOpen is the answer to a passphrase that did not open key kid. After the
// last one allowed the key is destroyed now; JobLockOut does it when that
// fails.
func (s *Service) didNotOpen(ctx context.Context, kid string, after credential.Attempts, err error) error {
	out := &PassphraseError{Left: after.Left(s.now()), Err: err}
	if !after.LockedForGood {
		return out
	}
	out.End = after.End()
	if err := s.LockOut(ctx, kid); err != nil {
		s.Log.WarnContext(ctx, "a key that is locked for good is destroyed later", "key", kid, "error", err)
	}
	return out
}

// resettable is the registration that a ResetPIN of an employee follows: the
// one with the certificate, or the latest one if a LockOut ended it. It fails
// with ErrNotFound.
func (s *Service) resettable(ctx context.Context, q *db.Queries, employeeID string) (db.Registration, error) {
	r, err := q.IssuedRegistration(ctx, employeeID)
	if err == nil {
		return r, nil
	}
	if !store.IsNotFound(err) {
		return r, fmt.Errorf("look for the certificate: %w", err)
	}
	all, err := q.RegistrationsOfEmployee(ctx, employeeID)
	if err != nil {
		return r, fmt.Errorf("read registrations: %w", err)
	}
	if len(all) == 0 {
		return r, ErrNotFound
	}
	r = latest(all)
	if Status(r.Status) != Revoked {
		return r, ErrNotFound
	}
	history, err := q.HistoryOf(ctx, r.ID)
	if err != nil {
		return r, fmt.Errorf("read history: %w", err)
	}
	if !lockedOut(history) {
		return r, ErrNotFound
	}
	return r, nil
}

// lockedOut reports whether a LockOut was the end of a history.
func lockedOut(history []db.HistoryOfRow) bool {
	n := len(history)
	return n > 0 && Action(history[n-1].Action) == ActionLockOut
}

// Resettable returns the registration that ResetPIN would follow, and whether
// its certificate is revoked already because its key was locked for good. It
// fails with ErrNotFound when there is nothing to reset.
func (s *Service) Resettable(ctx context.Context, employeeID string) (r db.Registration, lockedOut bool, err error) {
	r, err = s.resettable(ctx, s.Store.Read(), employeeID)
	return r, err == nil && Status(r.Status) != Issue, err
}
