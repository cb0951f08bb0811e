package dossier

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
	"absah/internal/store/db"
)

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// known returns the text of prefix+code, and the code itself for those that
// have none: a page shows what an older or newer program wrote.
func known(ctx context.Context, prefix, code string) string {
	if i18n.Has(ctx, prefix+code) {
		return i18n.T(ctx, prefix+code)
	}
	return code
}

// StatusName is the status as people say it, with the guide's word behind it.
func StatusName(ctx context.Context, s enrolment.Status) string {
	return i18n.T(ctx, "dossier.status."+string(s))
}

// StatusTone is the colour that goes with StatusName.
func StatusTone(s enrolment.Status) ui.Tone {
	switch s {
	case enrolment.New, enrolment.Enroll, enrolment.OnSetPassphrase, enrolment.Issuing:
		return ui.Info
	case enrolment.Issue:
		return ui.Success
	case enrolment.Returned:
		return ui.Warning
	case enrolment.Rejected, enrolment.Revoked:
		return ui.Danger
	}
	return ui.Neutral
}

// FieldName is the label of a field that officers judge.
func FieldName(ctx context.Context, field string) string {
	return known(ctx, "dossier.field.", field)
}

// ReasonText is what a reason says: the catalogue's words and the officer's.
func ReasonText(ctx context.Context, code, words string) string {
	switch {
	case code == "":
		return words
	case code == enrolment.OtherReason && words != "":
		return words
	case words == "":
		return known(ctx, "reason.", code)
	}
	return known(ctx, "reason.", code) + ": " + words
}

// ActionName says what was done, in a row of history.
func ActionName(ctx context.Context, h db.HistoryOfRow) string {
	a := h.Action
	if enrolment.Action(a) == enrolment.ActionReset && h.FromStatus == "" {
		a = "ResetStart"
	}
	return known(ctx, "dossier.action.", a)
}

// ActName says what a row of the audit record says was done; the code itself where
// no words are known.
func ActName(ctx context.Context, action string) string {
	if step, ok := strings.CutPrefix(action, "registration."); ok && i18n.Has(ctx, "dossier.action."+step) {
		return i18n.T(ctx, "dossier.action."+step)
	}
	if key := "audit.action." + strings.ReplaceAll(action, ".", "_"); i18n.Has(ctx, key) {
		return i18n.T(ctx, key)
	}
	return action
}

// ObjectName names the kind of what a row of the audit record is about.
func ObjectName(ctx context.Context, kind string) string {
	return known(ctx, "audit.object.", kind)
}

// RoleName names who acts, also link holders and the system itself.
func RoleName(ctx context.Context, role string) string {
	if i18n.Has(ctx, "dossier.role."+role) {
		return i18n.T(ctx, "dossier.role."+role)
	}
	return known(ctx, "role.", role)
}

// actorName is who took a step of history.
func actorName(ctx context.Context, h db.HistoryOfRow) string {
	role := RoleName(ctx, h.ActorRole)
	if !h.DisplayName.Valid || h.DisplayName.String == "" {
		return role
	}
	return h.DisplayName.String + " (" + role + ")"
}

func at(micros int64) time.Time { return clock.FromMicros(micros) }

// historySteps are the steps of the history, the latest first.
func historySteps(ctx context.Context, d Dossier) []ui.Step {
	rows := slices.Clone(d.Standing.History)
	slices.Reverse(rows)
	steps := make([]ui.Step, len(rows))
	for i, h := range rows {
		state := ui.StepDone
		switch enrolment.Action(h.Action) {
		case enrolment.ActionReturn, enrolment.ActionReject, enrolment.ActionFail, enrolment.ActionRevoke,
			enrolment.ActionInvalidate, enrolment.ActionCancel, enrolment.ActionSuspend, enrolment.ActionAskRevocation, enrolment.ActionLeave:
			state = ui.StepStopped
		}
		steps[i] = ui.Step{
			Title: ActionName(ctx, h), State: state, Who: actorName(ctx, h), At: at(h.At),
			Text: ReasonText(ctx, h.ReasonCode, h.ReasonText),
		}
	}
	return steps
}

// MailStateTone is the colour of what became of a mail.
func MailStateTone(m db.Mail) ui.Tone {
	switch m.State {
	case outbox.Sent:
		return ui.Success
	case outbox.Refused, outbox.GivenUp:
		return ui.Danger
	case outbox.Queued:
		if MailStage(m) == "retry" {
			return ui.Warning
		}
		return ui.Info
	}
	return ui.Neutral
}

// MailStage is the state of a mail, where one in the queue may also be under
// way ("sending") or have failed before ("retry"). An attempt takes the time of
// the next one away until it has ended.
func MailStage(m db.Mail) string {
	switch {
	case m.State != outbox.Queued || m.Attempts == 0:
		return m.State
	case m.NextTryAt == 0:
		return "sending"
	}
	return "retry"
}

// MailState says what became of a mail.
func MailState(ctx context.Context, m db.Mail) string {
	return known(ctx, "dossier.mail.state.", MailStage(m))
}

// MailNews says when it came to that or what comes next.
func MailNews(ctx context.Context, m db.Mail) string {
	switch {
	case m.State == outbox.Queued && m.NextTryAt > 0 && m.Attempts > 0:
		return i18n.T(ctx, "dossier.mail.next", "at", i18n.ShortDateTime(ctx, at(m.NextTryAt)))
	case m.FinishedAt > 0:
		return i18n.ShortDateTime(ctx, at(m.FinishedAt))
	}
	return i18n.ShortDateTime(ctx, at(m.CreatedAt))
}

// linkState says how the latest link stands, and the tone of it.
func linkState(ctx context.Context, d Dossier) (ui.Tone, string) {
	l := d.Standing.Link
	switch {
	case d.Standing.KeySet:
		return ui.Success, i18n.T(ctx, "dossier.link.set")
	case l == nil:
		return ui.Neutral, i18n.T(ctx, "dossier.link.none")
	case l.UsedAt > 0:
		return ui.Success, i18n.T(ctx, "dossier.link.used", "at", i18n.DateTime(ctx, at(l.UsedAt)))
	case l.SupersededAt > 0:
		return ui.Neutral, i18n.T(ctx, "dossier.link.superseded", "at", i18n.DateTime(ctx, at(l.SupersededAt)))
	case !d.Now.Before(at(l.ExpiresAt)):
		return ui.Danger, i18n.T(ctx, "dossier.link.expired", "at", i18n.DateTime(ctx, at(l.ExpiresAt)))
	}
	return ui.Info, i18n.T(ctx, "dossier.link.live", "at", i18n.DateTime(ctx, at(l.ExpiresAt)),
		"span", i18n.Since(ctx, d.Now, at(l.ExpiresAt)))
}

// certificateState is valid, revoked or expired.
func certificateState(ctx context.Context, d Dossier) (ui.Tone, string) {
	c := d.Standing.Certificate
	switch {
	case enrolment.Suspended(*c):
		return ui.Warning, i18n.T(ctx, "dossier.certificate.suspended", "at", i18n.DateTime(ctx, at(c.RevokedAt)))
	case c.RevokedAt > 0:
		return ui.Danger, i18n.T(ctx, "dossier.certificate.revoked", "at", i18n.DateTime(ctx, at(c.RevokedAt)))
	case !d.Now.Before(at(c.NotAfter)):
		return ui.Neutral, i18n.T(ctx, "dossier.certificate.expired")
	}
	return ui.Success, i18n.T(ctx, "dossier.certificate.valid")
}

// standingNote says whose turn it is, since when, and how long it usually takes.
func standingNote(ctx context.Context, d Dossier) string {
	when, span := i18n.DateTime(ctx, d.Standing.Since), i18n.Since(ctx, d.Now, d.Standing.Since)
	if d.Standing.Turn == enrolment.TurnNobody {
		return i18n.T(ctx, "dossier.over", "at", when, "span", span)
	}
	turn := i18n.T(ctx, "dossier.turn."+string(d.Standing.Turn))
	s := i18n.T(ctx, "dossier.since", "turn", turn, "at", when, "span", span)
	if w := usualWait(ctx, d); w != "" {
		s += " " + w
	}
	return s
}

// usualWait compares how long it stands with how long it usually does.
func usualWait(ctx context.Context, d Dossier) string {
	w := d.Standing.Wait
	if w == nil {
		return ""
	}
	return i18n.T(ctx, "dossier.wait", "median", i18n.Duration(ctx, w.Median), "most", i18n.Duration(ctx, w.P95))
}

func verdictTone(c Check) ui.Tone {
	switch {
	case c.VoidedAt > 0:
		return ui.Neutral
	case c.Verdict == "accepted":
		return ui.Success
	}
	return ui.Danger
}

func verdictText(ctx context.Context, c Check) string {
	s := known(ctx, "dossier.check.", c.Verdict)
	if c.VoidedAt > 0 && c.Verdict == "accepted" {
		return i18n.T(ctx, "dossier.check.voided", "verdict", s)
	}
	return s
}
