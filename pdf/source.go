package pdf

import (
	"errors"
	"fmt"
	"io"
)

// Bytes is a file in memory. Open reads it in place, without copying.
type Bytes []byte

// ReadAt implements io.ReaderAt.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

const (
	wholeSize   = 64 << 10 // files up to this size are read at once
	windowSize  = 16 << 10
	windowCount = 8
)

// source reads a file through a few windows. What it returns is never
// overwritten: a window that gives way is left to the garbage collector.
type source struct {
	src   io.ReaderAt
	size  int64
	whole []byte // the file, where it is small or in memory already
	wins  []window
	turn  uint64
}

type window struct {
	off  int64
	b    []byte
	used uint64
}

func newSource(r io.ReaderAt, size int64) (source, error) {
	s := source{src: r, size: size}
	if b, ok := r.(Bytes); ok && int64(len(b)) >= size {
		s.whole = b[:size:size]
		return s, nil
	}
	if size <= wholeSize {
		s.whole = make([]byte, size)
		return s, s.read(s.whole, 0)
	}
	return s, nil
}

func (s *source) read(b []byte, off int64) error {
	n, err := s.src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %d: %w", len(b), off, err)
}

// at returns the bytes from off on, at least want of them unless the file ends
// before, and whether they reach the end of the file.
func (s *source) at(off int64, want int) (b []byte, last bool, err error) {
	if off < 0 || off >= s.size {
		return nil, true, nil
	}
	if s.whole != nil {
		return s.whole[off:], true, nil
	}
	s.turn++
	want = int(min(int64(want), s.size-off))
	oldest := 0
	for i := range s.wins {
		w := &s.wins[i]
		if from := off - w.off; from >= 0 && int64(len(w.b))-from >= int64(want) {
			w.used = s.turn
			return w.b[from:], w.off+int64(len(w.b)) == s.size, nil
		}
		if w.used < s.wins[oldest].used {
			oldest = i
		}
	}
	// Some bytes before off come along: offsets that are a little wrong, and
	// neighbours that are asked for next.
	start := max(0, off-256)
	b = make([]byte, min(s.size-start, max(windowSize, off-start+int64(want))))
	if err := s.read(b, start); err != nil {
		return nil, false, err
	}
	w := window{start, b, s.turn}
	switch {
	case len(b) > 4*windowSize: // too big to be kept
	case len(s.wins) < windowCount:
		s.wins = append(s.wins, w)
	default:
		s.wins[oldest] = w
	}
	return b[off-start:], start+int64(len(b)) == s.size, nil
}

// bytes returns exactly the n bytes at off, in place where a window holds them.
func (s *source) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.size || n > s.size-off {
		return nil, fmt.Errorf("read %d bytes at %d of %d: %w", n, off, s.size, io.ErrUnexpectedEOF)
	}
	if n > 4*windowSize && s.whole == nil {
		b := make([]byte, n)
		return b, s.read(b, off)
	}
	b, _, err := s.at(off, int(n))
	if err != nil {
		return nil, err
	}
	return b[:n:n], nil
}
