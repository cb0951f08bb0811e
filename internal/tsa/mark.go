package tsa

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Mark keeps a time durably.
type Mark interface {
	// Load returns the time kept last, the zero time when there was none.
	Load() (time.Time, error)
	// Store keeps a time; when it returns nil, a crash does not lose it.
	Store(time.Time) error
}

// FileMark is a Mark in a file of one line. It belongs to the clock of one
// machine, not to the database: a restored database must not turn it back.
type FileMark string

// Load implements Mark.
func (f FileMark) Load() (time.Time, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the mark of times attested: %w", err)
	}
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(b)))
	if err != nil {
		return time.Time{}, fmt.Errorf("read the mark of times attested in %s: %w", filepath.Base(string(f)), err)
	}
	return t, nil
}

// Store implements Mark: the bytes first, then the name, so that the file is
// always whole.
func (f FileMark) Store(t time.Time) (err error) {
	dir := filepath.Dir(string(f))
	tmp, err := os.CreateTemp(dir, ".mark-*")
	if err != nil {
		return fmt.Errorf("keep the mark of times attested: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // after the rename it is gone already
	_, err = tmp.WriteString(t.UTC().Format(time.RFC3339Nano) + "\n")
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), string(f))
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("keep the mark of times attested: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
