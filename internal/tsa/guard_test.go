package tsa

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// machine is the clock of a machine that a test moves: wall and monotonic time,
// and how far the wall clock is off UTC.
type machine struct {
	mu  sync.Mutex
	utc time.Time
	run time.Duration
	off time.Duration
}

func newMachine() *machine { return &machine{utc: time.Date(2026, 11, 28, 3, 4, 5, 0, time.UTC)} }

func (m *machine) pass(d time.Duration) {
	m.mu.Lock()
	m.utc, m.run = m.utc.Add(d), m.run+d
	m.mu.Unlock()
}
func (m *machine) set(off time.Duration) { m.mu.Lock(); m.off = off; m.mu.Unlock() }
func (m *machine) wall() time.Time       { m.mu.Lock(); defer m.mu.Unlock(); return m.utc.Add(m.off) }
func (m *machine) mono() time.Duration   { m.mu.Lock(); defer m.mu.Unlock(); return m.run }
func (m *machine) offset() time.Duration { m.mu.Lock(); defer m.mu.Unlock(); return -m.off }

// servers answer for a test: how far each is off UTC, or that it is silent.
type servers map[string]struct {
	off    time.Duration
	silent bool
	leap   int
}

func (s servers) ask(m *machine) func(context.Context, string) (Sample, error) {
	return func(_ context.Context, name string) (Sample, error) {
		if s[name].silent {
			return Sample{}, errors.New("silence")
		}
		return Sample{Offset: m.offset() + s[name].off, Error: 20 * time.Millisecond, Leap: s[name].leap}, nil
	}
}

// memory is a Mark that can fail in both ways.
type memory struct {
	at            time.Time
	stores        int
	fails, stored bool
}

func (m *memory) Load() (time.Time, error) { return m.at, nil }
func (m *memory) Store(t time.Time) error {
	m.stores++
	if m.fails && !m.stored {
		return errors.New("disk full")
	}
	m.at = t
	if m.fails {
		return errors.New("the answer of the disk was lost")
	}
	return nil
}

func newGuard(t *testing.T, m *machine, s servers, mark Mark) *Guard {
	t.Helper()
	c := GuardConfig{Mark: mark, Wall: m.wall, Mono: m.mono, Ask: s.ask(m), Log: slog.New(slog.DiscardHandler)}
	for name := range s {
		c.Servers = append(c.Servers, name)
	}
	g, err := NewGuard(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func three() servers { return servers{"a": {}, "b": {}, "c": {}} }

func refuses(t *testing.T, g *Guard, want error) {
	t.Helper()
	for _, told := range []error{ErrUnsynchronised, ErrStepped, ErrBackwards, ErrLeap} {
		if _, _, why := g.State(); errors.Is(want, told) && !errors.Is(why, want) {
			t.Errorf("the state is %v, want %v", why, want)
		}
	}
	if at, err := g.Now(); !errors.Is(err, want) || !errors.Is(err, ErrClock) {
		t.Errorf("tells %v, %v; want %v", at, err, want)
	}
}

func tells(t *testing.T, g *Guard) time.Time {
	t.Helper()
	if _, _, why := g.State(); why != nil {
		t.Errorf("the state is %v", why)
	}
	at, err := g.Now()
	if err != nil {
		t.Fatalf("does not tell the time: %v", err)
	}
	return at
}

func TestGuardNeedsAQuorum(t *testing.T) {
	t.Parallel()
	m, s := newMachine(), three()
	g := newGuard(t, m, s, &memory{})
	refuses(t, g, ErrUnsynchronised) // nobody was asked yet
	if err := g.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	tells(t, g)

	// One that lies is outvoted; two that lie differently leave no quorum.
	lie := s["a"]
	lie.off = 10 * time.Second
	s["a"] = lie
	if err := g.Sync(t.Context()); err != nil {
		t.Errorf("one of three lies: %v", err)
	}
	lie.off = -10 * time.Second
	s["b"] = lie
	if err := g.Sync(t.Context()); !errors.Is(err, ErrUnsynchronised) {
		t.Errorf("three different times: %v", err)
	}
	tells(t, g) // the last confirmation still holds
	m.pass(guardExpiry + time.Second)
	refuses(t, g, ErrUnsynchronised)
}

func TestGuardRefusesAClockThatIsOff(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{10 * time.Second, -10 * time.Second, 600 * time.Millisecond} {
		m := newMachine()
		g := newGuard(t, m, three(), &memory{})
		m.set(off)
		if err := g.Sync(t.Context()); !errors.Is(err, ErrUnsynchronised) {
			t.Errorf("off by %v: %v", off, err)
		}
		refuses(t, g, ErrUnsynchronised)
	}
	m := newMachine()
	g := newGuard(t, m, three(), &memory{})
	m.set(300 * time.Millisecond)
	if err := g.Sync(t.Context()); err != nil {
		t.Errorf("off by less than allowed: %v", err)
	}
	tells(t, g)
}

func TestGuardStopsWithinTwoMinutesOfSilence(t *testing.T) {
	t.Parallel()
	m, s := newMachine(), three()
	g := newGuard(t, m, s, &memory{})
	if err := g.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, x := range s {
		x.silent = true
		s[name] = x
	}
	var last time.Duration
	for last = 0; last < 10*time.Minute; last += 10 * time.Second {
		if err := g.Sync(t.Context()); err == nil {
			t.Fatal("silence confirms the clock")
		}
		if _, err := g.Now(); err != nil {
			break
		}
		m.pass(10 * time.Second)
	}
	if last > 130*time.Second {
		t.Errorf("tells the time for %v without confirmation", last)
	}
}

func TestGuardSeesTheClockSet(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, time.Second} {
		m := newMachine()
		mark := &memory{}
		g := newGuard(t, m, three(), mark)
		if err := g.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := tells(t, g)
		kept := mark.at
		m.pass(5 * time.Second)
		m.set(step)
		refuses(t, g, ErrStepped)
		if !mark.at.Equal(kept) {
			t.Errorf("step of %v: the mark follows a clock that nobody confirmed", step)
		}
		m.set(0)
		if at := tells(t, g); at.Before(before) {
			t.Errorf("%v after %v", at, before)
		}
	}
}

func TestGuardNeverGoesBack(t *testing.T) {
	t.Parallel()
	m := newMachine()
	mark := &memory{}
	g := newGuard(t, m, nil, mark)
	first := tells(t, g)
	m.set(-200 * time.Millisecond) // within what the clock may be off
	if at := tells(t, g); at.Before(first) {
		t.Errorf("%v after %v", at, first)
	}
	m.set(-10 * time.Second)
	refuses(t, g, ErrBackwards)
	// A new process knows what the old one may have said.
	g = newGuard(t, m, nil, mark)
	refuses(t, g, ErrBackwards)
	m.set(0)
	m.pass(lease)
	if at := tells(t, g); at.Before(first) {
		t.Errorf("%v after %v", at, first)
	}
	// One that ended in order leaves no lease behind.
	last := tells(t, g)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	g = newGuard(t, m, nil, mark)
	if at := tells(t, g); at.Before(last) {
		t.Errorf("%v after %v", at, last)
	}
}

// Each write of the mark fails in both ways; nothing is attested then, and no
// later process goes behind what was.
func TestGuardWithoutAMark(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{false, true} {
		m := newMachine()
		mark := &memory{}
		g := newGuard(t, m, nil, mark)
		attested := tells(t, g)
		mark.fails, mark.stored = true, stored
		m.pass(2 * lease)
		refuses(t, g, ErrClock)
		mark.fails = false
		g = newGuard(t, m, nil, mark)
		for range 3 {
			if at, err := g.Now(); err == nil && at.Before(attested) {
				t.Errorf("%v after %v", at, attested)
			}
			m.pass(lease)
		}
		tells(t, g)
	}
}

func TestGuardWritesTheMarkOnceALease(t *testing.T) {
	t.Parallel()
	m := newMachine()
	mark := &memory{}
	g := newGuard(t, m, nil, mark)
	for range 1000 {
		tells(t, g)
		m.pass(10 * time.Millisecond)
	}
	if mark.stores > 12 {
		t.Errorf("%d writes in ten seconds", mark.stores)
	}
}

func TestGuardPausesForALeapSecond(t *testing.T) {
	t.Parallel()
	m, s := newMachine(), three()
	for name, x := range s {
		x.leap = 1
		s[name] = x
	}
	g := newGuard(t, m, s, &memory{})
	m.pass(20*time.Hour + 55*time.Minute) // 23:59:05
	if err := g.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	tells(t, g)
	m.pass(54 * time.Second) // 23:59:59
	refuses(t, g, ErrLeap)
	m.pass(5 * time.Second)
	tells(t, g)
}

func TestQuorumMustBeOne(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ servers, quorum int }{{3, 1}, {2, 1}, {3, 4}, {4, 2}} {
		cfg := GuardConfig{Quorum: c.quorum, Mark: &memory{}, Wall: time.Now, Mono: newMachine().mono, Log: slog.New(slog.DiscardHandler)}
		for i := range c.servers {
			cfg.Servers = append(cfg.Servers, string(rune('a'+i)))
		}
		if _, err := NewGuard(cfg); err == nil {
			t.Errorf("%d of %d is taken", c.quorum, c.servers)
		}
	}
}

func TestFileMark(t *testing.T) {
	t.Parallel()
	f := FileMark(filepath.Join(t.TempDir(), "mark"))
	if at, err := f.Load(); err != nil || !at.IsZero() {
		t.Errorf("before the first: %v, %v", at, err)
	}
	want := time.Date(2026, 11, 28, 3, 4, 5, 123456789, time.UTC)
	for range 2 {
		if err := f.Store(want); err != nil {
			t.Fatal(err)
		}
		if at, err := f.Load(); err != nil || !at.Equal(want) {
			t.Errorf("%v, %v", at, err)
		}
		want = want.Add(time.Second)
	}
	if err := FileMark(filepath.Join(t.TempDir(), "no", "mark")).Store(want); err == nil {
		t.Error("no folder, no error")
	}
}

// ntpServer answers SNTP on the loopback as a server would that is off by so
// much; change bends the answer.
func ntpServer(t *testing.T, off time.Duration, change func([]byte)) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if n < ntpLength {
				continue
			}
			now := stamp(time.Now().Add(off))
			a := make([]byte, ntpLength)
			a[0], a[1] = 4<<3|4, 2
			binary.BigEndian.PutUint32(a[8:], 1<<16/100) // root dispersion 10 ms
			copy(a[24:32], b[40:48])
			binary.BigEndian.PutUint64(a[32:], now)
			binary.BigEndian.PutUint64(a[40:], now)
			if change != nil {
				change(a)
			}
			_, _ = conn.WriteTo(a, from) // the client waits no longer
		}
	}()
	return conn.LocalAddr().String()
}

func stamp(t time.Time) uint64 {
	return uint64(t.Unix()-ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

func TestQuery(t *testing.T) {
	t.Parallel()
	start := time.Now()
	mono := func() time.Duration { return time.Since(start) }
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := Query(ctx, ntpServer(t, 3*time.Second, nil), time.Now, mono)
	if err != nil {
		t.Fatal(err)
	}
	if low, high := s.Offset-s.Error, s.Offset+s.Error; low > 3*time.Second || high < 3*time.Second || s.Error < 10*time.Millisecond {
		t.Errorf("offset %v ± %v, should hold 3s", s.Offset, s.Error)
	}
	if s, err := Query(ctx, ntpServer(t, 0, func(b []byte) { b[0] |= 1 << 6 }), time.Now, mono); err != nil || s.Leap != 1 {
		t.Errorf("leap second: %+v, %v", s, err)
	}
	for name, change := range map[string]func([]byte){
		"not synchronised": func(b []byte) { b[0] |= 3 << 6 },
		"kiss of death":    func(b []byte) { b[1] = 0 },
		"stratum 16":       func(b []byte) { b[1] = 16 },
		"not a server":     func(b []byte) { b[0] = 4<<3 | 3 },
		"no time":          func(b []byte) { clear(b[40:48]) },
		"root dispersion":  func(b []byte) { b[9] = 2 },
		"time goes back":   func(b []byte) { b[43]-- },
	} {
		if _, err := Query(ctx, ntpServer(t, 0, change), time.Now, mono); !errors.Is(err, ErrNTP) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An answer to another request is no answer.
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := Query(short, ntpServer(t, 0, func(b []byte) { b[24] ^= 1 }), time.Now, mono); err == nil {
		t.Error("takes the answer to another request")
	}
}

func TestEras(t *testing.T) {
	t.Parallel()
	for _, want := range []time.Time{
		time.Date(2026, 11, 28, 1, 2, 3, 0, time.UTC), time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC), time.Date(2036, 2, 7, 6, 28, 17, 0, time.UTC),
	} {
		b := binary.BigEndian.AppendUint64(nil, stamp(want))
		if got := ntpTime(b); !got.Equal(want) {
			t.Errorf("%v reads as %v", want, got)
		}
	}
}

func FuzzNTPAnswer(f *testing.F) {
	answer := make([]byte, ntpLength)
	answer[0], answer[1] = 4<<3|4, 2
	binary.BigEndian.PutUint64(answer[32:], stamp(time.Unix(1e9, 0)))
	binary.BigEndian.PutUint64(answer[40:], stamp(time.Unix(1e9, 1000)))
	f.Add(answer)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < ntpLength {
			return
		}
		s, err := read(b, time.Unix(1e9, 0), time.Second)
		if err == nil && (s.Error < 0 || s.Error > 3*time.Second) {
			t.Errorf("accepted with an error bound of %v", s.Error)
		}
	})
}
