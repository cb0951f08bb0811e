package demo

import (
	"sync/atomic"
	"time"
)

// start is how long ago the demo's past begins.
const start = 2*366*24*time.Hour + 30*24*time.Hour

// Clock tells a time in the past that moves up to now while the stories are
// told, and the real time ever after.
type Clock struct{ behind atomic.Int64 }

// NewClock returns a clock that stands at the beginning of the demo's past.
func NewClock() *Clock {
	c := &Clock{}
	c.behind.Store(int64(start))
	return c
}

// Now is the clock.Clock.
func (c *Clock) Now() time.Time {
	return time.Now().UTC().Add(-time.Duration(c.behind.Load())).Truncate(time.Microsecond)
}

// Pass moves the clock on by d, but not past the real time.
func (c *Clock) Pass(d time.Duration) {
	c.behind.Store(max(0, c.behind.Load()-int64(d)))
}

// To moves the clock on to the given time ago. It never goes back.
func (c *Clock) To(ago time.Duration) { c.behind.Store(min(c.behind.Load(), int64(ago))) }

// Ago is how far in the past the clock is.
func (c *Clock) Ago() time.Duration { return time.Duration(c.behind.Load()) }

// Arrive lets the clock tell the real time.
func (c *Clock) Arrive() { c.behind.Store(0) }
