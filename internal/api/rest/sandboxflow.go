package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// A workflow of a sandbox asks people who are invented; they sign by calls of the
// application.

// turns says whose turn it is, and notes whose has come.
func (s *specimen) turns() {
	w := s.flow
	waits := false // for somebody before
	for i := range w.Steps {
		one := &w.Steps[i]
		switch {
		case one.State == "done":
			continue
		case w.State == signing.Open && !(w.Ordered && waits):
			if one.State != "turn" {
				s.happened(signing.EventTurn, one.Signer.NIP, signing.Role(one.Role))
			}
			one.State = "turn"
		default:
			one.State = "waiting"
		}
		waits = true
	}
}

// note writes down what happened.
func (w *workflowBody) note(at, by, action string) {
	w.Timeline = append(w.Timeline, workflowNews{At: at, By: by, Action: action})
}

// happened notes what its application is to hear of; number is whose act or turn it is.
func (s *specimen) happened(what signing.DocumentEvent, number string, role signing.Role) {
	h := signing.Happening{What: what, DocumentID: s.body.ID, Version: s.body.Version, Role: role}
	if number != "" {
		h.EmployeeID = inventedID(number)
	}
	s.news = append(s.news, h)
}

// spread tells what happened since it was read.
func (d *door) spread(ctx context.Context, tx *store.Tx, s specimen) error {
	for _, h := range s.news {
		if err := d.Webhooks.Specimen(ctx, tx, s.row.ClientID, h); err != nil {
			return fmt.Errorf("tell what became of a specimen: %w", err)
		}
	}
	return nil
}

// end ends it.
func (s *specimen) end(state string) {
	s.flow.State = state
	s.turns()
	s.body.Workflow = &s.flow.State
}

// mayBeSigned tells whether somebody may sign now.
func (s *specimen) mayBeSigned(signer string) bool {
	if s.flow == nil || s.flow.State != signing.Open {
		return true
	}
	for _, one := range s.flow.Steps {
		if one.Signer.NIP == signer && one.State == "turn" {
			return true
		}
	}
	return false
}

// stepSigned ends the step of a signer.
func (s *specimen) stepSigned(signer, at string) {
	if s.flow == nil || s.flow.State != signing.Open {
		return
	}
	left := 0
	for i := range s.flow.Steps {
		one := &s.flow.Steps[i]
		if one.Signer.NIP == signer {
			one.State, one.At = "done", &at
			s.flow.note(at, one.Signer.Name, one.Role)
		}
		if one.State != "done" {
			left++
		}
	}
	s.turns()
	if left == 0 {
		s.flow.note(at, sandboxName, signing.Done)
		s.end(signing.Done)
		s.happened(signing.EventCompleted, signer, "")
	}
}

func (d *door) startSpecimenWorkflow(ctx context.Context, c *call, in workflowOrder) (*answer, error) {
	s, err := d.specimen(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	path := "/documents/" + s.body.ID + "/workflow"
	if s.flow != nil && c.again {
		return created(path, s.flow) // an earlier attempt had started it
	}
	if s.flow != nil || s.body.State != signing.StateNew {
		return nil, signing.ErrWorkflow
	}
	now := moment(d.Clock())
	s.flow = &workflowBody{
		Document: s.body.ID, State: signing.Open, Ordered: in.Ordered, Note: in.Note, CreatedAt: now, SignURL: d.BaseURL + signPath + s.body.ID,
	}
	seen := map[string]bool{}
	for _, st := range in.Steps {
		nip := st.Signer.text()
		if seen[nip] {
			return nil, signing.ErrSteps
		}
		seen[nip] = true
		if st.Role == "" {
			st.Role = string(signing.SignRole)
		}
		s.flow.Steps = append(s.flow.Steps, stepBody{Signer: personLink{nip, sandboxName}, Position: "Analis Contoh", Role: st.Role, Anchor: st.Anchor, Places: st.spots(), State: "waiting"})
	}
	s.turns()
	s.flow.note(now, s.body.Owner.Name, "open")
	s.body.Workflow = &s.flow.State
	if err := d.rewrite(ctx, s); err != nil {
		return nil, err
	}
	return created(path, s.flow)
}

// spots are the places of a step as a sandbox tells them again: nobody signs there, so
// that they are not measured against the pages.
func (o stepOrder) spots() []stepPlace {
	out := []stepPlace{}
	for _, p := range o.Places {
		place, err := p.place(0, "")
		if err != nil {
			continue // the document lists what a page can be
		}
		one := stepPlace{Page: place.Page, Width: place.Box.Width, Height: place.Box.Height}
		if p.Anchor != "" {
			one.Page, one.Anchor = nil, &p.Anchor
		} else {
			one.X, one.Y = &p.X, &p.Y
		}
		out = append(out, one)
	}
	return out
}

// steerSpecimen tells of a workflow, after an action on it: cancel, remind or none.
func (d *door) steerSpecimen(ctx context.Context, c *call, action string) (*answer, error) {
	s, err := d.specimen(ctx, c, c.path("id"))
	switch {
	case err != nil:
		return nil, err
	case s.flow == nil:
		return nil, problem("not_found")
	case action == "":
		return ok(s.flow)
	case s.flow.State != signing.Open:
		return nil, problem("workflow_ended")
	}
	now := d.Clock()
	if action == "remind" {
		for _, e := range s.flow.Timeline {
			if at, err := time.Parse(time.RFC3339, e.At); err == nil && e.Action == "remind" && now.Sub(at) < 24*time.Hour {
				return nil, signing.ErrReminded
			}
		}
	} else {
		s.end(signing.Cancelled)
		s.happened(signing.EventCancelled, "", "")
	}
	s.flow.note(moment(now), s.body.Owner.Name, action)
	if err := d.rewrite(ctx, s); err != nil {
		return nil, err
	}
	return ok(s.flow)
}

// rewrite stores what changed of a document; its bytes stay.
func (d *door) rewrite(ctx context.Context, s specimen) error {
	text, err := json.Marshal(s.text())
	if err != nil {
		return fmt.Errorf("keep for a sandbox: %w", err)
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.SetSandboxObject(ctx, db.SetSandboxObjectParams{
			ID: s.row.ID, ClientID: s.row.ClientID, Body: string(text), BlobID: s.row.BlobID, KeySealed: s.row.KeySealed,
		})
		if err != nil {
			return fmt.Errorf("keep for a sandbox: %w", err)
		}
		return d.spread(ctx, tx, s)
	})
}
