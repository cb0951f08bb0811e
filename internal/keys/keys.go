// Package keys keeps the secrets of the installation behind one interface:
// the pepper of the passphrases, the key-encryption keys (KEK) of scans and
// personal data, and the signing keys of the certification authority.
//
// The software vault of this package keeps them in files that only the service
// reads. A PKCS#11 token fills the same interface; nothing above this package
// knows which one it talks to.
package keys

import (
	"context"
	"crypto"
	"errors"
)

// Name names a secret of the vault, for example "pepper" or "ca-root". It is
// made of lower-case letters, digits and hyphens.
type Name string

// The secrets that every installation has.
const (
	// Pepper is the MAC key of the passphrase derivation.
	Pepper Name = "pepper"
	// Data is the KEK of personal data in the database.
	Data Name = "data"
	// Scans is the KEK of the keys of uploaded scans, one key a file.
	Scans Name = "scans"
	// Index is the MAC key of look-ups by personal data (the NIK).
	Index Name = "index"
	// Attempts is the MAC key over the rows that count wrong passphrases.
	Attempts Name = "attempts"
)

// Algorithm names the kind of a signing key.
type Algorithm string

// The algorithms of signing keys.
const (
	ECDSAP256 Algorithm = "ecdsa-p256"
	ECDSAP384 Algorithm = "ecdsa-p384"
	RSA3072   Algorithm = "rsa-3072"
	Ed25519   Algorithm = "ed25519" // of signed checkpoints of the log
)

var (
	// ErrNoKey says that the vault has no key of that name or version.
	ErrNoKey = errors.New("no such key in the vault")
	// ErrExists says that the vault has a key of that name already.
	ErrExists = errors.New("the vault has a key of that name already")
	// ErrOpen says that sealed bytes are not what this vault sealed for this
	// context: another key, another associated data, or altered bytes.
	ErrOpen = errors.New("sealed bytes do not open")
)

// Vault is what an installation asks of its key store. Every method is safe
// for concurrent use. Secrets never leave the vault; only their results do.
type Vault interface {
	// MAC returns HMAC-SHA-256 (32 bytes) of data under version v of the
	// secret, and the version used. v = 0 asks for the newest version.
	MAC(ctx context.Context, name Name, v int, data []byte) (mac []byte, version int, err error)

	// Seal encrypts plain with AES-256-GCM under the newest version of the
	// KEK and binds it to aad. The result names its version.
	Seal(ctx context.Context, name Name, plain, aad []byte) ([]byte, error)

	// Open is the inverse of Seal. It fails with ErrOpen or ErrNoKey.
	Open(ctx context.Context, name Name, sealed, aad []byte) ([]byte, error)

	// CreateSigner makes a signing key. It fails with ErrExists.
	CreateSigner(ctx context.Context, name Name, alg Algorithm) (crypto.Signer, error)

	// Signer returns the signing key of that name. It fails with ErrNoKey.
	Signer(ctx context.Context, name Name) (crypto.Signer, error)
}
