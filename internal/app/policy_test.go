package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/clock"
	"absah/internal/config"
)

// What the configuration decides is a leaf of the log each time it becomes
// another, and only then.
func TestPolicyChangesAreOnRecord(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	cfg := apptest.Configure(filepath.Join(t.TempDir(), "data"), "", 25)
	must(t, app.Prepare(ctx, cfg, silent(), clock.System))
	var digest string
	for n, c := range []struct {
		change func(*config.Config)
		fresh  bool
	}{
		{func(*config.Config) {}, true}, // of the first start
		{func(*config.Config) {}, false},
		{func(c *config.Config) { c.Policy.Approval = "account" }, true},
		{func(c *config.Config) { c.Passphrase.MinLength += 2 }, true},
		{func(c *config.Config) { c.Renewal.Window += time.Hour }, true},
		{func(c *config.Config) { c.Privacy.OldScans += time.Hour }, true},
		{func(*config.Config) {}, false},
		{func(c *config.Config) { c.Policy.Approval = "passkey" }, true},
	} {
		c.change(&cfg)
		said, rows := policyOnRecord(ctx, t, cfg)
		if fresh := said["sha256"] != digest; fresh != c.fresh {
			t.Errorf("start %d: a new policy on record is %v, want %v (%d rows)", n+1, fresh, c.fresh, rows)
		}
		if said["approval"] != cfg.Policy.Approval {
			t.Errorf("start %d: the record says approval by %q, want %q", n+1, said["approval"], cfg.Policy.Approval)
		}
		digest = said["sha256"]
	}
	if _, rows := policyOnRecord(ctx, t, cfg); rows != 6 {
		t.Errorf("%d policies on record, want 6", rows)
	}
}

// policyOnRecord starts an installation and tells which policy its record names,
// and how many it has named.
func policyOnRecord(ctx context.Context, t *testing.T, cfg config.Config) (said map[string]string, rows int) {
	t.Helper()
	shortcuts, err := apptest.Shortcuts()
	must(t, err)
	a, err := app.Open(ctx, cfg, app.Options{Log: silent(), Shortcuts: shortcuts})
	must(t, err)
	must(t, a.NotePolicy(ctx))
	last, err := a.Store.Read().LastPolicy(ctx)
	must(t, err)
	must(t, json.Unmarshal([]byte(last.Detail), &said))
	must(t, a.Store.ReadDB().QueryRowContext(ctx, "select count(*) from audit where action = 'policy.change'").Scan(&rows))
	must(t, a.Close())
	return said, rows
}

// TestAuthorityAtHTTPS: whoever sets https for people is told at once that the
// authority needs an address of its own, and nothing is made.
func TestAuthorityAtHTTPS(t *testing.T) {
	cfg := apptest.Configure(filepath.Join(t.TempDir(), "data"), "", 25)
	cfg.BaseURL = "https://absah.contoh.example"
	var wrong *config.Error
	if err := app.Prepare(t.Context(), cfg, silent(), clock.System); !errors.As(err, &wrong) || wrong.Key != "ca.pki_url" || !strings.Contains(wrong.Want, "http://pki.absah.contoh.example") {
		t.Errorf("prepared with %v", err)
	}
	if _, err := os.Stat(cfg.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made: %v", err)
	}
	cfg.CA.PKIURL = "http://pki.contoh.example"
	must(t, app.Prepare(t.Context(), cfg, silent(), clock.System))
	cfg.CA.PKIURL = "" // the authority that is there names its address
	must(t, app.Prepare(t.Context(), cfg, silent(), clock.System))
}
