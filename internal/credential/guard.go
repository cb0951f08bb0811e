package credential

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"absah/internal/clock"
)

// AttemptStore keeps the Attempts of keys.
type AttemptStore interface {
	// Update replaces the Attempts of key kid by what f makes of them, in one
	// transaction that no other Update of the same key overlaps, and returns
	// the new ones once they are durable. When f fails it changes nothing and
	// returns f's error, wrapped or not. f may be called more than once.
	Update(ctx context.Context, kid string, f func(Attempts) (Attempts, error)) (Attempts, error)
}

// resolveTime is how long Guard goes on to write a result down after the
// request is gone.
const resolveTime = 5 * time.Second

// Guard lets passphrases be tested only after they were counted.
type Guard struct {
	store AttemptStore
	slots *Slots
	now   clock.Clock

	right, wrong atomic.Uint64
}

// Counts tells how many guesses were right and wrong since g was made, of all
// keys together.
func (g *Guard) Counts() (right, wrong uint64) { return g.right.Load(), g.wrong.Load() }

// NewGuard makes a Guard. slots are those of the Sealer.
func NewGuard(store AttemptStore, slots *Slots, now clock.Clock) *Guard {
	return &Guard{store: store, slots: slots, now: now}
}

// Unlock counts a guess for key kid, calls open to test it, and writes down
// what came of it:
//
//	nil                    right; the row of wrong ones ends
//	wraps ErrNotEvaluated  nobody learnt anything; the guess is not counted
//	anything else          wrong
//
// open must do nothing but Sealer.Open or Rewrap, with the context that it is
// given, and return their error. What it opened may be used only when Unlock
// returns nil: before, the success is not durable.
//
// It returns the Attempts after the guess (for Left and Lost), and open's error
// or, with nothing tested, ErrBusy, *BusyError, *LockedError or the store's
// error. ErrStale means that the test took longer than Hold and another guess
// came first.
func (g *Guard) Unlock(ctx context.Context, kid string, open func(ctx context.Context) error) (Attempts, error) {
	// The slot comes first: a full queue must not cost an attempt.
	ctx, release, err := g.slots.acquire(ctx, maxMemory(knownParams()))
	if err != nil {
		return Attempts{}, fmt.Errorf("unlock %s: %w", kid, err)
	}
	defer release()
	reserved, err := g.store.Update(ctx, kid, func(a Attempts) (Attempts, error) { return a.Reserve(g.now()) })
	if err != nil {
		return Attempts{}, fmt.Errorf("unlock %s: count the attempt: %w", kid, err)
	}

	testing, stop := context.WithTimeout(ctx, Hold)
	tested := open(testing)
	stop()

	// A browser that went away must not leave its attempt unresolved.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resolveTime)
	defer cancel()
	after, err := g.store.Update(ctx, kid, func(a Attempts) (Attempts, error) {
		switch {
		case tested == nil:
			return a.Succeed(g.now(), reserved.Seq)
		case errors.Is(tested, ErrNotEvaluated):
			return a.Release(g.now(), reserved.Seq)
		}
		return a.Fail(g.now(), reserved.Seq)
	})
	if err != nil {
		return Attempts{}, errors.Join(tested, fmt.Errorf("unlock %s: write down the attempt: %w", kid, err))
	}
	if tested == nil {
		g.right.Add(1)
	} else if !errors.Is(tested, ErrNotEvaluated) {
		g.wrong.Add(1)
	}
	return after, tested
}
