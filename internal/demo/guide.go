package demo

import (
	"fmt"
	"strings"

	"absah/internal/portal/demopage"
)

// guide is what the command line prints: who holds a role, and one employee of
// each state that leads on from there.
func (t *teller) guide() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nDemo: nobody here is real, and nothing has legal effect.\n")
	fmt.Fprintf(&b, "Everybody's password is %s\n", Password)
	fmt.Fprintf(&b, "Everybody else, and codes for the second step: %s%s\n\n", t.Config.BaseURL, demopage.Path)
	told := map[story]bool{}
	for _, p := range t.people {
		switch {
		case len(p.roles) > 0:
			fmt.Fprintf(&b, "  %s  %-28s %s\n", p.nip, p.name, held(p.roles))
		case !told[p.story] && playable(p.story):
			told[p.story] = true
			fmt.Fprintf(&b, "  %s  %-28s employee, %s\n", p.nip, p.name, p.story)
		}
	}
	fmt.Fprintf(&b, "\nMails arrive at %s/kotak-surat\n", t.Config.BaseURL)
	return b.String()
}

func held(roles []grant) string {
	var names []string
	for _, g := range roles {
		name := strings.ReplaceAll(string(g.role), "_", " ")
		if g.unit != "" {
			name += " of unit " + g.unit
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// playable tells whether a story waits for the employee.
func playable(s story) bool {
	switch s {
	case storyNothing, storyComplete, storyReturned, storyLink, storyPassphrase, storyIssued:
		return true
	}
	return false
}

// page is what the page of the demo shows.
func (t *teller) page() *demopage.Guide {
	g := &demopage.Guide{Password: Password, Passphrase: Passphrase, TOTPSecret: TOTPSecret}
	for _, p := range t.people {
		shown := demopage.Person{Name: p.name, NIP: p.nip, Position: p.position, Story: p.story.key()}
		for _, r := range p.roles {
			shown.Roles = append(shown.Roles, demopage.Role{Role: r.role, Unit: r.unit})
		}
		g.People = append(g.People, shown)
	}
	return g
}

// String says in English what state a story ends in.
func (s story) String() string {
	return [...]string{
		"without data", "without scans", "with a correction that waits", "with a refused correction", "ready to register",
		"New", "New, claimed", "returned", "rejected", "cancelled", "with the passphrase link in the mailbox", "with the agreement to accept",
		"Enroll", "with a certificate", "with a revoked certificate", "after Reset PIN", "revoked in an incident", "with an expired certificate",
	}[s]
}

// key is the last part of the story's message key.
func (s story) key() string {
	return [...]string{
		"nothing", "no_scans", "waiting", "refused", "complete", "new", "claimed", "returned", "rejected", "cancelled",
		"link", "passphrase", "enroll", "issued", "revoked", "reset", "incident", "expired",
	}[s]
}
