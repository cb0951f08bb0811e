package esign

import (
	"sync"
	"time"

	"absah/internal/clock"
)

// lockout slows down who tries credentials: after tries wrong ones an address
// waits, and longer each time.
type lockout struct {
	clock clock.Clock
	mu    sync.Mutex
	at    map[string]*tries
}

type tries struct {
	wrong int
	last  time.Time
	until time.Time
}

const (
	freeTries  = 10
	forgetting = 15 * time.Minute
	firstWait  = 5 * time.Second
	longest    = 5 * time.Minute
	manyKept   = 50_000
)

func newLockout(c clock.Clock) *lockout { return &lockout{clock: c, at: map[string]*tries{}} }

// wait tells how long the address has to wait.
func (l *lockout) wait(address string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.at[address]; t != nil {
		return max(t.until.Sub(l.clock()), 0)
	}
	return 0
}

func (l *lockout) count(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if len(l.at) >= manyKept {
		for a, t := range l.at {
			if now.Sub(t.last) > forgetting {
				delete(l.at, a)
			}
		}
	}
	t := l.at[address]
	if t == nil || now.Sub(t.last) > forgetting {
		t = &tries{}
		l.at[address] = t
	}
	t.wrong, t.last = t.wrong+1, now
	if over := t.wrong - freeTries; over >= 0 {
		t.until = now.Add(min(firstWait<<min(over, 10), longest))
	}
}
