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
	if err := keepStatus(); err != nil {
		return err
	}
	// No program it could start gains rights, and no other process of the same
	// user looks into its memory.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up new privileges: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("give up being traced: %w", err)
	}
	// Whoever takes the process over finds no way out of it either: no file, no
	// socket, no program, no other process.
	return refuseCalls()
}

// statusDescriptor is where Here leaves what proc(5) tells of this process, which
// cannot be opened any more when Peak is asked for. It is beyond the files that
// Run gives, and below maxFiles.
const statusDescriptor = maxFiles - 1

func keepStatus() error {
	fd, err := unix.Open("/proc/self/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the process's status: %w", err)
	}
	if err := unix.Dup3(fd, statusDescriptor, unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("keep the process's status: %w", err)
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close the process's status: %w", err)
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
// proc(5) tells it; 0 where it does not, and before Here.
func Peak() int64 {
	b := make([]byte, 8<<10)
	n, err := unix.Pread(statusDescriptor, b, 0)
	if err != nil {
		return 0
	}
	b = b[:n]
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
