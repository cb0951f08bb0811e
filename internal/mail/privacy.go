package mail

import (
	"slices"
	"time"
)

// PrivacyNotice is about the data of a person: a request, its answer, what was
// destroyed.
type PrivacyNotice struct {
	// Event is received, answered, waiting (to who has to answer) or erased.
	Event     string    `json:"event"`
	Reference string    `json:"reference,omitempty"` // of the request
	Request   string    `json:"request,omitempty"`   // access, correction, erasure, objection, restriction
	At        time.Time `json:"at"`
	Due       time.Time `json:"due"`               // received, waiting: when the answer has to be there
	Outcome   string    `json:"outcome,omitempty"` // answered: granted, partly, refused
	Answer    string    `json:"answer,omitempty"`  // answered, in the words of who answered
	Erased    []Field   `json:"erased,omitempty"`  // erased: which scans
	Page      Path      `json:"page"`
}

// BreachNotice tells a person of a failure to protect his data (UU PDP 27/2022
// article 46): which data, when and how, what was done.
type BreachNotice struct {
	Reference string    `json:"reference"`
	Data      []string  `json:"data"` // classes of data in words of the recipient's language
	Since     time.Time `json:"since"`
	Until     time.Time `json:"until"`
	Known     time.Time `json:"known"`
	What      string    `json:"what"`
	Done      string    `json:"done"`
	Page      Path      `json:"page"`
}

// LifeEvent says that something in a subscriber's life has to be acted upon.
type LifeEvent struct {
	// Event is subject_changed (the certificate names what is no longer so),
	// overdue (and nothing was done) or retirement (the access ends on Due).
	Event  string    `json:"event"`
	Fields []Field   `json:"fields,omitempty"`
	Due    time.Time `json:"due"`
	Page   Path      `json:"page"`
}

// Kind implements Params.
func (PrivacyNotice) Kind() Kind { return KindPrivacyNotice }

// Kind implements Params.
func (BreachNotice) Kind() Kind { return KindBreachNotice }

// Kind implements Params.
func (LifeEvent) Kind() Kind { return KindLifeEvent }

func (p *PrivacyNotice) value() Params { return *p }
func (p *BreachNotice) value() Params  { return *p }
func (p *LifeEvent) value() Params     { return *p }

func (p PrivacyNotice) compose(l *letter) {
	if !slices.Contains([]string{"received", "answered", "waiting", "erased"}, p.Event) {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.para("intro")
	if p.Event != "erased" {
		l.need("reference", p.Reference)
		l.fact("reference", p.Reference)
		l.fact("request", l.common("privacy_requests."+p.Request, nil))
	} else {
		if len(p.Erased) == 0 {
			l.fail("%w: nothing was erased", ErrParams)
		}
		l.fact("erased", l.fields(p.Erased))
	}
	switch p.Event {
	case "received", "waiting":
		l.fact("submitted_at", l.when(p.At))
		l.fact("answer_due", l.when(p.Due))
	case "answered":
		l.need("answer", p.Answer)
		l.fact("outcome", l.common("privacy_outcomes."+p.Outcome, nil))
		l.fact("answer", p.Answer)
	}
	l.show()
	l.para("after")
	l.button("button", p.Page)
}

func (p BreachNotice) compose(l *letter) {
	l.need("reference", p.Reference)
	l.need("what", p.What)
	l.need("done", p.Done)
	if len(p.Data) == 0 {
		l.fail("%w: which data", ErrParams)
	}
	l.para("intro")
	for i, d := range p.Data {
		label := "data"
		if i > 0 {
			label = "data_more"
		}
		l.fact(label, d)
	}
	l.fact("breach_since", l.when(p.Since))
	l.fact("breach_until", l.when(p.Until))
	l.fact("breach_known", l.when(p.Known))
	l.fact("breach_what", p.What)
	l.fact("breach_done", p.Done)
	l.fact("breach_reference", p.Reference)
	l.show()
	l.para("request")
	l.button("button", p.Page)
	l.para("after")
}

func (p LifeEvent) compose(l *letter) {
	if !slices.Contains([]string{"subject_changed", "overdue", "retirement"}, p.Event) {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.para("intro")
	if len(p.Fields) > 0 {
		l.fact("changed", l.fields(p.Fields))
	}
	l.fact("act_until", l.when(p.Due))
	l.show()
	l.para("request")
	l.button("button", p.Page)
}
