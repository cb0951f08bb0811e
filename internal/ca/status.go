package ca

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Register is the one door through which the revocation status of certificates
// changes. From the commit of the caller's transaction on, OCSP tells the new
// status; the next CRL is ordered in it. A revocation stands for good: nothing
// but a suspension ever ends, and what was revoked once is revoked again after a
// restore of an older database (Reconcile).
//
// The zero value and nil keep no journal, for tests and tools whose database is
// all there is.
type Register struct {
	Journal *Journal
}

// Revoke revokes a certificate. It fails with ErrReason, and with
// ErrNoCertificate when the certificate is revoked already; a suspended one is
// revoked as of its suspension. A compromised key is blocked for good. What this
// means for the registration is the caller's business.
func (r *Register) Revoke(ctx context.Context, tx *store.Tx, c db.Certificate, why Reason, at time.Time) error {
	if !why.Valid() {
		return fmt.Errorf("revoke %s: %w: %d", c.Serial, ErrReason, int(why))
	}
	n, err := tx.RevokeCertificate(ctx, db.RevokeCertificateParams{Serial: c.Serial, RevokedAt: clock.Micros(at), RevocationReason: int64(why)})
	if err == nil && n == 0 {
		n, err = tx.RevokeHeldCertificate(ctx, db.RevokeHeldCertificateParams{Serial: c.Serial, RevocationReason: int64(why)})
	}
	if err != nil {
		return fmt.Errorf("revoke %s: %w", c.Serial, err)
	}
	if n == 0 {
		return fmt.Errorf("revoke %s: %w, or it is revoked already", c.Serial, ErrNoCertificate)
	}
	if why == KeyCompromise {
		err := tx.BlockKey(ctx, db.BlockKeyParams{SpkiHash: c.SpkiHash, Reason: why.String(), CreatedAt: clock.Micros(at)})
		if err != nil {
			return fmt.Errorf("block key of %s: %w", c.Serial, err)
		}
	}
	return r.note(ctx, tx, StatusChange{c.Issuer, c.Serial, at, why})
}

// Hold suspends a certificate (certificateHold). It fails with ErrNoCertificate
// when it is revoked or suspended already.
func (r *Register) Hold(ctx context.Context, tx *store.Tx, c db.Certificate, at time.Time) error {
	n, err := tx.HoldCertificate(ctx, db.HoldCertificateParams{Serial: c.Serial, RevokedAt: clock.Micros(at)})
	if err != nil {
		return fmt.Errorf("suspend %s: %w", c.Serial, err)
	}
	if n == 0 {
		return fmt.Errorf("suspend %s: %w, or it is revoked already", c.Serial, ErrNoCertificate)
	}
	return r.note(ctx, tx, StatusChange{c.Issuer, c.Serial, at, CertificateHold})
}

// Release ends a suspension. It fails with ErrNoCertificate when there is none:
// nothing else can be undone.
func (r *Register) Release(ctx context.Context, tx *store.Tx, c db.Certificate, at time.Time) error {
	n, err := tx.ReleaseCertificate(ctx, c.Serial)
	if err != nil {
		return fmt.Errorf("release %s: %w", c.Serial, err)
	}
	if n == 0 {
		return fmt.Errorf("release %s: %w, or it is not suspended", c.Serial, ErrNoCertificate)
	}
	return r.note(ctx, tx, StatusChange{c.Issuer, c.Serial, at, RemoveFromCRL})
}

// note orders a new CRL and leaves a change to the end of the transaction, when
// the events are numbered.
func (r *Register) note(ctx context.Context, tx *store.Tx, c StatusChange) error {
	e := store.AtEnd(tx, eventsKey{}, func(tx *store.Tx) *events {
		e := &events{tx: tx}
		if r != nil {
			e.journal = r.Journal
		}
		return e
	})
	first := true
	for _, known := range e.changes {
		first = first && known.Issuer != c.Issuer
	}
	e.changes = append(e.changes, c)
	if !first {
		return nil
	}
	return tx.Enqueue(ctx, store.Job{Kind: JobPublishCRL, ID: c.Issuer})
}

type eventsKey struct{}

// events are the changes of one transaction.
type events struct {
	tx      *store.Tx
	journal *Journal
	changes []StatusChange
}

// End numbers the changes in the order of commits, and writes the journal last
// of all.
func (e *events) End(ctx context.Context) error {
	if err := audit.TakeTurn(ctx, e.tx); err != nil {
		return err
	}
	for _, c := range e.changes {
		_, err := e.tx.AppendStatusEvent(ctx, db.AppendStatusEventParams{
			Issuer: c.Issuer, Serial: c.Serial, At: clock.Micros(c.At), Reason: int64(c.Reason),
		})
		if err != nil {
			return fmt.Errorf("record status of %s: %w", c.Serial, err)
		}
	}
	if e.journal == nil {
		return nil
	}
	return e.journal.Append(e.changes)
}

// Reconcile makes the database say what the journal does: certificates that were
// revoked or suspended are so again, also those that a database restored from an
// older copy does not know. A suspension that the journal says has ended stays
// where the database has one; people release it. It returns how many changes it
// made. Run it at start, before anything is published.
func (r *Register) Reconcile(ctx context.Context, s *store.Store, now clock.Clock) (int, error) {
	if r == nil || r.Journal == nil {
		return 0, nil
	}
	all, err := r.Journal.Changes()
	if err != nil {
		return 0, err
	}
	last := map[string]StatusChange{}
	for _, c := range all {
		// A revocation is the last word, whatever order two processes wrote in.
		if before, ok := last[c.Serial]; ok && before.Reason.Valid() {
			continue
		}
		last[c.Serial] = c
	}
	return r.apply(ctx, s, now, last)
}

// apply brings back what is in last and not in the database.
func (r *Register) apply(ctx context.Context, s *store.Store, now clock.Clock, last map[string]StatusChange) (int, error) {
	made := 0
	for _, c := range last {
		if c.Reason == RemoveFromCRL {
			continue
		}
		known, err := stands(ctx, s.Read(), c)
		if err != nil {
			return made, err
		}
		if known {
			continue
		}
		err = s.InTx(ctx, func(tx *store.Tx) error {
			err := r.restore(ctx, tx, c)
			if err != nil {
				return err
			}
			return audit.Record(ctx, tx, now(), audit.System("ca"), audit.Entry{
				Action: "certificate.reconcile", ObjectKind: "certificate", ObjectID: c.Serial,
				Detail: map[string]string{"reason": c.Reason.String(), "at": c.At.Format(time.RFC3339)},
			})
		})
		if err != nil {
			return made, fmt.Errorf("reconcile %s: %w", c.Serial, err)
		}
		made++
	}
	return made, nil
}

// stands reports whether the database says c, or more.
func stands(ctx context.Context, q *db.Queries, c StatusChange) (bool, error) {
	row, err := q.CertificateStatus(ctx, c.Serial)
	if err == nil {
		held := row.RevokedAt > 0 && Reason(row.RevocationReason) == CertificateHold
		return row.RevokedAt > 0 && (!held || c.Reason == CertificateHold), nil
	}
	if !store.IsNotFound(err) {
		return false, fmt.Errorf("read status of %s: %w", c.Serial, err)
	}
	if own, err := q.AuthorityCertificateStatus(ctx, c.Serial); err == nil {
		return own.RevokedAt > 0, nil
	} else if !store.IsNotFound(err) {
		return false, fmt.Errorf("read status of %s: %w", c.Serial, err)
	}
	_, err = q.RevokedElsewhere(ctx, c.Serial)
	if err != nil && !store.IsNotFound(err) {
		return false, fmt.Errorf("read status of %s: %w", c.Serial, err)
	}
	return err == nil, nil
}

func (r *Register) restore(ctx context.Context, tx *store.Tx, c StatusChange) error {
	row, err := tx.GetCertificate(ctx, c.Serial)
	switch {
	case err == nil && c.Reason == CertificateHold:
		return r.Hold(ctx, tx, row, c.At)
	case err == nil:
		return r.Revoke(ctx, tx, row, c.Reason, c.At)
	case !store.IsNotFound(err):
		return err
	}
	n, err := tx.RevokeAuthorityCertificate(ctx, db.RevokeAuthorityCertificateParams{
		Serial: c.Serial, RevokedAt: clock.Micros(c.At), RevocationReason: int64(c.Reason),
	})
	if err == nil && n == 0 {
		_, err = tx.RevokeElsewhere(ctx, db.RevokeElsewhereParams{
			Serial: c.Serial, Issuer: c.Issuer, RevokedAt: clock.Micros(c.At), Reason: int64(c.Reason),
		})
	}
	return errors.Join(err, r.note(ctx, tx, c))
}

func (r *Register) journal() *Journal {
	if r == nil {
		return nil
	}
	return r.Journal
}

// Reconcile does what Register.Reconcile does from the lists that were
// published: a database that is behind the file of a list has lost revocations
// that everybody was told of. Suspensions are not brought back: whether they
// have ended is not in a list.
func (a *Authority) Reconcile(ctx context.Context) (int, error) {
	made := 0
	for name := range a.crls {
		head, err := a.head(ctx, name, whole)
		if err != nil {
			return made, err
		}
		der, err := os.ReadFile(a.crlPath(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return made, err
		}
		list, err := parseList(der)
		if err != nil {
			return made, fmt.Errorf("read %s.crl: %w", name, err)
		}
		if list.number <= head.Number {
			continue
		}
		last := map[string]StatusChange{}
		for e, err := range list.all() {
			if err != nil {
				return made, fmt.Errorf("read %s.crl: %w", name, err)
			}
			if e.reason != CertificateHold {
				serial := fmt.Sprintf("%x", e.serial)
				last[serial] = StatusChange{Issuer: name, Serial: serial, At: e.at, Reason: e.reason}
			}
		}
		n, err := a.cfg.Status.apply(ctx, a.cfg.Store, a.cfg.Clock, last)
		made += n
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// RevokeOwn revokes a certificate of the authority itself: of an issuing CA, a
// responder, the time-stamping unit or the seal. It fails with ErrReason, and
// with ErrNoCertificate when it is revoked already.
func (r *Register) RevokeOwn(ctx context.Context, tx *store.Tx, issuer, serial string, why Reason, at time.Time) error {
	if !why.Valid() {
		return fmt.Errorf("revoke %s: %w: %d", serial, ErrReason, int(why))
	}
	n, err := tx.RevokeAuthorityCertificate(ctx, db.RevokeAuthorityCertificateParams{
		Serial: serial, RevokedAt: clock.Micros(at), RevocationReason: int64(why),
	})
	if err != nil {
		return fmt.Errorf("revoke %s: %w", serial, err)
	}
	if n == 0 {
		return fmt.Errorf("revoke %s: %w, or it is revoked already", serial, ErrNoCertificate)
	}
	return r.note(ctx, tx, StatusChange{issuer, serial, at, why})
}
