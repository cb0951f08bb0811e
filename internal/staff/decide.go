package staff

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Officer is somebody who decides corrections of the units in Scopes and of the
// units below them. The scope "" is everywhere; without scopes it is nowhere.
type Officer struct {
	audit.Actor
	Scopes []string
}

// scope is the one whose queue is shown: wanted if the officer has it.
func (o Officer) scope(wanted string) string {
	if slices.Contains(o.Scopes, wanted) {
		return wanted
	}
	if len(o.Scopes) > 0 {
		return o.Scopes[0]
	}
	return "-" // the identifier of no unit
}

// inScopes reports whether unit stands at or below one of the scopes.
func inScopes(ctx context.Context, q *db.Queries, scopes []string, unit string) (bool, error) {
	for _, scope := range scopes {
		if ok, err := InScope(ctx, q, scope, unit); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Decision is what an officer says about one field.
type Decision struct {
	Accept     bool
	ReasonCode ReasonCode // of a rejection, one of ReasonsFor
	ReasonText string     // required for OtherReason; at most 500 characters
}

// Problem codes of decisions, in InvalidError.
const (
	decisionMissing = "decision_missing"
	reasonMissing   = "reason_missing"
	textMissing     = "reason_text_missing"
)

// QueueEntry is one correction that waits for a decision.
type QueueEntry struct {
	ID, Reference    string
	EmployeeID       string
	Name, NIP        string
	UnitID, UnitName string
	SubmittedAt      time.Time
	ClaimedBy        string
	OfficerName      string
	ClaimedAt        time.Time
}

// QueueFilter narrows the queue.
type QueueFilter struct {
	Scope   string // one of the officer's; the first when it is none of them
	Claim   string // "" all, "free" taken by nobody, "mine"
	AfterAt time.Time
	AfterID string // the last entry of the page before
	Limit   int
}

// QueueCount counts the corrections that wait in an officer's scope.
type QueueCount struct{ Waiting, Free, Mine int64 }

// Queue lists the open corrections in the officer's scope, the oldest first,
// without the officer's own.
func (s *Service) Queue(ctx context.Context, o Officer, f QueueFilter) ([]QueueEntry, error) {
	rows, err := s.Store.Read().CorrectionQueue(ctx, db.CorrectionQueueParams{
		OfficerID: o.EmployeeID, AncestorID: o.scope(f.Scope), Claim: f.Claim,
		AfterAt: clock.Micros(f.AfterAt), AfterID: f.AfterID, MaxRows: int32(f.Limit),
	})
	if err != nil {
		return nil, fmt.Errorf("list corrections: %w", err)
	}
	list := make([]QueueEntry, len(rows))
	for i, r := range rows {
		list[i] = QueueEntry{
			ID: r.ID, Reference: r.Reference, EmployeeID: r.EmployeeID, Name: r.Name, NIP: r.Nip, UnitID: r.UnitID,
			UnitName: r.UnitName, SubmittedAt: clock.FromMicros(r.SubmittedAt), ClaimedBy: r.ClaimedBy.String,
			OfficerName: r.OfficerName.String, ClaimedAt: clock.FromMicros(r.ClaimedAt),
		}
	}
	return list, nil
}

// CountQueue counts the queue of one of the officer's scopes.
func (s *Service) CountQueue(ctx context.Context, o Officer, scope string) (QueueCount, error) {
	n, err := s.Store.Read().CountOpenCorrections(ctx, db.CountOpenCorrectionsParams{
		OfficerID: o.EmployeeID, AncestorID: o.scope(scope),
	})
	if err != nil {
		return QueueCount{}, fmt.Errorf("count corrections: %w", err)
	}
	return QueueCount(n), nil
}

// CorrectionFor returns a correction with its employee for an officer of the
// scope. It fails with ErrNotFound, also for the officer's own.
func (s *Service) CorrectionFor(ctx context.Context, o Officer, id string) (Correction, Employee, error) {
	q := s.Store.Read()
	row, err := q.GetCorrection(ctx, id)
	if err != nil {
		return Correction{}, Employee{}, notFound(err, "read correction")
	}
	e, err := s.employee(ctx, q, row.EmployeeID)
	if err != nil {
		return Correction{}, Employee{}, err
	}
	if err := mayDecide(ctx, q, o, e); err != nil {
		return Correction{}, Employee{}, ErrNotFound
	}
	c, err := s.correction(ctx, q, row)
	return c, e, err
}

// mayDecide fails with ErrOwn or ErrNotFound.
func mayDecide(ctx context.Context, q *db.Queries, o Officer, e Employee) error {
	if o.EmployeeID == e.ID {
		return ErrOwn
	}
	if o.Role != RoleHROfficer || o.EmployeeID == "" {
		return ErrNotFound
	}
	ok, err := inScopes(ctx, q, o.Scopes, e.UnitID)
	if err != nil {
		return err
	}
	if !ok {
		return ErrNotFound
	}
	return nil
}

// Claim takes a correction, so that the employee sees who has it and the scans
// open for the officer. takeOver takes it from another officer, for absences.
// It fails with ErrNotFound, ErrOwn, ErrClosed or ErrClaimed; claiming again
// what one has is fine.
func (s *Service) Claim(ctx context.Context, o Officer, id string, takeOver bool) error {
	return s.withCorrection(ctx, o, id, func(tx *store.Tx, c db.Correction, _ Employee) error {
		if c.ClaimedBy.String == o.EmployeeID {
			return nil
		}
		if c.ClaimedBy.Valid && !takeOver {
			return ErrClaimed
		}
		if err := setClaim(ctx, tx, id, o.EmployeeID, s.now()); err != nil {
			return err
		}
		return s.recordCorrection(ctx, tx, o.Actor, "correction.claim", id, map[string]string{"from": c.ClaimedBy.String})
	})
}

// Release gives a correction back to the queue. It fails with ErrNotClaimed
// when the officer does not have it.
func (s *Service) Release(ctx context.Context, o Officer, id string) error {
	return s.withCorrection(ctx, o, id, func(tx *store.Tx, c db.Correction, _ Employee) error {
		if c.ClaimedBy.String != o.EmployeeID {
			return ErrNotClaimed
		}
		if err := setClaim(ctx, tx, id, "", time.Time{}); err != nil {
			return err
		}
		return s.recordCorrection(ctx, tx, o.Actor, "correction.release", id, nil)
	})
}

func setClaim(ctx context.Context, tx *store.Tx, id, officerID string, at time.Time) error {
	err := tx.ClaimCorrection(ctx, db.ClaimCorrectionParams{ID: id, ClaimedBy: nullable(officerID), ClaimedAt: clock.Micros(at)})
	if store.IsCheck(err) {
		return ErrOwn
	}
	if err != nil {
		return fmt.Errorf("claim correction: %w", err)
	}
	return nil
}

// withCorrection runs f with the employee and the open correction locked, in
// this order, as Propose locks them.
func (s *Service) withCorrection(ctx context.Context, o Officer, id string, f func(*store.Tx, db.Correction, Employee) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		peek, err := tx.GetCorrection(ctx, id)
		if err != nil {
			return notFound(err, "read correction")
		}
		row, err := tx.LockEmployee(ctx, peek.EmployeeID)
		if err != nil {
			return notFound(err, "lock employee")
		}
		e, err := s.open(ctx, row)
		if err != nil {
			return err
		}
		if err := mayDecide(ctx, tx.Queries, o, e); err != nil {
			return err
		}
		c, err := tx.LockCorrection(ctx, id)
		if err != nil {
			return fmt.Errorf("lock correction: %w", err)
		}
		if c.State != string(Open) {
			return ErrClosed
		}
		c.Version-- // LockCorrection counts; callers saw the version before
		return f(tx, c, e)
	})
}

// Decide closes a correction with a decision about every waiting field; the
// accepted ones become the employee's data in the same transaction. The officer
// must have claimed it, and version must be the one that the officer looked at.
// It fails with ErrNotFound, ErrOwn, ErrClosed, ErrNotClaimed, ErrStale or
// *InvalidError.
func (s *Service) Decide(ctx context.Context, o Officer, id string, version int64, decisions map[Field]Decision) error {
	return s.withCorrection(ctx, o, id, func(tx *store.Tx, c db.Correction, e Employee) error {
		if c.ClaimedBy.String != o.EmployeeID {
			return ErrNotClaimed
		}
		if c.Version != version {
			return ErrStale
		}
		full, err := s.correction(ctx, tx.Queries, c)
		if err != nil {
			return err
		}
		decided, err := s.checkDecisions(full, decisions)
		if err != nil {
			return err
		}
		accepted, err := s.apply(ctx, tx, o, e, full, decisions)
		if err != nil {
			return err
		}
		if err := s.closeAs(ctx, tx, id, Decided, o.EmployeeID); err != nil {
			if store.IsCheck(err) {
				return ErrOwn
			}
			return err
		}
		if err := s.tellDecision(ctx, tx, o, e, full, decided); err != nil {
			return err
		}
		return s.recordCorrection(ctx, tx, o.Actor, "correction.decide", id, map[string]string{"accepted": joinFields(accepted)})
	})
}

func (s *Service) checkDecisions(c Correction, decisions map[Field]Decision) ([]DecidedItem, error) {
	problems := map[Field]Problem{}
	var list []DecidedItem
	for _, i := range c.Waiting() {
		d, ok := decisions[i.Field]
		text, problem := cleanText(d.ReasonText)
		switch {
		case !ok:
			problems[i.Field] = Problem{Code: decisionMissing}
		case problem != nil:
			problems[i.Field] = *problem
		case utf8.RuneCountInString(text) > 500:
			problems[i.Field] = Problem{Code: "too_long", Params: map[string]string{"Max": "500"}}
		case d.Accept:
			list = append(list, DecidedItem{Field: i.Field, Accepted: true})
		case !reasonFits(i.Field, d.ReasonCode):
			problems[i.Field] = Problem{Code: reasonMissing}
		case d.ReasonCode == OtherReason && text == "":
			problems[i.Field] = Problem{Code: textMissing}
		default:
			list = append(list, DecidedItem{Field: i.Field, ReasonCode: d.ReasonCode, ReasonText: text})
		}
	}
	return list, invalid(problems)
}

// apply writes the decisions about the items and the data that they change.
func (s *Service) apply(ctx context.Context, tx *store.Tx, o Officer, e Employee, c Correction, decisions map[Field]Decision) ([]Field, error) {
	var data Data
	var accepted []Field
	scans := false
	for _, i := range c.Waiting() {
		d := decisions[i.Field]
		p := db.DecideCorrectionItemParams{ID: i.ID, State: string(ItemAccepted), DecidedAt: clock.Micros(s.now())}
		if !d.Accept {
			text, _ := cleanText(d.ReasonText) // checked before
			p.State, p.ReasonCode, p.ReasonText = string(ItemRejected), string(d.ReasonCode), text
		}
		if err := tx.DecideCorrectionItem(ctx, p); err != nil {
			return nil, fmt.Errorf("decide item: %w", err)
		}
		if i.Field.IsScan() {
			if err := decideScan(ctx, tx, e.ID, i, d.Accept); err != nil {
				return nil, err
			}
			scans = scans || d.Accept
		} else if d.Accept {
			data.Set(i.Field, i.After)
		}
		if d.Accept {
			accepted = append(accepted, i.Field)
		}
	}
	row, err := tx.GetEmployee(ctx, e.ID)
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	fields, err := s.update(ctx, tx, o.Actor, row, data, row.Active, true)
	if err != nil {
		return nil, err
	}
	if scans && len(fields) == 0 {
		// update had nothing to tell, but the evidence is another.
		if err := s.changed(ctx, tx, e.ID, o.Actor); err != nil {
			return nil, err
		}
	}
	return accepted, nil
}

func decideScan(ctx context.Context, tx *store.Tx, employeeID string, i Item, accept bool) error {
	to := Rejected
	if accept {
		to = Current
		if err := tx.ReplaceCurrentEvidence(ctx, db.ReplaceCurrentEvidenceParams{EmployeeID: employeeID, Kind: string(i.Field)}); err != nil {
			return fmt.Errorf("replace scan: %w", err)
		}
	}
	n, err := tx.SetEvidenceState(ctx, db.SetEvidenceStateParams{ID: i.EvidenceID, FromState: string(Proposed), ToState: string(to)})
	if err != nil {
		return fmt.Errorf("decide scan: %w", err)
	}
	if n != 1 {
		return fmt.Errorf("decide scan %s: it is not proposed: %w", i.EvidenceID, ErrStale)
	}
	return nil
}

func (s *Service) tellDecision(ctx context.Context, tx *store.Tx, o Officer, before Employee, c Correction, items []DecidedItem) error {
	if s.Courier == nil {
		return nil
	}
	after, err := s.employee(ctx, tx.Queries, before.ID)
	if err != nil {
		return err
	}
	officer, err := tx.GetEmployee(ctx, o.EmployeeID)
	if err != nil {
		return fmt.Errorf("read officer: %w", err)
	}
	n := DecidedNotice{CorrectionID: c.ID, Reference: c.Reference, Employee: after, OfficerName: officer.Name, Items: items}
	if before.Email != after.Email {
		n.FormerEmail = before.Email
	}
	if err := s.Courier.CorrectionDecided(ctx, tx, n); err != nil {
		return fmt.Errorf("announce decision: %w", err)
	}
	return nil
}
