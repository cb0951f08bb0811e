package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"absah/internal/keys/hidden"
)

// fileSigner is a signing key that is in readable memory only while it is used.
type fileSigner struct {
	name Name
	pub  crypto.PublicKey
	der  *hidden.Bytes // PKCS #8

	mu    sync.Mutex
	key   crypto.Signer // nil while it is not used
	clock *time.Timer   // ends the use
}

// idle is how long a key stays readable after a signature: reading it anew costs
// as much as signing, which an authority that is busy cannot afford each time.
const idle = time.Second

// Public implements crypto.Signer.
func (s *fileSigner) Public() crypto.PublicKey { return s.pub }

// Sign implements crypto.Signer.
func (s *fileSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	key, err := s.take()
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", s.name, err)
	}
	out := make([]byte, 0, 1024) // made here: what is made in Do is erased
	hidden.Do(func() {
		var sig []byte
		if sig, err = key.Sign(random, digest, opts); err == nil {
			out = append(out, sig...)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", s.name, err)
	}
	return out, nil
}

// take gives the key, which is let go idle after its last use.
func (s *fileSigner) take() (key crypto.Signer, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		s.der.Use(func(der []byte) { s.key, err = parseSigner(der) })
		if err != nil {
			return nil, err
		}
	}
	if s.clock == nil {
		s.clock = time.AfterFunc(idle, s.release)
	} else {
		s.clock.Reset(idle)
	}
	return s.key, nil
}

// release lets the key go. What is being signed is still signed.
func (s *fileSigner) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = nil
	if s.clock != nil {
		s.clock.Stop()
	}
}

// errNotAKey is all that is told of bytes that are none: the parser's words may
// quote them.
var errNotAKey = errors.New("not a signing key in PKCS #8")

func parseSigner(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errNotAKey
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errNotAKey
	}
	return signer, nil
}

// hide makes a fileSigner of PKCS #8, which it clears.
func (v *File) hide(name Name, der []byte) (*fileSigner, error) {
	s := &fileSigner{name: name}
	spki := make([]byte, 0, 1024)
	key, err := parseSigner(der)
	if err != nil {
		return nil, err
	}
	b, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	spki = append(spki, b...)
	if s.der, err = v.pages.Put(der); err != nil {
		return nil, err
	}
	s.pub, err = x509.ParsePKIXPublicKey(spki)
	return s, err
}

// CreateSigner implements Vault.
func (v *File) CreateSigner(_ context.Context, name Name, alg Algorithm) (crypto.Signer, error) {
	if _, secret := UseOf(name); secret || !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("create signing key %q: not a name of one", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	var s *fileSigner
	var err error
	hidden.Do(func() {
		var key crypto.Signer
		if key, err = generate(alg); err != nil {
			return
		}
		var der []byte
		if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return
		}
		defer clear(der)
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		defer clear(text)
		if err = v.write(string(name)+".pem", text); err == nil {
			s, err = v.hide(name, der)
		}
	})
	if errors.Is(err, fs.ErrExist) {
		err = ErrExists
	}
	if err != nil {
		return nil, fmt.Errorf("create signing key %s: %w", name, err)
	}
	v.signers[name] = s
	return s, nil
}

func generate(alg Algorithm) (crypto.Signer, error) {
	switch alg {
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	}
	return nil, fmt.Errorf("unknown algorithm %q", alg)
}

// Signer implements Vault.
func (v *File) Signer(_ context.Context, name Name) (crypto.Signer, error) {
	if !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("signing key %q: not a name", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.signers[name]; ok {
		return s, nil
	}
	var s *fileSigner
	err := v.content(string(name)+".pem", func(b []byte) (err error) {
		block, _ := pem.Decode(b)
		if block == nil {
			return errors.New("not PEM")
		}
		s, err = v.hide(name, block.Bytes)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("signing key %s: %w", name, ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", name, err)
	}
	v.signers[name] = s
	return s, nil
}
