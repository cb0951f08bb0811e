package enrolment

import (
	"context"
	"encoding/json"
	"fmt"

	"absah/internal/audit"
	"absah/internal/store"
)

// MaySee reports whether who works on the open registration of an employee, by
// having claimed it, and the scan is one of those that are judged in it. It is
// staff.Cases.
func (s *Service) MaySee(ctx context.Context, who audit.Actor, employeeID, evidenceID string) (bool, error) {
	r, err := s.Store.Read().OpenRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for an open registration: %w", err)
	}
	if who.EmployeeID == "" || r.ClaimedBy.String != who.EmployeeID {
		return false, nil
	}
	snapshot, err := s.Snapshot(ctx, r)
	if err != nil {
		return false, err
	}
	var judged struct {
		Evidence []struct {
			ID string `json:"id"`
		} `json:"evidence"`
	}
	if err := json.Unmarshal(snapshot, &judged); err != nil {
		return false, fmt.Errorf("read snapshot of %s: %w", r.ID, err)
	}
	for _, e := range judged.Evidence {
		if e.ID == evidenceID {
			return true, nil
		}
	}
	return false, nil
}
