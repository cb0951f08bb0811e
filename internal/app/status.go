package app

import (
	"context"
	"fmt"
	"path/filepath"

	"absah/internal/ca"
	"absah/internal/config"
)

// openStatus opens the journal of revocations. It lies in the data directory of
// each process, beside no database: a restore must leave it alone.
func (a *App) openStatus(context.Context) error {
	journal, err := ca.OpenJournal(filepath.Join(a.Config.Path(journalDir), "revocations"), a.Log)
	if err != nil {
		return err
	}
	a.Register = &ca.Register{Journal: journal}
	return nil
}

// reconcileStatus brings back revocations that an older copy of the database has
// lost, before anything is answered or published.
func (a *App) reconcileStatus(ctx context.Context) error {
	n, err := a.Register.Reconcile(ctx, a.Store, a.Clock)
	if err != nil {
		return fmt.Errorf("reconcile the status of certificates: %w", err)
	}
	if a.Authority != nil {
		more, err := a.Authority.Reconcile(ctx)
		if err != nil {
			return fmt.Errorf("reconcile the status of certificates: %w", err)
		}
		n += more
	}
	if n > 0 {
		a.Log.WarnContext(ctx, "the database had lost changes of the status of certificates; they stand again", "changes", n)
	}
	return nil
}

// followStatus keeps the OCSP answers signed until ctx ends.
func (a *App) followStatus(ctx context.Context) {
	if err := a.answers.Run(ctx, a.Log); err != nil && ctx.Err() == nil {
		a.Log.ErrorContext(ctx, "OCSP answers are not signed ahead; each asks the database", "error", err)
	}
}

func lists(cfg config.Config) ca.ListPolicy {
	return ca.ListPolicy{Shards: cfg.CA.CRLShards, DeltaFrom: cfg.CA.CRLDeltaFrom}
}
