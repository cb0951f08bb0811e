package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// SignHashes signs hashes of the activation and returns their values in the same
// order: all of them or none. Each hash is signed once; who asks again, under
// this activation or another one of the same key, gets the value that was made.
// pss chooses RSASSA-PSS for an RSA key.
//
// Errors: ErrActivation, ErrNotAuthorised, ErrDigest, ErrInProgress, ErrLost,
// ErrInterrupted, and those of the certificate (*RevokedError ...).
func (a *Activation) SignHashes(ctx context.Context, hashes [][]byte, pss bool) ([][]byte, error) {
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.making.Done()
	a.mu.Lock() // two requests for one hash: the second finds the value
	defer a.mu.Unlock()
	uses := make([]*use, 0, len(hashes))
	seen := map[string]*use{}
	out := make([]*use, len(hashes))
	for i, h := range hashes {
		position, ok := a.hashes[string(h)]
		if !ok {
			return nil, ErrNotAuthorised
		}
		u := seen[string(h)]
		if u == nil {
			u = a.newUse(position, pss)
			seen[string(h)] = u
			uses = append(uses, u)
		}
		out[i] = u
	}
	if err := a.signUses(ctx, uses); err != nil {
		return nil, err
	}
	values := make([][]byte, len(out))
	for i, u := range out {
		values[i] = u.value
	}
	return values, nil
}

// use is one hash on its way.
type use struct {
	position int
	id       string // of the signature; empty when the value was found
	hash     []byte
	scheme   string
	opts     crypto.SignerOpts
	value    []byte
}

func (a *Activation) newUse(position int, pss bool) *use {
	item := &a.items[position]
	u := &use{position: position, hash: item.Hash, opts: item.HashAlgorithm}
	if _, ok := a.Public().(*rsa.PublicKey); ok && pss {
		u.opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: item.HashAlgorithm}
	}
	u.scheme = schemeOf(a.Public(), u.opts)
	return u
}

func (a *Activation) signUses(ctx context.Context, uses []*use) error {
	s := a.service
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.now()
		if err := a.stands(ctx, tx.Queries, now); err != nil {
			return err
		}
		for _, u := range uses {
			if err := a.intendHash(ctx, tx, u, now); err != nil {
				return err
			}
		}
		return nil
	})
	if store.IsUnique(err) {
		return ErrInProgress // another activation, perhaps of another process, was faster by a moment
	}
	if err != nil {
		return err
	}
	for _, u := range uses {
		if u.value == nil {
			if u.value, err = a.use(u.hash, u.opts); err != nil {
				return err
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return a.hashesMade(ctx, tx, uses) })
}

// deterministic tells whether the same hash always gets the same value.
func (a *Activation) deterministic(scheme string) bool {
	if d, ok := a.key.(interface{ Deterministic() bool }); ok {
		return d.Deterministic() && scheme != schemePSS
	}
	_, software := a.key.(*ecdsa.PrivateKey)
	return scheme == schemePKCS1 || software
}

// intendHash writes the use of a hash down, or finds its value.
func (a *Activation) intendHash(ctx context.Context, tx *store.Tx, u *use, now time.Time) error {
	u.id, u.value = "", nil // f of InTx may run again
	old, err := tx.SignatureOfHash(ctx, db.SignatureOfHashParams{CredentialID: a.sub.credential.ID, Scheme: u.scheme, Hash: u.hash})
	switch {
	case store.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("look for an earlier signature: %w", err)
	case old.State == "made":
		u.value = old.Value
		return nil
	case old.State == "intended":
		return ErrInProgress
	case !a.deterministic(u.scheme):
		return ErrLost
	}
	n, err := tx.UseActivationItem(ctx, db.UseActivationItemParams{ActivationID: a.ID, Position: int64(u.position)})
	if err != nil {
		return fmt.Errorf("use the activation: %w", err)
	}
	if n != 1 {
		return ErrActivation
	}
	if old.ID != "" {
		u.id = old.ID
		n, err := tx.IntendSignatureAgain(ctx, db.IntendSignatureAgainParams{
			ActivationID: a.ID, Position: int64(u.position), Serial: a.sub.certificate.Serial, Now: clock.Micros(now),
			CredentialID: a.sub.credential.ID, Scheme: u.scheme, Hash: u.hash,
		})
		if err != nil {
			return fmt.Errorf("write down the use of the key again: %w", err)
		}
		if n != 1 {
			return ErrInProgress // as above
		}
		return nil
	}
	u.id = ident.From(a.service.Random)
	err = tx.IntendSignature(ctx, db.IntendSignatureParams{
		ID: u.id, ActivationID: a.ID, Position: int64(u.position), CredentialID: a.sub.credential.ID, Serial: a.sub.certificate.Serial,
		Scheme: u.scheme, Hash: u.hash, IntendedAt: clock.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("write down the use of the key: %w", err)
	}
	return nil
}

func (a *Activation) hashesMade(ctx context.Context, tx *store.Tx, uses []*use) error {
	s := a.service
	now, made := s.now(), 0
	for _, u := range uses {
		if u.id != "" {
			n, err := tx.MakeSignature(ctx, db.MakeSignatureParams{ID: u.id, Value: u.value, Now: clock.Micros(now)})
			if err != nil {
				return fmt.Errorf("write down a signature: %w", err)
			}
			if n != 1 {
				return ErrInterrupted
			}
			made++
		}
		_, err := tx.FinishActivationItem(ctx, db.FinishActivationItemParams{
			ActivationID: a.ID, Position: int64(u.position), State: "done", Now: clock.Micros(now),
		})
		if err != nil {
			return fmt.Errorf("write down the outcome: %w", err)
		}
	}
	if made == 0 {
		return nil
	}
	return audit.Record(ctx, tx, now, a.who, audit.Entry{
		Action: "hash.sign", ObjectKind: "activation", ObjectID: a.ID,
		Detail: map[string]string{
			"credential": a.sub.credential.ID, "serial": a.sub.certificate.Serial, "client": a.client, "signatures": fmt.Sprint(made),
		},
	})
}
