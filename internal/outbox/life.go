package outbox

import (
	"context"
	"time"

	"absah/internal/mail"
	"absah/internal/renewal"
	"absah/internal/store"
)

// Life writes the mails about what happens in subscribers' lives. It implements
// renewal.Courier.
type Life struct{ *Outbox }

var _ renewal.Courier = Life{}

// LifeEvent implements renewal.Courier.
func (c Life) LifeEvent(ctx context.Context, tx *store.Tx, employeeID, event string, fields []string, due time.Time) error {
	p := mail.LifeEvent{Event: event, Due: due, Page: pageRenewal}
	if event == renewal.Retirement {
		p.Page = pageStatus
	}
	for _, f := range fields {
		p.Fields = append(p.Fields, mail.Field(f))
	}
	return Privacy(c).tell(ctx, tx, employeeID, always(p))
}
