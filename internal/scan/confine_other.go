//go:build !linux

package scan

import "runtime/debug"

// confine asks Go alone to keep memory low: the hard limits are those of
// Linux, where Absah runs in production. Elsewhere the wall clock of the Pool
// still ends a worker.
func confine() error {
	debug.SetMemoryLimit(512 << 20)
	return nil
}
