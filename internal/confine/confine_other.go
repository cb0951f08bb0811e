//go:build !linux

package confine

import (
	"fmt"
	"os"
	"runtime/debug"
)

// Here asks Go alone to keep memory low: the hard limits are those of Linux,
// where Absah runs in production. Elsewhere the wall clock of the Pool still ends
// a child.
func Here(l Limits) error {
	debug.SetMemoryLimit(l.Heap)
	return nil
}

// Peak is not told.
func Peak() int64 { return 0 }

// memoryFile is a file without a name, gone when it is closed.
func memoryFile() (*os.File, error) {
	f, err := os.CreateTemp("", "absah")
	if err != nil {
		return nil, fmt.Errorf("make a file for a child: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("take the name off a file for a child: %w", err)
	}
	return f, nil
}
