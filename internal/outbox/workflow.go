package outbox

import (
	"context"

	"absah/internal/mail"
	"absah/internal/signing"
	"absah/internal/store"
)

// Workflow writes the mails about documents that several people sign. It
// implements signing.Courier.
type Workflow struct{ *Outbox }

var _ signing.Courier = Workflow{}

const (
	pageDocument = "/dokumen/berkas/"
	pageBulk     = "/dokumen/massal/"
)

// Workflow implements signing.Courier; nobody is written to without an address.
func (c Workflow) Workflow(ctx context.Context, tx *store.Tx, n signing.Notice) error {
	to, _, err := c.recipient(ctx, tx, n.To)
	if err != nil || to.Email == "" {
		return err
	}
	page := pageDocument + n.DocumentID
	if n.Bulk != "" && n.What != "reject" {
		page = pageBulk + n.Bulk
	}
	_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: mail.WorkflowNotice{
		Event: n.What, Document: n.Document, By: n.By, Role: string(n.Role), Text: n.Text, Page: mail.Path(page),
	}}, About{EmployeeID: n.To})
	return err
}
