package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Register is a breach in the register.
type Register struct {
	ID        string
	Reference string
	KnownAt   time.Time
	DueAt     time.Time // of the notices to subjects and authority
	ToldAt    time.Time // zero: the letters to the subjects were not sent from here
	Affected  int64
	What      string
}

// Late reports whether the notices are overdue.
func (r Register) Late(now time.Time) bool { return r.ToldAt.IsZero() && !now.Before(r.DueAt) }

// breachScope is what a row says of an exposure.
type breachScope struct {
	Account  string
	Scans    []string
	AllScans bool `json:"all_scans"`
	Database bool
	Since    time.Time
	Until    time.Time
	What     string
	Done     string
}

func scopeOf(b db.Breach) (breachScope, error) {
	var s breachScope
	if err := json.Unmarshal([]byte(b.Scope), &s); err != nil {
		return s, fmt.Errorf("read breach: %w", err)
	}
	return s, nil
}

func registerOf(b db.Breach, s breachScope) Register {
	r := Register{
		ID: b.ID, Reference: b.Reference, KnownAt: clock.FromMicros(b.KnownAt), DueAt: clock.FromMicros(b.DueAt), Affected: b.Affected, What: s.What,
	}
	if b.ToldAt > 0 {
		r.ToldAt = clock.FromMicros(b.ToldAt)
	}
	return r
}

// Breaches is the register, the latest first.
func (s *Service) Breaches(ctx context.Context) ([]Register, error) {
	rows, err := s.Store.Read().Breaches(ctx)
	if err != nil {
		return nil, fmt.Errorf("list breaches: %w", err)
	}
	out := make([]Register, len(rows))
	for i, b := range rows {
		scope, err := scopeOf(b)
		if err != nil {
			return nil, err
		}
		out[i] = registerOf(b, scope)
	}
	return out, nil
}

// Breach returns a breach of the register with everybody whom it concerns, and
// what was exposed. It fails with ErrNotFound.
func (s *Service) Breach(ctx context.Context, reference string) (Register, Report, Exposure, error) {
	b, err := s.Store.Read().GetBreachByReference(ctx, reference)
	if store.IsNotFound(err) {
		return Register{}, Report{}, Exposure{}, ErrNotFound
	}
	if err != nil {
		return Register{}, Report{}, Exposure{}, fmt.Errorf("read breach: %w", err)
	}
	scope, err := scopeOf(b)
	if err != nil {
		return Register{}, Report{}, Exposure{}, err
	}
	reg := registerOf(b, scope)
	r := Report{
		ID: b.ID, Reference: b.Reference, KnownAt: reg.KnownAt, DueAt: reg.DueAt, Since: scope.Since, Until: scope.Until, What: scope.What, Done: scope.Done,
	}
	subjects, err := s.Store.Read().BreachSubjects(ctx, b.ID)
	if err != nil {
		return reg, r, Exposure{}, fmt.Errorf("read whom the breach concerns: %w", err)
	}
	for _, x := range subjects {
		a := Affected{EmployeeID: x.EmployeeID, NIP: x.Nip, Name: x.Name, Email: x.Email}
		if err := json.Unmarshal([]byte(x.Data), &a.Data); err != nil {
			return reg, r, Exposure{}, fmt.Errorf("read breach: %w", err)
		}
		r.Subjects = append(r.Subjects, a)
	}
	return reg, r, Exposure{
		Account: scope.Account, Scans: scope.Scans, AllScans: scope.AllScans, Database: scope.Database, Since: scope.Since, Until: scope.Until,
		KnownAt: reg.KnownAt, What: scope.What, Done: scope.Done,
	}, nil
}

// Preview finds whom an exposure would concern, and puts nothing on record.
func (s *Service) Preview(ctx context.Context, x Exposure) (people int, err error) {
	if err := x.check(); err != nil {
		return 0, err
	}
	found, err := s.affected(ctx, x)
	return len(found), err
}

// NoteExport records that somebody took the list of a breach along.
func (s *Service) NoteExport(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error { return s.record(ctx, tx, who, "privacy.breach.export", "breach", id, nil) })
}
