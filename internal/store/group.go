package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Group lets transactions that come at the same time share one, and with it the
// cost of a durable commit and, by Sort, of questions. Each has the outcome that
// it would have alone: when anything goes wrong in a shared transaction, nothing
// of it is kept and each of its parts runs in a transaction of its own.
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
	sort sort   // nil: none
	id   string // what it is about; empty for a part without sort
	f    func(tx *Tx, known any) error
	wake chan wake // capacity 1
}

// sort is a Sort of whatever type.
type sort interface {
	read(ctx context.Context, tx *Tx, ids []string) (any, error)
}

// Sort is work of one kind on objects of one kind. What its parts in a shared
// transaction need to know is asked for all of them together, before the first
// of them runs. No two parts of one transaction are about the same object, so
// that none sees what was read before another changed it.
type Sort[K any] struct {
	group *Group
	ahead func(ctx context.Context, tx *Tx, ids []string) (K, error)
}

// NewSort returns a sort of work in g. ahead reads, and locks, what its parts
// need to know of the objects ids.
func NewSort[K any](g *Group, ahead func(ctx context.Context, tx *Tx, ids []string) (K, error)) *Sort[K] {
	return &Sort[K]{group: g, ahead: ahead}
}

func (s *Sort[K]) read(ctx context.Context, tx *Tx, ids []string) (any, error) {
	return s.ahead(ctx, tx, ids)
}

// InTx is as Store.InTx for work on the object id, with what was read ahead.
func (s *Sort[K]) InTx(ctx context.Context, id string, f func(tx *Tx, known K) error) error {
	return s.group.join(&part{
		ctx: ctx, sort: s, id: id, wake: make(chan wake, 1),
		f: func(tx *Tx, known any) error { return f(tx, known.(K)) },
	})
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

// InTx is as Store.InTx.
func (g *Group) InTx(ctx context.Context, f func(*Tx) error) error {
	return g.join(&part{ctx: ctx, wake: make(chan wake, 1), f: func(tx *Tx, _ any) error { return f(tx) }})
}

func (g *Group) join(p *part) error {
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
	return g.alone(p)
}

// alone runs p in a transaction of its own.
func (g *Group) alone(p *part) error {
	return g.store.InTx(p.ctx, func(tx *Tx) error { return run(tx, []*part{p}) })
}

// run reads ahead for every sort among the parts, and runs them.
func run(tx *Tx, parts []*part) error {
	ids := map[sort][]string{}
	for _, q := range parts {
		// A part that nobody waits for any more is none of the others' business.
		if err := q.ctx.Err(); err != nil {
			return err
		}
		if q.sort != nil {
			ids[q.sort] = append(ids[q.sort], q.id)
		}
	}
	known := map[sort]any{}
	for _, q := range parts {
		if q.sort == nil {
			continue
		}
		if _, ok := known[q.sort]; ok {
			continue
		}
		k, err := q.sort.read(parts[0].ctx, tx, ids[q.sort])
		if err != nil {
			return err
		}
		known[q.sort] = k
	}
	for _, q := range parts {
		if err := q.f(tx, known[q.sort]); err != nil {
			return err
		}
	}
	return nil
}

// lead runs a shared transaction of p and what waits with it, and hands the lead
// on.
func (g *Group) lead(p *part) error {
	g.gather()
	parts := g.take(p)
	if len(parts) == 1 {
		defer g.pass()
		return g.alone(p)
	}
	w := wake{how: alone} // also when a part panics
	defer func() {
		for _, q := range parts[1:] {
			q.wake <- w
		}
		g.pass()
	}()
	err := g.store.inTx(p.ctx, func(tx *Tx) error { return run(tx, parts) })
	var c *commitError
	if err == nil || (errors.As(err, &c) && !isTransient(err)) {
		w = wake{shared, err}
		return err
	}
	return g.alone(p)
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
	about := map[string]bool{p.id: p.sort != nil}
	var rest []*part
	for _, q := range g.waiting {
		switch {
		case q == p:
		case len(parts) < g.size && !about[q.id]:
			parts = append(parts, q)
			about[q.id] = q.sort != nil
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
