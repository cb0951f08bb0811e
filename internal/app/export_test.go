package app

import (
	"context"
	"crypto/sha256"
	"slices"

	"absah/internal/ca"
	"absah/internal/mail"
	"absah/internal/metrics"
	"absah/internal/portal/web"
	"absah/internal/reseal"
)

// AllRoutes lists the pages of all parts of the portal, for the access matrix.
func (a *App) AllRoutes() []web.Route { return slices.Concat(a.routes()...) }

// SealedColumns are the columns that are brought under newer versions of the
// vault's secrets.
func SealedColumns() []reseal.Column { return sealedColumns() }

// Works tells whether this process works on jobs of a kind.
func (a *App) Works(kind string) bool { return a.handlers()[kind] != nil }

// Families are all metrics.
func (a *App) Families() []*metrics.Family { return a.instruments().names.all }

// ServeMetrics listens for scrapes.
func (a *App) ServeMetrics(ctx context.Context) (stop func() error, err error) {
	return a.serveMetrics(ctx)
}

// Attach is what the outbox calls before it sends a mail.
func (a *App) Attach(ctx context.Context, m mail.Message, registrationID string) (mail.Message, error) {
	return a.attach(ctx, m, registrationID)
}

// CertificateSubject is what the authority asks about an employee.
func (a *App) CertificateSubject(ctx context.Context, employeeID string) (ca.Subject, [sha256.Size]byte, error) {
	return subjects{a.Staff}.CertificateSubject(ctx, a.Store.Read(), employeeID)
}

// NotePolicy does what a start does.
func (a *App) NotePolicy(ctx context.Context) error { return a.notePolicy(ctx) }
