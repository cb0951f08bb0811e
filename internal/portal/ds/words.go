package ds

import (
	"context"
	"strconv"

	"absah/internal/enrolment"
	"absah/internal/mail"
	"absah/internal/portal/i18n"
	"absah/internal/portal/staffview"
	"absah/internal/portal/ui"
	"absah/internal/staff"
	"absah/internal/store/db"
)

// kindLink is the mail that held the link.
const kindLink = string(mail.KindEnrolLink)

// fieldName names what an officer judged.
func fieldName(ctx context.Context, field string) string {
	return staffview.Label(ctx, staff.Field(field))
}

// changeHref is where the employee mends a field.
func changeHref(field string) string {
	if f := staff.Field(field); f.IsScan() {
		return staffview.UploadPath(f)
	}
	return "/ds/lengkapi"
}

// reason is the text of a code of the officers' catalogue; nothing for a code
// without a text, whose words stand beside it.
func reason(ctx context.Context, code string) string {
	if code == "" || code == enrolment.OtherReason || !i18n.Has(ctx, "reason."+code) {
		return ""
	}
	return i18n.T(ctx, "reason."+code)
}

// actor says who took a step, as the employee knows him.
func actor(ctx context.Context, h db.HistoryOfRow) string {
	switch role := enrolment.Role(h.ActorRole); role {
	case enrolment.Applicant:
		return i18n.T(ctx, "ds.who.you")
	case enrolment.LinkHolder:
		return i18n.T(ctx, "ds.who.link")
	case enrolment.System:
		if h.Action == string(enrolment.ActionIssue) || h.Action == string(enrolment.ActionFail) {
			return i18n.T(ctx, "ds.who.authority")
		}
		return i18n.T(ctx, "ds.who.system")
	case enrolment.Officer:
		return i18n.T(ctx, "ds.who.officer", "name", h.DisplayName.String)
	}
	if h.DisplayName.String != "" {
		return h.DisplayName.String
	}
	return i18n.T(ctx, "ds.who.system")
}

func bannerTone(s enrolment.Sentence) ui.Tone {
	switch s {
	case enrolment.HasCert:
		return ui.Success
	case enrolment.InProgress:
		return ui.Info
	case enrolment.WasRevoked, enrolment.WasExpired, enrolment.IsSuspended:
		return ui.Warning
	}
	return ui.Danger // red, as in the guide
}

// bannerNote says in one line what follows the sentence.
func bannerNote(ctx context.Context, c card) string {
	switch {
	case c.Registration == nil:
		return i18n.T(ctx, "ds.note.none")
	case c.Status == enrolment.OnSetPassphrase && c.KeySet:
		return i18n.T(ctx, "ds.note.agreement")
	case c.Status == enrolment.OnSetPassphrase && c.Expired:
		return i18n.T(ctx, "ds.note.linkexpired")
	case c.Sentence == enrolment.IsSuspended:
		return i18n.T(ctx, "ds.note.suspended")
	case c.LockedOut:
		return i18n.T(ctx, "ds.note.lockedout")
	}
	return i18n.T(ctx, "ds.note."+code(c.Status))
}

// linkKind makes the button for a new link the page's main one once the link
// no longer works.
func linkKind(c card) ui.ButtonKind {
	if c.Expired {
		return ui.Primary
	}
	return ui.Secondary
}

// againKind makes registering anew the page's main button, unless a new key for
// the registration that was locked out is nearer.
func againKind(c card) ui.ButtonKind {
	if c.LockedOut {
		return ui.Secondary
	}
	return ui.Primary
}

// findingTasks is what was found as a list of things to do.
func findingTasks(ctx context.Context, c card) []ui.Task {
	tasks := make([]ui.Task, len(c.Findings))
	for i, f := range c.Findings {
		hint := f.Reason
		if hint != "" && f.Text != "" {
			hint += ": "
		}
		tasks[i] = ui.Task{
			Title: f.Field, Href: f.Href, Hint: hint + f.Text, Status: i18n.T(ctx, "ds.mend"), Tone: ui.Warning,
		}
	}
	return tasks
}

func revokeOptions(ctx context.Context) []ui.Option {
	options := make([]ui.Option, len(ownReasons))
	for i, code := range ownReasons {
		options[i] = ui.Option{Value: code, Label: i18n.T(ctx, "ds.revoke.why."+code)}
	}
	return options
}

func statusTone(s enrolment.Status) ui.Tone {
	switch s {
	case enrolment.Issue:
		return ui.Success
	case enrolment.Returned, enrolment.Expired:
		return ui.Warning
	case enrolment.Rejected, enrolment.Revoked:
		return ui.Danger
	case enrolment.Cancelled:
		return ui.Neutral
	}
	return ui.Info
}

func readerID(i int, kind string) string { return "naskah-" + kind + "-" + strconv.Itoa(i) }
