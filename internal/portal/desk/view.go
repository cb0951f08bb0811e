package desk

import (
	"context"
	"math"

	"github.com/a-h/templ"

	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

// latest is before which all rows are.
const latest = math.MaxInt64

func clearHref(v searchView) string {
	if v.Query == "" {
		return ""
	}
	return v.base
}

func searchTable(ctx context.Context, v searchView) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "desk.found"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "desk.person")}, {Label: i18n.T(ctx, "desk.reference")}, {Label: i18n.T(ctx, "desk.unit")},
			{Label: i18n.T(ctx, "desk.status")}, {Label: i18n.T(ctx, "desk.since")},
		},
		Empty: ui.Empty{Icon: "search", Title: i18n.T(ctx, "desk.nothing"), Text: i18n.T(ctx, "desk.nothing_text")},
	}
	for _, row := range v.Rows {
		t.Rows = append(t.Rows, ui.Row{ID: row.ID, Cells: []templ.Component{
			person(v, row), reference(row), ui.Text(row.UnitName), status(row), since(row),
		}})
	}
	return t
}

func recordClear(v recordView) string {
	if !v.Filter.narrowed() {
		return ""
	}
	return Audit
}

func recordFirst(v recordView) string {
	f := v.Filter
	if f.Before == latest {
		return ""
	}
	f.Before = latest
	return f.href(Audit)
}

func exportHref(v recordView, format string) string {
	f := v.Filter
	f.Before = latest
	return f.href(Audit + "/ekspor." + format)
}

func recordTable(ctx context.Context, v recordView) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "desk.record.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "desk.record.seq"), Shrink: true}, {Label: i18n.T(ctx, "desk.record.when")},
			{Label: i18n.T(ctx, "desk.record.actor")}, {Label: i18n.T(ctx, "desk.record.action")},
			{Label: i18n.T(ctx, "desk.record.object")}, {Label: i18n.T(ctx, "desk.record.detail")},
		},
		Empty: ui.Empty{Icon: "journal-text", Title: i18n.T(ctx, "desk.nothing"), Text: i18n.T(ctx, "desk.record.nothing_text")},
	}
	for _, row := range v.Rows {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			seqCell(row), whenCell(row), actorCell(v, row), dossier.Act(row.Action), objectCell(row), detailCell(row),
		}})
	}
	return t
}
