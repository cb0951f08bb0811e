package audit_test

import (
	"context"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// BenchmarkRecord is what a row costs in a transaction that holds 100 of them:
// hashing, and the statements that any row costs.
func BenchmarkRecord(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, dsn(b))
			for n := b.N; n > 0; n -= 100 {
				add(b, s, min(n, 100))
			}
		})
	}
}

// BenchmarkVerify is what a row costs in a verification of the whole record.
func BenchmarkVerify(b *testing.B) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b, dsn(b))
			for n := b.N; n > 0; n -= 1000 {
				add(b, s, min(n, 1000))
			}
			b.ResetTimer()
			if _, err := audit.Verify(b.Context(), s.Read()); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func add(b *testing.B, s *store.Store, n int) {
	b.Helper()
	err := s.InTx(b.Context(), func(tx *store.Tx) error { return rows(b.Context(), tx, n) })
	if err != nil {
		b.Fatal(err)
	}
}

func rows(ctx context.Context, tx *store.Tx, n int) error {
	for range n {
		err := audit.Record(ctx, tx, time.Unix(1, 0), audit.System("test"), audit.Entry{
			Action: "test.act", ObjectKind: "thing", ObjectID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Detail: map[string]string{"from": "New", "to": "Enroll"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
