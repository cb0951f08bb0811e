package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"absah/internal/audit"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// NewAccount is an account to be made.
type NewAccount struct {
	Username    string
	DisplayName string
	Email       string
	EmployeeID  string // empty for people who are not on the staff
	Locale      string // id or en; empty is id
}

// CreateAccount makes an account without a password. It fails with ErrTaken.
func (s *Service) CreateAccount(ctx context.Context, tx *store.Tx, who audit.Actor, n NewAccount) (db.Account, error) {
	a, err := s.insert(ctx, tx, n)
	if err != nil {
		return db.Account{}, err
	}
	return a, s.record(ctx, tx, who, "account.create", a.ID, nil)
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, n NewAccount) (db.Account, error) {
	n.Username = NormalUsername(n.Username)
	_, err := tx.GetAccountByUsername(ctx, n.Username)
	if err == nil {
		return db.Account{}, ErrTaken
	}
	if !store.IsNotFound(err) {
		return db.Account{}, fmt.Errorf("create account: %w", err)
	}
	if n.Locale == "" {
		n.Locale = "id"
	}
	now := s.now()
	p := db.InsertAccountParams{
		ID: ident.New(), EmployeeID: nullable(n.EmployeeID), Username: n.Username, DisplayName: n.DisplayName,
		Email: n.Email, State: Invited, Locale: n.Locale, CreatedAt: now,
	}
	if err := tx.InsertAccount(ctx, p); err != nil {
		if store.IsUnique(err) {
			return db.Account{}, ErrTaken
		}
		return db.Account{}, fmt.Errorf("create account: %w", err)
	}
	return db.Account{
		ID: p.ID, EmployeeID: p.EmployeeID, Username: p.Username, DisplayName: p.DisplayName, Email: p.Email,
		State: Invited, Locale: p.Locale, CreatedAt: now, UpdatedAt: now,
	}, nil
}

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// CreateEmployeeAccount makes the account of an employee, whose user name is
// his NIP, and returns the one that he has already if there is one. The act
// that made the employee is what stands in the record.
func (s *Service) CreateEmployeeAccount(ctx context.Context, tx *store.Tx, e db.Employee) (db.Account, error) {
	a, err := tx.GetAccountByEmployee(ctx, nullable(e.ID))
	if err == nil {
		return a, nil
	}
	if !store.IsNotFound(err) {
		return db.Account{}, fmt.Errorf("find account of employee: %w", err)
	}
	return s.insert(ctx, tx, NewAccount{Username: e.Nip, DisplayName: e.Name, Email: e.Email, EmployeeID: e.ID, Locale: e.Locale})
}

// mayManage holds the rules for changing somebody's rights.
func (s *Service) mayManage(v *Viewer, accountID string) error {
	if !v.HasRole(Administrator) || v.MustEnrol || v.Session.State != Full {
		return ErrNotAllowed
	}
	if v.Account.ID == accountID {
		return ErrSelf
	}
	return s.RequireFresh(v, s.Policy.Fresh)
}

// GrantTx gives a role at once, whichever it is: for the operator at the machine
// (the first start, the demonstration). AskRole is what administrators have.
func (s *Service) GrantTx(ctx context.Context, tx *store.Tx, who audit.Actor, accountID string, role Role, unitID string) error {
	if _, err := s.mayHold(ctx, tx, accountID, role, unitID); err != nil {
		return err
	}
	return s.give(ctx, tx, who, accountID, role, unitID, map[string]string{})
}

// mayHold locks an account and tells whether it may have the role besides those
// that it has.
func (s *Service) mayHold(ctx context.Context, tx *store.Tx, accountID string, role Role, unitID string) (db.Account, error) {
	if _, ok := ParseRole(string(role)); !ok {
		return db.Account{}, ErrNotFound
	}
	a, err := tx.LockAccount(ctx, accountID)
	if store.IsNotFound(err) {
		return a, ErrNotFound
	}
	if err != nil {
		return a, fmt.Errorf("grant role: %w", err)
	}
	if role.decides() && !a.EmployeeID.Valid {
		return a, ErrNeedsEmployee
	}
	grants, err := grantsOf(ctx, tx.Queries, accountID)
	if err != nil {
		return a, err
	}
	for _, g := range grants {
		if g.Role == role && g.UnitID == unitID {
			return a, ErrTaken
		}
		if excludes(g.Role, role) {
			return a, ErrConflictingRoles
		}
	}
	if unitID != Everywhere {
		if _, err := tx.GetUnit(ctx, unitID); store.IsNotFound(err) {
			return a, ErrNotFound
		} else if err != nil {
			return a, fmt.Errorf("grant role: %w", err)
		}
	}
	return a, nil
}

// give stores a role that mayHold allowed, and records it with detail.
func (s *Service) give(ctx context.Context, tx *store.Tx, who audit.Actor, accountID string, role Role, unitID string, detail map[string]string) error {
	err := tx.InsertRoleGrant(ctx, db.InsertRoleGrantParams{
		ID: ident.New(), AccountID: accountID, Role: string(role), UnitID: nullable(unitID),
		GrantedBy: who.AccountID, GrantedAt: s.now(),
	})
	if err != nil {
		return fmt.Errorf("grant role: %w", err)
	}
	detail["role"], detail["unit"] = string(role), unitID
	return s.record(ctx, tx, who, "account.role.grant", accountID, detail)
}

// excludes tells whether one person may not hold both roles: whoever decides
// about people neither hands out the right to do so nor audits it.
func excludes(a, b Role) bool {
	apart := func(r Role) bool { return r == Administrator || r == Auditor }
	return a.decides() && apart(b) || b.decides() && apart(a)
}

// Revoke takes a grant away. It fails with ErrSelf, ErrLastAdministrator or
// ErrNotFound.
func (s *Service) Revoke(ctx context.Context, v *Viewer, accountID, grantID string) error {
	if err := s.mayManage(v, accountID); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.LockAccount(ctx, accountID)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("revoke role: %w", err)
		}
		g, err := tx.GetRoleGrant(ctx, db.GetRoleGrantParams{ID: grantID, AccountID: accountID})
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("revoke role: %w", err)
		}
		if Role(g.Role) == Administrator {
			if err := othersAdministrate(ctx, tx, accountID); err != nil {
				return err
			}
		}
		if _, err := tx.DeleteRoleGrant(ctx, db.DeleteRoleGrantParams{ID: grantID, AccountID: accountID}); err != nil {
			return fmt.Errorf("revoke role: %w", err)
		}
		err = s.record(ctx, tx, v.Actor(Administrator), "account.role.revoke", accountID,
			map[string]string{"role": g.Role, "unit": g.UnitID.String})
		if err != nil || Role(g.Role) != Administrator || a.State != Active {
			return err
		}
		left, err := grantsOf(ctx, tx.Queries, accountID)
		if err != nil || holds(left, Administrator) {
			return err
		}
		return s.noMore(ctx, tx, v.Actor(Administrator), a)
	})
}

func othersAdministrate(ctx context.Context, tx *store.Tx, accountID string) error {
	n, err := tx.CountActiveAdministrators(ctx, accountID)
	if err != nil {
		return fmt.Errorf("count administrators: %w", err)
	}
	if n == 0 {
		return ErrLastAdministrator
	}
	return nil
}

// Disable shuts an account: its sessions and links are dead with the commit. It
// fails with ErrSelf, ErrLastAdministrator or ErrNotFound.
func (s *Service) Disable(ctx context.Context, v *Viewer, accountID string) error {
	if err := s.mayManage(v, accountID); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		grants, err := grantsOf(ctx, tx.Queries, accountID)
		if err != nil {
			return err
		}
		for _, g := range grants {
			if g.Role == Administrator {
				if err := othersAdministrate(ctx, tx, accountID); err != nil {
					return err
				}
			}
		}
		return s.DisableTx(ctx, tx, v.Actor(Administrator), accountID)
	})
}

// DisableTx is Disable for processes, such as the import of somebody's leaving.
func (s *Service) DisableTx(ctx context.Context, tx *store.Tx, who audit.Actor, accountID string) error {
	a, err := tx.LockAccount(ctx, accountID)
	if store.IsNotFound(err) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("disable account: %w", err)
	}
	if a.State == Disabled {
		return nil
	}
	now := s.now()
	if err := tx.SetAccountState(ctx, db.SetAccountStateParams{ID: accountID, State: Disabled, UpdatedAt: now}); err != nil {
		return fmt.Errorf("disable account: %w", err)
	}
	err = tx.SupersedeAllInvitations(ctx, db.SupersedeAllInvitationsParams{AccountID: accountID, SupersededAt: now})
	if err != nil {
		return fmt.Errorf("disable account: %w", err)
	}
	if err := s.endOthers(ctx, tx, accountID, ""); err != nil {
		return err
	}
	if _, err := tx.LapseRoleRequests(ctx, db.LapseRoleRequestsParams{AccountID: accountID, AskedBy: accountID, Now: now}); err != nil {
		return fmt.Errorf("disable account: %w", err)
	}
	grants, err := grantsOf(ctx, tx.Queries, accountID)
	if err != nil {
		return err
	}
	if a.State == Active && holds(grants, Administrator) {
		if err := s.noMore(ctx, tx, who, a); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, who, "account.disable", accountID, nil)
}

// Enable opens a disabled account again, as it was: with its password, or
// waiting for an activation. Its powerful roles wait for another administrator.
func (s *Service) Enable(ctx context.Context, v *Viewer, accountID string) error {
	if err := s.mayManage(v, accountID); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.LockAccount(ctx, accountID)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("enable account: %w", err)
		}
		if a.State != Disabled {
			return nil
		}
		next := Active
		if a.PasswordHash == "" {
			next = Invited
		}
		err = tx.SetAccountState(ctx, db.SetAccountStateParams{ID: accountID, State: next, UpdatedAt: s.now()})
		if err != nil {
			return fmt.Errorf("enable account: %w", err)
		}
		if err := s.record(ctx, tx, v.Actor(Administrator), "account.enable", accountID, nil); err != nil {
			return err
		}
		return s.askAgain(ctx, tx, v.Actor(Administrator), a)
	})
}

// ResetFactors removes every second factor of somebody who lost them all. His
// sessions end, and he is told.
func (s *Service) ResetFactors(ctx context.Context, v *Viewer, accountID string) error {
	if err := s.mayManage(v, accountID); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.LockAccount(ctx, accountID)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("reset second factors: %w", err)
		}
		err = tx.SetTOTP(ctx, db.SetTOTPParams{ID: accountID, TotpSealed: nil, TotpStep: 0, UpdatedAt: s.now()})
		if err := errors.Join(err, tx.DeletePasskeys(ctx, accountID), tx.DeleteRecoveryCodes(ctx, accountID)); err != nil {
			return fmt.Errorf("reset second factors: %w", err)
		}
		if err := s.endOthers(ctx, tx, accountID, ""); err != nil {
			return err
		}
		if s.Courier != nil && a.Email != "" {
			if err := s.Courier.SecurityChanged(ctx, tx, a, FactorsReset); err != nil {
				return fmt.Errorf("tell about the change: %w", err)
			}
		}
		return s.record(ctx, tx, v.Actor(Administrator), "account.factors_reset", accountID, nil)
	})
}

// SendLink makes a new link for an account: to activate it, or to set a
// forgotten password. It goes by mail. Only for an account that belongs to no
// employee and was never activated it is returned instead, to be shown once:
// an administrator must not be able to open an officer's account, nor that of
// another administrator. It fails with ErrNewAddress while the address is too new for a forgotten password.
func (s *Service) SendLink(ctx context.Context, v *Viewer, accountID string, show bool) (token string, err error) {
	if err := s.mayManage(v, accountID); err != nil {
		return "", err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		token = ""
		a, err := tx.LockAccount(ctx, accountID)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("send link: %w", err)
		}
		if a.State == Disabled || show && !CanShowLink(a) || !show && a.Email == "" {
			return ErrNotAllowed
		}
		if show {
			if powerful, err := s.powerful(ctx, tx.Queries, a.ID); err != nil {
				return err
			} else if powerful {
				return ErrNotAllowed
			}
		}
		purpose, how := Activate, "mail"
		if a.PasswordHash != "" {
			purpose = ResetPassword
			if held, err := s.held(ctx, tx, a.ID); err != nil {
				return err
			} else if held {
				return ErrNewAddress
			}
		}
		if show {
			how = "shown"
			token, err = s.Invite(ctx, tx, a.ID, purpose)
		} else {
			err = s.invite(ctx, tx, a, purpose)
		}
		if err != nil {
			return err
		}
		return s.record(ctx, tx, v.Actor(Administrator), "account.link.send", accountID,
			map[string]string{"purpose": string(purpose), "how": how})
	})
	return token, err
}

// CanShowLink tells whether an administrator may see the activation link of an
// account instead of having it mailed, as far as its roles allow it.
func CanShowLink(a db.Account) bool {
	return !a.EmployeeID.Valid && a.PasswordHash == "" && a.State == Invited
}

// SetLocale sets the language in which the account is written to.
func (s *Service) SetLocale(ctx context.Context, v *Viewer, locale string) error {
	if locale != "id" && locale != "en" {
		return ErrNotFound
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.SetAccountLocale(ctx, db.SetAccountLocaleParams{ID: v.Account.ID, Locale: locale})
	})
}

// AdminUsername is the user name of the first administrator.
const AdminUsername = "admin"

// BootstrapAdmin makes the first administrator and returns the token of the
// link that activates it; asked again before anybody used it, it makes a new
// link. It fails with ErrBootstrapped once an administrator is active.
func (s *Service) BootstrapAdmin(ctx context.Context) (token string, err error) {
	who := audit.System("init")
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		admins, err := tx.Administrators(ctx)
		if err != nil {
			return fmt.Errorf("find administrators: %w", err)
		}
		var first *db.Account
		for i, a := range admins {
			if a.State == Active {
				return ErrBootstrapped
			}
			if a.Username == AdminUsername && a.State == Invited {
				first = &admins[i]
			}
		}
		if first == nil {
			a, err := s.CreateAccount(ctx, tx, who, NewAccount{Username: AdminUsername, DisplayName: "Administrator"})
			if err != nil {
				return err
			}
			if err := s.GrantTx(ctx, tx, who, a.ID, Administrator, Everywhere); err != nil {
				return err
			}
			first = &a
		}
		if token, err = s.Invite(ctx, tx, first.ID, Activate); err != nil {
			return err
		}
		return s.record(ctx, tx, who, "account.link.send", first.ID, map[string]string{"purpose": string(Activate), "how": "init"})
	})
	return token, err
}
