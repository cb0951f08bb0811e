package staff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Snapshot is what registration officers judge: the employee's data and the
// hashes of the scans that stand. It holds the NIK in clear, so whoever keeps
// it seals it. Two snapshots are of the same data if and only if their Hash is
// the same.
type Snapshot struct {
	EmployeeID string         `json:"employee_id"`
	NIP        string         `json:"nip"`
	NIK        string         `json:"nik"`
	Name       string         `json:"name"`
	Position   string         `json:"position"`
	Grade      string         `json:"grade"`
	UnitID     string         `json:"unit_id"`
	UnitName   string         `json:"unit_name"`
	Email      string         `json:"email"`
	Phone      string         `json:"phone"`
	BirthPlace string         `json:"birth_place"`
	BirthDate  string         `json:"birth_date"` // YYYY-MM-DD
	Sex        string         `json:"sex"`        // M, F or empty
	Evidence   []SnapshotScan `json:"evidence"`   // by kind
}

// SnapshotScan is one scan in a Snapshot.
type SnapshotScan struct {
	ID     string `json:"id"`
	Kind   Field  `json:"kind"`
	SHA256 string `json:"sha256"` // of the plain file as stored, in hexadecimal
}

// Scan returns the scan of a kind, and false when there is none.
func (s Snapshot) Scan(kind Field) (SnapshotScan, bool) {
	for _, e := range s.Evidence {
		if e.Kind == kind {
			return e, true
		}
	}
	return SnapshotScan{}, false
}

// Snapshot reads what stands now; q may be that of a transaction. It fails with
// ErrNotFound.
func (s *Service) Snapshot(ctx context.Context, q *db.Queries, employeeID string) (Snapshot, error) {
	rows, err := q.EmployeeSnapshots(ctx, employeeID)
	if err != nil {
		return Snapshot{}, fmt.Errorf("read employee: %w", err)
	}
	if len(rows) == 0 {
		return Snapshot{}, fmt.Errorf("read employee: %w", ErrNotFound)
	}
	return s.snapshot(ctx, rows)
}

// Standing is the snapshot of an employee and whether he is one still.
type Standing struct {
	Snapshot
	Active bool
}

// Snapshots reads what stands now for several employees, by identifier. One who
// is not there is left out.
func (s *Service) Snapshots(ctx context.Context, tx *store.Tx, employeeIDs []string) (map[string]Standing, error) {
	rows, err := store.Of(tx, employeeIDs).EmployeeSnapshots(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read employees: %w", err)
	}
	out := map[string]Standing{}
	for len(rows) > 0 { // the rows of an employee follow one another
		n := 1
		for n < len(rows) && rows[n].ID == rows[0].ID {
			n++
		}
		snap, err := s.snapshot(ctx, rows[:n])
		if err != nil {
			return nil, err
		}
		out[snap.EmployeeID] = Standing{snap, rows[0].Active}
		rows = rows[n:]
	}
	return out, nil
}

// snapshot makes one of the rows of an employee, which are ordered by kind of
// scan.
func (s *Service) snapshot(ctx context.Context, rows []db.EmployeeSnapshotsRow) (Snapshot, error) {
	r := rows[0]
	e, err := s.open(ctx, db.Employee{ID: r.ID, Nip: r.Nip, NikSealed: r.NikSealed})
	if err != nil {
		return Snapshot{}, err
	}
	snap := Snapshot{
		EmployeeID: e.ID, NIP: e.NIP.String(), NIK: e.NIK.Reveal(), Name: r.Name, Position: r.Position, Grade: r.Grade,
		UnitID: r.UnitID, UnitName: r.UnitName, Email: r.Email, Phone: r.Phone, BirthPlace: r.BirthPlace,
		BirthDate: r.BirthDate, Sex: r.Sex, Evidence: []SnapshotScan{},
	}
	for _, scan := range rows {
		if scan.ScanID != "" {
			snap.Evidence = append(snap.Evidence, SnapshotScan{ID: scan.ScanID, Kind: Field(scan.ScanKind), SHA256: hex.EncodeToString(scan.ScanSha256)})
		}
	}
	return snap, nil
}

// Canonical is the one JSON text of the snapshot: fields in the order of the
// type, no spaces, no escaping beyond that of JSON.
func (s Snapshot) Canonical() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic("staff: a snapshot of strings does not marshal") // cannot happen
	}
	return b
}

// Hash is SHA-256 over Canonical.
func (s Snapshot) Hash() [sha256.Size]byte { return sha256.Sum256(s.Canonical()) }

// ParseSnapshot is the inverse of Canonical.
func ParseSnapshot(b []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

// Applicants is a Service as package enrolment asks for it.
type Applicants struct{ *Service }

// Snapshot returns the canonical bytes of what officers judge about an employee
// now, and whether all five prerequisites are valid.
func (a Applicants) Snapshot(ctx context.Context, q *db.Queries, employeeID string) (canonical []byte, complete bool, err error) {
	snap, err := a.Service.Snapshot(ctx, q, employeeID)
	if err != nil {
		return nil, false, err
	}
	checks, err := a.Prerequisites(ctx, q, employeeID)
	if err != nil {
		return nil, false, err
	}
	return snap.Canonical(), checks.Complete(), nil
}
