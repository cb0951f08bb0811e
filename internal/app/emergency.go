package app

import (
	"context"

	"absah/internal/account"
	"absah/internal/portal/breaches"
	"absah/internal/portal/incidents"
	"absah/internal/portal/officer"
	"absah/internal/portal/web"
)

// emergencyPages are those for what concerns many people at once: certificates
// to revoke, and data in wrong hands.
func (a *App) emergencyPages() []web.Route {
	issuers := func() []string {
		var out []string
		for _, c := range a.Hierarchy.IssuingCAs() {
			out = append(out, c.Name)
		}
		return out
	}
	many := incidents.New(incidents.Config{Store: a.Store, Enrolment: a.Enrolment, Accounts: a.Accounts, Issuers: issuers, Clock: a.Clock})
	leaks := breaches.New(breaches.Config{
		Store: a.Store, Privacy: a.Privacy, Accounts: a.Accounts, Clock: a.Clock, Organisation: a.Config.Identity.Organisation, Contact: a.PrivacyContact(),
	})
	return append(many.Routes(), leaks.Routes()...)
}

// countEmergencies adds the numbers of what waits for a second person or runs
// against a clock.
func (a *App) countEmergencies(ctx context.Context, v *account.Viewer, out map[string]int) {
	count := func(href, what string, f func() (int, error)) {
		n, err := f()
		if err != nil {
			a.Log.WarnContext(ctx, "count "+what, "error", err)
		}
		out[href] = n
	}
	if v.HasRole(account.RegistrationOfficer) {
		count(officer.Wishes, "revocations that wait", func() (int, error) { return officer.CountWishes(ctx, a.Enrolment, v) })
	}
	if v.HasRole(account.Administrator) {
		count(incidents.Base, "incidents", func() (int, error) { return incidents.Count(ctx, a.Store, v.Account.ID) })
		count(breaches.Base, "breaches", func() (int, error) { return breaches.Count(ctx, a.Store) })
	}
}
