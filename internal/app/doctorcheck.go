package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/store"
)

// checkOverdue is how old the last check of what was issued may be.
const checkOverdue = 72 * time.Hour

var (
	errCheckOverdue = errors.New("was not checked lately: the ca role does not run, or its jobs fail")
	errCheckFound   = errors.New("problems were found")
)

// certificates tells what the nightly check found.
func (d *doctor) certificates(ctx context.Context) (found string, err error) {
	err = d.inStore(ctx, func(s *store.Store) error {
		found, err = d.lastCheck(ctx, s)
		return err
	})
	return found, err
}

func (d *doctor) lastCheck(ctx context.Context, s *store.Store) (string, error) {
	last, err := ca.NewRecords(s).LastCheck(ctx, 3)
	if errors.Is(err, ca.ErrNeverChecked) {
		n, countErr := s.Read().CountIssuedCertificates(ctx)
		if countErr == nil && n > 0 {
			return fmt.Sprintf("%d are issued, and no night has passed yet", n), nil
		}
		return "none is issued yet", countErr
	}
	if err != nil {
		return "", err
	}
	began := clock.FromMicros(last.Run.StartedAt)
	if last.Run.Problems > 0 {
		text := ""
		for _, p := range last.Problems {
			text += "; " + p.Serial + " " + p.What
		}
		return "", fmt.Errorf("%d %w in the check of %s%s", last.Run.Problems, errCheckFound, began.Format(time.RFC3339), text)
	}
	if !d.demo && time.Since(began) > checkOverdue {
		return "", fmt.Errorf("since %s what was issued %w", began.Format(time.RFC3339), errCheckOverdue)
	}
	return fmt.Sprintf("%d were read again on %s, and all are as recorded", last.Run.Checked, began.Format(time.DateOnly)), nil
}

// concerns reports whether a check is about one of the roles of a process.
func concerns(cfg config.Config, check string) bool {
	roles, ok := map[string][]Role{
		"blobs": {RolePortal, RoleWorker}, "mail": {RoleWorker}, "base_url": {RolePortal}, "issue": {RoleCA}, "timestamps": {RolePortal, RolePKI},
		"services": {RoleCA, RolePKI}, "jobs": {RoleWorker, RoleCA}, "backup": {RoleWorker},
	}[check]
	return !ok || hasRole(cfg, roles...)
}
