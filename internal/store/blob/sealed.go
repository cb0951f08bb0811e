package blob

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"absah/internal/keys"
)

var (
	// ErrAltered says that a blob or its key does not open: altered bytes,
	// another owner or kind, the key of another blob, or another vault.
	ErrAltered = errors.New("the blob does not open")
	// ErrErased says that the key of a blob was forgotten.
	ErrErased = errors.New("the blob was erased")
)

// sealedVersion is the first byte of a sealed blob.
const sealedVersion = 1

// Meta binds a sealed blob to its place: it opens only for the same three.
type Meta struct {
	ID    string // the blob's own, of package ident
	Owner string // whose it is, for example the employee's id
	Kind  string // what it is, for example "id_card"
}

// Context is the associated data of m, to which its key is bound: every field after its length, so that no
// two Metas give the same bytes.
func (m Meta) Context() []byte {
	b := []byte("absah/blob\x00")
	for _, f := range []string{m.ID, m.Owner, m.Kind} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// Sealed keeps files in Store, each encrypted with a key of its own (DEK,
// AES-256-GCM) that Vault wraps. Whoever has the bytes of the store reads
// nothing; whoever forgets the wrapped DEK has erased the file, also from
// backups of the store.
type Sealed struct {
	Store Store
	Vault keys.Vault
}

// Put seals plain and stores it. The caller keeps wrappedDEK beside m; without
// it the file cannot be read. It fails like Store.Put and Vault.Seal.
func (s Sealed) Put(ctx context.Context, m Meta, plain []byte) (wrappedDEK []byte, err error) {
	if err := errors.Join(validID(m.ID), validSize(len(plain))); err != nil {
		return nil, fmt.Errorf("seal blob: %w", err)
	}
	dek := make([]byte, 32)
	rand.Read(dek) // never fails
	defer clear(dek)
	aead, err := newAEAD(dek)
	if err != nil {
		return nil, fmt.Errorf("seal blob: %w", err)
	}
	wrappedDEK, err = s.Vault.Seal(ctx, keys.Scans, dek, m.Context())
	if err != nil {
		return nil, fmt.Errorf("wrap the key of a blob: %w", err)
	}
	sealed := make([]byte, 1, 1+len(plain)+aead.Overhead())
	sealed[0] = sealedVersion
	if err := s.Store.Put(ctx, m.ID, aead.Seal(sealed, nil, plain, m.Context())); err != nil {
		return nil, err
	}
	return wrappedDEK, nil
}

// Get returns what Put was given. It fails with ErrErased when wrappedDEK is
// empty, with ErrAltered when bytes or m are not those of Put, and like
// Store.Get and Vault.Open.
func (s Sealed) Get(ctx context.Context, m Meta, wrappedDEK []byte) ([]byte, error) {
	if len(wrappedDEK) == 0 {
		return nil, fmt.Errorf("open blob: %w", ErrErased)
	}
	sealed, err := s.Store.Get(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	dek, err := s.Vault.Open(ctx, keys.Scans, wrappedDEK, m.Context())
	if errors.Is(err, keys.ErrOpen) {
		return nil, fmt.Errorf("unwrap the key of blob %s: %w: %w", m.ID, ErrAltered, err)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrap the key of blob %s: %w", m.ID, err)
	}
	defer clear(dek)
	aead, err := newAEAD(dek)
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w: %w", m.ID, ErrAltered, err)
	}
	if len(sealed) == 0 || sealed[0] != sealedVersion {
		return nil, fmt.Errorf("open blob %s: %w", m.ID, ErrAltered)
	}
	plain, err := aead.Open(nil, nil, sealed[1:], m.Context())
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", m.ID, ErrAltered)
	}
	return plain, nil
}

// Delete removes the bytes. To erase for good, forget the wrapped DEK too.
func (s Sealed) Delete(ctx context.Context, m Meta) error { return s.Store.Delete(ctx, m.ID) }

func newAEAD(dek []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(dek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
