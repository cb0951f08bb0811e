package confine

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// Here limits this process for good.
func Here(l Limits) error {
	debug.SetMemoryLimit(l.Heap)
	debug.SetTraceback("none")
	mapped, err := mappedBytes()
	if err != nil {
		return err
	}
	for _, r := range []struct {
		resource int
		value    uint64
	}{
		// What may be mapped beyond what the empty process has: Go maps address
		// space ahead, so that an absolute limit would depend on its version.
		{unix.RLIMIT_AS, mapped + uint64(l.Memory)},
		{unix.RLIMIT_CPU, uint64(l.CPU.Seconds())},
		{unix.RLIMIT_NOFILE, maxFiles},
		{unix.RLIMIT_FSIZE, 0}, // writes no file; pipes do not count
		{unix.RLIMIT_CORE, 0},  // leaves no dump with somebody's document in it
	} {
		if err := unix.Setrlimit(r.resource, &unix.Rlimit{Cur: r.value, Max: r.value}); err != nil {
			return fmt.Errorf("limit resource %d: %w", r.resource, err)
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

// Peak is the largest resident set of this process since it began, in bytes, as
// proc(5) tells it; 0 where it does not.
func Peak() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(b, []byte("VmHWM:"))
	fields := bytes.Fields(rest[:min(len(rest), 40)])
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// memoryFile is a file that exists in memory only and is gone when it is closed.
func memoryFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("absah", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), "memory"), nil
}
