// Package reseal brings what older versions of the vault's secrets protect under
// the newest ones, in the background and without asking anybody for anything.
// Old versions stay usable all the while.
//
// What only its owner's passphrase opens is not here: package credential seals
// it anew when the owner next types it.
package reseal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
)

// Job is the kind of the periodic job.
const Job = "keys.reseal"

// Column is a column that holds bytes of keys.Vault.Seal. An empty value is
// none.
type Column struct {
	Table  string
	Key    []string // expressions of text that Bound needs; the first is a column that is unique
	Column string
	Name   keys.Name                 // of the KEK
	Bound  func(key []string) []byte // the associated data, from the values of Key
}

// Pass brings what one secret protects under its newest version. It returns how
// much it found that was older.
type Pass func(ctx context.Context, newest int) (int, error)

// Service reseals.
type Service struct {
	Store   *store.Store
	Vault   keys.Vault
	Clock   clock.Clock
	Log     *slog.Logger
	Columns []Column
	Passes  map[keys.Name]Pass // of secrets that do not seal columns
}

// Run looks at every secret and reseals what has to be. A secret is done when a
// later run found nothing any more: until then other processes may have used an
// older version.
func (s *Service) Run(ctx context.Context) error {
	var errs []error
	for _, name := range s.names() {
		if err := s.one(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("reseal %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Service) names() []keys.Name {
	var out []keys.Name
	for _, c := range s.Columns {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	for name := range s.Passes {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (s *Service) one(ctx context.Context, name keys.Name) error {
	newest, err := s.newest(ctx, name)
	if err != nil {
		return err
	}
	done, err := s.done(ctx, name)
	if err != nil {
		return err
	}
	if newest <= done {
		return nil
	}
	n := 0
	if pass := s.Passes[name]; pass != nil {
		if n, err = pass(ctx, newest); err != nil {
			return err
		}
	}
	for _, c := range s.Columns {
		if c.Name != name {
			continue
		}
		found, err := s.column(ctx, c, newest)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", c.Table, c.Column, err)
		}
		n += found
	}
	if n > 0 {
		s.Log.Info("brought under the newest version of a key", "key", name, "version", newest, "found", n)
		return nil
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.Clock()
		if _, err := tx.Exec(ctx, `insert into resealed (name, version, at) values ($1, $2, $3)
			on conflict (name) do update set version = $2, at = $3`, string(name), newest, clock.Micros(now)); err != nil {
			return fmt.Errorf("note that it is done: %w", err)
		}
		return audit.Record(ctx, tx, now, audit.System("worker"), audit.Entry{
			Action: "keys.resealed", ObjectKind: "key", ObjectID: string(name), Detail: map[string]string{"version": strconv.Itoa(newest)},
		})
	})
}

// newest asks the vault which version is the newest.
func (s *Service) newest(ctx context.Context, name keys.Name) (int, error) {
	if use, _ := keys.UseOf(name); use == keys.UseMAC {
		_, version, err := s.Vault.MAC(ctx, name, 0, nil)
		return version, err
	}
	sealed, err := s.Vault.Seal(ctx, name, nil, nil)
	if err != nil {
		return 0, err
	}
	return keys.SealedVersion(sealed)
}

// done tells up to which version everything was brought.
func (s *Service) done(ctx context.Context, name keys.Name) (int, error) {
	var version int
	err := s.Store.ReadDB().QueryRowContext(ctx, `select version from resealed where name = $1`, string(name)).Scan(&version)
	if store.IsNotFound(err) {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read what is done: %w", err)
	}
	return version, nil
}

// batch is how many rows are read at once, each of which is written in a
// transaction of its own with others of its batch.
const batch = 100

type sealedRow struct {
	key   []string
	value []byte
}

// column seals anew what older versions sealed in one column.
func (s *Service) column(ctx context.Context, c Column, newest int) (int, error) {
	found, after := 0, ""
	for {
		rows, err := s.older(ctx, c, newest, after)
		if err != nil || len(rows) == 0 {
			return found, err
		}
		found += len(rows)
		after = rows[len(rows)-1].key[0]
		fresh := make([][]byte, len(rows))
		for i, r := range rows {
			if fresh[i], err = s.seal(ctx, c, r); err != nil {
				return found, fmt.Errorf("%s %s: %w", c.Table, r.key[0], err)
			}
		}
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			for i, r := range rows {
				// Whoever changed it meanwhile used the newest version, or is
				// found by the next run.
				_, err := tx.Exec(ctx, fmt.Sprintf(`update %s set %s = $1 where %s = $2 and %s = $3`, c.Table, c.Column, c.Key[0], c.Column),
					fresh[i], r.key[0], r.value)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return found, fmt.Errorf("write: %w", err)
		}
	}
}

func (s *Service) seal(ctx context.Context, c Column, r sealedRow) ([]byte, error) {
	bound := c.Bound(r.key)
	plain, err := s.Vault.Open(ctx, c.Name, r.value, bound)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.Vault.Seal(ctx, c.Name, plain, bound)
}

// older reads the next rows that an older version sealed.
func (s *Service) older(ctx context.Context, c Column, newest int, after string) (out []sealedRow, err error) {
	query := fmt.Sprintf(`select %s, %s from %s where %s > $1 and length(%s) > 0 and substr(%s, 1, 4) < $2 order by %s limit %d`,
		strings.Join(c.Key, ", "), c.Column, c.Table, c.Key[0], c.Column, c.Column, c.Key[0], batch)
	rows, err := s.Store.ReadDB().QueryContext(ctx, query, after, binary.BigEndian.AppendUint32(nil, uint32(newest)))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := sealedRow{key: make([]string, len(c.Key))}
		into := make([]any, 0, len(c.Key)+1)
		for i := range r.key {
			into = append(into, &r.key[i])
		}
		if err := rows.Scan(append(into, &r.value)...); err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}
