package outbox

import (
	"context"

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
	return c.toHolders(ctx, tx, "", mail.WebhookTrouble{
		Event: t.Event, Reason: t.Reason, Application: t.Client, Host: t.Host, Since: t.Since,
		Page: mail.Path("/admin/aplikasi/" + t.ClientID + "/webhook/" + t.EndpointID),
	}, "administrator")
}
