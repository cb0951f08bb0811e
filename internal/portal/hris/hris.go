// Package hris holds the pages of employees: home with profile and Digital
// Signature, the five prerequisites, "Lengkapi Sekarang" with its uploads, the
// changes they proposed and who looked at their scans.
package hris

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/a-h/templ"

	"absah/internal/account"
	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// Pages are the pages of this package.
type Pages struct {
	Staff *staff.Service
	// StatusCard shows the status of the employee's Digital Signature: the
	// sentence, the timeline, what can be done. Nil shows nothing.
	StatusCard func(ctx context.Context, employeeID string) (templ.Component, error)
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	employee := web.Role(account.Employee)
	get, post := http.MethodGet, http.MethodPost
	return []web.Route{
		{Method: get, Path: "/", Access: web.SignedIn, Handler: p.home},
		{Method: get, Path: "/ds", Access: employee, Handler: p.ds},
		{Method: get, Path: "/ds/lengkapi", Access: employee, Handler: p.data},
		{Method: post, Path: "/ds/lengkapi", Access: employee, Handler: p.saveData},
		{Method: get, Path: "/ds/lengkapi/{kind}", Access: employee, Handler: p.upload},
		{Method: post, Path: "/ds/lengkapi/{kind}", Access: employee, Handler: p.saveUpload},
		{Method: get, Path: "/ds/perubahan", Access: employee, Handler: p.changes},
		{Method: post, Path: "/ds/perubahan/tarik", Access: employee, Handler: p.withdraw},
		{Method: get, Path: "/ds/akses", Access: employee, Handler: p.access},
		{Method: get, Path: "/berkas/{id}", Access: web.SignedIn, Handler: p.scan},
		{Method: get, Path: "/berkas/{id}/kecil", Access: web.SignedIn, Handler: p.thumb},
	}
}

// first is where people without an employee's page start, by role.
var first = []struct {
	role account.Role
	path string
}{
	{account.Administrator, "/admin/pegawai"}, {account.HROfficer, "/hr/perubahan"},
	{account.RegistrationOfficer, "/petugas"}, {account.ServiceDesk, "/servicedesk"}, {account.Auditor, "/audit"},
}

// home is the guide's first page.
func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := web.ViewerOf(ctx)
	if v.EmployeeID == "" {
		for _, f := range first {
			if v.HasRole(f.role) {
				return web.See(w, r, f.path)
			}
		}
		return web.See(w, r, "/akun")
	}
	e, err := p.Staff.Employee(ctx, v.EmployeeID)
	if err != nil {
		return missing(err)
	}
	unit, err := p.Staff.Unit(ctx, e.UnitID)
	if err != nil {
		return missing(err)
	}
	status, err := p.status(ctx, e.ID)
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "hris.home"), HideTitle: true}
	return web.Page(w, r, http.StatusOK, page, homeBody(i18n.T(ctx, "hris.home"), profileTerms(ctx, e, unit), status))
}

func profileTerms(ctx context.Context, e staff.Employee, unit staff.Unit) []ui.Term {
	return []ui.Term{
		{Label: staffview.Label(ctx, staff.NIP), Value: e.NIP.Grouped(), Code: true},
		{Label: staffview.Label(ctx, staff.Name), Value: e.Name},
		{Label: staffview.Label(ctx, staff.Position), Value: e.Position},
		{Label: staffview.Label(ctx, staff.UnitField), Value: unit.Name},
		{Label: staffview.Label(ctx, staff.Grade), Value: e.Grade},
	}
}

func (p *Pages) status(ctx context.Context, employeeID string) (templ.Component, error) {
	if p.StatusCard == nil {
		return templ.NopComponent, nil
	}
	card, err := p.StatusCard(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("show DS status: %w", err)
	}
	return card, nil
}

// ds is "Informasi Selengkapnya": the prerequisites and where to go from there.
func (p *Pages) ds(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id := web.ViewerOf(ctx).EmployeeID
	list, err := p.Staff.Prerequisites(ctx, p.Staff.Store.Read(), id)
	if err != nil {
		return missing(err)
	}
	status, err := p.status(ctx, id)
	if err != nil {
		return err
	}
	registrations, err := p.Staff.Store.Read().RegistrationsOfEmployee(ctx, id)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	page := ui.Page{Title: i18n.T(ctx, "hris.ds"), Lede: i18n.T(ctx, "hris.intro"), Breadcrumbs: crumbs(ctx)}
	return web.Page(w, r, http.StatusOK, page, dsBody(list, status, len(registrations) > 0))
}

func crumbs(ctx context.Context, more ...ui.Link) []ui.Link {
	return append([]ui.Link{{Label: i18n.T(ctx, "hris.home"), Href: "/"}}, more...)
}

func dsCrumbs(ctx context.Context) []ui.Link {
	return crumbs(ctx, ui.Link{Label: i18n.T(ctx, "hris.ds"), Href: "/ds"})
}

// missing makes the page "not found" of what staff does not find.
func missing(err error) error {
	if errors.Is(err, staff.ErrNotFound) {
		return web.ErrNotFound
	}
	return err
}

// access is "Siapa melihat scan saya".
func (p *Pages) access(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	views, err := p.Staff.Views(ctx, web.ViewerOf(ctx).EmployeeID)
	if err != nil {
		return err
	}
	table := ui.TableProps{
		Caption: i18n.T(ctx, "hris.access.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "hris.access.when")}, {Label: i18n.T(ctx, "hris.access.what")}, {Label: i18n.T(ctx, "hris.access.who")},
			{Label: i18n.T(ctx, "hris.access.role")}, {Label: i18n.T(ctx, "hris.access.why")},
		},
		Empty: ui.Empty{Icon: "eye", Title: i18n.T(ctx, "hris.access.empty"), Text: i18n.T(ctx, "hris.access.empty_text")},
	}
	for _, v := range views {
		viewer := v.Viewer
		if viewer == "" {
			viewer = i18n.T(ctx, "hris.access.unknown")
		}
		table.Rows = append(table.Rows, ui.Row{Cells: []templ.Component{
			ui.Time(v.At), ui.Text(staffview.Label(ctx, v.Kind)), ui.Text(viewer),
			ui.Text(web.RoleName(ctx, account.Role(v.Role))), ui.Text(purposeOf(ctx, v)),
		}})
	}
	page := ui.Page{Title: i18n.T(ctx, "hris.access.title"), Lede: i18n.T(ctx, "hris.access.lede"), Breadcrumbs: dsCrumbs(ctx)}
	return web.Page(w, r, http.StatusOK, page, accessBody(table))
}

// purposeOf is why a scan was looked at, with the case that gives the reason.
func purposeOf(ctx context.Context, v staff.Viewed) string {
	why := i18n.T(ctx, "staff.purpose."+string(v.Purpose))
	if v.Reference == "" {
		return why
	}
	return why + " (" + v.Reference + ")"
}
