package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The states of a role that was asked for.
const (
	RoleOpen      = "open"
	RoleGranted   = "granted"
	RoleAlone     = "alone" // given at once: there was nobody else to ask
	RoleRefused   = "refused"
	RoleWithdrawn = "withdrawn"
	RoleLapsed    = "lapsed" // its account was shut, or who asked administers no more
)

// MaxReason is how many characters the reason of a refusal has at most.
const MaxReason = 200

// aloneAfter is how long an administrator must have been the only one before
// what he gives takes effect at once: shutting the other one's account must not
// be the way around him.
const aloneAfter = 7 * 24 * time.Hour

// Powerful tells whether the role takes two administrators to give: who holds it
// can have certificates issued, or hand out roles.
func (r Role) Powerful() bool { return r == RegistrationOfficer || r == Administrator }

// What a RoleNotice tells.
const (
	NewsRoleAsked = "asked" // to the other administrators: it waits for them
	NewsRoleAlone = "alone" // to all who hold a powerful role, and auditors
	NewsRoleEnded = "ended" // that an administrator is one no more: to the same, and to him
)

// RoleNotice is what people are told about a powerful role.
type RoleNotice struct {
	What    string
	Account db.Account // whose role it is
	Role    Role
	By      string // account that did it; may be none of a person
}

// Asked is what became of a role that somebody asked for.
type Asked struct {
	Waits bool // for another administrator
	Alone bool // it was given at once, because there is no other administrator
}

// AskRole gives an account a role for a unit and those below it, or Everywhere.
// A powerful one waits until another administrator confirms it; when there is
// none it is given at once, and everybody who holds one is told. It fails with
// ErrSelf, ErrNeedsEmployee, ErrConflictingRoles, ErrNotFound, ErrNotAllowed (the
// account is shut), ErrTaken (it has that role), ErrPending (that was asked
// already) and ErrAloneTooSoon.
func (s *Service) AskRole(ctx context.Context, v *Viewer, accountID string, role Role, unitID string) (out Asked, err error) {
	if err := s.mayManage(v, accountID); err != nil {
		return out, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		out = Asked{}
		who := v.Actor(Administrator)
		if !role.Powerful() {
			return s.GrantTx(ctx, tx, who, accountID, role, unitID)
		}
		a, err := s.mayHold(ctx, tx, accountID, role, unitID)
		if err != nil {
			return err
		}
		if a.State == Disabled {
			return ErrNotAllowed
		}
		out, err = s.ask(ctx, tx, who, a, role, unitID)
		return err
	})
	return out, err
}

func (s *Service) ask(ctx context.Context, tx *store.Tx, who audit.Actor, a db.Account, role Role, unitID string) (Asked, error) {
	now := s.now()
	others, err := deciders(ctx, tx, who.AccountID, a.ID, now)
	if err != nil {
		return Asked{}, err
	}
	out := Asked{Waits: len(others) > 0, Alone: len(others) == 0}
	state := RoleOpen
	if out.Alone {
		state = RoleAlone
		last, err := tx.LastAdministratorEnd(ctx, who.AccountID)
		if err != nil {
			return Asked{}, fmt.Errorf("look for the other administrators: %w", err)
		}
		if last > 0 && s.Clock().Before(clock.FromMicros(last).Add(aloneAfter)) {
			return Asked{}, ErrAloneTooSoon
		}
	}
	id := ident.New()
	err = tx.InsertRoleRequest(ctx, db.InsertRoleRequestParams{
		ID: id, AccountID: a.ID, Role: string(role), UnitID: nullable(unitID), State: state, AskedBy: who.AccountID, AskedAt: now,
	})
	if store.IsUnique(err) {
		return Asked{}, ErrPending
	}
	if err != nil {
		return Asked{}, fmt.Errorf("store what role is asked for: %w", err)
	}
	what := NewsRoleAsked
	if out.Alone {
		what = NewsRoleAlone
		err = s.give(ctx, tx, who, a.ID, role, unitID, map[string]string{"request": id, "alone": "true"})
	} else {
		err = s.record(ctx, tx, who, "account.role.ask", a.ID, map[string]string{"role": string(role), "unit": unitID, "request": id})
	}
	if err != nil {
		return Asked{}, err
	}
	return out, s.tellRole(ctx, tx, RoleNotice{What: what, Account: a, Role: role, By: who.AccountID})
}

// deciders are the accounts that may decide what asker wants for accountID.
func deciders(ctx context.Context, tx *store.Tx, asker, accountID string, at int64) ([]string, error) {
	ids, err := tx.RoleDeciders(ctx, db.RoleDecidersParams{AskedBy: asker, AccountID: accountID, AskedAt: at})
	if err != nil {
		return nil, fmt.Errorf("find the other administrators: %w", err)
	}
	return ids, nil
}

func (s *Service) tellRole(ctx context.Context, tx *store.Tx, n RoleNotice) error {
	if s.Courier == nil {
		return nil
	}
	if err := s.Courier.RoleNews(ctx, tx, n); err != nil {
		return fmt.Errorf("tell about a role: %w", err)
	}
	return nil
}

// ConfirmRole gives the role that another administrator asked for. It fails with
// ErrNotFound, ErrSelf (it is for the viewer), ErrOwnRequest, ErrNotThen (the
// viewer was no administrator when it was asked), ErrDecided, and as AskRole.
func (s *Service) ConfirmRole(ctx context.Context, v *Viewer, requestID string) error {
	return s.decide(ctx, v, requestID, RoleGranted, "")
}

// RefuseRole ends what another administrator asked for. It fails as ConfirmRole
// does, and with ErrReason.
func (s *Service) RefuseRole(ctx context.Context, v *Viewer, requestID, reason string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > MaxReason {
		return ErrReason
	}
	return s.decide(ctx, v, requestID, RoleRefused, reason)
}

func (s *Service) decide(ctx context.Context, v *Viewer, requestID, state, reason string) error {
	r, err := s.roleRequest(ctx, requestID)
	if err != nil {
		return err
	}
	if err := s.mayManage(v, r.AccountID); err != nil {
		return err
	}
	if r.AskedBy == v.Account.ID {
		return ErrOwnRequest
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		// Whoever is shut or dismissed meanwhile decides nothing: all three accounts
		// stay as they are until this is done.
		ids := []string{r.AccountID, r.AskedBy, v.Account.ID}
		slices.Sort(ids)
		for _, id := range ids {
			if _, err := tx.LockAccount(ctx, id); err != nil {
				return fmt.Errorf("decide about a role: %w", err)
			}
		}
		may, err := deciders(ctx, tx, r.AskedBy, r.AccountID, r.AskedAt)
		if err != nil {
			return err
		}
		if !slices.Contains(may, v.Account.ID) {
			return ErrNotThen
		}
		who := v.Actor(Administrator)
		if err := s.end(ctx, tx, r.ID, state, reason, nullable(who.AccountID)); err != nil {
			return err
		}
		detail := map[string]string{"request": r.ID, "asked_by": r.AskedBy}
		if state == RoleRefused {
			detail["role"], detail["unit"] = r.Role, r.UnitID.String
			return s.record(ctx, tx, who, "account.role.refuse", r.AccountID, detail)
		}
		a, err := s.mayHold(ctx, tx, r.AccountID, Role(r.Role), r.UnitID.String)
		if err != nil {
			return err
		}
		if a.State == Disabled {
			return ErrNotAllowed
		}
		return s.give(ctx, tx, who, a.ID, Role(r.Role), r.UnitID.String, detail)
	})
}

// WithdrawRole takes back what the viewer asked for. It fails with ErrNotFound
// (also for what another one asked for) and ErrDecided.
func (s *Service) WithdrawRole(ctx context.Context, v *Viewer, requestID string) error {
	r, err := s.roleRequest(ctx, requestID)
	if err != nil {
		return err
	}
	if !v.HasRole(Administrator) || v.MustEnrol || v.Session.State != Full {
		return ErrNotAllowed
	}
	if r.AskedBy != v.Account.ID {
		return ErrNotFound
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.end(ctx, tx, r.ID, RoleWithdrawn, "", sql.NullString{}); err != nil {
			return err
		}
		return s.record(ctx, tx, v.Actor(Administrator), "account.role.withdraw", r.AccountID,
			map[string]string{"role": r.Role, "unit": r.UnitID.String, "request": r.ID})
	})
}

func (s *Service) roleRequest(ctx context.Context, id string) (db.RoleRequest, error) {
	r, err := s.Store.Read().GetRoleRequest(ctx, id)
	if store.IsNotFound(err) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read what role is asked for: %w", err)
	}
	return r, nil
}

func (s *Service) end(ctx context.Context, tx *store.Tx, id, state, reason string, by sql.NullString) error {
	n, err := tx.DecideRoleRequest(ctx, db.DecideRoleRequestParams{ID: id, State: state, DecidedBy: by, Now: s.now(), Reason: reason})
	if err != nil {
		return fmt.Errorf("end what role is asked for: %w", err)
	}
	if n == 0 {
		return ErrDecided
	}
	return nil
}

// noMore writes down that an account is an active administrator no more, and
// lets go what it asked for. who may be no person.
func (s *Service) noMore(ctx context.Context, tx *store.Tx, who audit.Actor, a db.Account) error {
	now := s.now()
	_, err := tx.LapseRoleRequests(ctx, db.LapseRoleRequestsParams{AskedBy: a.ID, Now: now})
	if err == nil {
		err = tx.InsertAdministratorEnd(ctx, db.InsertAdministratorEndParams{ID: ident.New(), AccountID: a.ID, EndedBy: who.AccountID, EndedAt: now})
	}
	if err != nil {
		return fmt.Errorf("end an administrator: %w", err)
	}
	return s.tellRole(ctx, tx, RoleNotice{What: NewsRoleEnded, Account: a, Role: Administrator, By: who.AccountID})
}

// askAgain takes the powerful roles of an account that is opened again and asks
// for them anew: opening it gives them. What nobody can be asked for is gone.
func (s *Service) askAgain(ctx context.Context, tx *store.Tx, who audit.Actor, a db.Account) error {
	grants, err := grantsOf(ctx, tx.Queries, a.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if !g.Role.Powerful() {
			continue
		}
		if _, err := tx.DeleteRoleGrant(ctx, db.DeleteRoleGrantParams{ID: g.ID, AccountID: a.ID}); err != nil {
			return fmt.Errorf("revoke role: %w", err)
		}
		err := s.record(ctx, tx, who, "account.role.revoke", a.ID, map[string]string{"role": string(g.Role), "unit": g.UnitID})
		if err != nil {
			return err
		}
		if _, err := s.ask(ctx, tx, who, a, g.Role, g.UnitID); err != nil && !errors.Is(err, ErrAloneTooSoon) {
			return err
		}
	}
	return nil
}

// powerful tells whether an account holds a powerful role or waits for one.
func (s *Service) powerful(ctx context.Context, q *db.Queries, accountID string) (bool, error) {
	grants, err := grantsOf(ctx, q, accountID)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(grants, func(g Grant) bool { return g.Role.Powerful() }) {
		return true, nil
	}
	rows, err := q.OpenRoleRequests(ctx, accountID)
	if err != nil {
		return false, fmt.Errorf("read what roles are asked for: %w", err)
	}
	return len(rows) > 0, nil
}

func holds(grants []Grant, role Role) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return g.Role == role })
}

// RoleRequests lists what waits, the longest first: of one account, or of all
// when accountID is empty.
func (s *Service) RoleRequests(ctx context.Context, accountID string) ([]db.OpenRoleRequestsRow, error) {
	rows, err := s.Store.Read().OpenRoleRequests(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("list what roles are asked for: %w", err)
	}
	return rows, nil
}

// RolesWaitingFor counts what waits for the decision of an account.
func (s *Service) RolesWaitingFor(ctx context.Context, accountID string) (int, error) {
	n, err := s.Store.Read().CountRoleRequests(ctx, accountID)
	if err != nil {
		return 0, fmt.Errorf("count what roles are asked for: %w", err)
	}
	return int(n), nil
}
