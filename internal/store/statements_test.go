package store_test

import (
	"fmt"
	"testing"

	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func TestStatementsAreKept(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	kept := func(f func(tx *store.Tx) error) (n int) {
		t.Helper()
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			var err error
			n, err = tx.Kept()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	read := func(tx *store.Tx) error {
		_, err := tx.AuditHead(t.Context())
		return err
	}
	first := kept(read)
	if first == 0 {
		t.Fatal("no statement is kept")
	}
	if again := kept(read); again != first {
		t.Errorf("a statement that ran before is kept again: %d, then %d", first, again)
	}
	// A statement that fails is prepared anew the next time.
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertUnit(t.Context(), db.InsertUnitParams{ID: "x", Code: "x", Name: "x", ParentID: text("nobody")})
	})
	if !store.IsForeignKey(err) {
		t.Fatalf("unit of an absent parent: %v", err)
	}
	insertUnit(t, s, "x")
	// The bound holds, and what is over it still runs.
	n := kept(func(tx *store.Tx) error {
		for i := range store.MaxStatements + 20 {
			if _, err := tx.Exec(t.Context(), fmt.Sprintf("update unit set updated_at = %d where code = 'x'", i)); err != nil {
				return err
			}
		}
		return read(tx)
	})
	if n > store.MaxStatements {
		t.Errorf("%d statements are kept, at most %d may be", n, store.MaxStatements)
	}
	// A change of the schema is seen.
	kept(func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "alter table audit_head add column more text not null default 'more'")
		return err
	})
	kept(read)
}

// Rows of one statement may be read inside those of the same one.
func TestStatementInUseIsNotTakenTwice(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	for _, code := range []string{"a", "b", "c"} {
		insertUnit(t, s, code)
	}
	const q = "select code from unit where code >= $1 order by code"
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		got := ""
		err := each(t, tx, q, "a", func(outer string) error {
			got += outer
			return each(t, tx, q, outer, func(inner string) error {
				got += inner
				return nil
			})
		})
		if got != "aabcbbccc" {
			t.Errorf("read %s, want aabcbbccc", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func each(t *testing.T, tx *store.Tx, q, from string, f func(string) error) error {
	rows, err := tx.Query(t.Context(), q, from)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return err
		}
		if err := f(s); err != nil {
			return err
		}
	}
	return rows.Err()
}
