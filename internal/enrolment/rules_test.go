package enrolment_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/ident"
	"absah/internal/passphrase"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func TestSubmitTwiceIsOneRegistration(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		who := w.employee(w.unit)
		var mu sync.Mutex
		ids := map[string]bool{}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				r, err := w.svc.Submit(t.Context(), who)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[r.ID] = true
			})
		}
		wg.Wait()
		if len(ids) != 1 {
			t.Errorf("8 presses made %d registrations", len(ids))
		}
		mails, err := s.Read().MailsOfEmployee(t.Context(), null(who.EmployeeID))
		if err != nil || len(mails) != 1 {
			t.Errorf("8 presses queued %d mails (%v), want 1", len(mails), err)
		}
	})
}

func null(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func TestSubmitNeedsAllPrerequisites(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	who := w.employee(w.unit)
	w.complete[who.EmployeeID] = false
	_, err := w.svc.Submit(t.Context(), who)
	wantError(t, "incomplete", err, enrolment.ErrIncomplete)

	holder, _, _, _ := w.to(enrolment.Issue)
	_, err = w.svc.Submit(t.Context(), holder)
	wantError(t, "holder of a certificate", err, enrolment.ErrExists)
}

func TestThreeDifferentPeople(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		applicant, one, _, r := w.to(enrolment.Enroll)
		wantError(t, "officer 1 approves", w.svc.Approve(ctx, one, w.all(r.ID)), enrolment.ErrSamePerson)
		wantError(t, "applicant approves", w.svc.Approve(ctx, enrolment.Checker{Actor: applicant}, w.all(r.ID)), enrolment.ErrSamePerson)
		wantError(t, "somebody without a person approves", w.svc.Approve(ctx, enrolment.Checker{Actor: audit.Actor{AccountID: "x"}}, w.all(r.ID)), enrolment.ErrSamePerson)

		// The same through the back door: only the database is left to refuse.
		do := func(q string, args ...any) error {
			return s.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, q, args...)
				return err
			})
		}
		for what, q := range map[string]string{
			"applicant as officer 1": "update registration set verified_by = employee_id where id = $1",
			"applicant as officer 2": "update registration set approved_by = employee_id where id = $1",
			"officer 1 as officer 2": "update registration set approved_by = verified_by where id = $1",
			"officer 2 alone":        "update registration set verified_by = null, approved_by = (select min(id) from employee where id <> registration.employee_id) where id = $1",
			"applicant claims":       "update registration set claimed_by = employee_id where id = $1",
		} {
			if err := do(q, r.ID); !store.IsCheck(err) {
				t.Errorf("%s by SQL: %v, want refused", what, err)
			}
		}
		insert := func(officer, applicant string, stage int) error {
			return s.InTx(ctx, func(tx *store.Tx) error {
				return tx.InsertReview(ctx, db.InsertReviewParams{
					ID: ident.New(), RegistrationID: r.ID, Stage: int64(stage), OfficerID: officer, ApplicantID: applicant,
					SnapshotHash: r.SnapshotHash, Verdict: "accepted", CreatedAt: 1,
				})
			})
		}
		if err := insert(applicant.EmployeeID, applicant.EmployeeID, 2); !store.IsCheck(err) {
			t.Errorf("a check by the applicant by SQL: %v, want refused", err)
		}
		if err := insert(applicant.EmployeeID, one.EmployeeID, 2); !store.IsCheck(err) {
			t.Errorf("a check with a wrong applicant by SQL: %v, want refused", err)
		}
		if err := insert(one.EmployeeID, applicant.EmployeeID, 2); !store.IsUnique(err) {
			t.Errorf("both checks by one officer by SQL: %v, want refused", err)
		}
	})
}

func TestOfficerSeesOnlyHisUnits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	_, _, _, r := w.to(enrolment.New)
	stranger, boss := w.officer(w.other), w.officer(w.root)
	wantError(t, "verify", w.svc.Verify(ctx, stranger, w.all(r.ID)), enrolment.ErrNotFound)
	wantError(t, "claim", w.svc.Claim(ctx, stranger, r.ID), enrolment.ErrNotFound)
	_, err := w.svc.Get(ctx, stranger.Units, r.ID)
	wantError(t, "get", err, enrolment.ErrNotFound)
	rows, err := w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Units: stranger.Units, Officer: stranger.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 0 {
		t.Errorf("queue of a stranger: %d rows, %v", len(rows), err)
	}
	for _, units := range [][]string{nil, boss.Units, {w.unit, w.root}} {
		rows, err = w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Units: units, Officer: boss.EmployeeID, Limit: 10})
		if err != nil || len(rows) != 1 || rows[0].ID != r.ID {
			t.Errorf("queue of %v: %v, %v, want the one", units, rows, err)
		}
	}
	rows, err = w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Officer: r.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 0 {
		t.Errorf("one's own registration is in one's queue: %v, %v", rows, err)
	}
}

func TestClaimKeepsOthersOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	_, one, two, r := w.to(enrolment.New)
	must(t, w.svc.Claim(ctx, one, r.ID))
	var claimed *enrolment.ClaimedError
	if err := w.svc.Verify(ctx, two, w.all(r.ID)); !errors.As(err, &claimed) || claimed.By == "" {
		t.Errorf("verify what another claimed: %v", err)
	}
	if err := w.svc.Claim(ctx, two, r.ID); !errors.As(err, &claimed) {
		t.Errorf("claim what another claimed: %v", err)
	}
	rows, err := w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Claimed: enrolment.ClaimedMine, Officer: one.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 1 || !rows[0].ClaimedByMe {
		t.Errorf("mine: %v, %v", rows, err)
	}
	rows, err = w.svc.Queue(ctx, enrolment.Filter{Status: enrolment.New, Claimed: enrolment.ClaimedNone, Officer: one.EmployeeID, Limit: 10})
	if err != nil || len(rows) != 0 {
		t.Errorf("unclaimed: %v, %v", rows, err)
	}
	must(t, w.svc.Verify(ctx, one, w.all(r.ID)))
	after, err := w.store.Read().GetRegistration(ctx, r.ID)
	if err != nil || after.ClaimedBy.Valid {
		t.Errorf("the claim outlives the check: %v, %v", after.ClaimedBy, err)
	}
}

// An officer who is away, or none any more, holds nothing up.
func TestAnotherOfficerTakesOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		applicant, one, two, r := w.to(enrolment.New)
		three, far := w.officer(), w.officer(w.other)
		must(t, w.svc.Claim(ctx, one, r.ID))
		wantError(t, "from another unit", w.svc.TakeOver(ctx, far, r.ID, one.EmployeeID), enrolment.ErrNotFound)
		wantError(t, "the applicant", w.svc.TakeOver(ctx, enrolment.Checker{Actor: applicant}, r.ID, one.EmployeeID), enrolment.ErrSamePerson)
		must(t, w.svc.TakeOver(ctx, two, r.ID, one.EmployeeID))
		// Of two who saw the first officer's name only one gets it.
		var claimed *enrolment.ClaimedError
		if err := w.svc.TakeOver(ctx, three, r.ID, one.EmployeeID); !errors.As(err, &claimed) || claimed.By == "" {
			t.Errorf("taken over twice: %v", err)
		}
		if err := w.svc.Verify(ctx, one, w.all(r.ID)); !errors.As(err, &claimed) {
			t.Errorf("the first officer still decides: %v", err)
		}
		rows, err := s.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 100})
		must(t, err)
		if last := rows[len(rows)-1]; last.Action != "registration.take_over" || last.ObjectID != r.ID || !strings.Contains(last.Detail, one.EmployeeID) {
			t.Errorf("on record: %+v", last)
		}
		must(t, w.svc.Verify(ctx, two, w.all(r.ID)))
	})
}

func TestDecisionsNeedEveryFieldAndReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	_, one, _, r := w.to(enrolment.New)
	short := w.all(r.ID)
	short.Fields = short.Fields[1:]
	wantError(t, "a field unjudged", w.svc.Verify(ctx, one, short), enrolment.ErrNotAllFields)
	twice := w.all(r.ID)
	twice.Fields[1] = twice.Fields[0]
	wantError(t, "a field judged twice", w.svc.Verify(ctx, one, twice), enrolment.ErrNotAllFields)
	wantError(t, "accept with a refusal", w.svc.Verify(ctx, one, w.but(r.ID, "nik", "belongs_to_other")), enrolment.ErrNotAllFields)
	wantError(t, "return without a refusal", w.svc.Return(ctx, one, w.all(r.ID)), enrolment.ErrNotAllFields)
	wantError(t, "reason of another field", w.svc.Return(ctx, one, w.but(r.ID, "nik", "cropped")), enrolment.ErrReason)
	silent := w.but(r.ID, "nik", "other")
	for i := range silent.Fields {
		silent.Fields[i].Reason.Text = ""
	}
	wantError(t, "other without words", w.svc.Return(ctx, one, silent), enrolment.ErrReason)
	wantError(t, "reject without a reason", w.svc.Reject(ctx, one, w.all(r.ID), enrolment.Reason{}), enrolment.ErrReason)
	stale := w.all(r.ID)
	stale.SnapshotHash = []byte("what was there before")
	wantError(t, "data changed meanwhile", w.svc.Verify(ctx, one, stale), enrolment.ErrStale)
}

func TestChangeOfDataVoidsChecks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		for _, from := range []enrolment.Status{enrolment.OnSetPassphrase, enrolment.Enroll} {
			applicant, _, _, r := w.to(from)
			token := w.lastToken()
			must(t, w.change(applicant, "data of "+applicant.EmployeeID)) // the same
			same, err := s.Read().GetRegistration(ctx, r.ID)
			must(t, err)
			if same.Status != string(from) {
				t.Errorf("%s: a change that changes nothing moved it to %s", from, same.Status)
			}
			must(t, w.change(applicant, "other data"))
			after, err := s.Read().GetRegistration(ctx, r.ID)
			must(t, err)
			if after.Status != "New" || after.VerifiedBy.Valid || string(after.SnapshotHash) == string(r.SnapshotHash) {
				t.Errorf("%s: after a change: %s, verified by %v", from, after.Status, after.VerifiedBy)
			}
			reviews, err := s.Read().ReviewsOf(ctx, r.ID)
			must(t, err)
			for _, v := range reviews {
				if v.VoidedAt == 0 {
					t.Errorf("%s: a check stands after a change", from)
				}
			}
			if _, err := s.Read().LiveCredential(ctx, r.ID); !store.IsNotFound(err) {
				t.Errorf("%s: the key stands after a change: %v", from, err)
			}
			if l, err := w.svc.LookAtLink(ctx, token); err != nil || l.State == enrolment.LinkLive {
				t.Errorf("%s: the link is %s after a change", from, l.State)
			}
		}
	})
}

// Who leaves the service becomes no subscriber, not by a link either.
func TestLeavingEndsARegistration(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		active := func(who audit.Actor, yes bool) {
			t.Helper()
			must(t, s.InTx(ctx, func(tx *store.Tx) error {
				if _, err := tx.Exec(ctx, `update employee set active = $1 where id = $2`, yes, who.EmployeeID); err != nil {
					return err
				}
				return w.svc.EmployeeChanged(ctx, tx, who.EmployeeID, who)
			}))
		}
		for _, from := range []enrolment.Status{enrolment.New, enrolment.OnSetPassphrase, enrolment.Enroll, enrolment.Returned} {
			applicant, _, _, r := w.to(from)
			active(applicant, false)
			got, err := s.Read().GetRegistration(ctx, r.ID)
			must(t, err)
			st, err := w.svc.StandingFor(ctx, got)
			must(t, err)
			last := st.History[len(st.History)-1]
			if st.Status != enrolment.Cancelled || last.ReasonCode != enrolment.ReasonLeft || last.ActorRole != "system" {
				t.Errorf("%s: the registration is %s because of %q", from, st.Status, last.ReasonCode)
			}
			if from == enrolment.OnSetPassphrase {
				_, err := w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(t, goodPassphrase))
				var link *enrolment.LinkError
				if !errors.As(err, &link) || link.State != enrolment.LinkEnded {
					t.Errorf("the link of a leaver: %v", err)
				}
			}
			if _, err := s.Read().LiveCredential(ctx, r.ID); !store.IsNotFound(err) {
				t.Errorf("%s: a key is left: %v", from, err)
			}
			_, err = w.svc.Submit(ctx, applicant)
			wantError(t, "a leaver applies", err, enrolment.ErrIncomplete)
			active(applicant, true)
			_, err = w.svc.Submit(ctx, applicant)
			must(t, err)
		}
		// What the authority has in hand it judges itself; a certificate stays.
		for _, from := range []enrolment.Status{enrolment.Issuing, enrolment.Issue} {
			applicant, _, _, r := w.to(from)
			active(applicant, false)
			if got, err := s.Read().GetRegistration(ctx, r.ID); err != nil || got.Status != string(from) {
				t.Errorf("%s became %s, %v", from, got.Status, err)
			}
			if from == enrolment.Issuing {
				must(t, s.InTx(ctx, func(tx *store.Tx) error { return w.svc.Refused(ctx, tx, r.ID, "approval") }))
				if got, err := s.Read().GetRegistration(ctx, r.ID); err != nil || got.Status != string(enrolment.Cancelled) {
					t.Errorf("after the authority refused: %s, %v", got.Status, err)
				}
			}
		}
	})
}

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

func TestAgreementNeedsTheTextsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	applicant, _, _, r := w.to(enrolment.OnSetPassphrase)
	wantError(t, "before the passphrase", w.svc.Accept(ctx, applicant, enrolment.Applicant, r.ID, consent()), enrolment.ErrNoPassphrase)
	session, err := w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(t, goodPassphrase))
	must(t, err)
	if got, err := w.svc.Session(ctx, session); err != nil || got.ID != r.ID {
		t.Errorf("session leads to %s, %v", got.ID, err)
	}
	for what, spoil := range map[string]func(*enrolment.Consent){
		"no agreement":   func(c *enrolment.Consent) { c.Agreement = nil },
		"no consent":     func(c *enrolment.Consent) { c.Privacy = nil },
		"other language": func(c *enrolment.Consent) { c.Locale = "en" },
	} {
		c := consent()
		spoil(&c)
		wantError(t, what, w.svc.Accept(ctx, applicant, enrolment.Applicant, r.ID, c), enrolment.ErrConsent)
	}
	wantError(t, "somebody else", w.svc.Accept(ctx, w.employee(w.unit), enrolment.Applicant, r.ID, consent()), enrolment.ErrNotFound)
	must(t, w.svc.Accept(ctx, applicant, enrolment.Applicant, r.ID, consent()))
	got, err := w.store.Read().AcceptancesOf(ctx, r.ID)
	if err != nil || len(got) != 2 || got[0].Address != "127.0.0.1" {
		t.Errorf("acceptances: %+v, %v", got, err)
	}
	if _, err := w.svc.Session(ctx, session); !errors.Is(err, enrolment.ErrNotFound) {
		t.Errorf("the session outlives the agreement: %v", err)
	}
}

func TestResetRevokesBeforeTheLink(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		applicant, one, two, old := w.to(enrolment.Issue)
		fresh, err := w.svc.ResetPIN(ctx, applicant, false)
		must(t, err)
		c, err := s.Read().CertificateOfRegistration(ctx, old.ID)
		must(t, err)
		if c.RevokedAt == 0 || c.RevocationReason != 4 {
			t.Errorf("old certificate: revoked at %d for %d, want superseded", c.RevokedAt, c.RevocationReason)
		}
		if fresh.Status != "OnSetPassphrase" {
			t.Fatalf("the new one is at %s", fresh.Status)
		}
		got, err := s.Read().GetRegistration(ctx, fresh.ID)
		must(t, err)
		if got.VerifiedBy.String != one.EmployeeID || got.ReplacesID.String != old.ID {
			t.Errorf("first check %v, replaces %v", got.VerifiedBy, got.ReplacesID)
		}
		// The rest of the way: another key, officer 2 anew, another certificate.
		_, err = w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(t, goodPassphrase))
		must(t, err)
		must(t, w.svc.Accept(ctx, applicant, enrolment.Applicant, fresh.ID, consent()))
		wantError(t, "officer 1 of the old one", w.svc.Approve(ctx, one, w.all(fresh.ID)), enrolment.ErrSamePerson)
		must(t, w.svc.Approve(ctx, two, w.all(fresh.ID)))
		must(t, w.issue(fresh.ID))
		st, err := w.svc.StandingOf(ctx, applicant.EmployeeID)
		if err != nil || st.Sentence != enrolment.HasCert || st.Registration.ID != fresh.ID {
			t.Errorf("standing: %s, %v", st.Sentence, err)
		}

		// Data that changed, or policy, ask for a first check again.
		other, _, _, _ := w.to(enrolment.Issue)
		must(t, w.change(other, "another position"))
		r, err := w.svc.ResetPIN(ctx, other, true)
		if err != nil || r.Status != "New" {
			t.Errorf("reset after a change of data: %s, %v, want New", r.Status, err)
		}
		w.svc.Policy.ResetNeedsOfficer = true
		third, _, _, _ := w.to(enrolment.Issue)
		if r, err = w.svc.ResetPIN(ctx, third, false); err != nil || r.Status != "New" {
			t.Errorf("reset by policy: %s, %v, want New", r.Status, err)
		}
	})
}

func TestChangePassphraseCountsWrongOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	who, _, _, _ := w.to(enrolment.Issue)
	next := "meja kayu jati di teras 45"
	var perr *enrolment.PassphraseError
	for left := 4; left >= 0; left-- {
		err := w.svc.ChangePassphrase(ctx, who, secret(t, "bukan ini yang benar 1"), secret(t, next))
		if !errors.As(err, &perr) || !errors.Is(err, credential.ErrWrongPassphrase) || perr.Left != left {
			t.Fatalf("wrong one: %v, %d left, want %d", err, perr.Left, left)
		}
	}
	var locked *credential.LockedError
	if err := w.svc.ChangePassphrase(ctx, who, secret(t, goodPassphrase), secret(t, next)); !errors.As(err, &locked) || locked.ForGood {
		t.Fatalf("sixth one: %v, want locked for a while", err)
	}
	w.clock.Advance(time.Hour)
	must(t, w.svc.ChangePassphrase(ctx, who, secret(t, goodPassphrase), secret(t, next)))
	if err := w.svc.ChangePassphrase(ctx, who, secret(t, goodPassphrase), secret(t, next)); !errors.Is(err, credential.ErrWrongPassphrase) {
		t.Errorf("the old passphrase still opens the key: %v", err)
	}
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

func TestUsualWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.SQLite(t)))
	ctx := t.Context()
	one := w.officer()
	for i := range 20 {
		who := w.employee(w.unit)
		r, err := w.svc.Submit(ctx, who)
		must(t, err)
		w.clock.Advance(time.Duration(i+1) * time.Hour)
		must(t, w.svc.Verify(ctx, one, w.all(r.ID)))
	}
	got, ok, err := w.svc.UsualWait(ctx, enrolment.New)
	if err != nil || !ok || got.Samples != 20 || got.Median != 11*time.Hour || got.P95 != 19*time.Hour {
		t.Errorf("usual wait: %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := w.svc.UsualWait(ctx, enrolment.Enroll); ok || err != nil {
		t.Errorf("a usual wait without samples (%v)", err)
	}
	w.clock.Advance(31 * 24 * time.Hour)
	if got, ok, _ := w.svc.UsualWait(ctx, enrolment.New); ok {
		t.Errorf("waits of last month count: %+v", got)
	}
}
