package direct

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errNotRegular means that a name is that of a directory, a pipe or a device.
var errNotRegular = errors.New("not a regular file")

// openRegular opens a document. It looks before it opens: opening a pipe waits
// for whoever writes into it, and opening a device may do things. A document is
// read in several places, its end first, which only a file allows.
func openRegular(name string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, errNotRegular)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
