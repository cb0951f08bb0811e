// Package staffadmin holds the pages on which administrators keep units and
// employees, by form and by CSV import.
package staffadmin

import (
	"context"
	"net/http"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// Pages are the pages of this package.
type Pages struct {
	Staff *staff.Service
}

// Routes lists the pages.
func (p *Pages) Routes() []web.Route {
	admin := web.Role(account.Administrator)
	get, post := http.MethodGet, http.MethodPost
	return []web.Route{
		{Method: get, Path: "/admin/unit", Access: admin, Handler: p.units},
		{Method: post, Path: "/admin/unit", Access: admin, Handler: p.addUnit},
		{Method: get, Path: "/admin/unit/{id}", Access: admin, Handler: p.unit},
		{Method: post, Path: "/admin/unit/{id}", Access: admin, Handler: p.renameUnit},
		{Method: get, Path: "/admin/pegawai", Access: admin, Handler: p.employees},
		{Method: get, Path: "/admin/pegawai/baru", Access: admin, Handler: p.newEmployee},
		{Method: post, Path: "/admin/pegawai/baru", Access: admin, Handler: p.addEmployee},
		{Method: get, Path: "/admin/pegawai/{id}", Access: admin, Handler: p.employee},
		{Method: post, Path: "/admin/pegawai/{id}", Access: admin, Handler: p.saveEmployee},
		{Method: post, Path: "/admin/pegawai/{id}/status", Access: admin, Handler: p.setActive},
		{Method: get, Path: "/admin/impor", Access: admin, Handler: p.imports},
		{Method: post, Path: "/admin/impor", Access: admin, Handler: p.startImport},
		{Method: get, Path: "/admin/impor/contoh.csv", Access: admin, Handler: p.template},
		{Method: get, Path: "/admin/impor/{id}", Access: admin, Handler: p.importRun},
		{Method: post, Path: "/admin/impor/{id}/terapkan", Access: admin, Handler: p.applyImport},
		{Method: get, Path: "/admin/impor/{id}/laporan.csv", Access: admin, Handler: p.importReport},
		{Method: get, Path: "/admin/impor/{id}/kabar", Access: admin, Handler: p.importNews},
	}
}

func actor(ctx context.Context) audit.Actor { return web.ViewerOf(ctx).Actor(account.Administrator) }

func employeeCrumbs(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "staffadmin.employee.title"), Href: "/admin/pegawai"}}
}

// unitOptions are the units as choices, indented by their depth.
func (p *Pages) unitOptions(ctx context.Context, chosen, empty string) ([]ui.Option, error) {
	units, err := p.Staff.Units(ctx)
	if err != nil {
		return nil, err
	}
	list := []ui.Option{{Value: "", Label: empty, Selected: chosen == ""}}
	for _, u := range units {
		list = append(list, ui.Option{Value: u.ID, Label: indent(u.Depth) + u.Code + " · " + u.Name, Selected: u.ID == chosen})
	}
	return list, nil
}

func indent(depth int) string {
	s := ""
	for range depth {
		s += "\u00a0\u00a0\u00a0"
	}
	return s
}
