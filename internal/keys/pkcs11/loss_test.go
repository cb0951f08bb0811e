//go:build pkcs11 && cgo

package pkcs11_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
	"absah/internal/keys/pkcs11/softhsm"
)

// served is a token behind a process of its own, as a network HSM is: p11-kit
// serves SoftHSM2, and p11-kit's client is the library.
type served struct {
	t      *testing.T
	socket string
	cmd    *exec.Cmd
}

func (s *served) start() {
	s.t.Helper()
	lib, err := softhsm.Library()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.Remove(s.socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	s.cmd = exec.CommandContext(context.Background(), "p11-kit", "server", "--foreground", "--provider", lib, "--name", s.socket, "pkcs11:")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it makes a process for each client
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for range 1000 {
		if _, err := os.Stat(s.socket); err == nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatal("the server of the token does not start")
}

func (s *served) kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait() // it was killed
}

func (s *served) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(-s.cmd.Process.Pid, sig); err != nil {
		s.t.Error(err)
	}
}

func clientLibrary(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib*/*/pkcs11/p11-kit-client.so")
	if more, _ := filepath.Glob("/usr/lib*/pkcs11/p11-kit-client.so"); err == nil {
		found = append(found, more...)
	}
	if len(found) == 0 {
		t.Fatal("p11-kit's client library is not installed (scripts/setup-test installs it)")
	}
	return found[0]
}

func TestServerOfTokenDies(t *testing.T) {
	cfg := house.Token(t)
	v := house.Open(t, cfg)
	for _, name := range keys.Secrets() {
		if err := v.Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	want, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, socket: filepath.Join(t.TempDir(), "p11.sock")}
	s.start()
	defer s.kill()
	t.Setenv("P11_KIT_SERVER_ADDRESS", "unix:path="+s.socket)
	remote, err := pkcs11.Load(clientLibrary(t))
	if err != nil {
		t.Fatal(err)
	}
	far, err := pkcs11.OpenIn(t.Context(), remote, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	signer, err := far.CreateSigner(t.Context(), "ca", keys.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	works := func(when string) {
		t.Helper()
		if got, _, err := far.MAC(t.Context(), keys.Pepper, 1, []byte("a")); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v", when, got, err)
		}
		digest := sha256.Sum256([]byte("a"))
		if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	works("at first")

	s.kill()
	s.start()
	works("after its restart")

	s.kill()
	if _, _, err := far.MAC(t.Context(), keys.Pepper, 1, []byte("a")); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("while it is gone: %v", err)
	}
	if err := far.Check(t.Context()); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("while it is gone: %v", err)
	}
	s.start()
	works("after its absence")

	s.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := far.MAC(ctx, keys.Pepper, 1, []byte("a")); !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it hangs: %v", err)
	}
	s.signal(syscall.SIGCONT)
	works("after it hung")
}
