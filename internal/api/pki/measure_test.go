package pki_test

import (
	"syscall"
	"testing"
	"time"
)

// measure runs f b.N times on all processors and reports how many there were in
// a second of processor time of the whole process.
func measure(b *testing.B, f func()) {
	b.Helper()
	b.ReportAllocs()
	before := cpu(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			f()
		}
	})
	b.ReportMetric(float64(b.N)/(cpu(b)-before).Seconds(), "per-cpu-s")
}

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
