package enrolment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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
	var scans judgedScans
	if err := json.Unmarshal(snapshot, &scans); err != nil {
		return false, fmt.Errorf("read snapshot of %s: %w", r.ID, err)
	}
	for _, e := range scans.Evidence {
		if e.ID == evidenceID {
			return true, nil
		}
	}
	return false, nil
}

// judgedScans are the scans in the canonical bytes of People.Snapshot.
type judgedScans struct {
	Evidence []struct {
		ID     string `json:"id"`
		Kind   string `json:"kind"`
		SHA256 string `json:"sha256"`
	} `json:"evidence"`
}

// changedFields names what differs between two snapshots, as Fields does; nil
// when they cannot be told apart by fields.
func changedFields(before, after []byte) []string {
	a, err := fieldsOf(before)
	if err != nil {
		return nil
	}
	b, err := fieldsOf(after)
	if err != nil {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// fieldsOf gives the values of a snapshot by field: texts as they are, scans by
// their hash. Identifiers of rows say nothing to people; the unit's name does.
func fieldsOf(snapshot []byte) (map[string]string, error) {
	var all map[string]any
	if err := json.Unmarshal(snapshot, &all); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	var scans judgedScans
	if err := json.Unmarshal(snapshot, &scans); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	out := map[string]string{}
	for name, v := range all {
		text, ok := v.(string)
		switch {
		case !ok, name == "employee_id", name == "unit_id":
		case name == "unit_name":
			out["unit"] = text
		default:
			out[name] = text
		}
	}
	for _, e := range scans.Evidence {
		out[e.Kind] = e.SHA256
	}
	return out, nil
}
