package quota

import (
	"net/netip"
	"sync"
	"time"

	"absah/internal/clock"
)

// Lockout slows down who tries credentials: after tries wrong ones an address
// waits, and longer each time.
type Lockout struct {
	clock clock.Clock
	mu    sync.Mutex
	at    map[string]*tries
	swept time.Time
}

type tries struct {
	wrong int
	last  time.Time
	until time.Time
}

// FreeTries are the wrong credentials after which an address waits, FirstWait the
// first time that it does; each further one doubles it.
const (
	FreeTries  = 10
	forgetting = 15 * time.Minute
	FirstWait  = 5 * time.Second
	longest    = 5 * time.Minute
	manyKept   = 50_000
	sweepEvery = time.Minute
)

// NewLockout makes one that has seen nobody.
func NewLockout(c clock.Clock) *Lockout { return &Lockout{clock: c, at: map[string]*tries{}} }

// Wait tells how long the address has to wait.
func (l *Lockout) Wait(address string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.at[l.key(address)]; t != nil {
		return max(t.until.Sub(l.clock()), 0)
	}
	return 0
}

// Count says that a credential from the address was wrong.
func (l *Lockout) Count(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if len(l.at) >= manyKept && now.Sub(l.swept) >= sweepEvery {
		l.swept = now
		for a, t := range l.at {
			if now.Sub(t.last) > forgetting {
				delete(l.at, a)
			}
		}
	}
	key := l.key(address)
	t := l.at[key]
	if t == nil || now.Sub(t.last) > forgetting {
		t = &tries{}
		l.at[key] = t
	}
	t.wrong, t.last = t.wrong+1, now
	if over := t.wrong - FreeTries; over >= 0 {
		t.until = now.Add(min(FirstWait<<min(over, 10), longest))
	}
}

// key is where the tries of an address are counted: of IPv6 those of a whole /64,
// which is what one subscriber of a network has. Addresses that there is no room
// for share one place.
func (l *Lockout) key(address string) string {
	key := address
	if a, err := netip.ParseAddr(address); err == nil && a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			key = p.String()
		}
	}
	if _, known := l.at[key]; !known && len(l.at) >= manyKept {
		return ""
	}
	return key
}
