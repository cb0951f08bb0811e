package dossier_test

import (
	"testing"

	"absah/internal/outbox"
	"absah/internal/portal/dossier"
	"absah/internal/portal/ui"
	"absah/internal/store/db"
)

// TestMailStage: a mail whose first attempt is under way has not failed.
func TestMailStage(t *testing.T) {
	for _, c := range []struct {
		mail  db.Mail
		stage string
		tone  ui.Tone
	}{
		{db.Mail{State: outbox.Queued, NextTryAt: 7}, outbox.Queued, ui.Info},
		{db.Mail{State: outbox.Queued, Attempts: 1}, "sending", ui.Info},
		{db.Mail{State: outbox.Queued, Attempts: 2}, "sending", ui.Info},
		{db.Mail{State: outbox.Queued, Attempts: 1, NextTryAt: 7}, "retry", ui.Warning},
		{db.Mail{State: outbox.Sent, Attempts: 1}, outbox.Sent, ui.Success},
		{db.Mail{State: outbox.Refused, Attempts: 1}, outbox.Refused, ui.Danger},
		{db.Mail{State: outbox.GivenUp, Attempts: 9}, outbox.GivenUp, ui.Danger},
	} {
		if got := dossier.MailStage(c.mail); got != c.stage {
			t.Errorf("%+v is %q, want %q", c.mail, got, c.stage)
		}
		if got := dossier.MailStateTone(c.mail); got != c.tone {
			t.Errorf("%+v has the tone %q, want %q", c.mail, got, c.tone)
		}
	}
}
