package confine

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// ownCalls are those of runtimeCalls that only this architecture has.
var ownCalls = [...]uint32{}
