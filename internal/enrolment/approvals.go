package enrolment

import (
	"context"
	"fmt"

	"absah/internal/store"
	"absah/internal/store/db"
)

// Approvals takes officers' signatures by passkey under what they approve
// (package ca, whose role judges them for itself before it issues).
type Approvals interface {
	// Options is what an officer's browser asks his authenticator for, in JSON;
	// nil when his approval at a stage needs no signature.
	Options(ctx context.Context, q *db.Queries, r db.Registration, stage int, officerID string) ([]byte, error)
	// Sign stores the authenticator's answer under a check. It fails when the
	// answer is missing though it is needed, or does not hold.
	Sign(ctx context.Context, tx *store.Tx, r db.Registration, review db.Review, answer []byte) error
}

// SigningOptions is what the browser of an officer asks his authenticator for
// when he accepts a registration that waits for a check; nil when no signature
// is needed. Errors are those of Approvals.Options.
func (s *Service) SigningOptions(ctx context.Context, who Checker, r db.Registration) ([]byte, error) {
	stage := stageOf(r)
	if s.Approvals == nil || stage == 0 || who.EmployeeID == r.EmployeeID {
		return nil, nil
	}
	return s.Approvals.Options(ctx, s.Store.Read(), r, stage, who.EmployeeID)
}

// stageOf is the check that a registration waits for; 0 for none.
func stageOf(r db.Registration) int {
	switch Status(r.Status) {
	case New:
		return 1
	case Enroll:
		return 2
	}
	return 0
}

// signed takes the officer's signature under a check that was just stored.
func (s *Service) signed(ctx context.Context, tx *store.Tx, r db.Registration, p db.InsertReviewParams, answer []byte) error {
	if s.Approvals == nil || p.Verdict != "accepted" {
		return nil
	}
	err := s.Approvals.Sign(ctx, tx, r, db.Review{
		ID: p.ID, RegistrationID: p.RegistrationID, Stage: p.Stage, OfficerID: p.OfficerID, ApplicantID: p.ApplicantID,
		SnapshotHash: p.SnapshotHash, Verdict: p.Verdict, CreatedAt: p.CreatedAt,
	}, answer)
	if err != nil {
		return fmt.Errorf("sign check: %w", err)
	}
	return nil
}
