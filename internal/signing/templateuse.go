package signing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The causes of a Trouble beside those of an AuthorityError, which are written
// "authority_" and the cause.
const (
	TroubleLeft        = "left"        // the signer is no longer active
	TroubleCertificate = "certificate" // the signer has no valid certificate now
)

// Trouble is why a step of a template does not serve any more.
type Trouble struct {
	Step     int // from 0
	Cause    string
	Employee string // id
	Name     string // of the signer
	Day      string // of an authority that is not in force, YYYY-MM-DD
}

// Blocks says that nothing is to be prepared with the step as it is. A signer
// without a certificate may have one when it is his turn.
func (t Trouble) Blocks() bool { return t.Cause != TroubleCertificate }

// Troubles tells what of an arrangement does not serve today: signers who left,
// decrees that are not in force.
func (s *Service) Troubles(ctx context.Context, a Arrangement) ([]Trouble, error) {
	q := s.Store.Read()
	var out []Trouble
	for i, st := range a.Steps {
		if st.Who != WhoPerson {
			continue
		}
		t, err := s.trouble(ctx, q, st, a.Kind)
		if err != nil {
			return nil, err
		}
		if t.Cause != "" {
			t.Step, t.Employee = i, st.EmployeeID
			out = append(out, t)
		}
	}
	return out, nil
}

func (s *Service) trouble(ctx context.Context, q *db.Queries, st TemplateStep, kind string) (Trouble, error) {
	e, err := q.GetEmployee(ctx, st.EmployeeID)
	if store.IsNotFound(err) {
		return Trouble{Cause: TroubleLeft}, nil
	}
	if err != nil {
		return Trouble{}, fmt.Errorf("read employee: %w", err)
	}
	if !e.Active {
		return Trouble{Cause: TroubleLeft, Name: e.Name}, nil
	}
	if st.Look != nil {
		_, err := s.authority(ctx, q, e, st.Look.Authority, kind)
		var refused *AuthorityError
		if errors.As(err, &refused) {
			return Trouble{Cause: "authority_" + refused.Cause, Name: e.Name, Day: refused.Day}, nil
		}
		if err != nil {
			return Trouble{}, err
		}
	}
	if _, err := s.subscriber(ctx, q, e.ID); err != nil {
		if Problem(err) == "internal" {
			return Trouble{}, err
		}
		return Trouble{Cause: TroubleCertificate, Name: e.Name}, nil
	}
	return Trouble{}, nil
}

// RowsError says that a use of a template names too few or too many signers.
type RowsError struct{ Want, Got int }

func (e *RowsError) Error() string {
	return fmt.Sprintf("the template takes %d signers of the row, not %d", e.Want, e.Got)
}

// Rows is how many signers each use of the arrangement has to name.
func (a Arrangement) Rows() (n int) {
	for _, st := range a.Steps {
		if st.Who == WhoRow {
			n++
		}
	}
	return n
}

// Resolve makes the steps of a workflow: rows are the employees, in their order,
// that this use names. It fails with *RowsError, and with ErrSteps when somebody
// would sign twice.
func (a Arrangement) Resolve(maker string, rows []string) ([]Step, error) {
	if n := a.Rows(); n != len(rows) {
		return nil, &RowsError{Want: n, Got: len(rows)}
	}
	seen := map[string]bool{}
	out := make([]Step, len(a.Steps))
	for i, st := range a.Steps {
		id := st.EmployeeID
		switch st.Who {
		case WhoMaker:
			id = maker
		case WhoRow:
			id, rows = rows[0], rows[1:]
		}
		if seen[id] {
			return nil, ErrSteps
		}
		seen[id] = true
		out[i] = Step{EmployeeID: id, Role: st.Role, Look: st.Look}
	}
	return out, nil
}

// Due is when a letter that is sent now has to be signed; zero: whenever.
func (a Arrangement) Due(now time.Time) time.Time {
	if a.DueDays == 0 {
		return time.Time{}
	}
	return now.AddDate(0, 0, a.DueDays)
}

// ArrangementOf is the version of a template that a document of somebody's was
// prepared with. It fails with ErrNotFound.
func (s *Service) ArrangementOf(ctx context.Context, w Workflow) (name string, a Arrangement, err error) {
	if w.Template == "" {
		return "", a, ErrNotFound
	}
	q := s.Store.Read()
	t, err := q.GetLetterTemplate(ctx, w.Template)
	if store.IsNotFound(err) {
		return "", a, ErrNotFound
	}
	if err != nil {
		return "", a, fmt.Errorf("read template: %w", err)
	}
	a, err = s.arrangement(ctx, q, w.Template, w.TemplateVersion)
	return t.Name, a, err
}

// TemplateError says that a template does not serve as it is.
type TemplateError struct{ Troubles []Trouble }

func (e *TemplateError) Error() string {
	return fmt.Sprintf("%d steps of the template do not serve any more", len(e.Troubles))
}

// StartFromTemplate sends a document to the signers of a template, which
// names the version that was shown. looks, where there are any, say for each step
// how it is signed this time. It fails with ErrNotFound, ErrStale, ErrSteps,
// *TemplateError, *RowsError, and as StartWorkflow does.
func (s *Service) StartFromTemplate(ctx context.Context, who audit.Actor, document, template string, version int64, rows []string, note string, looks []*Look) error {
	t, err := s.Template(ctx, who, template)
	if err != nil {
		return err
	}
	if t.Retired || t.Version != version {
		return ErrStale
	}
	troubles, err := s.Troubles(ctx, t.Arrangement)
	if err != nil {
		return err
	}
	if blocking(troubles) {
		return &TemplateError{troubles}
	}
	steps, err := t.Resolve(who.EmployeeID, rows)
	if err != nil {
		return err
	}
	if len(looks) > 0 && len(looks) != len(steps) {
		return ErrSteps
	}
	for i, l := range looks {
		steps[i].Look = l
	}
	if note == "" {
		note = t.Note
	}
	if t.Kind != Other {
		if err := s.SetKind(ctx, who, document, t.Kind); err != nil {
			return err
		}
	}
	return s.StartWorkflow(ctx, who, NewWorkflow{
		Document: document, Ordered: t.Ordered, Note: note, Steps: steps, Due: t.Due(s.now()), Template: t.ID, TemplateVersion: t.Version,
	})
}

func blocking(list []Trouble) bool {
	for _, t := range list {
		if t.Blocks() {
			return true
		}
	}
	return false
}
