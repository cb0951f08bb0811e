package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/ca"
)

// How often a process looks for what others left for it.
const (
	followCertificates = time.Minute
	followNews         = time.Second
	newsAtOnce         = 500 // the limit of RegistrationsTouched
)

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

// follow keeps up with the other processes until ctx ends: with the
// certificates of the services, and with the news that open pages wait for.
func (a *App) follow(ctx context.Context) {
	slow := time.NewTicker(followCertificates)
	defer slow.Stop()
	var fast <-chan time.Time
	if apart(a.Config) && a.has(RolePortal) {
		t := time.NewTicker(followNews)
		defer t.Stop()
		fast = t.C
	}
	seen := int64(-1)
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-slow.C:
			err = a.catchUp(ctx)
			if a.has(RolePKI) {
				if unit := a.renewTSA(); !errors.Is(unit, ca.ErrNotEstablished) {
					err = errors.Join(err, unit)
				}
			}
		case <-fast:
			seen, err = a.news(ctx, seen)
		}
		if err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "keep up with the other roles", "error", err)
		}
	}
}

// news tells open pages whose registration changed, and returns how far it has
// read what was done.
func (a *App) news(ctx context.Context, seen int64) (int64, error) {
	newest, err := a.Store.Read().NewestAuditSeq(ctx)
	if err != nil {
		return seen, fmt.Errorf("read news: %w", err)
	}
	if seen < 0 || seen == newest {
		return newest, nil
	}
	rows, err := a.Store.Read().RegistrationsTouched(ctx, seen)
	if err != nil {
		return seen, fmt.Errorf("read news: %w", err)
	}
	for _, r := range rows {
		a.Hub.Publish(r.EmployeeID)
		seen = max(seen, r.Seq)
	}
	if len(rows) < newsAtOnce {
		seen = max(seen, newest)
	}
	return seen, nil
}
