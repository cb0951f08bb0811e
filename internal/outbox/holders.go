package outbox

import (
	"context"
	"fmt"

	"absah/internal/mail"
	"absah/internal/store"
)

// toHolders queues a mail to everybody who holds one of the roles and has an
// address, once each; the account except gets none.
func (o *Outbox) toHolders(ctx context.Context, tx *store.Tx, except string, p mail.Params, roles ...string) error {
	told := map[string]bool{except: true}
	for _, role := range roles {
		holders, err := tx.RoleHolders(ctx, role)
		if err != nil {
			return fmt.Errorf("read who is told of %s: %w", p.Kind(), err)
		}
		for _, h := range holders {
			if h.Email == "" || told[h.ID] {
				continue
			}
			told[h.ID] = true
			to := mail.Recipient{Name: h.DisplayName, Email: h.Email, Lang: mail.Lang(h.Locale)}
			if _, err := o.Queue(ctx, tx, mail.Message{To: to, Params: p}, About{EmployeeID: h.EmployeeID.String}); err != nil {
				return err
			}
		}
	}
	return nil
}
