package outbox

import (
	"context"
	"fmt"
	"time"

	"absah/internal/account"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Accounts writes the mails about accounts. It implements account.Courier.
type Accounts struct {
	*Outbox
	Attempts int // wrong ones in a row that lock an account
}

var _ account.Courier = Accounts{}

// owner is who has an account, as the reader of a mail.
func (c Accounts) owner(ctx context.Context, tx *store.Tx, a db.Account) (mail.Recipient, error) {
	if a.EmployeeID.Valid {
		r, _, err := c.recipient(ctx, tx, a.EmployeeID.String)
		return r, err
	}
	return mail.Recipient{Name: a.DisplayName, Email: a.Email, Lang: mail.Lang(a.Locale)}, nil
}

func (c Accounts) tell(ctx context.Context, tx *store.Tx, a db.Account, p mail.Params) error {
	to, err := c.owner(ctx, tx, a)
	if err != nil {
		return err
	}
	if to.Email == "" {
		return nil // nobody has given an address yet; the page shows the link
	}
	_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: p}, About{EmployeeID: a.EmployeeID.String})
	return err
}

// Invitation implements account.Courier. The link into the subscriber portal
// goes with the registration (Registrations.LoginInformation).
func (c Accounts) Invitation(ctx context.Context, tx *store.Tx, inv account.Invitation) error {
	link := mail.Path("/aktivasi/" + inv.Token)
	if inv.Purpose == account.ResetPassword {
		return c.tell(ctx, tx, inv.Account, mail.PasswordReset{
			UserName: inv.Account.Username, Link: link, At: c.Clock(), Expires: inv.Expires,
		})
	}
	grants, err := tx.RoleGrants(ctx, inv.Account.ID)
	if err != nil {
		return fmt.Errorf("read roles: %w", err)
	}
	var roles []string
	for _, g := range grants {
		roles = append(roles, g.Role)
	}
	if len(roles) == 0 {
		roles = []string{"employee"}
	}
	return c.tell(ctx, tx, inv.Account, mail.AccountInvitation{
		UserName: inv.Account.Username, Roles: roles, InvitedBy: c.Renderer.Identity().SenderName, Activation: link, Expires: inv.Expires,
	})
}

// LoginLocked implements account.Courier.
func (c Accounts) LoginLocked(ctx context.Context, tx *store.Tx, a db.Account, until time.Time) error {
	return c.tell(ctx, tx, a, mail.LoginLocked{At: c.Clock(), Attempts: c.Attempts, Until: until, Page: "/lupa-sandi"})
}

// SecurityChanged implements account.Courier.
func (c Accounts) SecurityChanged(ctx context.Context, tx *store.Tx, a db.Account, what account.Change) error {
	if what == account.AddressChanged {
		to, err := c.owner(ctx, tx, a)
		if err != nil {
			return err
		}
		to.Email = a.Email // the new one may be another's
		_, err = c.Queue(ctx, tx, mail.Message{To: to, Params: mail.SecurityChanged{What: string(what), At: c.Clock(), Page: "/akun"}}, About{EmployeeID: a.EmployeeID.String})
		return err
	}
	return c.tell(ctx, tx, a, mail.SecurityChanged{What: string(what), At: c.Clock(), Page: "/akun"})
}

// pageAccounts is where what waits for administrators stands.
const pageAccounts = "/admin/akun"

// RoleNews implements account.Courier. What waits is told to the other
// administrators only; that one acted alone, or is gone, to all who hold a
// powerful role and to auditors.
func (c Accounts) RoleNews(ctx context.Context, tx *store.Tx, n account.RoleNotice) error {
	p := mail.RoleNotice{Event: n.What, Role: string(n.Role), Name: n.Account.DisplayName, UserName: n.Account.Username, At: c.Clock(), Page: "/akun"}
	if by, err := tx.GetAccount(ctx, n.By); err == nil {
		p.By = by.DisplayName
	} else if !store.IsNotFound(err) { // a process did it
		return fmt.Errorf("read who did it: %w", err)
	}
	if n.What == account.NewsRoleAsked {
		p.Page = pageAccounts
		return c.toHolders(ctx, tx, n.By, p, string(account.Administrator))
	}
	if n.What == account.NewsRoleEnded { // he is among the holders no more
		if err := c.tell(ctx, tx, n.Account, p); err != nil {
			return err
		}
	}
	return c.toHolders(ctx, tx, n.By, p, string(account.Administrator), string(account.RegistrationOfficer), string(account.Auditor))
}
