package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"absah/internal/store/db"
)

// Tx is a transaction.
type Tx struct {
	*db.Queries
	store  *Store
	tx     *sql.Tx
	conn   *sql.Conn
	jobs   []Job
	later  *later // PostgreSQL only
	ending map[any]ending
	memo   map[any]any
	last   []ending // the values of ending, in their order
	after  []func()
}

type ending interface {
	End(ctx context.Context) error
}

// After registers f to run once the transaction is durable. It does not run
// when the transaction fails.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

// AtEnd returns what open made of the transaction when AtEnd was first called
// with this key. Its End writes what the transaction gathered in it, as the last
// thing before the commit: for rows that all transactions take turns at, so that
// none waits for another that has work left to do, and for what is cheaper to
// write together. When End fails, so does the transaction.
func AtEnd[E interface{ End(context.Context) error }](t *Tx, key any, open func(*Tx) E) E {
	if e, ok := t.ending[key].(E); ok {
		return e
	}
	e := open(t)
	if t.ending == nil {
		t.ending = map[any]ending{}
	}
	t.ending[key] = e
	t.last = append(t.last, e)
	return e
}

// Memo returns what open made when Memo was first called with this key in the
// transaction: for what is read once and used by several that know nothing of
// each other.
func Memo[M any](t *Tx, key any, open func() M) M {
	if m, ok := t.memo[key].(M); ok {
		return m
	}
	m := open()
	if t.memo == nil {
		t.memo = map[any]any{}
	}
	t.memo[key] = m
	return m
}

// Exec runs one statement; for the few that sqlc cannot write.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.dbtx().ExecContext(ctx, query, args...)
}

func (t *Tx) dbtx() db.DBTX {
	if t.later != nil {
		return t.later
	}
	return t.tx
}

// QueryRow asks for one row; for the few questions that sqlc cannot write. Its
// Scan fails with an error that IsNotFound knows when there is none.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.dbtx().QueryRowContext(ctx, query, args...)
}

// rawPgx gives f the connection under the transaction.
func (t *Tx) rawPgx(ctx context.Context, f func(*pgx.Conn) error) error {
	if err := t.later.flush(ctx); err != nil {
		return err
	}
	return t.conn.Raw(func(dc any) error { return f(dc.(*stdlib.Conn).Conn()) })
}

// end writes what the transaction gathered.
func (t *Tx) end(ctx context.Context) error {
	if len(t.jobs) > 0 {
		if err := t.store.queue.enqueue(ctx, t, t.jobs); err != nil {
			return fmt.Errorf("enqueue: %w", err)
		}
	}
	for _, e := range t.last {
		if err := e.End(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commitError says that a commit failed. What it would have made durable may be
// so all the same: the answer may have been lost.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// attempts bounds how often a transaction runs that PostgreSQL ended for the
// sake of another one.
const attempts = 5

// InTx runs f in one transaction: everything that f wrote and enqueued is
// durable when InTx returns nil, and nothing of it otherwise. f may run again
// when PostgreSQL reports a deadlock or a serialisation failure, so it must
// have no effect outside the transaction but through After.
func (s *Store) InTx(ctx context.Context, f func(*Tx) error) error {
	var err error
	for i := range attempts {
		if err = s.inTx(ctx, f); !isTransient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(time.Duration(i+1) * 5 * time.Millisecond):
		}
	}
	return err
}

func (s *Store) inTx(ctx context.Context, f func(*Tx) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	t := &Tx{store: s, tx: tx, conn: conn}
	if s.Postgres() {
		t.later = &later{tx: tx, conn: conn}
	}
	t.Queries = db.New(t.dbtx())
	ended := false
	defer func() {
		if !ended { // f panics: the connection must not go back to the pool like this
			_ = tx.Rollback()
		}
	}()
	err = f(t)
	if err == nil {
		err = t.end(ctx)
	}
	if t.later != nil {
		if err == nil {
			err = t.later.flush(ctx)
		}
		if t.later.failed != nil { // what f said of it came after it
			err = t.later.failed
		}
	}
	ended = true
	if err != nil {
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			return errors.Join(err, fmt.Errorf("roll back: %w", rerr))
		}
		return err
	}
	if s.commit != nil {
		err = s.commit(tx.Commit, tx.Rollback)
	} else {
		err = tx.Commit()
	}
	if err != nil {
		return &commitError{err}
	}
	for _, f := range t.after {
		f()
	}
	return nil
}
