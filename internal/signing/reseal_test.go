package signing_test

import (
	"log/slog"
	"testing"
	"time"

	"absah/internal/keys"
	"absah/internal/reseal"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
)

// TestRotation rotates the pepper and the KEK of documents between two acts of
// signing: the key is sealed anew when it is used, documents in the background,
// and both go on working.
func TestRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		sign := func() signing.Item {
			t.Helper()
			it := item(w.upload("surat"), signing.Request{Level: pades.BB})
			must(t, w.signAll(it)[0].Err)
			return it
		}
		generation := func() (generation, pepper, audited int) {
			t.Helper()
			must(t, s.ReadDB().QueryRowContext(t.Context(), `select generation, pepper_version from credential where employee_id = $1`, w.who.EmployeeID).Scan(&generation, &pepper))
			must(t, s.ReadDB().QueryRowContext(t.Context(), `select count(*) from audit where action = 'credential.resealed'`).Scan(&audited))
			return generation, pepper, audited
		}
		first := sign()
		if g, p, n := generation(); g != 1 || p != 1 || n != 0 {
			t.Errorf("before: generation %d, pepper %d, %d rows of audit", g, p, n)
		}
		for _, name := range []keys.Name{keys.Pepper, keys.Scans} {
			if _, err := w.Vault.(keys.Keyring).Rotate(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			w.clock.Advance(time.Minute)
			sign()
			if g, p, n := generation(); g != 2 || p != 2 || n != 1 {
				t.Errorf("after: generation %d, pepper %d, %d rows of audit", g, p, n)
			}
		}
		r := reseal.Service{Store: s, Vault: w.Vault, Clock: w.clock.Now, Log: slog.New(slog.DiscardHandler), Columns: signing.SealedColumns()}
		must(t, r.Run(t.Context()))
		var old int
		must(t, s.ReadDB().QueryRowContext(t.Context(), `select count(*) from document_version where substr(key_sealed, 1, 4) < $1`, []byte{0, 0, 0, 2}).Scan(&old))
		if old != 0 {
			t.Errorf("%d keys of documents are under the older version", old)
		}
		for version := range int64(2) {
			if _, err := w.Content(t.Context(), first.Document, version+1); err != nil {
				t.Errorf("version %d of the first document: %v", version+1, err)
			}
		}
	})
}
