package app_test

import (
	"errors"
	"os"
	"testing"

	"filippo.io/age"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/clock"
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
