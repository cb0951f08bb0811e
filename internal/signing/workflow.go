package signing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

var (
	// ErrTurn says that it is not the signer's turn, or that the workflow has ended.
	ErrTurn = errors.New("it is not this person's turn to sign the document")
	// ErrWorkflow says that a document is on its way already, or was signed.
	ErrWorkflow = errors.New("the document is in a workflow or was signed already")
	// ErrSteps says that a workflow has no steps, too many, one person twice or
	// somebody who is no employee.
	ErrSteps = errors.New("the steps of the workflow are not those of different employees")
	// ErrReason says that a rejection has no reason.
	ErrReason = errors.New("a rejection needs a reason")
	// ErrReminded says that everybody whose turn it is was reminded within a day.
	ErrReminded = errors.New("everybody was reminded within a day")
)

// Role is what somebody is asked for.
type Role string

// The roles of a step.
const (
	SignRole Role = "sign"  // signature of the letter
	Paraf    Role = "paraf" // initials of who agrees with it, invisible
)

// The states of a workflow.
const (
	Open      = "open"
	Done      = "done"
	Rejected  = "rejected"
	Cancelled = "cancelled"
)

// MaxSteps bounds the people of one workflow.
const MaxSteps = 20

// remindPause is between two reminders of one person.
const remindPause = 24 * time.Hour

// Step is one signature that a workflow wants.
type Step struct {
	EmployeeID         string
	Name, NIP, Office  string // of the employee
	Role               Role
	Anchor             string // marker text for the visible signature; empty: the signer says where
	Look               *Look  // how and where he is to sign; nil: as he likes
	Done               bool
	At                 time.Time // when it was signed
	Turn               bool      // it is this one's turn now
	position, reminded int64
	fields             []string // that an earlier signer made for this one
}

// Number is the place of the step in its workflow, from 1.
func (st Step) Number() int { return int(st.position) + 1 }

// Event is one thing that happened: open, sign, paraf, reject, cancel, remind, done.
type Event struct {
	At     time.Time
	Name   string // who did it
	Action string
	Reason string // of a rejection; the note of who opened it
}

// Workflow is a document on its way through the hands of several signers.
type Workflow struct {
	ID, DocumentID, OwnerID string
	Ordered                 bool
	Note                    string
	State                   string
	CreatedAt               time.Time
	Due                     time.Time // zero: whenever
	Template                string    // that it was prepared with; empty: none
	TemplateVersion         int64
	Bulk                    string // that it belongs to; empty: none
	Steps                   []Step
	Events                  []Event
}

// NewWorkflow is what the preparer of a document wants.
type NewWorkflow struct {
	Document string
	Ordered  bool   // one after the other
	Note     string // for those who sign
	Steps    []Step // EmployeeID, Role, Anchor and Look count
	Due      time.Time
	// Template and its version, if it was prepared with one.
	Template        string
	TemplateVersion int64

	bulk string
}

// Notice is what a participant is told.
type Notice struct {
	What       string // turn, remind, reject, cancel, done
	To         string // employee
	DocumentID string
	Document   string // its name
	By         string // who did it
	Role       Role   // that is asked for
	Text       string // note or reason
	// Bulk is that of a document which was sent with many others; who takes part
	// is told of all of them once, and Document is then the name of the bulk.
	Bulk string
}

// Courier tells participants, in the transaction of what they are told.
type Courier interface {
	Workflow(ctx context.Context, tx *store.Tx, n Notice) error
}

func (s *Service) tell(ctx context.Context, tx *store.Tx, n Notice) error {
	if n.Bulk != "" && n.What != "reject" {
		first, err := s.firstOfBulk(ctx, tx, &n)
		if err != nil || !first {
			return err
		}
	}
	if s.Notify != nil {
		tx.After(func() { s.Notify(n.To) })
	}
	if s.Courier == nil {
		return nil
	}
	return s.Courier.Workflow(ctx, tx, n)
}

// StartWorkflow sends a document of the actor's own to those who are to sign it.
// It fails with ErrNotFound, ErrWorkflow, ErrSteps, and as Look.Check does.
func (s *Service) StartWorkflow(ctx context.Context, who audit.Actor, n NewWorkflow) error {
	if err := s.checkSteps(n.Steps); err != nil {
		return err
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error { return s.startWorkflow(ctx, tx, who, n) })
	if store.IsUnique(err) {
		return ErrWorkflow
	}
	return err
}

// checkSteps fails with ErrSteps, ErrLook, ErrSpot and ErrPlaces.
func (s *Service) checkSteps(steps []Step) error {
	if len(steps) == 0 || len(steps) > MaxSteps {
		return ErrSteps
	}
	seen := map[string]bool{}
	for _, st := range steps {
		if seen[st.EmployeeID] || st.Role != SignRole && st.Role != Paraf || len(st.Anchor) > 200 {
			return ErrSteps
		}
		seen[st.EmployeeID] = true
		if st.Look == nil {
			continue
		}
		if err := st.Look.Check(s.Limits.Places); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) startWorkflow(ctx context.Context, tx *store.Tx, who audit.Actor, n NewWorkflow) error {
	d, err := tx.LockDocument(ctx, n.Document)
	if store.IsNotFound(err) || err == nil && (d.OwnerID != who.EmployeeID || d.State == StateErased) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("lock document: %w", err)
	}
	if d.State != StateNew {
		return ErrWorkflow
	}
	id := ident.From(s.Random)
	err = tx.InsertWorkflow(ctx, db.InsertWorkflowParams{
		ID: id, DocumentID: d.ID, OwnerID: d.OwnerID, Ordered: n.Ordered, Note: n.Note, CreatedAt: clock.Micros(s.now()), TemplateID: n.Template,
		TemplateVersion: n.TemplateVersion, DueAt: clock.Micros(n.Due), BulkID: n.bulk,
	})
	if err != nil {
		return fmt.Errorf("store workflow: %w", err)
	}
	for i, st := range n.Steps {
		if err := s.startStep(ctx, tx, id, i, st); err != nil {
			return err
		}
	}
	if err := s.event(ctx, tx, who, id, d.ID, "open", n.Note); err != nil {
		return err
	}
	w, err := s.workflow(ctx, tx.Queries, d.ID)
	if err != nil {
		return err
	}
	return s.tellTurns(ctx, tx, w, d.Name, "")
}

func (s *Service) startStep(ctx context.Context, tx *store.Tx, id string, position int, st Step) error {
	e, err := tx.GetEmployee(ctx, st.EmployeeID)
	if store.IsNotFound(err) || err == nil && !e.Active {
		return ErrSteps
	}
	if err != nil {
		return fmt.Errorf("read employee: %w", err)
	}
	look := ""
	if st.Look != nil {
		if look, err = st.Look.text(); err != nil {
			return err
		}
		if st.Anchor == "" {
			st.Anchor = st.Look.anchor()
		}
	}
	err = tx.InsertWorkflowStep(ctx, db.InsertWorkflowStepParams{
		WorkflowID: id, Position: int64(position), EmployeeID: st.EmployeeID, Role: string(st.Role), Anchor: st.Anchor, Look: look,
	})
	if err != nil {
		return fmt.Errorf("store step of workflow: %w", err)
	}
	return nil
}

// event writes down what happened, for participants and for the audit.
func (s *Service) event(ctx context.Context, tx *store.Tx, who audit.Actor, workflowID, documentID, action, reason string) error {
	err := tx.InsertWorkflowEvent(ctx, db.InsertWorkflowEventParams{
		WorkflowID: workflowID, At: clock.Micros(s.now()), EmployeeID: who.EmployeeID, Action: action, Reason: reason,
	})
	if err != nil {
		return fmt.Errorf("write down what happened: %w", err)
	}
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "workflow." + action, ObjectKind: "document", ObjectID: documentID})
}

// tellTurns tells those whose turn has come; after whom is empty at the start.
func (s *Service) tellTurns(ctx context.Context, tx *store.Tx, w Workflow, document, after string) error {
	for i, st := range w.Steps {
		begun := after == "" || w.Ordered && i > 0 && w.Steps[i-1].EmployeeID == after
		if !st.Turn || !begun {
			continue
		}
		n := Notice{What: "turn", To: st.EmployeeID, DocumentID: w.DocumentID, Document: document, By: w.Events[0].Name, Role: st.Role, Text: w.Note, Bulk: w.Bulk}
		if err := s.tell(ctx, tx, n); err != nil {
			return err
		}
		if err := s.happened(ctx, tx, Happening{What: EventTurn, DocumentID: w.DocumentID, EmployeeID: st.EmployeeID, Role: st.Role}); err != nil {
			return err
		}
	}
	return nil
}

// tellAll tells everybody who takes part but who did it.
func (s *Service) tellAll(ctx context.Context, tx *store.Tx, w Workflow, what, document, by, text, but string) error {
	all := map[string]bool{w.OwnerID: true}
	for _, st := range w.Steps {
		all[st.EmployeeID] = true
	}
	delete(all, but)
	for id := range all {
		if err := s.tell(ctx, tx, Notice{What: what, To: id, DocumentID: w.DocumentID, Document: document, By: by, Text: text, Bulk: w.Bulk}); err != nil {
			return err
		}
	}
	return nil
}

// Workflow returns the workflow of a document, or ErrNotFound.
func (s *Service) Workflow(ctx context.Context, documentID string) (Workflow, error) {
	return s.workflow(ctx, s.Store.Read(), documentID)
}

func (s *Service) workflow(ctx context.Context, q *db.Queries, documentID string) (Workflow, error) {
	row, err := q.WorkflowOfDocument(ctx, documentID)
	if store.IsNotFound(err) {
		return Workflow{}, ErrNotFound
	}
	if err != nil {
		return Workflow{}, fmt.Errorf("read workflow: %w", err)
	}
	w := Workflow{
		ID: row.ID, DocumentID: row.DocumentID, OwnerID: row.OwnerID, Ordered: row.Ordered, Note: row.Note, State: row.State, CreatedAt: clock.FromMicros(row.CreatedAt),
		Due: clock.FromMicros(row.DueAt), Template: row.TemplateID, TemplateVersion: row.TemplateVersion, Bulk: row.BulkID,
	}
	steps, err := q.WorkflowSteps(ctx, row.ID)
	if err != nil {
		return w, fmt.Errorf("read steps of workflow: %w", err)
	}
	waits := false // for somebody before
	for _, r := range steps {
		st := Step{
			EmployeeID: r.EmployeeID, Name: r.Name, NIP: r.Nip, Office: r.Office, Role: Role(r.Role), Anchor: r.Anchor, Done: r.State == Done,
			At: clock.FromMicros(r.DoneAt), position: r.Position, reminded: r.RemindedAt, fields: strings.Fields(r.Fields),
		}
		if st.Look, err = lookOf(r.Look); err != nil {
			return w, err
		}
		st.Turn = w.State == Open && !st.Done && !(w.Ordered && waits)
		waits = waits || !st.Done
		w.Steps = append(w.Steps, st)
	}
	events, err := q.WorkflowEvents(ctx, row.ID)
	if err != nil {
		return w, fmt.Errorf("read what happened: %w", err)
	}
	for _, r := range events {
		w.Events = append(w.Events, Event{At: clock.FromMicros(r.At), Name: r.Name, Action: r.Action, Reason: r.Reason})
	}
	return w, nil
}

// turnOf is the step of an employee whose turn it is.
func (w Workflow) turnOf(employeeID string) (Step, bool) {
	for _, st := range w.Steps {
		if st.EmployeeID == employeeID {
			return st, st.Turn
		}
	}
	return Step{}, false
}

// Turn tells whether it is an employee's turn, and what for.
func (w Workflow) Turn(employeeID string) (Step, bool) { return w.turnOf(employeeID) }

// maySign says whether somebody may sign a document now: its owner while it is
// in no workflow, else whose turn it is. What an application brought is signed by
// its calls, and in the portal by those whom its workflow asks. It fails with
// ErrNotFound and ErrTurn.
func (s *Service) maySign(ctx context.Context, q *db.Queries, d db.Document, signer, client string) error {
	if d.State == StateErased || d.ClientID != client && client != "" {
		return ErrNotFound
	}
	w, err := s.workflow(ctx, q, d.ID)
	if errors.Is(err, ErrNotFound) {
		if client == "" && d.OwnerID != signer {
			return ErrNotFound
		}
		return nil
	}
	if err != nil {
		return err
	}
	step, turn := w.turnOf(signer)
	switch {
	case turn:
		return nil
	case step.EmployeeID == "" && d.OwnerID != signer:
		return ErrNotFound
	case w.State != Open && d.OwnerID == signer:
		return nil // its owner has it back
	}
	return ErrTurn
}

// Turn is a document that waits for somebody.
type Turn struct {
	DocumentID, Name, From string
	Role                   Role
	Since                  time.Time
	Due                    time.Time // zero: whenever
}

// Turns lists the documents that wait for an employee, without those of bulks:
// see BulkTurns.
func (s *Service) Turns(ctx context.Context, employeeID string) ([]Turn, error) {
	rows, err := s.Store.Read().WorkflowTurns(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	out := make([]Turn, len(rows))
	for i, r := range rows {
		out[i] = Turn{DocumentID: r.DocumentID, Name: r.Name, From: r.OwnerName, Role: Role(r.Role), Since: clock.FromMicros(r.CreatedAt), Due: clock.FromMicros(r.DueAt)}
	}
	return out, nil
}

// Readable returns a document that an employee may see: his own, one in whose
// workflow he takes part, or one that is to be sealed by a seal that he keeps. It fails with ErrNotFound.
func (s *Service) Readable(ctx context.Context, employeeID, id string) (Document, error) {
	d, err := s.AnyDocument(ctx, id)
	if err != nil {
		return d, err
	}
	if d.State == StateErased {
		return Document{}, ErrNotFound
	}
	if d.OwnerID == employeeID {
		return d, nil
	}
	n, err := s.Store.Read().IsParticipant(ctx, db.IsParticipantParams{DocumentID: id, EmployeeID: employeeID})
	if err != nil {
		return d, fmt.Errorf("look who takes part: %w", err)
	}
	if n == 0 {
		keeps, err := s.keepsSeal(ctx, employeeID, id)
		if err != nil {
			return d, err
		}
		if !keeps {
			return Document{}, ErrNotFound
		}
	}
	return d, nil
}
