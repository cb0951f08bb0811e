package mail

import "slices"

// SealNotice tells somebody about an institution's seal: that something about it
// waits for him, or what became of it.
type SealNotice struct {
	// Event is order, made, failed, keeper, request, refused, done, ask, window,
	// opened or suspended.
	Event string `json:"event"`
	Seal  string `json:"seal"` // its name
	By    string `json:"by,omitempty"`
	Text  string `json:"text,omitempty"` // note, reason (of failed: the authority's code) or application
	Count int    `json:"count,omitempty"`
	Page  Path   `json:"page"`
}

// sealEvents are what a SealNotice may be about.
var sealEvents = []string{"order", "made", "failed", "keeper", "request", "refused", "done", "ask", "window", "opened", "suspended"}

// Kind implements Params.
func (SealNotice) Kind() Kind { return KindSealNotice }

func (p *SealNotice) value() Params { return *p }

func (p SealNotice) compose(l *letter) {
	if !slices.Contains(sealEvents, p.Event) {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.need("seal", p.Seal)
	l.para("intro_" + p.Event)
	l.fact("seal", p.Seal)
	if p.By != "" {
		label := "asked_by"
		if p.Event == "refused" || p.Event == "done" || p.Event == "opened" {
			label = "decided_by"
		}
		l.fact(label, p.By)
	}
	switch {
	case p.Text == "":
	case p.Event == "ask" || p.Event == "window" || p.Event == "opened":
		l.fact("application", p.Text)
	case p.Event == "failed":
		l.fact("reason", l.label("seal_refusals", p.Text))
	case p.Event == "refused" || p.Event == "suspended":
		l.fact("reason", p.Text)
	default:
		l.fact("note", p.Text)
	}
	if p.Count > 0 {
		l.fact("documents", l.common("common.seal_count", p.Count))
	}
	l.show()
	l.para("after")
	l.button("button", p.Page)
}
