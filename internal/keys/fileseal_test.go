package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"absah/internal/durable"
)

var vaultPassphrase = []byte("rahasia dari berkas")

func open(dir string, passphrase []byte) (*File, error) {
	return OpenFile(dir, WithPassphrase(passphrase))
}

func initEncrypted(t testing.TB) (*File, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := InitFile(dir, WithPassphrase(vaultPassphrase), Cheap)
	if err != nil {
		t.Fatal(err)
	}
	return v, dir
}

// files reads all files of a vault.
func files(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEncryptedVault(t *testing.T) {
	t.Parallel()
	v, dir := initEncrypted(t)
	if _, err := v.CreateSigner(t.Context(), "ca", ECDSAP256); err != nil {
		t.Fatal(err)
	}
	for name, b := range files(t, dir) {
		if name == headerFile {
			continue
		}
		if !bytes.HasPrefix(b, fileMagic) || bytes.Contains(b, []byte("PRIVATE KEY")) {
			t.Errorf("%s is not encrypted", name)
		}
		v.secrets["pepper.1"].Use(func(secret []byte) {
			if bytes.Contains(b, secret) {
				t.Errorf("%s holds the pepper", name)
			}
		})
	}
	for name, c := range map[string]struct {
		passphrase []byte
		want       error
	}{
		"the right one": {vaultPassphrase, nil}, "none": {nil, ErrEncrypted},
		"another": {append([]byte("x"), vaultPassphrase...), ErrVaultPassphrase},
	} {
		if _, err := open(dir, c.passphrase); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		} else if err != nil && strings.Contains(err.Error(), string(vaultPassphrase)) {
			t.Error("the error tells the passphrase")
		}
	}
	if _, err := InitFile(dir, WithPassphrase(vaultPassphrase)); err != nil {
		t.Errorf("a second start: %v", err)
	}
	if _, err := InitFile(dir); !errors.Is(err, ErrEncrypted) {
		t.Errorf("a second start without the passphrase: %v", err)
	}
	if _, err := InitFile(filepath.Join(t.TempDir(), "vault"), WithPassphrase([]byte("short"))); !errors.Is(err, ErrShortPassphrase) {
		t.Errorf("a short passphrase: %v", err)
	}
}

// TestPlantedFiles is somebody who may write the directory, and puts in keys
// that he knows, or moves those that he does not know.
func TestPlantedFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plant func(dir string) error
		want  error
	}{
		"a plain secret": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "pepper.2.key"), make([]byte, 32), 0o600)
		}, ErrNotEncrypted},
		"a plain signing key": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("-----BEGIN PRIVATE KEY-----"), 0o600)
		}, ErrNotEncrypted},
		"another secret's file": {func(dir string) error {
			return os.Link(filepath.Join(dir, "index.1.key"), filepath.Join(dir, "pepper.2.key"))
		}, ErrOpen},
		"a cut file": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, "pepper.1.key"), int64(len(fileMagic)+40))
		}, ErrOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, dir := initEncrypted(t)
			if err := c.plant(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := open(dir, vaultPassphrase); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestHeaderDamaged(t *testing.T) {
	t.Parallel()
	_, dir := initEncrypted(t)
	whole := files(t, dir)[headerFile]
	for name, change := range map[string][2]string{
		"format": {`"format": 1`, `"format": 2`}, "memory": {`"argon2id_memory_kib": 8`, `"argon2id_memory_kib": 4294967295`},
		"time": {`"argon2id_time": 1`, `"argon2id_time": 0`}, "threads": {`"argon2id_threads": 1`, `"argon2id_threads": 0`},
		"unknown": {`"format"`, `"x": 1, "format"`}, "cut": {"}", ""}, "salt": {`"salt": "`, `"salt": "", "y": "`},
	} {
		b := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(b, whole) {
			t.Fatalf("%s: nothing changed", name)
		}
		if err := os.WriteFile(filepath.Join(dir, headerFile), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := open(dir, vaultPassphrase); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, headerFile), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, headerFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := open(dir, vaultPassphrase); !errors.Is(err, ErrPermission) {
		t.Errorf("a header that all may read: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, headerFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(dir); !errors.Is(err, ErrEncrypted) {
		t.Errorf("encrypted files without header: %v", err)
	}
}

// TestEncryptSurvivesCrashes stops the encryption after each file.
func TestEncryptSurvivesCrashes(t *testing.T) {
	t.Parallel()
	o := gather([]Option{WithPassphrase(vaultPassphrase), Cheap})
	for done := range 8 { // 5 secrets, 1 signing key
		v, dir := initVault(t)
		if _, err := v.CreateSigner(t.Context(), "ca", ECDSAP256); err != nil {
			t.Fatal(err)
		}
		want, _, err := v.MAC(t.Context(), Pepper, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		plain := files(t, dir)
		// A kill while a secret was made leaves its bytes under another name too.
		for name := range plain {
			if err := os.Link(filepath.Join(dir, name), filepath.Join(dir, durable.Temporary+strings.ReplaceAll(name, ".", "-"))); err != nil {
				t.Fatal(err)
			}
		}
		if err := encrypt(dir, o); err != nil {
			t.Fatal(err)
		}
		if done < 7 { // as it was when done files were encrypted
			var h header
			if p, err := readHeader(dir); err != nil {
				t.Fatal(err)
			} else {
				h = *p
			}
			h.Partial = true
			b, err := h.encode()
			if err != nil {
				t.Fatal(err)
			}
			if err := durable.Replace(filepath.Join(dir, headerFile), b, fileMode); err != nil {
				t.Fatal(err)
			}
			n := 0
			for name, b := range plain {
				if n++; n > done {
					if err := durable.Replace(filepath.Join(dir, name), b, fileMode); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := open(dir, vaultPassphrase); !errors.Is(err, ErrHalfEncrypted) {
				t.Errorf("after %d files it opens: %v", done, err)
			}
			other := o
			other.passphrase = []byte("another passphrase")
			if err := encrypt(dir, other); !errors.Is(err, ErrVaultPassphrase) {
				t.Errorf("continued with another passphrase: %v", err)
			}
			if err := encrypt(dir, o); err != nil {
				t.Fatalf("continue after %d files: %v", done, err)
			}
		}
		again, err := open(dir, vaultPassphrase)
		if err != nil {
			t.Fatalf("after %d files: %v", done, err)
		}
		if got, _, err := again.MAC(t.Context(), Pepper, 1, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("after %d files: another pepper, %v", done, err)
		}
		if _, err := again.Signer(t.Context(), "ca"); err != nil {
			t.Error(err)
		}
		for name, b := range files(t, dir) {
			if name != headerFile && !bytes.HasPrefix(b, fileMagic) {
				t.Errorf("after %d files: %s is not encrypted", done, name)
			}
		}
		if err := encrypt(dir, o); !errors.Is(err, ErrExists) {
			t.Errorf("encrypted twice: %v", err)
		}
		if _, err := OpenFile(dir); !errors.Is(err, ErrEncrypted) {
			t.Errorf("opens without passphrase: %v", err)
		}
	}
	_, dir := initVault(t)
	if _, err := open(dir, vaultPassphrase); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("a plain vault with a passphrase: %v", err)
	}
	if err := encrypt(dir, options{passphrase: []byte("short"), cost: o.cost}); !errors.Is(err, ErrShortPassphrase) {
		t.Errorf("a short passphrase: %v", err)
	}
	if _, err := OpenFile(dir); err != nil {
		t.Errorf("a refused encryption leaves traces: %v", err)
	}
}

func TestChangePassphrase(t *testing.T) {
	t.Parallel()
	v, dir := initEncrypted(t)
	before := files(t, dir)
	want, _, err := v.MAC(t.Context(), Pepper, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	fresh := []byte("rahasia yang baru sama sekali")
	if err := ChangePassphrase(dir, fresh, fresh); !errors.Is(err, ErrVaultPassphrase) {
		t.Errorf("a wrong old one: %v", err)
	}
	if err := ChangePassphrase(dir, vaultPassphrase, []byte("short")); !errors.Is(err, ErrShortPassphrase) {
		t.Errorf("a short new one: %v", err)
	}
	if err := ChangePassphrase(dir, vaultPassphrase, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := open(dir, vaultPassphrase); !errors.Is(err, ErrVaultPassphrase) {
		t.Errorf("the old one: %v", err)
	}
	again, err := open(dir, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := again.MAC(t.Context(), Pepper, 0, nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("another pepper: %v", err)
	}
	for name, b := range files(t, dir) {
		if (name == headerFile) == bytes.Equal(b, before[name]) {
			t.Errorf("%s: changed is %v", name, !bytes.Equal(b, before[name]))
		}
	}
	_, plain := initVault(t)
	if err := ChangePassphrase(plain, vaultPassphrase, fresh); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("of a plain vault: %v", err)
	}
}
