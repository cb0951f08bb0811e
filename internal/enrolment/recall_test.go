package enrolment_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// putBack gives a key the counters of a backup.
func (w *world) putBack(kid, attempts string) {
	w.t.Helper()
	must(w.t, w.store.InTx(w.t.Context(), func(tx *store.Tx) error {
		return tx.SetCredentialAttempts(w.t.Context(), db.SetCredentialAttemptsParams{ID: kid, Attempts: attempts, UpdatedAt: 1})
	}))
}

// counters are those of a key as stored.
func (w *world) counters(kid string) (credential.Attempts, string) {
	w.t.Helper()
	c, err := w.store.Read().GetCredential(w.t.Context(), kid)
	must(w.t, err)
	a, err := w.svc.Ledger.Decode(w.t.Context(), kid, c.Attempts)
	must(w.t, err)
	return a, c.Attempts
}

// recall counts again what the record has about a key.
func (w *world) recall(kid string) (n int64) {
	w.t.Helper()
	ctx := w.t.Context()
	all, err := w.store.Read().ListAuditOfObject(ctx, db.ListAuditOfObjectParams{ObjectKind: "credential", ObjectID: kid})
	must(w.t, err)
	var rows []audit.Row
	for _, r := range all {
		if r.Action == audit.ActionWrongPassphrase {
			rows = append(rows, r)
		}
	}
	must(w.t, w.store.InTx(ctx, func(tx *store.Tx) (err error) {
		n, err = enrolment.AttemptStore{Store: w.store, Ledger: w.svc.Ledger, Clock: w.clock.Now}.Recall(ctx, tx, rows)
		return err
	}))
	return n
}

func TestWrongOnesSinceABackupCountAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		_, _, _, r := w.to(enrolment.Issue)
		k := w.key(r.ID)
		must(t, w.guess(k.ID, 2))
		_, backup := w.counters(k.ID)
		must(t, w.guess(k.ID, 7))
		live, _ := w.counters(k.ID)

		w.putBack(k.ID, backup)
		if n := w.recall(k.ID); n != 1 {
			t.Errorf("%d keys changed", n)
		}
		got, _ := w.counters(k.ID)
		if got.Consecutive != 9 || len(got.Wrong) != len(live.Wrong) || got.Seq != live.Seq || !got.LockedUntil.Equal(live.LockedUntil) {
			t.Errorf("recalled %+v, were %+v", got, live)
		}
		if n := w.recall(k.ID); n != 0 {
			t.Errorf("a second time %d keys changed", n)
		}
		must(t, w.guess(k.ID, 1))
		if got, _ = w.counters(k.ID); !got.LockedForGood {
			t.Errorf("the tenth left %+v", got)
		}
		// The tenth came after the backup too: the job that ends the key is back.
		w.putBack(k.ID, backup)
		w.recall(k.ID)
		if got, _ = w.counters(k.ID); !got.LockedForGood || w.jobs(k.ID) == 0 {
			t.Errorf("locked for good since: %+v, %d jobs", got, w.jobs(k.ID))
		}
	})
}

// Whatever wrong, right, untested and killed guesses follow in whatever order,
// and whenever the backup was made: the counters are at least as strict as they
// were, but for one killed guess that none came after.
func TestRecallForgivesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	_, _, _, r := w.to(enrolment.Issue)
	k := w.key(r.ID)
	_, fresh := w.counters(k.ID)
	store := enrolment.AttemptStore{Store: w.store, Ledger: w.svc.Ledger, Clock: w.clock.Now}
	random := rand.New(rand.NewPCG(1, 2))
	outcomes := []error{credential.ErrWrongPassphrase, credential.ErrWrongPassphrase, credential.ErrWrongPassphrase, nil, credential.ErrNotEvaluated}
	var last string
	backups := []string{fresh}
	for range 60 {
		w.clock.Advance(time.Duration(random.IntN(90)) * time.Minute)
		if random.IntN(6) == 0 {
			_, err := store.Update(t.Context(), k.ID, func(a credential.Attempts) (credential.Attempts, error) { return a.Reserve(w.clock.Now()) })
			last = "killed"
			if err != nil {
				last = "refused"
			}
			w.clock.Advance(credential.Hold)
		} else {
			want := outcomes[random.IntN(len(outcomes))]
			_, err := w.svc.Guard.Unlock(t.Context(), k.ID, func(context.Context) error { return want })
			last = "tested"
			if !errors.Is(err, want) {
				last = "refused"
			}
		}
		live, text := w.counters(k.ID)
		for _, b := range backups {
			w.putBack(k.ID, b)
			w.recall(k.ID)
			got, _ := w.counters(k.ID)
			slack := 0
			if live.Unresolved() {
				slack = 1
			}
			now := w.clock.Now()
			if got.LeftForGood(now) > live.LeftForGood(now)+slack || slack == 0 && got.LockedUntil.Before(live.LockedUntil) {
				t.Fatalf("after one %s: recalled %+v, were %+v", last, got, live)
			}
		}
		w.putBack(k.ID, text)
		if live.LockedForGood {
			break
		}
		backups = append(backups, text)
	}
	if len(backups) < 10 {
		t.Fatalf("only %d guesses", len(backups))
	}
}
