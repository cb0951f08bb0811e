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

// change is one correction on the page.
type change struct {
	staff.Correction
	Desk    staff.Desk
	Decider string // name
}

// changes shows what the employee proposed, who has it and what was decided.
func (p *Pages) changes(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	rows, err := p.Staff.Corrections(ctx, web.ViewerOf(ctx).EmployeeID)
	if err != nil {
		return err
	}
	list := make([]change, len(rows))
	for i, c := range rows {
		list[i].Correction = c
		if c.State == staff.Open {
			if list[i].Desk, err = p.Staff.DeskOf(ctx, c); err != nil {
				return err
			}
		}
		if c.DecidedBy != "" {
			officer, err := p.Staff.Employee(ctx, c.DecidedBy)
			if err != nil {
				return err
			}
			list[i].Decider = officer.Name
		}
	}
	page := ui.Page{Title: i18n.T(ctx, "hris.changes.title"), Lede: i18n.T(ctx, "hris.changes.lede"), Breadcrumbs: dsCrumbs(ctx)}
	return web.Page(w, r, http.StatusOK, page, changesBody(list))
}

// where says who has an open correction and since when.
func (c change) where(ctx context.Context) string {
	if c.Desk.OfficerName != "" {
		return i18n.T(ctx, "hris.changes.with_officer", "officer", c.Desk.OfficerName, "unit", c.Desk.UnitName)
	}
	return i18n.T(ctx, "hris.changes.with_unit", "unit", c.Desk.UnitName)
}

func (c change) terms(ctx context.Context) []ui.Term {
	list := []ui.Term{{Label: i18n.T(ctx, "hris.changes.submitted"), Body: ui.Time(c.SubmittedAt)}}
	if c.State == staff.Open {
		list = append(list, ui.Term{Label: i18n.T(ctx, "hris.changes.with"), Value: c.where(ctx)})
		if !c.ClaimedAt.IsZero() {
			list = append(list, ui.Term{Label: i18n.T(ctx, "hris.changes.taken"), Body: ui.Time(c.ClaimedAt)})
		}
	}
	if c.State == staff.Decided {
		list = append(list, ui.Term{Label: i18n.T(ctx, "hris.changes.decided"), Body: decidedAt(c)})
	}
	return list
}

func stateTone(s staff.CorrectionState) ui.Tone {
	switch s {
	case staff.Open:
		return ui.Info
	case staff.Decided:
		return ui.Success
	}
	return ui.Neutral
}

// before and after are the two sides of an item as people read them.
func before(ctx context.Context, i staff.Item) string { return staffview.Value(ctx, i.Field, i.Before) }

func after(ctx context.Context, i staff.Item) string {
	if i.Field.IsScan() {
		return i18n.T(ctx, "hris.changes.new_file")
	}
	return staffview.Value(ctx, i.Field, i.After)
}

// withdraw takes one field of the open correction back, or all.
func (p *Pages) withdraw(w http.ResponseWriter, r *http.Request) error {
	if err := web.ReadForm(w, r); err != nil {
		return err
	}
	var fields []staff.Field
	if f := web.Value(r, "field"); f != "" {
		fields = append(fields, staff.Field(f))
	}
	err := p.Staff.Withdraw(r.Context(), employeeActor(r.Context()), fields...)
	switch {
	case errors.Is(err, staff.ErrNotFound), errors.Is(err, staff.ErrNothing):
		web.Flash(w, r, ui.Warning, "hris.changes.late")
	case err != nil:
		return err
	default:
		web.Flash(w, r, ui.Success, "hris.changes.withdrawn")
	}
	return web.See(w, r, "/ds/perubahan")
}
