package app

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/config"
	"absah/internal/keys"
)

// Role is a part of Absah that may run in a process, and with keys, of its own.
type Role string

// The roles. Only portal and pki listen; worker and ca take what waits for them
// from the queue in the database.
const (
	RolePortal Role = "portal" // pages for people
	RoleWorker Role = "worker" // mail, digests, what is due
	RoleCA     Role = "ca"     // issues, and publishes lists
	RolePKI    Role = "pki"    // OCSP, CRLs, certificates, timestamps
)

// Roles lists all of them.
func Roles() []Role { return []Role{RolePortal, RoleWorker, RoleCA, RolePKI} }

// ErrForeignKey says that a process with a part of the roles finds keys that
// belong to others.
var ErrForeignKey = errors.New("keys of another role are here")

// rolesOf are the roles that a configuration names; none means all.
func rolesOf(cfg config.Config) []Role {
	if len(cfg.Roles) == 0 {
		return Roles()
	}
	var list []Role
	for _, r := range cfg.Roles {
		list = append(list, Role(r))
	}
	return list
}

// has reports whether this process runs a role, or one of several.
func (a *App) has(roles ...Role) bool { return hasRole(a.Config, roles...) }

func hasRole(cfg config.Config, roles ...Role) bool {
	mine := rolesOf(cfg)
	return slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(mine, r) })
}

func apart(cfg config.Config) bool { return !hasRoles(cfg, Roles()) }

func hasRoles(cfg config.Config, all []Role) bool {
	return !slices.ContainsFunc(all, func(r Role) bool { return !hasRole(cfg, r) })
}

// holders says which roles open a key.
func holders(name keys.Name) []Role {
	base := func(prefix keys.Name) bool {
		return name == prefix || strings.HasPrefix(string(name), string(prefix)+"-")
	}
	switch {
	case base(ca.RootCA), base(ca.IssuingCA), name == ca.PinKey:
		return []Role{RoleCA}
	case base(ca.OCSPKey), base(ca.TSAKey):
		return []Role{RolePKI}
	case name == keys.Data: // who issues reads the names that go into a certificate
		return []Role{RolePortal, RoleWorker, RoleCA}
	case name == audit.SigningKey:
		return []Role{RoleWorker}
	}
	return []Role{RolePortal, RoleWorker}
}

// mayOpen reports whether a process with these roles opens a key.
func mayOpen(cfg config.Config, name keys.Name) bool { return hasRole(cfg, holders(name)...) }

// ring is a vault of which a process uses the keys of its roles alone.
type ring struct {
	keys.Keyring
	cfg config.Config
}

// restrict leaves to a process the keys of its roles. A process with a part of
// the roles refuses a vault that holds others, with ErrForeignKey: what is not
// there cannot be stolen.
func restrict(ctx context.Context, v keys.Keyring, cfg config.Config) (keys.Keyring, error) {
	if !apart(cfg) {
		return v, nil
	}
	list, err := v.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the keys: %w", err)
	}
	var foreign []string
	for _, d := range list {
		if !mayOpen(cfg, d.Name) {
			foreign = append(foreign, string(d.Name))
		}
	}
	if len(foreign) > 0 {
		return nil, fmt.Errorf("%w: roles %s must not have: %s", ErrForeignKey, strings.Join(cfg.Roles, ", "), strings.Join(foreign, ", "))
	}
	return ring{v, cfg}, nil
}

func (r ring) check(name keys.Name) error {
	if !mayOpen(r.cfg, name) {
		return fmt.Errorf("%s is not for the roles %s: %w", name, strings.Join(r.cfg.Roles, ", "), keys.ErrNoKey)
	}
	return nil
}

// MAC implements keys.Vault.
func (r ring) MAC(ctx context.Context, name keys.Name, v int, data []byte) ([]byte, int, error) {
	if err := r.check(name); err != nil {
		return nil, 0, err
	}
	return r.Keyring.MAC(ctx, name, v, data)
}

// Seal implements keys.Vault.
func (r ring) Seal(ctx context.Context, name keys.Name, plain, aad []byte) ([]byte, error) {
	if err := r.check(name); err != nil {
		return nil, err
	}
	return r.Keyring.Seal(ctx, name, plain, aad)
}

// Open implements keys.Vault.
func (r ring) Open(ctx context.Context, name keys.Name, sealed, aad []byte) ([]byte, error) {
	if err := r.check(name); err != nil {
		return nil, err
	}
	return r.Keyring.Open(ctx, name, sealed, aad)
}

// CreateSigner implements keys.Vault.
func (r ring) CreateSigner(ctx context.Context, name keys.Name, alg keys.Algorithm) (crypto.Signer, error) {
	if err := r.check(name); err != nil {
		return nil, err
	}
	return r.Keyring.CreateSigner(ctx, name, alg)
}

// Signer implements keys.Vault.
func (r ring) Signer(ctx context.Context, name keys.Name) (crypto.Signer, error) {
	if err := r.check(name); err != nil {
		return nil, err
	}
	return r.Keyring.Signer(ctx, name)
}
