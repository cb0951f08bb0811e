package app

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// How a service collects garbage, unless GOGC and GOMEMLIMIT say otherwise: the
// heap may grow to five times what is alive, which is little, instead of twice.
// It is collected a quarter as often, and that was a tenth of the processor's
// time of an issuance. From a quarter of the machine's memory on (of the
// container's, if it has a limit) it is collected as often as it takes.
const (
	collectPercent  = 400
	memoryShare     = 4 // one part of
	leastMemory     = 256 << 20
	machineMemory   = "/proc/meminfo"
	containerMemory = "/sys/fs/cgroup/memory.max"
)

// TuneCollector sets the garbage collector of the process for a service.
func TuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := softLimit(os.ReadFile); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
}

// softLimit is how much memory the process should stay below, in bytes; 0 when
// nobody knows how much there is.
func softLimit(read func(path string) ([]byte, error)) int64 {
	var have int64
	if b, err := read(machineMemory); err == nil {
		_, rest, _ := bytes.Cut(b, []byte("MemTotal:"))
		line, _, _ := bytes.Cut(rest, []byte(" kB"))
		if kB, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64); err == nil {
			have = kB << 10
		}
	}
	if b, err := read(containerMemory); err == nil {
		limit, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64) // or "max"
		if err == nil && (have == 0 || limit < have) {
			have = limit
		}
	}
	if have <= 0 {
		return 0
	}
	return max(have/memoryShare, leastMemory)
}
