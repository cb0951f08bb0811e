package enrolment_test

import (
	"context"
	"errors"
	"testing"

	"absah/internal/enrolment"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// held holds a transaction that revokes, with all that it wrote, until go on is
// closed. SQLite has one writer at a time, so that what follows is about PostgreSQL.
type held struct {
	enrolment.Courier
	there, goOn chan struct{}
}

func (h held) CertificateRevoked(ctx context.Context, tx *store.Tx, r db.Registration, c db.Certificate) error {
	close(h.there)
	<-h.goOn
	return h.Courier.CertificateRevoked(ctx, tx, r, c)
}

var compromised = enrolment.Revocation{Code: "key_compromise"}

// TestNobodyRenewsWhatIsBeingRevoked: a renewal that is asked for while the
// certificate is being revoked waits, and comes to nothing.
func TestNobodyRenewsWhatIsBeingRevoked(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	w := newWorld(t, s)
	ctx := t.Context()
	courier := w.svc.Courier
	for name, checks := range map[string]enrolment.Checks{"renew": enrolment.SecondCheck, "request": enrolment.BothChecks} {
		w.svc.Policy.Renewal.Checks = checks
		applicant, _, old := w.nearEnd(30)
		h := held{courier, make(chan struct{}), make(chan struct{})}
		w.svc.Courier = h
		revoked, renewed, done := make(chan error, 1), make(chan error, 1), make(chan struct{})
		go func() {
			revoked <- w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, old.ID, compromised)
		}()
		<-h.there
		go func() {
			defer close(done)
			var err error
			if checks == enrolment.BothChecks {
				_, err = w.svc.RequestRenewal(ctx, applicant)
			} else {
				_, err = w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
			}
			renewed <- err
		}()
		storetest.Blocked(t, s, 1, done)
		close(h.goOn)
		must(t, <-revoked)
		if err := <-renewed; !errors.Is(err, enrolment.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
		if r, err := s.Read().OpenRegistration(ctx, applicant.EmployeeID); !store.IsNotFound(err) {
			t.Errorf("%s: the renewal of a revoked certificate is at %s: %v", name, r.Status, err)
		}
		w.svc.Courier = courier
	}
}

// TestRevokedWhileTheRenewalIsApproved: whoever revokes is not refused because the
// renewal of the certificate went to the authority a moment before.
func TestRevokedWhileTheRenewalIsApproved(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Postgres(t))
	w := newWorld(t, s)
	ctx := t.Context()
	w.svc.Policy.Renewal.Checks = enrolment.SecondCheck
	applicant, _, old := w.nearEnd(30)
	r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
	must(t, err)
	revoked, done := make(chan error, 1), make(chan struct{})
	must(t, s.InTx(ctx, func(tx *store.Tx) error { // the officer's, before its commit
		if _, err := tx.LockRegistration(ctx, r.ID); err != nil {
			return err
		}
		go func() {
			defer close(done)
			revoked <- w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, old.ID, compromised)
		}()
		storetest.Blocked(t, s, 1, done)
		_, err := tx.Exec(ctx, "update registration set status = 'Issuing' where id = $1", r.ID)
		return err
	}))
	if err := <-revoked; err != nil {
		t.Errorf("revoke: %v", err)
	}
	if st := w.reload(old.ID).Status; st != "Revoked" {
		t.Errorf("the certificate is at %s", st)
	}
}

// TestRefusedRenewalOfWhatWasRevoked: the authority refuses to renew what was revoked
// meanwhile, and no officer is asked again.
func TestRefusedRenewalOfWhatWasRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		ctx := t.Context()
		applicant, _, old := w.nearEnd(30)
		r, err := w.svc.Renew(ctx, applicant, secret(t, goodPassphrase), consent())
		must(t, err)
		must(t, w.svc.Revoke(ctx, enrolment.Checker{Actor: applicant}, enrolment.Applicant, old.ID, compromised))
		if st := w.reload(r.ID).Status; st != "Issuing" {
			t.Fatalf("the renewal is at %s", st)
		}
		must(t, s.InTx(ctx, func(tx *store.Tx) error { return w.svc.Refused(ctx, tx, r.ID, "approval") }))
		if st := w.reload(r.ID).Status; st != "Cancelled" {
			t.Errorf("the renewal is at %s", st)
		}
		if _, err := s.Read().LiveCredential(ctx, r.ID); !store.IsNotFound(err) {
			t.Errorf("and its key lives: %v", err)
		}
	})
}
