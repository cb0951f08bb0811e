package account

import (
	"context"
	"fmt"
	"strings"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Detail is an account as its administration shows it.
type Detail struct {
	Account  db.Account
	Employee *db.Employee // nil when it belongs to none
	Grants   []db.RoleGrantsWithUnitsRow
	Links    []db.LiveInvitationsRow
	Factors  Factors
	Locked   bool
	Waiting  []db.OpenRoleRequestsRow // roles that wait for another administrator
	ShowLink bool                     // SendLink may show one
}

// Detail reads an account. It fails with ErrNotFound.
func (s *Service) Detail(ctx context.Context, id string) (Detail, error) {
	q := s.Store.Read()
	a, err := q.GetAccount(ctx, id)
	if store.IsNotFound(err) {
		return Detail{}, ErrNotFound
	}
	if err != nil {
		return Detail{}, fmt.Errorf("read account: %w", err)
	}
	d := Detail{Account: a, Locked: a.LockedUntil > s.now()}
	if a.EmployeeID.Valid {
		e, err := q.GetEmployee(ctx, a.EmployeeID.String)
		if err != nil {
			return Detail{}, fmt.Errorf("read employee of account: %w", err)
		}
		d.Employee = &e
	}
	if d.Grants, err = q.RoleGrantsWithUnits(ctx, id); err != nil {
		return Detail{}, fmt.Errorf("read roles: %w", err)
	}
	if d.Links, err = q.LiveInvitations(ctx, db.LiveInvitationsParams{AccountID: id, ExpiresAt: s.now()}); err != nil {
		return Detail{}, fmt.Errorf("read links: %w", err)
	}
	if d.Waiting, err = s.RoleRequests(ctx, id); err != nil {
		return Detail{}, err
	}
	powerful, err := s.powerful(ctx, q, id)
	if err != nil {
		return Detail{}, err
	}
	d.ShowLink = CanShowLink(a) && !powerful
	d.Factors, err = s.Factors(ctx, id)
	return d, err
}

// Search lists accounts by user name, after the given one: all of them, or
// those whose user name or a word of whose name begins with text.
func (s *Service) Search(ctx context.Context, text, after string, limit int) ([]db.Account, error) {
	var rows []db.Account
	var err error
	if text = strings.ToLower(strings.TrimSpace(text)); text == "" {
		rows, err = s.Store.Read().ListAccounts(ctx, db.ListAccountsParams{After: after, MaxRows: int32(limit)})
	} else {
		like := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
		rows, err = s.Store.Read().SearchAccounts(ctx, db.SearchAccountsParams{
			Username: NormalUsername(like) + "%", Beginning: like + "%", Within: "% " + like + "%",
			After: after, MaxRows: int32(limit),
		})
	}
	if err != nil {
		return nil, fmt.Errorf("search accounts: %w", err)
	}
	return rows, nil
}
