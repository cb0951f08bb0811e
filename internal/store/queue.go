package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Job is work that a transaction leaves for a worker. It carries nothing but
// the identifier of its object: the worker reads the rest when it runs, so a
// job is never out of date and holds no personal data.
type Job struct {
	Kind string    // a Handler of this name runs it
	ID   string    // what it is about
	At   time.Time // not before; zero for at once
}

// queueAuthority is the queue of the ca role.
const queueAuthority = "ca"

// queueOf says in which queue a kind of job waits. The ca role and the pki role
// have keys that no other process has, so their jobs wait apart, and a process
// fetches what it can do. Webhooks wait apart because those who receive them may be
// slow, and mails must not wait for them.
func queueOf(kind string) string {
	role, _, _ := strings.Cut(kind, ".")
	if role == queueAuthority || role == "pki" || role == "webhook" {
		return role
	}
	return river.QueueDefault
}

// Handler does a job. It runs at least once: after a crash in the middle it
// runs again, so it must find out what is done already. An error makes it run
// again later.
type Handler func(ctx context.Context, id string) error

// Periodic is work that one of the running processes does every so often.
type Periodic struct {
	Kind  string
	Every time.Duration
}

// jobArgs is the form of a Job in River's table. All jobs are of one River kind
// and name their Handler inside, so that a Handler can be any function.
type jobArgs struct {
	Handler string `json:"handler"`
	ID      string `json:"id"`
}

func (jobArgs) Kind() string { return "absah" }

// queue hides which of River's drivers is in use.
type queue interface {
	migrate(ctx context.Context) (int, error)
	enqueue(ctx context.Context, t *Tx, jobs []Job) error
	work(cfg *river.Config) (starter, error)
}

type starter interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

type sqlQueue struct {
	db     *sql.DB
	driver *riversqlite.Driver
	insert *river.Client[*sql.Tx]
}

type pgQueue struct {
	driver *riverpgxv5.Driver
	insert *river.Client[pgx.Tx]
}

func (s *Store) newQueue() (queue, error) {
	cfg := &river.Config{Logger: quiet(s.log)}
	if s.pool != nil {
		d := riverpgxv5.New(s.pool)
		c, err := river.NewClient(d, cfg)
		if err != nil {
			return nil, fmt.Errorf("open job queue: %w", err)
		}
		return &pgQueue{driver: d, insert: c}, nil
	}
	d := riversqlite.New(s.writer)
	c, err := river.NewClient(d, cfg)
	if err != nil {
		return nil, fmt.Errorf("open job queue: %w", err)
	}
	return &sqlQueue{db: s.writer, driver: d, insert: c}, nil
}

// Enqueue leaves a job that exists if and only if the transaction commits. All
// jobs of a transaction are written together at its end.
func (t *Tx) Enqueue(_ context.Context, j Job) error {
	if j.Kind == "" {
		return fmt.Errorf("enqueue: %w", ErrUnknownJob)
	}
	t.jobs = append(t.jobs, j)
	return nil
}

func inserts(jobs []Job) []river.InsertManyParams {
	out := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		out[i] = river.InsertManyParams{Args: jobArgs{Handler: j.Kind, ID: j.ID}, InsertOpts: &river.InsertOpts{ScheduledAt: j.At, Queue: queueOf(j.Kind)}}
	}
	return out
}

func (q *sqlQueue) migrate(ctx context.Context) (int, error) {
	m, err := rivermigrate.New(q.driver, nil)
	if err != nil {
		return 0, err
	}
	return up(ctx, m)
}

func (q *pgQueue) migrate(ctx context.Context) (int, error) {
	m, err := rivermigrate.New(q.driver, nil)
	if err != nil {
		return 0, err
	}
	return up(ctx, m)
}

func up[T any](ctx context.Context, m *rivermigrate.Migrator[T]) (int, error) {
	res, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return 0, err
	}
	return len(res.Versions), nil
}

func (q *sqlQueue) enqueue(ctx context.Context, t *Tx, jobs []Job) error {
	_, err := q.insert.InsertManyFastTx(ctx, t.tx, inserts(jobs))
	return err
}

func (q *pgQueue) enqueue(ctx context.Context, t *Tx, jobs []Job) error {
	return t.rawPgx(ctx, func(c *pgx.Conn) error {
		_, err := q.insert.InsertManyTx(ctx, openTx{c}, inserts(jobs))
		return err
	})
}

func (q *sqlQueue) work(cfg *river.Config) (starter, error) { return river.NewClient(q.driver, cfg) }
func (q *pgQueue) work(cfg *river.Config) (starter, error)  { return river.NewClient(q.driver, cfg) }

// openTx shows River the transaction that is open on a connection. River only
// ever runs statements in it; its end belongs to InTx.
type openTx struct{ c *pgx.Conn }

var errNotOurs = errors.New("the transaction belongs to InTx")

func (openTx) Begin(context.Context) (pgx.Tx, error) { return nil, errNotOurs }
func (openTx) Commit(context.Context) error          { return errNotOurs }
func (openTx) Rollback(context.Context) error        { return errNotOurs }
func (t openTx) Conn() *pgx.Conn                     { return t.c }
func (openTx) LargeObjects() pgx.LargeObjects        { return pgx.LargeObjects{} }

func (t openTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	return t.c.CopyFrom(ctx, table, columns, rows)
}
func (t openTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.c.SendBatch(ctx, b)
}
func (t openTx) Prepare(ctx context.Context, name, text string) (*pgconn.StatementDescription, error) {
	return t.c.Prepare(ctx, name, text)
}
func (t openTx) Exec(ctx context.Context, text string, args ...any) (pgconn.CommandTag, error) {
	return t.c.Exec(ctx, text, args...)
}
func (t openTx) Query(ctx context.Context, text string, args ...any) (pgx.Rows, error) {
	return t.c.Query(ctx, text, args...)
}
func (t openTx) QueryRow(ctx context.Context, text string, args ...any) pgx.Row {
	return t.c.QueryRow(ctx, text, args...)
}

// quiet keeps River's own chatter out of the log below warnings.
func quiet(l *slog.Logger) *slog.Logger { return slog.New(minLevel{l.Handler(), slog.LevelWarn}) }

type minLevel struct {
	slog.Handler
	min slog.Level
}

func (h minLevel) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.min && h.Handler.Enabled(ctx, l)
}
func (h minLevel) WithAttrs(a []slog.Attr) slog.Handler {
	return minLevel{h.Handler.WithAttrs(a), h.min}
}
func (h minLevel) WithGroup(n string) slog.Handler { return minLevel{h.Handler.WithGroup(n), h.min} }
