package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/enrolment"
	"absah/internal/killtest/kills"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/storetest"
)

// usualBackupKills is how often a backup and a restore are killed for each database
// when nobody says otherwise.
const usualBackupKills = 2

// TestKillsOfBackupAndRestore kills the program at any moment while it backs up and
// while it restores. A backup that was there is whole after it, and one that is there
// by its name is; the erasure keys open all of them; what was half restored does not
// serve, and is backed up over nothing. Asked again, the program does it.
func TestKillsOfBackupAndRestore(t *testing.T) {
	t.Parallel()
	n, seed := kills.Plan(t, usualBackupKills)
	for name, database := range map[string]struct{ from, to func(testing.TB) string }{
		"sqlite":   {func(testing.TB) string { return "" }, func(testing.TB) string { return "" }},
		"postgres": {storetest.BlankPostgres, storetest.BlankPostgres},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newVictim(t, database.from(t), rand.New(rand.NewPCG(seed, 1)))
			for i := range n {
				h.killBackup(i)
			}
			h.revoke()
			for range n {
				h.killRestore(database.to)
			}
			h.killDrill()
		})
	}
}

// victim is an installation whose backups are killed.
type victim struct {
	*testing.T
	random             *rand.Rand
	cfg                config.Config
	dir                string // of backups
	identity, receiver string // files
	registration       string // the one certificate is of it
	whole              []string
	lasts              time.Duration // that a backup takes undisturbed
}

func newVictim(t *testing.T, database string, r *rand.Rand) *victim {
	t.Helper()
	dir := t.TempDir()
	h := &victim{T: t, random: r, dir: filepath.Join(dir, "backups"), identity: filepath.Join(dir, "id.txt"), cfg: apptest.Configure(filepath.Join(dir, "data"), database, 25)}
	h.receiver = write(t, filepath.Join(dir, "recipients.txt"), program(t, nil, "backup", "key", h.identity).want(t, 0, "age1").out)
	h.must(os.Mkdir(h.dir, 0o700))
	h.must(app.Prepare(t.Context(), h.cfg, slog.New(slog.DiscardHandler), clock.System))
	h.in(h.cfg, func(a *app.App) {
		h.must(apptest.Populate(t.Context(), a, 3))
		sealer := a.Enrolment.Sealer
		w, err := apptest.Walk(t.Context(), a)
		h.must(err)
		a.Enrolment.Sealer = sealer // whoever restores erases the key of a revoked certificate
		h.registration, err = w.Certify(t.Context(), w.Estate().People[0])
		h.must(err)
		h.scans(a)
	})
	began := time.Now()
	h.backup("first.age").want(t, 0)
	h.lasts, h.whole = time.Since(began), []string{"first.age"}
	return h
}

func (h *victim) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// in opens an installation for f.
func (h *victim) in(cfg config.Config, f func(*app.App)) {
	h.Helper()
	a, err := app.Open(h.Context(), cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	h.must(err)
	defer func() { h.must(a.Close()) }()
	f(a)
}

// scans gives every scan its file.
func (h *victim) scans(a *app.App) {
	h.Helper()
	ctx := h.Context()
	type scan struct{ id, employee, kind string }
	var all []scan
	rows, err := a.Store.ReadDB().QueryContext(ctx, "select id, employee_id, kind from evidence")
	h.must(err)
	defer func() { h.must(rows.Close()) }()
	for rows.Next() {
		var s scan
		h.must(rows.Scan(&s.id, &s.employee, &s.kind))
		all = append(all, s)
	}
	h.must(rows.Err())
	for _, s := range all {
		wrapped, err := (blob.Sealed{Store: a.Blobs, Vault: a.Vault}).Put(ctx, blob.Meta{ID: s.id, Owner: s.employee, Kind: s.kind}, bytes.Repeat([]byte("a scan"), 10_000))
		h.must(err)
		h.must(a.Store.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "update evidence set key_sealed = $1 where id = $2", wrapped, s.id)
			return err
		}))
	}
}

// settings are those of a configuration.
func settings(cfg config.Config) []string {
	if cfg.Database.URL == "" {
		return nil
	}
	return []string{"DATABASE_URL=" + cfg.Database.URL}
}

func (h *victim) backupArgs(name string) []string {
	return []string{"backup", "--data", h.cfg.Data, "--recipient", h.receiver, "--to", filepath.Join(h.dir, name)}
}

func (h *victim) backup(name string) result {
	h.Helper()
	return program(h.T, settings(h.cfg), h.backupArgs(name)...)
}

func (h *victim) restoreArgs(data, name string) []string {
	return []string{"restore", "--data", data, "--identity", h.identity, "--from", filepath.Join(h.dir, name)}
}

// drill looks whether a backup serves, with the erasure keys beside it and all that
// they open.
func (h *victim) drill(name string) {
	h.Helper()
	r := program(h.T, nil, append(h.restoreArgs(h.TempDir(), name), "--drill")...)
	if r.code != 0 || !strings.Contains(r.out, "1 certificates") || strings.Contains(r.out, "Not to be opened") {
		h.Errorf("%s: %d %s%s", name, r.code, r.out, r.err)
	}
}

// kill runs the program and kills it: after a while, or soon after names in a
// directory came or went for the nth time. It reports whether it was killed.
func (h *victim) kill(settings []string, watched string, args []string) bool {
	h.Helper()
	while, changes, later := time.Duration(h.random.Int64N(int64(h.lasts))), 0, time.Duration(0)
	if h.random.IntN(4) > 0 {
		while, changes, later = time.Minute, 1+h.random.IntN(9), time.Duration(h.random.IntN(1500))*time.Microsecond
	}
	cmd := command(h.Context(), settings, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	was := names(watched)
	h.must(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(while); time.Now().Before(deadline); {
		if is := names(watched); !slices.Equal(is, was) {
			if was, changes = is, changes-1; changes == 0 {
				time.Sleep(later)
				break
			}
		}
		select {
		case err := <-ended:
			if err != nil {
				h.Errorf("%s ended by itself: %v\n%s", args[0], err, &complaint)
			}
			return false
		default:
		}
	}
	_ = cmd.Process.Kill() // it may have ended now
	err := <-ended
	if err != nil && cmd.ProcessState.Exited() {
		h.Errorf("%s ended by itself: %v\n%s", args[0], err, &complaint)
	}
	h.Logf("%s killed: %v, with %v there", args[0], err != nil, names(watched))
	return err != nil
}

// names lists what is in a directory.
func names(dir string) (out []string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil // not yet
	}
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// killBackup kills a backup, and looks.
func (h *victim) killBackup(i int) {
	h.Helper()
	name := "day-" + string(rune('a'+i%26)) + "-" + time.Now().Format("150405.000000") + ".age"
	killed := h.kill(settings(h.cfg), h.dir, h.backupArgs(name))
	there := slices.Contains(names(h.dir), name)
	if !killed && !there {
		h.Errorf("%s was written and is not there", name)
	}
	// The one before, and this one if it has its name.
	h.drill(h.whole[len(h.whole)-1])
	if there {
		h.drill(name)
	}
	// Asked again with the same words.
	if again := h.backup(name); there == (again.code == 0) {
		h.Errorf("a backup again to the same file, there before: %v: %d %s", there, again.code, again.err)
	}
	h.whole = append(h.whole, name)
	h.drill(name)
	if there {
		next := "next-" + name
		h.backup(next).want(h.T, 0)
		h.whole = append(h.whole, next)
	}
	for _, left := range names(h.dir) {
		if strings.HasSuffix(left, ".part") && !there {
			h.Errorf("%s was left by the backup that came after a crash", left)
		}
	}
}

// revoke ends the one certificate: what was backed up does not know it, and the
// journal beside the database does.
func (h *victim) revoke() {
	h.Helper()
	h.in(h.cfg, func(a *app.App) {
		estate, err := apptest.Find(h.Context(), a)
		h.must(err)
		h.must(a.Enrolment.Revoke(h.Context(), enrolment.Checker{Actor: estate.People[0]}, enrolment.Applicant, h.registration, enrolment.Revocation{Code: "superseded"}))
	})
}

// killRestore kills a restore into an empty place, and looks.
func (h *victim) killRestore(database func(testing.TB) string) {
	h.Helper()
	cfg := apptest.Configure(filepath.Join(h.TempDir(), "data"), database(h.T), 25)
	prepare := func() {
		h.must(os.RemoveAll(cfg.Data))
		h.must(os.CopyFS(filepath.Join(cfg.Data, backup.DirJournal), os.DirFS(filepath.Join(h.cfg.Data, backup.DirJournal))))
	}
	prepare()
	args := h.restoreArgs(cfg.Data, h.whole[h.random.IntN(len(h.whole))])
	h.kill(settings(cfg), cfg.Data, args)
	begun := slices.Contains(names(cfg.Data), "restoring")
	if !h.serves(cfg) {
		// What is half there takes the place of nothing.
		keys, err := os.ReadFile(filepath.Join(h.dir, "erasure-keys"))
		h.must(err)
		program(h.T, settings(cfg), "backup", "--data", cfg.Data, "--recipient", h.receiver, "--to", filepath.Join(h.dir, "half.age")).want(h.T, 1)
		if now, err := os.ReadFile(filepath.Join(h.dir, "erasure-keys")); err != nil || !bytes.Equal(keys, now) {
			h.Errorf("the backup of what is half restored took the place of the erasure keys: %v", err)
		}
		if r := program(h.T, settings(cfg), args...); begun && (r.code == 0 || !strings.Contains(r.err, "interrupted")) {
			h.Errorf("a restore over half a one: %d %s", r.code, r.err)
		}
		// The directory is emptied as it says, and the database is or is not.
		prepare()
		if r := program(h.T, settings(cfg), args...); r.code != 0 && cfg.Database.URL != "" && strings.Contains(r.err, "something lives here") {
			prepare()
			cfg.Database.URL = database(h.T)
			program(h.T, settings(cfg), args...).want(h.T, 0, "Restored")
		} else {
			r.want(h.T, 0, "Restored")
		}
	}
	if !h.serves(cfg) {
		h.Error("what was restored does not serve")
	}
}

// killDrill kills a drill when its keys lie there, and looks that the next one leaves
// nothing of them.
func (h *victim) killDrill() {
	h.Helper()
	data := filepath.Join(h.TempDir(), "elsewhere")
	args := append(h.restoreArgs(data, h.whole[0]), "--drill")
	cmd := command(h.Context(), nil, args...)
	h.must(cmd.Start())
	keys := func() []string {
		list, err := filepath.Glob(filepath.Join(data, "*", "data", "keys", "*.key"))
		h.must(err)
		return list
	}
	for deadline := time.Now().Add(time.Minute); len(keys()) == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	h.must(cmd.Process.Kill())
	_ = cmd.Wait() // killed
	if len(keys()) == 0 {
		h.Fatal("the drill was killed before it restored a key, or after its end")
	}
	program(h.T, nil, args...).want(h.T, 0, "serves")
	if left := names(data); len(left) > 0 {
		h.Errorf("after the next drill there is %v", left)
	}
}

// serves reports whether an installation opens, which then must be whole.
func (h *victim) serves(cfg config.Config) bool {
	h.Helper()
	a, err := app.Open(h.Context(), cfg, app.Options{Log: slog.New(slog.DiscardHandler)})
	if errors.Is(err, app.ErrHalfRestored) || errors.Is(err, app.ErrNotPrepared) {
		return false
	}
	h.must(err)
	defer func() { h.must(a.Close()) }()
	ctx := context.WithoutCancel(h.Context())
	if _, err := audit.Verify(ctx, a.Store.Read()); err != nil {
		h.Error(err)
	}
	if r, err := a.Store.Read().GetRegistration(ctx, h.registration); err != nil || r.Status != string(enrolment.Revoked) {
		h.Errorf("the registration whose certificate was revoked since is %s: %v", r.Status, err)
	}
	return true
}
