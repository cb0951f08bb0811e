package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"absah/internal/api/hook"
	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/signing"
	"absah/internal/webhook"
)

// application is the name of the one that calls.
const application = "naskah-contoh"

// makeApplication lets applications in: one for which windows may be opened, and
// one that has never called. Nobody has their secrets: an administrator gives
// them new ones to call with.
func (t *teller) makeApplication(ctx context.Context) error {
	set := apiclient.Settings{
		Info: "Naskah dinas elektronik (contoh)", Rate: apiclient.DefaultRate, Enabled: true,
		Scopes: []apiclient.Scope{apiclient.Sign, apiclient.Verify, apiclient.Status, apiclient.Webhook},
	}
	c, secret, err := t.Clients.Add(ctx, system, application, false, set)
	if err != nil {
		return fmt.Errorf("let an application in: %w", err)
	}
	t.appSecret = secret
	err = t.Clients.SetOAuth(ctx, system, c.ID, apiclient.OAuth{Redirects: []string{"http://localhost:8400/kembali"}, Window: time.Hour})
	if err != nil {
		return fmt.Errorf("let an application have windows: %w", err)
	}
	set = apiclient.Settings{Info: "Uji integrasi (contoh); tanda tangannya bertulisan SPECIMEN", Rate: apiclient.DefaultRate, Enabled: true, Scopes: []apiclient.Scope{apiclient.Sign, apiclient.Verify}}
	if _, _, err = t.Clients.Add(ctx, system, "uji-contoh", true, set); err != nil {
		return fmt.Errorf("let an application in: %w", err)
	}
	return nil
}

// callWithDocument is what the application's call of /api/v1 does: it brings a
// letter and sends it to who signs it.
func (t *teller) callWithDocument(ctx context.Context, signer audit.Actor) error {
	c, _, err := t.Clients.Authenticate(ctx, application, t.appSecret, "127.0.0.1")
	if err != nil {
		return fmt.Errorf("call as an application: %w", err)
	}
	d, err := t.bring(ctx, signer, c.Name, "surat_tugas", "Surat Tugas dari Aplikasi Contoh", "ST-036/FIKTIF/2026")
	if err != nil {
		return err
	}
	return t.Signing.StartWorkflow(ctx, signer, signing.NewWorkflow{
		Document: d.ID, Note: "Dikirim oleh aplikasi naskah dinas contoh.", Steps: []signing.Step{{EmployeeID: signer.EmployeeID, Role: signing.SignRole}},
	})
}

// listen adds a webhook of a receiver that is really there, on this machine,
// until the past is told.
func (t *teller) listen(ctx context.Context) error {
	c, err := t.Clients.Find(ctx, application)
	if err != nil {
		return fmt.Errorf("find the application: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for webhooks: %w", err)
	}
	t.receiver = &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // what was sent is shown where it is kept
		_, _ = io.WriteString(w, "diterima")
	})}
	go func() { _ = t.receiver.Serve(l) }() // ends with fallSilent
	sender, err := hook.New(hook.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("send webhooks: %w", err)
	}
	t.hooks = &webhook.Service{
		Store: t.Store, Vault: t.Vault, Clock: t.clock.Now, Log: t.Log, Alarm: t.Webhooks.Alarm, BaseURL: t.Config.BaseURL, Sender: sender, PlainHTTP: true,
		Timeout: t.Webhooks.Timeout, Retention: t.Webhooks.Retention,
	}
	e, _, err := t.hooks.Add(ctx, system, c.ID, webhook.NewEndpoint{
		URL:   "http://" + l.Addr().String() + "/absah",
		Types: []webhook.Type{webhook.DocumentSigned, webhook.DocumentCompleted, webhook.DocumentRejected, webhook.WorkflowTurn, webhook.CertificateIssued},
	})
	if err != nil {
		return fmt.Errorf("add a webhook: %w", err)
	}
	t.client, t.endpoint = c.ID, e.ID
	_, err = t.hooks.Ping(ctx, system, c.ID, e.ID)
	return err
}

// fallSilent delivers what waits for the receiver and ends it: its webhook is
// disabled, as one for a trial is.
func (t *teller) fallSilent(ctx context.Context) error {
	list, err := t.hooks.Deliveries(ctx, t.client, t.endpoint, webhook.Filter{Limit: 50})
	if err != nil {
		return fmt.Errorf("read deliveries: %w", err)
	}
	for _, d := range list {
		if err := t.hooks.Deliver(ctx, d.ID); err != nil {
			return fmt.Errorf("deliver: %w", err)
		}
	}
	return errors.Join(t.hooks.Disable(ctx, t.administrators()[0], t.client, t.endpoint, webhook.ByAdministrator), t.receiver.Close())
}

// makeWebhook lets the application listen at an address that nobody has, once the
// stories are told, so that the pages show what becomes of deliveries.
func (t *teller) makeWebhook(ctx context.Context) error {
	t.clock.Arrive()
	e, _, err := t.Webhooks.Add(ctx, system, t.client, webhook.NewEndpoint{URL: "https://naskah.contoh.example/absah", Types: webhook.Types()})
	if err != nil {
		return fmt.Errorf("add a webhook: %w", err)
	}
	_, err = t.Webhooks.Ping(ctx, system, t.client, e.ID)
	return err
}
