package outbox

import (
	"context"

	"absah/internal/clock"
	"absah/internal/mail"
	"absah/internal/privacy"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Privacy writes the mails about people's data. It implements privacy.Courier.
type Privacy struct{ *Outbox }

var _ privacy.Courier = Privacy{}

// Pages of the portal that mails about people's data lead to.
const (
	pageMyData       = "/data-saya"
	pagePrivacyQueue = "/admin/privasi"
)

// tell queues a mail to an employee; nobody is written to without an address.
func (c Privacy) tell(ctx context.Context, tx *store.Tx, employeeID string, p func(mail.Recipient) mail.Params) error {
	to, _, err := c.recipient(ctx, tx, employeeID)
	if err != nil || to.Email == "" {
		return err
	}
	_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: p(to)}, About{EmployeeID: employeeID})
	return err
}

// RequestReceived implements privacy.Courier.
func (c Privacy) RequestReceived(ctx context.Context, tx *store.Tx, r db.SubjectRequest) error {
	return c.tell(ctx, tx, r.EmployeeID, always(mail.PrivacyNotice{
		Event: "received", Reference: r.Reference, Request: r.Kind, At: clock.FromMicros(r.OpenedAt), Due: clock.FromMicros(r.DueAt), Page: pageMyData,
	}))
}

// RequestAnswered implements privacy.Courier.
func (c Privacy) RequestAnswered(ctx context.Context, tx *store.Tx, r db.SubjectRequest, answer string) error {
	return c.tell(ctx, tx, r.EmployeeID, always(mail.PrivacyNotice{
		Event: "answered", Reference: r.Reference, Request: r.Kind, At: c.Clock(), Outcome: r.Outcome, Answer: answer, Page: pageMyData,
	}))
}

// RequestWaits implements privacy.Courier.
func (c Privacy) RequestWaits(ctx context.Context, tx *store.Tx, r db.SubjectRequest, to db.RoleHoldersRow) error {
	if to.Email == "" {
		return nil
	}
	_, err := c.Queue(ctx, tx, mail.Message{
		To: mail.Recipient{Name: to.DisplayName, Email: to.Email, Lang: mail.Lang(to.Locale)},
		Params: mail.PrivacyNotice{
			Event: "waiting", Reference: r.Reference, Request: r.Kind, At: clock.FromMicros(r.OpenedAt), Due: clock.FromMicros(r.DueAt), Page: pagePrivacyQueue,
		},
	}, About{EmployeeID: to.EmployeeID.String})
	return err
}

// Erased implements privacy.Courier.
func (c Privacy) Erased(ctx context.Context, tx *store.Tx, employeeID string, what []string) error {
	fields := make([]mail.Field, len(what))
	for i, w := range what {
		fields[i] = mail.Field(w)
	}
	return c.tell(ctx, tx, employeeID, always(mail.PrivacyNotice{Event: "erased", At: c.Clock(), Erased: fields, Page: pageMyData}))
}

// Breach implements privacy.Courier.
func (c Privacy) Breach(ctx context.Context, tx *store.Tx, n privacy.Notice) error {
	return c.tell(ctx, tx, n.EmployeeID, func(to mail.Recipient) mail.Params {
		p := mail.BreachNotice{
			Reference: n.Reference, Since: n.Since, Until: n.Until, Known: n.KnownAt, What: n.What, Done: n.Done, Page: pageMyData,
		}
		for _, d := range n.Data {
			p.Data = append(p.Data, privacy.DataName(d, string(to.Lang)))
		}
		return p
	})
}
