package enrolment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"absah/internal/audit"
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
		if n, wrong := wrongOne(now, next); wrong {
			err := audit.Record(ctx, tx, a.Clock(), audit.System("credential"), audit.Entry{
				Action: audit.ActionWrongPassphrase, ObjectKind: "credential", ObjectID: kid,
				Detail: map[string]string{"number": strconv.FormatInt(n, 10), "in_row": strconv.Itoa(now.Consecutive)},
			})
			if err != nil {
				return err
			}
		}
		if !next.LockedForGood {
			return nil
		}
		// While the last guess is in flight it may still turn out right.
		return tx.Enqueue(ctx, store.Job{Kind: JobLockOut, ID: kid, At: next.InflightUntil})
	})
	return out, err
}

// wrongOne tells which reservation the step from now to next shows to count as
// wrong: the one that was resolved so, or one that nobody resolved before the
// next was made. A right one leaves no row, so that signing pays for none.
func wrongOne(now, next credential.Attempts) (number int64, wrong bool) {
	resolved := next.Seq == now.Seq && !next.Unresolved() && next.Consecutive == now.Consecutive
	return now.Seq, now.Unresolved() && (resolved || next.Seq > now.Seq)
}

// Recall counts the wrong passphrases that rows of the record tell of (in their
// order) and that the counters of a database that was put back are older than.
// It returns how many keys it changed. One that they lock for good leaves a
// JobLockOut, as it does in Update.
func (a AttemptStore) Recall(ctx context.Context, tx *store.Tx, rows []audit.Row) (changed int64, err error) {
	byKey := map[string][]audit.Row{}
	for _, r := range rows {
		byKey[r.ObjectID] = append(byKey[r.ObjectID], r)
	}
	for _, kid := range slices.Sorted(maps.Keys(byKey)) {
		c, err := tx.LockCredential(ctx, kid)
		if store.IsNotFound(err) {
			continue // made since: it is gone
		}
		if err != nil {
			return 0, fmt.Errorf("recall attempts: lock key: %w", err)
		}
		was, err := a.Ledger.Decode(ctx, kid, c.Attempts)
		if err != nil {
			return 0, fmt.Errorf("recall attempts: %w", err)
		}
		now := was
		for _, r := range byKey[kid] {
			var d struct {
				Number int64 `json:"number,string"`
				InRow  int   `json:"in_row,string"`
			}
			if err := json.Unmarshal([]byte(r.Detail), &d); err != nil {
				return 0, fmt.Errorf("recall attempts: row %d: %w", r.Seq, err)
			}
			now = now.Recall(clock.FromMicros(r.At), d.Number, d.InRow)
		}
		if now.Seq == was.Seq && now.Unresolved() == was.Unresolved() {
			continue
		}
		text, err := a.Ledger.Encode(ctx, kid, now)
		if err != nil {
			return 0, fmt.Errorf("recall attempts: %w", err)
		}
		if err := tx.SetCredentialAttempts(ctx, db.SetCredentialAttemptsParams{ID: kid, Attempts: text, UpdatedAt: clock.Micros(a.Clock())}); err != nil {
			return 0, fmt.Errorf("recall attempts: %w", err)
		}
		changed++
		if now.LockedForGood {
			if err := tx.Enqueue(ctx, store.Job{Kind: JobLockOut, ID: kid, At: a.Clock()}); err != nil {
				return 0, fmt.Errorf("recall attempts: %w", err)
			}
		}
	}
	return changed, nil
}
