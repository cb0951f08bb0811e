package demo

import (
	"context"
	"fmt"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
)

// moment is something that happens beside the stories.
type moment struct {
	ago time.Duration // before now, when it is about to happen
	do  func(context.Context) error
}

// moments lists what happens beside the stories, the oldest first. Those who
// take part have their certificates by then.
func (t *teller) moments() []moment {
	return []moment{
		{110 * time.Hour, t.makeSeals},
		{109 * time.Hour, t.answerPrivacy},
		{108 * time.Hour, t.pastIncident},
		{107 * time.Hour, t.pastBreach},
		{100 * time.Hour, t.listen},
		{96 * time.Hour, t.writeDocuments},
		{80 * time.Hour, t.writeBulk},
		{52 * time.Hour, t.askPrivacy},
		{30 * time.Hour, t.useSeal},
		{26 * time.Hour, t.openBreach},
		{20 * time.Hour, t.askIncident},
		{0, t.fallSilent},
		{0, t.askPrivacyLate},
	}
}

// pass lets happen what was due by now; at the end, everything.
func (t *teller) pass(ctx context.Context, all bool) error {
	for len(t.beside) > 0 && (all || t.clock.Ago() <= t.beside[0].ago) {
		m := t.beside[0]
		t.beside = t.beside[1:]
		t.clock.To(m.ago)
		if err := m.do(ctx); err != nil {
			return fmt.Errorf("beside the stories: %w", err)
		}
		t.clock.Pass(3 * time.Minute)
	}
	return nil
}

// of are the people of a story, in their order.
func (t *teller) of(s story) []audit.Actor {
	var out []audit.Actor
	for i, p := range t.people {
		if p.story == s && len(p.roles) == 0 {
			out = append(out, t.actors[i])
		}
	}
	return out
}

// administrators are those of everywhere.
func (t *teller) administrators() []audit.Actor {
	var out []audit.Actor
	for i, p := range t.people {
		if len(p.roles) > 0 && p.roles[0].role == account.Administrator {
			who := t.actors[i]
			who.Role = string(account.Administrator)
			out = append(out, who)
		}
	}
	return out
}
