package app

import (
	"context"
	"time"

	"absah/internal/account"
	"absah/internal/keys"
	"absah/internal/outbox"
	pages "absah/internal/portal/seal"
	"absah/internal/seal"
	"absah/internal/store"
)

// openSeals makes the part in which institutions' seals are kept and used.
func (a *App) openSeals(context.Context) (err error) {
	if a.Signing == nil {
		return nil // neither portal nor worker
	}
	a.Seals, err = seal.New(seal.Config{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, Maker: a.Signing, Certificates: a.Hierarchy, Status: a.Register, Clients: a.Clients,
		Algorithm: keys.Algorithm(a.Config.CA.Profiles.Seal.Algorithm), Courier: outbox.Seals{Outbox: a.Outbox}, Batch: a.Signing.Limits.Batch,
		Notify: a.news.tell,
	})
	return err
}

// startSeals takes up what was released before this process began to serve.
func (a *App) startSeals(ctx context.Context) error {
	if a.Seals == nil || !a.has(RolePortal) {
		return nil
	}
	return a.Seals.StartAll(ctx)
}

// sealPeriodics are the jobs about seals that come back.
var sealPeriodics = []store.Periodic{{Kind: seal.JobSweep, Every: 5 * time.Minute}}

// sealHandlers are the jobs about seals of the worker.
func (a *App) sealHandlers() map[string]store.Handler {
	return map[string]store.Handler{seal.JobRun: a.Seals.Run, seal.JobSweep: a.Seals.Sweep}
}

// sealCounts are what waits for the viewer about seals.
func (a *App) sealCounts(ctx context.Context, v *account.Viewer, out map[string]int) {
	if v.EmployeeID != "" {
		n, err := a.Seals.WaitingFor(ctx, v.EmployeeID)
		if err != nil {
			a.Log.WarnContext(ctx, "count requests for seals", "error", err)
		}
		out[pages.Base] = n
	}
	if v.HasRole(account.Administrator) {
		n, err := a.Seals.Waiting(ctx)
		if err != nil {
			a.Log.WarnContext(ctx, "count orders about seals", "error", err)
		}
		out[pages.Admin] = n
	}
}
