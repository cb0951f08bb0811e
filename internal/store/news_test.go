package store_test

import (
	"context"
	"testing"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// TestNewsReachTheOtherProcesses: what one process tells, the others hear and it
// does not; who was cut off listens again and is told that it missed something.
func TestNewsReachTheOtherProcesses(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	one, two := storetest.Open(t, dsn), storetest.Open(t, dsn)
	listen := func(s *store.Store, self string) (began chan struct{}, heard chan string) {
		began, heard = make(chan struct{}, 10), make(chan string, 10)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Hear(ctx, self, func() { began <- struct{}{} }, func(key string) { heard <- key })
		}()
		t.Cleanup(func() { stop(); <-ended })
		<-began
		return began, heard
	}
	_, atOne := listen(one, "one")
	begun, atTwo := listen(two, "two")
	if err := one.Tell(t.Context(), "one", []string{"siti", "budi dan wati"}); err != nil {
		t.Fatal(err)
	}
	if a, b := <-atTwo, <-atTwo; a != "siti" || b != "budi dan wati" {
		t.Errorf("two hears %q and %q", a, b)
	}
	if err := two.Tell(t.Context(), "two", []string{"dari dua"}); err != nil {
		t.Fatal(err)
	}
	if got := <-atOne; got != "dari dua" { // its own came before and are not among them
		t.Errorf("one hears %q", got)
	}

	_, err := one.ReadDB().ExecContext(t.Context(), `select pg_terminate_backend(pid) from pg_stat_activity
		where datname = current_database() and query like 'listen %'`)
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := one.Tell(t.Context(), "one", []string{"lagi"}); err != nil {
		t.Fatal(err)
	}
	if got := <-atTwo; got != "lagi" {
		t.Errorf("two hears %q after its connection broke", got)
	}
}

func TestNobodyToTellOnSQLite(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	if err := s.Tell(t.Context(), "one", []string{"siti"}); err != nil {
		t.Error(err)
	}
	s.Hear(t.Context(), "one", func() { t.Error("listens") }, func(string) { t.Error("hears") })
}
