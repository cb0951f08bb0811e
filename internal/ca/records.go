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
	crls map[string]CRL // the newest seen, by name of the list
}

// NewRecords returns the records in s.
func NewRecords(s *store.Store) *Records { return &Records{store: s, crls: map[string]CRL{}} }

// CertStatus implements StatusSource. An intent without certificate is unknown;
// what is revoked is revoked, handed out or not.
func (r *Records) CertStatus(ctx context.Context, issuer, serial string) (CertStatus, error) {
	q := r.store.Read()
	row, err := q.CertificateStatus(ctx, serial)
	if store.IsNotFound(err) {
		return r.ownStatus(ctx, issuer, serial)
	}
	if err != nil {
		return CertStatus{}, fmt.Errorf("read status of certificate: %w", err)
	}
	switch {
	case row.Issuer != issuer:
		return CertStatus{State: StateUnknown}, nil
	case row.RevokedAt > 0:
		return revokedStatus(row.RevokedAt, row.RevocationReason), nil
	case row.State == stateIssued:
		return CertStatus{State: StateGood}, nil
	}
	return CertStatus{State: StateUnknown}, nil
}

func revokedStatus(at, reason int64) CertStatus {
	return CertStatus{State: StateRevoked, RevokedAt: clock.FromMicros(at), Reason: Reason(reason)}
}

// ownStatus is the status of a certificate that is no subscriber's: one of the
// authority's services, or one that a restored database does not know.
func (r *Records) ownStatus(ctx context.Context, issuer, serial string) (CertStatus, error) {
	q := r.store.Read()
	own, err := q.AuthorityCertificateStatus(ctx, serial)
	switch {
	case err == nil && own.Issuer == issuer && own.RevokedAt > 0:
		return revokedStatus(own.RevokedAt, own.RevocationReason), nil
	case err == nil && own.Issuer == issuer:
		return CertStatus{State: StateGood}, nil
	case err != nil && !store.IsNotFound(err):
		return CertStatus{}, fmt.Errorf("read status of certificate: %w", err)
	}
	gone, err := q.RevokedElsewhere(ctx, serial)
	switch {
	case err == nil && gone.Issuer == issuer:
		return revokedStatus(gone.RevokedAt, gone.Reason), nil
	case err != nil && !store.IsNotFound(err):
		return CertStatus{}, fmt.Errorf("read status of certificate: %w", err)
	}
	return CertStatus{State: StateUnknown}, nil
}

// StatusChanges implements ChangeSource.
func (r *Records) StatusChanges(ctx context.Context, after int64, most int) ([]StatusChange, int64, error) {
	rows, err := r.store.Read().StatusEventsAfter(ctx, db.StatusEventsAfterParams{After: after, MaxRows: int32(most)})
	if err != nil {
		return nil, after, fmt.Errorf("read status events: %w", err)
	}
	out := make([]StatusChange, len(rows))
	for i, e := range rows {
		out[i] = StatusChange{Issuer: e.Issuer, Serial: e.Serial, At: clock.FromMicros(e.At), Reason: Reason(e.Reason)}
		after = e.Seq
	}
	return out, after, nil
}

// LastStatusChange implements ChangeSource.
func (r *Records) LastStatusChange(ctx context.Context) (int64, error) {
	n, err := r.store.Read().LastStatusEvent(ctx)
	if err != nil {
		return 0, fmt.Errorf("read status events: %w", err)
	}
	return n, nil
}

// ValidSerials implements ChangeSource.
func (r *Records) ValidSerials(ctx context.Context, issuer, after string, now time.Time, most int) ([]string, error) {
	rows, err := r.store.Read().ValidSerials(ctx, db.ValidSerialsParams{
		Issuer: issuer, After: after, Now: clock.Micros(now), MaxRows: int32(most),
	})
	if err != nil {
		return nil, fmt.Errorf("list valid certificates: %w", err)
	}
	return rows, nil
}

// CRL is a certificate revocation list as published.
type CRL struct {
	DER        []byte
	Number     int64
	ThisUpdate time.Time
	NextUpdate time.Time
}

// CRL returns the newest published list by name, as "ca-issuing",
// "ca-issuing.delta" and "ca-issuing.0of4", or ErrNotEstablished.
func (r *Records) CRL(ctx context.Context, name string) (CRL, error) {
	q := r.store.Read()
	issuer, p := splitListName(name)
	head, err := q.LatestListHead(ctx, db.LatestListHeadParams{Issuer: issuer, List: string(p)})
	if store.IsNotFound(err) {
		return CRL{}, fmt.Errorf("CRL of %s: %w", name, ErrNotEstablished)
	}
	if err != nil {
		return CRL{}, fmt.Errorf("read CRL of %s: %w", name, err)
	}
	r.mu.Lock()
	known, ok := r.crls[name]
	r.mu.Unlock()
	if ok && known.Number == head.Number { // the list may have megabytes: it is read once
		return known, nil
	}
	row, err := q.LatestList(ctx, db.LatestListParams{Issuer: issuer, List: string(p)})
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
