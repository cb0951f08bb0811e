package credential

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"absah/internal/keys"
	"absah/internal/passphrase"
)

// Sealer makes subscribers' keys and opens them with their passphrases. It is
// safe for concurrent use.
type Sealer struct {
	vault   keys.Vault
	slots   *Slots
	params  map[int]Params
	current int
}

// NewSealer makes a Sealer over the vault's Pepper and Attempts secrets.
func NewSealer(vault keys.Vault, slots *Slots) *Sealer {
	return &Sealer{vault: vault, slots: slots, params: knownParams(), current: CurrentParams}
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
	shield(func() {
		var der []byte
		der, err = s.generate(&row, template)
		defer clear(der)
		if err == nil {
			err = s.seal(ctx, &row, secret, der)
		}
	})
	if err != nil {
		return fail(err)
	}
	return row, nil
}

// generate makes the key, fills in its public parts and returns it as PKCS #8.
func (s *Sealer) generate(row *Sealed, template *x509.CertificateRequest) ([]byte, error) {
	var key crypto.Signer
	var err error
	switch row.Alg {
	case keys.ECDSAP256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keys.RSA3072:
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	default:
		return nil, fmt.Errorf("subscribers have no keys of %q", row.Alg)
	}
	if err != nil {
		return nil, fmt.Errorf("make the key: %w", err)
	}
	if row.SPKI, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return nil, fmt.Errorf("encode the public key: %w", err)
	}
	if row.CSR, err = x509.CreateCertificateRequest(rand.Reader, template, key); err != nil {
		return nil, fmt.Errorf("sign the certificate request: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return der, nil
}

// seal encrypts der under a fresh salt and the newest parameters and pepper,
// and completes row.
func (s *Sealer) seal(ctx context.Context, row *Sealed, secret *passphrase.Secret, der []byte) error {
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
	row.Box = aead.Seal(nil, nil, der, row.binding("absah/credential-box/v1"))
	return s.authenticate(ctx, row)
}

// Open returns the key of row. It fails with ErrWrongPassphrase, ErrErased,
// ErrCorrupt (the row was altered), ErrBusy, or the vault's failure; all but
// the first wrap ErrNotEvaluated or came before a test.
//
// Open counts nothing: call it from Guard.Unlock.
func (s *Sealer) Open(ctx context.Context, row Sealed, secret *passphrase.Secret) (crypto.Signer, error) {
	var key crypto.Signer
	err := s.opened(ctx, row, secret, func(_ context.Context, der []byte) (err error) {
		key, err = parse(row, der)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open credential %s: %w", row.KeyID, err)
	}
	return key, nil
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
	err := s.opened(ctx, row, old, func(ctx context.Context, der []byte) error {
		if _, err := parse(row, der); err != nil {
			return err
		}
		return s.seal(ctx, &next, new, der)
	})
	if err != nil {
		return fail(err)
	}
	return next, nil
}

// opened gives the private key as PKCS #8 to use, and wipes it afterwards.
func (s *Sealer) opened(ctx context.Context, row Sealed, secret *passphrase.Secret, use func(ctx context.Context, der []byte) error) error {
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
	shield(func() {
		var kek, der []byte
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
		if der, err = aead.Open(nil, nil, row.Box, row.binding("absah/credential-box/v1")); err != nil {
			// The row is whole, so it is the passphrase.
			err = ErrWrongPassphrase
			return
		}
		defer clear(der)
		err = use(ctx, der)
	})
	return err
}

// parse reads the private key and holds it against the row's public key.
func parse(row Sealed, der []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, ErrCorrupt // the parser's words may quote the key
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, ErrCorrupt
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil || subtle.ConstantTimeCompare(spki, row.SPKI) != 1 {
		return nil, ErrCorrupt
	}
	return key, nil
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
	h := a
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
		defer clear(mac)
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
