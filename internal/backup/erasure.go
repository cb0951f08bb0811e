package backup

import (
	"bufio"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"absah/internal/store"
)

// erasureAEAD encrypts values that can be erased: AES-256-GCM with a random nonce
// before them.
func erasureAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// erasureContext binds a value to its place.
func erasureContext(e store.Erasable, object string) []byte {
	return fmt.Appendf(nil, "absah/erasure\x00%s\x00%s\x00%s", e.Table, e.Column, object)
}

// rows gives each the rows of a table, with what can be erased encrypted.
func (src Source) rows(ctx context.Context, snap store.Snapshot, erasable []store.Erasable, t store.Table, each func([]any) error) error {
	var columns []store.Erasable
	var at, object []int // of each, the places of its value and of the name of its thing
	place := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c store.Column) bool { return c.Name == name })
	}
	for _, e := range erasable {
		if e.Table == t.Name {
			columns, at, object = append(columns, e), append(at, place(e.Column)), append(object, place(e.Object))
		}
	}
	if len(columns) == 0 {
		return snap.Rows(ctx, t, each)
	}
	return snap.ErasableRows(ctx, t, columns, func(values []any, secrets [][]byte) error {
		for i, e := range columns {
			plain, ok := values[at[i]].([]byte)
			id, named := values[object[i]].(string)
			if !ok || !named {
				return fmt.Errorf("read %s.%s: %w", e.Table, e.Column, store.ErrColumn)
			}
			sealed, err := src.seal(ctx, e, id, plain, secrets[i])
			if err != nil {
				return fmt.Errorf("encrypt %s.%s of %s: %w", e.Table, e.Column, id, err)
			}
			values[at[i]] = sealed
		}
		return each(values)
	})
}

// seal encrypts a value. What came after the keys were given gets one now; what
// was erased meanwhile is left out.
func (src Source) seal(ctx context.Context, e store.Erasable, object string, plain, secret []byte) ([]byte, error) {
	if len(plain) == 0 {
		return plain, nil
	}
	for try := 0; secret == nil; try++ {
		var err error
		if secret, err = src.Store.ErasureKey(ctx, e.Kind, object); err != nil {
			return nil, err
		}
		if secret == nil && try > 0 {
			return []byte{}, nil
		}
		if secret == nil {
			if err := src.Store.GiveErasureKeys(ctx); err != nil {
				return nil, err
			}
		}
	}
	aead, err := erasureAEAD(secret)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, erasureContext(e, object)), nil
}

// ownerMark begins the second line of a file of erasure keys, which goes on with
// Header.First in hexadecimal digits.
const ownerMark = "of the installation "

// ErasureOwner tells whether a file holds erasure keys, and Header.First of the
// installation that wrote them: nil when the record was empty or the file does not
// say. It fails with ErrDamaged.
func ErasureOwner(file io.Reader) (first []byte, ours bool, err error) {
	return readOwner(bufio.NewReader(file))
}

// readOwner reads the first lines of a file of erasure keys, and nothing of another
// file.
func readOwner(in *bufio.Reader) (first []byte, ours bool, err error) {
	if b, err := in.Peek(len(ErasureMark)); err != nil || string(b) != ErasureMark {
		return nil, false, nil //nolint:nilerr // what is shorter is another file; whoever reads on meets the error again
	}
	_, _ = in.Discard(len(ErasureMark)) // they are there
	if b, err := in.Peek(len(ownerMark)); err != nil || string(b) != ownerMark {
		return nil, true, nil //nolint:nilerr // as above
	}
	line, err := in.ReadSlice('\n')
	if err == nil {
		first, err = hex.DecodeString(string(line[len(ownerMark) : len(line)-1]))
	}
	if err != nil {
		return nil, true, fmt.Errorf("read erasure keys: %w: %w", ErrDamaged, err)
	}
	return first, true, nil
}

// erasureKeys writes the file of erasure keys, as they are now. h is the header
// of the archive.
func (src Source) erasureKeys(ctx context.Context, h Header, o Output) (n int64, err error) {
	if _, err := fmt.Fprintf(o.To, "%s%s%x\n", ErasureMark, ownerMark, h.First); err != nil {
		return 0, fmt.Errorf("write erasure keys: %w", err)
	}
	h.Parts, h.Erasable = o.Parts, nil
	err = src.Store.Snapshot(ctx, func(snap store.Snapshot) error {
		all, err := snap.Tables(ctx)
		if err != nil {
			return err
		}
		h.Tables = slices.DeleteFunc(all, func(t store.Table) bool { return t.Name != store.TableErasureKeys })
		w, err := newWriter(o.To, h, o.Recipients)
		if err != nil {
			return err
		}
		for _, table := range h.Tables {
			t := &tableWriter{w: w, table: table.Name}
			if err := errors.Join(snap.Rows(ctx, table, t.row), t.flush()); err != nil {
				return err
			}
		}
		n = w.end.Rows[store.TableErasureKeys]
		return w.finish()
	})
	return n, err
}

// checkErasure looks whether erasure keys, if any, belong to what is restored.
func (t Target) checkErasure(data Header, keys *reader) error {
	known := store.Erasables()
	for _, e := range data.Erasable {
		if !slices.Contains(known, e) {
			return fmt.Errorf("restore: %s.%s can be erased: %w", e.Table, e.Column, ErrVersion)
		}
	}
	switch {
	case len(data.Erasable) == 0: // of version 1: nothing is encrypted with them
		return nil
	case keys == nil && !t.WithoutErasureKeys:
		return fmt.Errorf("restore: %w", ErrErasureKeys)
	case keys != nil && string(keys.First) != string(data.First):
		return fmt.Errorf("restore: %w", ErrForeign)
	}
	return nil
}

// erasure loads the erasure keys.
func (t Target) erasure(ctx context.Context, keys *reader, l *store.Loader) error {
	for _, table := range keys.Tables {
		if table.Name != store.TableErasureKeys {
			return fmt.Errorf("%w: erasure keys with a table %s", ErrDamaged, table.Name)
		}
		if err := keys.table(ctx, l, table); err != nil {
			return err
		}
	}
	if keys.next != nil {
		return fmt.Errorf("%w: %s among erasure keys", ErrDamaged, keys.next.Name)
	}
	return nil
}

// open decrypts what can be erased and was not. It counts what cannot be opened
// in lost, by kind.
func (t Target) open(ctx context.Context, columns []store.Erasable, l *store.Loader, lost map[string]int64) error {
	for _, e := range columns {
		err := l.Open(ctx, e, func(v store.ErasedValue) ([]byte, error) {
			if v.Secret == nil {
				return nil, nil
			}
			aead, err := erasureAEAD(v.Secret)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			plain, err := aead.Open(nil, nil, v.Value, erasureContext(e, v.Object))
			if err != nil {
				return nil, fmt.Errorf("%w: its erasure key does not open it", ErrDamaged)
			}
			return plain, nil
		}, func(object string) error {
			lost[e.Kind]++
			if t.Lost == nil {
				return nil
			}
			return t.Lost(e.Kind, object)
		})
		if err != nil {
			return err
		}
	}
	return l.DropSpareErasureKeys(ctx)
}
