package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// together runs parts as one transaction: the first of them waits in its
// transaction until all others have come.
func together(t *testing.T, g *store.Group, parts []func(*store.Tx) error) []error {
	t.Helper()
	errs := make([]error, len(parts))
	begun, come := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var wg sync.WaitGroup
	wg.Go(func() {
		err := g.InTx(t.Context(), func(*store.Tx) error {
			once.Do(func() { close(begun) })
			<-come
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	for i, f := range parts {
		wg.Go(func() { errs[i] = g.InTx(t.Context(), f) })
	}
	for g.Waiting() < len(parts) {
		continue
	}
	close(come)
	wg.Wait()
	return errs
}

func unit(tx *store.Tx, code string) error {
	return tx.InsertUnit(context.Background(), db.InsertUnitParams{ID: ident.New(), Code: code, Name: code, CreatedAt: 1})
}

func TestGroupSharesOneTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := s.NewGroup(8)
		var mu sync.Mutex
		seen := map[*store.Tx]int{}
		after := atomic.Int64{}
		var parts []func(*store.Tx) error
		for i := range 6 {
			parts = append(parts, func(tx *store.Tx) error {
				mu.Lock()
				seen[tx]++
				mu.Unlock()
				tx.After(func() { after.Add(1) })
				return errors.Join(unit(tx, fmt.Sprint(i)), tx.Enqueue(t.Context(), store.Job{Kind: "x", ID: fmt.Sprint(i)}))
			})
		}
		for i, err := range together(t, g, parts) {
			if err != nil {
				t.Errorf("part %d: %v", i, err)
			}
		}
		if len(seen) != 1 || after.Load() != 6 {
			t.Errorf("6 parts ran in %d transactions, %d were told; want 1 and 6", len(seen), after.Load())
		}
		for i := range 6 {
			if _, err := s.Read().GetUnitByCode(t.Context(), fmt.Sprint(i)); err != nil {
				t.Errorf("part %d is not durable: %v", i, err)
			}
		}
		if n, err := s.Pending(t.Context()); n != 6 || err != nil {
			t.Errorf("%d jobs, %v; want 6", n, err)
		}
	})
}

// One part breaks a rule of the schema, one has a reason of its own, one a
// context that ended: none takes the others with it.
func TestGroupKeepsOutcomesApart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insertUnit(t, s, "taken")
		g := s.NewGroup(8)
		boom := errors.New("boom")
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		var told [5]atomic.Int64
		part := func(i int, f func(tx *store.Tx) error) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				tx.After(func() { told[i].Add(1) })
				return f(tx)
			}
		}
		errs := together(t, g, []func(*store.Tx) error{
			part(0, func(tx *store.Tx) error { return unit(tx, "a") }),
			part(1, func(tx *store.Tx) error { return unit(tx, "taken") }),
			part(2, func(tx *store.Tx) error { return errors.Join(unit(tx, "b"), boom) }),
			part(3, func(tx *store.Tx) error {
				_, err := tx.GetUnitByCode(gone, "taken")
				return err
			}),
			part(4, func(tx *store.Tx) error { return unit(tx, "c") }),
		})
		for i, ok := range []bool{errs[0] == nil, store.IsUnique(errs[1]), errors.Is(errs[2], boom), errors.Is(errs[3], context.Canceled), errs[4] == nil} {
			if !ok {
				t.Errorf("part %d: %v", i, errs[i])
			}
			if want := int64(map[bool]int{true: 1}[errs[i] == nil]); told[i].Load() != want {
				t.Errorf("part %d was told %d times that it is durable, want %d", i, told[i].Load(), want)
			}
		}
		for code, want := range map[string]bool{"a": true, "b": false, "c": true} {
			if _, err := s.Read().GetUnitByCode(t.Context(), code); (err == nil) != want {
				t.Errorf("unit %s: %v, want durable: %v", code, err, want)
			}
		}
	})
}

func TestGroupUnderLoad(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := s.NewGroup(4)
		var wg sync.WaitGroup
		for w := range 12 {
			wg.Go(func() {
				defer g.Begin()()
				for i := range 10 {
					err := g.InTx(t.Context(), func(tx *store.Tx) error {
						if w == 3 {
							return sql.ErrNoRows
						}
						_, err := tx.ExtendAudit(t.Context(), 1)
						return errors.Join(err, unit(tx, fmt.Sprintf("%d-%d", w, i)))
					})
					if (err != nil) != (w == 3) {
						t.Errorf("%d-%d: %v", w, i, err)
					}
				}
			})
		}
		wg.Wait()
		if head, err := s.Read().AuditHead(t.Context()); err != nil || head.Size != 110 {
			t.Errorf("%d steps, %v; want 110", head.Size, err)
		}
	})
}

func TestPanicLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic got lost")
				}
			}()
			_ = s.InTx(t.Context(), func(tx *store.Tx) error {
				if err := unit(tx, "half"); err != nil {
					return err
				}
				panic("boom")
			})
		}()
		insertUnit(t, s, "whole") // on SQLite by the only connection that writes
		if _, err := s.Read().GetUnitByCode(t.Context(), "half"); !store.IsNotFound(err) {
			t.Errorf("what a panic left half done: %v, want not found", err)
		}
	})
}

// gathered writes units at the end.
type gathered struct {
	tx    *store.Tx
	codes []string
	fail  error
}

func (e *gathered) End(context.Context) error {
	for _, c := range e.codes {
		if err := unit(e.tx, c); err != nil {
			return err
		}
	}
	return e.fail
}

func TestAtEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		type key struct{}
		boom := errors.New("boom")
		try := func(fail error, codes ...string) error {
			return s.InTx(t.Context(), func(tx *store.Tx) error {
				for _, c := range codes {
					e := store.AtEnd(tx, key{}, func(tx *store.Tx) *gathered { return &gathered{tx: tx, fail: fail} })
					e.codes = append(e.codes, c)
					if _, err := tx.GetUnitByCode(t.Context(), c); !store.IsNotFound(err) {
						return fmt.Errorf("written before the end: %w", err)
					}
				}
				return nil
			})
		}
		if err := try(nil, "a", "b"); err != nil {
			t.Fatal(err)
		}
		if err := try(boom, "c"); !errors.Is(err, boom) {
			t.Errorf("an end that fails: %v, want boom", err)
		}
		for code, want := range map[string]bool{"a": true, "b": true, "c": false} {
			if _, err := s.Read().GetUnitByCode(t.Context(), code); (err == nil) != want {
				t.Errorf("unit %s: %v, want durable: %v", code, err, want)
			}
		}
	})
}

func TestLater(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		later := func(tx *store.Tx, code string) error {
			return tx.Later().InsertUnit(t.Context(), db.InsertUnitParams{ID: ident.New(), Code: code, Name: code, CreatedAt: 1})
		}
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			if err := errors.Join(later(tx, "a"), later(tx, "b")); err != nil {
				return err
			}
			for _, code := range []string{"a", "b"} { // a query sees what was put off before it
				if _, err := tx.GetUnitByCode(t.Context(), code); err != nil {
					return err
				}
			}
			n := 0
			if err := tx.QueryRow(t.Context(), "select count(*) from unit where code in ('a', 'b')").Scan(&n); n != 2 || err != nil {
				return fmt.Errorf("%d units, %w", n, err)
			}
			return later(tx, "c") // and the commit holds what nothing followed
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []string{"a", "b", "c"} {
			if _, err := s.Read().GetUnitByCode(t.Context(), code); err != nil {
				t.Errorf("unit %s is not durable: %v", code, err)
			}
		}
		// What fails later is told, whatever the function made of it, and
		// nothing of the transaction stays.
		for name, f := range map[string]func(tx *store.Tx) error{
			"at the end": func(tx *store.Tx) error { return errors.Join(unit(tx, "d"), later(tx, "a")) },
			"before a query": func(tx *store.Tx) error {
				if err := errors.Join(unit(tx, "d"), later(tx, "a")); err != nil {
					return err
				}
				_, err := tx.GetUnitByCode(t.Context(), "d")
				return err
			},
			"before a job": func(tx *store.Tx) error {
				return errors.Join(unit(tx, "d"), later(tx, "a"), tx.Enqueue(t.Context(), store.Job{Kind: "x", ID: "1"}))
			},
			"unnoticed": func(tx *store.Tx) error {
				if err := unit(tx, "d"); err != nil {
					return err
				}
				if err := later(tx, "a"); err != nil {
					return err
				}
				_, _ = tx.Exec(t.Context(), "update unit set updated_at = 5")
				return nil
			},
		} {
			told := false
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				tx.After(func() { told = true })
				return f(tx)
			})
			if !store.IsUnique(err) || told {
				t.Errorf("%s: %v, told durable: %v; want a unique violation", name, err, told)
			}
			if _, err := s.Read().GetUnitByCode(t.Context(), "d"); !store.IsNotFound(err) {
				t.Errorf("%s: what failed together with it stays: %v", name, err)
			}
		}
	})
}
