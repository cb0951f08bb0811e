package quota

import (
	"fmt"
	"testing"
	"time"

	"absah/internal/clock"
)

func TestLockout(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC))
	l := NewLockout(now.Now)
	for range FreeTries - 1 {
		l.Count("192.0.2.1")
	}
	if w := l.Wait("192.0.2.1"); w != 0 {
		t.Errorf("waits %s before its tries are used up", w)
	}
	l.Count("192.0.2.1")
	if w := l.Wait("192.0.2.1"); w != FirstWait {
		t.Errorf("waits %s, want %s", w, FirstWait)
	}
	if w := l.Wait("192.0.2.2"); w != 0 {
		t.Errorf("another address waits %s", w)
	}
	// One subscriber has a whole network of IPv6.
	for i := range FreeTries {
		l.Count(fmt.Sprintf("2001:db8:1:2::%x", i+1))
	}
	if w := l.Wait("2001:db8:1:2:ffff::1"); w != FirstWait {
		t.Errorf("a further address of the network waits %s", w)
	}
	now.Advance(forgetting + time.Second)
	l.Count("192.0.2.1")
	if w := l.Wait("192.0.2.1"); w != 0 {
		t.Errorf("waits %s for what is forgotten", w)
	}
}

// TestManyAddresses: somebody with very many addresses neither fills the memory nor
// escapes.
func TestManyAddresses(t *testing.T) {
	l := NewLockout(clock.NewFake(time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)).Now)
	for i := range manyKept + 2*FreeTries {
		l.Count(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if len(l.at) > manyKept+1 {
		t.Errorf("%d addresses are kept", len(l.at))
	}
	if l.Wait("203.0.113.7") == 0 {
		t.Error("a further address tries freely")
	}
}
