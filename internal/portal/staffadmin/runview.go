package staffadmin

import (
	"context"

	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/staff"
)

// verdict is what became of an import, in one sentence.
func verdict(ctx context.Context, run staff.ImportRun) ui.Flash {
	switch {
	case run.State == staff.ImportFailed:
		return ui.Flash{Tone: ui.Danger, Text: i18n.T(ctx, "staffadmin.run.failed")}
	case run.State == staff.ImportRefused && run.DryRun:
		return ui.Flash{Tone: ui.Warning, Text: i18n.T(ctx, "staffadmin.run.dry_bad")}
	case run.State == staff.ImportRefused:
		return ui.Flash{Tone: ui.Warning, Text: i18n.T(ctx, "staffadmin.run.refused")}
	case run.DryRun:
		return ui.Flash{Tone: ui.Success, Text: i18n.T(ctx, "staffadmin.run.dry_ok")}
	}
	return ui.Flash{Tone: ui.Success, Text: i18n.T(ctx, "staffadmin.run.applied")}
}

func stats(ctx context.Context, run staff.ImportRun) []ui.Stat {
	one := func(key string, n int64, tone ui.Tone) ui.Stat {
		if n == 0 {
			tone = ui.Neutral
		}
		return ui.Stat{Label: i18n.T(ctx, key), Value: i18n.Number(ctx, n), Tone: tone}
	}
	list := []ui.Stat{
		one("staffadmin.run.total", run.Report.Total, ui.Neutral), one("staffadmin.run.created", run.Report.Created, ui.Success),
		one("staffadmin.run.updated", run.Report.Updated, ui.Info), one("staffadmin.run.unchanged", run.Report.Unchanged, ui.Neutral),
		one("staffadmin.run.rejected", run.Report.Rejected, ui.Danger),
	}
	if run.Report.NewUnits > 0 && !run.Report.Units {
		list = append(list, one("staffadmin.run.units", run.Report.NewUnits, ui.Success))
	}
	return list
}

// orDash fills a cell that would be empty.
func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func (v formView) action() string {
	if v.ID == "" {
		return "/admin/pegawai/baru"
	}
	return "/admin/pegawai/" + v.ID
}
