package backup_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/storetest"
)

// house is an installation as far as a backup looks at it.
type house struct {
	backup.Source
	blobs map[string]string
}

func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	dir := t.TempDir()
	disk, err := blob.OpenDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Source: backup.Source{
		Store: s, Blobs: disk, Clock: clock.System, Dir: dir,
		Files: map[string][]string{backup.PartKeys: {"keys", "ca", "none"}, backup.PartData: {"demo.json"}},
	}, blobs: map[string]string{}}
	for name, text := range map[string]string{"keys/pepper.1.key": "p", "keys/.new-1": "x", "ca/ca-root.crt": "c", "ca/deep/list.crl": "", "demo.json": "{}", "lock": "l"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		mode := os.FileMode(0o600)
		if name == "ca/ca-root.crt" {
			mode = 0o644
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		id, text := ident.New(), strings.Repeat("b", 1+i*1000)
		if err := disk.Put(t.Context(), id, []byte(text)); err != nil {
			t.Fatal(err)
		}
		h.blobs[id] = text
	}
	h.live(t, 40)
	return h
}

// live lets something happen.
func (h *house) live(t *testing.T, n int) {
	t.Helper()
	ctx := t.Context()
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		for i := range n {
			id := ident.New()
			_, err := tx.Exec(ctx, `insert into unit (id, parent_id, code, name, created_at, updated_at) values ($1, null, $2, $3, 1, $4)`,
				id, id, fmt.Sprintf("Unit\x01 é %d", i), -int64(i))
			if err != nil {
				return err
			}
			child := ident.New() // comes before its parent in some order
			_, err = tx.Exec(ctx, `insert into unit (id, parent_id, code, name, created_at, updated_at) values ($1, $2, $3, '', 1, 1)`, "0"+child[1:], id, child)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at) values ($1, $2, 'auditor', $3, 'x', 1)`,
				ident.New(), h.account(t, tx, id), id)
			if err != nil {
				return err
			}
			err = audit.Record(ctx, tx, time.Unix(1, 0), audit.System("test"), audit.Entry{Action: "test.act", ObjectID: id})
			if err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, store.Job{Kind: "test.job", ID: "waits", At: time.Now().Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) account(t *testing.T, tx *store.Tx, id string) string {
	t.Helper()
	_, err := tx.Exec(t.Context(), `insert into account (id, username, display_name, email, password_hash, state, totp_sealed, totp_step, failed,
		locked_until, locale, last_login_at, created_at, updated_at) values ($1, $2, 'N', '', '', 'active', $3, 0, 0, 0, 'id', 0, 1, 1)`,
		id, id, []byte{0, 1, 2, 255})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// dump is all that a database holds.
func dump(t *testing.T, s *store.Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	err := s.Snapshot(t.Context(), func(snap store.Snapshot) error {
		tables, err := snap.Tables(t.Context())
		if err != nil {
			return err
		}
		for _, table := range tables {
			err := snap.Rows(t.Context(), table, func(v []any) error { out[table.Name+fmt.Sprint(v)]++; return nil })
			if err != nil {
				return err
			}
		}
		jobs, err := snap.Jobs(t.Context())
		for _, j := range jobs {
			out["job "+j.Kind+" "+j.ID]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// files are what one backup makes.
type files struct{ all, erasure bytes.Buffer }

func (f *files) read() []io.Reader {
	return []io.Reader{bytes.NewReader(f.all.Bytes()), bytes.NewReader(f.erasure.Bytes())}
}

// outputs is where a backup of all in one file goes.
func (f *files) outputs(all io.Writer, to ...age.Recipient) []backup.Output {
	return []backup.Output{
		{To: all, Parts: []string{backup.PartData, backup.PartKeys}, Recipients: to},
		{To: &f.erasure, Parts: []string{backup.PartErasure}, Recipients: to},
	}
}

func (h *house) write(t *testing.T, to ...age.Recipient) *files {
	t.Helper()
	var f files
	if _, err := backup.Write(t.Context(), h.Source, f.outputs(&f.all, to...)...); err != nil {
		t.Fatal(err)
	}
	return &f
}

// empty makes a place to restore into.
func empty(t *testing.T, dsn string) backup.Target {
	t.Helper()
	dir := t.TempDir()
	disk, err := blob.OpenDisk(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return backup.Target{Store: storetest.Open(t, dsn), Blobs: disk, Dir: dir}
}

func engines(t *testing.T, f func(t *testing.T, from, to func(t testing.TB) string)) {
	kinds := map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	blank := map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "new.db") },
		"postgres": storetest.BlankPostgres,
	}
	for from := range kinds {
		for to := range kinds {
			t.Run(from+" to "+to, func(t *testing.T) { t.Parallel(); f(t, kinds[from], blank[to]) })
		}
	}
}

// A backup of each database is restored into each, byte for byte, by any of its
// recipients, while others write.
func TestRestoreIsWhatWasBackedUp(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, from, to func(testing.TB) string) {
		h := newHouse(t, storetest.Open(t, from(t)))
		one, two := identity(t), identity(t)
		want := dump(t, h.Store)
		var out busy
		var f files
		out.during = func() { h.live(t, 3) } // the snapshot does not see it
		sum, err := backup.Write(t.Context(), h.Source, f.outputs(&out, one.Recipient(), two.Recipient())...)
		if err != nil {
			t.Fatal(err)
		}
		if sum.Blobs != 5 || sum.Files != 4 || sum.Rows["unit"] != 80 || sum.LogSize != 40 {
			t.Errorf("summary %+v", sum.Trailer)
		}
		target := empty(t, to(t))
		got, err := backup.Restore(t.Context(), target, []age.Identity{two}, bytes.NewReader(out.Bytes()), &f.erasure)
		if err != nil {
			t.Fatal(err)
		}
		if got.Blobs != 5 || got.LogSize != 40 || !maps.Equal(got.Rows, sum.Rows) {
			t.Errorf("restored %+v", got.Trailer)
		}
		if restored := dump(t, target.Store); !maps.Equal(restored, want) {
			for k := range want {
				if restored[k] != want[k] {
					t.Errorf("%q: %d, want %d", k, restored[k], want[k])
				}
			}
			t.Errorf("%d different rows, want %d", len(restored), len(want))
		}
		for id, text := range h.blobs {
			if b, err := target.Blobs.Get(t.Context(), id); err != nil || string(b) != text {
				t.Errorf("blob %s: %d bytes, %v", id, len(b), err)
			}
		}
		for name, want := range map[string]bool{"keys/pepper.1.key": true, "ca/deep/list.crl": true, "demo.json": true, "keys/.new-1": false, "lock": false} {
			if _, err := os.Stat(filepath.Join(target.Dir, name)); want != (err == nil) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, want := range map[string]os.FileMode{"keys/pepper.1.key": 0o600, "ca/ca-root.crt": 0o644} {
			if info, err := os.Stat(filepath.Join(target.Dir, name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
			}
		}
		// The rules hold again.
		err = target.Store.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "delete from audit where seq = 1")
			return err
		})
		if err == nil {
			t.Error("the audit record is not append-only any more")
		}
		err = target.Store.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `insert into unit (id, parent_id, code, name, created_at, updated_at) values ('x', 'nobody', 'x', '', 1, 1)`)
			return err
		})
		if err == nil {
			t.Error("foreign keys do not hold any more")
		}
		_, err = backup.Restore(t.Context(), target, []age.Identity{one}, bytes.NewReader(out.Bytes()), &f.erasure)
		if !errors.Is(err, backup.ErrNotEmpty) {
			t.Errorf("a second time: %v", err)
		}
	})
}

// busy lets something happen when the first bytes are written.
type busy struct {
	bytes.Buffer
	during func()
}

func (b *busy) Write(p []byte) (int, error) {
	if b.during != nil {
		f := b.during
		b.during = nil
		f()
	}
	return b.Buffer.Write(p)
}

func TestDamagedBackupsAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open(t, storetest.SQLite(t)))
	me, other := identity(t), identity(t)
	made := h.write(t, me.Recipient())
	whole := made.all.Bytes()
	try := func(b []byte, who ...age.Identity) error {
		target := empty(t, filepath.Join(t.TempDir(), "new.db"))
		_, err := backup.Restore(t.Context(), target, who, bytes.NewReader(b), bytes.NewReader(made.erasure.Bytes()))
		if err != nil {
			var n int
			_ = target.Store.ReadDB().QueryRowContext(t.Context(), "select count(*) from audit").Scan(&n) // no table: none
			if n > 0 {
				t.Errorf("a database was made of a damaged backup")
			}
		}
		return err
	}
	if err := try(whole, me); err != nil {
		t.Fatal(err)
	}
	if err := try(whole, other); !errors.Is(err, backup.ErrIdentity) {
		t.Errorf("another identity: %v", err)
	}
	if bytes.Contains(whole, []byte("pepper.1.key")) || bytes.Contains(whole, []byte("unit")) {
		t.Error("names are readable in the backup")
	}
	for _, n := range []int{0, 10, 100, 400, len(whole) / 2, len(whole) - 20, len(whole) - 1} {
		if err := try(whole[:n], me); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("cut after %d of %d: %v", n, len(whole), err)
		}
	}
	for n := 300; n < len(whole); n += len(whole) / 7 {
		bad := bytes.Clone(whole)
		bad[n] ^= 1
		if err := try(bad, me); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("byte %d changed: %v", n, err)
		}
	}
	if err := try(append(bytes.Clone(whole), 0), me); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
}

// Data and keys in the hands of different people: neither file is a backup.
func TestPartsOfOneBackupBelongTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open(t, storetest.SQLite(t)))
	a, b := identity(t), identity(t)
	write := func() (data, keys, erasure bytes.Buffer) {
		_, err := backup.Write(t.Context(), h.Source,
			backup.Output{To: &data, Parts: []string{backup.PartData}, Recipients: []age.Recipient{a.Recipient()}},
			backup.Output{To: &erasure, Parts: []string{backup.PartErasure}, Recipients: []age.Recipient{a.Recipient()}},
			backup.Output{To: &keys, Parts: []string{backup.PartKeys}, Recipients: []age.Recipient{b.Recipient()}})
		if err != nil {
			t.Fatal(err)
		}
		return data, keys, erasure
	}
	data, keys, erasure := write()
	_, later, newest := write()
	restore := func(who []age.Identity, files ...bytes.Buffer) error {
		var in []io.Reader
		for _, f := range files {
			in = append(in, bytes.NewReader(f.Bytes()))
		}
		_, err := backup.Restore(t.Context(), empty(t, filepath.Join(t.TempDir(), "new.db")), who, in...)
		return err
	}
	both := []age.Identity{a, b}
	for _, list := range [][]bytes.Buffer{{data, keys, erasure}, {newest, keys, data}} {
		if err := restore(both, list...); err != nil {
			t.Error(err)
		}
	}
	for name, c := range map[string]struct {
		who   []age.Identity
		files []bytes.Buffer
		want  error
	}{
		"data alone":           {both, []bytes.Buffer{data, erasure}, backup.ErrParts},
		"keys alone":           {both, []bytes.Buffer{keys, erasure}, backup.ErrParts},
		"twice":                {both, []bytes.Buffer{data, data, erasure}, backup.ErrParts},
		"of different backups": {both, []bytes.Buffer{data, later, erasure}, backup.ErrParts},
		"one identity":         {both[:1], []bytes.Buffer{data, keys, erasure}, backup.ErrIdentity},
		"erasure keys alone":   {both, []bytes.Buffer{erasure}, backup.ErrParts},
		"erasure keys twice":   {both, []bytes.Buffer{data, keys, erasure, newest}, backup.ErrParts},
		"no erasure keys":      {both, []bytes.Buffer{data, keys}, backup.ErrErasureKeys},
	} {
		if err := restore(c.who, c.files...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
