package fetch

import (
	"sync"
	"time"
)

// maxKept bounds the addresses whose answers are kept.
const maxKept = 64

// shelf keeps what addresses gave. One asks an address while others wait for its
// answer. Failures are not kept.
type shelf[T any] struct {
	mu    sync.Mutex
	cells map[string]*cell[T]
}

type cell[T any] struct {
	mu    sync.Mutex
	value T
	until time.Time
}

// get gives what is kept of the address at now, or loads it; load says how long
// it may be kept.
func (s *shelf[T]) get(address string, now time.Time, load func() (T, time.Time, error)) (T, error) {
	c := s.cell(address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) {
		return c.value, nil
	}
	value, until, err := load()
	if err != nil {
		var none T
		return none, err
	}
	c.value, c.until = value, until
	return value, nil
}

func (s *shelf[T]) cell(address string) *cell[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.cells[address]; ok {
		return c
	}
	if s.cells == nil || len(s.cells) >= maxKept {
		s.cells = make(map[string]*cell[T]) // who still waits at an old cell has it
	}
	c := &cell[T]{}
	s.cells[address] = c
	return c
}
