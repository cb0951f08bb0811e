package credential

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// ErrBusy says that too many passphrases are being derived at this moment. Try
// again later; nothing was counted.
var ErrBusy = errors.New("too many passphrases are being tested at once")

// The admission that NewSlots is usually given.
const (
	// DefaultQueue is how many may wait.
	DefaultQueue = 16
	// DefaultWait is how long they wait at most.
	DefaultWait = 2 * time.Second
)

// Slots bounds the memory that derivations use together, and how many wait for
// it. Argon2id takes 64 MiB and a sixth of a second of a core each: without a
// bound a handful of requests brings a machine down.
type Slots struct {
	memory  *semaphore.Weighted // in KiB
	total   int64
	waiting atomic.Int64
	queue   int64
	wait    time.Duration
}

// NewSlots admits derivations that take memoryKiB together. queue more may
// wait, at most for wait. Two per core is more than enough memory: 64 MiB times
// the number of cores makes use of all of them.
func NewSlots(memoryKiB int64, queue int, wait time.Duration) (*Slots, error) {
	if least := maxMemory(knownParams()); memoryKiB < least {
		return nil, fmt.Errorf("memory for passphrases: %d KiB are less than one takes (%d KiB)", memoryKiB, least)
	}
	return &Slots{memory: semaphore.NewWeighted(memoryKiB), total: memoryKiB, queue: int64(queue), wait: wait}, nil
}

// held marks a context whose holder has a slot.
type held struct{ of *Slots }

// acquire takes a slot, and gives a context under which further derivations
// take none, and the function that gives it back. It fails with ErrBusy, or
// with the context's error when that ends first.
func (s *Slots) acquire(ctx context.Context, kib int64) (context.Context, func(), error) {
	if ctx.Value(held{s}) != nil {
		return ctx, func() {}, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	kib = min(kib, s.total)
	if !s.memory.TryAcquire(kib) {
		if err := s.line(ctx, kib); err != nil {
			return nil, nil, err
		}
	}
	return context.WithValue(ctx, held{s}, true), func() { s.memory.Release(kib) }, nil
}

// line waits for a slot.
func (s *Slots) line(ctx context.Context, kib int64) error {
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.queue {
		return ErrBusy
	}
	waiting, cancel := context.WithTimeoutCause(ctx, s.wait, ErrBusy)
	defer cancel()
	if err := s.memory.Acquire(waiting, kib); err != nil {
		return context.Cause(waiting)
	}
	return nil
}
