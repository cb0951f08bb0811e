package enrolment_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

func TestLinkWorksOnceUntilItExpires(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		link := audit.Actor{AccountID: "link"}
		set := func(token string) error {
			_, err := w.svc.SetPassphrase(ctx, link, token, secret(t, goodPassphrase))
			return err
		}
		state := func(err error) enrolment.LinkState {
			var l *enrolment.LinkError
			if !errors.As(err, &l) {
				t.Errorf("%v is no link error", err)
				return ""
			}
			return l.State
		}
		_, one, _, r := w.to(enrolment.OnSetPassphrase)
		first := w.lastToken()
		must(t, w.svc.SendLink(ctx, one.Actor, enrolment.Officer, nil, r.ID))
		if got := state(set(first)); got != enrolment.LinkSuperseded {
			t.Errorf("older link is %s", got)
		}
		if got := state(set(ident.Token())); got != enrolment.LinkUnknown {
			t.Errorf("made-up link is %s", got)
		}
		w.clock.Advance(w.svc.Policy.LinkValidity)
		if got := state(set(w.lastToken())); got != enrolment.LinkExpired {
			t.Errorf("link at its expiry is %s", got)
		}
		must(t, w.svc.SendLink(ctx, one.Actor, enrolment.Officer, nil, r.ID))
		var weak *passphrase.WeakError
		if _, err := w.svc.SetPassphrase(ctx, link, w.lastToken(), secret(t, "rahasia123456")); !errors.As(err, &weak) {
			t.Errorf("weak passphrase: %v", err)
		}
		// A hundred at once: one key, one certificate request.
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 20 {
			wg.Go(func() {
				err := set(w.lastToken())
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if got := state(err); got != enrolment.LinkUsed {
					t.Errorf("a late one finds the link %s", got)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of 20 used the link", won)
		}
		dump, err := s.Read().LatestEnrolLink(ctx, r.ID)
		if err != nil || string(dump.TokenHash) == w.lastToken() {
			t.Errorf("the token itself is stored (%v)", err)
		}
	})
}

func TestApplicantAsksForFewLinks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		ctx := t.Context()
		applicant, _, _, r := w.to(enrolment.OnSetPassphrase)
		first := w.clock.Now() // the officer's was the first of the day
		ask := func() time.Time {
			t.Helper()
			err := w.svc.SendLink(ctx, applicant, enrolment.Applicant, nil, r.ID)
			var many *enrolment.TooManyError
			if err != nil && !errors.As(err, &many) {
				t.Fatal(err)
			}
			if err == nil {
				return time.Time{}
			}
			return many.Again
		}
		sent := 0
		for range 100 {
			if again := ask(); again.IsZero() {
				sent++
			} else if !again.After(w.clock.Now()) {
				t.Fatalf("after %d: again at %v, and it is %v", sent, again, w.clock.Now())
			}
			w.clock.Advance(time.Minute)
		}
		if want := w.svc.Policy.LinksPerDay - 1; sent != want {
			t.Errorf("%d links in 100 minutes, want %d", sent, want)
		}
		// What is said about the next one is so.
		again := ask()
		if want := first.Add(24 * time.Hour); !again.Equal(want) {
			t.Errorf("again at %v, want %v", again, want)
		}
		w.clock.Advance(again.Sub(w.clock.Now()) - time.Microsecond)
		if ask().IsZero() {
			t.Error("a link before its time")
		}
		w.clock.Advance(time.Microsecond)
		if at := ask(); !at.IsZero() {
			t.Errorf("no link at the time that was said, but at %v", at)
		}
	})
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	w.to(enrolment.OnSetPassphrase)
	count := func() int {
		n, err := w.svc.WarnOfExpiry(ctx)
		must(t, err)
		return n
	}
	if n := count(); n != 0 {
		t.Errorf("%d warnings on the first day", n)
	}
	w.clock.Advance(49 * time.Hour)
	if a, b := count(), count(); a != 1 || b != 0 {
		t.Errorf("warnings on the last day: %d, then %d; want 1, then 0", a, b)
	}

	// A short life leaves a short time to warn in, not a warning at once.
	w.svc.Policy.LinkValidity = 6 * time.Hour
	w.to(enrolment.OnSetPassphrase)
	w.clock.Advance(3 * time.Hour)
	early := count()
	w.clock.Advance(90 * time.Minute)
	if late := count(); early != 0 || late != 1 {
		t.Errorf("a link of six hours: %d warnings after three, %d after four and a half; want 0, 1", early, late)
	}

	w.to(enrolment.Issue)
	day := func(d int) (n int) {
		w.clock.Advance(time.Duration(d) * 24 * time.Hour)
		_, n, err := w.svc.ExpireCertificates(ctx)
		must(t, err)
		return n
	}
	got := []int{day(600), day(72), day(0), day(30), day(23), day(3)}
	want := []int{0, 1, 0, 1, 1, 0}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("notices of expiry: %v, want %v", got, want)
			break
		}
	}
}
