package webhook

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Delivery is an event on its way to an endpoint.
type Delivery struct {
	ID, EventID, EndpointID string
	Type                    Type
	State                   string
	Attempts                int
	Outcome                 string // of the last attempt
	Status                  int    // HTTP status of the last answer; 0 without one
	CreatedAt, NextTry      time.Time
	FinishedAt              time.Time
	// Of one delivery: what is sent, and all attempts, the first one first.
	Body  string
	Tries []Attempt
}

// Attempt is one request of a delivery.
type Attempt struct {
	Number  int
	At      time.Time
	End     time.Time // zero: under way, or cut off by the end of the program
	Outcome string
	Status  int
	Reply   string // the beginning of the answer, or what went wrong
	Took    time.Duration
}

func deliveryOf(r db.WebhookDelivery) Delivery {
	d := Delivery{
		ID: r.ID, EventID: r.EventID, EndpointID: r.EndpointID, Type: Type(r.Type), State: r.State, Attempts: int(r.Attempts), Outcome: r.Outcome,
		Status: int(r.Status), CreatedAt: clock.FromMicros(r.CreatedAt),
	}
	if r.State == Queued {
		d.NextTry = clock.FromMicros(r.NextTryAt)
	}
	if r.FinishedAt > 0 {
		d.FinishedAt = clock.FromMicros(r.FinishedAt)
	}
	return d
}

// Position is where a list of deliveries goes on; the zero one is its beginning.
type Position struct {
	Before time.Time
	ID     string
}

// Filter says which deliveries of an endpoint are wanted.
type Filter struct {
	State string // empty: all
	Type  Type   // empty: all
	After Position
	Limit int
}

// Deliveries lists what was sent to an endpoint, the newest first. It fails with
// ErrNotFound.
func (s *Service) Deliveries(ctx context.Context, clientID, endpointID string, f Filter) ([]Delivery, error) {
	q := s.Store.Read()
	if _, err := s.find(ctx, q, clientID, endpointID); err != nil {
		return nil, err
	}
	p := db.ListWebhookDeliveriesParams{
		EndpointID: endpointID, State: f.State, Type: string(f.Type), BeforeAt: math.MaxInt64, BeforeID: f.After.ID, MaxRows: int32(f.Limit),
	}
	if !f.After.Before.IsZero() {
		p.BeforeAt = clock.Micros(f.After.Before)
	}
	rows, err := q.ListWebhookDeliveries(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	out := make([]Delivery, len(rows))
	for i, r := range rows {
		out[i] = deliveryOf(r)
	}
	return out, nil
}

// Counts tells how many deliveries of an endpoint are in which state.
func (s *Service) Counts(ctx context.Context, endpointID string) (map[string]int, error) {
	rows, err := s.Store.Read().CountWebhookDeliveries(ctx, endpointID)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	out := map[string]int{}
	for _, r := range rows {
		out[r.State] = int(r.Deliveries)
	}
	return out, nil
}

// Delivery gives one delivery with its body and attempts; it fails with
// ErrNotFound.
func (s *Service) Delivery(ctx context.Context, clientID, endpointID, id string) (Delivery, error) {
	q := s.Store.Read()
	if _, err := s.find(ctx, q, clientID, endpointID); err != nil {
		return Delivery{}, err
	}
	r, err := q.GetWebhookDelivery(ctx, id)
	if store.IsNotFound(err) || err == nil && r.EndpointID != endpointID {
		return Delivery{}, ErrNotFound
	}
	if err != nil {
		return Delivery{}, fmt.Errorf("read delivery: %w", err)
	}
	d := deliveryOf(r)
	event, err := q.GetWebhookEvent(ctx, r.EventID)
	if err != nil {
		return d, fmt.Errorf("read event: %w", err)
	}
	d.Body = event.Body
	rows, err := q.WebhookAttempts(ctx, id)
	if err != nil {
		return d, fmt.Errorf("read attempts: %w", err)
	}
	for _, a := range rows {
		t := Attempt{Number: int(a.Number), At: clock.FromMicros(a.StartedAt), Outcome: a.Outcome, Status: int(a.Status), Reply: a.Reply, Took: time.Duration(a.Took) * time.Microsecond}
		if a.FinishedAt > 0 {
			t.End = clock.FromMicros(a.FinishedAt)
		}
		d.Tries = append(d.Tries, t)
	}
	return d, nil
}

// Replay sends a delivery once more, under the same id. It fails with ErrNotFound,
// ErrDisabled and ErrQueued.
func (s *Service) Replay(ctx context.Context, who audit.Actor, clientID, endpointID, id string) error {
	s.resting.end(endpointID)
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		e, err := s.find(ctx, tx.Queries, clientID, endpointID)
		if err != nil {
			return err
		}
		if e.State == Disabled {
			return ErrDisabled
		}
		d, err := tx.GetWebhookDelivery(ctx, id)
		if store.IsNotFound(err) || err == nil && d.EndpointID != endpointID {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("read delivery: %w", err)
		}
		n, err := s.again(ctx, tx, endpointID, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrQueued
		}
		return s.record(ctx, tx, who, "webhook.replay", endpointID, map[string]string{"delivery": id})
	})
}

func (s *Service) again(ctx context.Context, tx *store.Tx, endpointID, id string) (int64, error) {
	n, err := tx.ReplayWebhookDelivery(ctx, db.ReplayWebhookDeliveryParams{ID: id, EndpointID: endpointID, Now: clock.Micros(s.Clock())})
	if err != nil {
		return 0, fmt.Errorf("queue delivery again: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	return n, tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: id})
}

// ReplaySince sends everything of an endpoint once more that was written down since
// a time and is not on its way, at most MaxReplay. It tells how many those are. It
// fails with ErrNotFound and ErrDisabled.
func (s *Service) ReplaySince(ctx context.Context, who audit.Actor, clientID, endpointID string, since time.Time) (int, error) {
	s.resting.end(endpointID)
	asked := s.Clock()
	at := db.WebhookDeliveriesSinceParams{EndpointID: endpointID, Asked: clock.Micros(asked), Since: clock.Micros(since)}
	total := 0
	for total < MaxReplay {
		n, next := 0, at
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			n, next = 0, at
			e, err := s.find(ctx, tx.Queries, clientID, endpointID)
			if err != nil {
				return err
			}
			if e.State == Disabled {
				return ErrDisabled
			}
			rows, err := tx.WebhookDeliveriesSince(ctx, at)
			if err != nil {
				return fmt.Errorf("look for what was sent: %w", err)
			}
			for _, r := range rows {
				if _, err := s.again(ctx, tx, endpointID, r.ID); err != nil {
					return err
				}
				next.Since, next.After = r.CreatedAt, r.ID
			}
			n = len(rows)
			if n == 0 {
				return nil
			}
			return s.record(ctx, tx, who, "webhook.replay", endpointID, map[string]string{"since": since.UTC().Format(time.RFC3339), "deliveries": fmt.Sprint(n)})
		})
		if err != nil {
			return total, err
		}
		if n == 0 {
			return total, nil
		}
		total, at = total+n, next
	}
	return total, nil
}

// overdue is how long after its time a delivery counts as one without a job.
const overdue = 15 * time.Minute

// Upkeep is the handler of JobUpkeep: it leaves jobs for what has none, as after a
// restore, and removes what is older than Retention.
func (s *Service) Upkeep(ctx context.Context, _ string) error {
	return errors.Join(s.requeue(ctx), s.prune(ctx))
}

func (s *Service) requeue(ctx context.Context) error {
	now := s.Clock()
	ids, err := s.Store.Read().OverdueWebhookDeliveries(ctx, clock.Micros(now.Add(-overdue)))
	if err != nil {
		return fmt.Errorf("look for overdue deliveries: %w", err)
	}
	for _, id := range ids {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			n, err := tx.DeferWebhookDelivery(ctx, db.DeferWebhookDeliveryParams{ID: id, NextTryAt: clock.Micros(now)})
			if err != nil || n == 0 {
				return err
			}
			return tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: id})
		})
		if err != nil {
			return fmt.Errorf("queue overdue delivery: %w", err)
		}
	}
	return nil
}

func (s *Service) prune(ctx context.Context) error {
	keep := s.Retention
	if keep <= 0 {
		keep = DefaultRetention
	}
	before := clock.Micros(s.Clock().Add(-keep))
	for {
		var n int64
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.DropOldWebhookAttempts(ctx, before); err != nil {
				return err
			}
			var err error
			if n, err = tx.DropOldWebhookDeliveries(ctx, before); err != nil {
				return err
			}
			return tx.DropOldWebhookEvents(ctx, before)
		})
		if err != nil {
			return fmt.Errorf("remove old deliveries: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}
