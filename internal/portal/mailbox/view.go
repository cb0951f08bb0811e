package mailbox

import (
	"context"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"absah/internal/mail/mailbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

type component = templ.Component

func subject(ctx context.Context, s mailbox.Summary) string {
	if s.Subject == "" {
		return i18n.T(ctx, "mailbox.no_subject")
	}
	return s.Subject
}

func path(id string) string { return Base + "/" + id }

func attachmentPath(id string, i int) string { return path(id) + "/lampiran/" + strconv.Itoa(i+1) }

func attachmentName(ctx context.Context, a mailbox.Attachment) string {
	if a.Name == "" {
		return i18n.T(ctx, "mailbox.unnamed")
	}
	return a.Name
}

func table(ctx context.Context, list []mailbox.Summary, now time.Time) ui.TableProps {
	t := ui.TableProps{
		Caption: i18n.T(ctx, "mailbox.title"),
		Columns: []ui.Column{
			{Label: i18n.T(ctx, "mailbox.subject")}, {Label: i18n.T(ctx, "mailbox.to")}, {Label: i18n.T(ctx, "mailbox.received")},
		},
		Empty: ui.Empty{Icon: "inbox", Title: i18n.T(ctx, "mailbox.empty"), Text: i18n.T(ctx, "mailbox.empty_text")},
	}
	for _, s := range list {
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []templ.Component{
			ui.Anchor(subject(ctx, s), path(s.ID), s.From), ui.Text(s.To), ui.Ago(now, s.Received),
		}})
	}
	return t
}

func messageTabs(ctx context.Context, v view) []ui.Tab {
	return []ui.Tab{
		{Label: i18n.T(ctx, "mailbox.html"), Href: path(v.ID), Current: !v.AsText},
		{Label: i18n.T(ctx, "mailbox.text"), Href: path(v.ID) + "?lihat=teks", Current: v.AsText},
	}
}
