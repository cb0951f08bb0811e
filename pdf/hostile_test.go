package pdf_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"absah/pdf"
	"absah/pdf/pdftest"
)

// exercise asks for everything that a file can be asked for.
func exercise(b []byte) error {
	d, err := pdf.Open(pdf.Bytes(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return err
	}
	err = nil
	n := 0
	for ref, loc := range d.Objects() {
		if n++; n > 3000 {
			break
		}
		o, e := d.Object(ref)
		err = errors.Join(err, e)
		if s, ok := o.(*pdf.Stream); ok {
			_, e = d.StreamData(s)
			err = errors.Join(err, e)
		}
		if loc.Offset > 0 {
			_, _, _, e = d.ParseAt(loc.Offset)
			err = errors.Join(err, e)
		}
		_, _ = d.Extent(ref)
	}
	n = 0
	for _, e := range d.Pages() {
		err = errors.Join(err, e)
		if n++; n > 100_000 {
			break
		}
	}
	revs := d.Revisions()
	for i := range revs {
		if i > 50 {
			break
		}
		d.Changed(i)
		_, _, e := d.At(i).Root()
		err = errors.Join(err, e)
	}
	d.Version()
	err = errors.Join(err, d.Scan(context.Background()))
	d.Anomalies()
	return err
}

// TestHostileFilesAreBounded holds the memory that hostile files make a reader
// take; that they make it hang would show as the test's timeout.
func TestHostileFilesAreBounded(t *testing.T) {
	for _, c := range pdftest.Hostile() {
		t.Run(c.Name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := exercise(c.Data)
			runtime.ReadMemStats(&after)
			// Allocated in all, not at one time. Streams are decoded up to 64 MiB
			// each and 256 MiB in all, into memory that grows by doubling.
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 768 {
				t.Errorf("%d MiB allocated (%.300v)", mib, err)
			}
			var limit *pdf.LimitError
			if c.Limit && !errors.As(err, &limit) {
				t.Errorf("%v, want a LimitError", err)
			}
		})
	}
}

func TestBigFiles(t *testing.T) {
	for _, hole := range []int64{1<<31 + 5, 1<<32 + 5, 9_999_990_000, 10_000_000_001, 1 << 41} {
		s := pdftest.Big(hole)
		d, err := pdf.Open(s, s.Size(), pdf.Options{})
		if err != nil {
			t.Errorf("%d: %v", hole, err)
			continue
		}
		o, err := d.Object(pdf.Ref{Number: 6})
		info, _ := o.(pdf.Dict)
		if info.Get("Producer") != pdf.String("pdftest") {
			t.Errorf("%d: information is %v, %v", hole, o, err)
		}
		if n, err := d.PageCount(); n != 1 {
			t.Errorf("%d: %d pages, %v", hole, n, err)
		}
		loc, err := d.Extent(pdf.Ref{Number: 7})
		if err != nil || loc.End < hole {
			t.Errorf("%d: the stream ends at %d, %v", hole, loc.End, err)
		}
		if err := d.Scan(context.Background()); err != nil || len(d.Anomalies()) > 0 {
			t.Errorf("%d: scan: %v, %v", hole, err, d.Anomalies())
		}
	}
}
