package staffadmin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// listView is the page on which employees are found.
type listView struct {
	Filter ui.Filter
	Table  ui.TableProps
	Pager  ui.Pager
	More   bool      // the search found more than it shows
	First  []ui.Task // of a new installation
}

const pageSize = 50

func (p *Pages) employees(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := r.URL.Query()
	text, unit := q.Get("q"), q.Get("unit")
	units, err := p.unitOptions(ctx, unit, i18n.T(ctx, "staffadmin.employee.all_units"))
	if err != nil {
		return err
	}
	v := listView{Filter: ui.Filter{
		Action: "/admin/pegawai",
		Search: &ui.FieldProps{Name: "q", Label: i18n.T(ctx, "staffadmin.employee.search"), Hint: i18n.T(ctx, "staffadmin.employee.search_hint"), Value: text, MaxLength: 100},
		Fields: []templ.Component{ui.Select(ui.FieldProps{Name: "unit", Label: i18n.T(ctx, "staffadmin.employee.unit"), NoRequired: true}, units)},
	}}
	if text != "" || unit != "" {
		v.Filter.Clear = "/admin/pegawai"
	}
	var found []staff.Found
	switch {
	case text != "":
		found, v.More, err = p.Staff.Search(ctx, unit, text, pageSize)
	case unit != "":
		found, v.Pager, err = p.unitPage(ctx, unit, q)
	}
	if err != nil {
		return err
	}
	v.Table = foundTable(ctx, found)
	if text == "" && unit == "" {
		n, err := p.Staff.Store.Read().CountEmployees(ctx)
		if err != nil {
			return err
		}
		if v.First, err = p.firstSteps(ctx, len(units)-1); err != nil { // one option stands for all of them
			return err
		}
		v.Table.Empty = ui.Empty{Icon: "people", Title: i18n.T(ctx, "staffadmin.employee.start"), Text: i18n.T(ctx, "staffadmin.employee.start_text", "count", i18n.Number(ctx, n))}
	}
	page := ui.Page{Title: i18n.T(ctx, "staffadmin.employee.title"), Wide: true, Actions: []templ.Component{
		ui.Button(ui.ButtonProps{Kind: ui.Secondary, Label: i18n.T(ctx, "staffadmin.employee.import"), Icon: "upload", Href: "/admin/impor"}),
		ui.Button(ui.ButtonProps{Label: i18n.T(ctx, "staffadmin.employee.add"), Icon: "person-plus", Href: "/admin/pegawai/baru"}),
	}}
	return web.Page(w, r, http.StatusOK, page, listBody(v))
}

func (p *Pages) unitPage(ctx context.Context, unit string, q url.Values) ([]staff.Found, ui.Pager, error) {
	name, err := p.Staff.Unit(ctx, unit)
	if errors.Is(err, staff.ErrNotFound) {
		return nil, ui.Pager{}, web.ErrNotFound
	}
	if err != nil {
		return nil, ui.Pager{}, err
	}
	found, err := p.Staff.EmployeesOfUnit(ctx, unit, q.Get("nama"), q.Get("setelah"), pageSize+1)
	if err != nil {
		return nil, ui.Pager{}, err
	}
	var pager ui.Pager
	if len(found) > pageSize {
		found = found[:pageSize]
		last := found[len(found)-1]
		pager.Next = "/admin/pegawai?" + url.Values{"unit": {unit}, "nama": {last.Name}, "setelah": {last.ID}}.Encode()
	}
	if q.Get("setelah") != "" {
		pager.First = "/admin/pegawai?" + url.Values{"unit": {unit}}.Encode()
	}
	for i := range found {
		found[i].UnitName = name.Name
	}
	return found, pager, nil
}

func foundTable(ctx context.Context, found []staff.Found) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "staffadmin.employee.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "staffadmin.employee.name")}, {Label: i18n.T(ctx, "staffadmin.employee.nip")},
			{Label: i18n.T(ctx, "staffadmin.employee.position")}, {Label: i18n.T(ctx, "staffadmin.employee.unit")},
			{Label: i18n.T(ctx, "staffadmin.employee.state")},
		},
		Empty: ui.Empty{Icon: "search", Title: i18n.T(ctx, "staffadmin.employee.empty"), Text: i18n.T(ctx, "staffadmin.employee.empty_text")},
	}
	for _, f := range found {
		state := ui.Tag(ui.Success, i18n.T(ctx, "staffadmin.employee.active"))
		if !f.Active {
			state = ui.Tag(ui.Neutral, i18n.T(ctx, "staffadmin.employee.inactive"))
		}
		t.Rows = append(t.Rows, ui.Row{ID: f.ID, Cells: []templ.Component{
			ui.Anchor(f.Name, "/admin/pegawai/"+f.ID, ""), ui.Code(f.NIP), ui.Text(orDash(f.Position)), ui.Text(f.UnitName), state,
		}})
	}
	return t
}

// formView is the form of a new or an existing employee.
type formView struct {
	ID      string // empty for a new one
	Version int64
	Active  bool
	Masked  string // of the NIK on record
	Data    staff.Data
	Units   []ui.Option
	Errors  web.FieldErrors
	Stale   bool
}

// formFields are the fields of the form, in order.
func formFields() []staff.Field {
	return []staff.Field{
		staff.NIP, staff.NIK, staff.Name, staff.Position, staff.Grade, staff.UnitField, staff.Email, staff.Phone,
		staff.BirthPlace, staff.BirthDate, staff.Sex, staff.TimeZone,
	}
}

func readData(r *http.Request) staff.Data {
	var d staff.Data
	for _, f := range formFields() {
		d.Set(f, web.Value(r, string(f)))
	}
	return d
}

func (p *Pages) showForm(w http.ResponseWriter, r *http.Request, status int, v formView) error {
	ctx := r.Context()
	var err error
	if v.Units, err = p.unitOptions(ctx, v.Data.UnitID, i18n.T(ctx, "staffadmin.employee.choose")); err != nil {
		return err
	}
	title := i18n.T(ctx, "staffadmin.employee.new")
	if v.ID != "" {
		title = i18n.T(ctx, "staffadmin.employee.edit")
	}
	page := ui.Page{Title: title, Lede: v.Data.Name, Breadcrumbs: employeeCrumbs(ctx), HasErrors: len(v.Errors) > 0}
	return web.Page(w, r, status, page, formBody(v))
}

func (p *Pages) newEmployee(w http.ResponseWriter, r *http.Request) error {
	return p.showForm(w, r, http.StatusOK, formView{Data: staff.Data{TimeZone: "WIB", UnitID: r.URL.Query().Get("unit")}})
}

func (p *Pages) addEmployee(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	d := readData(r)
	e, err := p.Staff.CreateEmployee(ctx, actor(ctx), d)
	if problems, ok := staffview.Problems(err); ok {
		return p.showForm(w, r, http.StatusUnprocessableEntity, formView{Data: d, Errors: problems})
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, ui.Success, "staffadmin.employee.created")
	return web.See(w, r, "/admin/pegawai/"+e.ID)
}

// existing is the form of the employee of the address, with what stands.
func (p *Pages) existing(r *http.Request) (formView, error) {
	e, err := p.Staff.Employee(r.Context(), r.PathValue("id"))
	if errors.Is(err, staff.ErrNotFound) {
		return formView{}, web.ErrNotFound
	}
	if err != nil {
		return formView{}, err
	}
	v := formView{ID: e.ID, Version: e.Version, Active: e.Active, Masked: e.NIK.Masked(), Data: e.Data()}
	v.Data.BirthDate = staffview.Typed(staff.BirthDate, v.Data.BirthDate)
	v.Data.NIK = "" // nobody but its owner and the officers who check it sees it
	return v, nil
}

func (p *Pages) employee(w http.ResponseWriter, r *http.Request) error {
	v, err := p.existing(r)
	if err != nil {
		return err
	}
	return p.showForm(w, r, http.StatusOK, v)
}

func (p *Pages) saveEmployee(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	v, err := p.existing(r)
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(web.Value(r, "version"), 10, 64)
	if err != nil {
		return web.ErrBadRequest
	}
	nip := v.Data.NIP
	v.Data = readData(r)
	v.Data.NIP = nip
	_, err = p.Staff.UpdateEmployee(ctx, actor(ctx), v.ID, version, v.Data)
	if problems, ok := staffview.Problems(err); ok {
		v.Errors, v.Version = problems, version
		return p.showForm(w, r, http.StatusUnprocessableEntity, v)
	}
	switch {
	case errors.Is(err, staff.ErrStale):
		v.Stale = true
		return p.showForm(w, r, http.StatusConflict, v)
	case errors.Is(err, staff.ErrNothing):
		web.Flash(w, r, ui.Info, "staffadmin.employee.nothing")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "staffadmin.employee.updated")
	}
	return web.See(w, r, "/admin/pegawai/"+v.ID)
}

func (p *Pages) setActive(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	ctx := r.Context()
	version, err := strconv.ParseInt(web.Value(r, "version"), 10, 64)
	if err != nil {
		return web.ErrBadRequest
	}
	active := web.Value(r, "active") == "1"
	err = p.Staff.SetActive(ctx, actor(ctx), r.PathValue("id"), version, active)
	switch {
	case errors.Is(err, staff.ErrNotFound):
		return web.ErrNotFound
	case errors.Is(err, staff.ErrStale):
		web.Flash(w, r, ui.Warning, "staffadmin.employee.stale")
	case errors.Is(err, staff.ErrNothing):
		web.Flash(w, r, ui.Info, "staffadmin.employee.nothing")
	case err != nil:
		return err
	case active:
		web.Flash(w, r, ui.Success, "staffadmin.employee.activated")
	default:
		web.Flash(w, r, ui.Success, "staffadmin.employee.deactivated")
	}
	return web.See(w, r, "/admin/pegawai/"+r.PathValue("id"))
}

func (v formView) field(ctx context.Context, f staff.Field) ui.FieldProps {
	props := ui.FieldProps{
		Name: string(f), Label: staffview.Label(ctx, f), Value: v.Data.Get(f), Error: v.Errors.Text(ctx, string(f)), MaxLength: 200,
		Optional: f != staff.NIP && f != staff.Name && f != staff.UnitField, Code: staffview.IsCode(f), Autocomplete: "off",
	}
	switch f {
	case staff.NIP:
		props.InputMode, props.Width, props.Hint, props.MaxLength = "numeric", 20, i18n.T(ctx, "staffadmin.employee.nip_hint"), 40
		props.ReadOnly = v.ID != ""
	case staff.NIK:
		props.InputMode, props.Width, props.Hint, props.MaxLength = "numeric", 20, i18n.T(ctx, "staffadmin.employee.nik_hint"), 40
		if v.Masked != "" {
			props.Hint = i18n.T(ctx, "staffadmin.employee.nik_keep", "masked", v.Masked)
		}
	case staff.Email:
		props.Type, props.MaxLength = "email", 254
	case staff.Phone:
		props.Type, props.Width = "tel", 20
	case staff.BirthDate:
		props.Width, props.Hint = 10, i18n.T(ctx, "hris.data.date_hint")
	case staff.Grade:
		props.Width = 20
	}
	return props
}

// options are the choices of the fields that have some, nil for others.
func (v formView) options(ctx context.Context, f staff.Field) []ui.Option {
	chosen := v.Data.Get(f)
	switch f {
	case staff.UnitField:
		return v.Units
	case staff.Sex:
		return []ui.Option{
			{Value: "", Label: i18n.T(ctx, "staffadmin.employee.choose"), Selected: chosen == ""},
			{Value: staff.Male, Label: i18n.T(ctx, "staff.sex.M"), Selected: chosen == staff.Male},
			{Value: staff.Female, Label: i18n.T(ctx, "staff.sex.F"), Selected: chosen == staff.Female},
		}
	case staff.TimeZone:
		var list []ui.Option
		for _, z := range i18n.Zones() {
			list = append(list, ui.Option{Value: string(z), Label: string(z), Selected: chosen == string(z)})
		}
		return list
	}
	return nil
}
