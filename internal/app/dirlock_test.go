package app

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLockOfDirectory: it is one process's alone, and free at once when that gives it
// back, even while a child that is being started has a copy of its descriptor.
func TestLockOfDirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockDir(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(path); !errors.Is(err, ErrInUse) {
		t.Errorf("locked twice: %v", err)
	}
	copied, err := syscall.Dup(int(first.f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(copied)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := lockDir(path)
	if err != nil {
		t.Fatalf("given back, it is not free: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
