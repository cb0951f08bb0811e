package officer

import (
	"context"
	"fmt"
	"time"

	"absah/internal/clock"
	"absah/internal/enrolment"
	"absah/internal/portal/dossier"
	"absah/internal/portal/i18n"
	"absah/internal/portal/ui"
)

func clockOf(micros int64) time.Time { return clock.FromMicros(micros) }

func claimedAt(v caseView) time.Time { return clock.FromMicros(v.Registration.ClaimedAt) }

func checkedAt(c dossier.Check) time.Time { return clock.FromMicros(c.CreatedAt) }

// linkAction is where a new link is asked for; nowhere for the applicant's own.
func linkAction(v caseView) string {
	if v.Own {
		return ""
	}
	return v.at("/tautan")
}

// mailAction is where a mail is asked for once more.
func mailAction(v caseView) func(mail string) string {
	return func(mail string) string { return v.at("/surel/" + mail) }
}

func (v caseView) at(rest string) string { return v.From.at(v.Registration.ID, rest) }

func (v endView) at(rest string) string { return v.From.at(v.Registration.ID, rest) }

func stageTitle(ctx context.Context, v caseView) string {
	return i18n.T(ctx, fmt.Sprintf("officer.stage.%d.title", v.Stage))
}

func stageText(ctx context.Context, v caseView) string {
	return i18n.T(ctx, fmt.Sprintf("officer.stage.%d.text", v.Stage))
}

// takeHint says what taking it is for, and takeKind how much it is wanted.
func takeHint(ctx context.Context, v caseView) string {
	if v.Stage == 0 {
		return i18n.T(ctx, "officer.case.take_again")
	}
	return i18n.T(ctx, "officer.case.take_hint")
}

func takeKind(v caseView) ui.ButtonKind {
	if v.Stage == 0 {
		return ui.Secondary
	}
	return ui.Primary
}

// consequence says what the buttons below the form do.
func consequence(ctx context.Context, v caseView) string {
	switch v.accepts() {
	case enrolment.ActionVerify:
		return i18n.T(ctx, "officer.check.after_verify")
	case enrolment.ActionApprove:
		return i18n.T(ctx, "officer.check.after_approve")
	}
	return i18n.T(ctx, "officer.check.after_return")
}
