package backup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRowsComeBack(t *testing.T) {
	t.Parallel()
	row := []any{nil, int64(-5), int64(1 << 60), "", "text \x00 é", []byte{}, []byte{0, 255}, true, false, strings.Repeat("x", 100<<10)}
	b, err := appendRow(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(bytes.NewReader(append(b, b...)))
	for range 2 {
		got, err := readRow(in, len(row))
		if err != nil || !reflect.DeepEqual(got, row) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := readRow(in, len(row)); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
	for n := range len(b) - 1 {
		if _, err := readRow(bufio.NewReader(bytes.NewReader(b[:n+1])), len(row)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut after %d: %v", n+1, err)
		}
	}
	if _, err := appendRow(nil, []any{3.5}); err == nil {
		t.Error("a number that no column has is written")
	}
}

// FuzzReadRow: whatever is read, is written as it was read, and a length that
// lies takes no memory.
func FuzzReadRow(f *testing.F) {
	b, err := appendRow(nil, []any{nil, int64(-5), "text", []byte{1}, true, false})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, 6)
	f.Add([]byte{isBytes, 0xff, 0xff, 0xff, 0x7f}, 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 100 {
			return
		}
		row, err := readRow(bufio.NewReader(bytes.NewReader(b)), n)
		if err != nil {
			return
		}
		again, err := appendRow(nil, row)
		if err != nil {
			t.Fatal(err)
		}
		back, err := readRow(bufio.NewReader(bytes.NewReader(again)), n)
		if n > 0 && (err != nil || !reflect.DeepEqual(back, row)) {
			t.Errorf("%v became %v, %v", row, back, err)
		}
	})
}
