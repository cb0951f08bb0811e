package mail

import "time"

// AuthorityAlarm tells an administrator or auditor that the check of everything
// issued found problems.
type AuthorityAlarm struct {
	Checked  int64     `json:"checked"`
	Problems int64     `json:"problems"`
	At       time.Time `json:"at"`
	Page     Path      `json:"page"`
}

// Kind implements Params.
func (AuthorityAlarm) Kind() Kind { return KindAuthorityAlarm }

func (p *AuthorityAlarm) value() Params { return *p }

func (p AuthorityAlarm) compose(l *letter) {
	if p.Problems < 1 || p.Checked < 0 || p.At.IsZero() {
		l.fail("%w: an alarm without problems or time", ErrParams)
	}
	l.para("intro")
	l.para("meaning")
	l.steps("look", "compare", "keep")
	l.button("button", p.Page)
}
