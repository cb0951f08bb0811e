package enrolment_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/mail"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

func (w *world) certificate(id string) db.Certificate {
	w.t.Helper()
	c, err := w.store.Read().CertificateOfRegistration(w.t.Context(), id)
	must(w.t, err)
	return c
}

func (w *world) mailed(employee string, kind mail.Kind) int {
	w.t.Helper()
	all, err := w.store.Read().MailsOfEmployee(w.t.Context(), null(employee))
	must(w.t, err)
	n := 0
	for _, m := range all {
		if m.Kind == string(kind) {
			n++
		}
	}
	return n
}

var (
	lost  = enrolment.Reason{Code: "device_lost"}
	found = enrolment.Reason{Code: "device_found"}
	ended = enrolment.Revocation{Code: "cessation"}
)

func TestSuspension(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		journal, err := ca.OpenJournal(filepath.Join(t.TempDir(), "journal"), slog.New(slog.DiscardHandler))
		must(t, err)
		w.svc.Certificates = &ca.Register{Journal: journal}
		ctx := t.Context()
		applicant, _, officer, r := w.to(enrolment.Issue)
		self := enrolment.Checker{Actor: applicant}

		wantError(t, "no reason", w.svc.Suspend(ctx, self, enrolment.Applicant, r.ID, enrolment.Reason{Code: "cessation"}), enrolment.ErrReason)
		stranger := enrolment.Checker{Actor: w.employee(w.unit)}
		wantError(t, "a stranger", w.svc.Suspend(ctx, stranger, enrolment.Applicant, r.ID, lost), enrolment.ErrNotFound)
		wantError(t, "an officer of other units", w.svc.Suspend(ctx, w.officer(w.other), enrolment.Officer, r.ID, lost), enrolment.ErrNotFound)
		wantNotAllowed(t, "release of what is valid", w.svc.Reinstate(ctx, officer, enrolment.Officer, r.ID, found))

		must(t, w.svc.Suspend(ctx, self, enrolment.Applicant, r.ID, lost))
		c := w.certificate(r.ID)
		if !enrolment.Suspended(c) || w.mailed(r.EmployeeID, mail.KindCertificateSuspended) != 1 {
			t.Errorf("suspended: %v, mails %d", enrolment.Suspended(c), w.mailed(r.EmployeeID, mail.KindCertificateSuspended))
		}
		wantNotAllowed(t, "suspended twice", w.svc.Suspend(ctx, officer, enrolment.Officer, r.ID, lost))
		wantNotAllowed(t, "released by the subscriber", w.svc.Reinstate(ctx, self, enrolment.Applicant, r.ID, found))

		must(t, w.svc.Reinstate(ctx, officer, enrolment.Officer, r.ID, found))
		if c = w.certificate(r.ID); c.RevokedAt != 0 || w.mailed(r.EmployeeID, mail.KindCertificateReleased) != 1 {
			t.Errorf("released: revoked at %d", c.RevokedAt)
		}

		// A revocation out of a suspension counts from that, and is for good.
		must(t, w.svc.Suspend(ctx, self, enrolment.Applicant, r.ID, lost))
		since := w.certificate(r.ID).RevokedAt
		w.clock.Advance(time.Hour)
		must(t, w.svc.Revoke(ctx, self, enrolment.Applicant, r.ID, ended))
		if c = w.certificate(r.ID); c.RevokedAt != since || c.RevocationReason != 5 {
			t.Errorf("revoked at %d for %d, want %d for 5", c.RevokedAt, c.RevocationReason, since)
		}
		wantNotAllowed(t, "released after the revocation", w.svc.Reinstate(ctx, officer, enrolment.Officer, r.ID, found))
		changes, err := journal.Changes()
		must(t, err)
		var reasons []ca.Reason
		for _, x := range changes {
			reasons = append(reasons, x.Reason)
		}
		if want := []ca.Reason{ca.CertificateHold, ca.RemoveFromCRL, ca.CertificateHold, ca.CessationOfOperation}; !slices.Equal(reasons, want) {
			t.Errorf("the journal says %v, want %v", reasons, want)
		}
		if err := enrolment.VerifyHistory(ctx, s.Read(), r.ID); err != nil {
			t.Error(err)
		}
		if _, err := audit.Verify(ctx, s.Read()); err != nil {
			t.Error(err)
		}
	})
}

func wantNotAllowed(t *testing.T, what string, err error) {
	t.Helper()
	var no *enrolment.NotAllowedError
	if !errors.As(err, &no) {
		t.Errorf("%s: %v, want it refused", what, err)
	}
}

func TestTwoOfficersRevoke(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.svc.Policy.RevocationNeedsSecond = true
		ctx := t.Context()
		applicant, one, two, r := w.to(enrolment.Issue)
		why := enrolment.Revocation{Code: "privilege_withdrawn", Text: "Keputusan atasan."}
		wantError(t, "one officer alone", w.svc.Revoke(ctx, one, enrolment.Officer, r.ID, why), enrolment.ErrNeedsSecond)
		wantNotAllowed(t, "nothing to confirm", w.svc.ConfirmRevocation(ctx, two, r.ID))
		self := enrolment.Checker{Actor: applicant}
		wantError(t, "the subscriber as officer", w.svc.AskRevocation(ctx, self, r.ID, why), enrolment.ErrSamePerson)

		must(t, w.svc.AskRevocation(ctx, one, r.ID, why))
		if !enrolment.Suspended(w.certificate(r.ID)) {
			t.Error("the certificate is not suspended while the second officer decides")
		}
		wantError(t, "asked twice", w.svc.AskRevocation(ctx, two, r.ID, why), enrolment.ErrRevocationAsked)
		wantError(t, "confirmed by the same", w.svc.ConfirmRevocation(ctx, one, r.ID), enrolment.ErrSamePerson)
		wantError(t, "declined by the same", w.svc.DeclineRevocation(ctx, one, r.ID, "salah"), enrolment.ErrSamePerson)
		wantError(t, "confirmed by the subscriber", w.svc.ConfirmRevocation(ctx, self, r.ID), enrolment.ErrSamePerson)
		wantError(t, "released past the wish", w.svc.Reinstate(ctx, two, enrolment.Officer, r.ID, found), enrolment.ErrRevocationAsked)
		// The same by SQL: only the database is left to refuse.
		err := s.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "update revocation_request set state = 'confirmed', decided_by = requested_by where registration_id = $1", r.ID)
			return err
		})
		if !store.IsCheck(err) {
			t.Errorf("confirmed by the same officer by SQL: %v", err)
		}

		wantError(t, "declined without words", w.svc.DeclineRevocation(ctx, two, r.ID, ""), enrolment.ErrReason)
		must(t, w.svc.DeclineRevocation(ctx, two, r.ID, "Keputusan dibatalkan."))
		if c := w.certificate(r.ID); c.RevokedAt != 0 {
			t.Error("declined, and still suspended")
		}
		must(t, w.svc.AskRevocation(ctx, two, r.ID, why))
		must(t, w.svc.ConfirmRevocation(ctx, one, r.ID))
		if c := w.certificate(r.ID); c.RevocationReason != 9 || w.mailed(r.EmployeeID, mail.KindCertificateRevoked) != 1 {
			t.Errorf("confirmed: reason %d", c.RevocationReason)
		}

		// The subscriber need not wait for anybody.
		applicant, one, _, r = w.to(enrolment.Issue)
		must(t, w.svc.AskRevocation(ctx, one, r.ID, why))
		must(t, w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, r.ID, ended))
		if wish, err := w.svc.RevocationWish(ctx, r.ID); wish != nil || err != nil {
			t.Errorf("the wish still waits: %v, %v", wish, err)
		}
	})
}

func TestLeaversLoseTheirCertificates(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		_, _, _, r := w.to(enrolment.Issue)
		_, _, _, stays := w.to(enrolment.Issue)
		hr := audit.Actor{AccountID: "hr", Role: "hr_officer"}
		must(t, s.InTx(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, "update employee set active = false where id = $1", r.EmployeeID); err != nil {
				return err
			}
			return w.svc.EmployeeChanged(ctx, tx, r.EmployeeID, hr)
		}))
		if c := w.certificate(r.ID); c.RevocationReason != 5 || c.RevokedAt == 0 || w.mailed(r.EmployeeID, mail.KindCertificateRevoked) != 1 {
			t.Errorf("left: revoked at %d for %d", c.RevokedAt, c.RevocationReason)
		}
		if k, err := s.Read().GetCredential(ctx, w.certificate(r.ID).CredentialID); err != nil || len(k.Box) > 0 {
			t.Errorf("the key is still there: %v", err)
		}
		if c := w.certificate(stays.ID); c.RevokedAt != 0 {
			t.Error("somebody else's certificate was revoked")
		}
		// Leaving twice, or after the end, changes nothing.
		must(t, s.InTx(ctx, func(tx *store.Tx) error { return w.svc.EmployeeChanged(ctx, tx, r.EmployeeID, hr) }))

		// Who left unnoticed is found later.
		must(t, s.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "update employee set active = false where id = $1", stays.EmployeeID)
			return err
		}))
		if n, err := w.svc.RevokeLeavers(ctx); n != 1 || err != nil || w.certificate(stays.ID).RevokedAt == 0 {
			t.Errorf("found %d, %v", n, err)
		}
	})
}

func TestIncident(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		var all []db.Registration
		for range 4 {
			_, _, _, r := w.to(enrolment.Issue)
			all = append(all, r)
			w.clock.Advance(time.Hour)
		}
		suspended := enrolment.Checker{Actor: audit.Actor{AccountID: "admin"}}
		must(t, w.svc.Suspend(ctx, suspended, enrolment.Administrator, all[0].ID, lost))
		must(t, w.svc.Revoke(ctx, suspended, enrolment.Administrator, all[1].ID, ended))
		concerned := func(i enrolment.Incident) []string {
			t.Helper()
			rows, err := w.svc.Concerned(ctx, i, "")
			must(t, err)
			var ids []string
			for _, x := range rows {
				ids = append(ids, x.RegistrationID)
			}
			slices.Sort(ids)
			return ids
		}
		want := func(what string, got []string, rs ...db.Registration) {
			t.Helper()
			var ids []string
			for _, r := range rs {
				ids = append(ids, r.ID)
			}
			slices.Sort(ids)
			if !slices.Equal(got, ids) {
				t.Errorf("%s: %d certificates, want %d", what, len(got), len(ids))
			}
		}
		third := time.UnixMicro(w.certificate(all[2].ID).IssuedAt)
		want("all", concerned(enrolment.Incident{}), all[0], all[2], all[3])
		want("issued from", concerned(enrolment.Incident{IssuedFrom: third}), all[2], all[3])
		want("issued before", concerned(enrolment.Incident{IssuedBefore: third}), all[0])
		want("another CA", concerned(enrolment.Incident{Issuer: "other"}))
		want("another algorithm", concerned(enrolment.Incident{Algorithm: "other"}))
		want("unit above", concerned(enrolment.Incident{UnitID: w.root}), all[0], all[2], all[3])
		want("another unit", concerned(enrolment.Incident{UnitID: w.other}))
		want("serials", concerned(enrolment.Incident{Serials: []string{w.certificate(all[3].ID).Serial, w.certificate(all[1].ID).Serial}}), all[3])
		_, err := w.svc.Concerned(ctx, enrolment.Incident{Serials: []string{"ff"}}, "")
		wantError(t, "a serial that nobody has", err, enrolment.ErrNotFound)

		why := enrolment.Revocation{Code: "key_compromise", Text: "Insiden."}
		for _, r := range []db.Registration{all[0], all[2], all[3]} {
			if done, err := w.svc.RevokeConcerned(ctx, suspended, r.ID, why); !done || err != nil {
				t.Errorf("%v, %v", done, err)
			}
			if done, err := w.svc.RevokeConcerned(ctx, suspended, r.ID, why); done || err != nil {
				t.Errorf("again: %v, %v", done, err)
			}
			c := w.certificate(r.ID)
			if n, err := s.Read().IsBlocked(ctx, c.SpkiHash); c.RevocationReason != 1 || n != 1 || err != nil {
				t.Errorf("reason %d, key blocked %d, %v", c.RevocationReason, n, err)
			}
			if w.mailed(r.EmployeeID, mail.KindCertificateRevoked) != 1 {
				t.Error("the owner was not told")
			}
		}
		want("afterwards", concerned(enrolment.Incident{}))
	})
}
