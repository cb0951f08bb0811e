package staff

import (
	"context"
	"fmt"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Verdict is the outcome of one check. Its text has the key "staff.verdict." +
// verdict.
type Verdict string

// The verdicts.
const (
	Missing         Verdict = "missing"  // never given
	Invalid         Verdict = "invalid"  // given, but cannot be right
	Waiting         Verdict = "waiting"  // a correction waits for the HR unit
	VerdictRejected Verdict = "rejected" // the HR unit rejected it, and nothing else stands
	Valid           Verdict = "valid"
)

// ToDo is what the employee can do about a check. Its text has the key
// "staff.todo." + todo.
type ToDo string

// The things to do.
const (
	DoNothing ToDo = ""
	DoEnter   ToDo = "enter"   // type the value
	DoCorrect ToDo = "correct" // type another value
	DoUpload  ToDo = "upload"  // upload the scan
	DoReplace ToDo = "replace" // upload a better scan
	DoWait    ToDo = "wait"    // nothing; the HR unit decides
)

// Prerequisite is one of the five checks before a registration (Status
// Validitas Data).
type Prerequisite struct {
	Kind    Field
	Verdict Verdict
	// Reason has the text "staff.prerequisite." + Reason, except for rejections,
	// where it is a ReasonCode and ReasonText may say more.
	Reason     string
	ReasonText string
	Since      time.Time // of the verdict; zero when it was never otherwise
	ToDo       ToDo
	Officer    string // Waiting: name of the officer who has it, empty when nobody
}

// Prerequisites are the five checks in the order of the guide.
type Prerequisites [5]Prerequisite

// PrerequisiteKinds are the five, in the order of the guide.
func PrerequisiteKinds() [5]Field { return [5]Field{NIK, Email, IDCard, Recommendation, Specimen} }

// Complete reports whether all five are valid.
func (p Prerequisites) Complete() bool {
	for _, one := range p {
		if one.Verdict != Valid {
			return false
		}
	}
	return true
}

// Prerequisites makes the five checks of an employee; q may be that of a
// transaction. It fails with ErrNotFound.
func (s *Service) Prerequisites(ctx context.Context, q *db.Queries, employeeID string) (Prerequisites, error) {
	var list Prerequisites
	e, err := s.employee(ctx, q, employeeID)
	if err != nil {
		return list, err
	}
	current, err := q.CurrentEvidence(ctx, employeeID)
	if err != nil {
		return list, fmt.Errorf("read evidence: %w", err)
	}
	scans := map[Field]db.Evidence{}
	for _, c := range current {
		scans[Field(c.Kind)] = c
	}
	waiting, officer, since, err := s.waitingFields(ctx, q, employeeID)
	if err != nil {
		return list, err
	}
	last, err := lastDecisions(ctx, q, employeeID)
	if err != nil {
		return list, err
	}
	for i, kind := range PrerequisiteKinds() {
		var p Prerequisite
		if kind.IsScan() {
			scan, has := scans[kind]
			p = s.judgeScan(scan, has)
		} else {
			p = s.judgeText(kind, e)
		}
		p.Kind = kind
		decision, decided := last[kind]
		switch {
		case waiting[kind]:
			p.Verdict, p.Reason, p.Since, p.ToDo, p.Officer = Waiting, "waiting_free", since, DoWait, officer
			if officer != "" {
				p.Reason = "waiting_taken"
			}
		case p.Verdict == Missing && decided && decision.State == string(ItemRejected):
			p.Verdict, p.Reason, p.ReasonText = VerdictRejected, decision.ReasonCode, decision.ReasonText
			p.ToDo = DoCorrect
			if kind.IsScan() {
				p.ToDo = DoReplace
			}
			p.Since = clock.FromMicros(decision.DecidedAt)
		case p.Verdict == Valid && decided && decision.State == string(ItemAccepted):
			p.Since = clock.FromMicros(decision.DecidedAt)
		}
		list[i] = p
	}
	return list, nil
}

func (s *Service) judgeScan(e db.Evidence, has bool) Prerequisite {
	if !has {
		return Prerequisite{Verdict: Missing, Reason: "scan_missing", ToDo: DoUpload}
	}
	end := clock.FromMicros(e.UploadedAt).Add(s.RecommendationAge)
	if Field(e.Kind) == Recommendation && s.RecommendationAge > 0 && !s.now().Before(end) {
		return Prerequisite{Verdict: Invalid, Reason: "recommendation_expired", Since: end, ToDo: DoReplace}
	}
	return Prerequisite{Verdict: Valid, Reason: "valid", Since: clock.FromMicros(e.UploadedAt)}
}

func (s *Service) judgeText(f Field, e Employee) Prerequisite {
	v := e.Data().Get(f)
	if v == "" {
		return Prerequisite{Verdict: Missing, Reason: string(f) + "_missing", ToDo: DoEnter}
	}
	if _, problem := Clean(f, v, s.now()); problem != nil {
		return Prerequisite{Verdict: Invalid, Reason: string(f) + "_invalid", ToDo: DoCorrect}
	}
	return Prerequisite{Verdict: Valid, Reason: "valid"}
}

// waitingFields are the fields of the open correction, the officer who has it
// and since when they wait.
func (s *Service) waitingFields(ctx context.Context, q *db.Queries, employeeID string) (map[Field]bool, string, time.Time, error) {
	c, err := q.OpenCorrection(ctx, employeeID)
	if store.IsNotFound(err) {
		return nil, "", time.Time{}, nil
	}
	if err != nil {
		return nil, "", time.Time{}, fmt.Errorf("read open correction: %w", err)
	}
	items, err := q.CorrectionItems(ctx, c.ID)
	if err != nil {
		return nil, "", time.Time{}, fmt.Errorf("read correction: %w", err)
	}
	waiting := map[Field]bool{}
	for _, i := range items {
		if i.State == string(ItemWaiting) {
			waiting[Field(i.Field)] = true
		}
	}
	officer := ""
	if c.ClaimedBy.Valid {
		o, err := q.GetEmployee(ctx, c.ClaimedBy.String)
		if err != nil {
			return nil, "", time.Time{}, fmt.Errorf("read officer: %w", err)
		}
		officer = o.Name
	}
	return waiting, officer, clock.FromMicros(c.SubmittedAt), nil
}

// lastDecisions is the latest decision about each field.
func lastDecisions(ctx context.Context, q *db.Queries, employeeID string) (map[Field]db.LastDecisionsRow, error) {
	rows, err := q.LastDecisions(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	last := map[Field]db.LastDecisionsRow{}
	for _, r := range rows {
		if _, ok := last[Field(r.Field)]; !ok {
			last[Field(r.Field)] = r
		}
	}
	return last, nil
}
