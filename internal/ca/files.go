package ca

import (
	"errors"
	"io/fs"
	"os"

	"absah/internal/durable"
)

// fileMode is that of the authority's files: certificates and CRLs are for
// everybody.
const fileMode = 0o644

// keepFirst writes a file unless it exists, and returns what the file holds
// then: of two processes that try at once both get the bytes of the first.
func keepFirst(path string, b []byte) ([]byte, error) {
	err := durable.Create(path, b, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return b, err
}
