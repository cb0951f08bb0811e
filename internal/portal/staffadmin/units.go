package staffadmin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// unitView is the page of the units with the form that adds one.
type unitView struct {
	Table   ui.TableProps
	Parents []ui.Option
	Code    string
	Name    string
	Errors  web.FieldErrors
}

func (p *Pages) units(w http.ResponseWriter, r *http.Request) error {
	return p.showUnits(w, r, http.StatusOK, unitView{}, r.URL.Query().Get("induk"))
}

func (p *Pages) showUnits(w http.ResponseWriter, r *http.Request, status int, v unitView, parent string) error {
	ctx := r.Context()
	units, err := p.Staff.Units(ctx)
	if err != nil {
		return err
	}
	sizes, err := p.Staff.UnitSizes(ctx)
	if err != nil {
		return err
	}
	v.Table = unitTable(ctx, units, sizes)
	if v.Parents, err = p.unitOptions(ctx, parent, i18n.T(ctx, "staffadmin.unit.top")); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "staffadmin.unit.title"), Lede: i18n.T(ctx, "staffadmin.unit.lede"), HasErrors: len(v.Errors) > 0}
	return web.Page(w, r, status, page, unitsBody(v))
}

func unitTable(ctx context.Context, units []staff.Unit, sizes map[string]int64) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "staffadmin.unit.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "staffadmin.unit.name")}, {Label: i18n.T(ctx, "staffadmin.unit.code")},
			{Label: i18n.T(ctx, "staffadmin.unit.count"), Number: true}, {Label: i18n.T(ctx, "staffadmin.unit.actions"), HideLabel: true, Shrink: true},
		},
		Empty: ui.Empty{Icon: "diagram-3", Title: i18n.T(ctx, "staffadmin.unit.empty"), Text: i18n.T(ctx, "staffadmin.unit.empty_text")},
	}
	for _, u := range units {
		t.Rows = append(t.Rows, ui.Row{ID: u.ID, Cells: []templ.Component{
			unitName(u), ui.Code(u.Code),
			ui.Anchor(i18n.Number(ctx, sizes[u.ID]), "/admin/pegawai?unit="+u.ID, ""), unitActions(u),
		}})
	}
	return t
}

func (p *Pages) addUnit(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	parent, code, name := web.Value(r, "parent_code"), web.Value(r, "unit_code"), web.Value(r, "unit_name")
	u, err := p.Staff.CreateUnit(ctx, actor(ctx), parent, code, name)
	if problems, ok := staffview.Problems(err); ok {
		return p.showUnits(w, r, http.StatusUnprocessableEntity, unitView{Code: code, Name: name, Errors: problems}, parent)
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "staffadmin.unit.added", "name", u.Name)
	return web.See(w, r, "/admin/unit")
}

func (p *Pages) unit(w http.ResponseWriter, r *http.Request) error {
	return p.showUnit(w, r, http.StatusOK, "", nil)
}

func (p *Pages) showUnit(w http.ResponseWriter, r *http.Request, status int, typed string, problems web.FieldErrors) error {
	ctx := r.Context()
	u, err := p.Staff.Unit(ctx, r.PathValue("id"))
	if errors.Is(err, staff.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	path, err := p.Staff.UnitPath(ctx, u.ID)
	if err != nil {
		return err
	}
	var above []string
	for _, a := range path[:len(path)-1] {
		above = append(above, a.Name)
	}
	if problems == nil {
		typed = u.Name
	}
	page := ui.Page{
		Title: u.Name, Lede: strings.Join(above, " › "), HasErrors: len(problems) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "staffadmin.unit.title"), Href: "/admin/unit"}},
	}
	return web.Page(w, r, status, page, unitBody(u, typed, problems))
}

func (p *Pages) renameUnit(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	name := web.Value(r, "unit_name")
	err := p.Staff.RenameUnit(ctx, actor(ctx), r.PathValue("id"), name)
	if problems, ok := staffview.Problems(err); ok {
		return p.showUnit(w, r, http.StatusUnprocessableEntity, name, problems)
	}
	switch {
	case errors.Is(err, staff.ErrNothing):
		web.Flash(w, r, ui.Info, "staffadmin.employee.nothing")
	case errors.Is(err, staff.ErrNotFound):
		return web.ErrNotFound
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "staffadmin.unit.renamed")
	}
	return web.See(w, r, "/admin/unit")
}
