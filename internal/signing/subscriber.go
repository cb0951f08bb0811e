package signing

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// subscriber is an employee with what he signs with.
type subscriber struct {
	employee    db.Employee
	credential  db.Credential
	certificate db.Certificate
	parsed      *x509.Certificate
}

// usable says whether a certificate may be signed with at a time. It fails with
// *SuspendedError, *RevokedError, *ExpiredError or *NotYetError.
func usable(c db.Certificate, now time.Time) error {
	switch {
	case c.RevokedAt > 0 && c.RevocationReason == int64(ca.CertificateHold):
		return &SuspendedError{Since: clock.FromMicros(c.RevokedAt)}
	case c.RevokedAt > 0:
		return &RevokedError{At: clock.FromMicros(c.RevokedAt), Reason: int(c.RevocationReason)}
	case now.Before(clock.FromMicros(c.NotBefore)):
		return &NotYetError{From: clock.FromMicros(c.NotBefore)}
	case now.After(clock.FromMicros(c.NotAfter)):
		return &ExpiredError{At: clock.FromMicros(c.NotAfter)}
	}
	return nil
}

// subscriber finds what an employee signs with. It fails with ErrNotFound,
// ErrInactive, ErrNoCertificate and as usable does.
func (s *Service) subscriber(ctx context.Context, q *db.Queries, employeeID string) (subscriber, error) {
	var out subscriber
	var err error
	out.employee, err = q.GetEmployee(ctx, employeeID)
	if store.IsNotFound(err) {
		return out, ErrNotFound
	}
	if err != nil {
		return out, fmt.Errorf("read employee: %w", err)
	}
	if !out.employee.Active {
		return out, ErrInactive
	}
	r, err := q.IssuedRegistration(ctx, employeeID)
	if store.IsNotFound(err) {
		return out, s.whyNone(ctx, q, employeeID)
	}
	if err != nil {
		return out, fmt.Errorf("look for the certificate: %w", err)
	}
	if out.certificate, err = q.CertificateOfRegistration(ctx, r.ID); err != nil {
		return out, fmt.Errorf("read certificate: %w", err)
	}
	if err := usable(out.certificate, s.now()); err != nil {
		return out, err
	}
	if out.credential, err = q.LiveCredential(ctx, r.ID); err != nil {
		return out, fmt.Errorf("look for the key: %w", err)
	}
	if out.parsed, err = x509.ParseCertificate(out.certificate.Der); err != nil {
		return out, fmt.Errorf("read certificate %s: %w", out.certificate.Serial, err)
	}
	return out, nil
}

// whyNone says what became of the last certificate of somebody who has none.
func (s *Service) whyNone(ctx context.Context, q *db.Queries, employeeID string) error {
	rows, err := q.CertificatesOfEmployee(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read certificates: %w", err)
	}
	for _, c := range rows {
		if len(c.Der) == 0 {
			continue // intended and not signed
		}
		if err := usable(c, s.now()); err != nil {
			return err
		}
		break
	}
	return ErrNoCertificate
}

// sealedOf is the key of a row.
func sealedOf(c db.Credential) credential.Sealed {
	return credential.Sealed{
		KeyID: c.ID, Owner: c.EmployeeID, Generation: c.Generation, Alg: keys.Algorithm(c.Algorithm),
		Salt: c.Salt, ParamsVersion: int(c.ParamsVersion), PepperVersion: int(c.PepperVersion),
		SPKI: c.Spki, CSR: c.Csr, Box: c.Box, RowMAC: c.RowMac,
	}
}

// Standing is whether somebody can sign now, as pages say it beforehand.
type Standing struct {
	// Err says why not: what Authorize would fail with before any passphrase.
	Err error
	// Certificate that is signed with.
	Name, Serial, Issuer string
	NotAfter             time.Time
	CredentialID         string
	// Left passphrases may be wrong until the key is locked for a time,
	// LeftForGood until it is for ever.
	Left, LeftForGood int
}

// Standing tells whether an employee can sign.
func (s *Service) Standing(ctx context.Context, employeeID string) (Standing, error) {
	q := s.Store.Read()
	sub, err := s.subscriber(ctx, q, employeeID)
	if err != nil {
		if Problem(err) == "internal" {
			return Standing{}, err
		}
		return Standing{Err: err}, nil
	}
	a, err := s.Ledger.Decode(ctx, sub.credential.ID, sub.credential.Attempts)
	if err != nil {
		return Standing{}, err
	}
	out := Standing{
		Name: sub.employee.Name, Serial: sub.certificate.Serial, Issuer: sub.parsed.Issuer.CommonName, NotAfter: sub.parsed.NotAfter, CredentialID: sub.credential.ID,
		Left: a.Left(s.now()), LeftForGood: a.LeftForGood(s.now()), Err: s.reliable(ctx),
	}
	if err := a.Check(s.now()); err != nil && out.Err == nil {
		out.Err = err
	}
	return out, nil
}
