package demo

import (
	"context"
	"fmt"
	"time"

	"absah/internal/apiclient"
	"absah/internal/webhook"
)

// makeApplication lets an application in for which windows may be opened. Nobody has
// its secret: an administrator gives it a new one to call with it.
func (t *teller) makeApplication(ctx context.Context) error {
	set := apiclient.Settings{
		Info: "Naskah dinas elektronik (contoh)", Rate: apiclient.DefaultRate, Enabled: true,
		Scopes: []apiclient.Scope{apiclient.Sign, apiclient.Verify, apiclient.Status, apiclient.Webhook},
	}
	c, _, err := t.Clients.Add(ctx, system, "naskah-contoh", false, set)
	if err != nil {
		return fmt.Errorf("let an application in: %w", err)
	}
	err = t.Clients.SetOAuth(ctx, system, c.ID, apiclient.OAuth{Redirects: []string{"http://localhost:8400/kembali"}, Window: time.Hour})
	if err != nil {
		return fmt.Errorf("let an application have windows: %w", err)
	}
	return nil
}

// makeWebhook lets the application listen at an address that nobody has, once the
// stories are told, so that the pages show what becomes of deliveries.
func (t *teller) makeWebhook(ctx context.Context) error {
	c, err := t.Clients.Find(ctx, "naskah-contoh")
	if err != nil {
		return fmt.Errorf("find the application: %w", err)
	}
	t.clock.Arrive()
	e, _, err := t.Webhooks.Add(ctx, system, c.ID, webhook.NewEndpoint{URL: "https://naskah.contoh.example/absah", Types: webhook.Types()})
	if err != nil {
		return fmt.Errorf("add a webhook: %w", err)
	}
	_, err = t.Webhooks.Ping(ctx, system, c.ID, e.ID)
	return err
}
