package enrolment_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/rekey"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

const aDay = 24 * time.Hour

// nearEnd is an issued registration whose certificate ends in so many days.
func (w *world) nearEnd(days int) (audit.Actor, enrolment.Checker, db.Registration) {
	applicant, _, two, r := w.to(enrolment.Issue)
	c, err := w.store.Read().CertificateOfRegistration(w.t.Context(), r.ID)
	must(w.t, err)
	w.clock.Advance(time.UnixMicro(c.NotAfter).Add(-time.Duration(days) * aDay).Sub(w.clock.Now()))
	return applicant, two, r
}

func TestRenewOneClick(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx, q := t.Context(), s.Read()
		applicant, _, old := w.nearEnd(61)
		_, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
		var early *enrolment.EarlyError
		if !errors.As(err, &early) || early.From.Sub(w.clock.Now()) != aDay {
			t.Fatalf("61 days before the end: %v", err)
		}
		w.clock.Advance(2 * aDay)
		oldCert, err := q.CertificateOfRegistration(ctx, old.ID)
		must(t, err)
		oldKey, err := q.LiveCredential(ctx, old.ID)
		must(t, err)

		r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
		must(t, err)
		if r.Status != "Issuing" || r.Kind != "renewal" || r.ReplacesID.String != old.ID {
			t.Fatalf("renewal at %s of kind %s replaces %q", r.Status, r.Kind, r.ReplacesID.String)
		}
		before, now := w.reload(old.ID), w.reload(r.ID)
		if now.VerifiedBy != before.VerifiedBy || now.ApprovedBy != before.ApprovedBy || !now.ApprovedBy.Valid {
			t.Errorf("the checks did not carry over: %v %v", now.VerifiedBy, now.ApprovedBy)
		}
		// The proof is by the old key, about the new one.
		fresh, err := q.LiveCredential(ctx, r.ID)
		must(t, err)
		if string(fresh.Spki) == string(oldKey.Spki) {
			t.Error("the key is the old one")
		}
		o, err := q.RenewalOrder(ctx, r.ID)
		must(t, err)
		pub, err := x509.ParsePKIXPublicKey(oldKey.Spki)
		must(t, err)
		spki := sha256.Sum256(fresh.Spki)
		must(t, rekey.Verify(pub, rekey.Statement{
			RegistrationID: r.ID, OldSerial: oldCert.Serial, SPKIHash: spki[:], SnapshotHash: now.SnapshotHash,
		}, o.Proof))
		if o.ApprovedAt >= o.SubmittedAt {
			t.Error("a carried check looks like one of the renewal")
		}
		accepted, err := q.AcceptancesOf(ctx, r.ID)
		must(t, err)
		if len(accepted) != 2 {
			t.Errorf("%d acceptances, want agreement and consent", len(accepted))
		}
		if _, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent()); !errors.Is(err, enrolment.ErrRenewing) {
			t.Errorf("twice: %v", err)
		}

		must(t, w.issue(r.ID))
		before = w.reload(old.ID)
		if before.Status != "Issue" || before.SucceededAt == 0 {
			t.Errorf("the old one is at %s, succeeded at %d", before.Status, before.SucceededAt)
		}
		if c, err := q.CertificateOfRegistration(ctx, old.ID); err != nil || c.RevokedAt > 0 {
			t.Errorf("the old certificate: %v, revoked at %d", err, c.RevokedAt)
		}
		if k, err := q.GetCredential(ctx, oldKey.ID); err != nil || len(k.Box) > 0 {
			t.Errorf("the old key is still there: %v", err)
		}
		if in, err := q.IssuedRegistration(ctx, applicant.EmployeeID); err != nil || in.ID != r.ID {
			t.Errorf("in use: %s, %v", in.Reference, err)
		}
		for _, id := range []string{old.ID, r.ID} {
			must(t, enrolment.VerifyHistory(ctx, q, id))
		}
		// The same passphrase opens the new key.
		must(t, w.svc.ChangePassphrase(ctx, applicant, secret(t, goodPassphrase), secret(t, "sungai biru menari di atas genting 19")))
		// Nobody is reminded of the old one.
		w.clock.Advance(50 * aDay)
		if _, warned, err := w.svc.ExpireCertificates(ctx); err != nil || warned != 0 {
			t.Errorf("%d notices, %v", warned, err)
		}
		// Who leaves loses both.
		must(t, w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, r.ID, enrolment.Revocation{Code: "cessation"}))
		if st := w.reload(old.ID).Status; st != "Revoked" {
			t.Errorf("after cessation the renewed certificate is at %s", st)
		}
		if _, err := audit.Verify(ctx, q); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) reload(id string) db.Registration {
	w.t.Helper()
	r, err := w.store.Read().GetRegistration(w.t.Context(), id)
	must(w.t, err)
	return r
}

func TestRenewalPolicies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one := newWorld(t, s)
		fresh := func(t *testing.T) *world {
			one.t, one.svc.Texts, one.svc.Policy.Renewal = t, texts{}, enrolment.DefaultRenewal()
			return one
		}
		ctx := t.Context()
		t.Run("second check", func(t *testing.T) {
			w := fresh(t)
			w.svc.Policy.Renewal.Checks = enrolment.SecondCheck
			applicant, two, _ := w.nearEnd(30)
			r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			must(t, err)
			if r.Status != "Enroll" {
				t.Fatalf("at %s", r.Status)
			}
			must(t, w.svc.Approve(ctx, two, w.all(r.ID)))
			if o, err := s.Read().RenewalOrder(ctx, r.ID); err != nil || o.ApprovedAt < o.SubmittedAt {
				t.Errorf("a check of the renewal looks carried over: %v", err)
			}
		})
		t.Run("both checks", func(t *testing.T) {
			w := fresh(t)
			w.svc.Policy.Renewal.Checks = enrolment.BothChecks
			applicant, _, old := w.nearEnd(30)
			_, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			wantError(t, "renew without checks", err, enrolment.ErrNeedsChecks)
			r, err := w.svc.RequestRenewal(ctx, applicant)
			must(t, err)
			if r.Status != "New" || w.reload(old.ID).Status != "Issue" {
				t.Errorf("renewal at %s, certificate at %s", r.Status, w.reload(old.ID).Status)
			}
		})
		t.Run("changed data", func(t *testing.T) {
			w := fresh(t)
			applicant, _, _ := w.nearEnd(30)
			must(t, w.change(applicant, "other data"))
			_, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			wantError(t, "renew with changed data", err, enrolment.ErrNeedsChecks)
		})
		t.Run("changed name", func(t *testing.T) {
			w := fresh(t)
			applicant := w.employee(w.unit)
			w.set(applicant, `{"name":"Lama","position":"A"}`)
			r := w.certify(applicant)
			must(t, w.change(applicant, `{"name":"Lama","position":"B"}`))
			_, err := w.svc.RequestRenewal(ctx, applicant)
			var early *enrolment.EarlyError
			if !errors.As(err, &early) {
				t.Errorf("another position is no reason for a new certificate: %v", err)
			}
			must(t, w.change(applicant, `{"name":"Baru","position":"B"}`))
			o, err := w.svc.Renewal(ctx, applicant.EmployeeID, "id")
			must(t, err)
			if !o.Reissue || !o.Open(w.clock.Now()) || len(o.Changed) != 2 {
				t.Errorf("offer: reissue %v, changed %v", o.Reissue, o.Changed)
			}
			n, err := w.svc.RequestRenewal(ctx, applicant)
			must(t, err)
			if n.ReplacesID.String != r.ID {
				t.Error("the re-issue does not name the certificate before")
			}
		})
		t.Run("supersede", func(t *testing.T) {
			w := fresh(t)
			w.svc.Policy.Renewal.Supersede = true
			applicant, _, old := w.nearEnd(30)
			r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			must(t, err)
			must(t, w.issue(r.ID))
			c, err := s.Read().CertificateOfRegistration(ctx, old.ID)
			must(t, err)
			if w.reload(old.ID).Status != "Revoked" || c.RevocationReason != 4 {
				t.Errorf("the old one is at %s, reason %d", w.reload(old.ID).Status, c.RevocationReason)
			}
			if got := w.deliver(applicant.EmployeeID); got["certificate_revoked"] != 1 || got["certificate_issued"] != 2 {
				t.Errorf("mails %v", got)
			}
		})
		t.Run("texts that changed", func(t *testing.T) {
			w := fresh(t)
			applicant, _, _ := w.nearEnd(30)
			w.svc.Texts = newTexts{}
			_, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			wantError(t, "consent to the old text", err, enrolment.ErrConsent)
			a, err := newTexts{}.Current("agreement", "id")
			must(t, err)
			c := consent()
			c.Agreement = a.Hash
			r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), c)
			must(t, err)
			accepted, err := s.Read().AcceptancesOf(ctx, r.ID)
			must(t, err)
			for _, x := range accepted {
				if x.Kind == "agreement" && x.Version != "2" || x.Kind == "privacy" && x.Version != "1" {
					t.Errorf("accepted %s in version %s", x.Kind, x.Version)
				}
			}
		})
		t.Run("wrong passphrase counts", func(t *testing.T) {
			w := fresh(t)
			applicant, _, _ := w.nearEnd(30)
			_, err := w.svc.Renew(ctx, applicant, secret(t, "kuda lompat pagar besi baru 78"), consent())
			var wrong *enrolment.PassphraseError
			if !errors.As(err, &wrong) || wrong.Left != 4 || !errors.Is(err, credential.ErrWrongPassphrase) {
				t.Errorf("a wrong passphrase: %v", err)
			}
			if _, err := s.Read().OpenRegistration(ctx, applicant.EmployeeID); !store.IsNotFound(err) {
				t.Errorf("and yet a renewal: %v", err)
			}
		})
		t.Run("incomplete", func(t *testing.T) {
			w := fresh(t)
			applicant, _, _ := w.nearEnd(30)
			w.mu.Lock()
			w.complete[applicant.EmployeeID] = false
			w.mu.Unlock()
			_, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			wantError(t, "evidence that ran out", err, enrolment.ErrIncomplete)
		})
		t.Run("revoked meanwhile", func(t *testing.T) {
			w := fresh(t)
			w.svc.Policy.Renewal.Checks = enrolment.SecondCheck
			applicant, _, old := w.nearEnd(30)
			r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			must(t, err)
			must(t, w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, old.ID, enrolment.Revocation{Code: "key_compromise"}))
			if got := w.reload(r.ID).Status; got != "Cancelled" {
				t.Errorf("the renewal of a revoked certificate is at %s", got)
			}
			if _, err := s.Read().LiveCredential(ctx, r.ID); !store.IsNotFound(err) {
				t.Errorf("and its key lives: %v", err)
			}
		})
	})
}

// set gives an employee data that nobody is told of.
func (w *world) set(who audit.Actor, data string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data[who.EmployeeID] = data
}

// certify takes an applicant to a certificate.
func (w *world) certify(applicant audit.Actor) db.Registration {
	w.t.Helper()
	ctx := w.t.Context()
	r, err := w.svc.Submit(ctx, applicant)
	must(w.t, err)
	must(w.t, w.svc.Verify(ctx, w.officer(), w.all(r.ID)))
	_, err = w.svc.SetPassphrase(ctx, audit.Actor{AccountID: "link"}, w.lastToken(), secret(w.t, goodPassphrase))
	must(w.t, err)
	must(w.t, w.svc.Accept(ctx, audit.Actor{AccountID: "link"}, enrolment.LinkHolder, r.ID, consent()))
	must(w.t, w.svc.Approve(ctx, w.officer(), w.all(r.ID)))
	must(w.t, w.issue(r.ID))
	return w.reload(r.ID)
}

// newTexts has another agreement than texts.
type newTexts struct{}

func (newTexts) Current(kind, locale string) (enrolment.Text, error) {
	t, err := texts{}.Current(kind, locale)
	if kind == "agreement" {
		t.Body, t.Version = "another agreement", "2"
		h := sha256.Sum256([]byte(t.Body))
		t.Hash = h[:]
	}
	return t, err
}

// A renewal that comes to nothing leaves everything as it was, also the way to
// a new passphrase after a lock-out.
func TestFailedRenewalLeavesTheCertificate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		w.svc.Policy.Renewal.Checks = enrolment.BothChecks
		applicant, _, old := w.nearEnd(30)
		r, err := w.svc.RequestRenewal(ctx, applicant)
		must(t, err)
		must(t, w.svc.Cancel(ctx, applicant, r.ID))
		st, err := w.svc.StandingOf(context.WithoutCancel(ctx), applicant.EmployeeID)
		must(t, err)
		if st.Registration.ID != old.ID || st.Status != enrolment.Issue {
			t.Errorf("he stands at %s of %s", st.Status, st.Registration.Reference)
		}
		must(t, w.lockOut(old.ID))
		if reg, lost, err := w.svc.Resettable(ctx, applicant.EmployeeID); err != nil || !lost || reg.ID != old.ID {
			t.Errorf("after a lock-out: %v, %v", lost, err)
		}
		_, err = w.svc.ResetPIN(ctx, applicant, false)
		must(t, err)
	})
}
