package enrolment_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/ident"
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
