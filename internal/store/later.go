package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"absah/internal/store/db"
)

// Later gives queries that write and want no answer: :exec, and :execrows when
// nobody looks at the number. On PostgreSQL they go to the server together with
// those that follow, before the next statement that wants an answer and before
// the commit, and a round trip is paid once for all of them. Until then their
// failures are not known: they fail the transaction, and InTx returns them. On
// SQLite there is no trip to save and they run at once.
func (t *Tx) Later() *db.Queries {
	if t.later == nil {
		return t.Queries
	}
	return db.New(writer{t.later, false})
}

// ErrNotOne says that a statement of LaterOne did not change exactly one row.
var ErrNotOne = errors.New("not exactly one row was changed")

// LaterOne is as Later for statements each of which must change exactly one row:
// those of rows that the transaction has locked. When one does not, the
// transaction fails with ErrNotOne. Statements that say how many rows they
// changed say one.
func (t *Tx) LaterOne() *db.Queries {
	if t.later == nil {
		return db.New(oneRow{t.tx})
	}
	return db.New(writer{t.later, true})
}

// oneRow runs statements that change one row.
type oneRow struct{ db.DBTX }

// ExecContext implements db.DBTX.
func (o oneRow) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := o.DBTX.ExecContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return nil, err
	}
	if n != 1 {
		return nil, ErrNotOne
	}
	return res, nil
}

// later is a transaction on PostgreSQL with what waits to be sent.
type later struct {
	tx     *sql.Tx
	conn   *sql.Conn
	batch  pgx.Batch
	one    []bool // of each statement of batch: it must change one row
	failed error  // of what was sent: the transaction is lost
}

// flush sends what waits.
func (l *later) flush(ctx context.Context) error {
	if l.failed != nil {
		return l.failed
	}
	if l.batch.Len() == 0 {
		return nil
	}
	batch, one := l.batch, l.one
	l.batch, l.one = pgx.Batch{}, nil
	err := l.conn.Raw(func(dc any) error { return send(ctx, dc.(*stdlib.Conn).Conn(), &batch, one) })
	if err != nil {
		l.failed = fmt.Errorf("write: %w", err)
	}
	return l.failed
}

func send(ctx context.Context, c *pgx.Conn, batch *pgx.Batch, one []bool) error {
	results := c.SendBatch(ctx, batch)
	var err error
	for _, o := range one {
		var tag pgconn.CommandTag
		if tag, err = results.Exec(); err != nil {
			break
		}
		if o && tag.RowsAffected() != 1 {
			err = ErrNotOne
			break
		}
	}
	if cerr := results.Close(); err == nil { // it repeats the error
		err = cerr
	}
	return err
}

// ExecContext implements db.DBTX.
func (l *later) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := l.flush(ctx); err != nil {
		return nil, err
	}
	return l.tx.ExecContext(ctx, query, args...)
}

// PrepareContext implements db.DBTX.
func (l *later) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return l.tx.PrepareContext(ctx, query)
}

// QueryContext implements db.DBTX.
func (l *later) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := l.flush(ctx); err != nil {
		return nil, err
	}
	return l.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext implements db.DBTX. When what waited fails, the query fails
// with it, because PostgreSQL answers nothing more in such a transaction.
func (l *later) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	_ = l.flush(ctx) // InTx returns it
	return l.tx.QueryRowContext(ctx, query, args...)
}

// writer puts off what wants no answer.
type writer struct {
	*later
	one bool // each statement must change exactly one row
}

// ExecContext implements db.DBTX.
func (w writer) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	w.batch.Queue(query, args...)
	w.later.one = append(w.later.one, w.one)
	if w.one {
		return driver.RowsAffected(1), nil // or the transaction fails
	}
	return driver.RowsAffected(0), nil
}
