package apiclient

import (
	"context"
	"errors"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

// ErrUnit: there is no unit with this code.
var ErrUnit = errors.New("no such unit")

// Unit gives the unit with a code, for Settings. It fails with ErrUnit.
func (s *Service) Unit(ctx context.Context, code string) (db.Unit, error) {
	u, err := s.Store.Read().GetUnitByCode(ctx, code)
	if store.IsNotFound(err) {
		return u, ErrUnit
	}
	if err != nil {
		return u, fmt.Errorf("find unit: %w", err)
	}
	return u, nil
}

// UnitOf gives the unit that an application is bound to; none is the zero unit.
func (s *Service) UnitOf(ctx context.Context, c Client) (db.Unit, error) {
	if c.Unit == "" {
		return db.Unit{}, nil
	}
	u, err := s.Store.Read().GetUnit(ctx, c.Unit)
	if err != nil {
		return u, fmt.Errorf("find unit of application: %w", err)
	}
	return u, nil
}

// Sees tells whether an application knows the people of a unit: those of every unit
// when it is bound to none, else those of its unit and of the units below that.
func (c *Client) Sees(ctx context.Context, q *db.Queries, unitID string) (bool, error) {
	return InScope(ctx, q, c.Unit, unitID)
}

// Knows tells whether an application knows an employee: Sees for the unit in which
// the employee is.
func (s *Service) Knows(ctx context.Context, c *Client, employeeID string) (bool, error) {
	if c.Unit == "" {
		return true, nil
	}
	e, err := s.Store.Read().GetEmployee(ctx, employeeID)
	if store.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read employee: %w", err)
	}
	return c.Sees(ctx, s.Store.Read(), e.UnitID)
}

// InScope is Sees for the unit that an application is bound to, empty for none.
func InScope(ctx context.Context, q *db.Queries, bound, unitID string) (bool, error) {
	if bound == "" || bound == unitID {
		return true, nil
	}
	n, err := q.InScope(ctx, db.InScopeParams{AncestorID: bound, UnitID: unitID})
	if err != nil {
		return false, fmt.Errorf("look where the unit of an application is: %w", err)
	}
	return n > 0, nil
}

// Settings are what was decided about the application, to change one of them.
func (c *Client) Settings() Settings {
	return Settings{Info: c.Info, Networks: c.Networks, Scopes: c.Scopes, Corner: c.Corner, Rate: c.Rate, Enabled: c.Enabled, Unit: c.Unit}
}

// known fails with ErrUnit when settings name a unit that is not there.
func (s Settings) known(ctx context.Context, tx *store.Tx) error {
	if s.Unit == "" {
		return nil
	}
	_, err := tx.GetUnit(ctx, s.Unit)
	if store.IsNotFound(err) {
		return ErrUnit
	}
	if err != nil {
		return fmt.Errorf("find unit: %w", err)
	}
	return nil
}
