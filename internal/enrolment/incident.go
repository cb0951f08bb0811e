package enrolment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Incident chooses the certificates that an incident concerns. Empty fields
// choose nothing away.
type Incident struct {
	Issuer       string    // name of the issuing CA
	IssuedFrom   time.Time // inclusive
	IssuedBefore time.Time // exclusive
	Algorithm    string    // of the key, as keys.Algorithm
	UnitID       string    // of the subscriber, with the units below
	Serials      []string  // lower-case hexadecimal; these and no others
}

// ErrNoFilter says that an incident chooses everything without saying so.
var ErrNoFilter = errors.New("the incident chooses no certificates")

// Concerned lists the certificates of an incident that are not revoked, a
// thousand at most behind a serial; suspended ones are among them.
func (s *Service) Concerned(ctx context.Context, i Incident, after string) ([]db.ConcernedCertificatesRow, error) {
	if len(i.Serials) > 0 {
		return s.named(ctx, i, after)
	}
	rows, err := s.Store.Read().ConcernedCertificates(ctx, db.ConcernedCertificatesParams{
		Issuer: i.Issuer, IssuedFrom: clock.Micros(i.IssuedFrom), IssuedBefore: clock.Micros(i.IssuedBefore),
		Algorithm: i.Algorithm, UnitID: i.UnitID, After: after,
	})
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	return rows, nil
}

// named is Concerned for serials that are given, all at once.
func (s *Service) named(ctx context.Context, i Incident, after string) ([]db.ConcernedCertificatesRow, error) {
	if after != "" {
		return nil, nil
	}
	var out []db.ConcernedCertificatesRow
	for _, serial := range i.Serials {
		c, err := s.Store.Read().GetCertificate(ctx, serial)
		if store.IsNotFound(err) {
			return nil, fmt.Errorf("certificate %s: %w", serial, ErrNotFound)
		}
		if err != nil {
			return nil, fmt.Errorf("read certificate %s: %w", serial, err)
		}
		if c.State == "issued" && (c.RevokedAt == 0 || Suspended(c)) {
			out = append(out, db.ConcernedCertificatesRow{Serial: c.Serial, RegistrationID: c.RegistrationID, Subject: c.Subject})
		}
	}
	return out, nil
}

// RevokeConcerned revokes a certificate in an incident, in a transaction of its
// own, so that a run that is cut off has done what it told and goes on where it
// stopped. It reports false when the certificate is revoked already. The owner
// is told by mail.
func (s *Service) RevokeConcerned(ctx context.Context, who Checker, registrationID string, why Revocation) (bool, error) {
	done := false
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		done, err = s.revokeConcerned(ctx, tx, who.Actor, registrationID, why)
		return err
	})
	return done, err
}

// RevokeLeavers revokes the certificates of employees who have left and still
// have one: data came in past the service, or a certificate was being issued
// just then. It returns how many people that were.
func (s *Service) RevokeLeavers(ctx context.Context) (int, error) {
	people, err := s.Store.Read().LeaversWithCertificates(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for leavers: %w", err)
	}
	for n, id := range people {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error { return s.leave(ctx, tx, id, audit.System("worker")) })
		if err != nil {
			return n, fmt.Errorf("revoke certificates of a leaver: %w", err)
		}
	}
	return len(people), nil
}
