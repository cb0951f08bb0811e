package reseal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/reseal"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

type world struct {
	t *testing.T
	*reseal.Service
	vault *keys.File
	log   *bytes.Buffer
}

func bound(key []string) []byte { return []byte(key[0] + "/" + key[1]) }

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	vault, err := keys.InitFile(t.TempDir() + "/keys")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, vault: vault, log: &bytes.Buffer{}}
	w.Service = &reseal.Service{
		Store: s, Vault: vault, Clock: clock.NewFake(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)).Now, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Columns: []reseal.Column{
			{Table: "trial", Key: []string{"id", "owner"}, Column: "a", Name: keys.Data, Bound: bound},
			{Table: "trial", Key: []string{"id", "owner"}, Column: "b", Name: keys.Scans, Bound: bound},
		},
	}
	w.exec(`create table trial (id text primary key, owner text not null, a bytea not null, b bytea not null)`)
	return w
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	err := w.Store.InTx(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) seal(name keys.Name, id, text string) []byte {
	w.t.Helper()
	b, err := w.vault.Seal(w.t.Context(), name, []byte(text), bound([]string{id, "o"}))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) rotate(name keys.Name) {
	w.t.Helper()
	if _, err := w.vault.Rotate(w.t.Context(), name); err != nil {
		w.t.Fatal(err)
	}
}

// versions counts the rows of a column by the version that sealed them, and
// checks that each says what it said.
func (w *world) versions(column string, name keys.Name) map[int]int {
	w.t.Helper()
	rows, err := w.Store.ReadDB().QueryContext(w.t.Context(), fmt.Sprintf(`select id, %s from trial`, column))
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	out := map[int]int{}
	for rows.Next() {
		var id string
		var b []byte
		if err := rows.Scan(&id, &b); err != nil {
			w.t.Fatal(err)
		}
		if len(b) == 0 {
			out[0]++
			continue
		}
		version, err := keys.SealedVersion(b)
		if err != nil {
			w.t.Fatal(err)
		}
		out[version]++
		if plain, err := w.vault.Open(w.t.Context(), name, b, bound([]string{id, "o"})); err != nil || string(plain) != id {
			w.t.Errorf("%s says %q, %v", id, plain, err)
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) run() {
	w.t.Helper()
	if err := w.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) done(name keys.Name) (version, audited int) {
	w.t.Helper()
	db := w.Store.ReadDB()
	if err := db.QueryRowContext(w.t.Context(), `select version from resealed where name = $1`, string(name)).Scan(&version); err != nil && !store.IsNotFound(err) {
		w.t.Fatal(err)
	}
	if err := db.QueryRowContext(w.t.Context(), `select count(*) from audit where action = 'keys.resealed' and object_id = $1`, string(name)).Scan(&audited); err != nil {
		w.t.Fatal(err)
	}
	return version, audited
}

func TestRun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		const n = 250 // more than two batches
		for i := range n {
			id := fmt.Sprintf("r%04d", i)
			b := w.seal(keys.Scans, id, id)
			if i == 7 {
				b = []byte{}
			}
			w.exec(`insert into trial (id, owner, a, b) values ($1, 'o', $2, $3)`, id, w.seal(keys.Data, id, id), b)
		}
		w.run()
		if version, audited := w.done(keys.Data); version != 0 || audited != 0 {
			t.Errorf("nothing was rotated, and version %d is done", version)
		}
		w.rotate(keys.Data)
		w.exec(`update trial set a = $1 where id = 'r0003'`, w.seal(keys.Data, "r0003", "r0003")) // written since
		w.run()
		if a, b := w.versions("a", keys.Data), w.versions("b", keys.Scans); a[2] != n || b[1] != n-1 || b[0] != 1 {
			t.Errorf("after one run: %v and %v", a, b)
		}
		if version, _ := w.done(keys.Data); version != 0 {
			t.Error("it counts as done before a run found nothing")
		}
		w.run()
		if version, audited := w.done(keys.Data); version != 2 || audited != 1 {
			t.Errorf("version %d is done, %d rows of audit", version, audited)
		}
		w.run()
		if _, audited := w.done(keys.Data); audited != 1 {
			t.Errorf("%d rows of audit", audited)
		}
		w.rotate(keys.Data)
		w.rotate(keys.Data)
		w.rotate(keys.Scans)
		for range 2 {
			w.run()
		}
		if a, b := w.versions("a", keys.Data), w.versions("b", keys.Scans); a[4] != n || b[2] != n-1 || b[0] != 1 {
			t.Errorf("after more: %v and %v", a, b)
		}
		if version, audited := w.done(keys.Data); version != 4 || audited != 2 {
			t.Errorf("version %d is done, %d rows of audit", version, audited)
		}
	})
}

// TestDamage has a row that does not open: it is told, the other secrets go on,
// and nothing counts as done.
func TestDamage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.exec(`insert into trial (id, owner, a, b) values ('r1', 'another', $1, $2)`, w.seal(keys.Data, "r1", "r1"), []byte{})
		w.exec(`insert into trial (id, owner, a, b) values ('r2', 'o', $1, $2)`, []byte{}, w.seal(keys.Scans, "r2", "r2"))
		w.rotate(keys.Data)
		w.rotate(keys.Scans)
		for range 2 {
			if err := w.Run(t.Context()); !errors.Is(err, keys.ErrOpen) || !strings.Contains(err.Error(), "trial r1") {
				t.Errorf("got %v", err)
			}
		}
		if version, _ := w.done(keys.Data); version != 0 {
			t.Errorf("version %d of a damaged column is done", version)
		}
		if version, _ := w.done(keys.Scans); version != 2 {
			t.Errorf("version %d of a whole column is done", version)
		}
	})
}

// racing is a vault in which somebody else writes the row between reading and
// writing it.
type racing struct {
	keys.Vault
	between func()
}

func (r *racing) Open(ctx context.Context, name keys.Name, sealed, aad []byte) ([]byte, error) {
	if r.between != nil {
		r.between()
		r.between = nil
	}
	return r.Vault.Open(ctx, name, sealed, aad)
}

func TestNobodysWriteIsLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.exec(`insert into trial (id, owner, a, b) values ('r1', 'o', $1, $2)`, w.seal(keys.Data, "r1", "before"), []byte{})
		w.rotate(keys.Data)
		w.Vault = &racing{w.vault, func() {
			w.exec(`update trial set a = $1 where id = 'r1'`, w.seal(keys.Data, "r1", "r1"))
		}}
		w.run()
		if a := w.versions("a", keys.Data); a[2] != 1 { // and it says r1
			t.Errorf("%v", a)
		}
	})
}

func TestPasses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		var asked []int
		left := 3
		w.Passes = map[keys.Name]reseal.Pass{keys.Index: func(_ context.Context, newest int) (int, error) {
			asked = append(asked, newest)
			left--
			return left, nil
		}}
		w.run()
		w.rotate(keys.Index)
		for range 5 {
			w.run()
		}
		if version, audited := w.done(keys.Index); version != 2 || audited != 1 || fmt.Sprint(asked) != "[2 2 2]" {
			t.Errorf("version %d, audited %d, asked %v", version, audited, asked)
		}
		w.rotate(keys.Index)
		failed := errors.New("failed")
		w.Passes[keys.Index] = func(context.Context, int) (int, error) { return 0, failed }
		if err := w.Run(t.Context()); !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
		if version, _ := w.done(keys.Index); version != 2 {
			t.Errorf("version %d is done", version)
		}
	})
}
