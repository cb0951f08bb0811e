//go:build amd64 || arm64

package confine

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// runtimeCalls are the system calls that Go's runtime and reading from and
// writing to files that are open already take (those of one architecture only
// are in ownCalls). None opens a file or a socket, starts a program, or reaches
// another process.
var runtimeCalls = [...]uint32{
	unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
	unix.SYS_FCNTL, unix.SYS_PIPE2, unix.SYS_EVENTFD2, unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY, unix.SYS_RESTART_SYSCALL,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_SETITIMER,
	unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRANDOM, unix.SYS_GETRUSAGE, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// The places in seccomp_data (seccomp(2)).
const (
	dataNumber   = 0
	dataArch     = 4
	dataArgument = 16 // the low half of the first one, on a machine that puts it first
)

// filter is a program for the kernel (seccomp(2), "Filters"): whatever is not on
// the list fails with EPERM. New threads may be made, new processes not; signals
// go to the own process only.
func filter(calls []uint32, pid uint32) []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		bits  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
	)
	allow := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW}
	refuse := unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	p := []unix.SockFilter{
		{Code: load, K: dataArch},
		{Code: equal, K: auditArch, Jt: 1},
		{Code: ret, K: unix.SECCOMP_RET_KILL_PROCESS}, // numbers of another architecture mean other calls
		{Code: load, K: dataNumber},
		// glibc makes threads with clone3, whose arguments cannot be looked at; told
		// that there is none, it takes clone.
		{Code: equal, K: unix.SYS_CLONE3, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		{Code: load, K: dataArgument},
		{Code: bits, K: unix.CLONE_THREAD, Jf: 1},
		allow,
		refuse,
		{Code: equal, K: unix.SYS_TGKILL, Jf: 4},
		{Code: load, K: dataArgument},
		{Code: equal, K: pid, Jf: 1},
		allow,
		refuse,
	}
	for _, n := range calls {
		p = append(p, unix.SockFilter{Code: equal, K: n, Jf: 1}, allow)
	}
	return append(p, refuse)
}

// refuseCalls takes all other system calls from every thread of this process, for
// good. It needs PR_SET_NO_NEW_PRIVS.
func refuseCalls() error {
	pid := os.Getpid()
	if pid < 0 || pid > math.MaxInt32 {
		return fmt.Errorf("process %d", pid)
	}
	program := filter(append(ownCalls[:], runtimeCalls[:]...), uint32(pid))
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}                                                                       //nolint:gosec // about a hundred
	_, _, failed := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&f))) //nolint:gosec // no wrapper takes TSYNC
	runtime.KeepAlive(program)
	if failed != 0 {
		return fmt.Errorf("give up system calls: %w", failed)
	}
	return nil
}
