package rest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"absah/internal/audit"
	"absah/internal/signing"
)

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

type workflowOrder struct {
	Ordered bool        `json:"ordered"`
	Note    string      `json:"note"`
	Steps   []stepOrder `json:"steps"`
}

type stepOrder struct {
	Signer reference    `json:"signer"`
	Role   string       `json:"role"`
	Anchor string       `json:"anchor"`
	Places []placeOrder `json:"places"`
}

type workflowBody struct {
	Document  string         `json:"document"`
	State     string         `json:"state"`
	Ordered   bool           `json:"ordered"`
	Note      string         `json:"note"`
	CreatedAt string         `json:"created_at"`
	SignURL   string         `json:"sign_url"`
	Steps     []stepBody     `json:"steps"`
	Timeline  []workflowNews `json:"timeline"`
}

type stepBody struct {
	Signer   personLink  `json:"signer"`
	Position string      `json:"position"`
	Role     string      `json:"role"`
	Anchor   string      `json:"anchor"`
	Places   []stepPlace `json:"places"`
	State    string      `json:"state"` // waiting, turn or done
	At       *string     `json:"at"`
}

type workflowNews struct {
	At     string `json:"at"`
	By     string `json:"by"`
	Action string `json:"action"`
	Reason string `json:"reason"`
}

// signPath is where a signer finds a document in the portal.
const signPath = "/dokumen/berkas/"

func (d *door) workflowOf(w signing.Workflow) workflowBody {
	out := workflowBody{
		Document: w.DocumentID, State: w.State, Ordered: w.Ordered, Note: w.Note, CreatedAt: moment(w.CreatedAt), SignURL: d.BaseURL + signPath + w.DocumentID,
		Steps: []stepBody{}, Timeline: []workflowNews{},
	}
	for _, s := range w.Steps {
		one := stepBody{Signer: personLink{s.NIP, s.Name}, Position: s.Office, Role: string(s.Role), Anchor: s.Anchor, Places: placesOf(s.Look), State: "waiting"}
		switch {
		case s.Done:
			one.State, one.At = "done", maybe(s.At)
		case s.Turn:
			one.State = "turn"
		}
		out.Steps = append(out.Steps, one)
	}
	for _, e := range w.Events {
		out.Timeline = append(out.Timeline, workflowNews{moment(e.At), e.Name, e.Action, e.Reason})
	}
	return out
}

// startWorkflow asks people to sign a document, POST /documents/{id}/workflow.
func (d *door) startWorkflow(ctx context.Context, c *call) (*answer, error) {
	var in workflowOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if c.client.Sandbox {
		return d.startSpecimenWorkflow(ctx, c, in)
	}
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return nil, err
	}
	n := signing.NewWorkflow{Document: doc.ID, Ordered: in.Ordered, Note: in.Note}
	for i, s := range in.Steps {
		e, err := d.named(ctx, c, s.Signer, fmt.Sprintf("/steps/%d/signer", i))
		if err != nil {
			return nil, err
		}
		role := signing.SignRole
		if s.Role != "" {
			role = signing.Role(s.Role)
		}
		look, err := d.lookOf(ctx, doc, e.ID, s, fmt.Sprintf("/steps/%d", i))
		if err != nil {
			return nil, err
		}
		n.Steps = append(n.Steps, signing.Step{EmployeeID: e.ID, Role: role, Anchor: s.Anchor, Look: look})
	}
	err = d.Signing.StartWorkflow(ctx, c.behalf(doc.OwnerID), n)
	if c.again && errors.Is(err, signing.ErrWorkflow) {
		// What was cut off had started it: a document has one, and this
		// application is the only one that could.
		if w, werr := d.Signing.Workflow(ctx, doc.ID); werr == nil && sameSteps(w.Steps, n.Steps) {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	w, err := d.Signing.Workflow(ctx, doc.ID)
	if err != nil {
		return nil, err
	}
	return created("/documents/"+doc.ID+"/workflow", d.workflowOf(w))
}

func sameSteps(a, b []signing.Step) bool {
	return slices.EqualFunc(a, b, func(x, y signing.Step) bool { return x.EmployeeID == y.EmployeeID && x.Role == y.Role })
}

// workflow finds the workflow of one of the application's documents.
func (d *door) workflow(ctx context.Context, c *call) (signing.Document, signing.Workflow, error) {
	doc, err := d.own(ctx, c, c.path("id"))
	if err != nil {
		return doc, signing.Workflow{}, err
	}
	w, err := d.Signing.Workflow(ctx, doc.ID)
	return doc, w, err
}

// showWorkflow tells where a document is on its way, GET
// /documents/{id}/workflow.
func (d *door) showWorkflow(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.steerSpecimen(ctx, c, "")
	}
	_, w, err := d.workflow(ctx, c)
	if err != nil {
		return nil, err
	}
	return ok(d.workflowOf(w))
}

// cancelWorkflow takes a document back, POST /documents/{id}/workflow/cancel, and
// remindWorkflow reminds whose turn it is, POST /documents/{id}/workflow/remind.
func (d *door) cancelWorkflow(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.steerSpecimen(ctx, c, "cancel")
	}
	return d.steer(ctx, c, d.Signing.Cancel)
}

func (d *door) remindWorkflow(ctx context.Context, c *call) (*answer, error) {
	if c.client.Sandbox {
		return d.steerSpecimen(ctx, c, "remind")
	}
	return d.steer(ctx, c, d.Signing.Remind)
}

func (d *door) steer(ctx context.Context, c *call, f func(context.Context, audit.Actor, string) error) (*answer, error) {
	doc, w, err := d.workflow(ctx, c)
	if err != nil {
		return nil, err
	}
	if w.State != signing.Open {
		return nil, problem("workflow_ended")
	}
	if err := f(ctx, c.behalf(doc.OwnerID), doc.ID); err != nil {
		return nil, err
	}
	return d.showWorkflow(ctx, c)
}
