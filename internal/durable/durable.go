// Package durable writes files that survive a power cut: a file is there whole,
// under its name, or as it was before.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Temporary begins the names of files that are being written. A crash leaves them,
// with some or all of the bytes.
const Temporary = ".new-"

// Create writes a file that must not exist yet; where it does, the error is
// fs.ErrExist and the file stays as it is, also when two processes try at once.
// On the way its bytes are in the same directory in a file whose name begins with
// Temporary.
func Create(path string, b []byte, mode fs.FileMode) error {
	return write(path, b, mode, os.Link) // Link fails when the name exists; Rename would overwrite
}

// Replace writes a file in the place of an older one, or of none, as Create does.
func Replace(path string, b []byte, mode fs.FileMode) error {
	return write(path, b, mode, os.Rename)
}

// write makes the bytes durable first and then the name.
func write(path string, b []byte, mode fs.FileMode, name func(from, to string) error) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, Temporary+"*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails after a rename: it has another name by then
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(mode)
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
	return SyncDir(dir)
}

// SyncDir makes the names in a directory durable: those that were added, and
// that others are gone.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
