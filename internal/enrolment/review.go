package enrolment

import (
	"context"
	"fmt"
	"slices"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Checker is an officer at work: an employee with the officer's role over some
// units and those below them. Everywhere is nil, or has the unit "".
type Checker struct {
	audit.Actor
	Units []string
}

// Check is what an officer decides on what he saw.
type Check struct {
	RegistrationID string
	SnapshotHash   []byte // of the data that were shown
	Fields         []FieldDecision
	Note           string
	Signature      []byte // the authenticator's answer to SigningOptions, as the browser gives it; may be empty
}

// within locks a registration that an officer may work on: it lies in his
// units, and he is not its applicant.
func (s *Service) within(ctx context.Context, tx *store.Tx, who Checker, id string) (db.Registration, error) {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return r, err
	}
	ok, err := inUnits(ctx, tx.Queries, who.Units, r.UnitID)
	if err != nil {
		return r, err
	}
	if !ok {
		return r, ErrNotFound
	}
	if who.EmployeeID == "" || who.EmployeeID == r.EmployeeID {
		return r, ErrSamePerson
	}
	return r, nil
}

// mine locks a registration for a decision of an officer: within his reach, and
// nobody else has claimed it.
func (s *Service) mine(ctx context.Context, tx *store.Tx, who Checker, id string) (db.Registration, error) {
	r, err := s.within(ctx, tx, who, id)
	if err != nil {
		return r, err
	}
	if r.ClaimedBy.Valid && r.ClaimedBy.String != who.EmployeeID {
		return r, claimedError(ctx, tx, r)
	}
	return r, nil
}

func claimedError(ctx context.Context, tx *store.Tx, r db.Registration) error {
	e, err := tx.GetEmployee(ctx, r.ClaimedBy.String)
	if err != nil {
		return fmt.Errorf("read who claimed: %w", err)
	}
	return &ClaimedError{By: e.Name, Since: clock.FromMicros(r.ClaimedAt)}
}

func everywhere(units []string) bool { return units == nil || slices.Contains(units, "") }

func inUnits(ctx context.Context, q *db.Queries, units []string, unitID string) (bool, error) {
	if everywhere(units) {
		return true, nil
	}
	for _, u := range units {
		n, err := q.InScope(ctx, db.InScopeParams{AncestorID: u, UnitID: unitID})
		if err != nil {
			return false, fmt.Errorf("look at units: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

// Claim takes a registration to work on it; others can look and not decide.
func (s *Service) Claim(ctx context.Context, who Checker, id string) error {
	return s.claim(ctx, who, id, who.EmployeeID, "claim")
}

// Release gives a claimed registration back to the queue.
func (s *Service) Release(ctx context.Context, who Checker, id string) error {
	return s.claim(ctx, who, id, "", "release")
}

// TakeOver claims what another officer has claimed, who may be away or no
// officer any more. from is who had it when the officer decided to; when
// somebody else has it by now, it fails with *ClaimedError.
func (s *Service) TakeOver(ctx context.Context, who Checker, id, from string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.within(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if r.ClaimedBy.Valid && r.ClaimedBy.String != from && r.ClaimedBy.String != who.EmployeeID {
			return claimedError(ctx, tx, r)
		}
		return s.setClaim(ctx, tx, who.Actor, r, who.EmployeeID, "take_over")
	})
}

// HandOver gives a registration that the officer has claimed, or that nobody
// has, to another officer.
func (s *Service) HandOver(ctx context.Context, who Checker, id, toEmployeeID string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.mine(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if toEmployeeID == r.EmployeeID {
			return ErrSamePerson
		}
		holders, err := tx.RoleHolders(ctx, string(Officer))
		if err != nil {
			return fmt.Errorf("read officers: %w", err)
		}
		for _, h := range holders {
			if h.EmployeeID.String != toEmployeeID {
				continue
			}
			units := []string{h.UnitID.String}
			if !h.UnitID.Valid {
				units = nil
			}
			ok, err := inUnits(ctx, tx.Queries, units, r.UnitID)
			if err != nil {
				return err
			}
			if ok {
				return s.setClaim(ctx, tx, who.Actor, r, toEmployeeID, "hand_over")
			}
		}
		return ErrNotFound
	})
}

func (s *Service) claim(ctx context.Context, who Checker, id, to, act string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.mine(ctx, tx, who, id)
		if err != nil {
			return err
		}
		return s.setClaim(ctx, tx, who.Actor, r, to, act)
	})
}

func (s *Service) setClaim(ctx context.Context, tx *store.Tx, who audit.Actor, r db.Registration, to, act string) error {
	if r.ClaimedBy.String == to {
		return nil
	}
	if !slices.Contains([]Status{New, OnSetPassphrase, Enroll}, Status(r.Status)) {
		return &NotAllowedError{Status: Status(r.Status), Action: Action(act), Role: Officer}
	}
	p := db.SetClaimParams{ID: r.ID, ClaimedBy: null(to)}
	if to != "" {
		p.ClaimedAt = clock.Micros(s.now())
	}
	if err := tx.SetClaim(ctx, p); err != nil {
		return fmt.Errorf("claim registration: %w", err)
	}
	who.Role = string(Officer)
	err := audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "registration." + act, ObjectKind: "registration", ObjectID: r.ID, Detail: map[string]string{"from": r.ClaimedBy.String, "to": to},
	})
	if err != nil {
		return err
	}
	if s.Notify != nil {
		employee, id := r.EmployeeID, r.ID
		tx.After(func() { s.Notify(employee, id) })
	}
	return nil
}

// Verify is the first check: every field accepted. The applicant gets the two
// mails with the link and the log-in.
func (s *Service) Verify(ctx context.Context, who Checker, c Check) error {
	return s.decide(ctx, who, c, ActionVerify, Reason{})
}

// Approve is the second check, by another officer than the first: every field
// accepted again. The authority is asked for the certificate.
func (s *Service) Approve(ctx context.Context, who Checker, c Check) error {
	return s.decide(ctx, who, c, ActionApprove, Reason{})
}

// Return sends the registration back to its applicant with the fields that he
// must mend. Approvals, the link and a key that waits are void.
func (s *Service) Return(ctx context.Context, who Checker, c Check) error {
	return s.decide(ctx, who, c, ActionReturn, Reason{})
}

// Reject refuses the registration for good.
func (s *Service) Reject(ctx context.Context, who Checker, c Check, reason Reason) error {
	if err := reason.check(RejectReasons); err != nil {
		return err
	}
	return s.decide(ctx, who, c, ActionReject, reason)
}

func (s *Service) decide(ctx context.Context, who Checker, c Check, a Action, reason Reason) error {
	verdict := "accepted"
	switch a {
	case ActionReturn:
		verdict = "returned"
	case ActionReject:
		verdict = "rejected"
	}
	if a != ActionReject {
		if err := checkDecisions(c.Fields, a == ActionReturn); err != nil {
			return err
		}
	}
	if len(c.Note) > maxWords {
		return ErrReason
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.mine(ctx, tx, who, c.RegistrationID)
		if err != nil {
			return err
		}
		if err := permitted(r, a, Officer); err != nil {
			return err
		}
		if string(c.SnapshotHash) != string(r.SnapshotHash) {
			return ErrStale
		}
		if a == ActionApprove && r.VerifiedBy.String == who.EmployeeID {
			return ErrSamePerson
		}
		stage := int64(1)
		if Status(r.Status) == Enroll {
			stage = 2
		}
		r, err = s.advance(ctx, tx, r, step{
			action: a, role: Officer, who: who.Actor, reason: reason, evidence: r.SnapshotHash,
			detail: map[string]string{"stage": fmt.Sprint(stage)},
		})
		if err != nil {
			return err
		}
		if err := s.review(ctx, tx, r, who, c, stage, verdict); err != nil {
			return err
		}
		return s.follow(ctx, tx, r, who, c, a, reason)
	})
	// The database holds the same rule as the lines above, for whoever comes
	// past them.
	if store.IsCheck(err) || store.IsUnique(err) {
		return fmt.Errorf("%w: %w", ErrSamePerson, err)
	}
	return err
}

func (s *Service) review(ctx context.Context, tx *store.Tx, r db.Registration, who Checker, c Check, stage int64, verdict string) error {
	p := db.InsertReviewParams{
		ID: ident.At(s.Clock(), s.Random), RegistrationID: r.ID, Stage: stage, OfficerID: who.EmployeeID, ApplicantID: r.EmployeeID,
		SnapshotHash: r.SnapshotHash, Verdict: verdict, Note: c.Note, CreatedAt: clock.Micros(s.now()),
	}
	if err := tx.InsertReview(ctx, p); err != nil {
		return fmt.Errorf("store check: %w", err)
	}
	for _, d := range c.Fields {
		err := tx.InsertReviewField(ctx, db.InsertReviewFieldParams{
			ReviewID: p.ID, Field: d.Field, Accepted: d.Accepted, ReasonCode: d.Reason.Code, ReasonText: d.Reason.Text,
		})
		if err != nil {
			return fmt.Errorf("store check of %s: %w", d.Field, err)
		}
	}
	return s.signed(ctx, tx, r, p, c.Signature)
}

// follow does what a decision brings with it.
func (s *Service) follow(ctx context.Context, tx *store.Tx, r db.Registration, who Checker, c Check, a Action, reason Reason) error {
	switch a {
	case ActionVerify:
		if err := tx.SetVerifiedBy(ctx, db.SetVerifiedByParams{ID: r.ID, VerifiedBy: null(who.EmployeeID)}); err != nil {
			return fmt.Errorf("store officer 1: %w", err)
		}
		if err := s.newLink(ctx, tx, r); err != nil {
			return err
		}
		user, token, expires, err := s.Accounts.InvitePortal(ctx, tx, r.EmployeeID)
		if err != nil {
			return fmt.Errorf("open the subscriber portal: %w", err)
		}
		return s.Courier.LoginInformation(ctx, tx, r, user, token, expires)
	case ActionApprove:
		if err := tx.SetApprovedBy(ctx, db.SetApprovedByParams{ID: r.ID, ApprovedBy: null(who.EmployeeID)}); err != nil {
			return fmt.Errorf("store officer 2: %w", err)
		}
		return tx.Enqueue(ctx, store.Job{Kind: JobIssue, ID: r.ID})
	case ActionReturn:
		if err := s.discard(ctx, tx, r); err != nil {
			return err
		}
		return s.Courier.ReturnedToApplicant(ctx, tx, r, c.Fields, c.Note)
	case ActionReject:
		if err := s.discard(ctx, tx, r); err != nil {
			return err
		}
		return s.Courier.RejectedApplicant(ctx, tx, r, reason)
	}
	return nil
}
