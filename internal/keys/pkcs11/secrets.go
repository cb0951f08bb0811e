//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

const nonceBytes, tagBits = 12, 128

// secret finds version version of a secret, the newest for 0, for a use.
func (v *Vault) secret(c *connection, s p11.SessionHandle, name keys.Name, version int, use keys.Use) (p11.ObjectHandle, int, error) {
	of, ok := keys.UseOf(name)
	if !ok || version < 0 {
		return 0, 0, fmt.Errorf("%s version %d: %w", name, version, keys.ErrNoKey)
	}
	if of != use {
		return 0, 0, fmt.Errorf("%s: %w", name, keys.ErrUse)
	}
	var err error
	if version == 0 {
		if version, err = v.newestOf(c, s, name); err != nil {
			return 0, 0, err
		}
	}
	h, err := v.object(c, s, p11.CKO_SECRET_KEY, secretID(name, version))
	if err == nil {
		c.meet(name, version)
	}
	return h, version, err
}

// MAC implements keys.Vault.
func (v *Vault) MAC(ctx context.Context, name keys.Name, version int, data []byte) ([]byte, int, error) {
	var mac []byte
	var used int
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		h, newest, err := v.secret(c, s, name, version, keys.UseMAC)
		if err != nil {
			return err
		}
		if err := v.module.lib.SignInit(s, mechanism(p11.CKM_SHA256_HMAC, nil), h); err != nil {
			return err
		}
		used = newest
		mac, err = v.module.lib.Sign(s, data)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("MAC under %s: %w", name, failure(err))
	}
	if len(mac) != sha256.Size {
		return nil, 0, fmt.Errorf("MAC under %s: the token gives %d bytes", name, len(mac))
	}
	return mac, used, nil
}

func mechanism(m uint, parameter any) []*p11.Mechanism {
	return []*p11.Mechanism{p11.NewMechanism(m, parameter)}
}

// Seal implements keys.Vault, in the form of the software vault.
func (v *Vault) Seal(ctx context.Context, name keys.Name, plain, aad []byte) ([]byte, error) {
	var sealed []byte
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		h, version, err := v.secret(c, s, name, 0, keys.UseEncrypt)
		if err != nil {
			return err
		}
		nonce := make([]byte, nonceBytes)
		rand.Read(nonce) // never fails (crypto/rand)
		gcm := p11.NewGCMParams(nonce, keys.Bind(name, version, aad), tagBits)
		defer gcm.Free()
		if err := v.module.lib.EncryptInit(s, mechanism(p11.CKM_AES_GCM, gcm), h); err != nil {
			return err
		}
		box, err := v.module.lib.Encrypt(s, plain)
		if err != nil {
			return err
		}
		if len(box) != len(plain)+tagBits/8 {
			return fmt.Errorf("the token gives %d bytes for %d", len(box), len(plain))
		}
		// A token may choose the nonce itself.
		if nonce = gcm.IV(); len(nonce) != nonceBytes {
			return fmt.Errorf("the token takes a nonce of %d bytes", len(nonce))
		}
		out := binary.BigEndian.AppendUint32(make([]byte, 0, keys.SealedHead+len(box)), uint32(version))
		sealed = append(append(out, nonce...), box...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("seal under %s: %w", name, failure(err))
	}
	return sealed, nil
}

// Open implements keys.Vault.
func (v *Vault) Open(ctx context.Context, name keys.Name, sealed, aad []byte) ([]byte, error) {
	version, err := keys.SealedVersion(sealed)
	if err != nil {
		return nil, err
	}
	var plain []byte
	err = v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		h, _, err := v.secret(c, s, name, version, keys.UseEncrypt)
		if err != nil {
			return err
		}
		gcm := p11.NewGCMParams(sealed[4:keys.SealedHead], keys.Bind(name, version, aad), tagBits)
		defer gcm.Free()
		if err := v.module.lib.DecryptInit(s, mechanism(p11.CKM_AES_GCM, gcm), h); err != nil {
			return err
		}
		plain, err = v.module.lib.Decrypt(s, sealed[keys.SealedHead:])
		return err
	})
	// With a token that lives, a failure without a better reason is the data's.
	if is(err, p11.CKR_ENCRYPTED_DATA_INVALID, p11.CKR_ENCRYPTED_DATA_LEN_RANGE, p11.CKR_SIGNATURE_INVALID, p11.CKR_GENERAL_ERROR, p11.CKR_FUNCTION_FAILED) &&
		!errors.Is(err, keys.ErrUnavailable) {
		return nil, keys.ErrOpen
	}
	if err != nil {
		return nil, fmt.Errorf("open under %s: %w", name, failure(err))
	}
	return plain, nil
}

// Create implements keys.Keyring.
func (v *Vault) Create(ctx context.Context, name keys.Name) error {
	if _, ok := keys.UseOf(name); !ok {
		return fmt.Errorf("create %q: %w", name, keys.ErrUse)
	}
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	err := v.making(ctx, func(c *connection, s p11.SessionHandle) error { return v.make(c, s, name, 1) })
	if err != nil {
		return fmt.Errorf("create %s: %w", name, failure(err))
	}
	return nil
}

// Rotate implements keys.Keyring.
func (v *Vault) Rotate(ctx context.Context, name keys.Name) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	var made int
	err := v.making(ctx, func(c *connection, s p11.SessionHandle) error {
		for {
			all, err := v.versions(s, name)
			if err != nil {
				return err
			}
			if _, ok := keys.UseOf(name); !ok || len(all) == 0 {
				return keys.ErrNoKey
			}
			version := all[len(all)-1] + 1
			err = v.make(c, s, name, version)
			if errors.Is(err, keys.ErrExists) { // another process was faster
				continue
			}
			made = version
			return err
		}
	})
	if err != nil {
		return 0, fmt.Errorf("rotate %q: %w", name, failure(err))
	}
	return made, nil
}

// make makes a version of a secret. It fails with keys.ErrExists.
func (v *Vault) make(c *connection, s p11.SessionHandle, name keys.Name, version int) error {
	use, _ := keys.UseOf(name)
	generator := uint(p11.CKM_AES_KEY_GEN)
	if use == keys.UseMAC {
		generator = p11.CKM_GENERIC_SECRET_KEY_GEN
	}
	err := v.claim(s, name, p11.CKO_SECRET_KEY, secretID(name, version), func(id string) ([]p11.ObjectHandle, error) {
		h, err := v.module.lib.GenerateKey(s, mechanism(generator, nil), secretTemplate(name, use, id))
		return []p11.ObjectHandle{h}, err
	})
	if err != nil {
		return err
	}
	c.meet(name, version)
	return nil
}

// secretTemplate lets a secret do one thing, and never leave the token.
func secretTemplate(name keys.Name, use keys.Use, id string) []*p11.Attribute {
	kind := uint(p11.CKK_AES)
	if use == keys.UseMAC {
		kind = p11.CKK_GENERIC_SECRET
	}
	return []*p11.Attribute{
		p11.NewAttribute(p11.CKA_CLASS, p11.CKO_SECRET_KEY), p11.NewAttribute(p11.CKA_KEY_TYPE, kind), p11.NewAttribute(p11.CKA_VALUE_LEN, sha256.Size),
		p11.NewAttribute(p11.CKA_LABEL, labelPrefix+string(name)), p11.NewAttribute(p11.CKA_ID, []byte(id)),
		p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_PRIVATE, true),
		p11.NewAttribute(p11.CKA_SENSITIVE, true), p11.NewAttribute(p11.CKA_EXTRACTABLE, false),
		p11.NewAttribute(p11.CKA_SIGN, use == keys.UseMAC), p11.NewAttribute(p11.CKA_VERIFY, false),
		p11.NewAttribute(p11.CKA_ENCRYPT, use == keys.UseEncrypt), p11.NewAttribute(p11.CKA_DECRYPT, use == keys.UseEncrypt),
		p11.NewAttribute(p11.CKA_WRAP, use == keys.UseWrap), p11.NewAttribute(p11.CKA_UNWRAP, use == keys.UseWrap),
		p11.NewAttribute(p11.CKA_DERIVE, false),
	}
}
