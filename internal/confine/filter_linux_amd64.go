package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// ownCalls are those of runtimeCalls that only this architecture has.
var ownCalls = [...]uint32{unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL}
