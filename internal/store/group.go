package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"absah/internal/store/db"
)

// Group lets transactions that come at the same time share one, and with it the
// cost of a durable commit. Each has the outcome that it would have alone: when
// anything goes wrong in a shared transaction, nothing of it is kept and each of
// its parts runs in a transaction of its own.
//
// What comes while a transaction is under way goes together into the next one,
// which waits, but no longer than patience, until half of those that are at work
// have come: one half prepares while the other writes.
type Group struct {
	store *Store
	size  int // the most parts of one transaction

	mu      sync.Mutex
	working int  // between Begin and its end
	led     bool // somebody leads
	waiting []*part
	enough  chan struct{} // capacity 1: something changed that the leader waits for
}

// patience bounds how long a part waits for company.
const patience = 5 * time.Millisecond

// part is one call of InTx.
type part struct {
	ctx  context.Context
	f    func(*Tx) error
	wake chan wake // capacity 1
}

// wake tells a part that waits how it goes on.
type wake struct {
	how how
	err error
}

type how int

const (
	shared how = iota // it was part of a transaction that ended, with err
	alone             // it runs in a transaction of its own
	lead              // it leads the next shared transaction
)

// NewGroup returns a group whose transactions have at most size parts.
func (s *Store) NewGroup(size int) *Group {
	return &Group{store: s, size: size, enough: make(chan struct{}, 1)}
}

// Begin says that somebody begins work of which a transaction of the group will
// be part; end, that the last one has ended.
func (g *Group) Begin() (end func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.working++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.working--
		g.changed()
	}
}

// changed wakes a leader who waits for company.
func (g *Group) changed() {
	select {
	case g.enough <- struct{}{}:
	default:
	}
}

// Read is for queries before a transaction. On SQLite they share a transaction
// too, since a connection that only reads begins with empty hands after every
// commit of another; PostgreSQL answers them better side by side.
func (g *Group) Read(ctx context.Context, f func(*db.Queries) error) error {
	if g.store.Postgres() {
		return f(g.store.Read())
	}
	return g.InTx(ctx, func(tx *Tx) error { return f(tx.Queries) })
}

// InTx is as Store.InTx.
func (g *Group) InTx(ctx context.Context, f func(*Tx) error) error {
	p := &part{ctx: ctx, f: f, wake: make(chan wake, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	first := !g.led
	g.led = true
	g.changed()
	g.mu.Unlock()
	w := wake{how: lead}
	if !first {
		w = <-p.wake // whoever leads always wakes; a context ends statements, not this wait
	}
	switch w.how {
	case shared:
		return w.err
	case lead:
		return g.lead(p)
	}
	return g.store.InTx(ctx, f)
}

// lead runs a shared transaction of p and what waits with it, and hands the lead
// on.
func (g *Group) lead(p *part) error {
	g.gather()
	parts := g.take(p)
	if len(parts) == 1 {
		defer g.pass()
		return g.store.InTx(p.ctx, p.f)
	}
	w := wake{how: alone} // also when a part panics
	defer func() {
		for _, q := range parts[1:] {
			q.wake <- w
		}
		g.pass()
	}()
	err := g.store.inTx(p.ctx, func(tx *Tx) error {
		for _, q := range parts {
			// A part that nobody waits for any more is none of the others' business.
			if err := q.ctx.Err(); err != nil {
				return err
			}
			if err := q.f(tx); err != nil {
				return err
			}
		}
		return nil
	})
	var c *commitError
	if err == nil || (errors.As(err, &c) && !isTransient(err)) {
		w = wake{shared, err}
		return err
	}
	return g.store.InTx(p.ctx, p.f)
}

// gather waits for company.
func (g *Group) gather() {
	var late <-chan time.Time
	for {
		g.mu.Lock()
		want := min((g.working+1)/2, g.size)
		have := len(g.waiting)
		g.mu.Unlock()
		if have >= want {
			return
		}
		if late == nil {
			late = time.After(patience)
		}
		select {
		case <-g.enough:
		case <-late:
			return
		}
	}
}

// take returns p and those that go with it.
func (g *Group) take(p *part) []*part {
	g.mu.Lock()
	defer g.mu.Unlock()
	parts := []*part{p}
	var rest []*part
	for _, q := range g.waiting {
		switch {
		case q == p:
		case len(parts) < g.size:
			parts = append(parts, q)
		default:
			rest = append(rest, q)
		}
	}
	g.waiting = rest
	return parts
}

// pass gives the lead to one that waits, if any does.
func (g *Group) pass() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.led = false
		return
	}
	g.waiting[0].wake <- wake{how: lead}
}
