package hidden

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// apart asks the kernel for memory outside the heap: secret memory where there
// is some, else locked pages that core dumps leave out.
func apart(size int) ([]byte, error) {
	if b, err := secretMemory(size); err == nil {
		return b, nil
	}
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("ask for memory: %w", err)
	}
	// Both are the best that an unprivileged process may ask for; a limit on
	// locked memory (RLIMIT_MEMLOCK) is no reason not to start.
	_ = unix.Mlock(b)
	_ = unix.Madvise(b, unix.MADV_DONTDUMP)
	return b, nil
}

func secretMemory(size int) ([]byte, error) {
	fd, err := unix.MemfdSecret(unix.O_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }() // the mapping holds the memory
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}
