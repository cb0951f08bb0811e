package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func want(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != text {
		t.Errorf("%s holds %q (%v), want %q", path, b, err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != mode {
		t.Errorf("%s has mode %v (%v), want %v", path, info.Mode(), err, mode)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Errorf("beside %s lie %v (%v), want nothing", path, names, err)
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := Create(path, []byte("first"), 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, path, "first", 0o644)
	if err := Create(path, []byte("second"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Create gives %v, want fs.ErrExist", err)
	}
	want(t, path, "first", 0o644)
}

func TestOneOfManyCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { errs[i] = Create(path, []byte{byte('0' + i)}, 0o600) })
	}
	all.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, fs.ErrExist):
			t.Errorf("Create %d gives %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody created it")
	}
	want(t, path, string(rune('0'+won)), 0o600)
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"first", "second"} {
		if err := Replace(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want(t, path, text, 0o600)
	}
}

// TestNothingRemains: what could not be put in its place is not left lying about.
func TestNothingRemains(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(path, []byte("text"), 0o600); err == nil {
		t.Error("a directory was replaced by a file")
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("%v (%v) remain, want the directory alone", names, err)
	}
	missing := filepath.Join(dir, "nowhere", "file")
	if err := Create(missing, nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Create in a directory that is not there gives %v", err)
	}
}
