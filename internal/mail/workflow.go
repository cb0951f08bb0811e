package mail

import "slices"

// WorkflowNotice tells somebody who takes part in the signing of a document what
// has happened to it, or that it waits for him.
type WorkflowNotice struct {
	// Event is turn, remind, reject, cancel or done.
	Event    string `json:"event"`
	Document string `json:"document"` // its name
	By       string `json:"by"`       // who sent, rejected or took it back
	Role     string `json:"role,omitempty"`
	Text     string `json:"text,omitempty"` // note of who sent it, reason of who rejects it
	Page     Path   `json:"page"`
}

// Kind implements Params.
func (WorkflowNotice) Kind() Kind { return KindWorkflowNotice }

func (p *WorkflowNotice) value() Params { return *p }

func (p WorkflowNotice) compose(l *letter) {
	if !slices.Contains([]string{"turn", "remind", "reject", "cancel", "done"}, p.Event) {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.need("document", p.Document)
	l.need("by", p.By)
	l.para("intro")
	l.fact("document", p.Document)
	switch p.Event {
	case "turn", "remind":
		l.fact("sent_by", p.By)
		l.fact("asked_for", l.common("workflow_roles."+p.Role, nil))
		if p.Text != "" {
			l.fact("note", p.Text)
		}
	case "reject":
		l.need("reason", p.Text)
		l.fact("rejected_by", p.By)
		l.fact("reason", p.Text)
	}
	l.show()
	l.para("after")
	l.button("button", p.Page)
}
