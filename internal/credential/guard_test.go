package credential

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

// memory is an AttemptStore that goes through the Ledger's text, as a database
// does.
type memory struct {
	ledger *Ledger

	mu   sync.Mutex
	rows map[string]string
	fail func(call int) error // nil: never; an error after the write if it wraps errKept
	n    int
}

var errKept = errors.New("the connection broke after the commit")

func newMemory(t testing.TB) *memory {
	return &memory{ledger: NewLedger(vault(t)), rows: map[string]string{}}
}

func (m *memory) Update(ctx context.Context, kid string, f func(Attempts) (Attempts, error)) (Attempts, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	var fault error
	if m.fail != nil {
		fault = m.fail(m.n)
	}
	if fault != nil && !errors.Is(fault, errKept) {
		return Attempts{}, fault
	}
	var a Attempts
	if text, ok := m.rows[kid]; ok {
		var err error
		if a, err = m.ledger.Decode(ctx, kid, text); err != nil {
			return Attempts{}, err
		}
	}
	next, err := f(a)
	if err != nil {
		return Attempts{}, fmt.Errorf("store: %w", err)
	}
	text, err := m.ledger.Encode(ctx, kid, next)
	if err != nil {
		return Attempts{}, err
	}
	m.rows[kid] = text
	return next, fault
}

func (m *memory) get(t testing.TB, kid string) Attempts {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	a, err := m.ledger.Decode(t.Context(), kid, m.rows[kid])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	store, now := newMemory(t), clock.NewFake(start)
	s := cheap(t, vault(t))
	g := NewGuard(store, s.slots, now.Now)
	row := create(t, s, "k1", "kuda hujan lampu")
	try := func(text string) (Attempts, error) {
		return g.Unlock(t.Context(), "k1", func(ctx context.Context) error {
			_, err := s.Open(ctx, row, secret(t, text))
			return err
		})
	}
	for i := range 4 {
		if a, err := try("salah"); !errors.Is(err, ErrWrongPassphrase) || a.Left(now.Now()) != 4-i {
			t.Fatalf("wrong %d: %d left, %v", i+1, a.Left(now.Now()), err)
		}
	}
	if a, err := try("kuda hujan lampu"); err != nil || a.Left(now.Now()) != 5 {
		t.Fatalf("right: %+v, %v", a, err)
	}
	for range 5 {
		if _, err := try("salah"); !errors.Is(err, ErrWrongPassphrase) {
			t.Fatal(err)
		}
	}
	var locked *LockedError
	if _, err := try("kuda hujan lampu"); !errors.As(err, &locked) || !locked.Until.Equal(start.Add(firstLock)) {
		t.Fatalf("the right one while locked: %v", err)
	}
	now.Advance(firstLock)
	var next Sealed
	if _, err := g.Unlock(t.Context(), "k1", func(ctx context.Context) (err error) {
		next, err = s.Rewrap(ctx, row, secret(t, "kuda hujan lampu"), secret(t, "rapat kopi genteng"))
		return err
	}); err != nil || next.Generation != 2 {
		t.Fatalf("change after the lock: %v", err)
	}
}

func TestUnlockOutcomes(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	tests := []struct {
		name      string
		open      error
		wantWrong int
	}{
		{"right", nil, 0},
		{"wrong", ErrWrongPassphrase, 1},
		{"vault gone", fmt.Errorf("%w: %w", ErrNotEvaluated, boom), 0},
		{"corrupt row", fmt.Errorf("%w: %w", ErrNotEvaluated, ErrCorrupt), 0},
		{"what nobody foresaw", boom, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := newMemory(t)
			g := NewGuard(store, slots(t), clock.NewFake(start).Now)
			a, err := g.Unlock(t.Context(), "k", func(context.Context) error {
				if store.get(t, "k").Consecutive != 1 {
					t.Error("tested before it was counted")
				}
				return tt.open
			})
			if !errors.Is(err, tt.open) || a.Consecutive != tt.wantWrong || len(a.Wrong) != tt.wantWrong || !a.InflightUntil.IsZero() {
				t.Errorf("%+v, %v", a, err)
			}
			if right, wrong := g.Counts(); wrong != uint64(tt.wantWrong) || (right == 1) != (tt.open == nil) {
				t.Errorf("%d right and %d wrong were counted", right, wrong)
			}
		})
	}
}

func TestUnlockSurvivesPanic(t *testing.T) {
	t.Parallel()
	store, sl := newMemory(t), slots(t)
	g := NewGuard(store, sl, clock.NewFake(start).Now)
	func() {
		defer func() { _ = recover() }()
		_, _ = g.Unlock(t.Context(), "k", func(context.Context) error { panic("boom") })
	}()
	if a := store.get(t, "k"); a.Consecutive != 1 || a.InflightUntil.IsZero() {
		t.Errorf("a crash took its attempt back: %+v", a)
	}
	if !sl.memory.TryAcquire(sl.total) {
		t.Error("a crash kept its slot")
	}
}

func TestUnlockWhenRequestIsGivenUp(t *testing.T) {
	t.Parallel()
	store := newMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	a, err := NewGuard(store, slots(t), clock.NewFake(start).Now).Unlock(ctx, "k", func(context.Context) error {
		cancel()
		return ErrWrongPassphrase
	})
	if !errors.Is(err, ErrWrongPassphrase) || a.Consecutive != 1 || !store.get(t, "k").InflightUntil.IsZero() {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestStoreFaults fails each write, once without and once with effect: nothing
// may be tested that was not counted, and nothing opened whose success was not
// written down.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	gone := errors.New("the database is gone")
	for _, tt := range []struct {
		call       int
		fault      error
		wantTested bool
		wantCount  int
	}{
		{1, gone, false, 0},
		{1, errKept, false, 1},
		{2, gone, true, 1},
		{2, errKept, true, 0},
	} {
		store := newMemory(t)
		store.fail = func(n int) error {
			if n == tt.call {
				return tt.fault
			}
			return nil
		}
		tested := false
		_, err := NewGuard(store, slots(t), clock.NewFake(start).Now).Unlock(t.Context(), "k", func(context.Context) error {
			tested = true
			return nil
		})
		if !errors.Is(err, tt.fault) || tested != tt.wantTested {
			t.Errorf("call %d, %v: tested %v, %v", tt.call, tt.fault, tested, err)
		}
		count := 0
		if store.rows["k"] != "" {
			count = store.get(t, "k").Consecutive
		}
		if count != tt.wantCount {
			t.Errorf("call %d, %v: %d counted", tt.call, tt.fault, count)
		}
	}
}

func TestFullQueueCostsNoAttempt(t *testing.T) {
	t.Parallel()
	sl, err := NewSlots(64<<10, 1, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	store := newMemory(t)
	g := NewGuard(store, sl, clock.NewFake(start).Now)
	_, release, err := sl.acquire(t.Context(), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := g.Unlock(t.Context(), "k", func(context.Context) error { return nil })
		waiting <- err
	}()
	for sl.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := g.Unlock(t.Context(), "k", func(context.Context) error { return nil }); !errors.Is(err, ErrBusy) {
		t.Errorf("the queue is full: %v", err)
	}
	if len(store.rows) != 0 {
		t.Errorf("an attempt was counted: %v", store.rows)
	}
	release()
	if err := <-waiting; err != nil {
		t.Errorf("who waited: %v", err)
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	if _, err := NewSlots(64<<10-1, 1, time.Second); err == nil {
		t.Error("too little memory for one is accepted")
	}
	sl, err := NewSlots(64<<10, 4, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	ctx, release, err := sl.acquire(t.Context(), 64<<10)
	if err != nil {
		t.Fatal(err)
	}
	if _, again, err := sl.acquire(ctx, 64<<10); err != nil {
		t.Errorf("who has a slot needs another: %v", err)
	} else {
		again()
	}
	if _, _, err := sl.acquire(t.Context(), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("waited too long: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := sl.acquire(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	release()
	other, err := NewSlots(64<<10, 4, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	_, full, _ := other.acquire(t.Context(), 64<<10)
	defer full()
	if _, _, err := other.acquire(ctx, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a slot of one counts for another: %v", err)
	}
}

// TestParallelGuesses lets many guess at once, some of whom die in the middle,
// and counts what was really tested.
func TestParallelGuesses(t *testing.T) {
	t.Parallel()
	store, now := newMemory(t), clock.NewFake(start)
	g := NewGuard(store, slots(t), now.Now)
	const kids, workers, tries = 3, 8, 40
	var tested, inside [kids]atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range tries {
				k := (w + i) % kids
				func() {
					defer func() { _ = recover() }()
					_, _ = g.Unlock(t.Context(), fmt.Sprint("k", k), func(context.Context) error {
						tested[k].Add(1)
						if inside[k].Add(1) > 1 {
							t.Error("two guesses for one key at once")
						}
						defer inside[k].Add(-1)
						if i%7 == 3 {
							panic("kill")
						}
						return ErrWrongPassphrase
					})
				}()
				if i%10 == 9 {
					now.Advance(5 * time.Minute)
				}
			}
		})
	}
	wg.Wait()
	for k := range tested {
		if n := tested[k].Load(); n == 0 || n > endAfter {
			t.Errorf("key %d: %d guesses were tested, at most %d are allowed", k, n, endAfter)
		}
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	v := vault(t)
	l := NewLedger(v)
	a, now := wrong(t, Attempts{}, start, 7)
	r, err := a.Reserve(a.LockedUntil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Attempts{{}, a, r} {
		text, err := l.Encode(t.Context(), "k1", want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Decode(t.Context(), "k1", text)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || got.Left(now) != want.Left(now) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if _, err := l.Decode(t.Context(), "k2", text); !errors.Is(err, ErrCorrupt) {
			t.Errorf("another key's: %v", err)
		}
		if _, err := NewLedger(vault(t)).Decode(t.Context(), "k1", text); !errors.Is(err, ErrCorrupt) {
			t.Errorf("another vault's: %v", err)
		}
		if _, err := v.Rotate(t.Context(), keys.Attempts); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Decode(t.Context(), "k1", text); err != nil {
			t.Errorf("after a rotation: %v", err)
		}
	}
	forged := a
	forged.Consecutive = 0
	mine, _ := l.Encode(t.Context(), "k1", a)
	theirs, _ := NewLedger(vault(t)).Encode(t.Context(), "k1", forged)
	for _, text := range []string{"", "{}", "null", "[]", mine + mine, mine + "}", mine[:len(mine)-1], theirs, `{"consecutive":0,"wrong":[],"seq":0}`} {
		if _, err := l.Decode(t.Context(), "k1", text); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", text, err)
		}
	}
	impossible, _ := l.Encode(t.Context(), "k1", Attempts{Consecutive: 11, Seq: 11})
	if _, err := l.Decode(t.Context(), "k1", impossible); !errors.Is(err, ErrCorrupt) {
		t.Errorf("an impossible state: %v", err)
	}
	if _, err := NewLedger(&failing{v, 0}).Decode(t.Context(), "k1", mine); !errors.Is(err, errGone) || errors.Is(err, ErrCorrupt) {
		t.Errorf("no vault: %v", err)
	}
}

func FuzzLedgerDecode(f *testing.F) {
	v := vault(f)
	l := NewLedger(v)
	text, err := l.Encode(f.Context(), "k1", Attempts{Consecutive: 1, Wrong: []time.Time{start}, Seq: 1})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{text, "{}", "null", `{"seq":-1}`, `{"mac":"AAAA"}`, `{"consecutive":1e400}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := l.Decode(t.Context(), "k1", s)
		if err != nil {
			return
		}
		if err := a.valid(); err != nil {
			t.Error(err)
		}
		if again, err := l.Encode(t.Context(), "k1", a); err != nil || (again != text && s == text) {
			t.Errorf("%q became %q, %v", s, again, err)
		}
	})
}
