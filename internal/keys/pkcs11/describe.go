//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"fmt"
	"slices"
	"strings"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

// List implements keys.Keyring.
func (v *Vault) List(ctx context.Context) ([]keys.Description, error) {
	var names []keys.Name
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		var found []keys.Name
		for _, class := range []uint{p11.CKO_SECRET_KEY, p11.CKO_PRIVATE_KEY} {
			handles, err := v.search(s, p11.NewAttribute(p11.CKA_CLASS, class), p11.NewAttribute(p11.CKA_TOKEN, true))
			if err != nil {
				return err
			}
			for _, h := range handles {
				a, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_LABEL, nil), p11.NewAttribute(p11.CKA_ID, nil)})
				if is(err, p11.CKR_OBJECT_HANDLE_INVALID) {
					continue // gone since
				}
				if err != nil {
					return fmt.Errorf("read a key's label: %w", err)
				}
				name, ours := strings.CutPrefix(string(a[0].Value), labelPrefix)
				if ours && !strings.Contains(string(a[1].Value), claimMark) && !slices.Contains(found, keys.Name(name)) {
					found = append(found, keys.Name(name))
				}
			}
		}
		names = found
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", failure(err))
	}
	slices.Sort(names)
	var out []keys.Description
	for _, name := range names {
		d, err := v.Describe(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		out = append(out, d)
	}
	return out, nil
}

// Describe implements keys.Keyring. The protection is what the token says of
// the oldest version.
func (v *Vault) Describe(ctx context.Context, name keys.Name) (keys.Description, error) {
	d := keys.Description{Name: name, Vault: "pkcs11"}
	use, secret := keys.UseOf(name)
	if !secret {
		key, err := v.Signer(ctx, name)
		if err != nil {
			return keys.Description{}, fmt.Errorf("describe key: %w", err)
		}
		if err := d.DescribePublic(key.Public()); err != nil {
			return keys.Description{}, err
		}
	}
	var versions []int
	var protection []string
	var where string
	err := v.do(ctx, func(c *connection, s p11.SessionHandle) error {
		class, id := uint(p11.CKO_PRIVATE_KEY), string(name)
		if secret {
			all, err := v.versions(s, name)
			if err != nil {
				return err
			}
			if len(all) == 0 {
				return keys.ErrNoKey
			}
			versions = all
			class, id = p11.CKO_SECRET_KEY, secretID(name, all[0])
		}
		h, err := v.object(c, s, class, id)
		if err != nil {
			return err
		}
		protection, err = v.protection(s, h)
		where = fmt.Sprintf("token %s, serial number %s, %s %s, slot %d", v.label, c.info.SerialNumber, c.info.ManufacturerID, c.info.Model, c.slot)
		return err
	})
	if err != nil {
		return keys.Description{}, fmt.Errorf("describe key %s: %w", name, failure(err))
	}
	d.Versions, d.Protection, d.Where = versions, protection, where
	if secret {
		d.Use, d.Algorithm = use, use.Algorithm()
	}
	return d, nil
}

// protection reads the attributes by which the token keeps a key.
func (v *Vault) protection(s p11.SessionHandle, h p11.ObjectHandle) ([]string, error) {
	var out []string
	for _, a := range []struct {
		attribute uint
		word      string
	}{
		{p11.CKA_SENSITIVE, "sensitive"}, {p11.CKA_ALWAYS_SENSITIVE, "always sensitive"},
		{p11.CKA_NEVER_EXTRACTABLE, "never extractable"}, {p11.CKA_LOCAL, "made in the token"},
	} {
		got, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(a.attribute, nil)})
		if err != nil {
			return nil, fmt.Errorf("read how the key is kept: %w", err)
		}
		if len(got[0].Value) == 1 && got[0].Value[0] != 0 {
			out = append(out, a.word)
		}
	}
	return out, nil
}
