package tsa

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"absah/internal/durable"
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

// Store implements Mark; the file is always whole.
func (f FileMark) Store(t time.Time) error {
	if err := durable.Replace(string(f), []byte(t.UTC().Format(time.RFC3339Nano)+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep the mark of times attested: %w", err)
	}
	return nil
}
