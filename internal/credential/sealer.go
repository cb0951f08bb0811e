package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"absah/internal/keys"
	"absah/internal/keys/hidden"
	"absah/internal/passphrase"
)

// Sealer makes subscribers' keys and opens them with their passphrases. It is
// safe for concurrent use.
type Sealer struct {
	vault   keys.Vault
	token   keys.Wrapper // nil: keys are made and used in this process
	slots   *Slots
	pages   *hidden.Pages // of keys at hand
	params  map[int]Params
	current int
}

// Option changes how a Sealer works.
type Option func(*Sealer)

// InToken makes and uses keys in a token: this process never has one. Keys that
// were made without it open as before.
func InToken(token keys.Wrapper) Option { return func(s *Sealer) { s.token = token } }

// WithPepperRounds asks the vault's pepper n times in turn for each guess. n is
// that of one of the known Params; others are refused by NewSealer's caller,
// the configuration.
func WithPepperRounds(n int) Option {
	return func(s *Sealer) {
		for version, p := range s.params {
			if usual := s.params[CurrentParams]; p.PepperRounds == n && p.Time == usual.Time && p.MemoryKiB == usual.MemoryKiB {
				s.current = version
			}
		}
	}
}

// NewSealer makes a Sealer over the vault's Pepper and Attempts secrets.
func NewSealer(vault keys.Vault, slots *Slots, options ...Option) *Sealer {
	s := &Sealer{vault: vault, slots: slots, pages: &hidden.Pages{}, params: knownParams(), current: CurrentParams}
	for _, o := range options {
		o(s)
	}
	return s
}

// Create makes a key of alg (keys.ECDSAP256 or keys.RSA3072), signs its
// certificate request over template now, as long as the key is at hand (its
// owner is absent when the certificate is issued), and seals it under secret.
// kid and owner are bound to the key for good.
//
// It fails with ErrBusy when too many do the same.
func (s *Sealer) Create(ctx context.Context, kid, owner string, template *x509.CertificateRequest, alg keys.Algorithm, secret *passphrase.Secret) (Sealed, error) {
	fail := func(err error) (Sealed, error) {
		return Sealed{}, fmt.Errorf("create credential %s: %w", kid, err)
	}
	if kid == "" || owner == "" {
		return fail(errors.New("it has no id or no owner"))
	}
	if len(secret.Bytes()) == 0 {
		return fail(passphrase.ErrEmpty)
	}
	ctx, release, err := s.slots.acquire(ctx, maxMemory(s.params))
	if err != nil {
		return fail(err)
	}
	defer release()
	row := Sealed{KeyID: kid, Owner: owner, Generation: 1, Alg: alg}
	hidden.Do(func() {
		var inner []byte
		inner, err = s.generate(ctx, &row, template)
		defer clear(inner)
		if err == nil {
			err = s.seal(ctx, &row, secret, inner)
		}
	})
	if err != nil {
		return fail(err)
	}
	return row, nil
}

// seal encrypts the key under a fresh salt and the newest parameters and pepper,
// and completes row.
func (s *Sealer) seal(ctx context.Context, row *Sealed, secret *passphrase.Secret, inner []byte) error {
	row.Salt = make([]byte, saltBytes)
	rand.Read(row.Salt) // never fails (crypto/rand)
	row.ParamsVersion = s.current
	row.PepperVersion = 0 // derive sets it to the newest
	kek, err := s.derive(ctx, row, secret)
	if err != nil {
		return err
	}
	defer clear(kek)
	aead, err := newAEAD(kek)
	if err != nil {
		return err
	}
	row.Box = aead.Seal(nil, nil, inner, row.binding("absah/credential-box/v1"))
	return s.authenticate(ctx, row)
}

// Open returns the key of row. It fails with ErrWrongPassphrase, ErrErased,
// ErrCorrupt (the row was altered), ErrBusy, ErrInToken, or the vault's failure;
// all but the first wrap ErrNotEvaluated or came before a test.
//
// Open counts nothing: call it from Guard.Unlock. Close the key after use.
func (s *Sealer) Open(ctx context.Context, row Sealed, secret *passphrase.Secret) (crypto.Signer, error) {
	var key keys.PrivateKey
	err := s.opened(ctx, row, secret, func(ctx context.Context, inner []byte) (err error) {
		key, err = s.parse(ctx, row, inner)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open credential %s: %w", row.KeyID, err)
	}
	return key, nil
}

// OpenRenewing is Open, and when the vault has newer versions than row was
// sealed with, or the costs of a guess were changed, the row that takes its
// place: the same key under the same passphrase, the next generation. Nobody is
// asked for anything. next is nil when there is nothing to renew; it is to be
// stored only when Guard.Unlock returns nil.
func (s *Sealer) OpenRenewing(ctx context.Context, row Sealed, secret *passphrase.Secret) (key crypto.Signer, next *Sealed, err error) {
	var opened keys.PrivateKey
	err = s.opened(ctx, row, secret, func(ctx context.Context, inner []byte) (err error) {
		if opened, err = s.parse(ctx, row, inner); err != nil {
			return err
		}
		if next, err = s.renew(ctx, row, inner, secret); err != nil {
			// The passphrase was right: nothing is to be counted.
			return errors.Join(fmt.Errorf("%w: %w", ErrNotEvaluated, err), opened.Close())
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open credential %s: %w", row.KeyID, err)
	}
	return opened, next, nil
}

// renew seals the key anew when that would be under anything newer.
func (s *Sealer) renew(ctx context.Context, row Sealed, inner []byte, secret *passphrase.Secret) (*Sealed, error) {
	_, newest, err := s.vault.MAC(ctx, keys.Pepper, 0, nil)
	if err != nil {
		return nil, fmt.Errorf("look for a newer pepper: %w", err)
	}
	wrapped, err := s.rewrapped(ctx, row, inner)
	if err != nil {
		return nil, err
	}
	if row.PepperVersion == newest && row.ParamsVersion == s.current && wrapped == nil {
		return nil, nil
	}
	if wrapped == nil {
		wrapped = inner
	}
	next := row
	next.Generation++
	if err := s.seal(ctx, &next, secret, wrapped); err != nil {
		return nil, fmt.Errorf("seal anew: %w", err)
	}
	return &next, nil
}

// Rewrap seals the same key under another passphrase: the next generation of
// the row, which replaces it. It fails as Open does.
//
// Testing the old passphrase is a guess: call it from Guard.Unlock.
func (s *Sealer) Rewrap(ctx context.Context, row Sealed, old, new *passphrase.Secret) (Sealed, error) {
	fail := func(err error) (Sealed, error) {
		return Sealed{}, fmt.Errorf("change the passphrase of credential %s: %w", row.KeyID, err)
	}
	if len(new.Bytes()) == 0 {
		return fail(fmt.Errorf("%w: %w", ErrNotEvaluated, passphrase.ErrEmpty))
	}
	next := row
	next.Generation++
	err := s.opened(ctx, row, old, func(ctx context.Context, inner []byte) error {
		key, err := s.parse(ctx, row, inner)
		if err != nil {
			return err
		}
		if err := key.Close(); err != nil {
			return fmt.Errorf("%w: %w", ErrNotEvaluated, err)
		}
		fresh, err := s.rewrapped(ctx, row, inner)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotEvaluated, err)
		}
		if fresh == nil {
			fresh = inner
		}
		return s.seal(ctx, &next, new, fresh)
	})
	if err != nil {
		return fail(err)
	}
	return next, nil
}

// opened gives what was sealed (see inner.go) to use, and wipes it afterwards.
func (s *Sealer) opened(ctx context.Context, row Sealed, secret *passphrase.Secret, use func(ctx context.Context, inner []byte) error) error {
	// The row first: damage is an alarm and must cost nobody an attempt.
	if err := s.verify(ctx, row); err != nil {
		return fmt.Errorf("%w: %w", ErrNotEvaluated, err)
	}
	if len(row.Box) == 0 {
		return fmt.Errorf("%w: %w", ErrNotEvaluated, ErrErased)
	}
	ctx, release, err := s.slots.acquire(ctx, maxMemory(s.params))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotEvaluated, err)
	}
	defer release()
	hidden.Do(func() {
		var kek, inner []byte
		if kek, err = s.derive(ctx, &row, secret); err != nil {
			err = fmt.Errorf("%w: %w", ErrNotEvaluated, err)
			return
		}
		defer clear(kek)
		var aead cipher.AEAD
		if aead, err = newAEAD(kek); err != nil {
			err = fmt.Errorf("%w: %w", ErrNotEvaluated, err)
			return
		}
		if inner, err = aead.Open(nil, nil, row.Box, row.binding("absah/credential-box/v1")); err != nil {
			// The row is whole, so it is the passphrase.
			err = ErrWrongPassphrase
			return
		}
		defer clear(inner)
		err = use(ctx, inner)
	})
	return err
}

// derive computes the key that seals row's private key:
//
//	A   = Argon2id(passphrase, salt)
//	h_0 = A, h_i = HMAC(pepper, label ‖ kid ‖ owner ‖ generation ‖ i ‖ h_(i-1))
//	KEK = HKDF-SHA-256(A ‖ h_n, salt = kid, info = label ‖ algorithm ‖ SHA-256(SPKI))
//
// Neither the database nor the vault's pepper alone allows a guess offline:
// the one lacks the MAC key, the other everything else. With row.PepperVersion
// 0 it takes the newest pepper and writes its version there.
func (s *Sealer) derive(ctx context.Context, row *Sealed, secret *passphrase.Secret) ([]byte, error) {
	const label = "absah/kek/v1"
	p, err := s.paramsOf(row.ParamsVersion)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a := argon2.IDKey(secret.Bytes(), row.Salt, p.Time, p.MemoryKiB, p.Threads, keyBytes)
	defer clear(a)
	h := bytes.Clone(a)
	defer func() { clear(h) }()
	for i := 1; i <= p.PepperRounds; i++ {
		msg := appendField(nil, []byte(label))
		msg = appendField(msg, []byte(row.KeyID))
		msg = appendField(msg, []byte(row.Owner))
		msg = binary.BigEndian.AppendUint64(msg, uint64(row.Generation))
		msg = binary.BigEndian.AppendUint64(msg, uint64(i))
		msg = append(msg, h...)
		mac, version, err := s.vault.MAC(ctx, keys.Pepper, row.PepperVersion, msg)
		clear(msg)
		if err != nil {
			return nil, fmt.Errorf("derive the key: %w", err)
		}
		row.PepperVersion = version
		clear(h)
		h = mac
	}
	both := append(append(make([]byte, 0, len(a)+len(h)), a...), h...)
	defer clear(both)
	spki := sha256.Sum256(row.SPKI)
	info := string(append(appendField(appendField(nil, []byte(label)), []byte(row.Alg)), spki[:]...))
	return hkdf.Key(sha256.New, both, []byte(row.KeyID), info, keyBytes)
}

// newAEAD is AES-256-GCM with a random nonce of 12 bytes before the ciphertext.
// Each KEK seals once.
func newAEAD(kek []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, fmt.Errorf("derive the key: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
