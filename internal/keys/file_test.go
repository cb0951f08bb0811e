package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

func initVault(t testing.TB) (*File, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := InitFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	return v, dir
}

func TestInitFile(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if want := []string{"attempts.1.key", "data.1.key", "index.1.key", "pepper.1.key", "scans.1.key"}; !slices.Equal(names, want) {
		t.Errorf("files %q", names)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v", info.Mode())
	}
	mac, version, err := v.MAC(t.Context(), Pepper, 0, []byte("a"))
	if err != nil || version != 1 {
		t.Fatalf("version %d, %v", version, err)
	}
	again, err := InitFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if mac2, _, err := again.MAC(t.Context(), Pepper, 1, []byte("a")); err != nil || !bytes.Equal(mac, mac2) {
		t.Errorf("a second start changed the pepper: %v", err)
	}
}

func TestInitFileByManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "vault")
	macs := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range macs {
		wg.Go(func() {
			v, err := InitFile(dir)
			if err != nil {
				t.Error(err)
				return
			}
			macs[i], _, _ = v.MAC(t.Context(), Attempts, 0, []byte("a"))
		})
	}
	wg.Wait()
	for _, m := range macs[1:] {
		if !bytes.Equal(m, macs[0]) {
			t.Error("two processes have two secrets")
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, dir string) error
		want  error // nil: any
	}{
		{"no directory", func(_ *testing.T, dir string) error { return os.RemoveAll(dir) }, fs.ErrNotExist},
		{"directory open to the group", func(_ *testing.T, dir string) error { return os.Chmod(dir, 0o750) }, ErrPermission},
		{"secret open to the world", func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, "pepper.1.key"), 0o604) }, ErrPermission},
		{"signing key open to the world", func(_ *testing.T, dir string) error { return os.WriteFile(filepath.Join(dir, "ca.pem"), nil, 0o644) }, ErrPermission},
		{"short secret", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, "pepper.1.key"), 31) }, nil},
		{"empty secret", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, "pepper.1.key"), 0) }, nil},
		{"huge secret", func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, "pepper.1.key"), 1<<30) }, nil},
		{"no version", touch("pepper.key"), nil},
		{"version 0", touch("pepper.0.key"), nil},
		{"version that is no number", touch("pepper.x.key"), nil},
		{"version with a zero before it", touch("pepper.01.key"), nil},
		{"name that is none", touch("Pepper.1.key"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, dir := initVault(t)
			if err := tt.spoil(t, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenFile(dir); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func touch(name string) func(*testing.T, string) error {
	return func(_ *testing.T, dir string) error {
		return os.WriteFile(filepath.Join(dir, name), make([]byte, 32), 0o600)
	}
}

func TestOpenFileIgnoresOthers(t *testing.T) {
	t.Parallel()
	_, dir := initVault(t)
	for _, name := range []string{".new-123", "README", "pepper.1.key.bak"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenFile(dir); err != nil {
		t.Error(err)
	}
}

func TestOpenFileFollowsLinks(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	mounted := filepath.Join(t.TempDir(), "mounted")
	if err := os.Mkdir(mounted, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "pepper.1.key"), filepath.Join(mounted, "pepper.1.key")); err != nil {
		t.Fatal(err)
	}
	w, err := OpenFile(mounted)
	if err != nil {
		t.Fatal(err)
	}
	a, _, _ := v.MAC(t.Context(), Pepper, 0, nil)
	if b, _, err := w.MAC(t.Context(), Pepper, 0, nil); err != nil || !bytes.Equal(a, b) {
		t.Errorf("got %v", err)
	}
}

func TestMAC(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	secret, err := os.ReadFile(filepath.Join(dir, "index.1.key"))
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("3171016802900004"))
	got, version, err := v.MAC(t.Context(), Index, 0, []byte("3171016802900004"))
	if err != nil || version != 1 || !bytes.Equal(got, h.Sum(nil)) {
		t.Errorf("not HMAC-SHA-256: %x, %d, %v", got, version, err)
	}
}

func TestSignerRefuses(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	for name, text := range map[string]string{
		"empty":  "",
		"other":  "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
		"broken": "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".pem"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := v.Signer(t.Context(), Name(name)); err == nil {
			t.Errorf("%s is a key", name)
		}
	}
	if _, err := v.CreateSigner(t.Context(), "open", ECDSAP256); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "open.pem"), 0o640); err != nil {
		t.Fatal(err)
	}
	v.signers = map[Name]*fileSigner{}
	if _, err := v.Signer(t.Context(), "open"); !errors.Is(err, ErrPermission) {
		t.Errorf("a key open to the group: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	v, _ := initVault(f)
	sealed, err := v.Seal(f.Context(), Data, []byte("plain"), nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{nil, {0, 0, 0, 1}, sealed, sealed[:16], {255, 255, 255, 255, 0}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := v.Open(t.Context(), Data, b, nil)
		if err == nil && (!bytes.Equal(b, sealed) || string(plain) != "plain") {
			t.Errorf("forged: %x opens as %q", b, plain)
		}
		if err != nil && !errors.Is(err, ErrOpen) && !errors.Is(err, ErrNoKey) {
			t.Errorf("%x: %v", b, err)
		}
	})
}
