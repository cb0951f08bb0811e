package credential

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The limits on wrong passphrases.
const (
	// lockAfter wrong ones in a row lock the key, and so does each one after.
	lockAfter = 5
	// firstLock is how long; each further lock is twice as long.
	firstLock = 15 * time.Minute
	// endAfter wrong ones in a row lock it for good.
	endAfter = 10
	// endInDay wrong ones within a day lock it for good, whatever right ones
	// came between.
	endInDay = 20
	day      = 24 * time.Hour

	// Hold is how long a reservation keeps others out when it is never
	// resolved. A derivation takes a fraction of a second.
	Hold = 10 * time.Second
)

// Attempts counts the wrong passphrases of one key. Its zero value is a key
// that nobody has tried.
//
// A guess is counted before it is tested (Reserve), together with the lock that
// it would earn if it were wrong, and the count is taken back when it was right
// (Succeed). So whoever stops the program in between gains nothing: what was
// never resolved stays counted as wrong.
type Attempts struct {
	// Consecutive counts the wrong ones since the last right one.
	Consecutive int
	// Wrong are the times of the wrong ones of the last day, oldest first.
	Wrong []time.Time
	// LockedUntil is when the temporary lock ends; zero if there was none.
	LockedUntil time.Time
	// LockedForGood says that only a reset helps. While a guess is in flight it
	// is only what will hold if that guess is wrong: see Lost.
	LockedForGood bool
	// InflightUntil is when the guess being tested loses its place; zero if
	// there is none.
	InflightUntil time.Time
	// Seq numbers the reservations. It never decreases.
	Seq int64
}

// LockedError says that the key is locked.
type LockedError struct {
	Until   time.Time // zero if for good
	ForGood bool
}

func (e *LockedError) Error() string {
	if e.ForGood {
		return "the key is locked for good after too many wrong passphrases"
	}
	return "the key is locked until " + e.Until.UTC().Format(time.RFC3339) + " after wrong passphrases"
}

// BusyError says that another guess for the same key is being tested.
type BusyError struct {
	Until time.Time // when it ends at the latest
}

func (e *BusyError) Error() string { return "another passphrase for the key is being tested" }

// ErrStale says that a reservation was resolved before, or lost its place to a
// later one. What its guess opened must not be used.
var ErrStale = errors.New("the attempt is not the current one")

// Check returns nil when a passphrase may be tried now, or a *BusyError or
// *LockedError.
func (a Attempts) Check(now time.Time) error {
	switch {
	case now.Before(a.InflightUntil):
		return &BusyError{Until: a.InflightUntil}
	case a.LockedForGood:
		return &LockedError{ForGood: true}
	case now.Before(a.LockedUntil):
		return &LockedError{Until: a.LockedUntil}
	}
	return nil
}

// Lost reports whether the key is locked for good beyond doubt: no guess in
// flight may still turn out right. Then its owner is told and it is erased.
func (a Attempts) Lost(now time.Time) bool {
	return a.LockedForGood && !now.Before(a.InflightUntil)
}

// End says which of the two limits locked a key for good.
type End string

// The ends of a key.
const (
	NoEnd    End = ""
	EndInRow End = "ten_in_a_row"
	EndInDay End = "twenty_in_a_day"
)

// End tells which limit was reached, or NoEnd.
func (a Attempts) End() End {
	switch {
	case !a.LockedForGood:
		return NoEnd
	case a.Consecutive >= endAfter:
		return EndInRow
	}
	return EndInDay
}

// Reserve counts one guess, which may be tested once the result is stored. It
// fails as Check does.
func (a Attempts) Reserve(now time.Time) (Attempts, error) {
	if err := a.Check(now); err != nil {
		return Attempts{}, err
	}
	next := a
	next.Seq++
	next.Consecutive++
	next.Wrong = append(a.recent(now), now)
	next.InflightUntil = now.Add(Hold)
	next.punish(now)
	return next, nil
}

// punish sets the locks that the counts ask for.
func (a *Attempts) punish(now time.Time) {
	if a.Consecutive >= lockAfter {
		a.LockedUntil = now.Add(firstLock << min(a.Consecutive-lockAfter, endAfter))
	}
	a.LockedForGood = a.Consecutive >= endAfter || len(a.Wrong) >= endInDay
}

// Fail resolves reservation seq: the passphrase was wrong. The locks run from
// now. It fails with ErrStale.
func (a Attempts) Fail(now time.Time, seq int64) (Attempts, error) {
	if !a.pending(seq) {
		return Attempts{}, ErrStale
	}
	next := a
	next.Wrong = slices.Clone(a.Wrong)
	next.InflightUntil = time.Time{}
	next.punish(now)
	return next, nil
}

// Succeed resolves reservation seq: the passphrase was right. The row of wrong
// ones ends; those of the day stay. It fails with ErrStale.
func (a Attempts) Succeed(now time.Time, seq int64) (Attempts, error) {
	next, err := a.Release(now, seq)
	if err != nil {
		return Attempts{}, err
	}
	next.Consecutive = 0
	return next, nil
}

// Release resolves reservation seq: the passphrase was not tested after all,
// and nobody learnt anything about it. It fails with ErrStale.
func (a Attempts) Release(_ time.Time, seq int64) (Attempts, error) {
	if !a.pending(seq) {
		return Attempts{}, ErrStale
	}
	next := a
	next.Consecutive--
	next.Wrong = slices.Clone(a.Wrong[:len(a.Wrong)-1])
	next.InflightUntil = time.Time{}
	// Both locks can only be this reservation's: it was not granted under one.
	next.LockedUntil = time.Time{}
	next.LockedForGood = false
	return next, nil
}

// Unresolved reports whether a reservation was never resolved or still is in
// flight.
func (a Attempts) Unresolved() bool { return !a.InflightUntil.IsZero() }

// Recall counts a wrong passphrase that a is older than: reservation seq, the
// inRow-th wrong one in a row, at the time at. The locks are those that it
// earned then. What a knows already changes nothing, so the same ones may be
// recalled again. Recall them in the order of seq.
//
// inRow tells of right ones in between. One after the last wrong one is not
// known, and so forgives nothing.
func (a Attempts) Recall(at time.Time, seq int64, inRow int) Attempts {
	if seq < a.Seq || seq == a.Seq && !a.Unresolved() {
		return a
	}
	next := a
	next.Wrong = slices.Clone(a.Wrong)
	if seq > a.Seq {
		next.Wrong = append(a.recent(at), at)
		// One more than the limit comes of a guess that a held in flight and
		// that turned out right.
		next.Wrong = next.Wrong[max(len(next.Wrong)-endInDay, 0):]
	}
	next.Seq = seq
	next.InflightUntil = time.Time{}
	next.Consecutive = min(max(inRow, 1), endAfter)
	next.Seq = max(next.Seq, int64(len(next.Wrong)), int64(next.Consecutive))
	next.punish(at)
	return next
}

func (a Attempts) pending(seq int64) bool { return a.Seq == seq && !a.InflightUntil.IsZero() }

// Left tells how many wrong passphrases may follow until the key is locked,
// for a time or for good; 0 when it is locked.
func (a Attempts) Left(now time.Time) int {
	if a.LockedForGood || now.Before(a.LockedUntil) {
		return 0
	}
	return min(max(lockAfter-a.Consecutive, 1), a.LeftForGood(now))
}

// LeftForGood tells how many wrong passphrases may follow until the key is
// locked for good.
func (a Attempts) LeftForGood(now time.Time) int {
	if a.LockedForGood {
		return 0
	}
	return max(min(endAfter-a.Consecutive, endInDay-len(a.recent(now))), 0)
}

// recent gives the wrong ones of the day before now, in a slice of its own. A
// time in the future counts: clocks that were set back forgive nothing.
func (a Attempts) recent(now time.Time) []time.Time {
	since := now.Add(-day)
	out := make([]time.Time, 0, len(a.Wrong)+1)
	for _, t := range a.Wrong {
		if t.After(since) {
			out = append(out, t)
		}
	}
	return out
}

// valid reports what no sequence of calls leads to.
func (a Attempts) valid() error {
	switch {
	case a.Consecutive < 0 || a.Consecutive > endAfter:
		return fmt.Errorf("%d in a row", a.Consecutive)
	case len(a.Wrong) > endInDay:
		return fmt.Errorf("%d in a day", len(a.Wrong))
	case a.Seq < int64(len(a.Wrong)) || a.Seq < int64(a.Consecutive):
		return fmt.Errorf("%d reservations are fewer than the wrong ones", a.Seq)
	case !a.InflightUntil.IsZero() && (a.Consecutive == 0 || len(a.Wrong) == 0):
		return errors.New("one in flight that was not counted")
	case a.LockedForGood != (a.Consecutive >= endAfter || len(a.Wrong) >= endInDay):
		return errors.New("locked for good without a reason, or the reverse")
	}
	return nil
}
