package webhook

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Jobs.
const (
	// JobDeliver makes one attempt of a delivery.
	JobDeliver = "webhook.deliver"
	// JobUpkeep queues what has lost its job and removes what is old.
	JobUpkeep = "webhook.upkeep"
)

// The outcomes of an attempt, beside the causes of a Failure.
const (
	OutcomeDelivered = "delivered"
	OutcomeRefused   = "refused" // an answer that is no success
)

// statusGone is the answer of a receiver that wants nothing more.
const statusGone = 410

// leaseSlack is how much longer than a request its delivery belongs to whoever
// makes it. After that somebody else makes another: the first one is gone.
const leaseSlack = 5 * time.Second

// Deliver is the handler of JobDeliver: one attempt. A failure that may pass is no
// error here; the next attempt is queued for its time.
func (s *Service) Deliver(ctx context.Context, id string) error {
	d, err := s.Store.Read().GetWebhookDelivery(ctx, id)
	if store.IsNotFound(err) {
		return nil // it was removed with its time
	}
	if err != nil {
		return fmt.Errorf("read delivery: %w", err)
	}
	now := s.Clock()
	if d.State != Queued {
		return nil
	}
	if wait := clock.FromMicros(d.NextTryAt).Sub(now); wait > 0 {
		return s.comeBack(ctx, id, wait) // somebody is at it, or it was replayed meanwhile
	}
	if wait := s.resting.left(d.EndpointID, now); wait > 0 && now.Sub(clock.FromMicros(d.QueuedAt)) < Patience {
		return s.put(ctx, id, wait+time.Duration(luck(s.random())*float64(firstRest)))
	}
	d, e, begun, err := s.begin(ctx, id)
	if err != nil || !begun {
		return err
	}
	r, err := s.attempt(ctx, d, e)
	if err != nil {
		return err
	}
	// What became of it is written even when the process is told to stop now.
	return s.settle(context.WithoutCancel(ctx), d, e, r)
}

// comeBack leaves a job for later.
func (s *Service) comeBack(ctx context.Context, id string, wait time.Duration) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: id, At: time.Now().Add(wait)})
	})
}

// put puts a delivery off without an attempt.
func (s *Service) put(ctx context.Context, id string, wait time.Duration) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.DeferWebhookDelivery(ctx, db.DeferWebhookDeliveryParams{ID: id, NextTryAt: clock.Micros(s.Clock().Add(wait))})
		if err != nil {
			return fmt.Errorf("put delivery off: %w", err)
		}
		if n == 0 {
			return nil
		}
		return tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: id, At: time.Now().Add(wait)})
	})
}

// begin counts an attempt before it is made.
func (s *Service) begin(ctx context.Context, id string) (d db.WebhookDelivery, e db.WebhookEndpoint, begun bool, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		begun = false
		now := s.Clock()
		var err error
		d, err = tx.ClaimWebhookDelivery(ctx, db.ClaimWebhookDeliveryParams{
			ID: id, Now: clock.Micros(now), Lease: clock.Micros(now.Add(s.timeout() + leaseSlack)),
		})
		if store.IsNotFound(err) {
			return nil // somebody was faster
		}
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		if e, err = tx.GetWebhookEndpoint(ctx, d.EndpointID); err != nil {
			return fmt.Errorf("read endpoint: %w", err)
		}
		c, err := tx.GetAPIClient(ctx, e.ClientID)
		if err != nil {
			return fmt.Errorf("read application: %w", err)
		}
		if e.State != Enabled && e.State != Failing || !c.Enabled {
			return s.finish(ctx, tx, d, Cancelled, result{outcome: noEndpoint}, now)
		}
		begun = true
		err = tx.StartWebhookAttempt(ctx, db.StartWebhookAttemptParams{DeliveryID: id, Number: d.Attempts, StartedAt: clock.Micros(now)})
		if err != nil {
			return fmt.Errorf("count attempt: %w", err)
		}
		return nil
	})
	return d, e, begun, err
}

// result is what came of an attempt.
type result struct {
	outcome string
	status  int
	reply   string
	took    time.Duration
	after   time.Duration // that the receiver asked for
}

func (s *Service) attempt(ctx context.Context, d db.WebhookDelivery, e db.WebhookEndpoint) (result, error) {
	event, err := s.Store.Read().GetWebhookEvent(ctx, d.EventID)
	if err != nil {
		return result{}, fmt.Errorf("read event: %w", err)
	}
	at := s.Clock()
	m := Message{URL: e.Url, ID: d.ID, Timestamp: at.Unix(), Body: []byte(event.Body)}
	if m.Signature, err = s.signature(ctx, e, m.ID, m.Timestamp, m.Body); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	began := time.Now()
	a, err := s.Sender.Send(ctx, m)
	r := result{status: a.Status, took: time.Since(began), reply: plain(a.Text), after: a.RetryAfter}
	switch {
	case err != nil:
		r.outcome, r.reply = CauseOther, plain(err.Error())
		var f *Failure
		if errors.As(err, &f) {
			r.outcome, r.reply = f.Cause, plain(f.Err.Error())
		}
	case a.Status/100 == 2:
		r.outcome = OutcomeDelivered
	default:
		r.outcome = OutcomeRefused
	}
	return r, nil
}

// plain is the beginning of a text, without what does not print.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxReply {
		text = strings.ToValidUTF8(text[:maxReply], "")
	}
	return strings.TrimSpace(text)
}

// settle writes what became of an attempt.
func (s *Service) settle(ctx context.Context, d db.WebhookDelivery, e db.WebhookEndpoint, r result) error {
	now := s.Clock()
	if r.status > 0 {
		s.resting.end(e.ID)
	} else {
		s.resting.failed(e.ID, now)
	}
	if r.outcome != OutcomeDelivered {
		s.Log.InfoContext(ctx, "a webhook was not taken", "delivery", d.ID, "endpoint", e.ID, "attempt", d.Attempts, "outcome", r.outcome, "status", r.status)
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.FinishWebhookAttempt(ctx, db.FinishWebhookAttemptParams{
			DeliveryID: d.ID, Number: d.Attempts, FinishedAt: clock.Micros(now), Outcome: r.outcome, Status: int64(r.status), Reply: r.reply, Took: r.took.Microseconds(),
		})
		if err != nil {
			return fmt.Errorf("store outcome: %w", err)
		}
		switch {
		case r.outcome == OutcomeDelivered:
			err := tx.WebhookEndpointAnswered(ctx, db.WebhookEndpointAnsweredParams{ID: e.ID, Now: clock.Micros(now), Before: clock.Micros(now.Add(-time.Minute))})
			if err != nil {
				return fmt.Errorf("note the answer: %w", err)
			}
			return s.finish(ctx, tx, d, Delivered, r, now)
		case r.status == statusGone:
			if err := s.disable(ctx, tx, e, Gone, now); err != nil {
				return err
			}
			return s.finish(ctx, tx, d, Failed, r, now)
		}
		wait, giveUp := NextTry(int(d.Tries), now.Sub(clock.FromMicros(d.QueuedAt)), r.after, luck(s.random()))
		if err := s.judge(ctx, tx, d, giveUp, now); err != nil {
			return err
		}
		if giveUp {
			return s.finish(ctx, tx, d, Failed, r, now)
		}
		n, err := tx.PostponeWebhookDelivery(ctx, db.PostponeWebhookDeliveryParams{
			ID: d.ID, Outcome: r.outcome, Status: int64(r.status), NextTryAt: clock.Micros(now.Add(wait)),
		})
		if err != nil {
			return fmt.Errorf("store next try: %w", err)
		}
		if n == 0 {
			return nil // another attempt got through
		}
		return tx.Enqueue(ctx, store.Job{Kind: JobDeliver, ID: d.ID, At: time.Now().Add(wait)})
	})
}

func (s *Service) finish(ctx context.Context, tx *store.Tx, d db.WebhookDelivery, state string, r result, now time.Time) error {
	_, err := tx.FinishWebhookDelivery(ctx, db.FinishWebhookDeliveryParams{
		ID: d.ID, State: state, Outcome: r.outcome, Status: int64(r.status), FinishedAt: clock.Micros(now),
	})
	if err != nil {
		return fmt.Errorf("store outcome: %w", err)
	}
	return nil
}

// judge looks after a failed attempt what it says about the endpoint: one that took
// nothing for as long as this delivery was tried is failing, and one that is
// failing for DisableAfter is disabled.
func (s *Service) judge(ctx context.Context, tx *store.Tx, d db.WebhookDelivery, givenUp bool, now time.Time) error {
	e, err := tx.GetWebhookEndpoint(ctx, d.EndpointID)
	if err != nil {
		return fmt.Errorf("read endpoint: %w", err)
	}
	switch {
	case e.State == Enabled && givenUp && e.DeliveredAt <= d.QueuedAt:
		n, err := tx.FailWebhookEndpoint(ctx, db.FailWebhookEndpointParams{ID: e.ID, FailingSince: clock.Micros(now)})
		if err != nil {
			return fmt.Errorf("note that the endpoint fails: %w", err)
		}
		if n == 0 {
			return nil
		}
		return s.alarm(ctx, tx, e, Failing, "", clock.FromMicros(d.QueuedAt))
	case e.State == Failing && now.Sub(clock.FromMicros(e.FailingSince)) >= DisableAfter:
		return s.disable(ctx, tx, e, GaveUp, now)
	}
	return nil
}

// disable stops sending to an endpoint, and tells administrators.
func (s *Service) disable(ctx context.Context, tx *store.Tx, e db.WebhookEndpoint, reason string, now time.Time) error {
	n, err := tx.DisableWebhookEndpoint(ctx, db.DisableWebhookEndpointParams{ID: e.ID, Reason: reason, UpdatedAt: clock.Micros(now)})
	if err != nil {
		return fmt.Errorf("disable endpoint: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := s.changed(ctx, tx, audit.System("worker"), "webhook.disable", e.ID, map[string]string{"reason": reason}); err != nil {
		return err
	}
	return s.alarm(ctx, tx, e, Disabled, reason, clock.FromMicros(e.FailingSince))
}

func (s *Service) alarm(ctx context.Context, tx *store.Tx, e db.WebhookEndpoint, event, reason string, since time.Time) error {
	if s.Alarm == nil {
		return nil
	}
	c, err := tx.GetAPIClient(ctx, e.ClientID)
	if err != nil {
		return fmt.Errorf("read application: %w", err)
	}
	if since.Unix() <= 0 {
		since = s.Clock()
	}
	return s.Alarm.Webhook(ctx, tx, Trouble{
		ClientID: c.ID, Client: c.Name, EndpointID: e.ID, Host: hostOf(e.Url), Event: event, Reason: reason, Since: since,
	})
}
