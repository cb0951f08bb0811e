package demo

import (
	"context"
	"fmt"
	"time"

	"absah/internal/apiclient"
)

// makeApplication lets an application in for which windows may be opened. Nobody has
// its secret: an administrator gives it a new one to call with it.
func (t *teller) makeApplication(ctx context.Context) error {
	set := apiclient.Settings{
		Info: "Naskah dinas elektronik (contoh)", Scopes: []apiclient.Scope{apiclient.Sign, apiclient.Verify, apiclient.Status}, Rate: apiclient.DefaultRate, Enabled: true,
	}
	c, _, err := t.Clients.Add(ctx, system, "naskah-contoh", false, set)
	if err != nil {
		return fmt.Errorf("let an application in: %w", err)
	}
	return t.Clients.SetOAuth(ctx, system, c.ID, apiclient.OAuth{Redirects: []string{"http://localhost:8400/kembali"}, Window: time.Hour})
}
