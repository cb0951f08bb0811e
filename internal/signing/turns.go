package signing

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// stepSigned ends the step of a signer in the transaction that stores what he
// signed, and tells whose turn it is then.
func (s *Service) stepSigned(ctx context.Context, tx *store.Tx, who audit.Actor, signer string, d *Document, version int64) error {
	if _, err := tx.LockWorkflow(ctx, d.ID); store.IsNotFound(err) {
		return s.forgetPassword(ctx, tx, d.ID)
	} else if err != nil {
		return fmt.Errorf("lock workflow: %w", err)
	}
	w, err := s.workflow(ctx, tx.Queries, d.ID)
	if err != nil {
		return err
	}
	step, turn := w.turnOf(signer)
	if w.State != Open && d.OwnerID == signer {
		return s.forgetPassword(ctx, tx, d.ID)
	}
	if !turn {
		return ErrTurn
	}
	n, err := tx.FinishWorkflowStep(ctx, db.FinishWorkflowStepParams{WorkflowID: w.ID, Position: step.position, DoneAt: clock.Micros(s.now()), Version: version})
	if err != nil || n != 1 {
		return fmt.Errorf("end step of workflow (%d rows): %w", n, errors.Join(err, ErrTurn))
	}
	if err := s.event(ctx, tx, who, w.ID, d.ID, string(step.Role), ""); err != nil {
		return err
	}
	if w, err = s.workflow(ctx, tx.Queries, d.ID); err != nil {
		return err
	}
	for _, st := range w.Steps {
		if !st.Done {
			return s.tellTurns(ctx, tx, w, d.Name, signer)
		}
	}
	if err := s.finish(ctx, tx, who, w, Done, "done", ""); err != nil {
		return err
	}
	if more, err := s.moreOfBulk(ctx, tx, w.Bulk); err != nil || more {
		return err
	}
	return s.tellAll(ctx, tx, w, "done", d.Name, step.Name, "", "")
}

// late lets a document pass that it is no longer the signer's turn to sign: taken
// back meanwhile while others of the list wait, or changed since it was seen, perhaps
// by a try of the signer's own whose answer was lost. What became of it is said of it
// alone.
func (s *Service) late(ctx context.Context, a *Authorization, item *Item) error {
	d, err := s.AnyDocument(ctx, item.Document)
	if err != nil {
		return err
	}
	if len(a.Items) == 1 && d.SHA256 == item.Digest {
		return ErrTurn
	}
	item.late = true
	return nil
}

// finish ends a workflow.
func (s *Service) finish(ctx context.Context, tx *store.Tx, who audit.Actor, w Workflow, state, action, reason string) error {
	n, err := tx.EndWorkflow(ctx, db.EndWorkflowParams{ID: w.ID, State: state, EndedAt: clock.Micros(s.now())})
	if err != nil {
		return fmt.Errorf("end workflow: %w", err)
	}
	if n != 1 {
		return ErrTurn
	}
	if err := s.happened(ctx, tx, Happening{What: endEvent(state), DocumentID: w.DocumentID, EmployeeID: who.EmployeeID}); err != nil {
		return err
	}
	if err := s.forgetPassword(ctx, tx, w.DocumentID); err != nil {
		return err
	}
	return s.event(ctx, tx, who, w.ID, w.DocumentID, action, reason)
}

// forgetPassword forgets that of a document which nobody has to sign any more.
func (s *Service) forgetPassword(ctx context.Context, tx *store.Tx, documentID string) error {
	if err := tx.ForgetDocumentPassword(ctx, documentID); err != nil {
		return fmt.Errorf("forget the password of a document: %w", err)
	}
	return nil
}

// Reject ends the workflow of a document: who's turn it is refuses to sign, and
// everybody who takes part is told why. It fails with ErrNotFound, ErrTurn and
// ErrReason.
func (s *Service) Reject(ctx context.Context, who audit.Actor, documentID, reason string) error {
	reason = strings.TrimSpace(reason)
	return s.withWorkflow(ctx, documentID, func(tx *store.Tx, w Workflow, document string) error {
		step, turn := w.turnOf(who.EmployeeID)
		switch {
		case step.EmployeeID == "":
			return ErrNotFound
		case !turn:
			return ErrTurn
		case reason == "" || len(reason) > 2000:
			return ErrReason
		}
		if err := s.finish(ctx, tx, who, w, Rejected, "reject", reason); err != nil {
			return err
		}
		return s.tellAll(ctx, tx, w, "reject", document, step.Name, reason, who.EmployeeID)
	})
}

// Cancel takes a document back that is on its way. It fails with ErrNotFound and
// ErrTurn.
func (s *Service) Cancel(ctx context.Context, who audit.Actor, documentID string) error {
	return s.withWorkflow(ctx, documentID, func(tx *store.Tx, w Workflow, document string) error {
		if w.OwnerID != who.EmployeeID {
			return ErrNotFound
		}
		if err := s.finish(ctx, tx, who, w, Cancelled, "cancel", ""); err != nil {
			return err
		}
		return s.tellAll(ctx, tx, w, "cancel", document, w.Events[0].Name, "", who.EmployeeID)
	})
}

// Remind reminds those whose turn it is, each at most once a day. It fails with
// ErrNotFound, ErrTurn and ErrReminded.
func (s *Service) Remind(ctx context.Context, who audit.Actor, documentID string) error {
	return s.withWorkflow(ctx, documentID, func(tx *store.Tx, w Workflow, document string) error {
		if w.OwnerID != who.EmployeeID {
			return ErrNotFound
		}
		n, err := s.remind(ctx, tx, w, document)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrReminded
		}
		return s.event(ctx, tx, who, w.ID, w.DocumentID, "remind", "")
	})
}

func (s *Service) remind(ctx context.Context, tx *store.Tx, w Workflow, document string) (n int, err error) {
	if w.State != Open {
		return 0, ErrTurn
	}
	now := s.now()
	for _, st := range w.Steps {
		if !st.Turn {
			continue
		}
		set, err := tx.SetWorkflowReminded(ctx, db.SetWorkflowRemindedParams{
			WorkflowID: w.ID, Position: st.position, Now: clock.Micros(now), Before: clock.Micros(now.Add(-remindPause)) + 1,
		})
		if err != nil {
			return n, fmt.Errorf("write down a reminder: %w", err)
		}
		if set == 0 {
			continue
		}
		n++
		err = s.tell(ctx, tx, Notice{What: "remind", To: st.EmployeeID, DocumentID: w.DocumentID, Document: document, By: w.Events[0].Name, Role: st.Role, Text: w.Note, Bulk: w.Bulk})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// JobRemind reminds those who have had a document for three days, every three,
// and daily from the day before a document is due.
const JobRemind = "signing.remind"

const remindAfter = 72 * time.Hour

// RemindAll is the handler of JobRemind.
func (s *Service) RemindAll(ctx context.Context, _ string) error {
	now := s.now()
	rows, err := s.Store.Read().WorkflowsToRemind(ctx, db.WorkflowsToRemindParams{
		Before: clock.Micros(now.Add(-remindAfter)), Due: clock.Micros(now.Add(remindPause)), ADayAgo: clock.Micros(now.Add(-remindPause)),
	})
	if err != nil {
		return fmt.Errorf("look for documents that wait: %w", err)
	}
	for _, r := range rows {
		err := s.withWorkflow(ctx, r.DocumentID, func(tx *store.Tx, w Workflow, document string) error {
			_, err := s.remind(ctx, tx, w, document)
			return err
		})
		if err != nil && !errors.Is(err, ErrTurn) {
			return err
		}
	}
	return nil
}

// withWorkflow runs f with the workflow of a document, locked. The document is locked
// before it, as where it is signed: in the other order a signature and a rejection
// at the same moment would wait for each other.
func (s *Service) withWorkflow(ctx context.Context, documentID string, f func(*store.Tx, Workflow, string) error) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		d, err := tx.LockDocument(ctx, documentID)
		if store.IsNotFound(err) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("lock document: %w", err)
		}
		if _, err := tx.LockWorkflow(ctx, documentID); store.IsNotFound(err) {
			return ErrNotFound
		} else if err != nil {
			return fmt.Errorf("lock workflow: %w", err)
		}
		w, err := s.workflow(ctx, tx.Queries, documentID)
		if err != nil {
			return err
		}
		return f(tx, w, d.Name)
	})
}
