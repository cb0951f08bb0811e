package ca

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"absah/internal/clock"
	"absah/internal/store/db"
)

// entries reads what a list says, row by row.
func (a *Authority) entries(ctx context.Context, name string, d draft) iter.Seq2[entry, error] {
	if d.part == delta {
		return a.deltaEntries(ctx, name, d)
	}
	return func(yield func(entry, error) bool) {
		ended := clock.Micros(d.spec.ThisUpdate.Add(-expiredKept))
		certificates := `select serial, revoked_at, revocation_reason from certificate where issuer = $1 and revoked_at > 0 and not_after > $2`
		digits := d.part.digits()
		if digits == nil {
			digits = []string{""}
		}
		for _, digit := range digits {
			query, args := certificates, []any{name, ended}
			if digit != "" {
				query, args = query+` and substr(serial, length(serial), 1) = $3`, append(args, digit)
			}
			if !a.rows(ctx, d, yield, query, args...) {
				return
			}
		}
		if !a.rows(ctx, d, yield, `select serial, revoked_at, revocation_reason from authority_certificate
			where issuer = $1 and revoked_at > 0 and not_after > $2`, name, ended) {
			return
		}
		a.rows(ctx, d, yield, `select serial, revoked_at, reason from revoked_elsewhere e where issuer = $1
			and not exists (select 1 from certificate c where c.serial = e.serial)`, name)
	}
}

// rows hands the rows of a query on and reports whether more are wanted.
func (a *Authority) rows(ctx context.Context, d draft, yield func(entry, error) bool, query string, args ...any) bool {
	rows, err := a.cfg.Store.ReadDB().QueryContext(ctx, query, args...)
	if err != nil {
		yield(entry{}, fmt.Errorf("read revocations: %w", err))
		return false
	}
	k, n, sharded := d.part.shard()
	var serial string
	var raw [maxSerialBytes]byte
	for rows.Next() {
		var at, reason int64
		if err = rows.Scan(&serial, &at, &reason); err != nil {
			break
		}
		if sharded && shardOf(serial, n) != k {
			continue
		}
		e, convErr := a.entry(raw[:], serial, at, reason, d)
		if convErr != nil {
			err = convErr
			break
		}
		if !yield(e, nil) {
			_ = rows.Close() // nobody wants the rest
			return false
		}
	}
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		yield(entry{}, fmt.Errorf("read revocations: %w", err))
		return false
	}
	return true
}

// entry converts a row; the octets of the serial go into raw.
func (a *Authority) entry(raw []byte, serial string, at, reason int64, d draft) (entry, error) {
	if len(serial)%2 != 0 || len(serial) > 2*len(raw) {
		return entry{}, fmt.Errorf("serial %q: %w", serial, ErrMalformed)
	}
	n, err := hex.Decode(raw, []byte(serial))
	if err != nil {
		return entry{}, fmt.Errorf("serial %q: %w", serial, ErrMalformed)
	}
	e := entry{serial: raw[:n], at: clock.FromMicros(at), reason: Reason(reason)}
	if e.at.After(d.spec.ThisUpdate) { // the clock of another process is ahead of ours
		e.at = d.spec.ThisUpdate
	}
	return e, nil
}

// deltaEntries are the certificates whose status changed since the complete
// list, as they are now. One that was released from a suspension is listed as
// removed, also when that began after the complete list (RFC 5280 5.2.4).
func (a *Authority) deltaEntries(ctx context.Context, name string, d draft) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		q := a.cfg.Store.Read()
		events, err := q.StatusEventsOf(ctx, db.StatusEventsOfParams{Issuer: name, After: d.since, Upto: d.upto})
		if err != nil {
			yield(entry{}, fmt.Errorf("read status events: %w", err))
			return
		}
		var order []string
		last := map[string]db.StatusEventsOfRow{}
		for _, e := range events {
			if _, ok := last[e.Serial]; !ok {
				order = append(order, e.Serial)
			}
			last[e.Serial] = e
		}
		var raw [maxSerialBytes]byte
		for _, serial := range order {
			e := last[serial]
			if Reason(e.Reason) != RemoveFromCRL {
				// As the complete list would say it: a revocation after a suspension
				// counts from that.
				if row, err := q.CertificateStatus(ctx, serial); err == nil && row.RevokedAt > 0 {
					e.At = row.RevokedAt
				}
			}
			out, err := a.entry(raw[:], serial, e.At, e.Reason, d)
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}
