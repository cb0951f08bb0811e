package enrolment

import (
	"context"
	"fmt"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/store"
	"absah/internal/store/db"
)

// AttemptStore keeps the counters of wrong passphrases with the keys. Each
// Update is one durable transaction, so that no crash gives an attempt back.
// One that locks a key for good leaves a JobLockOut in it, also when the last
// guess has only been reserved: who is killed before its test has lost it.
type AttemptStore struct {
	Store  *store.Store
	Ledger *credential.Ledger
	Clock  clock.Clock
}

// Update implements credential.AttemptStore.
func (a AttemptStore) Update(ctx context.Context, kid string, f func(credential.Attempts) (credential.Attempts, error)) (credential.Attempts, error) {
	var out credential.Attempts
	err := a.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockCredential(ctx, kid)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock key: %w", err)
		}
		now, err := a.Ledger.Decode(ctx, kid, c.Attempts)
		if err != nil {
			return err
		}
		next, err := f(now)
		if err != nil {
			return err
		}
		text, err := a.Ledger.Encode(ctx, kid, next)
		if err != nil {
			return fmt.Errorf("store attempts: %w", err)
		}
		err = tx.SetCredentialAttempts(ctx, db.SetCredentialAttemptsParams{ID: kid, Attempts: text, UpdatedAt: clock.Micros(a.Clock())})
		if err != nil {
			return fmt.Errorf("store attempts: %w", err)
		}
		out = next
		if !next.LockedForGood {
			return nil
		}
		// While the last guess is in flight it may still turn out right.
		return tx.Enqueue(ctx, store.Job{Kind: JobLockOut, ID: kid, At: next.InflightUntil})
	})
	return out, err
}
