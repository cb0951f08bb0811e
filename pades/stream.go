package pades

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"absah/pdf"
)

const (
	blockSize = 128 << 10
	blocks    = 4
	// overlapFrom is the size from which hashing and copying on two cores is
	// worth a goroutine.
	overlapFrom = 2 << 20
)

var blockPool = sync.Pool{New: func() any { b := make([]byte, blockSize); return &b }}

// ErrShortInput tells that the input ended before its stated size.
var ErrShortInput = errors.New("the input is shorter than its stated size")

// copyHash reads the size bytes of in once, through h and, if out is not nil, to
// out. Large inputs are hashed on one core while they are copied on another.
func copyHash(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, h hash.Hash) error {
	if b, ok := in.(pdf.Bytes); ok && int64(len(b)) >= size {
		h.Write(b[:size])
		if out == nil {
			return nil
		}
		if _, err := out.Write(b[:size]); err != nil {
			return fmt.Errorf("write the signed file: %w", err)
		}
		return nil
	}
	if out == nil || size < overlapFrom {
		return copyInTurn(ctx, in, size, out, h)
	}
	return copyOverlapped(ctx, in, size, out, h)
}

func copyInTurn(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, h hash.Hash) error {
	block, _ := blockPool.Get().(*[]byte)
	defer blockPool.Put(block)
	for at := int64(0); at < size; {
		b, err := readBlock(ctx, in, at, size, *block)
		if err != nil {
			return err
		}
		h.Write(b)
		if out != nil {
			if _, err := out.Write(b); err != nil {
				return fmt.Errorf("write the signed file: %w", err)
			}
		}
		at += int64(len(b))
	}
	return nil
}

func readBlock(ctx context.Context, in io.ReaderAt, at, size int64, block []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b := block[:min(int64(len(block)), size-at)]
	n, err := in.ReadAt(b, at)
	if n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			err = ErrShortInput
		}
		return nil, fmt.Errorf("read the input at %d: %w", at, err)
	}
	return b, nil
}

// copyOverlapped lets one goroutine hash what this one reads and writes.
func copyOverlapped(ctx context.Context, in io.ReaderAt, size int64, out io.Writer, h hash.Hash) error {
	full := make(chan []byte, blocks)
	free := make(chan []byte, blocks)
	var taken [blocks]*[]byte
	for i := range taken {
		taken[i], _ = blockPool.Get().(*[]byte)
		free <- *taken[i]
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := range full {
			h.Write(b)
			free <- b[:cap(b)]
		}
	}()
	defer func() {
		close(full)
		<-done
		for _, b := range taken {
			blockPool.Put(b)
		}
	}()
	for at := int64(0); at < size; {
		b, err := readBlock(ctx, in, at, size, <-free)
		if err != nil {
			return err
		}
		full <- b
		if _, err := out.Write(b); err != nil {
			return fmt.Errorf("write the signed file: %w", err)
		}
		at += int64(len(b))
	}
	return nil
}

// joined is a file followed by what was appended to it.
type joined struct {
	base io.ReaderAt
	size int64
	tail []byte
}

// ReadAt implements io.ReaderAt.
func (j *joined) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < j.size {
		part := p[:min(int64(len(p)), j.size-off)]
		m, err := j.base.ReadAt(part, off)
		n = m
		if m < len(part) {
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
	}
	if n < len(p) {
		from := off + int64(n) - j.size
		if from > int64(len(j.tail)) {
			return n, io.EOF
		}
		n += copy(p[n:], j.tail[from:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
