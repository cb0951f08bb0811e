package credential

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// wrong makes n wrong guesses, each as soon as it is allowed, and returns when
// the last one was.
func wrong(t testing.TB, a Attempts, now time.Time, n int) (Attempts, time.Time) {
	t.Helper()
	for range n {
		if now.Before(a.LockedUntil) {
			now = a.LockedUntil
		}
		r, err := a.Reserve(now)
		if err != nil {
			t.Fatalf("after %d in a row: %v", a.Consecutive, err)
		}
		if a, err = r.Fail(now, r.Seq); err != nil {
			t.Fatal(err)
		}
	}
	return a, now
}

func TestLocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		wrong   int
		lock    time.Duration
		forGood bool
		left    int
		forever int
	}{
		{0, 0, false, 5, 10},
		{1, 0, false, 4, 9},
		{4, 0, false, 1, 6},
		{5, 15 * time.Minute, false, 0, 5},
		{6, 30 * time.Minute, false, 0, 4},
		{7, time.Hour, false, 0, 3},
		{8, 2 * time.Hour, false, 0, 2},
		{9, 4 * time.Hour, false, 0, 1},
		{10, 0, true, 0, 0},
	}
	for _, tt := range tests {
		a, now := wrong(t, Attempts{}, start, tt.wrong)
		err := a.Check(now)
		var locked *LockedError
		switch {
		case tt.forGood:
			if !errors.As(err, &locked) || !locked.ForGood || !a.Lost(now) || a.Check(now.AddDate(100, 0, 0)) == nil {
				t.Errorf("%d wrong: %v", tt.wrong, err)
			}
		case tt.lock > 0:
			if !errors.As(err, &locked) || locked.ForGood || !locked.Until.Equal(now.Add(tt.lock)) {
				t.Errorf("%d wrong: %v, want a lock of %v", tt.wrong, err, tt.lock)
			}
			if a.Check(now.Add(tt.lock-time.Microsecond)) == nil || a.Check(now.Add(tt.lock)) != nil {
				t.Errorf("%d wrong: the lock does not end when it says", tt.wrong)
			}
		case err != nil:
			t.Errorf("%d wrong: %v", tt.wrong, err)
		}
		if a.Left(now) != tt.left || a.LeftForGood(now) != tt.forever {
			t.Errorf("%d wrong: %d left, %d for good", tt.wrong, a.Left(now), a.LeftForGood(now))
		}
		if err := a.valid(); err != nil {
			t.Errorf("%d wrong: %v", tt.wrong, err)
		}
	}
}

func TestRightOneEndsTheRow(t *testing.T) {
	t.Parallel()
	a, _ := wrong(t, Attempts{}, start, 9)
	now := a.LockedUntil
	r, err := a.Reserve(now)
	if err != nil {
		t.Fatal(err)
	}
	if !r.LockedForGood || r.Lost(now) || !r.Lost(now.Add(Hold)) {
		t.Error("the tenth is not counted as the last before it is tested")
	}
	a, err = r.Succeed(now, r.Seq)
	if err != nil || a.Consecutive != 0 || a.Check(now) != nil || a.Left(now) != 5 || len(a.Wrong) != 9 {
		t.Errorf("after a right one: %+v, %v", a, err)
	}
}

func TestTwentyInADay(t *testing.T) {
	t.Parallel()
	var a Attempts
	now := start
	for i := range endInDay {
		if left := a.LeftForGood(now); left != min(10, endInDay-i) {
			t.Fatalf("%d before the %dth", left, i+1)
		}
		a, now = wrong(t, a, now, 1)
		if i == endInDay-1 {
			break
		}
		r, err := a.Reserve(now)
		if err != nil {
			t.Fatalf("after %d: %v", i+1, err)
		}
		if a, err = r.Succeed(now, r.Seq); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	if !a.Lost(now) {
		t.Errorf("twenty in %v do not lock: %+v", now.Sub(start), a)
	}
}

func TestWrongOnesAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	a := Attempts{}
	now := start
	for range 60 {
		a, now = wrong(t, a, now, 1)
		r, err := a.Reserve(now)
		if err != nil {
			t.Fatal(err)
		}
		a, _ = r.Succeed(now, r.Seq)
		now = now.Add(80 * time.Minute) // eighteen in a day
	}
	if a.LockedForGood || len(a.Wrong) > endInDay {
		t.Errorf("%+v", a)
	}
}

func TestInFlight(t *testing.T) {
	t.Parallel()
	r, err := Attempts{}.Reserve(start)
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := r.Reserve(start.Add(Hold - time.Microsecond)); !errors.As(err, &busy) || !busy.Until.Equal(start.Add(Hold)) {
		t.Errorf("a second one in flight: %v", err)
	}
	// The first never comes back: it stays counted.
	second, err := r.Reserve(start.Add(Hold))
	if err != nil || second.Consecutive != 2 || second.Seq != 2 {
		t.Fatalf("%+v, %v", second, err)
	}
	// Or it comes back late: then it has nothing to say.
	for name, f := range map[string]func(time.Time, int64) (Attempts, error){
		"right": second.Succeed, "wrong": second.Fail, "not tested": second.Release,
	} {
		if _, err := f(start.Add(Hold), r.Seq); !errors.Is(err, ErrStale) {
			t.Errorf("late %s: %v", name, err)
		}
	}
	done, err := second.Fail(start.Add(Hold), second.Seq)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := done.Succeed(start.Add(Hold), second.Seq); !errors.Is(err, ErrStale) {
		t.Errorf("resolved twice: %v", err)
	}
	back, err := second.Release(start.Add(Hold), second.Seq)
	if err != nil || back.Consecutive != 1 || len(back.Wrong) != 1 || back.Seq != 2 {
		t.Errorf("after a release: %+v, %v", back, err)
	}
}

func TestStatesShareNothing(t *testing.T) {
	t.Parallel()
	a, now := wrong(t, Attempts{}, start, 3)
	r1, _ := a.Reserve(now)
	r2, _ := a.Reserve(now.Add(time.Minute))
	if !r1.Wrong[3].Equal(now) || !r2.Wrong[3].Equal(now.Add(time.Minute)) {
		t.Error("two successors of one state share their memory")
	}
}

// guess is what an observer outside sees: when a passphrase was tested.
type guess struct {
	at    time.Time
	right bool
}

// TestNeverMoreGuesses drives the machine through any sequence of guesses,
// crashes and late answers, and holds what was tested against the limits as the
// design words them, computed from the list of guesses alone.
func TestNeverMoreGuesses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a Attempts // what is stored
		now := start
		var tested []guess
		var pending []int64 // reservations whose process still runs
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"guess", "guess", "guess", "late", "wait", "pass"}).Draw(t, "step") {
			case "guess":
				if now.Before(a.LockedUntil) && rapid.Bool().Draw(t, "wait for the lock") {
					now = a.LockedUntil
				}
				left := a.Left(now)
				r, err := a.Reserve(now)
				if (err == nil) != (left > 0 && !now.Before(a.InflightUntil)) {
					t.Fatalf("%d left, but %v", left, err)
				}
				if err != nil {
					continue
				}
				a = r // stored: now it may be tested
				switch rapid.SampledFrom([]string{"wrong", "wrong", "wrong", "right", "crash before", "crash after", "slow", "not tested"}).Draw(t, "outcome") {
				case "wrong":
					tested = append(tested, guess{now, false})
					a = must(a.Fail(now, r.Seq))
				case "right":
					tested = append(tested, guess{now, true})
					a = must(a.Succeed(now, r.Seq))
				case "crash before":
				case "crash after":
					tested = append(tested, guess{now, false}) // the attacker saw it
				case "slow":
					tested = append(tested, guess{now, false})
					pending = append(pending, r.Seq)
				case "not tested":
					a = must(a.Release(now, r.Seq))
				}
			case "late":
				if len(pending) == 0 {
					continue
				}
				seq := pending[0]
				pending = pending[1:]
				next, err := a.Fail(now, seq)
				if seq != a.Seq && err == nil {
					t.Fatal("a reservation that lost its place was resolved")
				}
				if err == nil {
					a = next
				}
			case "wait":
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "short")))
			case "pass":
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(9*time.Hour)).Draw(t, "long")))
			}
			if err := a.valid(); err != nil {
				t.Fatal(err)
			}
			within(t, tested)
		}
	})
}

func must(a Attempts, err error) Attempts {
	if err != nil {
		panic(err)
	}
	return a
}

func within(t *rapid.T, tested []guess) {
	row := 0
	for i, g := range tested {
		if row >= lockAfter {
			if pause := g.at.Sub(tested[i-1].at); pause < firstLock<<(row-lockAfter) {
				t.Fatalf("tested %v after %d wrong ones in a row", pause, row)
			}
		}
		if g.right {
			row = 0
			continue
		}
		if row++; row > endAfter {
			t.Fatalf("%d wrong ones in a row were tested", row)
		}
		inDay := 0
		for _, h := range tested[:i+1] {
			if !h.right && g.at.Sub(h.at) < day {
				inDay++
			}
		}
		if inDay > endInDay {
			t.Fatalf("%d wrong ones within a day were tested", inDay)
		}
	}
}

// TestClockSetBack shows that no clock gives more than ten in a row.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a Attempts
		tested := 0
		for range 60 {
			now := start.Add(time.Duration(rapid.Int64Range(-int64(72*time.Hour), int64(72*time.Hour)).Draw(t, "now")))
			r, err := a.Reserve(now)
			if err != nil {
				continue
			}
			tested++
			a = must(r.Fail(now, r.Seq))
		}
		if tested > endAfter {
			t.Fatalf("%d in a row", tested)
		}
	})
}
