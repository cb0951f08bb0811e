package metrics

import (
	"math"
	"slices"
	"strings"
	"sync"
)

// Count counts events by the values of labels while the process runs. Its zero
// value is ready, and it is safe for concurrent use. Callers pass values of
// bounded sets: each combination is kept.
type Count struct {
	mu sync.Mutex
	n  map[string]uint64
}

// between joins the values of labels; none has it.
const between = "\x00"

// Inc counts one event.
func (c *Count) Inc(labels ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]uint64{}
	}
	c.n[strings.Join(labels, between)]++
}

// To puts what was counted onto a page, in the order of the labels.
func (c *Count) To(p *Page, f *Family) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var keys []string
	for k := range c.n {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		p.Add(f, float64(c.n[k]), strings.Split(k, between)...)
	}
}

// Spread is the spread of durations over buckets: the copy of a Times.
type Spread struct {
	bounds []float64
	upTo   []uint64 // values up to each bound, and all
	sum    float64
}

func (s *Spread) bound(i int) float64 {
	if i == len(s.bounds) {
		return math.Inf(1)
	}
	return s.bounds[i]
}

// Times collects durations in seconds into buckets, by one label. It is safe for
// concurrent use.
type Times struct {
	bounds []float64 // upper bounds, rising

	mu sync.Mutex
	of map[string]*Spread
}

// NewTimes makes one with upper bounds in seconds.
func NewTimes(bounds ...float64) *Times { return &Times{bounds: bounds, of: map[string]*Spread{}} }

// Observe adds a duration under a label.
func (t *Times) Observe(label string, seconds float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.of[label]
	if s == nil {
		s = &Spread{bounds: t.bounds, upTo: make([]uint64, len(t.bounds)+1)}
		t.of[label] = s
	}
	first, _ := slices.BinarySearch(t.bounds, seconds)
	for i := first; i < len(s.upTo); i++ {
		s.upTo[i]++
	}
	s.sum += seconds
}

// To puts the spreads onto a page.
func (t *Times) To(p *Page, f *Family) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var labels []string
	for l := range t.of {
		labels = append(labels, l)
	}
	slices.Sort(labels)
	for _, l := range labels {
		s := *t.of[l]
		s.upTo = slices.Clone(s.upTo)
		p.AddSpread(f, &s, l)
	}
}
