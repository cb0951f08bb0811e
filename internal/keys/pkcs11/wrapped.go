//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

// guest is a private key that is in the token for a moment: a session object,
// made by the connection's keeper so that every session sees it.
type guest struct {
	signer
	wrapped []byte

	mu     sync.Mutex
	in     *connection // in which it is; nil: in none
	object p11.ObjectHandle
	closed bool
}

// errGuestGone says that a key is used after its Close.
var errGuestGone = errors.New("the key was closed")

// find gives the key's handle. A new connection knows nothing of the old one's
// guests: the key is taken in again.
func (g *guest) find(c *connection, s p11.SessionHandle) (p11.ObjectHandle, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return 0, errGuestGone
	}
	if g.in == c {
		return g.object, nil
	}
	h, err := g.vault.unwrap(c, s, g.wrapped, g.pub, false)
	if err != nil {
		return 0, err
	}
	g.in, g.object = c, h
	return h, nil
}

// Close implements io.Closer: the key is no more in the token.
func (g *guest) Close() error {
	g.mu.Lock()
	in, object := g.in, g.object
	g.closed, g.in = true, nil
	g.mu.Unlock()
	if in == nil {
		return nil
	}
	err := g.vault.do(context.Background(), func(c *connection, _ p11.SessionHandle) error {
		if c != in {
			return nil // it went with its connection
		}
		return g.vault.dismiss(c, object)
	})
	if err != nil && !errors.Is(err, keys.ErrUnavailable) && !errors.Is(err, ErrClosed) { // with those it is gone too
		return fmt.Errorf("close %s: %w", g.name, err)
	}
	return nil
}

// dismiss destroys objects of the keeper.
func (v *Vault) dismiss(c *connection, objects ...p11.ObjectHandle) error {
	c.making.Lock()
	defer c.making.Unlock()
	var errs []error
	for _, h := range objects {
		errs = append(errs, v.module.lib.DestroyObject(c.keeper, h))
	}
	return errors.Join(errs...)
}

func (v *Vault) newGuest(pub crypto.PublicKey, wrapped []byte) *guest {
	g := &guest{wrapped: wrapped, signer: signer{vault: v, name: "a subscriber's key", pub: pub}}
	g.handle = g.find
	return g
}

// MakeKey implements keys.Wrapper.
func (v *Vault) MakeKey(ctx context.Context, alg keys.Algorithm) (keys.PrivateKey, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	var made *guest
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		wrapping, version, err := v.secret(c, s, keys.Subscriber, 0, keys.UseWrap)
		if err != nil {
			return err
		}
		c.making.Lock()
		pub, priv, err := v.generate(c.keeper, alg, pairTemplate{extractable: true})
		c.making.Unlock()
		if err != nil {
			return err
		}
		public, err := v.publicKey(s, pub)
		if err := errors.Join(err, v.dismiss(c, pub)); err != nil {
			return errors.Join(err, v.dismiss(c, priv))
		}
		wrapped, err := v.wrap(c, wrapping, version, priv)
		if err != nil {
			return errors.Join(err, v.dismiss(c, priv))
		}
		made = v.newGuest(public, wrapped)
		made.in, made.object = c, priv
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("make a key in the token: %w", failure(err))
	}
	return made, made.wrapped, nil
}

// wrap gives a key out: the version of the wrapping key (4 bytes, big endian)
// and RFC 5649.
func (v *Vault) wrap(c *connection, wrapping p11.ObjectHandle, version int, key p11.ObjectHandle) ([]byte, error) {
	c.making.Lock()
	defer c.making.Unlock()
	b, err := v.module.lib.WrapKey(c.keeper, mechanism(p11.CKM_AES_KEY_WRAP_PAD, nil), wrapping, key)
	if err != nil {
		return nil, fmt.Errorf("wrap the key: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(version)), b...), nil
}

// unwrap takes a key in.
func (v *Vault) unwrap(c *connection, s p11.SessionHandle, wrapped []byte, pub crypto.PublicKey, extractable bool) (p11.ObjectHandle, error) {
	if len(wrapped) < 4+16 || binary.BigEndian.Uint32(wrapped) == 0 {
		return 0, keys.ErrOpen
	}
	var kind uint
	switch pub.(type) {
	case *ecdsa.PublicKey:
		kind = p11.CKK_EC
	case *rsa.PublicKey:
		kind = p11.CKK_RSA
	default:
		return 0, errPublicKey
	}
	wrapping, _, err := v.secret(c, s, keys.Subscriber, int(binary.BigEndian.Uint32(wrapped)), keys.UseWrap)
	if err != nil {
		return 0, err
	}
	c.making.Lock()
	defer c.making.Unlock()
	h, err := v.module.lib.UnwrapKey(c.keeper, mechanism(p11.CKM_AES_KEY_WRAP_PAD, nil), wrapping, wrapped[4:], []*p11.Attribute{
		p11.NewAttribute(p11.CKA_CLASS, p11.CKO_PRIVATE_KEY), p11.NewAttribute(p11.CKA_KEY_TYPE, kind),
		p11.NewAttribute(p11.CKA_TOKEN, false), p11.NewAttribute(p11.CKA_PRIVATE, true),
		p11.NewAttribute(p11.CKA_SENSITIVE, true), p11.NewAttribute(p11.CKA_EXTRACTABLE, extractable),
		p11.NewAttribute(p11.CKA_SIGN, true), p11.NewAttribute(p11.CKA_DECRYPT, false), p11.NewAttribute(p11.CKA_UNWRAP, false), p11.NewAttribute(p11.CKA_DERIVE, false),
	})
	if err != nil {
		return 0, fmt.Errorf("take the key in: %w", err)
	}
	return h, nil
}

// refused says whether the token takes bytes for no wrapped key. With a token
// that lives, a failure without a better reason is the data's.
func refused(err error) bool {
	return !errors.Is(err, keys.ErrUnavailable) && is(err, p11.CKR_WRAPPED_KEY_INVALID, p11.CKR_WRAPPED_KEY_LEN_RANGE,
		p11.CKR_ENCRYPTED_DATA_INVALID, p11.CKR_ENCRYPTED_DATA_LEN_RANGE, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED)
}

// UseKey implements keys.Wrapper.
func (v *Vault) UseKey(ctx context.Context, wrapped []byte, pub crypto.PublicKey) (keys.PrivateKey, error) {
	g := v.newGuest(pub, append([]byte(nil), wrapped...))
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		_, err := g.find(c, s)
		return err
	})
	if refused(err) {
		err = keys.ErrOpen
	}
	if err != nil {
		return nil, fmt.Errorf("take a subscriber's key into the token: %w", failure(err))
	}
	return g, nil
}

// Rewrap implements keys.Wrapper.
func (v *Vault) Rewrap(ctx context.Context, wrapped []byte, pub crypto.PublicKey) ([]byte, error) {
	var out []byte
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		wrapping, version, err := v.secret(c, s, keys.Subscriber, 0, keys.UseWrap)
		if err != nil {
			return err
		}
		if len(wrapped) >= 4 && int(binary.BigEndian.Uint32(wrapped)) == version {
			return nil
		}
		h, err := v.unwrap(c, s, wrapped, pub, true)
		if err != nil {
			return err
		}
		fresh, err := v.wrap(c, wrapping, version, h)
		if err := errors.Join(err, v.dismiss(c, h)); err != nil {
			return err
		}
		out = fresh
		return nil
	})
	if refused(err) {
		err = keys.ErrOpen
	}
	if err != nil {
		return nil, fmt.Errorf("wrap a subscriber's key anew: %w", failure(err))
	}
	return out, nil
}
