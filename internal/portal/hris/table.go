package hris

import (
	"context"

	"github.com/a-h/templ"

	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/staff"
)

// itemTable lists the fields of a correction with their decisions.
func itemTable(ctx context.Context, c change) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "hris.changes.number", "reference", c.Reference),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "hris.changes.field")}, {Label: i18n.T(ctx, "ui.before")}, {Label: i18n.T(ctx, "ui.after")},
			{Label: i18n.T(ctx, "hris.changes.status")},
		},
	}
	open := c.State == staff.Open
	if open {
		t.Columns = append(t.Columns, ui.Column{Label: i18n.T(ctx, "hris.changes.withdraw"), HideLabel: true, Shrink: true})
	}
	for _, i := range c.Items {
		was := before(ctx, i)
		if was == "" {
			was = "–"
		}
		row := ui.Row{ID: i.ID, Cells: []templ.Component{
			ui.Text(staffview.Label(ctx, i.Field)), ui.Text(was), itemAfter(i), itemState(i),
		}}
		if staffview.IsCode(i.Field) {
			row.Cells[1] = ui.Code(was)
		}
		if open {
			row.Cells = append(row.Cells, withdrawOne(i))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
