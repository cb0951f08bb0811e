package hr

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/portal/web"
	"absah/internal/staff"
)

// caseView is the page on which one correction is checked.
type caseView struct {
	Correction staff.Correction
	Employee   staff.Employee
	Unit       staff.Unit
	Officer    string // who has it, when it is somebody else
	Mine       bool
	Changes    []ui.Change
	Compare    []ui.Compare
	Hints      []ui.Hint // about fields that do not change
	Errors     web.FieldErrors
	Stale      bool
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.showCase(w, r, http.StatusOK, nil, nil, false)
}

// showCase shows a correction; typed decisions stay when the form comes back.
func (p *Pages) showCase(w http.ResponseWriter, r *http.Request, status int, typed map[staff.Field]staff.Decision, problems web.FieldErrors, stale bool) error {
	ctx := r.Context()
	o := officerOf(web.ViewerOf(ctx))
	c, e, err := p.Staff.CorrectionFor(ctx, o, r.PathValue("id"))
	if errors.Is(err, staff.ErrNotFound) {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	if c.State != staff.Open {
		web.Flash(w, r, ui.Info, "hr.case.closed")
		return web.See(w, r, "/hr/perubahan")
	}
	v := caseView{Correction: c, Employee: e, Mine: c.ClaimedBy == o.EmployeeID, Errors: problems, Stale: stale}
	if v.Unit, err = p.Staff.Unit(ctx, e.UnitID); err != nil {
		return err
	}
	if c.ClaimedBy != "" && !v.Mine {
		other, err := p.Staff.Employee(ctx, c.ClaimedBy)
		if err != nil {
			return err
		}
		v.Officer = other.Name
	}
	if v.Mine {
		err = p.compare(ctx, &v, typed)
	} else {
		v.Changes = changes(ctx, c)
	}
	if err != nil {
		return err
	}
	page := ui.Page{
		Title: i18n.T(ctx, "hr.case.title", "name", e.Name), Wide: true, HasErrors: len(problems) > 0,
		Breadcrumbs: []ui.Link{{Label: i18n.T(ctx, "hr.title"), Href: "/hr/perubahan"}},
	}
	return web.Page(w, r, status, page, caseBody(v))
}

func (v caseView) terms(ctx context.Context) []ui.Term {
	return []ui.Term{
		{Label: staffview.Label(ctx, staff.NIP), Value: v.Employee.NIP.Grouped(), Code: true},
		{Label: staffview.Label(ctx, staff.Name), Value: v.Employee.Name},
		{Label: staffview.Label(ctx, staff.Position), Value: v.Employee.Position},
		{Label: staffview.Label(ctx, staff.UnitField), Value: v.Unit.Name},
		{Label: i18n.T(ctx, "hr.reference"), Value: v.Correction.Reference, Code: true},
		{Label: i18n.T(ctx, "hr.case.submitted"), Body: ui.Time(v.Correction.SubmittedAt)},
	}
}

// changes is what an officer sees before taking a correction: no scans.
func changes(ctx context.Context, c staff.Correction) []ui.Change {
	var list []ui.Change
	for _, i := range c.Waiting() {
		ch := ui.Change{Label: staffview.Label(ctx, i.Field), Code: staffview.IsCode(i.Field)}
		if i.Field.IsScan() {
			ch.After = i18n.T(ctx, "hr.case.new_scan")
		} else {
			ch.Before, ch.After = staffview.Value(ctx, i.Field, i.Before), staffview.Value(ctx, i.Field, i.After)
		}
		list = append(list, ch)
	}
	return list
}

// onCard are the fields that the ID card proves.
var onCard = []staff.Field{staff.NIK, staff.Name, staff.BirthPlace, staff.BirthDate, staff.Sex}

func (p *Pages) compare(ctx context.Context, v *caseView, typed map[staff.Field]staff.Decision) error {
	hints, err := p.Staff.CorrectionHints(ctx, v.Correction)
	if err != nil {
		return err
	}
	scans, err := p.Staff.Evidence(ctx, v.Employee.ID)
	if err != nil {
		return err
	}
	current, proposed := map[staff.Field]*staff.Evidence{}, map[staff.Field]*staff.Evidence{}
	for _, s := range scans {
		switch s.State {
		case staff.Current:
			current[s.Kind] = &s
		case staff.Proposed:
			proposed[s.Kind] = &s
		}
	}
	var shown []staff.Field
	card := current[staff.IDCard]
	for _, i := range cardFirst(v.Correction.Waiting()) {
		shown = append(shown, i.Field)
		c := ui.Compare{
			Name: string(i.Field), Label: staffview.Label(ctx, i.Field), Hints: staffview.Hints(ctx, hints, i.Field),
			Reasons: reasonOptions(ctx, i.Field, typed[i.Field].ReasonCode), Note: typed[i.Field].ReasonText,
			Error: v.Errors.Text(ctx, string(i.Field)), Decision: said(typed, i.Field),
		}
		alt := func(f staff.Field) string {
			return i18n.T(ctx, "staff.scan.alt", "field", staffview.Label(ctx, f), "name", v.Employee.Name)
		}
		if i.Field.IsScan() {
			c.Body = scanBefore(current[i.Field])
			if s := proposed[i.Field]; s != nil {
				c.Scan = ui.ImageViewer(staffview.Image(ctx, *s, alt(i.Field)))
			}
		} else {
			c.Body = textChange(ui.Change{
				Before: staffview.Value(ctx, i.Field, i.Before), After: staffview.Value(ctx, i.Field, i.After), Code: staffview.IsCode(i.Field),
			})
			if card != nil && proposed[staff.IDCard] == nil && slices.Contains(onCard, i.Field) {
				// Beside the first of these fields only: each look is recorded.
				c.Scan = ui.ImageViewer(staffview.Image(ctx, *card, alt(staff.IDCard)))
				card = nil
			}
		}
		v.Compare = append(v.Compare, c)
	}
	for _, f := range []staff.Field{staff.NIP, staff.NIK, staff.Email} {
		if !slices.Contains(shown, f) {
			v.Hints = append(v.Hints, staffview.Hints(ctx, hints, f)...)
		}
	}
	return nil
}

// cardFirst puts the ID card before the data that it proves.
func cardFirst(items []staff.Item) []staff.Item {
	slices.SortStableFunc(items, func(a, b staff.Item) int {
		switch {
		case a.Field == staff.IDCard && b.Field != staff.IDCard:
			return -1
		case b.Field == staff.IDCard && a.Field != staff.IDCard:
			return 1
		}
		return 0
	})
	return items
}

func said(typed map[staff.Field]staff.Decision, f staff.Field) string {
	d, ok := typed[f]
	switch {
	case !ok:
		return ""
	case d.Accept:
		return "accept"
	}
	return "reject"
}

func reasonOptions(ctx context.Context, f staff.Field, chosen staff.ReasonCode) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "hr.case.choose_reason"), Selected: chosen == ""}}
	for _, code := range staff.ReasonsFor(f) {
		list = append(list, ui.Option{Value: string(code), Label: i18n.T(ctx, "staff.reason."+string(code)), Selected: code == chosen})
	}
	return list
}

// decide stores the decision about every field, or shows the form again.
func (p *Pages) decide(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	version, err := strconv.ParseInt(web.Value(r, "version"), 10, 64)
	if err != nil {
		return web.ErrBadRequest
	}
	decisions := map[staff.Field]staff.Decision{}
	for _, f := range staff.CorrectableFields() {
		name := string(f)
		switch web.Value(r, name) {
		case "accept":
			decisions[f] = staff.Decision{Accept: true}
		case "reject":
			decisions[f] = staff.Decision{
				ReasonCode: staff.ReasonCode(web.Value(r, name+".reason")), ReasonText: web.Value(r, name+".note"),
			}
		}
	}
	err = p.Staff.Decide(ctx, officerOf(web.ViewerOf(ctx)), r.PathValue("id"), version, decisions)
	if problems, ok := staffview.Problems(err); ok {
		return p.showCase(w, r, http.StatusUnprocessableEntity, decisions, problems, false)
	}
	if errors.Is(err, staff.ErrStale) {
		return p.showCase(w, r, http.StatusConflict, decisions, nil, true)
	}
	if err == nil {
		web.Flash(w, r, ui.Success, "hr.case.done")
		return web.See(w, r, "/hr/perubahan")
	}
	return act(w, r, err, "hr.case.done")
}
