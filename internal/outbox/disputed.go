package outbox

import (
	"context"

	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// CertificateDisputed tells the service desk (desk; none when its address is
// empty) and the employee that the employee reported a certificate.
func (o *Outbox) CertificateDisputed(ctx context.Context, tx *store.Tx, c db.Certificate, desk mail.Recipient) error {
	to, _, err := o.recipient(ctx, tx, c.EmployeeID)
	if err != nil {
		return err
	}
	about := About{EmployeeID: c.EmployeeID, RegistrationID: c.RegistrationID}
	report := mail.CertificateDisputed{Serial: c.Serial, At: o.Clock(), Page: "/ds/atas-nama-saya"}
	if _, err := o.Queue(ctx, tx, mail.Message{To: to, Params: report}, about); err != nil || desk.Email == "" {
		return err
	}
	report.Desk, report.Page = true, "/servicedesk"
	_, err = o.Queue(ctx, tx, mail.Message{To: desk, Params: report}, about)
	return err
}
