package apptest

import (
	"context"
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
	row := credential.Sealed{KeyID: kid, Owner: owner, Generation: 1, Alg: alg, Box: box(kid, secret)}
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
	return row, nil
}

func box(kid string, secret *passphrase.Secret) []byte {
	sum := sha256.Sum256(append([]byte(kid), secret.Bytes()...))
	return sum[:]
}

// Rewrap fails with credential.ErrWrongPassphrase when old is wrong.
func (QuickKeys) Rewrap(_ context.Context, row credential.Sealed, old, fresh *passphrase.Secret) (credential.Sealed, error) {
	if string(row.Box) != string(box(row.KeyID, old)) {
		return row, credential.ErrWrongPassphrase
	}
	row.Box, row.Generation = box(row.KeyID, fresh), row.Generation+1
	return row, nil
}

// Erase forgets the key.
func (QuickKeys) Erase(_ context.Context, row credential.Sealed) (credential.Sealed, error) {
	row.Box = nil
	return row, nil
}
