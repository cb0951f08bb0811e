package vaults

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
)

func write(t *testing.T, path, text string, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	write(t, filepath.Join(dir, "absah-vault"), "rahasia\r\n", 0o400)
	for name, c := range map[string]struct {
		file, want string
		err        error
	}{
		"file":               {write(t, filepath.Join(dir, "a"), " rahasia \n", 0o600), " rahasia ", nil},
		"credential":         {"credential:absah-vault", "rahasia", nil},
		"absent":             {filepath.Join(dir, "absent"), "", fs.ErrNotExist},
		"absent credential":  {"credential:absent", "", fs.ErrNotExist},
		"credential outside": {"credential:../a", "", ErrNoCredential},
		"no credential":      {"credential:", "", ErrNoCredential},
		"empty":              {write(t, filepath.Join(dir, "b"), "\n", 0o600), "", ErrEmptySecret},
		"open to others":     {write(t, filepath.Join(dir, "c"), "x", 0o644), "", keys.ErrPermission},
	} {
		got, err := ReadSecret(c.file)
		if string(got) != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	long, err := ReadSecret(write(t, filepath.Join(dir, "d"), strings.Repeat("x", 10000), 0o600))
	if err != nil || len(long) != maxSecret {
		t.Errorf("a long one: %d bytes, %v", len(long), err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := ReadSecret("credential:absah-vault"); !errors.Is(err, ErrNoCredential) {
		t.Errorf("without a service manager: %v", err)
	}
}

func TestSoftwareVault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := config.Default().Keys
	sealed := plain
	sealed.PassphraseFile = write(t, filepath.Join(dir, "passphrase"), "rahasia dari berkas\n", 0o600)
	for name, cfg := range map[string]config.Keys{"plain": plain, "encrypted": sealed} {
		at := filepath.Join(dir, name)
		if _, err := Open(t.Context(), cfg, at); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s before it is made: %v", name, err)
		}
		if _, err := Init(t.Context(), cfg, at); err != nil {
			t.Fatal(err)
		}
		v, err := Open(t.Context(), cfg, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := v.MAC(t.Context(), keys.Pepper, 0, nil); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(t.Context(), plain, filepath.Join(dir, "encrypted")); !errors.Is(err, keys.ErrEncrypted) {
		t.Errorf("without its passphrase: %v", err)
	}
	if _, err := Open(t.Context(), sealed, filepath.Join(dir, "plain")); !errors.Is(err, keys.ErrNotEncrypted) {
		t.Errorf("with a passphrase: %v", err)
	}
	sealed.PassphraseFile = filepath.Join(dir, "absent")
	for name, f := range map[string]func() error{
		"open": func() error { _, err := Open(t.Context(), sealed, filepath.Join(dir, "encrypted")); return err },
		"init": func() error { _, err := Init(t.Context(), sealed, filepath.Join(dir, "new")); return err },
	} {
		if err := f(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "keys.passphrase_file") {
			t.Errorf("%s without the file: %v", name, err)
		}
	}
}

func TestTokenNeedsItsBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := config.Default().Keys
	cfg.Kind, cfg.Module, cfg.TokenLabel = "pkcs11", filepath.Join(dir, "absent.so"), "absah"
	cfg.PINFile = filepath.Join(dir, "pin")
	if _, err := Open(t.Context(), cfg, dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "keys.pin_file") {
		t.Errorf("without PIN: %v", err)
	}
	write(t, cfg.PINFile, "1234\n", 0o600)
	want := pkcs11.ErrNotBuilt
	if pkcs11.Built {
		want = pkcs11.ErrModule
	}
	if _, err := Init(t.Context(), cfg, dir); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
