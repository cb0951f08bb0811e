package outbox

import (
	"context"
	"fmt"

	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/webhook"
)

// Webhooks writes the mails about applications that do not take what they are told.
// It implements webhook.Alarm.
type Webhooks struct{ *Outbox }

var _ webhook.Alarm = Webhooks{}

// Webhook tells every administrator.
func (c Webhooks) Webhook(ctx context.Context, tx *store.Tx, t webhook.Trouble) error {
	holders, err := tx.RoleHolders(ctx, "administrator")
	if err != nil {
		return fmt.Errorf("read who is told of webhooks: %w", err)
	}
	told := map[string]bool{}
	for _, h := range holders {
		if h.Email == "" || told[h.ID] {
			continue
		}
		told[h.ID] = true
		_, err := c.Queue(ctx, tx, mail.Message{
			To: mail.Recipient{Name: h.DisplayName, Email: h.Email, Lang: mail.Lang(h.Locale)},
			Params: mail.WebhookTrouble{
				Event: t.Event, Reason: t.Reason, Application: t.Client, Host: t.Host, Since: t.Since,
				Page: mail.Path("/admin/aplikasi/" + t.ClientID + "/webhook/" + t.EndpointID),
			},
		}, About{EmployeeID: h.EmployeeID.String})
		if err != nil {
			return err
		}
	}
	return nil
}
