package staff

import (
	"context"
	"fmt"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// correction opens a row with its items, in the order of the form.
func (s *Service) correction(ctx context.Context, q *db.Queries, r db.Correction) (Correction, error) {
	c := Correction{
		ID: r.ID, Reference: r.Reference, EmployeeID: r.EmployeeID, State: CorrectionState(r.State),
		SubmittedAt: clock.FromMicros(r.SubmittedAt), ClaimedBy: r.ClaimedBy.String, ClaimedAt: clock.FromMicros(r.ClaimedAt),
		DecidedBy: r.DecidedBy.String, DecidedAt: clock.FromMicros(r.DecidedAt), Version: r.Version,
	}
	rows, err := q.CorrectionItems(ctx, r.ID)
	if err != nil {
		return Correction{}, fmt.Errorf("read correction: %w", err)
	}
	for _, f := range CorrectableFields() {
		for _, row := range rows {
			if row.Field != string(f) {
				continue
			}
			i, err := s.item(ctx, row)
			if err != nil {
				return Correction{}, err
			}
			c.Items = append(c.Items, i)
		}
	}
	return c, nil
}

func (s *Service) item(ctx context.Context, r db.CorrectionItem) (Item, error) {
	i := Item{
		ID: r.ID, Field: Field(r.Field), EvidenceID: r.EvidenceID.String, State: ItemState(r.State),
		ReasonCode: ReasonCode(r.ReasonCode), ReasonText: r.ReasonText, DecidedAt: clock.FromMicros(r.DecidedAt),
	}
	before, err := s.Vault.Open(ctx, keys.Data, r.BeforeSealed, itemContext(r.ID, "before"))
	if err != nil {
		return Item{}, fmt.Errorf("open correction: %w", err)
	}
	after, err := s.Vault.Open(ctx, keys.Data, r.AfterSealed, itemContext(r.ID, "after"))
	if err != nil {
		return Item{}, fmt.Errorf("open correction: %w", err)
	}
	i.Before, i.After = string(before), string(after)
	return i, nil
}

// OpenCorrection returns the open correction of an employee, nil when there is
// none.
func (s *Service) OpenCorrection(ctx context.Context, employeeID string) (*Correction, error) {
	q := s.Store.Read()
	row, err := q.OpenCorrection(ctx, employeeID)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read open correction: %w", err)
	}
	c, err := s.correction(ctx, q, row)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Corrections lists the corrections of an employee, the latest first.
func (s *Service) Corrections(ctx context.Context, employeeID string) ([]Correction, error) {
	q := s.Store.Read()
	rows, err := q.ListCorrectionsOfEmployee(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list corrections: %w", err)
	}
	list := make([]Correction, 0, len(rows))
	for _, r := range rows {
		c, err := s.correction(ctx, q, r)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// Desk is who has a correction: the officer who took it, or the HR unit in
// whose queue it waits.
type Desk struct {
	UnitName    string
	OfficerName string // empty when nobody has taken it
}

// DeskOf tells the employee who has the correction: the nearest unit with an HR
// officer besides the employee, and the officer who took it.
func (s *Service) DeskOf(ctx context.Context, c Correction) (Desk, error) {
	q := s.Store.Read()
	e, err := q.GetEmployee(ctx, c.EmployeeID)
	if err != nil {
		return Desk{}, notFound(err, "read employee")
	}
	var d Desk
	if c.ClaimedBy != "" {
		o, err := q.GetEmployee(ctx, c.ClaimedBy)
		if err != nil {
			return Desk{}, notFound(err, "read officer")
		}
		d.OfficerName = o.Name
	}
	above, err := q.HROfficersAbove(ctx, e.UnitID)
	if err != nil {
		return Desk{}, fmt.Errorf("look for HR officers: %w", err)
	}
	chain, err := q.UnitAncestors(ctx, e.UnitID)
	if err != nil {
		return Desk{}, fmt.Errorf("read units above: %w", err)
	}
	if len(chain) > 0 {
		d.UnitName = chain[0].Name // officers of everywhere sit at the top
	}
	for _, o := range above {
		if o.EmployeeID.String == e.ID || c.ClaimedBy != "" && o.EmployeeID.String != c.ClaimedBy {
			continue
		}
		for _, u := range chain {
			if u.Depth == o.Depth {
				d.UnitName = u.Name
			}
		}
		break
	}
	return d, nil
}
