package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Use is what a key may do. No key does more than one thing.
type Use string

// The uses.
const (
	UseMAC     Use = "mac"     // HMAC-SHA-256
	UseEncrypt Use = "encrypt" // AES-256-GCM
	UseWrap    Use = "wrap"    // AES-256 key wrap with padding (RFC 5649), in tokens only
	UseSign    Use = "sign"
)

// Subscriber is the key under which a token gives subscribers' keys out and
// takes them in again. The software vault has none.
const Subscriber Name = "subscriber"

// UseOf tells what the secret of that name does, and whether there is such a
// name. Names of signing keys are free.
func UseOf(name Name) (Use, bool) {
	switch name {
	case Pepper, Index, Attempts:
		return UseMAC, true
	case Data, Scans:
		return UseEncrypt, true
	case Subscriber:
		return UseWrap, true
	}
	return "", false
}

// Secrets are the names of the secrets that every vault has.
func Secrets() []Name { return []Name{Pepper, Data, Scans, Index, Attempts} }

// ErrUse says that a key is not for what was asked of it.
var ErrUse = errors.New("the key is not for this use")

// ErrUnavailable says that the vault does not answer now and may do so later:
// a token that is gone, a module that failed. Nothing is wrong with what was
// asked.
var ErrUnavailable = errors.New("the vault does not answer")

// Keyring is a vault with what its operator does to it.
type Keyring interface {
	Vault

	// Create makes version 1 of a secret. It fails with ErrExists.
	Create(ctx context.Context, name Name) error

	// Rotate makes the next version of a secret that exists, and returns its
	// number. What older versions made stays usable. It fails with ErrNoKey.
	Rotate(ctx context.Context, name Name) (version int, err error)

	// List describes all keys, ordered by name.
	List(ctx context.Context) ([]Description, error)

	// Describe tells what is known of one key. It fails with ErrNoKey.
	Describe(ctx context.Context, name Name) (Description, error)

	// Check asks the vault for a sign of life. It fails with ErrUnavailable.
	Check(ctx context.Context) error

	// Close lets go of the vault.
	Close() error
}

// Description is what can be told about a key, for an operator and for the
// transcript of a ceremony. It holds nothing secret.
type Description struct {
	Name       Name      `json:"name"`
	Use        Use       `json:"use"`
	Algorithm  Algorithm `json:"algorithm"`
	Versions   []int     `json:"versions,omitempty"`   // of a secret, ascending
	PublicKey  []byte    `json:"public_key,omitempty"` // DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7) of a signing key
	Digest     string    `json:"digest,omitempty"`     // SHA-256 of it in hexadecimal
	Vault      string    `json:"vault"`                // file, pkcs11
	Where      string    `json:"where"`                // the directory; the token's label, serial number and model
	Protection []string  `json:"protection"`           // what keeps it: "encrypted", "sensitive", "never extractable", "made in the token"
}

// The algorithms of secrets.
const (
	HMACSHA256 Algorithm = "hmac-sha256"
	AES256GCM  Algorithm = "aes-256-gcm"
	AES256KWP  Algorithm = "aes-256-kwp"
)

// Algorithm is the algorithm of secrets of that use.
func (u Use) Algorithm() Algorithm {
	switch u {
	case UseMAC:
		return HMACSHA256
	case UseEncrypt:
		return AES256GCM
	case UseWrap:
		return AES256KWP
	}
	return ""
}

// DescribePublic fills in what follows from the public key.
func (d *Description) DescribePublic(pub crypto.PublicKey) error {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return fmt.Errorf("describe key %s: %w", d.Name, err)
	}
	sum := sha256.Sum256(der)
	d.Use, d.Algorithm, d.PublicKey, d.Digest = UseSign, algorithmOf(pub), der, hex.EncodeToString(sum[:])
	return nil
}

func algorithmOf(pub crypto.PublicKey) Algorithm {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return ECDSAP256
		case elliptic.P384():
			return ECDSAP384
		}
	case ed25519.PublicKey:
		return Ed25519
	case *rsa.PublicKey:
		return Algorithm(fmt.Sprintf("rsa-%d", k.N.BitLen()))
	}
	return ""
}

// PrivateKey is a private key that is at hand for a moment. Close ends that.
type PrivateKey interface {
	crypto.Signer
	io.Closer
}

// Wrapper is a vault that makes and uses private keys which others keep,
// wrapped by its key Subscriber. They are never outside the vault but so.
type Wrapper interface {
	// MakeKey makes a key and gives it out wrapped.
	MakeKey(ctx context.Context, alg Algorithm) (key PrivateKey, wrapped []byte, err error)

	// UseKey takes a key in again. It fails with ErrOpen when wrapped was
	// altered, and with ErrNoKey without the version that wrapped it.
	UseKey(ctx context.Context, wrapped []byte, pub crypto.PublicKey) (PrivateKey, error)

	// Rewrap wraps a key by the newest version. It gives nil when that is so
	// already. It fails as UseKey does.
	Rewrap(ctx context.Context, wrapped []byte, pub crypto.PublicKey) ([]byte, error)
}
