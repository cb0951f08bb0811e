package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
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
	other, _, _ := v.MAC(t.Context(), Pepper, 0, []byte("3171016802900004"))
	if bytes.Equal(got, other) {
		t.Error("two secrets are one")
	}
	for _, tt := range []struct {
		name    Name
		version int
	}{{Index, 2}, {Index, -1}, {"absent", 0}, {"../vault/index", 1}, {"", 0}, {"ca.pem", 1}} {
		if _, _, err := v.MAC(t.Context(), tt.name, tt.version, nil); !errors.Is(err, ErrNoKey) {
			t.Errorf("%q version %d: %v", tt.name, tt.version, err)
		}
	}
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	v, _ := initVault(t)
	plain, aad := []byte("KTP"), []byte("file 1")
	sealed, err := v.Seal(t.Context(), Scans, plain, aad)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := v.Seal(t.Context(), Scans, plain, aad); bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes")
	}
	if got, err := v.Open(t.Context(), Scans, sealed, aad); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := v.Open(t.Context(), Scans, sealed, []byte("file 2")); !errors.Is(err, ErrOpen) {
		t.Errorf("for another file: %v", err)
	}
	if _, err := v.Open(t.Context(), Data, sealed, aad); !errors.Is(err, ErrOpen) {
		t.Errorf("for another purpose: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := v.Open(t.Context(), Scans, bad, aad); !errors.Is(err, ErrOpen) && !errors.Is(err, ErrNoKey) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for n := range sealed {
		if _, err := v.Open(t.Context(), Scans, sealed[:n], aad); !errors.Is(err, ErrOpen) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if _, err := v.Seal(t.Context(), "absent", plain, aad); !errors.Is(err, ErrNoKey) {
		t.Errorf("under no key: %v", err)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	running, err := OpenFile(dir) // another process
	if err != nil {
		t.Fatal(err)
	}
	old, err := v.Seal(t.Context(), Data, []byte("lama"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Rotate(Data); err != nil {
		t.Fatal(err)
	}
	fresh, err := v.Seal(t.Context(), Data, []byte("baru"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if old[3] != 1 || fresh[3] != 2 {
		t.Errorf("versions %d and %d", old[3], fresh[3])
	}
	restarted, err := OpenFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, vault := range map[string]*File{"the one": v, "another": running, "a restarted one": restarted} {
		for want, sealed := range map[string][]byte{"lama": old, "baru": fresh} {
			if got, err := vault.Open(t.Context(), Data, sealed, nil); err != nil || string(got) != want {
				t.Errorf("%s opens %s as %q, %v", name, want, got, err)
			}
		}
	}
	// Having met version 2, the other process uses it too.
	if _, version, err := running.MAC(t.Context(), Data, 0, nil); err != nil || version != 2 {
		t.Errorf("version %d, %v", version, err)
	}
	if err := v.Rotate("../x"); err == nil {
		t.Error("a path is a name")
	}
}

func TestSigners(t *testing.T) {
	t.Parallel()
	v, dir := initVault(t)
	for _, alg := range []Algorithm{ECDSAP256, ECDSAP384, RSA3072} {
		name := Name("ca-" + string(alg))
		if _, err := v.Signer(t.Context(), name); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s before it is made: %v", alg, err)
		}
		made, err := v.CreateSigner(t.Context(), name, alg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.CreateSigner(t.Context(), name, alg); !errors.Is(err, ErrExists) {
			t.Errorf("%s made twice: %v", alg, err)
		}
		restarted, err := OpenFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := restarted.CreateSigner(t.Context(), name, alg); !errors.Is(err, ErrExists) {
			t.Errorf("%s made again after a restart: %v", alg, err)
		}
		read, err := restarted.Signer(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !made.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(read.Public()) {
			t.Errorf("%s changed by a restart", alg)
		}
		digest := sha256.Sum256([]byte("a"))
		if _, err := read.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(filepath.Join(dir, string(name)+".pem")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", alg, info.Mode(), err)
		}
	}
	if key, _ := v.Signer(t.Context(), "ca-ecdsa-p384"); key.(*ecdsa.PrivateKey).Curve.Params().BitSize != 384 {
		t.Error("not P-384")
	}
	for _, name := range []Name{"", "../x", "Ca", "a/b", "a.b", "-a"} {
		if _, err := v.CreateSigner(t.Context(), name, ECDSAP256); err == nil {
			t.Errorf("%q is a name", name)
		}
		if _, err := v.Signer(t.Context(), name); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	if _, err := v.CreateSigner(t.Context(), "odd", "dsa"); err == nil {
		t.Error("dsa is an algorithm")
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
	v.signers = map[Name]crypto.Signer{}
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
