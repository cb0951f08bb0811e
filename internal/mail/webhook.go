package mail

import (
	"slices"
	"time"
)

// WebhookTrouble tells an administrator that an application does not take what it
// wants to be told.
type WebhookTrouble struct {
	// Event is failing (it took nothing for three days) or disabled.
	Event       string    `json:"event"`
	Reason      string    `json:"reason,omitempty"` // of disabled: gone or gave_up
	Application string    `json:"application"`
	Host        string    `json:"host"`
	Since       time.Time `json:"since"`
	Page        Path      `json:"page"`
}

// Kind implements Params.
func (WebhookTrouble) Kind() Kind { return KindWebhookTrouble }

func (p *WebhookTrouble) value() Params { return *p }

func (p WebhookTrouble) compose(l *letter) {
	if !slices.Contains([]string{"failing", "disabled"}, p.Event) || p.Since.IsZero() {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.need("application", p.Application)
	l.need("host", p.Host)
	l.para("intro")
	l.fact("application", p.Application)
	l.fact("host", p.Host)
	l.fact("since", l.when(p.Since))
	l.show()
	l.para("after")
	l.button("button", p.Page)
}
