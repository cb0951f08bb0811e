package staff

import (
	"context"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Roles that staff knows of.
const (
	RoleEmployee            = "employee"
	RoleHROfficer           = "hr_officer"
	RoleRegistrationOfficer = "registration_officer"
)

// Purpose says why somebody looked at a scan; the subject reads it.
type Purpose string

// The purposes.
const (
	ForCorrection   Purpose = "correction"   // deciding a change of data
	ForRegistration Purpose = "registration" // checking a registration
)

// Picture is the bytes of a scan.
type Picture struct {
	Bytes     []byte
	MediaType string
	Evidence  Evidence
}

// View opens a scan for somebody who may see it: its owner, the HR officer who
// has taken the correction in which it is proposed, or a registration officer
// with a case of the owner (Cases). A view by anybody but the owner is recorded
// before the bytes are given out. Absent and forbidden scans alike fail with
// ErrNotFound, erased ones too. scopes are
// those of an HR officer.
func (s *Service) View(ctx context.Context, who audit.Actor, scopes []string, evidenceID string, thumb bool) (Picture, error) {
	row, err := s.Store.Read().GetEvidence(ctx, evidenceID)
	if err != nil {
		return Picture{}, notFound(err, "read evidence")
	}
	if row.State == string(Erased) || thumb && len(row.ThumbSealed) == 0 {
		return Picture{}, ErrNotFound
	}
	why, err := s.mayView(ctx, who, scopes, row)
	if err != nil {
		return Picture{}, err
	}
	evidence, err := evidenceOf(row)
	if err != nil {
		return Picture{}, err
	}
	m, key, mediaType := meta(row.ID, row.EmployeeID, Field(row.Kind)), row.KeySealed, row.MediaType
	if thumb {
		m, key, mediaType = thumbMeta(row.ID, row.EmployeeID, Field(row.Kind)), row.ThumbSealed, "image/jpeg"
	}
	if why.purpose != "" {
		if err := s.recordView(ctx, who, row, why); err != nil {
			return Picture{}, err
		}
	}
	b, err := s.Blobs.Get(ctx, m, key)
	if err != nil {
		return Picture{}, fmt.Errorf("open scan: %w", err)
	}
	return Picture{Bytes: b, MediaType: mediaType, Evidence: evidence}, nil
}

// grounds is why a view is permitted: the purpose, and the case that the viewer
// works on, which gives the reason.
type grounds struct {
	purpose   Purpose
	reference string
}

// mayView returns the grounds of a permitted view, empty for the owner's own.
func (s *Service) mayView(ctx context.Context, who audit.Actor, scopes []string, e db.Evidence) (grounds, error) {
	switch {
	case who.EmployeeID == "":
		return grounds{}, ErrNotFound
	case who.EmployeeID == e.EmployeeID:
		return grounds{}, nil
	case who.Role == RoleHROfficer:
		c, err := s.Store.Read().OpenCorrection(ctx, e.EmployeeID)
		if err != nil {
			return grounds{}, notFound(err, "read correction")
		}
		owner, err := s.Store.Read().GetEmployee(ctx, e.EmployeeID)
		if err != nil {
			return grounds{}, notFound(err, "read employee")
		}
		inScope, err := inScopes(ctx, s.Store.Read(), scopes, owner.UnitID)
		if err != nil {
			return grounds{}, err
		}
		shown := e.State == string(Proposed) || e.State == string(Current)
		if !inScope || !shown || c.ClaimedBy.String != who.EmployeeID {
			return grounds{}, ErrNotFound
		}
		return grounds{ForCorrection, c.Reference}, nil
	case who.Role == RoleRegistrationOfficer && s.Cases != nil:
		ok, err := s.Cases.MaySee(ctx, who, e.EmployeeID, e.ID)
		if err != nil {
			return grounds{}, fmt.Errorf("look for case: %w", err)
		}
		if !ok {
			return grounds{}, ErrNotFound
		}
		r, err := s.Store.Read().OpenRegistration(ctx, e.EmployeeID)
		if err != nil && !store.IsNotFound(err) {
			return grounds{}, fmt.Errorf("read case: %w", err)
		}
		return grounds{ForRegistration, r.Reference}, nil
	}
	return grounds{}, ErrNotFound
}

func (s *Service) recordView(ctx context.Context, who audit.Actor, e db.Evidence, why grounds) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.InsertEvidenceView(ctx, db.InsertEvidenceViewParams{
			ID: ident.New(), EvidenceID: e.ID, OwnerID: e.EmployeeID, AccountID: who.AccountID, Role: who.Role,
			Purpose: string(why.purpose), ViewedAt: clock.Micros(s.now()), Reference: why.reference,
		})
		if err != nil {
			return fmt.Errorf("record view: %w", err)
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{
			Action: "evidence.view", ObjectKind: "evidence", ObjectID: e.ID,
			Detail: map[string]string{"purpose": string(why.purpose), "case": why.reference},
		})
	})
}

// Viewed is one look at a scan by somebody else than its owner.
type Viewed struct {
	Kind    Field
	Viewer  string // name
	Role    string
	Purpose Purpose
	At      time.Time
	// Reference is the case in which it was looked at: of the correction or the
	// registration.
	Reference string
}

// Views tells an employee who looked at their scans, the latest first.
func (s *Service) Views(ctx context.Context, employeeID string) ([]Viewed, error) {
	rows, err := s.Store.Read().ListEvidenceViews(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	list := make([]Viewed, len(rows))
	for i, r := range rows {
		list[i] = Viewed{
			Kind: Field(r.Kind), Viewer: r.DisplayName.String, Role: r.Role, Purpose: Purpose(r.Purpose),
			At: clock.FromMicros(r.ViewedAt), Reference: r.Reference,
		}
	}
	return list, nil
}
