package outbox

import (
	"context"

	"absah/internal/mail"
	"absah/internal/staff"
	"absah/internal/store"
)

// Staff writes the mails about corrections. It implements staff.Courier.
type Staff struct {
	*Outbox
	Words Words
}

var _ staff.Courier = Staff{}

// Pages of the portal that mails about corrections lead to.
const (
	pageCorrections = "/ds/perubahan"
	pageHRQueue     = "/hr/perubahan"
)

// CorrectionSubmitted implements staff.Courier: a receipt for the employee, a
// notice for the officers of the unit.
func (c Staff) CorrectionSubmitted(ctx context.Context, tx *store.Tx, n staff.SubmittedNotice) error {
	fields := make([]mail.Field, len(n.Fields))
	for i, f := range n.Fields {
		fields[i] = mail.Field(f)
	}
	to, _, err := c.recipient(ctx, tx, n.Employee.ID)
	if err != nil {
		return err
	}
	if to.Email != "" { // the correction may be about the first address there is
		_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: mail.CorrectionSubmitted{
			Fields: fields, Unit: n.UnitName, SubmittedAt: c.Clock(), Page: pageCorrections,
		}}, About{EmployeeID: n.Employee.ID})
		if err != nil {
			return err
		}
	}
	for _, o := range n.Officers {
		if o.Email == "" {
			continue
		}
		_, err := c.Queue(ctx, tx, mail.Message{
			To: mail.Recipient{Name: o.Name, Email: o.Email, Lang: mail.Lang(o.Locale)},
			Params: mail.CorrectionDigest{
				Unit: n.UnitName, Total: 1, Page: pageHRQueue,
				Waiting: []mail.WaitingCorrection{{Employee: n.Employee.Name, Fields: fields, Since: c.Clock()}},
			},
		}, About{EmployeeID: o.EmployeeID})
		if err != nil {
			return err
		}
	}
	return nil
}

// CorrectionDecided implements staff.Courier. When the decision changed the
// address, the address before is told too: a change that its owner did not ask
// for must not go unseen.
func (c Staff) CorrectionDecided(ctx context.Context, tx *store.Tx, n staff.DecidedNotice) error {
	to, _, err := c.recipient(ctx, tx, n.Employee.ID)
	if err != nil {
		return err
	}
	p := mail.CorrectionDecided{By: n.OfficerName, At: c.Clock(), Page: pageCorrections}
	for _, i := range n.Items {
		d := mail.Decision{Field: mail.Field(i.Field), Accepted: i.Accepted}
		if !i.Accepted {
			d.Reason = c.Words(string(to.Lang), "staff.reason."+string(i.ReasonCode))
			if i.ReasonText != "" {
				d.Reason += ": " + i.ReasonText
			}
		}
		p.Decisions = append(p.Decisions, d)
	}
	addresses := []string{to.Email}
	if n.FormerEmail != "" && n.FormerEmail != to.Email {
		addresses = append(addresses, n.FormerEmail)
	}
	for _, a := range addresses {
		if a == "" {
			continue
		}
		to.Email = a
		if _, err := c.Queue(ctx, tx, mail.Message{To: to, Params: p}, About{EmployeeID: n.Employee.ID}); err != nil {
			return err
		}
	}
	return nil
}
