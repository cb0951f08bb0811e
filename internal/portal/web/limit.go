package web

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"absah/internal/clock"
)

// Limiter bounds how often one network address may do something: burst at once
// and one more every interval. It lives in memory; what must survive a restart
// is counted per account in the database.
type Limiter struct {
	now   clock.Clock
	limit rate.Limit
	burst int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

// maxBuckets bounds the memory of a Limiter: about 10 MB.
const maxBuckets = 100_000

// NewLimiter makes a Limiter.
func NewLimiter(now clock.Clock, interval time.Duration, burst int) *Limiter {
	return &Limiter{now: now, limit: rate.Every(interval), burst: burst, buckets: map[string]*rate.Limiter{}, swept: now()}
}

// Allow counts one more and returns nil, or TooMany with the time to wait.
func (l *Limiter) Allow(address string) error {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	key := Network(address)
	b, ok := l.buckets[key]
	if !ok {
		if len(l.buckets) >= maxBuckets {
			return TooMany{After: time.Minute} // somebody has very many addresses
		}
		b = rate.NewLimiter(l.limit, l.burst)
		l.buckets[key] = b
	}
	res := b.ReserveN(now, 1)
	if wait := res.DelayFrom(now); wait > 0 {
		res.CancelAt(now)
		return TooMany{After: wait}
	}
	return nil
}

// sweep drops full buckets, which say nothing, once a minute.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.burst) {
			delete(l.buckets, key)
		}
	}
}

// Network is what counts as one address: a whole /64 of IPv6, which is what
// one subscriber of a network has.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil || a.Is4() {
		return address
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
