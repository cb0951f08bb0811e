package killtest

import (
	"context"
	"crypto"
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
	quick   *credential.Sealer
	slow    map[string]bool // owners whose keys the real sealer keeps
	journal *journal
	clock   clock.Clock
}

func (k *keyring) Create(ctx context.Context, kid, owner string, request *x509.CertificateRequest, alg keys.Algorithm, secret *passphrase.Secret) (credential.Sealed, error) {
	if k.slow[owner] {
		return k.real.Create(ctx, kid, owner, request, alg, secret)
	}
	return k.quick.Create(ctx, kid, owner, request, alg, secret)
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
	return k.quick.Rewrap(ctx, row, old, fresh)
}

func (k *keyring) Open(ctx context.Context, row credential.Sealed, secret *passphrase.Secret) (crypto.Signer, error) {
	right := string(secret.Bytes()) == passphraseOf(row.Generation)
	k.journal.write(entry{Kind: guessed, Employee: row.Owner, Key: row.KeyID, Right: right, At: clock.Micros(k.clock())})
	if k.slow[row.Owner] {
		return k.real.Open(ctx, row, secret)
	}
	return k.quick.Open(ctx, row, secret)
}

func (k *keyring) Erase(ctx context.Context, row credential.Sealed) (credential.Sealed, error) {
	if k.slow[row.Owner] {
		return k.real.Erase(ctx, row)
	}
	return k.quick.Erase(ctx, row)
}
