package hris

import (
	"context"
	"errors"
	"net/http"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// textFields are the fields of the form, in order.
func textFields() []staff.Field {
	var list []staff.Field
	for _, f := range staff.CorrectableFields() {
		if !f.IsScan() {
			list = append(list, f)
		}
	}
	return list
}

// dataForm is the form of "Lengkapi Sekarang".
type dataForm struct {
	Employee staff.Employee
	Open     *staff.Correction
	Files    []fileState
	Typed    map[staff.Field]string // what the fields show
	Errors   web.FieldErrors
}

// fileState is one scan on the page.
type fileState struct {
	Kind    staff.Field
	Current *staff.Evidence // the one that stands
	Waiting *staff.Evidence // the proposed one
	Note    string
}

// data shows the form: proposed values where some wait, else those that stand.
func (p *Pages) data(w http.ResponseWriter, r *http.Request) error {
	f, err := p.dataForm(r.Context())
	if err != nil {
		return err
	}
	return p.showData(w, r, http.StatusOK, f)
}

func (p *Pages) showData(w http.ResponseWriter, r *http.Request, status int, f dataForm) error {
	ctx := r.Context()
	page := ui.Page{
		Title: i18n.T(ctx, "hris.data.title"), Lede: i18n.T(ctx, "hris.data.lede"), Breadcrumbs: dsCrumbs(ctx),
		HasErrors: len(f.Errors) > 0,
	}
	return web.Page(w, r, status, page, dataBody(f))
}

func (p *Pages) dataForm(ctx context.Context) (dataForm, error) {
	id := web.ViewerOf(ctx).EmployeeID
	e, err := p.Staff.Employee(ctx, id)
	if err != nil {
		return dataForm{}, missing(err)
	}
	open, err := p.Staff.OpenCorrection(ctx, id)
	if err != nil {
		return dataForm{}, err
	}
	f := dataForm{Employee: e, Open: open, Typed: map[staff.Field]string{}}
	d := e.Data()
	for _, field := range textFields() {
		f.Typed[field] = d.Get(field)
	}
	if open != nil {
		for _, i := range open.Waiting() {
			if !i.Field.IsScan() {
				f.Typed[i.Field] = i.After
			}
		}
	}
	f.Typed[staff.BirthDate] = staffview.Typed(staff.BirthDate, f.Typed[staff.BirthDate])
	f.Files, err = p.fileStates(ctx, id)
	return f, err
}

func (p *Pages) fileStates(ctx context.Context, employeeID string) ([]fileState, error) {
	scans, err := p.Staff.Evidence(ctx, employeeID)
	if err != nil {
		return nil, err
	}
	checks, err := p.Staff.Prerequisites(ctx, p.Staff.Store.Read(), employeeID)
	if err != nil {
		return nil, err
	}
	var list []fileState
	for _, check := range checks {
		if !check.Kind.IsScan() {
			continue
		}
		s := fileState{Kind: check.Kind}
		for _, e := range scans {
			switch {
			case e.Kind != check.Kind:
			case e.State == staff.Current:
				s.Current = &e
			case e.State == staff.Proposed:
				s.Waiting = &e
			}
		}
		s.Note = staffview.PrerequisiteReason(ctx, check)
		list = append(list, s)
	}
	return list, nil
}

// before says what stands for a field whose new value waits, else nothing.
func (f dataForm) before(ctx context.Context, field staff.Field) string {
	if f.Open == nil {
		return ""
	}
	for _, i := range f.Open.Waiting() {
		if i.Field == field {
			v := staffview.Value(ctx, field, f.Employee.Data().Get(field))
			if v == "" {
				v = i18n.T(ctx, "hris.data.none_now")
			}
			return i18n.T(ctx, "hris.data.pending", "value", v)
		}
	}
	return ""
}

// hint joins what a field wants with what waits.
func (f dataForm) hint(ctx context.Context, field staff.Field) string {
	said := ""
	switch field {
	case staff.NIK:
		said = i18n.T(ctx, "hris.data.nik_hint")
	case staff.Email:
		said = i18n.T(ctx, "hris.data.email_hint")
	case staff.BirthDate:
		said = i18n.T(ctx, "hris.data.date_hint")
	case staff.Phone:
		said = i18n.T(ctx, "hris.data.phone_hint")
	}
	if b := f.before(ctx, field); b != "" {
		if said != "" {
			said += " "
		}
		said += b
	}
	return said
}

func (f dataForm) field(ctx context.Context, field staff.Field) ui.FieldProps {
	props := ui.FieldProps{
		Name: string(field), Label: staffview.Label(ctx, field), Hint: f.hint(ctx, field), Value: f.Typed[field],
		Error: f.Errors.Text(ctx, string(field)), NoRequired: true, Code: staffview.IsCode(field), MaxLength: 200,
	}
	switch field {
	case staff.NIK:
		props.InputMode, props.Width, props.Autocomplete, props.MaxLength = "numeric", 20, "off", 40
	case staff.Email:
		props.Type, props.Autocomplete, props.MaxLength = "email", "email", 254
	case staff.Phone:
		props.Type, props.Autocomplete, props.Width, props.Optional = "tel", "tel", 20, true
	case staff.BirthDate:
		props.InputMode, props.Width, props.Autocomplete = "numeric", 10, "bday"
	case staff.Name:
		props.Autocomplete = "name"
	}
	return props
}

func (f dataForm) sexOptions(ctx context.Context) []ui.Option {
	return sexOptions(ctx, f.Typed[staff.Sex])
}

func sexOptions(ctx context.Context, chosen string) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "hris.data.choose"), Selected: chosen == ""}}
	for _, v := range []string{staff.Male, staff.Female} {
		list = append(list, ui.Option{Value: v, Label: i18n.T(ctx, "staff.sex."+v), Selected: chosen == v})
	}
	return list
}

// saveData proposes what was typed; a bad form comes back as it was typed.
func (p *Pages) saveData(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	typed := map[staff.Field]string{}
	for _, f := range textFields() {
		if r.PostForm.Has(string(f)) {
			typed[f] = web.Value(r, string(f))
		}
	}
	err := p.Staff.Propose(ctx, employeeActor(ctx), typed)
	if problems, ok := staffview.Problems(err); ok {
		form, err := p.dataForm(ctx)
		if err != nil {
			return err
		}
		for f, v := range typed {
			form.Typed[f] = v
		}
		form.Errors = problems
		return p.showData(w, r, http.StatusUnprocessableEntity, form)
	}
	switch {
	case errors.Is(err, staff.ErrNothing):
		web.Flash(w, r, ui.Info, "hris.data.nothing")
		return web.See(w, r, "/ds/lengkapi")
	case errors.Is(err, staff.ErrInactive):
		web.Flash(w, r, ui.Danger, "hris.upload.inactive")
		return web.See(w, r, "/ds/lengkapi")
	case err != nil:
		return missing(err)
	}
	web.Flash(w, r, ui.Success, "hris.data.sent")
	return web.See(w, r, "/ds/perubahan")
}
