//go:build !pkcs11 || !cgo

package pkcs11

import (
	"context"

	"absah/internal/keys"
)

// Built tells whether this program can talk to tokens.
const Built = false

// Open fails with ErrNotBuilt.
func Open(context.Context, Config) (keys.Keyring, error) { return nil, ErrNotBuilt }
