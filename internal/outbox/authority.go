package outbox

import (
	"context"
	"fmt"

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
	told := map[string]bool{}
	for _, role := range []string{"administrator", "auditor"} {
		holders, err := tx.RoleHolders(ctx, role)
		if err != nil {
			return fmt.Errorf("read who is told of problems: %w", err)
		}
		for _, h := range holders {
			if h.Email == "" || told[h.ID] {
				continue
			}
			told[h.ID] = true
			_, err := c.Queue(ctx, tx, mail.Message{
				To: mail.Recipient{Name: h.DisplayName, Email: h.Email, Lang: mail.Lang(h.Locale)},
				Params: mail.AuthorityAlarm{
					Checked: run.Checked, Problems: run.Problems, At: clock.FromMicros(run.FinishedAt), Page: pageChecks,
				},
			}, About{EmployeeID: h.EmployeeID.String})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
