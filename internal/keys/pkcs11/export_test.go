//go:build pkcs11 && cgo

package pkcs11

import (
	"context"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
)

// Raw lets a test ask the library itself.
func (v *Vault) Raw(ctx context.Context, f func(lib *p11.Ctx, s p11.SessionHandle) error) error {
	return v.do(ctx, func(_ *connection, s p11.SessionHandle) error { return f(v.module.lib, s) })
}

// Leave makes what a process leaves that dies while it makes a secret.
func (v *Vault) Leave(ctx context.Context, name keys.Name, version int) error {
	return v.do(ctx, func(_ *connection, s p11.SessionHandle) error {
		use, _ := keys.UseOf(name)
		_, err := v.module.lib.GenerateKey(s, mechanism(p11.CKM_GENERIC_SECRET_KEY_GEN, nil), secretTemplate(name, use, secretID(name, version)+claimMark+"0123"))
		return err
	})
}

// Restart starts the library anew, as a vault does whose token is gone.
func (m *Module) Restart(ctx context.Context) error { return m.restart(ctx, m.starts) }
