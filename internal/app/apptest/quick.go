package apptest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/passphrase"
)

// QuickKeys makes real keys and requests and seals them with nothing: for tests
// that are about all the rest, and where the derivation of 150 ms would hide it.
// It implements enrolment.Keys.
type QuickKeys struct{}

// Create makes a P-256 key and its certificate request.
func (QuickKeys) Create(_ context.Context, kid, owner string, request *x509.CertificateRequest, alg keys.Algorithm, secret *passphrase.Secret) (credential.Sealed, error) {
	row := credential.Sealed{KeyID: kid, Owner: owner, Generation: 1, Alg: alg}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return row, fmt.Errorf("make key: %w", err)
	}
	if row.SPKI, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return row, fmt.Errorf("make key: %w", err)
	}
	if row.CSR, err = x509.CreateCertificateRequest(rand.Reader, request, key); err != nil {
		return row, fmt.Errorf("make request: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return row, fmt.Errorf("make key: %w", err)
	}
	row.Box = append(box(kid, secret), der...)
	return row, nil
}

func box(kid string, secret *passphrase.Secret) []byte {
	sum := sha256.Sum256(append([]byte(kid), secret.Bytes()...))
	return sum[:]
}

// Open fails with credential.ErrWrongPassphrase when the passphrase is wrong.
func (QuickKeys) Open(_ context.Context, row credential.Sealed, secret *passphrase.Secret) (crypto.Signer, error) {
	if len(row.Box) < sha256.Size || string(row.Box[:sha256.Size]) != string(box(row.KeyID, secret)) {
		return nil, credential.ErrWrongPassphrase
	}
	key, err := x509.ParsePKCS8PrivateKey(row.Box[sha256.Size:])
	if err != nil {
		return nil, fmt.Errorf("open key: %w", err)
	}
	return key.(crypto.Signer), nil
}

// Rewrap fails with credential.ErrWrongPassphrase when old is wrong.
func (QuickKeys) Rewrap(_ context.Context, row credential.Sealed, old, fresh *passphrase.Secret) (credential.Sealed, error) {
	if len(row.Box) < sha256.Size || string(row.Box[:sha256.Size]) != string(box(row.KeyID, old)) {
		return row, credential.ErrWrongPassphrase
	}
	row.Box, row.Generation = append(box(row.KeyID, fresh), row.Box[sha256.Size:]...), row.Generation+1
	return row, nil
}

// Erase forgets the key.
func (QuickKeys) Erase(_ context.Context, row credential.Sealed) (credential.Sealed, error) {
	row.Box = nil
	return row, nil
}
