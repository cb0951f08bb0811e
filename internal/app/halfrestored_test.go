package app_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/backup"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/keys"
)

// TestHalfRestored: where a restore ended in the middle nothing is done but to say
// so. A backup of it would put its erasure keys, which are none or few, in the place
// of those that open all that was backed up before.
func TestHalfRestored(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), apptest.Configure(t.TempDir(), "", 25)
	must(t, app.Prepare(ctx, cfg, silent(), clock.System))
	must(t, os.WriteFile(cfg.Path("restoring"), nil, 0o600))
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	var wrote counter
	cfg.Keys.PassphraseFile = cfg.Path("passphrase")
	must(t, os.WriteFile(cfg.Keys.PassphraseFile, []byte("kuda laut menari di bawah purnama"), 0o600))
	for what, f := range map[string]func() error{
		"open": func() error { _, err := app.Open(ctx, cfg, app.Options{Log: silent()}); return err },
		"back up": func() error {
			_, err := app.Backup(ctx, cfg, silent(), outputs(&wrote, &wrote, identity)...)
			return err
		},
		"restore":   func() error { _, err := app.Restore(ctx, cfg, silent(), app.Origin{}); return err },
		"reconcile": func() error { _, err := app.Reconcile(ctx, cfg, silent(), [][]byte{{0}}); return err },
		"prepare":   func() error { return app.Prepare(ctx, cfg, silent(), clock.System) },
		"encrypt":   func() error { return app.EncryptKeys(ctx, cfg, silent(), clock.System, audit.System("test")) },
	} {
		if err := f(); !errors.Is(err, app.ErrHalfRestored) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if wrote > 0 {
		t.Errorf("%d bytes of a backup were written", wrote)
	}
}

// counter counts what is written.
type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// TestRestoreEndsWithItsRegistrations: a restore that could not make registrations
// follow their certificates is not over, since nothing makes up for that later.
func TestRestoreEndsWithItsRegistrations(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), apptest.Configure(filepath.Join(t.TempDir(), "data"), "", 25)
	must(t, app.Prepare(ctx, cfg, silent(), clock.System))
	a, err := app.Open(ctx, cfg, app.Options{Log: silent()})
	must(t, err)
	must(t, apptest.Populate(ctx, a, 1))
	w, err := apptest.Walk(ctx, a)
	must(t, err)
	// The subscriber's key is sealed by a vault that is none of the program's own.
	stranger, err := keys.InitFile(filepath.Join(t.TempDir(), "keys"))
	must(t, err)
	a.Enrolment.Sealer, err = apptest.QuickKeys(stranger)
	must(t, err)
	who := w.Estate().People[0]
	registration, err := w.Certify(ctx, who)
	must(t, err)
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	var file, erasure bytes.Buffer
	_, err = app.Backup(ctx, cfg, silent(), outputs(&file, &erasure, identity)...)
	must(t, err)
	must(t, a.Enrolment.Revoke(ctx, enrolment.Checker{Actor: who}, enrolment.Applicant, registration, enrolment.Revocation{Code: "superseded"}))
	must(t, a.Close())

	// The journal tells of the revocation, after which the key cannot be erased.
	there := apptest.Configure(filepath.Join(t.TempDir(), "data"), "", 25)
	must(t, os.CopyFS(there.Path(backup.DirJournal), os.DirFS(cfg.Path(backup.DirJournal))))
	if _, err := app.Restore(ctx, there, silent(), origin(identity, file.Bytes(), erasure.Bytes())); !errors.Is(err, credential.ErrCorrupt) {
		t.Fatalf("the restore ends with %v", err)
	}
	if _, err := app.Open(ctx, there, app.Options{Log: silent()}); !errors.Is(err, app.ErrHalfRestored) {
		t.Errorf("what was half restored opens: %v", err)
	}
}
