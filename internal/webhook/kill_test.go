package webhook_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"absah/internal/api/hook"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/internal/webhook"
)

// The child of TestKills is this program with this variable: the directory of the
// vault.
const killVariable = "ABSAH_WEBHOOK_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killVariable); dir != "" {
		if err := work(context.Background(), dir, os.Getenv(killVariable+"_DB")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work sends what is queued until it is killed.
func work(ctx context.Context, dir, dsn string) error {
	log := slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, dsn, log)
	if err != nil {
		return err
	}
	vault, err := keys.OpenFile(filepath.Join(dir, "keys"))
	if err != nil {
		return err
	}
	sender, err := hook.New(hook.Options{Networks: loopback(), Timeout: time.Second})
	if err != nil {
		return err
	}
	svc := &webhook.Service{Store: s, Vault: vault, Clock: clock.System, Log: log, Sender: sender, Timeout: time.Second}
	_, err = s.Work(ctx, map[string]store.Handler{webhook.JobDeliver: svc.Deliver}, nil, store.WorkOptions{Timeout: 5 * time.Second, Rescue: 5 * time.Second})
	if err != nil {
		return err
	}
	select {} // until the kill
}

// TestKills ends processes that send with kill -9 in the middle of a request: what
// they had claimed is sent by the next one, and nothing is lost.
func TestKills(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kills(t, dsn(t))
		})
	}
}

func kills(t *testing.T, dsn string) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dsn, slog.New(slog.DiscardHandler))
	must(t, err)
	x := newRig(t, s)
	x.Clock = clock.System
	x.clients.Clock = clock.System
	x.Vault, err = keys.InitFile(filepath.Join(dir, "keys"))
	must(t, err)
	e, _ := x.listen()
	want := map[string]bool{}
	for range 12 {
		want[x.ping(e)] = true
	}
	must(t, s.Close()) // a file has one process at a time
	self, err := os.Executable()
	must(t, err)
	var child atomic.Pointer[exec.Cmd]
	var killed atomic.Int64
	x.receiver.mu.Lock()
	x.receiver.answer = func(w http.ResponseWriter, n int) {
		if n == 2 {
			if c := child.Load(); c != nil {
				killed.Add(1)
				_ = c.Process.Signal(syscall.SIGKILL)
				return // who would read an answer is gone
			}
		}
		w.WriteHeader(http.StatusOK)
	}
	x.receiver.mu.Unlock()
	for life := 1; ; life++ {
		c := exec.CommandContext(t.Context(), self)
		c.Env = append(os.Environ(), killVariable+"="+dir, killVariable+"_DB="+dsn)
		c.Stderr = os.Stderr
		must(t, c.Start())
		child.Store(c)
		var ended sync.WaitGroup
		done := make(chan struct{})
		ended.Go(func() { _ = c.Wait(); close(done) })
		for alive := true; alive; {
			got := map[string]bool{}
			for _, r := range x.receiver.all() {
				got[r.id] = true
			}
			if len(got) == len(want) && killed.Load() == 1 {
				_ = c.Process.Kill()
				ended.Wait()
				for id := range want {
					if !got[id] {
						t.Errorf("%s was never sent", id)
					}
				}
				return
			}
			select {
			case <-done:
				alive = false
			case <-time.After(20 * time.Millisecond):
			}
		}
		if life > 10 {
			t.Fatal("the processes end by themselves")
		}
	}
}
