package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"

	"absah/internal/keys"
	"absah/internal/keys/hidden"
)

// What a passphrase seals is one of two things: PKCS #8, which begins with the
// tag of a SEQUENCE, or inToken and a key that a token wrapped.
const inToken = 0x01

// ErrInToken says that the key lives in a token that this process does not use.
var ErrInToken = errors.New("the key lives in a token, and keys.subscribers is not set to it")

// generate makes the key, fills in its public parts and returns what is to be
// sealed.
func (s *Sealer) generate(ctx context.Context, row *Sealed, template *x509.CertificateRequest) ([]byte, error) {
	if s.token == nil {
		return generate(row, template)
	}
	if row.Alg != keys.ECDSAP256 && row.Alg != keys.RSA3072 {
		return nil, fmt.Errorf("subscribers have no keys of %q", row.Alg)
	}
	key, wrapped, err := s.token.MakeKey(ctx, row.Alg)
	if err != nil {
		return nil, err
	}
	err = describe(row, key, template)
	if err := errors.Join(err, key.Close()); err != nil {
		return nil, err
	}
	return append([]byte{inToken}, wrapped...), nil
}

// generate makes a key in this process and returns it as PKCS #8.
func generate(row *Sealed, template *x509.CertificateRequest) ([]byte, error) {
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
	if err := describe(row, key, template); err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return der, nil
}

// describe fills in the public key and the certificate request.
func describe(row *Sealed, key crypto.Signer, template *x509.CertificateRequest) (err error) {
	if row.SPKI, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return fmt.Errorf("encode the public key: %w", err)
	}
	if row.CSR, err = x509.CreateCertificateRequest(rand.Reader, template, key); err != nil {
		return fmt.Errorf("sign the certificate request: %w", err)
	}
	return nil
}

// parse makes a key of what was sealed and holds it against the row's public
// key. What fails in the token wraps ErrNotEvaluated: the passphrase was right.
func (s *Sealer) parse(ctx context.Context, row Sealed, inner []byte) (keys.PrivateKey, error) {
	pub, err := x509.ParsePKIXPublicKey(row.SPKI)
	if err != nil || len(inner) == 0 {
		return nil, ErrCorrupt
	}
	if inner[0] != inToken {
		return s.parseSoftware(row, pub, inner)
	}
	if s.token == nil {
		return nil, fmt.Errorf("%w: %w", ErrNotEvaluated, ErrInToken)
	}
	key, err := s.token.UseKey(ctx, inner[1:], pub)
	if errors.Is(err, keys.ErrOpen) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotEvaluated, err)
	}
	return key, nil
}

// rewrapped gives what is to be sealed when the token has a newer version of
// its wrapping key, and nil otherwise.
func (s *Sealer) rewrapped(ctx context.Context, row Sealed, inner []byte) ([]byte, error) {
	if inner[0] != inToken {
		return nil, nil
	}
	pub, err := x509.ParsePKIXPublicKey(row.SPKI)
	if err != nil {
		return nil, ErrCorrupt
	}
	fresh, err := s.token.Rewrap(ctx, inner[1:], pub)
	if err != nil || fresh == nil {
		return nil, err
	}
	return append([]byte{inToken}, fresh...), nil
}

// softKey is a private key in this process. Between signatures it is hidden.
type softKey struct {
	pub crypto.PublicKey

	mu  sync.Mutex
	der *hidden.Bytes // PKCS #8; nil once closed
}

// ErrClosed says that a key is used after its Close.
var ErrClosed = errors.New("the key was closed")

func (s *Sealer) parseSoftware(row Sealed, pub crypto.PublicKey, der []byte) (keys.PrivateKey, error) {
	key, err := parsePKCS8(der)
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil || subtle.ConstantTimeCompare(spki, row.SPKI) != 1 {
		return nil, ErrCorrupt
	}
	kept, err := s.pages.Put(bytes.Clone(der))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotEvaluated, err)
	}
	return &softKey{pub: pub, der: kept}, nil
}

func parsePKCS8(der []byte) (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, ErrCorrupt // the parser's words may quote the key
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, ErrCorrupt
	}
	return key, nil
}

// Deterministic tells that without a source of randomness the same hash always has
// the same value: ECDSA by RFC 6979, and PKCS #1 v1.5. A token does not say so.
func (k *softKey) Deterministic() bool { return true }

// Public implements crypto.Signer.
func (k *softKey) Public() crypto.PublicKey { return k.pub }

// Sign implements crypto.Signer.
func (k *softKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.der == nil {
		return nil, ErrClosed
	}
	out := make([]byte, 0, 1024) // made here: what is made in Do is erased
	var err error
	k.der.Use(func(der []byte) {
		var key crypto.Signer
		if key, err = parsePKCS8(der); err != nil {
			return
		}
		var sig []byte
		if sig, err = key.Sign(random, digest, opts); err == nil {
			out = append(out, sig...)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return out, nil
}

// Close implements io.Closer: the key is no more in this process.
func (k *softKey) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.der != nil {
		k.der.Forget()
		k.der = nil
	}
	return nil
}
