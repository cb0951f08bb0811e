package app_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"absah/internal/app"
	"absah/internal/app/apptest"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/vaults"
	"absah/internal/reseal"
	"absah/internal/store"
)

var operator = audit.Actor{AccountID: "system:cli", Role: "administrator"}

// acts lists the audit rows of an action, by object.
func acts(t *testing.T, cfg config.Config, action string) (out []string) {
	t.Helper()
	s, err := store.Open(t.Context(), cfg.DatabaseURL(), slog.New(slog.DiscardHandler))
	must(t, err)
	defer s.Close()
	rows, err := s.ReadDB().QueryContext(t.Context(), `select object_id, actor_id, detail from audit where action = $1 order by seq`, action)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var object, actor, detail string
		must(t, rows.Scan(&object, &actor, &detail))
		out = append(out, object+" "+actor+" "+detail)
	}
	must(t, rows.Err())
	return out
}

func findingOf(t *testing.T, cfg config.Config, check string) app.Finding {
	t.Helper()
	for _, f := range app.Examine(t.Context(), cfg, nil, slog.New(slog.DiscardHandler)).Findings {
		if f.Check == check {
			return f
		}
	}
	t.Fatalf("the doctor does not check %s", check)
	return app.Finding{}
}

func TestKeysOfAnInstallation(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	cfg := apptest.Configure(filepath.Join(t.TempDir(), "data"), "", 25)
	must(t, app.Prepare(t.Context(), cfg, log, clock.System))

	versions := func(name keys.Name) []int {
		t.Helper()
		list, err := app.ListKeys(t.Context(), cfg)
		must(t, err)
		i := slices.IndexFunc(list, func(d keys.Description) bool { return d.Name == name })
		if i < 0 {
			t.Fatalf("%s is not listed", name)
		}
		return list[i].Versions
	}
	running, err := vaults.Open(t.Context(), cfg.Keys, cfg.Path("keys"))
	must(t, err)
	if v, err := app.RotateKey(t.Context(), cfg, log, clock.System, operator, keys.Data); err != nil || v != 2 {
		t.Fatalf("version %d, %v", v, err)
	}
	if got := versions(keys.Data); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("versions %v", got)
	}
	if got := acts(t, cfg, "keys.rotate"); !slices.Equal(got, []string{`data system:cli {"version":"2"}`}) {
		t.Errorf("audit: %q", got)
	}
	for used := 0; used != 2; { // within a moment
		sealed, err := running.Seal(t.Context(), keys.Data, nil, nil)
		must(t, err)
		used, err = keys.SealedVersion(sealed)
		must(t, err)
	}
	if _, err := app.RotateKey(t.Context(), cfg, log, clock.System, operator, "absent"); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("a secret that is none: %v", err)
	}
	if got := acts(t, cfg, "keys.rotate"); len(got) != 1 {
		t.Errorf("audit of what failed: %q", got)
	}

	// Encryption.
	var wrong *config.Error
	if err := app.EncryptKeys(t.Context(), cfg, log, clock.System, operator); !errors.As(err, &wrong) || wrong.Key != "keys.passphrase_file" {
		t.Errorf("without a passphrase: %v", err)
	}
	secret := func(name, text string) string {
		path := filepath.Join(cfg.Data, name)
		must(t, os.WriteFile(path, []byte(text+"\n"), 0o600))
		return path
	}
	cfg.Keys.PassphraseFile = secret("first", "rahasia dari berkas pertama")
	if f := findingOf(t, cfg, "keys"); f.OK || !strings.Contains(f.Mend, "absah keys encrypt") {
		t.Errorf("the doctor about a passphrase without encryption: %+v", f)
	}
	a, err := app.Open(t.Context(), apptest.Configure(cfg.Data, "", 25), app.Options{Log: log})
	must(t, err)
	if !a.Works(reseal.Job) {
		t.Error("nobody brings anything under newer versions")
	}
	if err := app.EncryptKeys(t.Context(), cfg, log, clock.System, operator); !errors.Is(err, app.ErrInUse) {
		t.Errorf("under a server: %v", err)
	}
	must(t, a.Close())
	must(t, app.EncryptKeys(t.Context(), cfg, log, clock.System, operator))
	if f := findingOf(t, cfg, "keys"); !f.OK || !strings.Contains(f.Detail, "encrypted") {
		t.Errorf("the doctor about an encrypted vault: %+v", f)
	}
	if got := versions(keys.Data); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("versions %v", got)
	}
	without := cfg
	without.Keys.PassphraseFile = ""
	if f := findingOf(t, without, "keys"); f.OK || !strings.Contains(f.Mend, "keys.passphrase_file") {
		t.Errorf("the doctor without the passphrase: %+v", f)
	}
	// A vault that does not open is no lost one: its keys are not made anew.
	if err := app.Prepare(t.Context(), without, log, clock.System); !errors.Is(err, keys.ErrEncrypted) {
		t.Errorf("prepared without the passphrase: %v", err)
	}

	next := secret("second", "rahasia dari berkas kedua")
	must(t, app.ChangeKeysPassphrase(t.Context(), cfg, log, clock.System, operator, next))
	if f := findingOf(t, cfg, "keys"); f.OK || !strings.Contains(f.Mend, "right passphrase") {
		t.Errorf("the doctor with the old passphrase: %+v", f)
	}
	if err := app.ChangeKeysPassphrase(t.Context(), cfg, log, clock.System, operator, filepath.Join(cfg.Data, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("to no passphrase: %v", err)
	}
	cfg.Keys.PassphraseFile = next
	if a, err = app.Open(t.Context(), cfg, app.Options{Log: log}); err != nil {
		t.Fatal(err)
	}
	must(t, a.Close())
	if a, b := acts(t, cfg, "keys.encrypt"), acts(t, cfg, "keys.passphrase"); len(a) != 1 || len(b) != 1 {
		t.Errorf("audit: %q, %q", a, b)
	}
	token := cfg
	token.Keys.Kind = "pkcs11"
	if err := app.EncryptKeys(t.Context(), token, log, clock.System, operator); !errors.Is(err, app.ErrNoFiles) {
		t.Errorf("of a token: %v", err)
	}
}
