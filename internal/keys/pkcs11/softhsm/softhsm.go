//go:build pkcs11 && cgo

// Package softhsm gives tests real tokens: those of SoftHSM2.
package softhsm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"absah/internal/keys/pkcs11"
)

// PIN is the user PIN of all tokens.
const PIN = "471147"

// Library is where Debian puts SoftHSM2, and where others do.
func Library() (string, error) {
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("SoftHSM2 is not installed (scripts/setup-test installs it)")
}

// House is a directory of tokens and SoftHSM2's configuration over it. A
// process has one, which has to be there before the library is loaded.
type House struct {
	Dir    string // of the tokens
	Module *pkcs11.Module
	lib    string
	count  atomic.Int64
}

// Open makes a House in dir, sets the environment to it and loads the library.
func Open(dir string) (*House, error) {
	lib, err := Library()
	if err != nil {
		return nil, err
	}
	h := &House{Dir: filepath.Join(dir, "tokens"), lib: lib}
	conf := filepath.Join(dir, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", h.Dir)
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if err := os.Setenv("SOFTHSM2_CONF", conf); err != nil {
		return nil, err
	}
	h.Module, err = pkcs11.Load(lib)
	return h, err
}

// Main runs the tests of a package with a House, which it hands to set.
func Main(m *testing.M, set func(*House)) (code int, err error) {
	dir, err := os.MkdirTemp("", "absah-softhsm-*")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	h, err := Open(dir)
	if err != nil {
		return 1, err
	}
	set(h)
	return m.Run(), nil
}

// Token makes a token and says how to open it.
func (h *House) Token(t testing.TB) pkcs11.Config {
	t.Helper()
	label := fmt.Sprintf("absah-%d", h.count.Add(1))
	h.Init(t, label)
	return pkcs11.Config{Module: h.lib, TokenLabel: label, PIN: []byte(PIN), Sessions: 4, Lock: filepath.Join(filepath.Dir(h.Dir), label+".lock")}
}

// Init makes an empty token of that label with the tool of SoftHSM2.
func (h *House) Init(t testing.TB, label string) {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "000000", "--pin", PIN).CombinedOutput()
	if err != nil {
		t.Fatalf("make a token: %v\n%s", err, out)
	}
}

// Open opens a token in the house.
func (h *House) Open(t testing.TB, cfg pkcs11.Config) *pkcs11.Vault {
	t.Helper()
	v, err := pkcs11.OpenIn(context.Background(), h.Module, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}
