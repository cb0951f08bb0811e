package rest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/apiclient"
	"absah/internal/apidoc"
	"absah/internal/clock"
	"absah/internal/webhook"
)

// webhookRoutes lists the calls of webhooks: where the application that calls
// listens itself.
func (d *door) webhookRoutes() []route {
	out := []route{
		{method: "GET", path: "/webhooks", serve: (*door).listWebhooks},
		{method: "POST", path: "/webhooks", creates: true, serve: (*door).addWebhook},
		{method: "GET", path: "/webhooks/{id}", serve: (*door).showWebhook},
		{method: "PATCH", path: "/webhooks/{id}", serve: (*door).changeWebhook},
		{method: "DELETE", path: "/webhooks/{id}", serve: (*door).removeWebhook},
		{method: "POST", path: "/webhooks/{id}/secret", serve: (*door).rotateWebhook},
		{method: "POST", path: "/webhooks/{id}/ping", serve: (*door).pingWebhook},
		{method: "GET", path: "/webhooks/{id}/deliveries", serve: (*door).listDeliveries},
		{method: "GET", path: "/webhooks/{id}/deliveries/{delivery}", serve: (*door).showDelivery},
		{method: "POST", path: "/webhooks/{id}/deliveries/{delivery}/replay", serve: (*door).replayDelivery},
		{method: "POST", path: "/webhooks/{id}/replay", serve: (*door).replayWebhook},
	}
	for i := range out {
		out[i].scope, out[i].sandbox = apiclient.Webhook, true
	}
	return out
}

type webhookOrder struct {
	URL     string         `json:"url"`
	Events  []webhook.Type `json:"events"`
	Enabled *bool          `json:"enabled"`
}

type webhookBody struct {
	ID              string         `json:"id"`
	URL             string         `json:"url"`
	Events          []webhook.Type `json:"events"`
	State           string         `json:"state"`
	Reason          string         `json:"reason"`
	FailingSince    *string        `json:"failing_since"`
	LastDelivered   *string        `json:"last_delivered_at"`
	OldSecretsUntil *string        `json:"old_secret_until"`
	CreatedAt       string         `json:"created_at"`
	Secret          string         `json:"secret,omitempty"`
}

func webhookOf(e webhook.Endpoint) webhookBody {
	return webhookBody{
		ID: e.ID, URL: e.URL, Events: e.Types, State: e.State, Reason: e.Reason, FailingSince: maybe(e.FailingSince), LastDelivered: maybe(e.DeliveredAt),
		OldSecretsUntil: maybe(e.Rotating), CreatedAt: moment(e.CreatedAt),
	}
}

type deliveryBody struct {
	ID         string  `json:"id"`
	Event      string  `json:"event"`
	Type       string  `json:"type"`
	State      string  `json:"state"`
	Attempts   int     `json:"attempts"`
	Outcome    string  `json:"outcome"`
	Status     int     `json:"status"`
	CreatedAt  string  `json:"created_at"`
	NextTry    *string `json:"next_try_at"`
	FinishedAt *string `json:"finished_at"`
	at         time.Time
}

type deliveryDetail struct {
	deliveryBody
	Body  string        `json:"body"`
	Tries []deliveryTry `json:"tries"`
}

type deliveryTry struct {
	At      string `json:"at"`
	Outcome string `json:"outcome"` // empty while it is under way
	Status  int    `json:"status"`
	Reply   string `json:"reply"`
	TookMS  int64  `json:"took_ms"`
}

func deliveryOf(d webhook.Delivery) deliveryBody {
	return deliveryBody{
		ID: d.ID, Event: d.EventID, Type: string(d.Type), State: d.State, Attempts: d.Attempts, Outcome: d.Outcome, Status: d.Status,
		CreatedAt: moment(d.CreatedAt), NextTry: maybe(d.NextTry), FinishedAt: maybe(d.FinishedAt), at: d.CreatedAt,
	}
}

// webhookProblem is about endpoints.
func webhookProblem(err error) *problemError {
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return problem("not_found")
	case errors.Is(err, webhook.ErrURL):
		return problem("invalid_fields").say("Isikan alamat https yang lengkap, tanpa nama pengguna dan #", "Enter a complete https address without user name and #").at("/url", apidoc.FaultForm)
	case errors.Is(err, webhook.ErrTypes):
		return problem("invalid_fields").at("/events", apidoc.FaultEnum)
	case errors.Is(err, webhook.ErrTooMany):
		return problem("too_many_webhooks").say(fmt.Sprintf("Paling banyak %d", webhook.MaxEndpoints), fmt.Sprintf("At most %d", webhook.MaxEndpoints))
	case errors.Is(err, webhook.ErrDisabled):
		return problem("webhook_disabled")
	}
	return nil
}

func (d *door) listWebhooks(ctx context.Context, c *call) (*answer, error) {
	all, err := d.Webhooks.Endpoints(ctx, c.client.ID)
	if err != nil {
		return nil, err
	}
	out := struct {
		Items []webhookBody `json:"items"`
		Next  *string       `json:"next"`
	}{Items: []webhookBody{}}
	for _, e := range all {
		out.Items = append(out.Items, webhookOf(e))
	}
	return ok(out)
}

// addWebhook makes an endpoint, POST /webhooks. Its secret is in this answer only.
func (d *door) addWebhook(ctx context.Context, c *call) (*answer, error) {
	var in webhookOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	e, secret, err := d.makeWebhook(ctx, c, in)
	if err != nil {
		return nil, err
	}
	out := webhookOf(e)
	out.Secret = secret
	return created("/webhooks/"+e.ID, out)
}

func (d *door) makeWebhook(ctx context.Context, c *call, in webhookOrder) (webhook.Endpoint, string, error) {
	if c.again {
		// What was cut off may have made it. Nobody got its secret, so it gets another.
		e, err := d.Webhooks.Endpoint(ctx, c.client.ID, c.id)
		if err == nil {
			secret, err := d.Webhooks.Rotate(ctx, c.actor, c.client.ID, c.id, 0)
			return e, secret, err
		}
		if !errors.Is(err, webhook.ErrNotFound) {
			return e, "", err
		}
	}
	return d.Webhooks.Add(ctx, c.actor, c.client.ID, webhook.NewEndpoint{ID: c.id, URL: in.URL, Types: in.Events})
}

func (d *door) showWebhook(ctx context.Context, c *call) (*answer, error) {
	e, err := d.Webhooks.Endpoint(ctx, c.client.ID, c.path("id"))
	if err != nil {
		return nil, err
	}
	return ok(webhookOf(e))
}

// changeWebhook gives an endpoint another address or other types, or disables or
// enables it, PATCH /webhooks/{id}.
func (d *door) changeWebhook(ctx context.Context, c *call) (*answer, error) {
	var in webhookOrder
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	id := c.path("id")
	e, err := d.Webhooks.Endpoint(ctx, c.client.ID, id)
	if err != nil {
		return nil, err
	}
	if in.URL != "" || len(in.Events) > 0 {
		if in.URL == "" {
			in.URL = e.URL
		}
		if len(in.Events) == 0 {
			in.Events = e.Types
		}
		if err := d.Webhooks.Change(ctx, c.actor, c.client.ID, id, in.URL, in.Events); err != nil {
			return nil, err
		}
	}
	switch {
	case in.Enabled == nil:
	case *in.Enabled:
		err = d.Webhooks.Enable(ctx, c.actor, c.client.ID, id)
	default:
		err = d.Webhooks.Disable(ctx, c.actor, c.client.ID, id, webhook.ByApplication)
	}
	if err != nil {
		return nil, err
	}
	return d.showWebhook(ctx, c)
}

func (d *door) removeWebhook(ctx context.Context, c *call) (*answer, error) {
	if err := d.Webhooks.Remove(ctx, c.actor, c.client.ID, c.path("id")); err != nil {
		return nil, err
	}
	return none()
}

// rotateWebhook gives an endpoint a new secret, POST /webhooks/{id}/secret.
func (d *door) rotateWebhook(ctx context.Context, c *call) (*answer, error) {
	var in struct {
		AtOnce bool `json:"at_once"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	grace := webhook.GracePeriod
	if in.AtOnce {
		grace = 0
	}
	secret, err := d.Webhooks.Rotate(ctx, c.actor, c.client.ID, c.path("id"), grace)
	if err != nil {
		return nil, err
	}
	e, err := d.Webhooks.Endpoint(ctx, c.client.ID, c.path("id"))
	if err != nil {
		return nil, err
	}
	out := webhookOf(e)
	out.Secret = secret
	return ok(out)
}

// pingWebhook sends an event without content, POST /webhooks/{id}/ping.
func (d *door) pingWebhook(ctx context.Context, c *call) (*answer, error) {
	id, err := d.Webhooks.Ping(ctx, c.actor, c.client.ID, c.path("id"))
	if err != nil {
		return nil, err
	}
	return d.queued(ctx, c, id)
}

// queued answers with a delivery that will be sent.
func (d *door) queued(ctx context.Context, c *call, id string) (*answer, error) {
	x, err := d.Webhooks.Delivery(ctx, c.client.ID, c.path("id"), id)
	if err != nil {
		return nil, err
	}
	return with(202, deliveryOf(x))
}

func (d *door) listDeliveries(ctx context.Context, c *call) (*answer, error) {
	p, err := c.page(ctx)
	if err != nil {
		return nil, err
	}
	f := webhook.Filter{State: c.query("state"), Type: webhook.Type(c.query("type")), Limit: p.limit + 1}
	if p.beforeID != "" {
		f.After = webhook.Position{Before: clock.FromMicros(p.before), ID: p.beforeID}
	}
	rows, err := d.Webhooks.Deliveries(ctx, c.client.ID, c.path("id"), f)
	if err != nil {
		return nil, err
	}
	items := make([]deliveryBody, len(rows))
	for i, r := range rows {
		items[i] = deliveryOf(r)
	}
	return list(ctx, c, p, items, func(x deliveryBody) (time.Time, string) { return x.at, x.ID })
}

func (d *door) showDelivery(ctx context.Context, c *call) (*answer, error) {
	x, err := d.Webhooks.Delivery(ctx, c.client.ID, c.path("id"), c.path("delivery"))
	if err != nil {
		return nil, err
	}
	out := deliveryDetail{deliveryBody: deliveryOf(x), Body: x.Body, Tries: []deliveryTry{}}
	for _, a := range x.Tries {
		t := deliveryTry{At: moment(a.At), Outcome: a.Outcome, Status: a.Status, TookMS: a.Took.Milliseconds()}
		if a.Status > 0 { // what the network said is for administrators
			t.Reply = a.Reply
		}
		out.Tries = append(out.Tries, t)
	}
	return ok(out)
}

// replayDelivery sends a delivery once more under its id, POST
// /webhooks/{id}/deliveries/{delivery}/replay. One that is on its way stays so.
func (d *door) replayDelivery(ctx context.Context, c *call) (*answer, error) {
	err := d.Webhooks.Replay(ctx, c.actor, c.client.ID, c.path("id"), c.path("delivery"))
	if err != nil && !errors.Is(err, webhook.ErrQueued) {
		return nil, err
	}
	return d.queued(ctx, c, c.path("delivery"))
}

// replayWebhook sends everything since a time once more, POST /webhooks/{id}/replay.
func (d *door) replayWebhook(ctx context.Context, c *call) (*answer, error) {
	var in struct {
		Since time.Time `json:"since"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	n, err := d.Webhooks.ReplaySince(ctx, c.actor, c.client.ID, c.path("id"), in.Since)
	if err != nil {
		return nil, err
	}
	return with(202, map[string]int{"deliveries": n})
}
