// Package blob stores files that the database only points to: sealed scans and
// documents. Disk and S3 keep one contract, and blobtest checks it on both.
package blob

import (
	"context"
	"errors"
	"fmt"

	"absah/internal/ident"
)

// MaxBytes is the size that a blob may have at most.
const MaxBytes = 64 << 20

var (
	// ErrExists says that a blob of that id is stored already.
	ErrExists = errors.New("a blob of that id exists already")
	// ErrNotFound says that no blob of that id is stored.
	ErrNotFound = errors.New("no such blob")
	// ErrID says that an id is not one of package ident.
	ErrID = errors.New("not an identifier")
	// ErrTooLarge says that a blob is larger than MaxBytes.
	ErrTooLarge = errors.New("the blob is too large")
	// ErrEmpty says that a blob has no bytes.
	ErrEmpty = errors.New("the blob is empty")
)

// Usage is what a store holds.
type Usage struct {
	Files int64
	Bytes int64
}

// Store keeps blobs by id. Every method is safe for concurrent use, also by
// several processes on the same directory or bucket.
//
// The contract:
//   - ids have the form of package ident; others fail with ErrID, so that no id
//     ever names a path;
//   - a blob has 1 to MaxBytes bytes, else ErrEmpty or ErrTooLarge (not every
//     S3 server takes an empty object);
//   - a blob is whole or absent: a reader never sees a part of it, whatever
//     crashes, and when Put has returned nil it survives a power cut;
//   - a blob never changes: Put of an id that exists fails with ErrExists and
//     leaves the stored bytes alone, and of several concurrent Puts of one id
//     exactly one succeeds;
//   - Get returns the bytes of Put, or ErrNotFound;
//   - Delete of an absent blob succeeds, so that erasing can be repeated;
//   - List names every blob that is there from before it begins until after it
//     ends, once; others may or may not be named;
//   - Usage counts whole blobs; it may walk over all of them;
//   - Check writes, reads and deletes a blob of its own, and tells what fails.
type Store interface {
	Put(ctx context.Context, id string, b []byte) error
	Get(ctx context.Context, id string) ([]byte, error)
	Delete(ctx context.Context, id string) error
	Usage(ctx context.Context) (Usage, error)
	List(ctx context.Context, each func(id string, size int64) error) error
	Check(ctx context.Context) error
}

// usage is Usage for any Store.
func usage(ctx context.Context, s Store) (u Usage, err error) {
	err = s.List(ctx, func(_ string, size int64) error {
		u.Files++
		u.Bytes += size
		return nil
	})
	if err != nil {
		return Usage{}, fmt.Errorf("measure blob store: %w", err)
	}
	return u, nil
}

func validID(id string) error {
	if !ident.Valid(id) {
		return ErrID // the id is not repeated: it may be anything
	}
	return nil
}

func validSize(size int) error {
	switch {
	case size == 0:
		return ErrEmpty
	case size > MaxBytes:
		return ErrTooLarge
	}
	return nil
}

// check is Check for any Store.
func check(ctx context.Context, s Store) error {
	id := ident.New()
	want := "absah checks its blob store"
	if err := s.Put(ctx, id, []byte(want)); err != nil {
		return fmt.Errorf("write a test blob: %w", err)
	}
	got, err := s.Get(ctx, id)
	if err == nil && string(got) != want {
		err = errors.New("it is not what was written")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("read the test blob: %w", err), s.Delete(ctx, id))
	}
	if err := s.Delete(ctx, id); err != nil {
		return fmt.Errorf("delete the test blob: %w", err)
	}
	return nil
}
