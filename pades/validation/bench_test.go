package validation

import (
	"context"
	"strings"
	"testing"
	"time"

	"absah/pades"
	"absah/pdf"
)

// BenchmarkValidate judges a letter of about 30 KB with its chain and the
// revocation lists at hand: signed once, and twice with what changed in between.
func BenchmarkValidate(b *testing.B) {
	h := home()
	plain := letter("", stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", strings.Repeat("0 g 0 0 1 1 re f\n", 1500)))
	one := h.sign(b, plain, pades.Options{Field: "pertama"})
	two := h.sign(b, one, pades.Options{Field: "kedua"})
	v := must(New(Config{Trust: h.trust(b), Source: h.source(), Now: func() time.Time { return now }}))
	for _, c := range []struct {
		name string
		file []byte
	}{{"one signature", one}, {"two signatures", two}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.file)))
			for b.Loop() {
				r, err := v.Validate(context.Background(), pdf.Bytes(c.file), int64(len(c.file)), Options{})
				if err != nil || r.Verdict != Valid {
					b.Fatalf("%v %s", err, dump(r))
				}
			}
		})
	}
}
