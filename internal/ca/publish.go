package ca

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// How long lists are valid. That of the issuing CA is made anew at half its
// life and at every revocation, so a change of status is in the list at once
// and in no list in use after 24 hours (EN 319 411-1 6.2.4).
const (
	issuingCRLLife = 24 * time.Hour
	rootCRLLife    = 180 * 24 * time.Hour
	// expiredKept: a certificate stays in the list for a while after its end,
	// so that it was in at least one list after it (RFC 5280 3.3).
	expiredKept = 30 * 24 * time.Hour
)

func crlLife(name string) time.Duration {
	if name == string(RootCA) {
		return rootCRLLife
	}
	return issuingCRLLife
}

// PublishCRL makes and publishes the next CRL of a CA by name. It is a
// store.Handler: it may run at any time and any number of times, and the number
// grows with every list. The number is reserved durably before the signature;
// it is above all numbers in the database and in the file of the last list, so
// that a restored database does not repeat one. After publication the list is
// read back.
func (a *Authority) PublishCRL(ctx context.Context, name string) error {
	signer, ok := a.crls[name]
	if !ok {
		return fmt.Errorf("publish CRL of %q: %w", name, ErrNotEstablished)
	}
	floor, err := a.crlFileNumber(name)
	if err != nil {
		return fmt.Errorf("publish CRL of %s: %w", name, err)
	}
	list, entries, err := a.reserve(ctx, name, floor)
	if err != nil {
		return fmt.Errorf("publish CRL of %s: %w", name, err)
	}
	list.DER, err = signer.BuildCRL(ctx, entries, list.Number, list.ThisUpdate, list.NextUpdate)
	if err != nil {
		return fmt.Errorf("publish CRL of %s: %w", name, err)
	}
	err = a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := audit.TakeTurn(ctx, tx); err != nil {
			return err
		}
		n, err := tx.PublishCRL(ctx, db.PublishCRLParams{Issuer: name, Number: list.Number, Der: list.DER})
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("number %d is not reserved: %w", list.Number, ErrCRLNumber)
		}
		err = audit.Record(ctx, tx, a.cfg.Clock(), audit.System("ca"), audit.Entry{
			Action: "crl.publish", ObjectKind: "crl", ObjectID: name,
			Detail: map[string]string{"number": strconv.FormatInt(list.Number, 10), "der_sha256": hexHash(list.DER)},
		})
		if err != nil {
			return err
		}
		// In our turn at the audit record, so that no other process replaces
		// the file by an older list. Should the commit fail, the file is ahead
		// of the database, and the next number above both.
		return a.crlFile(name, list)
	})
	if err != nil {
		return fmt.Errorf("publish CRL %d of %s: %w", list.Number, name, err)
	}
	a.cfg.Log.InfoContext(ctx, "CRL published", "ca", name, "number", list.Number, "entries", len(entries))
	return nil
}

// reserve takes the next number and, in the same transaction, what the list
// will say, so that a list of a higher number never says less. Processes take
// turns.
func (a *Authority) reserve(ctx context.Context, name string, floor int64) (CRL, []RevokedEntry, error) {
	var list CRL
	var entries []RevokedEntry
	err := a.cfg.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := audit.TakeTurn(ctx, tx); err != nil {
			return err
		}
		now := a.cfg.Clock()
		err := audit.Record(ctx, tx, now, audit.System("ca"), audit.Entry{Action: "crl.intend", ObjectKind: "crl", ObjectID: name})
		if err != nil {
			return err
		}
		list = CRL{ThisUpdate: now.Truncate(time.Second)}
		list.NextUpdate = list.ThisUpdate.Add(crlLife(name))
		list.Number, err = tx.ReserveCRLNumber(ctx, db.ReserveCRLNumberParams{
			Issuer: name, Floor: floor, ThisUpdate: clock.Micros(list.ThisUpdate), NextUpdate: clock.Micros(list.NextUpdate),
		})
		if err != nil {
			return fmt.Errorf("reserve number: %w", err)
		}
		rows, err := tx.RevokedCertificates(ctx, db.RevokedCertificatesParams{
			Issuer: name, NotAfter: clock.Micros(list.ThisUpdate.Add(-expiredKept)),
		})
		if err != nil {
			return fmt.Errorf("read revocations: %w", err)
		}
		entries, err = toEntries(rows, list.ThisUpdate)
		return err
	})
	return list, entries, err
}

func toEntries(rows []db.RevokedCertificatesRow, thisUpdate time.Time) ([]RevokedEntry, error) {
	entries := make([]RevokedEntry, 0, len(rows))
	for _, r := range rows {
		serial, ok := new(big.Int).SetString(r.Serial, 16)
		if !ok {
			return nil, fmt.Errorf("serial %q: %w", r.Serial, ErrMalformed)
		}
		at := clock.FromMicros(r.RevokedAt)
		if at.After(thisUpdate) { // the clock of another process is ahead of ours
			at = thisUpdate
		}
		entries = append(entries, RevokedEntry{Serial: serial, At: at, Reason: Reason(r.RevocationReason)})
	}
	return entries, nil
}

func (a *Authority) crlPath(name string) string {
	return filepath.Join(a.cfg.Hierarchy.Dir, name+".crl")
}

// crlFileNumber is the number of the list in the file, 0 when there is none.
func (a *Authority) crlFileNumber(name string) (int64, error) {
	der, err := os.ReadFile(a.crlPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return CRLNumber(der)
}

// crlFile puts a list where file servers find it, and reads it back.
func (a *Authority) crlFile(name string, list CRL) error {
	n, err := a.crlFileNumber(name)
	if err != nil {
		return err
	}
	if n > list.Number {
		return nil // a newer list was signed and published meanwhile
	}
	if err := replace(a.crlPath(name), list.DER); err != nil {
		return err
	}
	back, err := os.ReadFile(a.crlPath(name))
	if err != nil {
		return err
	}
	if !bytes.Equal(back, list.DER) {
		return fmt.Errorf("read back %s.crl: %w", name, ErrCRLNumber)
	}
	return nil
}

// Upkeep does what is due by the clock: it renews the certificate of the OCSP
// responder and publishes CRLs that have lived half their life. Run it every
// few minutes and once at start.
func (a *Authority) Upkeep(ctx context.Context) error {
	_, err := a.cfg.Hierarchy.RenewResponder(ctx, a.cfg.Clock)
	for name := range a.crls {
		err = errors.Join(err, a.publishIfDue(ctx, name))
	}
	return err
}

func (a *Authority) publishIfDue(ctx context.Context, name string) error {
	row, err := a.cfg.Store.Read().LatestCRL(ctx, name)
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("read CRL of %s: %w", name, err)
	}
	left := clock.FromMicros(row.NextUpdate).Sub(a.cfg.Clock())
	if err == nil && left > crlLife(name)/2 && left <= crlLife(name) {
		return nil
	}
	return a.PublishCRL(ctx, name)
}

// Rehearse shows that the authority could issue now (Issuer.Rehearse).
func (a *Authority) Rehearse() error { return a.issuer.Rehearse() }

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
