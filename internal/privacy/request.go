package privacy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Kind is what a person asks for.
type Kind string

// The kinds of requests, with their articles of UU PDP 27/2022 (by excerpts).
const (
	Access      Kind = "access"      // what is stored, and who saw it (7, 32)
	Correction  Kind = "correction"  // of data that the pages do not let one correct (6, 30)
	Erasure     Kind = "erasure"     // end of processing, deletion (8, 43)
	Objection   Kind = "objection"   // to a processing, withdrawal of consent (9, 10, 40)
	Restriction Kind = "restriction" // suspension or limitation (11, 41)
)

// Kinds lists the kinds in the order of the form.
var Kinds = []Kind{Access, Correction, Erasure, Objection, Restriction}

// Outcome is what was decided about a request.
type Outcome string

// The outcomes. A refusal needs a reason (art. 33).
const (
	Granted Outcome = "granted"
	Partly  Outcome = "partly"
	Refused Outcome = "refused"
)

// Outcomes lists the outcomes.
var Outcomes = []Outcome{Granted, Partly, Refused}

// Bounds of requests.
const (
	MaxText = 4000 // characters
	maxOpen = 5    // open requests of a person
)

// Request is a request with its texts.
type Request struct {
	db.SubjectRequest
	Text   string
	Answer string
	Name   string // of the person, in a queue
	NIP    string
	Unit   string
}

// Due is when the answer has to be there.
func (r Request) Due() time.Time { return clock.FromMicros(r.DueAt) }

// Late reports whether an open request is past its time.
func (r Request) Late(now time.Time) bool { return r.State == "open" && !now.Before(r.Due()) }

func textContext(id, what string) []byte { return []byte("subject_request/" + id + "/" + what) }

func checkText(text string) error {
	if text == "" || utf8.RuneCountInString(text) > MaxText || !utf8.ValidString(text) {
		return ErrText
	}
	return nil
}

// Ask files a request of the actor about the own data. The clock of 3x24 hours
// starts now. It fails with ErrText and ErrTooMany.
func (s *Service) Ask(ctx context.Context, who audit.Actor, kind Kind, text string) (db.SubjectRequest, error) {
	text = strings.TrimSpace(text)
	if !slices.Contains(Kinds, kind) {
		return db.SubjectRequest{}, ErrText
	}
	if err := checkText(text); err != nil {
		return db.SubjectRequest{}, err
	}
	id, now := ident.From(s.Random), s.now()
	sealed, err := s.Vault.Seal(ctx, keys.Data, []byte(text), textContext(id, "text"))
	if err != nil {
		return db.SubjectRequest{}, fmt.Errorf("seal request: %w", err)
	}
	var r db.SubjectRequest
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockEmployee(ctx, who.EmployeeID); err != nil {
			return fmt.Errorf("lock employee: %w", err)
		}
		n, err := tx.OpenSubjectRequestsOf(ctx, who.EmployeeID)
		if err != nil {
			return fmt.Errorf("count requests: %w", err)
		}
		if n >= maxOpen {
			return ErrTooMany
		}
		err = tx.InsertSubjectRequest(ctx, db.InsertSubjectRequestParams{
			ID: id, Reference: ident.Reference("PDP"), EmployeeID: who.EmployeeID, Kind: string(kind), TextSealed: sealed,
			OpenedAt: clock.Micros(now), DueAt: clock.Micros(now.Add(Term)),
		})
		if err != nil {
			return fmt.Errorf("store request: %w", err)
		}
		if r, err = tx.GetSubjectRequest(ctx, id); err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if err := s.record(ctx, tx, who, "privacy.ask", "subject_request", id, map[string]string{"kind": string(kind)}); err != nil {
			return err
		}
		return s.Courier.RequestReceived(ctx, tx, r)
	})
	return r, err
}

// Withdraw takes back an open request of the actor's own.
func (s *Service) Withdraw(ctx context.Context, who audit.Actor, id string) error {
	return s.close(ctx, who, id, "withdrawn", "", "", func(r db.SubjectRequest) error {
		if r.EmployeeID != who.EmployeeID {
			return ErrNotFound
		}
		return nil
	})
}

// Answer closes a request with what was done and why. It fails with ErrText,
// ErrOwn, ErrNotFound and ErrClosed.
func (s *Service) Answer(ctx context.Context, who audit.Actor, id string, outcome Outcome, answer string) error {
	answer = strings.TrimSpace(answer)
	if !slices.Contains(Outcomes, outcome) {
		return ErrText
	}
	if err := checkText(answer); err != nil {
		return err
	}
	return s.close(ctx, who, id, "answered", outcome, answer, func(r db.SubjectRequest) error {
		if who.EmployeeID != "" && who.EmployeeID == r.EmployeeID {
			return ErrOwn
		}
		return nil
	})
}

func (s *Service) close(ctx context.Context, who audit.Actor, id, state string, outcome Outcome, answer string, may func(db.SubjectRequest) error) error {
	var sealed []byte
	if answer != "" {
		var err error
		if sealed, err = s.Vault.Seal(ctx, keys.Data, []byte(answer), textContext(id, "answer")); err != nil {
			return fmt.Errorf("seal answer: %w", err)
		}
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := tx.LockSubjectRequest(ctx, id)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock request: %w", err)
		}
		if err := may(r); err != nil {
			return err
		}
		n, err := tx.CloseSubjectRequest(ctx, db.CloseSubjectRequestParams{
			ID: id, State: state, ClosedAt: clock.Micros(s.now()), AnsweredBy: who.AccountID, Outcome: string(outcome), AnswerSealed: sealed,
		})
		if err != nil {
			return fmt.Errorf("close request: %w", err)
		}
		if n != 1 {
			return ErrClosed
		}
		late := fmt.Sprint(!s.now().Before(clock.FromMicros(r.DueAt)))
		if err := s.record(ctx, tx, who, "privacy."+state, "subject_request", id, map[string]string{"outcome": string(outcome), "late": late}); err != nil {
			return err
		}
		if state != "answered" {
			return nil
		}
		r.Outcome = string(outcome)
		return s.Courier.RequestAnswered(ctx, tx, r, answer)
	})
}

// opened adds the texts to a row.
func (s *Service) opened(ctx context.Context, r db.SubjectRequest) (Request, error) {
	out := Request{SubjectRequest: r}
	text, err := s.Vault.Open(ctx, keys.Data, r.TextSealed, textContext(r.ID, "text"))
	if err != nil {
		return out, fmt.Errorf("open request %s: %w", r.Reference, err)
	}
	out.Text = string(text)
	if len(r.AnswerSealed) > 0 {
		answer, err := s.Vault.Open(ctx, keys.Data, r.AnswerSealed, textContext(r.ID, "answer"))
		if err != nil {
			return out, fmt.Errorf("open answer to %s: %w", r.Reference, err)
		}
		out.Answer = string(answer)
	}
	return out, nil
}

// Requests lists the requests of a person, the latest first.
func (s *Service) Requests(ctx context.Context, employeeID string) ([]Request, error) {
	rows, err := s.Store.Read().SubjectRequestsOf(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	out := make([]Request, len(rows))
	for i, r := range rows {
		if out[i], err = s.opened(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Queue lists the open requests, those due first, and the latest answered.
func (s *Service) Queue(ctx context.Context) (open, closed []Request, err error) {
	rows, err := s.Store.Read().SubjectRequestQueue(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list requests: %w", err)
	}
	for _, r := range rows {
		one, err := s.opened(ctx, requestOf(r))
		if err != nil {
			return nil, nil, err
		}
		one.Name, one.NIP, one.Unit = r.Name, r.Nip, r.UnitName
		open = append(open, one)
	}
	done, err := s.Store.Read().AnsweredSubjectRequests(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list requests: %w", err)
	}
	for _, r := range done {
		one, err := s.opened(ctx, requestOf(db.SubjectRequestQueueRow(r)))
		if err != nil {
			return nil, nil, err
		}
		one.Name, one.NIP, one.Unit = r.Name, r.Nip, r.UnitName
		closed = append(closed, one)
	}
	return open, closed, nil
}

func requestOf(r db.SubjectRequestQueueRow) db.SubjectRequest {
	return db.SubjectRequest{
		ID: r.ID, Reference: r.Reference, EmployeeID: r.EmployeeID, Kind: r.Kind, TextSealed: r.TextSealed, State: r.State,
		OpenedAt: r.OpenedAt, DueAt: r.DueAt, EscalatedAt: r.EscalatedAt, ClosedAt: r.ClosedAt, AnsweredBy: r.AnsweredBy,
		Outcome: r.Outcome, AnswerSealed: r.AnswerSealed,
	}
}

// Request returns one request for who answers it. It fails with ErrNotFound.
func (s *Service) Request(ctx context.Context, id string) (Request, error) {
	r, err := s.Store.Read().GetSubjectRequest(ctx, id)
	if store.IsNotFound(err) {
		return Request{}, ErrNotFound
	}
	if err != nil {
		return Request{}, fmt.Errorf("read request: %w", err)
	}
	out, err := s.opened(ctx, r)
	if err != nil {
		return out, err
	}
	e, err := s.Store.Read().GetEmployee(ctx, r.EmployeeID)
	if err != nil {
		return out, fmt.Errorf("read employee: %w", err)
	}
	u, err := s.Store.Read().GetUnit(ctx, e.UnitID)
	if err != nil {
		return out, fmt.Errorf("read unit: %w", err)
	}
	out.Name, out.NIP, out.Unit = e.Name, e.Nip, u.Name
	return out, nil
}

// Escalate reminds the administrators of requests that wait for 48 hours, once
// each. It returns of how many.
func (s *Service) Escalate(ctx context.Context) (int, error) {
	now := s.now()
	rows, err := s.Store.Read().SubjectRequestsToEscalate(ctx, clock.Micros(now.Add(-escalateAfter)))
	if err != nil {
		return 0, fmt.Errorf("look for requests that wait: %w", err)
	}
	holders, err := s.Store.Read().RoleHolders(ctx, "administrator")
	if err != nil {
		return 0, fmt.Errorf("read administrators: %w", err)
	}
	told := 0
	for _, r := range rows {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			n, err := tx.EscalateSubjectRequest(ctx, db.EscalateSubjectRequestParams{ID: r.ID, EscalatedAt: clock.Micros(now)})
			if err != nil || n == 0 {
				return err
			}
			for _, h := range holders {
				if err := s.Courier.RequestWaits(ctx, tx, r, h); err != nil {
					return err
				}
			}
			tx.After(func() { told++ })
			return s.record(ctx, tx, audit.System("worker"), "privacy.escalate", "subject_request", r.ID, nil)
		})
		if err != nil {
			return told, fmt.Errorf("escalate %s: %w", r.Reference, err)
		}
	}
	return told, nil
}
