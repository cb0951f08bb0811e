// Package pkcs11 is the vault in a token: a hardware security module, or
// SoftHSM. No secret and no private key of it is ever in this program's memory.
//
// It needs the C library of the token, so it is part of builds with cgo and the
// tag pkcs11 only (make build-pkcs11). Other builds have Open, which fails with
// ErrNotBuilt.
package pkcs11

import "errors"

// Config names a token and how to log in.
type Config struct {
	Module     string // path of the token's library
	TokenLabel string
	PIN        []byte // of the user
	Sessions   int    // how many operations at once; 0: 8
	// Lock is a file that processes of one machine lock while they make a key.
	// Processes of several machines see each other in the token; SoftHSM2,
	// which is of one machine, does not show what others made at once.
	Lock string
}

var (
	// ErrNotBuilt says that this program was built without PKCS#11.
	ErrNotBuilt = errors.New("this program was built without PKCS#11 (use a build with the tag pkcs11: make build-pkcs11)")
	// ErrModule says that the token's library cannot be loaded.
	ErrModule = errors.New("the library of the token cannot be loaded")
	// ErrNoToken says that the library knows no token of that label. It comes
	// with keys.ErrUnavailable: the token may be back later.
	ErrNoToken = errors.New("no token of that label")
	// ErrPIN says that the token refuses the PIN, or has locked it. It is not
	// tried again: tokens lock after a few wrong ones.
	ErrPIN = errors.New("the token refuses the PIN")
	// ErrMechanism says that the token cannot do what Absah needs.
	ErrMechanism = errors.New("the token lacks a mechanism")
)
