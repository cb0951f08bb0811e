package apiclient

import (
	"context"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Budget is how many requests an application has left, for the headers of an
// answer.
type Budget struct {
	Limit, Left int
	Reset       time.Duration // until it is full again
}

// bucket holds the requests that an application may send at once: those of a
// quarter of a minute.
type bucket struct {
	left float64
	at   time.Time
}

// burst is what part of a minute's requests may come at once.
const burst = 4

func (s *Service) spend(id string, rate int, now time.Time) (Budget, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := float64(max(rate/burst, 1))
	perSecond := float64(rate) / 60
	b := s.buckets[id]
	if b == nil {
		if s.buckets == nil {
			s.buckets = map[string]*bucket{}
		}
		b = &bucket{left: full, at: now}
		s.buckets[id] = b
	}
	if since := now.Sub(b.at).Seconds(); since > 0 {
		b.left, b.at = b.left+since*perSecond, now
	}
	b.left = min(b.left, full)
	if b.left < 1 {
		wait := time.Duration((1 - b.left) / perSecond * float64(time.Second))
		return Budget{Limit: int(full), Left: 0, Reset: wait}, &RateError{After: wait}
	}
	b.left--
	return Budget{Limit: int(full), Left: int(b.left), Reset: time.Duration((full - b.left) / perSecond * float64(time.Second))}, nil
}

// touchEvery is how exact "called last" is: not every call writes.
const touchEvery = time.Minute

func (s *Service) touch(ctx context.Context, id string, now time.Time) {
	s.mu.Lock()
	due := now.Sub(s.touched[id]) >= touchEvery
	if due {
		if s.touched == nil {
			s.touched = map[string]time.Time{}
		}
		s.touched[id] = now
	}
	s.mu.Unlock()
	if due {
		// Only for people to look at; that it failed harms no call.
		_ = s.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.TouchAPIClient(ctx, db.TouchAPIClientParams{ID: id, UsedAt: clock.Micros(now)})
		})
	}
}
