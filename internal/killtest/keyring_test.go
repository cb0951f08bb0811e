package killtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"

	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/passphrase"
)

// keyring is the sealer of the driver. It writes every test of a passphrase
// down before the test begins, and spares those people the derivation whose
// journeys are not about it: at 150 ms each few kills would fall elsewhere.
type keyring struct {
	real    *credential.Sealer
	slow    map[string]bool // owners whose keys the real sealer keeps
	journal *journal
	clock   clock.Clock
}

func (k *keyring) Create(ctx context.Context, kid, owner string, request *x509.CertificateRequest, alg keys.Algorithm, secret *passphrase.Secret) (credential.Sealed, error) {
	if k.slow[owner] {
		return k.real.Create(ctx, kid, owner, request, alg, secret)
	}
	row := credential.Sealed{KeyID: kid, Owner: owner, Generation: 1, Alg: alg, Box: quickBox(kid, secret)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return row, err
	}
	if row.SPKI, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return row, err
	}
	row.CSR, err = x509.CreateCertificateRequest(rand.Reader, request, key)
	return row, err
}

func quickBox(kid string, secret *passphrase.Secret) []byte {
	sum := sha256.Sum256(append([]byte(kid), secret.Bytes()...))
	return sum[:]
}

func (k *keyring) Rewrap(ctx context.Context, row credential.Sealed, old, fresh *passphrase.Secret) (credential.Sealed, error) {
	right := string(old.Bytes()) == passphraseOf(row.Generation)
	k.journal.write(entry{Kind: guessed, Employee: row.Owner, Key: row.KeyID, Right: right, At: clock.Micros(k.clock())})
	if k.slow[row.Owner] {
		next, err := k.real.Rewrap(ctx, row, old, fresh)
		if errors.Is(err, credential.ErrNotEvaluated) {
			k.journal.write(entry{Kind: untested, Employee: row.Owner, Key: row.KeyID})
		}
		return next, err
	}
	if string(row.Box) != string(quickBox(row.KeyID, old)) {
		return row, credential.ErrWrongPassphrase
	}
	row.Box, row.Generation = quickBox(row.KeyID, fresh), row.Generation+1
	return row, nil
}

func (k *keyring) Erase(ctx context.Context, row credential.Sealed) (credential.Sealed, error) {
	if k.slow[row.Owner] {
		return k.real.Erase(ctx, row)
	}
	row.Box = nil
	return row, nil
}
