package app

import (
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"absah/internal/api/esign"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/mail"
	"absah/internal/outbox"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store/storetest"
)

// TestSignersAreAskedForCodes: by mail, once a minute, for applications that an
// administrator lets have windows, and only where a code would help.
func TestSignersAreAskedForCodes(t *testing.T) {
	t.Parallel()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, now := t.Context(), clock.NewFake(time.Now())
	s := storetest.Open(t, storetest.SQLite(t))
	w, err := signingtest.Open(ctx, t.TempDir(), s, now.Now)
	check(err)
	signer, err := w.Subscriber(ctx, "Siti Contoh", keys.ECDSAP256)
	check(err)
	renderer, err := mail.NewRenderer(mail.DemoIdentity("https://absah.example"), nil)
	check(err)
	clients := &apiclient.Service{Store: s, Clock: now.Now}
	client, _, err := clients.Add(ctx, audit.System("test"), "persuratan", false, apiclient.Settings{Scopes: []apiclient.Scope{apiclient.Sign}, Rate: 60, Enabled: true})
	check(err)
	c := codes{clients, w.Service, &outbox.Codes{Outbox: &outbox.Outbox{Store: s, Vault: w.Vault, Clock: now.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Renderer: renderer}}}
	mails := func() int {
		rows, err := s.Read().MailsOfEmployee(ctx, sql.NullString{String: signer.EmployeeID, Valid: true})
		check(err)
		for _, m := range rows {
			if !strings.Contains(m.Subject, "persuratan") {
				t.Errorf("subject %s", m.Subject)
			}
		}
		return len(rows)
	}
	if err := c.AskCode(ctx, &client, signer.EmployeeID, 2); !errors.Is(err, esign.ErrNoCodes) || mails() != 0 {
		t.Errorf("nobody allowed it: %v", err)
	}
	check(clients.SetOAuth(ctx, audit.System("test"), client.ID, apiclient.OAuth{Window: time.Hour}))
	check(c.AskCode(ctx, &client, signer.EmployeeID, 2))
	check(c.AskCode(ctx, &client, signer.EmployeeID, 2))
	if n := mails(); n != 1 {
		t.Errorf("%d mails within a minute", n)
	}
	now.Advance(time.Minute)
	check(c.AskCode(ctx, &client, signer.EmployeeID, 2))
	if n := mails(); n != 2 {
		t.Errorf("%d mails", n)
	}
	now.Advance(3 * 365 * 24 * time.Hour)
	var expired *signing.ExpiredError
	if err := c.AskCode(ctx, &client, signer.EmployeeID, 2); !errors.As(err, &expired) || mails() != 2 {
		t.Errorf("without a certificate: %v", err)
	}
}
