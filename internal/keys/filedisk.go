package keys

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"absah/internal/durable"
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
	return durable.Create(filepath.Join(v.dir, file), b, fileMode)
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
