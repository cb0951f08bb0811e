package enrolment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/reseal"
	"absah/internal/store"
	"absah/internal/store/db"
)

// SealedColumns are the columns that hold what the vault sealed.
func SealedColumns() []reseal.Column {
	return []reseal.Column{{
		Table: "registration", Key: []string{"id"}, Column: "snapshot", Name: keys.Data,
		Bound: func(key []string) []byte { return snapshotContext(key[0]) },
	}}
}

// MACs authenticates the rows of subscribers' keys.
type MACs struct {
	Store  *store.Store
	Sealer *credential.Sealer
	Ledger *credential.Ledger
	Log    *slog.Logger
}

// Renew authenticates every row of a subscriber's key and its attempts under
// the newest version of the vault's key. A row that was altered stays as it is
// and is logged. It is a reseal.Pass.
func (m MACs) Renew(ctx context.Context, _ int) (int, error) {
	found, after := 0, ""
	for {
		ids, err := m.next(ctx, after)
		if err != nil || len(ids) == 0 {
			return found, err
		}
		after = ids[len(ids)-1]
		for _, id := range ids {
			changed, err := m.renew(ctx, id)
			if errors.Is(err, credential.ErrCorrupt) {
				m.Log.Error("the row of a subscriber's key was altered", "credential", id)
				continue
			}
			if err != nil {
				return found, err
			}
			if changed {
				found++
			}
		}
	}
}

func (m MACs) next(ctx context.Context, after string) (ids []string, err error) {
	rows, err := m.Store.ReadDB().QueryContext(ctx, `select id from credential where id > $1 order by id limit 100`, after)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (m MACs) renew(ctx context.Context, id string) (changed bool, err error) {
	err = m.Store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockCredential(ctx, id)
		if err != nil {
			return fmt.Errorf("lock key %s: %w", id, err)
		}
		row, rowChanged, err := m.Sealer.Reauthenticate(ctx, sealedOf(c))
		if err != nil {
			return err
		}
		attempts, attemptsChanged, err := m.Ledger.Renew(ctx, id, c.Attempts)
		if err != nil {
			return err
		}
		if changed = rowChanged || attemptsChanged; !changed {
			return nil
		}
		if _, err := tx.Exec(ctx, `update credential set row_mac = $1, attempts = $2 where id = $3`, row.RowMAC, attempts, id); err != nil {
			return fmt.Errorf("write key %s: %w", id, err)
		}
		return nil
	})
	return changed, err
}

// StoreRenewed stores what credential.Sealer.OpenRenewing gave, once
// Guard.Unlock returned nil, and tells whether it did: when the passphrase was
// changed meanwhile that stays.
func StoreRenewed(ctx context.Context, tx *store.Tx, who audit.Actor, now time.Time, next credential.Sealed) (bool, error) {
	n, err := tx.RewrapCredential(ctx, db.RewrapCredentialParams{
		ID: next.KeyID, Generation: next.Generation, OldGeneration: next.Generation - 1, Salt: next.Salt,
		ParamsVersion: int64(next.ParamsVersion), PepperVersion: int64(next.PepperVersion), Box: next.Box,
		RowMac: next.RowMAC, Now: clock.Micros(now),
	})
	if err != nil {
		return false, fmt.Errorf("store key: %w", err)
	}
	if n == 0 {
		return false, nil
	}
	return true, audit.Record(ctx, tx, now, who, audit.Entry{
		Action: "credential.resealed", ObjectKind: "credential", ObjectID: next.KeyID,
		Detail: map[string]string{"generation": strconv.FormatInt(next.Generation, 10), "pepper": strconv.Itoa(next.PepperVersion), "params": strconv.Itoa(next.ParamsVersion)},
	})
}
