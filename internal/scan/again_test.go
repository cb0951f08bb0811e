package scan

import (
	"bytes"
	"testing"
)

// TestStoredScanCanBeUploadedAgain guards against refusing people their own
// scan: encoding what this package encoded gives the same bytes.
func TestStoredScanCanBeUploadedAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Specimen, IDCard} {
		in := Input{Kind: kind, Bytes: pngOf(t, drawn(900, 600))}
		for range 4 {
			res, err := process(in, standard)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(res.Bytes, in.Bytes) {
				t.Fatalf("%s: what is stored is what was uploaded", kind)
			}
			in.Bytes = res.Bytes
		}
	}
}
