package pades

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"absah/pdf"
)

// discard takes what is written and forgets it.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// sized is a letter with a stream that makes it about n bytes long.
func sized(n int) []byte {
	s := basic(false)
	noise := strings.Repeat("0123456789abcdef% ", n/18)
	s.add("<< /Length %d >>\nstream\n%s\nendstream", len(noise), noise)
	return s.bytes()
}

func benchmarkSmall(b *testing.B, s *Signer) {
	file := pdf.Bytes(sized(29_500))
	b.ReportAllocs()
	b.SetBytes(int64(len(file)))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := Sign(ctx, file, int64(len(file)), discard{}, s, Options{}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

func BenchmarkSignSmallP256(b *testing.B) { benchmarkSmall(b, testSigner(b)) }

func BenchmarkSignSmallRSA(b *testing.B) {
	benchmarkSmall(b, signerOf(b, certify("Budi Contoh", rsaKey(), sub(), nil), false))
}

// BenchmarkKeyP256 and BenchmarkKeyRSA are the floors: the key alone.
func BenchmarkKeyP256(b *testing.B) { benchmarkKey(b, testSigner(b)) }

func BenchmarkKeyRSA(b *testing.B) {
	benchmarkKey(b, signerOf(b, certify("Budi Contoh", rsaKey(), sub(), nil), false))
}

func benchmarkKey(b *testing.B, s *Signer) {
	attributes, err := s.cades.SignedAttributes(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.cades.Sign(s.key, attributes); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

// manyObjects is a file of 63,000 small objects and 11 MB, as browsers print
// tagged pages.
func manyObjects() []byte {
	s := basic(true)
	for i := range 63_000 {
		s.add("<< /Type /StructElem /S /Span /P 2 0 R /K [%d] /Pg 3 0 R /Alt (%s) >>", i, strings.Repeat("kata ", 19))
	}
	return s.bytes()
}

func benchmarkFile(b *testing.B, content func(io.Writer) error) {
	name := filepath.Join(b.TempDir(), "in.pdf")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := content(f); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	s := testSigner(b)
	b.ReportAllocs()
	b.SetBytes(info.Size())
	b.ResetTimer()
	for b.Loop() {
		out, err := os.Create(name + ".out")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Sign(ctx, f, info.Size(), out, s, Options{}); err != nil {
			b.Fatal(err)
		}
		if err := out.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign63000Objects(b *testing.B) {
	benchmarkFile(b, func(w io.Writer) error { _, err := w.Write(manyObjects()); return err })
}

func BenchmarkSign100MB(b *testing.B) {
	benchmarkFile(b, func(w io.Writer) error { _, err := w.Write(sized(100 << 20)); return err })
}

// BenchmarkCopyAndHash100MB is the floor of that: cp and one SHA-256 pass.
func BenchmarkCopyAndHash100MB(b *testing.B) {
	file := sized(100 << 20)
	name := filepath.Join(b.TempDir(), "in.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		b.Fatal(err)
	}
	s := testSigner(b)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		in, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		out, err := os.Create(name + ".out")
		if err != nil {
			b.Fatal(err)
		}
		if err := copyHash(ctx, in, int64(len(file)), out, s.hash().New()); err != nil {
			b.Fatal(err)
		}
		if err := out.Close(); err != nil {
			b.Fatal(err)
		}
		in.Close()
	}
}

func TestSmallAddition(t *testing.T) {
	file := sized(29_500)
	signed := sign(t, file, testSigner(t), Options{Reason: "Menyetujui", Name: "Siti Contoh"})
	if added := len(signed) - len(file); added > 8<<10 {
		t.Errorf("an invisible signature with its chain adds %d bytes", added)
	}
}
