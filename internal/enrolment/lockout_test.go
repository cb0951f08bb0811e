package enrolment_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// key is the key of a registration that has a certificate.
func (w *world) key(id string) db.Credential {
	w.t.Helper()
	k, err := w.store.Read().LiveCredential(w.t.Context(), id)
	must(w.t, err)
	return k
}

// guess tests n wrong passphrases of a key, each when it is allowed.
func (w *world) guess(kid string, n int) error {
	for range n {
		_, err := w.svc.Guard.Unlock(context.Background(), kid, func(context.Context) error { return credential.ErrWrongPassphrase })
		var locked *credential.LockedError
		if errors.As(err, &locked) && !locked.ForGood {
			w.clock.Advance(locked.Until.Sub(w.clock.Now()))
			_, err = w.svc.Guard.Unlock(context.Background(), kid, func(context.Context) error { return credential.ErrWrongPassphrase })
		}
		if !errors.Is(err, credential.ErrWrongPassphrase) {
			return err
		}
	}
	return nil
}

// jobs counts the jobs about an object that wait.
func (w *world) jobs(id string) (n int) {
	w.t.Helper()
	query := `select count(*) from river_job where json(args) ->> 'id' = $1`
	if w.store.Postgres() {
		query = `select count(*) from river_job where args ->> 'id' = $1`
	}
	must(w.t, w.store.ReadDB().QueryRowContext(w.t.Context(), query, id).Scan(&n))
	return n
}

// mails counts the mails about a registration, by kind.
func (w *world) mails(id string) map[string]int {
	w.t.Helper()
	rows, err := w.store.Read().MailsOfRegistration(w.t.Context(), sql.NullString{String: id, Valid: true})
	must(w.t, err)
	out := map[string]int{}
	for _, m := range rows {
		out[m.Kind]++
	}
	return out
}

// untouched holds a registration against one whose key is as it was.
func (w *world) untouched(what, id string) {
	w.t.Helper()
	r, err := w.store.Read().GetRegistration(w.t.Context(), id)
	must(w.t, err)
	c, err := w.store.Read().CertificateOfRegistration(w.t.Context(), id)
	must(w.t, err)
	if k := w.key(id); r.Status != "Issue" || c.RevokedAt != 0 || len(k.Box) == 0 || w.mails(id)["key_destroyed"] != 0 {
		w.t.Errorf("%s: at %s, revoked at %d, %d bytes of key", what, r.Status, c.RevokedAt, len(k.Box))
	}
}

// destroyed holds a registration against all that a LockOut does, once.
func (w *world) destroyed(kid, id string, why credential.End) {
	w.t.Helper()
	ctx, q := w.t.Context(), w.store.Read()
	k, err := q.GetCredential(ctx, kid)
	must(w.t, err)
	if len(k.Box) != 0 || k.State != "revoked" || len(k.Spki) == 0 || len(k.Csr) == 0 {
		w.t.Errorf("the key is %s with %d bytes of box; its row must stay", k.State, len(k.Box))
	}
	c, err := q.CertificateOfRegistration(ctx, id)
	must(w.t, err)
	if c.RevokedAt == 0 || c.RevocationReason != 5 {
		w.t.Errorf("certificate revoked at %d for %d, want cessationOfOperation", c.RevokedAt, c.RevocationReason)
	}
	if n := w.jobs(c.Issuer); n == 0 {
		w.t.Error("nobody was asked for a CRL")
	}
	history, err := q.HistoryOf(ctx, id)
	must(w.t, err)
	ends := 0
	for _, h := range history {
		if h.Action == string(enrolment.ActionLockOut) {
			ends++
		}
	}
	last := history[len(history)-1]
	if ends != 1 || last.ToStatus != "Revoked" || last.ReasonCode != string(why) || last.ActorRole != "system" {
		w.t.Errorf("%d ends, the last step is %s to %s because of %q, want %s", ends, last.Action, last.ToStatus, last.ReasonCode, why)
	}
	if m := w.mails(id); m["key_destroyed"] != 1 || m["certificate_revoked"] != 0 {
		w.t.Errorf("mails: %v", m)
	}
	must(w.t, enrolment.VerifyHistory(ctx, q, id))
	_, err = audit.Verify(ctx, q)
	must(w.t, err)
}

func TestTenWrongInARowDestroyTheKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		who, one, two, r := w.to(enrolment.Issue)
		k := w.key(r.ID)
		must(t, w.guess(k.ID, 9))
		must(t, w.svc.LockOut(ctx, k.ID)) // locked for a time is not for good
		w.untouched("after nine", r.ID)
		if n := w.jobs(k.ID); n != 0 {
			t.Errorf("%d jobs after nine", n)
		}
		w.clock.Advance(5 * time.Hour)
		err := w.svc.ChangePassphrase(ctx, who, secret(t, "bukan ini yang benar 1"), secret(t, "meja kayu jati di teras 45"))
		var wrong *enrolment.PassphraseError
		if !errors.As(err, &wrong) || wrong.Left != 0 || wrong.End != credential.EndInRow {
			t.Fatalf("the tenth: %v", err)
		}
		w.destroyed(k.ID, r.ID, credential.EndInRow)
		must(t, w.svc.LockOut(ctx, k.ID)) // the job comes later and finds it done
		w.destroyed(k.ID, r.ID, credential.EndInRow)

		st, err := w.svc.StandingOf(ctx, who.EmployeeID)
		if err != nil || st.Sentence != enrolment.WasRevoked || !st.LockedOut {
			t.Errorf("standing: %s, locked out %v, %v", st.Sentence, st.LockedOut, err)
		}
		wantError(t, "the right one, too late", w.svc.ChangePassphrase(ctx, who, secret(t, goodPassphrase), secret(t, "meja kayu jati di teras 45")), enrolment.ErrNotFound)

		// Reset PIN is the way on, as with a certificate.
		fresh, err := w.svc.ResetPIN(ctx, who, true)
		must(t, err)
		if got, err := s.Read().GetRegistration(ctx, fresh.ID); err != nil || got.Status != "OnSetPassphrase" || got.ReplacesID.String != r.ID || got.VerifiedBy.String != one.EmployeeID {
			t.Fatalf("after the reset: %+v, %v", got, err)
		}
		w.destroyed(k.ID, r.ID, credential.EndInRow) // nothing of the old one changed
		_, err = w.svc.ResetPIN(ctx, who, false)
		wantError(t, "a second reset", err, enrolment.ErrNotFound)
		_, err = w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(t, goodPassphrase))
		must(t, err)
		must(t, w.svc.Accept(ctx, who, enrolment.Applicant, fresh.ID, consent()))
		must(t, w.svc.Approve(ctx, two, w.all(fresh.ID)))
		must(t, w.issue(fresh.ID))
		if st, err := w.svc.StandingOf(ctx, who.EmployeeID); err != nil || st.Sentence != enrolment.HasCert || st.LockedOut {
			t.Errorf("standing after the reset: %s, %v", st.Sentence, err)
		}
		// A registration that others ended cannot be reset.
		other, _, _, _ := w.to(enrolment.Revoked)
		_, err = w.svc.ResetPIN(ctx, other, false)
		wantError(t, "reset after a revocation", err, enrolment.ErrNotFound)
	})
}

func TestTwentyWrongInADayDestroyTheKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		_, _, _, r := w.to(enrolment.Issue)
		k := w.key(r.ID)
		for range 4 {
			must(t, w.guess(k.ID, 4))
			_, err := w.svc.Guard.Unlock(t.Context(), k.ID, func(context.Context) error { return nil })
			must(t, err)
		}
		must(t, w.guess(k.ID, 4))
		must(t, w.svc.LockOut(t.Context(), k.ID))
		w.destroyed(k.ID, r.ID, credential.EndInDay)
	})
}

var errKilled = errors.New("killed")

// dying is a courier that dies instead of telling of a LockOut.
type dying struct{ enrolment.Courier }

func (dying) KeyDestroyed(context.Context, *store.Tx, db.Registration, db.Certificate, credential.End) error {
	return errKilled
}

// TestLockOutSurvivesKills stops the program at each step of the last guess,
// and then runs the job that it left behind.
func TestLockOutSurvivesKills(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		_, _, _, r := w.to(enrolment.Issue)

		// Before the test: the guess is only reserved, and never tested.
		k := w.key(r.ID)
		must(t, w.guess(k.ID, 9))
		w.clock.Advance(5 * time.Hour)
		func() {
			defer func() { _ = recover() }()
			_, _ = w.svc.Guard.Unlock(ctx, k.ID, func(context.Context) error { panic("killed") })
		}()
		if n := w.jobs(k.ID); n != 1 {
			t.Fatalf("%d jobs are left behind, want 1", n)
		}
		wantError(t, "too early", w.svc.LockOut(ctx, k.ID), enrolment.ErrInFlight)
		w.untouched("in flight", r.ID)
		w.clock.Advance(credential.Hold)

		// In the middle of the transaction: all of it or nothing.
		real := w.svc.Courier
		w.svc.Courier = dying{real}
		wantError(t, "in the middle", w.svc.LockOut(ctx, k.ID), errKilled)
		w.untouched("killed in the middle", r.ID)
		w.svc.Courier = real
		must(t, w.svc.LockOut(ctx, k.ID))
		w.destroyed(k.ID, r.ID, credential.EndInRow)

		// After the test, before the transaction.
		_, _, _, r = w.to(enrolment.Issue)
		k = w.key(r.ID)
		must(t, w.guess(k.ID, 10))
		w.untouched("killed before", r.ID)
		if w.jobs(k.ID) == 0 {
			t.Fatal("no job is left behind")
		}
		must(t, w.svc.LockOut(ctx, k.ID))
		w.destroyed(k.ID, r.ID, credential.EndInRow)

		// The tenth is right: the job that its reservation left finds nothing to do.
		_, _, _, r = w.to(enrolment.Issue)
		k = w.key(r.ID)
		must(t, w.guess(k.ID, 9))
		w.clock.Advance(5 * time.Hour)
		_, err := w.svc.Guard.Unlock(ctx, k.ID, func(context.Context) error { return nil })
		must(t, err)
		if w.jobs(k.ID) == 0 {
			t.Error("no job of the reservation")
		}
		must(t, w.svc.LockOut(ctx, k.ID))
		w.untouched("the tenth was right", r.ID)
		wantError(t, "no such key", w.svc.LockOut(ctx, "nobody's"), enrolment.ErrNotFound)
	})
}

// TestLockOutRaces lets all who end a certificate come at once.
func TestLockOutRaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		for range 8 {
			who, _, _, r := w.to(enrolment.Issue)
			k := w.key(r.ID)
			must(t, w.guess(k.ID, 10))
			var wg sync.WaitGroup
			do := func(f func() error) {
				wg.Go(func() {
					var not *enrolment.NotAllowedError
					if err := f(); err != nil && !errors.As(err, &not) && !errors.Is(err, enrolment.ErrNotFound) {
						t.Error(err)
					}
				})
			}
			for range 3 {
				do(func() error { return w.svc.LockOut(ctx, k.ID) })
			}
			do(func() error {
				return w.svc.Revoke(ctx, enrolment.Checker{Actor: who}, enrolment.Applicant, r.ID, enrolment.Revocation{Code: "cessation"})
			})
			do(func() error { _, err := w.svc.ResetPIN(ctx, who, false); return err })
			do(func() error {
				_, err := w.svc.Guard.Unlock(ctx, k.ID, func(context.Context) error { t.Error("an eleventh was tested"); return nil })
				var locked *credential.LockedError
				if errors.As(err, &locked) && locked.ForGood {
					return nil
				}
				return err
			})
			wg.Wait()
			must(t, enrolment.VerifyHistory(ctx, s.Read(), r.ID))
			got, err := s.Read().GetCredential(ctx, k.ID)
			must(t, err)
			m := w.mails(r.ID)
			if len(got.Box) != 0 || m["key_destroyed"]+m["certificate_revoked"] != 1 {
				t.Errorf("%d bytes of key are left, mails: %v", len(got.Box), m)
			}
		}
	})
}
