package verification

import (
	"errors"
	"strings"
	"testing"
)

// TestRoom: documents in memory are bounded in all and from each place, and what
// is closed or broken off makes room.
func TestRoom(t *testing.T) {
	r := &Room{Total: 100, Each: 60}
	take := func(from string, n int) (*Document, error) {
		return r.Take(from, strings.NewReader(strings.Repeat("x", n)))
	}
	if _, err := take("a", 61); !errors.Is(err, ErrBusy) { // before anybody is in
		t.Errorf("more than the share of one place: %v", err)
	}
	one, err := take("a", 50)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take("a", 20); !errors.Is(err, ErrBusy) {
		t.Errorf("more than its share for one place: %v", err)
	}
	two, err := take("b", 40)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take("c", 20); !errors.Is(err, ErrBusy) {
		t.Errorf("more than there is: %v", err)
	}
	if _, err := take("d", 0); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	for range 2 { // the second time changes nothing
		_ = one.Close()
	}
	three, err := take("c", 55)
	if err != nil {
		t.Errorf("room that was given back: %v", err)
	}
	_ = two.Close()
	_ = three.Close()
	if r.used != 0 || len(r.by) != 0 {
		t.Errorf("%d bytes of %v are left", r.used, r.by)
	}
}
