// Package ds holds the employee's pages about the own Digital Signature: where
// the registration stands, applying, the agreement, the certificate, and what
// can be done with the passphrase.
package ds

import (
	"context"
	"fmt"
	"net/http"

	"absah/internal/account"
	"absah/internal/agreement"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/i18n"
	"absah/internal/portal/live"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
	"absah/internal/store/db"
)

// Staff tells what a registration would rest on. *staff.Service is one.
type Staff interface {
	Prerequisites(ctx context.Context, q *db.Queries, employeeID string) (staff.Prerequisites, error)
	Snapshot(ctx context.Context, q *db.Queries, employeeID string) (staff.Snapshot, error)
}

// Mails sends a mail once more. *outbox.Outbox is one; it fails with
// outbox.ErrNotAgain.
type Mails interface {
	Resend(ctx context.Context, who audit.Actor, id string) error
}

// Chain puts a certificate and those above it into files. *ca.Hierarchy is one.
type Chain interface {
	ChainPEM(der []byte) []byte
	P7B(der []byte) ([]byte, error)
}

// Config is what the pages need; all fields are required.
type Config struct {
	Enrolment *enrolment.Service
	Staff     Staff
	Mails     Mails
	Chain     Chain
	Archive   agreement.Archive
	Hub       *live.Hub // enrolment.Service.Notify and outbox.Outbox.Notify publish to it
	Clock     clock.Clock
}

// Pages are the pages of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists the pages. Package hris shows StatusCard at / and /ds.
func (p *Pages) Routes() []web.Route {
	get, post, employee := http.MethodGet, http.MethodPost, web.Role(account.Employee)
	return []web.Route{
		{Method: get, Path: "/ds/langsung", Access: employee, Handler: p.stream},
		{Method: post, Path: "/ds/tautan", Access: employee, Handler: p.sendLink},
		{Method: post, Path: "/ds/email/{id}", Access: employee, Handler: p.resend},

		{Method: get, Path: "/ds/registrasi", Access: employee, Handler: p.register},
		{Method: post, Path: "/ds/registrasi", Access: employee, Handler: p.submit},
		{Method: get, Path: "/ds/registrasi/selesai", Access: employee, Handler: p.submitted},
		{Method: get, Path: "/ds/registrasi/batal", Access: employee, Handler: p.confirmCancel},
		{Method: post, Path: "/ds/registrasi/batal", Access: employee, Handler: p.cancel},

		{Method: get, Path: "/ds/riwayat", Access: employee, Handler: p.history},
		{Method: get, Path: "/ds/perjanjian", Access: employee, Handler: p.agreement},
		{Method: post, Path: "/ds/perjanjian", Access: employee, Handler: p.accept},
		{Method: get, Path: "/ds/perjanjian/{id}", Access: employee, Handler: p.accepted},

		{Method: get, Path: "/ds/sertifikat", Access: employee, Handler: p.certificate},
		{Method: get, Path: "/ds/sertifikat/{serial}/{format}", Access: employee, Handler: p.download},
		{Method: get, Path: "/ds/reset-pin", Access: employee, Handler: p.confirmReset},
		{Method: post, Path: "/ds/reset-pin", Access: employee, Handler: p.reset},
		{Method: get, Path: "/ds/ubah-pin", Access: employee, Handler: p.change},
		{Method: post, Path: "/ds/ubah-pin", Access: employee, Handler: p.doChange},
		{Method: get, Path: "/ds/perpanjang", Access: employee, Handler: p.renew},
		{Method: post, Path: "/ds/perpanjang", Access: employee, Handler: p.doRenew},
		{Method: get, Path: "/ds/tangguhkan", Access: employee, Handler: p.confirmSuspend},
		{Method: post, Path: "/ds/tangguhkan", Access: employee, Handler: p.suspend},
		{Method: get, Path: "/ds/cabut", Access: employee, Handler: p.confirmRevoke},
		{Method: post, Path: "/ds/cabut", Access: employee, Handler: p.revoke},
	}
}

// me is the viewer as an employee.
func me(r *http.Request) audit.Actor { return web.ViewerOf(r.Context()).Actor(account.Employee) }

// own is a registration of the viewer's, or web.ErrNotFound.
func (p *Pages) own(r *http.Request, id string) (db.Registration, error) {
	all, err := p.Enrolment.Store.Read().RegistrationsOfEmployee(r.Context(), me(r).EmployeeID)
	if err != nil {
		return db.Registration{}, fmt.Errorf("read registrations: %w", err)
	}
	for _, reg := range all {
		if reg.ID == id {
			return reg, nil
		}
	}
	return db.Registration{}, web.ErrNotFound
}

// page is a page below "Digital Signature".
func page(r *http.Request, title string, bad bool) ui.Page {
	ctx := r.Context()
	return ui.Page{
		Title: i18n.T(ctx, title), HasErrors: bad,
		Breadcrumbs: []ui.Link{
			{Label: i18n.T(ctx, "nav.home"), Href: "/"}, {Label: i18n.T(ctx, "nav.ds"), Href: "/ds"},
			{Label: i18n.T(ctx, title)},
		},
	}
}
