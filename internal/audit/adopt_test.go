package audit_test

import (
	"errors"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// A record of an older version is a chain without salts whose head has no
// roots. Nothing is added before it is taken over, and nothing gets lost.
func TestAdopt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		var prev []byte
		err := s.InTx(ctx, func(tx *store.Tx) error {
			for i := range int64(5) {
				r := db.InsertAuditParams{Seq: i + 1, At: 1, ActorID: "a", ActorRole: "r", Action: "old.act", ObjectKind: "k", ObjectID: "i", Detail: "null", PrevHash: prev}
				r.Hash = audit.Leaf(r)
				prev = r.Hash
				if err := tx.InsertAudit(ctx, r); err != nil {
					return err
				}
			}
			_, err := tx.Exec(ctx, "update audit_head set size = 5")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		act := func() error {
			return s.InTx(ctx, func(tx *store.Tx) error {
				return audit.Record(ctx, tx, time.Unix(1, 0), audit.System("test"), audit.Entry{Action: "new.act"})
			})
		}
		if err := act(); !errors.Is(err, audit.ErrNotAdopted) {
			t.Fatalf("a record that was not taken over grew: %v", err)
		}
		for range 2 { // the second time changes nothing
			if err := audit.Adopt(ctx, s); err != nil {
				t.Fatal(err)
			}
			if err := act(); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := audit.Verify(ctx, s.Read()); err != nil || n != 7 {
			t.Errorf("Verify = %d, %v", n, err)
		}
	})
}
