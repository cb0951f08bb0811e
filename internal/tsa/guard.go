package tsa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"sync"
	"time"
)

var (
	// ErrClock says that the time is not known well enough to be attested.
	ErrClock = errors.New("the time is not known well enough")
	// ErrUnsynchronised: no quorum of servers has confirmed the clock lately, or
	// what it confirmed is too far off.
	ErrUnsynchronised = fmt.Errorf("%w: the clock is not confirmed", ErrClock)
	// ErrStepped: the clock was set since it was confirmed.
	ErrStepped = fmt.Errorf("%w: the clock was set", ErrClock)
	// ErrBackwards: the clock is behind a time that was attested before.
	ErrBackwards = fmt.Errorf("%w: the clock is behind what was attested", ErrClock)
	// ErrLeap: a leap second is under way.
	ErrLeap = fmt.Errorf("%w: leap second", ErrClock)
)

// Defaults of GuardConfig.
const (
	DefaultMaxOffset = 500 * time.Millisecond
	guardEvery       = 40 * time.Second
	guardExpiry      = 120 * time.Second
	queryTimeout     = 3 * time.Second
	// lease is how far ahead of the times attested the mark is written, so that
	// the disk is asked once a second and not for every token.
	lease = time.Second
)

// GuardConfig says by what the machine's clock is judged.
type GuardConfig struct {
	// Servers are NTP servers, HOST or HOST:PORT. None: nobody is asked, and the
	// operator answers for the clock.
	Servers []string
	// Quorum is how many servers must agree; 0: more than half.
	Quorum int
	// MaxOffset is how far from UTC the clock may be; 0: DefaultMaxOffset.
	MaxOffset time.Duration
	// Mark keeps, beyond restarts, the latest time attested.
	Mark Mark
	// Wall and Mono are the machine's clocks; Mono does not step.
	Wall func() time.Time
	Mono func() time.Duration
	// Ask asks one server; nil: Query.
	Ask func(ctx context.Context, server string) (Sample, error)
	Log *slog.Logger
}

// verdict is what was found of the clock last.
type verdict int

const (
	_ verdict = iota // nothing yet
	confirmed
	doubted
)

// Guard tells the time, or refuses to. It never tells an earlier time than
// before, also not after a restart. It is safe for concurrent use.
type Guard struct {
	c GuardConfig

	mu     sync.Mutex
	synced bool          // since wall and mono below
	wall   time.Time     // of the last confirmation
	mono   time.Duration // of the last confirmation
	offset time.Duration
	leap   int
	last   time.Time // latest time attested
	floor  time.Time // what the process before may have attested
	mark   time.Time // what is durable
	told   verdict   // what was logged last
}

// NewGuard reads the mark. It fails when that cannot be read: then nobody knows
// what was attested.
func NewGuard(c GuardConfig) (*Guard, error) {
	if c.Mark == nil || c.Wall == nil || c.Mono == nil || c.Log == nil {
		return nil, errors.New("clock guard: mark, clocks and log are required")
	}
	if c.MaxOffset <= 0 {
		c.MaxOffset = DefaultMaxOffset
	}
	if c.Quorum == 0 {
		c.Quorum = len(c.Servers)/2 + 1
	}
	if len(c.Servers) > 0 && (c.Quorum > len(c.Servers) || c.Quorum*2 <= len(c.Servers)) {
		return nil, fmt.Errorf("clock guard: a quorum of %d of %d servers is none", c.Quorum, len(c.Servers))
	}
	if c.Ask == nil {
		c.Ask = func(ctx context.Context, server string) (Sample, error) { return Query(ctx, server, c.Wall, c.Mono) }
	}
	g := &Guard{c: c}
	at, err := c.Mark.Load()
	if err != nil {
		return nil, fmt.Errorf("clock guard: %w", err)
	}
	g.mark, g.floor = at, at
	return g, nil
}

// Guarded reports whether servers confirm the clock.
func (g *Guard) Guarded() bool { return len(g.c.Servers) > 0 }

// Now returns the time, or ErrClock and why. Concurrent calls may get equal
// times.
func (g *Guard) Now() (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, mono := g.c.Wall(), g.c.Mono()
	if err := g.confirmed(now, mono); err != nil {
		return time.Time{}, err
	}
	switch {
	case now.Before(g.floor), now.Before(g.last.Add(-g.c.MaxOffset)):
		return time.Time{}, ErrBackwards
	case now.Before(g.last):
		now = g.last // by less than what the clock may be off
	}
	if now.After(g.mark) {
		mark := now.Add(lease)
		if err := g.c.Mark.Store(mark); err != nil {
			return time.Time{}, fmt.Errorf("%w: %w", ErrClock, err)
		}
		g.mark = mark
	}
	g.last = now
	return now, nil
}

func (g *Guard) confirmed(now time.Time, mono time.Duration) error {
	if !g.Guarded() {
		return nil
	}
	since := mono - g.mono
	if !g.synced || since > guardExpiry {
		return ErrUnsynchronised
	}
	if step := now.Sub(g.wall) - since; step > g.c.MaxOffset || step < -g.c.MaxOffset {
		return ErrStepped
	}
	if g.leap != 0 {
		// The second goes in or out at the end of the day of the confirmation, and
		// machines pass it in ways of their own.
		y, m, d := g.wall.UTC().Date()
		end := time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
		if away := now.Sub(end).Abs(); away <= 2*time.Second {
			return ErrLeap
		}
	}
	return nil
}

// State says what is known of the clock, and changes nothing: how far it was from
// UTC when it was confirmed last, known when it is, and nil or why no time is told
// (an ErrClock).
func (g *Guard) State() (offset time.Duration, known bool, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.c.Wall()
	why = g.confirmed(now, g.c.Mono())
	if why == nil && (now.Before(g.floor) || now.Before(g.last.Add(-g.c.MaxOffset))) {
		why = ErrBackwards
	}
	return g.offset, g.synced, why
}

// Sync asks all servers once. Afterwards the clock is confirmed or not.
func (g *Guard) Sync(ctx context.Context) error {
	if !g.Guarded() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var mu sync.Mutex
	var samples []Sample
	var errs []error
	var wg sync.WaitGroup
	for _, server := range g.c.Servers {
		wg.Go(func() {
			s, err := g.c.Ask(ctx, server)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			samples = append(samples, s)
		})
	}
	wg.Wait()
	agreed, err := agree(samples, g.c.Quorum)
	if err == nil && agreed.Offset.Abs()+agreed.Error > g.c.MaxOffset {
		err = fmt.Errorf("%w: it is off by %v ± %v", ErrUnsynchronised, agreed.Offset, agreed.Error)
	} else if err != nil {
		err = errors.Join(append([]error{err}, errs...)...)
	}
	g.settle(ctx, agreed, err)
	return err
}

// settle keeps a verdict. Silence leaves the last confirmation to expire; a
// clock that is found wrong is not confirmed any more at once.
func (g *Guard) settle(ctx context.Context, agreed Sample, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.synced, g.wall, g.mono, g.offset, g.leap = true, g.c.Wall(), g.c.Mono(), agreed.Offset, agreed.Leap
	case !errors.Is(err, errNoQuorum):
		g.synced = false
	}
	now := confirmed
	if err != nil {
		now = doubted
	}
	if now == g.told {
		return
	}
	g.told = now
	if err != nil {
		g.c.Log.ErrorContext(ctx, "the clock is not confirmed; timestamps stop when the last confirmation is too old", "error", err)
		return
	}
	g.c.Log.InfoContext(ctx, "the clock is confirmed", "offset", agreed.Offset, "error_bound", agreed.Error)
}

// Run keeps asking until ctx ends.
func (g *Guard) Run(ctx context.Context) {
	if !g.Guarded() {
		g.c.Log.WarnContext(ctx, "nobody confirms the clock of timestamps (tsa.servers is empty)")
		return
	}
	every := time.NewTicker(guardEvery)
	defer every.Stop()
	for {
		_ = g.Sync(ctx) // logged
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// Close writes the mark as it is, so that the next process need not wait for
// the rest of a lease.
func (g *Guard) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last.IsZero() {
		return nil
	}
	if err := g.c.Mark.Store(g.last); err != nil {
		return fmt.Errorf("clock guard: %w", err)
	}
	g.mark = g.last
	return nil
}

var errNoQuorum = fmt.Errorf("%w: no quorum of servers answers alike", ErrUnsynchronised)

// agree finds the smallest range of offsets that lies within the bounds of the
// most samples (Marzullo's algorithm, RFC 5905 11.2.1), if those are a quorum.
func agree(samples []Sample, quorum int) (Sample, error) {
	type edge struct {
		at time.Duration
		in int
	}
	edges := make([]edge, 0, 2*len(samples))
	for _, s := range samples {
		edges = append(edges, edge{s.Offset - s.Error, 1}, edge{s.Offset + s.Error, -1})
	}
	sort.Slice(edges, func(i, j int) bool {
		if edges[i].at != edges[j].at {
			return edges[i].at < edges[j].at
		}
		return edges[i].in > edges[j].in // ranges that touch agree
	})
	best, inside := 0, 0
	var from, to time.Duration
	for i, e := range edges {
		if inside += e.in; inside > best {
			best, from, to = inside, e.at, edges[i+1].at
		}
	}
	if best < quorum {
		return Sample{}, errNoQuorum
	}
	out := Sample{Offset: from + (to-from)/2, Error: (to - from) / 2}
	leaps := 0
	for _, s := range samples {
		if s.Offset-s.Error <= to && s.Offset+s.Error >= from {
			leaps += s.Leap
		}
	}
	switch {
	case 2*leaps > best:
		out.Leap = 1
	case -2*leaps > best:
		out.Leap = -1
	}
	return out, nil
}
