package verify_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"absah/internal/portal/verify"
	"absah/internal/verification"
	"absah/pades"
	"absah/pades/validation/validationtest"
)

// BenchmarkPage has documents judged by the page, from the bytes of the form to the
// HTML, with a child process for each. It tells p50 and p99 in milliseconds, the
// child's largest resident set in MiB and its processor time. ABSAH_BIN names a
// program to run the children; without it the test's own does, which starts slower.
func BenchmarkPage(b *testing.B) {
	h := validationtest.Home()
	for _, size := range []struct {
		name  string
		bytes int
	}{{"50KB", 50_000}, {"1MB", 1_000_000}, {"4MB", 4_000_000}, {"50MB", 50_000_000}} {
		for _, signatures := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", size.name, signatures), func(b *testing.B) {
				file := signedLetter(b, h, size.bytes, signatures)
				c := newCourt(b, h)
				if program := os.Getenv("ABSAH_BIN"); program != "" {
					c.use(b, program)
				}
				var memory int64
				var cpu time.Duration
				c.service.Watch = func(n int64) { memory = max(memory, n) }
				c.pool.Watch = func(d time.Duration) { cpu += d }
				var took []time.Duration
				b.ReportAllocs()
				for b.Loop() {
					at := time.Now()
					rec := c.post(b, verify.Path, "id", file, nil)
					took = append(took, time.Since(at))
					if rec.Code != 200 || !strings.Contains(rec.Body.String(), "Sah: semua") {
						b.Fatalf("status %d", rec.Code)
					}
				}
				slices.Sort(took)
				ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
				b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
				b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
				b.ReportMetric(float64(memory)/(1<<20), "child-MiB")
				b.ReportMetric(ms(cpu)/float64(len(took)), "child-cpu-ms")
			})
		}
	}
}

// use has children run by another program.
func (c *court) use(b *testing.B, program string) {
	b.Helper()
	pool, err := verification.NewPool([]string{program, verification.WorkerCommand}, 2)
	if err != nil {
		b.Fatal(err)
	}
	*c.pool = *pool
}

// signedLetter is a letter of about size bytes with so many signatures.
func signedLetter(b *testing.B, h *validationtest.House, size, signatures int) []byte {
	b.Helper()
	noise := make([]byte, size)
	rand.Read(noise)
	file := validationtest.Letter("", validationtest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", string(noise)))
	for i := range signatures {
		file = h.Sign(b, file, pades.Options{Field: fmt.Sprintf("ttd%d", i+1)})
	}
	return file
}
