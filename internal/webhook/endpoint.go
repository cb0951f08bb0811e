package webhook

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Endpoint is where an application listens.
type Endpoint struct {
	ID, ClientID string
	URL          string
	Types        []Type
	State        string
	Reason       string    // why it is disabled
	Rotating     time.Time // until when the secret before signs too; zero: there is none
	FailingSince time.Time
	DeliveredAt  time.Time // about when it took something last; zero: never
	CreatedAt    time.Time
}

// Host is where the endpoint is, without what may be secret in its address.
func (e *Endpoint) Host() string { return hostOf(e.URL) }

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Has tells whether the endpoint listens for a type.
func (e *Endpoint) Has(t Type) bool { return slices.Contains(e.Types, t) }

func (s *Service) endpointOf(r db.WebhookEndpoint) Endpoint {
	e := Endpoint{ID: r.ID, ClientID: r.ClientID, URL: r.Url, State: r.State, Reason: r.Reason, CreatedAt: clock.FromMicros(r.CreatedAt)}
	for _, t := range strings.Fields(r.Events) {
		e.Types = append(e.Types, Type(t))
	}
	if until := clock.FromMicros(r.PreviousUntil); len(r.PreviousSealed) > 0 && until.After(s.Clock()) {
		e.Rotating = until
	}
	if r.FailingSince > 0 {
		e.FailingSince = clock.FromMicros(r.FailingSince)
	}
	if r.DeliveredAt > 0 {
		e.DeliveredAt = clock.FromMicros(r.DeliveredAt)
	}
	return e
}

// CheckURL fails with ErrURL. Whether an address may be gone to is looked at when
// it is: a name may mean another one then.
func (s *Service) CheckURL(address string) error {
	if len(address) > MaxURL || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ErrURL
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.Hostname() == "", u.User != nil, u.Opaque != "", u.Fragment != "":
		return ErrURL
	case u.Scheme != "https" && (u.Scheme != "http" || !s.PlainHTTP):
		return ErrURL
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return ErrURL
		}
	}
	return nil
}

// checkTypes brings types into their order, each once; it fails with ErrTypes.
func checkTypes(list []Type) ([]Type, error) {
	var out []Type
	for _, t := range Types() {
		if slices.Contains(list, t) {
			out = append(out, t)
		}
	}
	for _, t := range list {
		if !slices.Contains(out, t) {
			return nil, ErrTypes
		}
	}
	if len(out) == 0 {
		return nil, ErrTypes
	}
	return out, nil
}

func joined(list []Type) string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return strings.Join(out, " ")
}

// NewEndpoint is what an endpoint is made of.
type NewEndpoint struct {
	ID    string // chosen beforehand; empty: a new one
	URL   string
	Types []Type
}

// Add makes an endpoint of an application and returns its secret, which is told
// this once. It fails with ErrURL, ErrTypes and ErrTooMany.
func (s *Service) Add(ctx context.Context, who audit.Actor, clientID string, n NewEndpoint) (Endpoint, string, error) {
	if err := s.CheckURL(n.URL); err != nil {
		return Endpoint{}, "", err
	}
	types, err := checkTypes(n.Types)
	if err != nil {
		return Endpoint{}, "", err
	}
	if n.ID == "" {
		n.ID = ident.From(s.random())
	}
	secret, sealed, err := s.secret(ctx, n.ID)
	if err != nil {
		return Endpoint{}, "", err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		have, err := tx.CountWebhookEndpoints(ctx, clientID)
		if err != nil {
			return fmt.Errorf("count endpoints: %w", err)
		}
		if have >= MaxEndpoints {
			return ErrTooMany
		}
		err = tx.InsertWebhookEndpoint(ctx, db.InsertWebhookEndpointParams{
			ID: n.ID, ClientID: clientID, Url: n.URL, Events: joined(types), SecretSealed: sealed, PreviousSealed: []byte{},
			CreatedAt: clock.Micros(s.Clock()), CreatedBy: who.AccountID,
		})
		if err != nil {
			return fmt.Errorf("add endpoint: %w", err)
		}
		return s.changed(ctx, tx, who, "webhook.add", n.ID, map[string]string{"application": clientID, "host": hostOf(n.URL), "events": joined(types)})
	})
	if err != nil {
		return Endpoint{}, "", err
	}
	e, err := s.Endpoint(ctx, clientID, n.ID)
	return e, secret, err
}

// changed writes a change down and has the listeners read again.
func (s *Service) changed(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string, detail map[string]string) error {
	tx.After(s.listening.forget)
	return s.record(ctx, tx, who, action, id, detail)
}

func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.Clock(), who, audit.Entry{Action: action, ObjectKind: "webhook_endpoint", ObjectID: id, Detail: detail})
}

// find gives the row of an endpoint of an application; it fails with ErrNotFound.
func (s *Service) find(ctx context.Context, q *db.Queries, clientID, id string) (db.WebhookEndpoint, error) {
	r, err := q.GetWebhookEndpoint(ctx, id)
	if store.IsNotFound(err) || err == nil && (r.ClientID != clientID || r.State == removed) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, fmt.Errorf("read endpoint: %w", err)
	}
	return r, nil
}

// Endpoint gives an endpoint of an application, or ErrNotFound.
func (s *Service) Endpoint(ctx context.Context, clientID, id string) (Endpoint, error) {
	r, err := s.find(ctx, s.Store.Read(), clientID, id)
	if err != nil {
		return Endpoint{}, err
	}
	return s.endpointOf(r), nil
}

// Endpoints lists those of an application, the oldest first.
func (s *Service) Endpoints(ctx context.Context, clientID string) ([]Endpoint, error) {
	rows, err := s.Store.Read().WebhookEndpointsOf(ctx, clientID)
	if err != nil {
		return nil, fmt.Errorf("list endpoints: %w", err)
	}
	out := make([]Endpoint, len(rows))
	for i, r := range rows {
		out[i] = s.endpointOf(r)
	}
	return out, nil
}

// one runs a statement that changes one endpoint, in a transaction with its row of
// the audit record.
func (s *Service) one(ctx context.Context, who audit.Actor, action, id string, detail map[string]string, f func(*store.Tx) (int64, error)) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := f(tx)
		if err != nil {
			return fmt.Errorf("%s: %w", action, err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return s.changed(ctx, tx, who, action, id, detail)
	})
}

// Change gives an endpoint another address and other types. What is queued goes to
// the new address. It fails with ErrNotFound, ErrURL and ErrTypes.
func (s *Service) Change(ctx context.Context, who audit.Actor, clientID, id, address string, types []Type) error {
	if err := s.CheckURL(address); err != nil {
		return err
	}
	types, err := checkTypes(types)
	if err != nil {
		return err
	}
	return s.one(ctx, who, "webhook.change", id, map[string]string{"host": hostOf(address), "events": joined(types)}, func(tx *store.Tx) (int64, error) {
		return tx.ChangeWebhookEndpoint(ctx, db.ChangeWebhookEndpointParams{ID: id, ClientID: clientID, Url: address, Events: joined(types), UpdatedAt: clock.Micros(s.Clock())})
	})
}

// Enable has an endpoint told again; it fails with ErrNotFound. What happened
// meanwhile is not sent by itself, as nothing was written down; what was queued
// when it was disabled can be replayed.
func (s *Service) Enable(ctx context.Context, who audit.Actor, clientID, id string) error {
	s.resting.end(id)
	return s.one(ctx, who, "webhook.enable", id, nil, func(tx *store.Tx) (int64, error) {
		return tx.EnableWebhookEndpoint(ctx, db.EnableWebhookEndpointParams{ID: id, ClientID: clientID, UpdatedAt: clock.Micros(s.Clock())})
	})
}

// Disable stops sending to an endpoint; reason is ByAdministrator or ByApplication.
// It fails with ErrNotFound.
func (s *Service) Disable(ctx context.Context, who audit.Actor, clientID, id, reason string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := s.find(ctx, tx.Queries, clientID, id); err != nil {
			return err
		}
		n, err := tx.DisableWebhookEndpoint(ctx, db.DisableWebhookEndpointParams{ID: id, Reason: reason, UpdatedAt: clock.Micros(s.Clock())})
		if err != nil {
			return fmt.Errorf("disable endpoint: %w", err)
		}
		if n == 0 {
			return nil // it is
		}
		return s.changed(ctx, tx, who, "webhook.disable", id, map[string]string{"reason": reason})
	})
}

// Remove ends an endpoint and forgets its secrets. What was sent to it is kept for
// its time. It fails with ErrNotFound.
func (s *Service) Remove(ctx context.Context, who audit.Actor, clientID, id string) error {
	return s.one(ctx, who, "webhook.remove", id, nil, func(tx *store.Tx) (int64, error) {
		return tx.RemoveWebhookEndpoint(ctx, db.RemoveWebhookEndpointParams{ID: id, ClientID: clientID, SecretSealed: []byte{}, UpdatedAt: clock.Micros(s.Clock())})
	})
}

// Rotate gives an endpoint a new secret, told this once. The one before signs too
// for grace; 0 ends it at once. It fails with ErrNotFound.
func (s *Service) Rotate(ctx context.Context, who audit.Actor, clientID, id string, grace time.Duration) (string, error) {
	secret, sealed, err := s.secret(ctx, id)
	if err != nil {
		return "", err
	}
	now := s.Clock()
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := s.find(ctx, tx.Queries, clientID, id)
		if err != nil {
			return err
		}
		p := db.RotateWebhookSecretParams{
			ID: id, ClientID: clientID, PreviousSealed: []byte{}, SecretSealed: sealed, UpdatedAt: clock.Micros(now),
		}
		if grace > 0 {
			// What is sealed is bound to its column, so it is sealed anew.
			key, err := s.Vault.Open(ctx, keys.Data, r.SecretSealed, secretContext(id))
			if err != nil {
				return fmt.Errorf("open secret of endpoint: %w", err)
			}
			if p.PreviousSealed, err = s.Vault.Seal(ctx, keys.Data, key, previousContext(id)); err != nil {
				return fmt.Errorf("seal secret of endpoint: %w", err)
			}
			p.PreviousUntil = clock.Micros(now.Add(grace))
		}
		if n, err := tx.RotateWebhookSecret(ctx, p); err != nil {
			return fmt.Errorf("rotate secret: %w", err)
		} else if n == 0 {
			return ErrNotFound
		}
		return s.record(ctx, tx, who, "webhook.rotate", id, nil)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}
