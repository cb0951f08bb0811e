package audit_test

import (
	"errors"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func record(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for range n {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			return audit.Record(t.Context(), tx, time.Unix(1, 0), audit.System("test"),
				audit.Entry{Action: "test.act", ObjectKind: "thing", ObjectID: "1", Detail: map[string]string{"k": "v"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyFindsEveryKindOfTampering(t *testing.T) {
	t.Parallel()
	// The triggers forbid all of this to the program; who has the database
	// file drops them first.
	drop := map[bool][]string{
		false: {"drop trigger audit_no_update", "drop trigger audit_no_delete"},
		true:  {"drop trigger audit_append_only on audit"},
	}
	for name, tamper := range map[string]string{
		"change":  "update audit set action = 'other' where seq = 2",
		"delete":  "delete from audit where seq = 2",
		"reorder": "update audit set seq = case seq when 2 then 30 else seq end where seq = 2",
		"cut":     "delete from audit where seq = 5",
		"roots":   "update audit_head set frontier = (select hash from audit where seq = 1)",
		"salt":    "update audit set salt = prev_hash where seq = 3",
		"tail":    "update audit set detail = 'x' where seq = 5",
		"add":     "insert into audit select 6, at, actor_id, actor_role, action, object_kind, object_id, detail, prev_hash, hash, salt from audit where seq = 5",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				record(t, s, 5)
				if n, err := audit.Verify(t.Context(), s.Read()); err != nil || n != 5 {
					t.Fatalf("Verify = %d, %v before tampering", n, err)
				}
				err := s.InTx(t.Context(), func(tx *store.Tx) error {
					for _, q := range append(drop[s.Postgres()], tamper) {
						if _, err := tx.Exec(t.Context(), q); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := audit.Verify(t.Context(), s.Read()); !errors.Is(err, audit.ErrBroken) {
					t.Errorf("Verify = %v after tampering, want ErrBroken", err)
				}
			})
		})
	}
}
