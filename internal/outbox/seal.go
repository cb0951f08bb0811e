package outbox

import (
	"context"
	"fmt"

	"absah/internal/ca"
	"absah/internal/mail"
	"absah/internal/seal"
	"absah/internal/store"
)

// Seals writes the mails about institutions' seals. It implements seal.Courier.
type Seals struct{ *Outbox }

var (
	_ seal.Courier = Seals{}
	_ ca.SealNews  = Seals{}
)

// Pages about seals: those of administrators, and those of keepers.
const (
	pageSealAdmin = "/admin/segel/"
	pageSeals     = "/segel"
)

// Seal implements seal.Courier; nobody is written to without an address.
func (c Seals) Seal(ctx context.Context, tx *store.Tx, n seal.Notice) error {
	p := mail.SealNotice{Event: n.What, Seal: n.Seal, Text: n.Text, Count: n.Count, Page: pageSeals}
	if n.ID != "" {
		p.Page = mail.Path(pageSeals + "/permintaan/" + n.ID)
	}
	if n.By != "" {
		by, err := tx.GetEmployee(ctx, n.By)
		if err != nil {
			return fmt.Errorf("read who did it: %w", err)
		}
		p.By = by.Name
	}
	for _, id := range n.To {
		to, _, err := c.recipient(ctx, tx, id)
		if err != nil {
			return err
		}
		if to.Email == "" {
			continue
		}
		if _, err := c.Queue(ctx, tx, mail.Message{To: to, Params: p}, About{EmployeeID: id}); err != nil {
			return err
		}
	}
	if n.Admins == "" {
		return nil
	}
	p.Page = mail.Path(pageSealAdmin + n.SealID)
	return c.toHolders(ctx, tx, n.Admins, p, "administrator")
}

// Certified implements ca.SealNews: the administrators hear what became of what
// they ordered.
func (c Seals) Certified(ctx context.Context, tx *store.Tx, sealID, problem string) error {
	row, err := tx.GetSeal(ctx, sealID)
	if err != nil {
		return fmt.Errorf("read seal: %w", err)
	}
	what := seal.NewsMade
	if problem != "" {
		what = seal.NewsFailed
	}
	return c.Seal(ctx, tx, seal.Notice{What: what, Admins: "system:ca", Seal: row.Name, SealID: sealID, Text: problem})
}
