package scan

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// The limits of a worker.
const (
	// workerMemory is what a worker may map beyond what its empty process has
	// (Go maps address space ahead, so that an absolute limit would depend on
	// its version). The dearest honest file is a progressive JPEG of 25
	// megapixels without subsampling: 300 MB of coefficients, 75 MB of pixels.
	workerMemory = 768 << 20
	// workerHeap is where Go collects garbage as hard as it can.
	workerHeap  = 512 << 20
	workerCPU   = 10 // seconds
	workerFiles = 16
)

// confine limits this process for good.
func confine() error {
	debug.SetMemoryLimit(workerHeap)
	debug.SetTraceback("none")
	mapped, err := mappedBytes()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		value    uint64
	}{
		{unix.RLIMIT_AS, mapped + workerMemory},
		{unix.RLIMIT_CPU, workerCPU},
		{unix.RLIMIT_NOFILE, workerFiles},
		{unix.RLIMIT_FSIZE, 0}, // writes no file; pipes do not count
		{unix.RLIMIT_CORE, 0},  // leaves no dump with somebody's scan in it
	} {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("limit resource %d: %w", l.resource, err)
		}
	}
	// No program it could start gains rights, and no other process of the same
	// user looks into its memory.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("give up being traced: %w", err)
	}
	return nil
}

// mappedBytes is the size of the address space in use (proc(5), statm).
func mappedBytes() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	pages, err := strconv.ParseUint(string(bytes.Fields(b)[0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	return pages * uint64(os.Getpagesize()), nil
}
