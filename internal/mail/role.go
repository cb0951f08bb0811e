package mail

import (
	"slices"
	"time"
)

// RoleNotice tells administrators that a powerful role waits for one of them, and
// all who hold one, and auditors, that one was given by a single administrator or
// that an administrator is one no more.
type RoleNotice struct {
	Event    string    `json:"event"` // asked, alone or ended
	Role     string    `json:"role"`
	Name     string    `json:"name"`      // of whom it is about
	UserName string    `json:"user_name"` // of the same
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at"`
	Page     Path      `json:"page"`
}

// roleEvents are what a RoleNotice may be about.
var roleEvents = []string{"asked", "alone", "ended"}

// Kind implements Params.
func (RoleNotice) Kind() Kind { return KindRoleNotice }

func (p *RoleNotice) value() Params { return *p }

func (p RoleNotice) compose(l *letter) {
	if !slices.Contains(roleEvents, p.Event) {
		l.fail("%w: the event %q", ErrParams, p.Event)
	}
	l.need("name", p.Name)
	l.para("intro_" + p.Event)
	l.fact("account", p.Name+" ("+p.UserName+")")
	l.fact("role", l.label("roles", p.Role))
	by := "done_by"
	if p.Event == "asked" {
		by = "asked_by"
	}
	if p.By != "" {
		l.fact(by, p.By)
	}
	l.fact("at", l.when(p.At))
	l.show()
	l.para("after_" + p.Event)
	l.button("button", p.Page)
}
