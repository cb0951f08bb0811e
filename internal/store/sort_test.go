package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// What a sort reads ahead is asked for once for all parts of a transaction,
// with every object's identifier; each part gets it; two parts about one object
// do not meet in one transaction.
func TestSortAsksOnceForAll(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := s.NewGroup(8)
		var mu sync.Mutex
		asked := map[*store.Tx][]string{}
		sort := store.NewSort(g, func(_ context.Context, tx *store.Tx, ids []string) (map[string]string, error) {
			mu.Lock()
			defer mu.Unlock()
			asked[tx] = append(asked[tx], ids...)
			known := map[string]string{}
			for _, id := range ids {
				known[id] = "about " + id
			}
			return known, nil
		})
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
		objects := []string{"a", "b", "c", "b", "d"}
		for i, id := range objects {
			wg.Go(func() {
				err := sort.InTx(t.Context(), id, func(tx *store.Tx, known map[string]string) error {
					if known[id] != "about "+id {
						return fmt.Errorf("part %d knows %v", i, known)
					}
					return unit(tx, fmt.Sprint(i))
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		for g.Waiting() < len(objects) {
			continue
		}
		close(come)
		wg.Wait()
		if len(asked) != 2 {
			t.Errorf("asked in %d transactions: %v; want two, b came twice", len(asked), asked)
		}
		for _, ids := range asked {
			seen := map[string]bool{}
			for _, id := range ids {
				if seen[id] {
					t.Errorf("one transaction had two parts about %s", id)
				}
				seen[id] = true
			}
		}
		for i := range objects {
			if _, err := s.Read().GetUnitByCode(t.Context(), fmt.Sprint(i)); err != nil {
				t.Errorf("part %d is not durable: %v", i, err)
			}
		}
	})
}

// A sort that cannot read ahead fails its parts alone.
func TestSortThatCannotReadFailsItsPartsAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		g := s.NewGroup(8)
		boom := errors.New("boom")
		sort := store.NewSort(g, func(_ context.Context, _ *store.Tx, ids []string) (int, error) {
			for _, id := range ids {
				if id == "bad" {
					return 0, boom
				}
			}
			return len(ids), nil
		})
		errs := map[string]error{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, id := range []string{"x", "bad", "y"} {
			end := g.Begin()
			wg.Go(func() {
				defer end()
				err := sort.InTx(t.Context(), id, func(tx *store.Tx, _ int) error { return unit(tx, id) })
				mu.Lock()
				errs[id] = err
				mu.Unlock()
			})
		}
		wg.Wait()
		if errs["x"] != nil || errs["y"] != nil || !errors.Is(errs["bad"], boom) {
			t.Errorf("x: %v, y: %v, bad: %v", errs["x"], errs["y"], errs["bad"])
		}
		if _, err := s.Read().GetUnitByCode(t.Context(), "bad"); !store.IsNotFound(err) {
			t.Errorf("what failed was kept: %v", err)
		}
	})
}

// LaterOne fails the transaction when a statement changes no row, or two.
func TestLaterOneChangesOneRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insertUnit(t, s, "one")
		u, err := s.Read().GetUnitByCode(t.Context(), "one")
		if err != nil {
			t.Fatal(err)
		}
		employee := func(tx *store.Tx, id string) error {
			return tx.Later().InsertEmployee(t.Context(), db.InsertEmployeeParams{ID: id, Nip: id[:18], Name: id, UnitID: u.ID, Email: id, TimeZone: "WIB", Locale: "id", CreatedAt: 1})
		}
		id, other := ident.New(), ident.New()
		term := func(tx *store.Tx, of string) error { // deletes the words of an employee
			return tx.LaterOne().DeleteSearchTerms(t.Context(), of)
		}
		err = s.InTx(t.Context(), func(tx *store.Tx) error {
			return errors.Join(employee(tx, id), employee(tx, other),
				tx.Later().InsertSearchTerm(t.Context(), db.InsertSearchTermParams{Term: []byte("a"), EmployeeID: id}),
				tx.Later().InsertSearchTerm(t.Context(), db.InsertSearchTermParams{Term: []byte("b"), EmployeeID: other}),
				tx.Later().InsertSearchTerm(t.Context(), db.InsertSearchTermParams{Term: []byte("c"), EmployeeID: other}))
		})
		if err != nil {
			t.Fatal(err)
		}
		for who, want := range map[string]error{"nobody": store.ErrNotOne, other: store.ErrNotOne, id: nil} {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				if err := unit(tx, "with "+who); err != nil {
					return err
				}
				return term(tx, who)
			})
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", who, err, want)
			}
			_, err = s.Read().GetUnitByCode(t.Context(), "with "+who)
			if kept := err == nil; kept != (want == nil) {
				t.Errorf("%s: the transaction was kept: %v", who, kept)
			}
		}
	})
}

func TestOfAsksForEveryMember(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		insertUnit(t, s, "one")
		u, err := s.Read().GetUnitByCode(t.Context(), "one")
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		err = s.InTx(t.Context(), func(tx *store.Tx) error {
			for range 9 {
				id := ident.New()
				ids = append(ids, id)
				err := tx.InsertEmployee(t.Context(), db.InsertEmployeeParams{ID: id, Nip: id[:18], Name: id, UnitID: u.ID, Email: id, TimeZone: "WIB", Locale: "id", CreatedAt: 1})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 10 {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				rows, err := store.Of(tx, ids[:n]).Employees(t.Context(), "")
				if n == 0 {
					if err == nil {
						t.Error("an empty list is answered")
					}
					return nil
				}
				got := map[string]bool{}
				for _, e := range rows {
					got[e.ID] = true
				}
				for _, id := range ids[:n] {
					if !got[id] {
						t.Errorf("%d: %s is missing", n, id)
					}
				}
				if len(rows) != n {
					t.Errorf("%d rows for %d identifiers", len(rows), n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err = s.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := store.Of(tx, ids).GetEmployee(t.Context(), ids[0])
			return err
		})
		if err == nil || errors.Is(err, sql.ErrNoRows) {
			t.Errorf("a query that is not about a list: %v", err)
		}
	})
}

// The statements of the connection that writes to SQLite run to their end, but
// none begins after its context has ended.
func TestWriterBeginsNothingForWhoHasLeft(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := s.InTx(ctx, func(tx *store.Tx) error {
		cancel()
		return tx.InsertUnit(ctx, db.InsertUnitParams{ID: "u", Code: "u", Name: "u", CreatedAt: 1})
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("InTx = %v, want context.Canceled", err)
	}
	if _, err := s.Read().GetUnitByCode(t.Context(), "u"); !store.IsNotFound(err) {
		t.Errorf("it was written: %v", err)
	}
}
