package app

import (
	"context"
	"crypto/rand"
	"time"

	"absah/internal/account"
	"absah/internal/outbox"
	"absah/internal/privacy"
	"absah/internal/store"
	"absah/internal/store/blob"
)

// jobWaiting reminds the administrators of requests of data subjects.
const jobWaiting = "privacy.waiting"

// ShredFile is the list of what was erased for good, in the data directory. A
// restore leaves it where it is, and erases again what is on it.
const ShredFile = "shredded.list"

// openPrivacy makes the service of people's data.
func (a *App) openPrivacy(context.Context) error {
	p := a.Config.Privacy
	a.Privacy = &privacy.Service{
		Store: a.Store, Vault: a.Vault, Blobs: blob.Sealed{Store: a.Blobs, Vault: a.Vault}, Clock: a.Clock, Log: a.Log,
		Courier: outbox.Privacy{Outbox: a.Outbox}, Random: rand.Reader, ShredFile: a.Config.Path(ShredFile),
		Retention: privacy.Retention{
			OldScans: p.OldScans, LeaverScans: p.LeaverScans, Registrations: p.Registrations, Mails: p.Mails, Sessions: p.Sessions, Views: p.Views,
		},
	}
	return nil
}

// PrivacyContact is who answers for the protection of personal data.
func (a *App) PrivacyContact() string {
	if a.Config.Privacy.Contact != "" {
		return a.Config.Privacy.Contact
	}
	return deskLine(a.Config.Identity)
}

func (a *App) privacyHandlers() map[string]store.Handler {
	return map[string]store.Handler{
		privacy.JobPurge: func(ctx context.Context, _ string) error {
			_, err := a.Privacy.Purge(ctx)
			return err
		},
		jobWaiting: func(ctx context.Context, _ string) error {
			_, err := a.Privacy.Escalate(ctx)
			return err
		},
	}
}

var privacyPeriodics = []store.Periodic{
	{Kind: privacy.JobPurge, Every: time.Hour},
	{Kind: jobWaiting, Every: 15 * time.Minute},
}

// countPrivacy counts the requests about personal data that wait for an answer.
func (a *App) countPrivacy(ctx context.Context, v *account.Viewer, out map[string]int) {
	if !v.HasRole(account.Administrator) {
		return
	}
	n, err := a.Store.Read().CountOpenSubjectRequests(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "count requests about data", "error", err)
	}
	out["/admin/privasi"] = int(n)
}
