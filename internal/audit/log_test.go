package audit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func newLog(t testing.TB, s *store.Store) (*audit.Log, *clock.Fake) {
	t.Helper()
	vault, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	now := clock.NewFake(time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC))
	return &audit.Log{
		Store: s, Vault: vault, Clock: now.Now, Slog: slog.New(slog.DiscardHandler),
		Origin: "sign.contoh.example/log", Dir: filepath.Join(t.TempDir(), "log"),
	}, now
}

// many records n rows in few transactions.
func many(t testing.TB, s *store.Store, n int) {
	t.Helper()
	for n > 0 {
		err := s.InTx(t.Context(), func(tx *store.Tx) error {
			for range min(n, 500) {
				err := audit.Record(t.Context(), tx, time.Unix(1, 0), audit.System("test"), audit.Entry{
					Action: "test.act", ObjectKind: "thing", ObjectID: fmt.Sprint(n), Detail: map[string]string{"n": fmt.Sprint(n)},
				})
				if err != nil {
					return err
				}
				n--
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sql(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(t.Context(), q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// disarm drops the triggers, as who has the database can.
func disarm(t testing.TB, s *store.Store) {
	t.Helper()
	if s.Postgres() {
		sql(t, s, "drop trigger audit_append_only on audit")
		return
	}
	sql(t, s, "drop trigger audit_no_update", "drop trigger audit_no_delete")
}

func mustSign(t testing.TB, l *audit.Log) audit.Checkpoint {
	t.Helper()
	c, err := l.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckpointsAndProofs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, _ := newLog(t, s)
		empty := mustSign(t, l)
		if empty.Tree.N != 0 || empty.Tree.Hash != tlog.Hash(sha256.Sum256(nil)) {
			t.Errorf("the empty log is %v", empty.Tree)
		}
		many(t, s, 700)
		first := mustSign(t, l)
		if again := mustSign(t, l); again.Note != first.Note {
			t.Error("nothing came, and a new checkpoint was signed")
		}
		many(t, s, 333)
		second := mustSign(t, l)
		key, err := l.Verifier(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := audit.ReadCheckpoint([]byte(second.Note), key); err != nil || c.Tree != second.Tree || c.Tree.N != 1033 {
			t.Fatalf("%v, %v", c.Tree, err)
		}
		if !strings.HasPrefix(second.Note, "sign.contoh.example/log\n1033\n") {
			t.Errorf("note is %q", second.Note)
		}
		p := audit.NewProofs(s.Read())
		rows, err := s.Read().AuditLeaves(ctx, db.AuditLeavesParams{Until: 1033})
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range []int64{1, 2, 255, 256, 257, 512, 700, 1033} {
			proof, err := p.Inclusion(ctx, second.Tree, seq)
			if err != nil {
				t.Fatal(err)
			}
			h := tlog.RecordHash(rows[seq-1].Hash)
			if err := tlog.CheckRecord(proof, second.Tree.N, second.Tree.Hash, seq-1, h); err != nil {
				t.Errorf("row %d: %v", seq, err)
			}
			if err := tlog.CheckRecord(proof, second.Tree.N, second.Tree.Hash, seq-1, tlog.RecordHash([]byte("x"))); err == nil {
				t.Errorf("row %d: the proof proves anything", seq)
			}
		}
		proof, err := p.Consistency(ctx, first.Tree.N, second.Tree)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(proof, second.Tree.N, second.Tree.Hash, first.Tree.N, first.Tree.Hash); err != nil {
			t.Error(err)
		}
		if _, err := p.Inclusion(ctx, second.Tree, 1034); !errors.Is(err, audit.ErrNoTile) {
			t.Errorf("a row that is not there: %v", err)
		}
		if _, err := p.Consistency(ctx, 1034, second.Tree); !errors.Is(err, audit.ErrNoTile) {
			t.Errorf("a size that is not there: %v", err)
		}
		// A row that was changed has no proof.
		disarm(t, s)
		sql(t, s, "update audit set hash = (select hash from audit where seq = 4) where seq = 3")
		if _, err := p.Inclusion(ctx, second.Tree, 3); err == nil {
			t.Error("a changed row has a proof")
		}
	})
}

// Everything that somebody with the database can do to the record is found,
// both while the installation runs and by a verification of the whole.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	const forge = "update audit set detail = 'forged' where seq = %d"
	for name, c := range map[string]struct {
		do    []string
		sign  bool // also Sign finds it, which reads only what came since the checkpoint
		after int  // rows that come after the tampering
	}{
		"signed row changed":              {do: []string{fmt.Sprintf(forge, 20)}},
		"signed row deleted":              {do: []string{"delete from audit where seq = 20"}},
		"signed rows reordered":           {do: []string{"update audit set seq = 1000 where seq = 20", "update audit set seq = 20 where seq = 21", "update audit set seq = 21 where seq = 1000"}},
		"unsigned row changed":            {do: []string{fmt.Sprintf(forge, 310)}, sign: true},
		"unsigned row deleted":            {do: []string{"delete from audit where seq = 310"}, sign: true},
		"tail cut, head left":             {do: []string{"delete from audit where seq > 310"}, sign: true},
		"roots changed":                   {do: []string{"update audit_head set frontier = (select frontier from checkpoint where size = 300)"}, sign: true},
		"leaf and row changed":            {do: []string{"update audit set hash = (select hash from audit where seq = 1) where seq = 315"}, sign: true},
		"cut to before a checkpoint":      {do: []string{"delete from audit where seq > 250", "update audit_head set size = 250"}, sign: true},
		"checkpoint forged":               {do: []string{"update checkpoint set frontier = (select frontier from audit_head) where size = 300"}, sign: true},
		"checkpoint of another text":      {do: []string{"update checkpoint set note = 'x' where size = 300"}, sign: true},
		"node changed":                    {do: []string{"update audit_node set hash = (select hash from audit where seq = 1)"}},
		"signed row changed, rows follow": {do: []string{fmt.Sprintf(forge, 20)}, after: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				ctx := t.Context()
				l, _ := newLog(t, s)
				many(t, s, 300)
				mustSign(t, l)
				many(t, s, 20)
				if n, err := l.Verify(ctx); err != nil || n != 320 {
					t.Fatalf("%d, %v before tampering", n, err)
				}
				disarm(t, s)
				sql(t, s, c.do...)
				if c.after > 0 {
					many(t, s, c.after)
				}
				if c.sign {
					if _, err := l.Sign(ctx); !errors.Is(err, audit.ErrBroken) && !errors.Is(err, audit.ErrRolledBack) {
						t.Errorf("Sign says %v", err)
					}
					wantAlarm(t, s, "tail")
				}
				if _, err := l.Verify(ctx); !errors.Is(err, audit.ErrBroken) && !errors.Is(err, audit.ErrRolledBack) {
					t.Errorf("Verify says %v", err)
				}
				wantAlarm(t, s, "whole")
			})
		})
	}
}

func wantAlarm(t *testing.T, s *store.Store, kind string) {
	t.Helper()
	list, err := audit.Checks(t.Context(), s.Read())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Kind == kind && !c.Intact && c.Detail != "" {
			return
		}
	}
	t.Errorf("no alarm of the %s in %+v", kind, list)
}

// Somebody with the database and without the key makes the whole record anew,
// so that it is consistent in itself: a witness and the export find it.
func TestRewrittenRecordIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, _ := newLog(t, s)
		many(t, s, 40)
		witnessed := mustSign(t, l)
		disarm(t, s)
		sql(t, s, "delete from audit", "delete from checkpoint", "delete from audit_node", "update audit_head set size = 0, frontier = ''")
		many(t, s, 60)
		if _, err := audit.Verify(ctx, s.Read()); err != nil {
			t.Fatalf("the forgery is clumsy: %v", err)
		}
		if _, err := l.Sign(ctx); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("Sign beside the export says %v", err)
		}
		if _, err := l.Verify(ctx); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("Verify beside the export says %v", err)
		}
		l.Dir = filepath.Join(t.TempDir(), "other") // the forger has the export too
		if _, err := l.Verify(ctx); err != nil {
			t.Fatalf("without a witness: %v", err)
		}
		if _, err := l.Verify(ctx, witnessed); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("with a witness: %v", err)
		}
	})
}

// A command exports while the server does: no row comes twice.
func TestExportsAtTheSameTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, _ := newLog(t, s)
		mustSign(t, one)
		two := &audit.Log{Store: s, Vault: one.Vault, Clock: one.Clock, Slog: one.Slog, Dir: one.Dir}
		for range 5 {
			many(t, s, 30)
			var wg sync.WaitGroup
			for _, l := range []*audit.Log{one, two} {
				wg.Go(func() {
					if _, err := l.Sign(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
		key, err := audit.ReadKey(one.Dir)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := audit.VerifyExport(one.Dir, key); err != nil || c.Tree.N != 150 {
			t.Errorf("%v, %v", c.Tree, err)
		}
	})
}

// A copy of yesterday's database is found before anything is added to it.
func TestRolledBackRecordIsFound(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, _ := newLog(t, s)
		many(t, s, 40)
		mustSign(t, l)
		if err := l.Guard(ctx); err != nil {
			t.Fatal(err)
		}
		disarm(t, s)
		// The head of 32 rows is one root: the one that 32 of the 40 share.
		sql(t, s, "delete from audit where seq > 32", "delete from checkpoint")
		if s.Postgres() {
			sql(t, s, "update audit_head set size = 32, frontier = substring(frontier from 1 for 32)")
		} else {
			sql(t, s, "update audit_head set size = 32, frontier = substr(frontier, 1, 32)")
		}
		if n, err := audit.Verify(ctx, s.Read()); err != nil || n != 32 {
			t.Fatalf("the old copy is not whole: %d, %v", n, err)
		}
		if err := l.Guard(ctx); !errors.Is(err, audit.ErrRolledBack) {
			t.Errorf("Guard says %v", err)
		}
		if _, err := l.Sign(ctx); !errors.Is(err, audit.ErrRolledBack) {
			t.Errorf("Sign says %v", err)
		}
	})
}

func TestExportIsVerifiedOffline(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, now := newLog(t, s)
		many(t, s, 100)
		early := mustSign(t, l)
		now.Advance(24 * time.Hour)
		many(t, s, 4100) // more than a file of rows
		late := mustSign(t, l)
		key, err := audit.ReadKey(l.Dir)
		if err != nil {
			t.Fatal(err)
		}
		c, err := audit.VerifyExport(l.Dir, key, early)
		if err != nil || c.Tree != late.Tree {
			t.Fatalf("%v, %v", c.Tree, err)
		}
		rows1, rows2 := "rows/000000000001.jsonl", "rows/000000004097.jsonl"
		for name, spoil := range map[string]func(dir string) error{
			"row changed":        edit(rows1, func(s string) string { return strings.Replace(s, "test.act", "test.axt", 1) }),
			"row deleted":        edit(rows1, func(s string) string { _, rest, _ := strings.Cut(s, "\n"); return rest }),
			"rows reordered":     edit(rows1, func(s string) string { l := strings.SplitN(s, "\n", 3); return l[1] + "\n" + l[0] + "\n" + l[2] }),
			"tail cut":           edit(rows2, func(s string) string { return s[:strings.LastIndex(strings.TrimSpace(s), "\n")+1] }),
			"file deleted":       func(dir string) error { return os.Remove(filepath.Join(dir, rows1)) },
			"last file deleted":  func(dir string) error { return os.Remove(filepath.Join(dir, rows2)) },
			"checkpoint changed": edit("checkpoint", func(s string) string { return strings.Replace(s, "\n4200\n", "\n4199\n", 1) }),
			"checkpoint deleted": func(dir string) error { return os.Remove(filepath.Join(dir, "checkpoint")) },
			"taken back":         edit("checkpoint", func(string) string { return early.Note }),
			"day changed":        edit("checkpoints/2026-03-02", func(s string) string { return strings.Replace(s, "\n100\n", "\n99\n", 1) }),
			"unreadable":         edit(rows1, func(s string) string { return "{" + s }),
		} {
			t.Run(name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "copy")
				if err := os.CopyFS(dir, os.DirFS(l.Dir)); err != nil {
					t.Fatal(err)
				}
				if err := spoil(dir); err != nil {
					t.Fatal(err)
				}
				if _, err := audit.VerifyExport(dir, key, late); !errors.Is(err, audit.ErrBroken) {
					t.Errorf("VerifyExport says %v", err)
				}
			})
		}
		// A crash left half a line; the export goes on.
		f, err := os.OpenFile(filepath.Join(l.Dir, rows2), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"seq":4201,"a`); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.VerifyExport(l.Dir, key); err != nil {
			t.Error(err)
		}
		many(t, s, 3)
		mustSign(t, l)
		if c, err := audit.VerifyExport(l.Dir, key, early, late); err != nil || c.Tree.N != 4203 {
			t.Errorf("%v, %v", c.Tree, err)
		}
		// Another key signed it.
		other, _ := newLog(t, s)
		sql(t, s, "delete from log_identity", "delete from checkpoint")
		if _, err := other.Export(ctx, other.Dir); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.VerifyExport(other.Dir, key); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("another key: %v", err)
		}
	})
}

func edit(file string, f func(string) string) func(dir string) error {
	return func(dir string) error {
		path := filepath.Join(dir, file)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if changed := f(string(b)); changed != string(b) {
			return os.WriteFile(path, []byte(changed), 0o600)
		}
		return errors.New("nothing was changed")
	}
}

func TestWatchVerifiesOnceANight(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		l, now := newLog(t, s)
		many(t, s, 3)
		last := func() time.Time {
			t.Helper()
			if err := l.Watch(ctx, time.UTC); err != nil {
				t.Fatal(err)
			}
			list, err := audit.Checks(ctx, s.Read())
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list[0].At
		}
		first := last()
		for _, c := range []struct {
			wait time.Duration
			run  bool
		}{{time.Hour, false}, {12 * time.Hour, false}, {10 * time.Hour, true}, {30 * time.Hour, false}, {20 * time.Hour, true}} {
			now.Advance(c.wait)
			got := last()
			if got.After(first) != c.run {
				t.Errorf("at %v: ran %v", now.Now(), !c.run)
			}
			first = got
		}
	})
}

func TestThinningKeepsTheLastOfEachDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l, now := newLog(t, s)
		for range 12 { // every 12 hours
			many(t, s, 1)
			mustSign(t, l)
			now.Advance(12 * time.Hour)
		}
		list, err := s.Read().RecentCheckpoints(context.Background(), 100)
		if err != nil {
			t.Fatal(err)
		}
		var sizes []int64
		for _, c := range list {
			sizes = append(sizes, c.Size)
		}
		if got := fmt.Sprint(sizes); got != "[12 11 10 9 8 6 4 2]" {
			t.Errorf("kept %s", got)
		}
		if _, err := l.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
