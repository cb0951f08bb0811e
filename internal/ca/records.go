package ca

import (
	"context"
	"fmt"
	"sync"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The states of a row of the certificate table.
const (
	stateIntended  = "intended"  // recorded, perhaps signed, not handed out
	stateIssued    = "issued"    // signed and stored
	stateAbandoned = "abandoned" // will not be signed; revoked in case it was
)

// Records reads what the authority has done: for roles that publish and have
// no key. It is a StatusSource. It is safe for concurrent use.
type Records struct {
	store *store.Store

	mu   sync.Mutex
	crls map[string]CRL // the newest seen, by name of the CA
}

// NewRecords returns the records in s.
func NewRecords(s *store.Store) *Records { return &Records{store: s, crls: map[string]CRL{}} }

// CertStatus implements StatusSource. An intent without certificate is unknown;
// what is revoked is revoked, handed out or not.
func (r *Records) CertStatus(ctx context.Context, issuer, serial string) (CertStatus, error) {
	row, err := r.store.Read().CertificateStatus(ctx, serial)
	if store.IsNotFound(err) || (err == nil && row.Issuer != issuer) {
		return CertStatus{State: StateUnknown}, nil
	}
	if err != nil {
		return CertStatus{}, fmt.Errorf("read status of certificate: %w", err)
	}
	switch {
	case row.RevokedAt > 0:
		return CertStatus{State: StateRevoked, RevokedAt: clock.FromMicros(row.RevokedAt), Reason: Reason(row.RevocationReason)}, nil
	case row.State == stateIssued:
		return CertStatus{State: StateGood}, nil
	}
	return CertStatus{State: StateUnknown}, nil
}

// CRL is a certificate revocation list as published.
type CRL struct {
	DER        []byte
	Number     int64
	ThisUpdate time.Time
	NextUpdate time.Time
}

// CRL returns the newest published list of a CA, or ErrNotEstablished.
func (r *Records) CRL(ctx context.Context, name string) (CRL, error) {
	q := r.store.Read()
	number, err := q.LatestCRLNumber(ctx, name)
	if store.IsNotFound(err) {
		return CRL{}, fmt.Errorf("CRL of %s: %w", name, ErrNotEstablished)
	}
	if err != nil {
		return CRL{}, fmt.Errorf("read CRL of %s: %w", name, err)
	}
	r.mu.Lock()
	known, ok := r.crls[name]
	r.mu.Unlock()
	if ok && known.Number == number { // the list may have megabytes: it is read once
		return known, nil
	}
	row, err := q.LatestCRL(ctx, name)
	if err != nil {
		return CRL{}, fmt.Errorf("read CRL of %s: %w", name, err)
	}
	list := CRL{DER: row.Der, Number: row.Number, ThisUpdate: clock.FromMicros(row.ThisUpdate), NextUpdate: clock.FromMicros(row.NextUpdate)}
	r.mu.Lock()
	r.crls[name] = list
	r.mu.Unlock()
	return list, nil
}

// Certificate returns the row of an issued certificate, or ErrNoCertificate.
func (r *Records) Certificate(ctx context.Context, serial string) (db.Certificate, error) {
	return issued(r.store.Read().GetCertificate(ctx, serial))
}

// CertificateOf returns the certificate of a registration, or ErrNoCertificate.
func (r *Records) CertificateOf(ctx context.Context, registrationID string) (db.Certificate, error) {
	return issued(r.store.Read().CertificateOfRegistration(ctx, registrationID))
}

// CertificatesOf returns the certificates of an employee, the newest first.
func (r *Records) CertificatesOf(ctx context.Context, employeeID string) ([]db.Certificate, error) {
	rows, err := r.store.Read().CertificatesOfEmployee(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	out := rows[:0]
	for _, c := range rows {
		if c.State == stateIssued {
			out = append(out, c)
		}
	}
	return out, nil
}

func issued(c db.Certificate, err error) (db.Certificate, error) {
	if store.IsNotFound(err) || (err == nil && c.State != stateIssued) {
		return db.Certificate{}, ErrNoCertificate
	}
	if err != nil {
		return db.Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return c, nil
}
