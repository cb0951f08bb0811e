package app_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/clock"
)

// TestLeftDrills: what a drill left that was killed, decrypted keys among it, is gone
// when the installation is opened. One that runs stays.
func TestLeftDrills(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), apptest.Configure(t.TempDir(), "", 25)
	must(t, app.Prepare(ctx, cfg, silent(), clock.System))
	drill := func(name string) string {
		dir := cfg.Path(name)
		must(t, os.CopyFS(filepath.Join(dir, "data", "keys"), os.DirFS(cfg.Path("keys"))))
		return dir
	}
	left, early, runs := drill("drill-1"), drill("drill-2"), drill("drill-3")
	must(t, os.WriteFile(filepath.Join(left, "lock"), nil, 0o600))
	must(t, os.RemoveAll(filepath.Join(early, "data"))) // killed before it had a lock
	lock, err := os.Create(filepath.Join(runs, "lock"))
	must(t, err)
	defer lock.Close()
	must(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	a, err := app.Open(ctx, cfg, app.Options{Log: silent()})
	must(t, err)
	must(t, a.Close())
	for dir, want := range map[string]bool{left: false, early: false, runs: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", filepath.Base(dir), err)
		}
	}
}
