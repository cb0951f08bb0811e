package store_test

import (
	"context"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// Processes that can do different work each fetch their own, and whichever of
// them leads orders the periodic work of all.
func TestEachProcessFetchesWhatItCanDo(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	done := make(chan string, 100)
	periodics := []store.Periodic{{Kind: "ca.tick", Every: time.Hour}, {Kind: "tick", Every: time.Hour}}
	for role, kinds := range map[string][]string{"ca": {"ca.issue", "ca.tick"}, "pki": {"pki.sign"}, "worker": {"mail.send", "tick"}} {
		s := storetest.Open(t, dsn)
		handlers := map[string]store.Handler{}
		for _, kind := range kinds {
			handlers[kind] = func(context.Context, string) error { done <- role + " did " + kind; return nil }
		}
		w, err := s.Work(t.Context(), handlers, periodics, store.WorkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Stop(context.Background()) })
	}
	s := storetest.Open(t, dsn) // a portal: it orders and does nothing
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		for _, kind := range []string{"ca.issue", "pki.sign", "mail.send"} {
			if err := tx.Enqueue(t.Context(), store.Job{Kind: kind, ID: "1"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{
		"ca did ca.issue": false, "ca did ca.tick": false, "pki did pki.sign": false, "worker did mail.send": false, "worker did tick": false,
	}
	for left := len(want); left > 0; {
		got := <-done // the test's own limit ends a wait in vain
		done, known := want[got]
		if !known {
			t.Fatalf("%s; still wanted: %v", got, want)
		}
		if !done {
			want[got], left = true, left-1
		}
	}
}
