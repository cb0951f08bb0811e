package pdf_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// typical is a file of about 30 KB with a classic table, as programs for letters
// write it.
func typical(objects, streamSize int) []byte {
	f := pdftest.New("1.4")
	f.Body()
	for n := 7; n < objects; n++ {
		if n%10 == 0 {
			f.Stream(n, "/Filter /FlateDecode", bytes.Repeat([]byte("x"), streamSize))
			continue
		}
		f.Object(n, fmt.Sprintf("<< /Type /StructElem /S /P /P %d 0 R /K [%d 0 R %d] /Pg 3 0 R /Alt (paragraph) >>", n-1, n+1, n))
	}
	f.Table(pdftest.Trailer)
	return f.Bytes()
}

// compressed is the same with a cross-reference stream and object streams.
func compressed(objects int) []byte {
	f := pdftest.New("1.5")
	f.Stream(4, "", []byte(pdftest.Content))
	f.ObjectStream(7, pdftest.Members()...)
	n := 8
	for n < objects {
		container := n
		var list []pdftest.Member
		for n++; n < objects && len(list) < 100; n++ {
			list = append(list, pdftest.Member{Number: n, Body: fmt.Sprintf("<< /Type /StructElem /S /P /P %d 0 R /K [%d 0 R %d] /Pg 3 0 R >>", n-1, n+1, n)})
		}
		f.ObjectStream(container, list...)
	}
	f.XrefStream(n, pdftest.Trailer, true)
	return f.Bytes()
}

func benchOpen(b *testing.B, r io.ReaderAt, size int64) {
	b.ReportAllocs()
	for b.Loop() {
		d, err := pdf.Open(r, size, pdf.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Page(0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	small := typical(100, 2500)
	table, streams := typical(63_000, 1200), compressed(46_000)
	b.Run("30KB in memory", func(b *testing.B) { benchOpen(b, pdf.Bytes(small), int64(len(small))) })
	b.Run("30KB by ReaderAt", func(b *testing.B) { benchOpen(b, bytes.NewReader(small), int64(len(small))) })
	b.Run("63000 objects", func(b *testing.B) { benchOpen(b, bytes.NewReader(table), int64(len(table))) })
	b.Run("46000 compressed", func(b *testing.B) { benchOpen(b, bytes.NewReader(streams), int64(len(streams))) })
	big := pdftest.Big(100 << 20)
	b.Run("100MB", func(b *testing.B) { benchOpen(b, big, big.Size()) })
}

func BenchmarkScan(b *testing.B) {
	small, table, streams := typical(100, 2500), typical(63_000, 1200), compressed(46_000)
	for _, c := range []struct {
		name string
		data []byte
	}{{"30KB", small}, {"63000 objects", table}, {"46000 compressed", streams}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				d, err := pdf.Open(pdf.Bytes(c.data), int64(len(c.data)), pdf.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := d.Scan(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAllObjects(b *testing.B) {
	table, streams := typical(63_000, 1200), compressed(46_000)
	for _, c := range []struct {
		name string
		data []byte
	}{{"63000 objects", table}, {"46000 compressed", streams}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := pdf.Open(bytes.NewReader(c.data), int64(len(c.data)), pdf.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for ref := range d.Objects() {
					if _, err := d.Object(ref); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
