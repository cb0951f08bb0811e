package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func insertUnit(t *testing.T, s *store.Store, code string) string {
	t.Helper()
	id := ident.New()
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: id, Code: code, Name: "Unit " + code, CreatedAt: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		boom := errors.New("boom")
		ran := false
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			tx.After(func() { ran = true })
			if err := tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: ident.New(), Code: "A", Name: "A", CreatedAt: 1}); err != nil {
				return err
			}
			if err := tx.Enqueue(t.Context(), store.Job{Kind: "x", ID: "1"}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatalf("InTx = %v, want boom", err)
		}
		if ran {
			t.Error("After ran although the transaction failed")
		}
		if _, err := s.Read().GetUnitByCode(t.Context(), "A"); !store.IsNotFound(err) {
			t.Errorf("unit of a failed transaction: %v, want not found", err)
		}
		if n, err := s.Pending(t.Context()); err != nil || n != 0 {
			t.Errorf("jobs of a failed transaction: %d, %v", n, err)
		}
	})
}

func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insertUnit(t, s, "A")
		insert := func(p db.InsertUnitParams) error {
			return s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertUnit(t.Context(), p) })
		}
		if err := insert(db.InsertUnitParams{ID: ident.New(), Code: "A", Name: "again", CreatedAt: 1}); !store.IsUnique(err) {
			t.Errorf("second unit A: %v, want a unique violation", err)
		}
		err := insert(db.InsertUnitParams{ID: ident.New(), Code: "B", Name: "B", CreatedAt: 1, ParentID: text("nobody")})
		if !store.IsForeignKey(err) {
			t.Errorf("unit of an absent parent: %v, want a foreign key violation", err)
		}
		err = s.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "insert into audit_head (id, size) values (2, 0)")
			return err
		})
		if !store.IsCheck(err) {
			t.Errorf("second audit head: %v, want a check violation", err)
		}
	})
}

func TestAppendOnlyTables(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		do := func(q string) error {
			return s.InTx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), q)
				return err
			})
		}
		err := do(`insert into audit (seq, at, actor_id, actor_role, action, object_kind, object_id, detail, prev_hash, hash)
			values (1, 1, 'a', 'r', 'x', 'k', 'o', '{}', '', '')`)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"update audit set action = 'y'", "delete from audit"} {
			if err := do(q); !store.IsCheck(err) {
				t.Errorf("%s: %v, want refused", q, err)
			}
		}
	})
}

func TestMigrateTwiceAndCheck(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if err := s.CheckSchema(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, err := s.Migrate(t.Context())
		if err != nil || n != 0 {
			t.Errorf("second Migrate = %d, %v, want 0 steps", n, err)
		}
	})
}

func TestEmptyDatabaseIsOutdated(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, t.TempDir()+"/empty.db")
	if err := s.CheckSchema(t.Context()); !errors.Is(err, store.ErrOutdated) {
		t.Errorf("CheckSchema of an empty database = %v, want ErrOutdated", err)
	}
}

func TestPostgresAddressIsNotTold(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), "postgres://u:geheim@[", nil)
	if err == nil || contains(err.Error(), "geheim") {
		t.Errorf("error %v tells the password", err)
	}
}

func TestJobsRunOnceEach(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const jobs = 60
		var mu sync.Mutex
		seen := map[string]int{}
		failures := atomic.Int64{}
		done := make(chan struct{}, jobs+1)
		w, err := s.Work(t.Context(), map[string]store.Handler{
			"count": func(_ context.Context, id string) error {
				if id == "7" && failures.Add(1) == 1 {
					return errors.New("first time fails")
				}
				mu.Lock()
				defer mu.Unlock()
				seen[id]++
				done <- struct{}{}
				return nil
			},
		}, nil, store.WorkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		for i := range jobs {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				return tx.Enqueue(t.Context(), store.Job{Kind: "count", ID: fmt.Sprint(i)})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for range jobs {
			select {
			case <-done:
			case <-time.After(30 * time.Second):
				t.Fatalf("jobs are missing: %d of %d ran", len(seen), jobs)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for id, n := range seen {
			if n != 1 {
				t.Errorf("job %s ran %d times", id, n)
			}
		}
	})
}

func TestScheduledJobWaits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			return tx.Enqueue(t.Context(), store.Job{Kind: "later", ID: "1", At: time.Now().Add(time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.Pending(t.Context()); err != nil || n != 0 {
			t.Errorf("Pending = %d, %v, want 0: the job is not due", n, err)
		}
	})
}

func TestConcurrentIncrementsAreNotLost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					err := s.InTx(t.Context(), func(tx *store.Tx) error {
						_, err := tx.ExtendAudit(t.Context(), 1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		head, err := s.Read().AuditHead(t.Context())
		if err != nil || head.Size != 80 {
			t.Errorf("audit head = %d, %v, want 80", head.Size, err)
		}
	})
}
