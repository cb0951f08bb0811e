package keys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"absah/internal/keys/hidden"
)

// maxFile is more than any key takes.
const maxFile = 64 << 10

// content gives the plain content of a file of the vault to use, within
// hidden.Do, and clears it afterwards.
func (v *File) content(file string, use func(b []byte) error) (err error) {
	hidden.Do(func() {
		var b []byte
		if b, err = readPrivate(filepath.Join(v.dir, file)); err != nil {
			return
		}
		defer clear(b)
		var plain []byte
		if plain, err = v.seal.open(file, b); err != nil {
			err = fmt.Errorf("%s: %w", file, err)
			return
		}
		defer clear(plain)
		err = use(plain)
	})
	return err
}

// write makes a file of the vault. It fails with fs.ErrExist.
func (v *File) write(file string, plain []byte) error {
	b, err := v.seal.seal(file, plain)
	if err != nil {
		return err
	}
	return writeNew(filepath.Join(v.dir, file), b)
}

// readPrivate reads a file that only its owner may read. It follows links:
// container platforms mount secrets as such.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrPermission)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes are no key", path, info.Size())
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// writeNew writes a file that must not exist and makes it durable: the bytes
// first, then the name, so that after a power cut the file is whole or absent.
func writeNew(path string, b []byte) error {
	// Link fails when the name exists; rename would overwrite a key.
	return put(path, b, os.Link)
}

// replace writes a file in the place of another, in the same way.
func replace(path string, b []byte) error { return put(path, b, os.Rename) }

func put(path string, b []byte, name func(from, to string) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails after success: it has another name by then
	if _, err := tmp.Write(b); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := name(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
