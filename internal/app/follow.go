package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/ca"
)

// followCertificates is how often a process looks for certificates that the ca role
// made.
const followCertificates = time.Minute

// approvals takes officers' signatures in the portal.
func (a *App) approvals() ca.Approvals {
	return ca.Approvals{
		People: subjects{a.Staff}, Profile: a.profile, Policy: ca.ApprovalPolicy(a.Config.Policy.Approval), Site: ca.SiteAt(a.Config.BaseURL),
	}
}

// catchUp fetches certificates that the ca role made while this process was
// not running.
func (a *App) catchUp(ctx context.Context) error {
	if a.has(RoleCA) {
		return nil // its directory is where they come from
	}
	rows, err := a.Store.Read().AuthorityCertificates(ctx)
	if err != nil {
		return fmt.Errorf("read the authority's certificates: %w", err)
	}
	n, err := a.Hierarchy.Receive(rows, a.Clock())
	if err != nil {
		return err
	}
	if n > 0 {
		a.Log.InfoContext(ctx, "certificates of the authority received", "number", n)
	}
	return nil
}

// follow keeps up with the certificates of the services, which another process may
// renew, until ctx ends.
func (a *App) follow(ctx context.Context) {
	tick := time.NewTicker(followCertificates)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := a.catchUp(ctx)
		if a.has(RolePKI) {
			if unit := a.renewTSA(); !errors.Is(unit, ca.ErrNotEstablished) {
				err = errors.Join(err, unit)
			}
		}
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "keep up with the other roles", "error", err)
		}
	}
}
