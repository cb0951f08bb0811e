package store_test

import (
	"context"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// runningAs makes the only job of s look as if worker name were doing it.
func runningAs(t *testing.T, s *store.Store, name string) {
	t.Helper()
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Enqueue(t.Context(), store.Job{Kind: "work", ID: "1"})
	})
	if err != nil {
		t.Fatal(err)
	}
	text := `update river_job set state = 'running', attempt = 1, attempted_at = current_timestamp`
	if s.Postgres() {
		text += `, attempted_by = array['` + name + `']`
	} else {
		text += `, attempted_by = jsonb('["` + name + `"]')`
	}
	if err := s.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func stop(t *testing.T, w *store.Worker) {
	t.Helper()
	if err := w.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestJobsOfADeadWorkerAreTakenOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		runningAs(t, s, "a-worker-that-was-killed")
		ran := make(chan string, 1)
		// Timeout keeps River's own rescue away for the time of the test.
		w, err := s.Work(t.Context(), map[string]store.Handler{
			"work": func(_ context.Context, id string) error { ran <- id; return nil },
		}, nil, store.WorkOptions{Timeout: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer stop(t, w)
		select {
		case <-ran:
		case <-time.After(time.Minute):
			t.Fatal("nobody took the job over")
		}
	})
}

func TestJobsOfALivingWorkerAreLeftAlone(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t) // an SQLite file has one process
	one, two := storetest.Open(t, dsn), storetest.Open(t, dsn)
	begun, end := make(chan string, 8), make(chan struct{})
	handlers := map[string]store.Handler{"work": func(ctx context.Context, id string) error {
		begun <- id
		select {
		case <-end:
		case <-ctx.Done():
		}
		return nil
	}}
	first, err := one.Work(t.Context(), handlers, nil, store.WorkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, first)
	err = one.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Enqueue(t.Context(), store.Job{Kind: "work", ID: "1"})
	})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	// The second worker looks for the jobs of the dead before Work returns.
	second, err := two.Work(t.Context(), handlers, nil, store.WorkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, second)
	var state string
	if err := two.ReadDB().QueryRow(`select state from river_job`).Scan(&state); err != nil {
		t.Fatal(err)
	}
	if state != "running" || len(begun) != 0 {
		t.Errorf("the job is %s and began %d more times, want running and 0", state, len(begun))
	}
	close(end)
}
