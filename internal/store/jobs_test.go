package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// Jobs are told by kind and by what becomes of them, on both engines.
func TestJobsAreCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, began := t.Context(), time.Now().Add(-2*time.Second)
		err := s.InTx(ctx, func(tx *store.Tx) error {
			return errors.Join(
				tx.Enqueue(ctx, store.Job{Kind: "mail.send", ID: "1"}), tx.Enqueue(ctx, store.Job{Kind: "mail.send", ID: "2"}),
				tx.Enqueue(ctx, store.Job{Kind: "mail.send", ID: "3", At: time.Now().Add(time.Hour)}), tx.Enqueue(ctx, store.Job{Kind: "ca.issue", ID: "4"}))
		})
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.Jobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got := map[[2]string]int64{}
		for _, c := range list {
			got[[2]string{c.Kind, c.State}] = c.N
			if c.State == store.JobWaiting && (c.Since.Before(began) || c.Since.After(time.Now())) {
				t.Errorf("%s is due since %v", c.Kind, c.Since)
			}
		}
		want := map[[2]string]int64{{"mail.send", store.JobWaiting}: 2, {"mail.send", store.JobScheduled}: 1, {"ca.issue", store.JobWaiting}: 1}
		if len(got) != len(want) {
			t.Errorf("got %v", got)
		}
		for k, n := range want {
			if got[k] != n {
				t.Errorf("%v: %d, want %d", k, got[k], n)
			}
		}
	})
}

// What failed waits to be tried again, and what was done is not there.
func TestFailedJobsAreCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w, err := s.Work(ctx, map[string]store.Handler{
			"good": func(context.Context, string) error { return nil },
			"bad":  func(context.Context, string) error { return errors.New("no") },
		}, nil, store.WorkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Stop(context.Background()) })
		err = s.InTx(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.Enqueue(ctx, store.Job{Kind: "good", ID: "1"}), tx.Enqueue(ctx, store.Job{Kind: "bad", ID: "1"}))
		})
		if err != nil {
			t.Fatal(err)
		}
		for { // the test's own limit ends a wait in vain
			list, err := s.Jobs(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 1 && list[0].Kind == "bad" && list[0].State == store.JobRetrying && list[0].N == 1 {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}
