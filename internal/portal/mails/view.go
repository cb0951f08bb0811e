package mails

import (
	"context"

	"github.com/a-h/templ"

	"absah/internal/clock"
	"absah/internal/outbox"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/store/db"
)

func tabs(ctx context.Context, v listView) []ui.Tab {
	var list []ui.Tab
	for _, s := range states {
		list = append(list, ui.Tab{
			Label: i18n.T(ctx, "dossier.mail.state."+s), Href: href(s), Count: v.Counts[s], HasCount: true, Current: s == v.State,
		})
	}
	return list
}

func first(v listView) string {
	if !v.Later {
		return ""
	}
	return href(v.State)
}

func table(ctx context.Context, v listView) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "mails.title") + ": " + i18n.T(ctx, "dossier.mail.state."+v.State),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "mails.mail")}, {Label: i18n.T(ctx, "mails.recipient")}, {Label: i18n.T(ctx, "mails.queued")},
			{Label: i18n.T(ctx, "mails.tries"), Number: true}, {Label: i18n.T(ctx, "mails.outcome")},
		},
		Empty: ui.Empty{Icon: "envelope", Title: i18n.T(ctx, "mails.empty"), Text: i18n.T(ctx, "mails.empty_text")},
	}
	for _, m := range v.Rows {
		tone := dossier.MailStateTone(m)
		if tone != ui.Danger && tone != ui.Warning {
			tone = ""
		}
		t.Rows = append(t.Rows, ui.Row{ID: m.ID, Tone: tone, Cells: []templ.Component{
			ui.Anchor(m.Subject, Base+"/"+m.ID, ""), ui.Text(m.Recipient), ui.Ago(v.Now, clock.FromMicros(m.CreatedAt)),
			ui.Text(i18n.Number(ctx, m.Attempts)), outcome(m),
		}})
	}
	return t
}

// tryOutcome says how an attempt ended.
func tryOutcome(ctx context.Context, a db.MailAttempt) (ui.Tone, string) {
	switch {
	case a.FinishedAt == 0:
		return ui.Warning, i18n.T(ctx, "mails.try.unknown")
	case a.Outcome == outbox.Sent:
		return ui.Success, i18n.T(ctx, "mails.try.sent")
	}
	if key := "mails.try." + a.Outcome; i18n.Has(ctx, key) {
		return ui.Danger, i18n.T(ctx, key)
	}
	return ui.Danger, a.Outcome
}
