package app

import (
	"context"
	"time"

	"absah/internal/api/hook"
	"absah/internal/outbox"
	"absah/internal/store"
	"absah/internal/webhook"
)

// openWebhooks makes what tells applications. What happens is written down by every
// role; the worker sends it.
func (a *App) openWebhooks(context.Context) error {
	c := a.Config.Webhooks
	a.Webhooks = &webhook.Service{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, Alarm: outbox.Webhooks{Outbox: a.Outbox}, BaseURL: a.Config.BaseURL,
		PlainHTTP: c.PlainHTTP, Timeout: c.Timeout, Retention: c.Retention,
	}
	if !a.has(RoleWorker) {
		return nil
	}
	sender, err := hook.New(hook.Options{Networks: c.Prefixes(), CAFile: c.CAFile, Timeout: c.Timeout})
	if err != nil {
		return err
	}
	a.Webhooks.Sender = sender
	return nil
}

func (a *App) webhookHandlers() map[string]store.Handler {
	return map[string]store.Handler{webhook.JobDeliver: a.Webhooks.Deliver, webhook.JobUpkeep: a.Webhooks.Upkeep}
}

var webhookPeriodics = []store.Periodic{{Kind: webhook.JobUpkeep, Every: 10 * time.Minute}}
