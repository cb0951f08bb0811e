package ca

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// writeNew writes a file that must not exist yet (fs.ErrExist) and makes it
// durable: first the bytes, then the name, so that after a power cut the file
// is whole or absent.
func writeNew(path string, b []byte) error {
	return writeDurable(path, b, os.Link) // Link fails when the name exists
}

// replace writes a file in place of an older one, whole or not at all.
func replace(path string, b []byte) error { return writeDurable(path, b, os.Rename) }

func writeDurable(path string, b []byte, name func(from, to string) error) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // after a rename it is gone already
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(0o644) // certificates and CRLs are for everybody
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := name(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// keepFirst writes a file unless it exists, and returns what the file holds
// then: of two processes that try at once both get the bytes of the first.
func keepFirst(path string, b []byte) ([]byte, error) {
	err := writeNew(path, b)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return b, err
}
