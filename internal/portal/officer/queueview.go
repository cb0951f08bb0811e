package officer

import (
	"context"

	"github.com/a-h/templ"

	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

func queueTabs(ctx context.Context, v queueView) []ui.Tab {
	var list []ui.Tab
	for _, s := range tabs {
		n := v.Counts[s]
		if s == enrolment.Issuing && n == 0 && v.Query.Status != s {
			continue // takes seconds
		}
		list = append(list, ui.Tab{
			Label: i18n.T(ctx, "officer.tab."+string(s)), Href: v.Query.tab(s).href(),
			Count: min(n, enrolment.CountCap), More: n > enrolment.CountCap, HasCount: true,
			Current: s == v.Query.Status && v.Query.Search == "",
		})
	}
	return list
}

func first(label string, options []ui.Option) []ui.Option {
	return append([]ui.Option{{Value: "", Label: label}}, options...)
}

func ageOptions(ctx context.Context, chosen int) []ui.Option {
	list := []ui.Option{{Value: "", Label: i18n.T(ctx, "officer.queue.any_age")}}
	for _, n := range ages {
		list = append(list, ui.Option{
			Value: days(n), Label: i18n.N(ctx, "officer.queue.older", n), Selected: n == chosen,
		})
	}
	return list
}

func clearHref(q queueQuery) string {
	if !q.filtered() {
		return ""
	}
	return queueQuery{Status: q.Status}.href()
}

func firstHref(q queueQuery) string {
	if q.After.ID == "" {
		return ""
	}
	q.After = enrolment.Cursor{}
	return q.href()
}

func rowsInfo(ctx context.Context, v queueView) string {
	if len(v.Rows) == 0 {
		return ""
	}
	if v.Query.Search != "" && len(v.Rows) == pageRows {
		return i18n.T(ctx, "officer.queue.too_many", "count", i18n.Number(ctx, pageRows))
	}
	rows := i18n.N(ctx, "officer.queue.rows", len(v.Rows))
	plain := queueQuery{Status: v.Query.Status, Unit: v.Query.Unit, After: v.Query.After}
	total := v.Counts[v.Query.Status]
	if v.Query != plain || total > enrolment.CountCap || total <= len(v.Rows) {
		return rows // nobody has counted those that the filter leaves
	}
	return i18n.T(ctx, "officer.queue.of_all", "rows", rows, "total", i18n.Number(ctx, int64(total)))
}

func queueTable(ctx context.Context, v queueView) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "officer.queue.title") + ": " + dossier.StatusName(ctx, v.Query.Status),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "officer.queue.applicant")}, {Label: i18n.T(ctx, "officer.queue.reference")},
			{Label: i18n.T(ctx, "officer.queue.unit")}, {Label: i18n.T(ctx, "officer.queue.waiting")},
			{Label: i18n.T(ctx, "officer.queue.officer")},
		},
		Empty: ui.Empty{
			Icon: "inbox", Title: i18n.T(ctx, "officer.queue.empty.title"), Text: i18n.T(ctx, "officer.queue.empty.text"),
		},
	}
	searching := v.Query.Search != ""
	if searching {
		t.Caption = i18n.T(ctx, "officer.queue.found")
		t.Columns = append(t.Columns, ui.Column{Label: i18n.T(ctx, "officer.queue.status")})
	}
	if v.Query.filtered() {
		t.Empty = ui.Empty{
			Icon: "search", Title: i18n.T(ctx, "officer.queue.nothing.title"), Text: i18n.T(ctx, "officer.queue.nothing.text"),
		}
	}
	for _, row := range v.Rows {
		tone, _ := age(ctx, v.Now, row)
		cells := []templ.Component{
			nameCell(v, row), referenceCell(row), ui.Text(row.UnitName), waiting(v, row), claimedBy(row),
		}
		if searching {
			cells = append(cells, statusCell(row))
		}
		t.Rows = append(t.Rows, ui.Row{ID: row.ID, Tone: tone, Cells: cells})
	}
	return t
}
