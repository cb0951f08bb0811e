package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
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
	return db.New(writer{t.later})
}

// later is a transaction on PostgreSQL with what waits to be sent.
type later struct {
	tx     *sql.Tx
	conn   *sql.Conn
	batch  pgx.Batch
	failed error // of what was sent: the transaction is lost
}

// flush sends what waits.
func (l *later) flush(ctx context.Context) error {
	if l.failed != nil {
		return l.failed
	}
	if l.batch.Len() == 0 {
		return nil
	}
	batch := l.batch
	l.batch = pgx.Batch{}
	err := l.conn.Raw(func(dc any) error { return dc.(*stdlib.Conn).Conn().SendBatch(ctx, &batch).Close() })
	if err != nil {
		l.failed = fmt.Errorf("write: %w", err)
	}
	return l.failed
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
type writer struct{ *later }

// ExecContext implements db.DBTX.
func (w writer) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	w.batch.Queue(query, args...)
	return driver.RowsAffected(0), nil
}
