package outbox

import (
	"context"

	"absah/internal/clock"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Authority writes the mails of the certification authority. It implements
// ca.Alarm.
type Authority struct{ *Outbox }

// pageChecks is where the problems of a check stand.
const pageChecks = "/admin/pemeriksaan"

// Problems tells every administrator and auditor, once each.
func (c Authority) Problems(ctx context.Context, tx *store.Tx, run db.CheckRun) error {
	return c.toHolders(ctx, tx, "", mail.AuthorityAlarm{
		Checked: run.Checked, Problems: run.Problems, At: clock.FromMicros(run.FinishedAt), Page: pageChecks,
	}, "administrator", "auditor")
}
