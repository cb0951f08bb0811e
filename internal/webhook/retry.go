package webhook

import (
	"encoding/binary"
	"io"
	"math"
	"sync"
	"time"
)

// Patience is how long a delivery is tried before it is given up.
const Patience = 72 * time.Hour

// DisableAfter is how long an endpoint that is failing goes on being tried before
// nothing more is sent to it.
const DisableAfter = 48 * time.Hour

// The waits between tries: 10 s, 30 s, 90 s ... up to 8 hours, a fifth more or less.
const (
	firstWait  = 10 * time.Second
	waitFactor = 3
	longest    = 8 * time.Hour
	jitter     = 0.2
)

// NextTry says what to do after try number n, from 1, of a delivery that was queued
// age ago: try again after wait, or give up. luck is from 0 to 1. asked is what the
// receiver asked for; it makes a wait longer and not shorter. The last try falls on
// the end of Patience.
func NextTry(n int, age, asked time.Duration, luck float64) (wait time.Duration, giveUp bool) {
	if age >= Patience {
		return 0, true
	}
	wait = longest
	if f := math.Pow(waitFactor, float64(max(n, 1)-1)); f < float64(longest/firstWait) {
		wait = time.Duration(f) * firstWait
	}
	wait += time.Duration((2*luck - 1) * jitter * float64(wait))
	return min(max(wait, min(asked, longest)), Patience-age), false
}

// luck is a random number from 0 to 1.
func luck(r io.Reader) float64 {
	var b [4]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0.5 // it only spreads the tries
	}
	return float64(binary.BigEndian.Uint32(b[:])) / math.MaxUint32
}

// resting are the endpoints that gave no answer and are left alone for a while, so
// that one which is away does not take the time of those which are there.
type resting struct {
	mu sync.Mutex
	of map[string]rest
}

type rest struct {
	failures int
	until    time.Time
}

// The rests after the third, fourth ... failure in a row.
const (
	restAfter = 3
	firstRest = 15 * time.Second
	maxRest   = 10 * time.Minute
)

// left is how long an endpoint is still left alone.
func (r *resting) left(id string, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[id].until.Sub(now)
}

// failed counts an attempt that had no answer.
func (r *resting) failed(id string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[string]rest{}
	}
	x := r.of[id]
	if x.failures++; x.failures >= restAfter {
		x.until = now.Add(min(firstRest<<min(x.failures-restAfter, 10), maxRest))
	}
	r.of[id] = x
}

// end forgets the failures of an endpoint.
func (r *resting) end(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, id)
}
