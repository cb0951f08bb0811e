package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys/vaults"
	"absah/internal/store"
)

// WithLog gives f the transparency log of an installation, which may run
// meanwhile.
func WithLog(ctx context.Context, cfg config.Config, log *slog.Logger, f func(*audit.Log) error) error {
	if err := checkPrepared(ctx, cfg, log); err != nil {
		return err
	}
	return inStore(ctx, cfg, log, func(s *store.Store) (err error) {
		v, err := vaults.Open(ctx, cfg.Keys, cfg.Path("keys"))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, v.Close()) }()
		mine, err := restrict(ctx, v, cfg)
		if err != nil {
			return err
		}
		return f(&audit.Log{Store: s, Vault: mine, Clock: clock.System, Slog: log, Origin: cfg.LogOrigin(), Dir: cfg.LogDir()})
	})
}

// stale is after how long without a verification the doctor complains, counted
// from when the server last verified anything.
const stale = 3 * audit.WholeEvery

// transparency says what the last verifications of the log found.
func (d *doctor) transparency(ctx context.Context) (found string, err error) {
	err = WithLog(ctx, d.cfg, d.log, func(l *audit.Log) error {
		if err := l.Guard(ctx); err != nil {
			return err
		}
		list, err := audit.Checks(ctx, l.Store.Read())
		if err != nil {
			return err
		}
		var tail, whole audit.Check
		for _, c := range list {
			if !c.Intact {
				return fmt.Errorf("the %s verification of %s found: %s", c.Kind, c.At.Format(time.RFC3339), c.Detail)
			}
			if c.Kind == "tail" {
				tail = c
			} else {
				whole = c
			}
		}
		if tail.At.Sub(whole.At) > stale {
			return fmt.Errorf("the whole log was verified last at %s, three days before what came last", whole.At.Format(time.RFC3339))
		}
		found = fmt.Sprintf("%d acts, verified as a whole at %s", tail.Size, whole.At.Format(time.RFC3339))
		if tail.At.IsZero() {
			found = "nothing is signed yet; the server does that every minute"
		}
		return nil
	})
	return found, err
}
