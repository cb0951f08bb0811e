package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"absah/internal/store/db"
)

// Kind is the type of a column. The schema has no others.
type Kind string

// The types of columns, as both engines call them.
const (
	Text    Kind = "text"
	Bigint  Kind = "bigint"
	Bytea   Kind = "bytea"
	Boolean Kind = "boolean"
)

// Column is a column of a Table.
type Column struct {
	Name string
	Kind Kind
}

// Table is a table of ours; those of the job queue and of the migrations are
// not.
type Table struct {
	Name    string
	Columns []Column
}

var (
	// ErrColumn says that a table has a column of another type than Kind knows,
	// or not the columns that are loaded.
	ErrColumn = errors.New("the columns of the table are others")
	// ErrNotEmpty says that a database that must be empty is not.
	ErrNotEmpty = errors.New("the database is not empty")
)

// Snapshot reads the database as it was at one moment.
type Snapshot struct {
	conn     *sql.Conn
	postgres bool
	Queries  *db.Queries
}

// Snapshot gives f the database as it is now, while others go on writing. What
// f reads is not seen by later changes, however long it takes.
func (s *Store) Snapshot(ctx context.Context, f func(Snapshot) error) (err error) {
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	begin := "begin" // deferred: a reader of the WAL holds nobody up
	if s.Postgres() {
		begin = "begin transaction isolation level repeatable read, read only"
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() {
		// Also when ctx has ended: the connection goes back to the pool.
		if _, rerr := conn.ExecContext(context.WithoutCancel(ctx), "rollback"); rerr != nil {
			err = errors.Join(err, fmt.Errorf("end snapshot: %w", rerr))
		}
	}()
	// The first statement that reads fixes the moment.
	if _, err := db.New(conn).AuditHead(ctx); err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	return f(Snapshot{conn: conn, postgres: s.Postgres(), Queries: db.New(conn)})
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

const (
	columnsPostgres = `select c.table_name, c.column_name, c.data_type from information_schema.columns c
		join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
		where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' order by c.table_name, c.ordinal_position`
	columnsSQLite = `select m.name, p.name, lower(p.type) from sqlite_master m, pragma_table_info(m.name) p
		where m.type = 'table' order by m.name, p.cid`
)

// ours tells our tables from those of others.
func ours(table string) bool {
	for _, prefix := range []string{"river_", "goose_", "sqlite_"} {
		if strings.HasPrefix(table, prefix) {
			return false
		}
	}
	return true
}

func tablesOf(ctx context.Context, q querier, postgres bool) (out []Table, err error) {
	query := columnsSQLite
	if postgres {
		query = columnsPostgres
	}
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		if !ours(table) {
			continue
		}
		switch Kind(kind) {
		case Text, Bigint, Bytea, Boolean:
		default:
			return nil, fmt.Errorf("%s.%s is of type %s: %w", table, column, kind, ErrColumn)
		}
		if len(out) == 0 || out[len(out)-1].Name != table {
			out = append(out, Table{Name: table})
		}
		t := &out[len(out)-1]
		t.Columns = append(t.Columns, Column{column, Kind(kind)})
	}
	return out, rows.Err()
}

// Tables lists all tables, by name.
func (s Snapshot) Tables(ctx context.Context) ([]Table, error) {
	return tablesOf(ctx, s.conn, s.postgres)
}

// Rows gives each the rows of a table, one at a time. Values are string, int64,
// []byte or bool as the column's Kind says, or nil; they are valid until each
// returns.
func (s Snapshot) Rows(ctx context.Context, t Table, each func(values []any) error) error {
	return s.rows(ctx, t, "", "", 0, func(values, _ []any) error { return each(values) })
}

// rows reads a table with n fields of tables that are joined to it.
func (s Snapshot) rows(ctx context.Context, t Table, fields, joins string, n int, each func(values, beside []any) error) (err error) {
	rows, err := s.conn.QueryContext(ctx, "select "+names("t", t)+fields+" from "+quote(t.Name)+" t"+joins)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all, into := make([]any, len(t.Columns)+n), make([]any, len(t.Columns)+n)
	for i := range all {
		into[i] = &all[i]
	}
	values, beside := all[:len(t.Columns)], all[len(t.Columns):]
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read %s: %w", t.Name, err)
		}
		for i, c := range t.Columns {
			if values[i], err = normal(c.Kind, values[i]); err != nil {
				return fmt.Errorf("read %s.%s: %w", t.Name, c.Name, err)
			}
		}
		if err := each(values, beside); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

// normal gives a value the one Go type of its kind: SQLite keeps booleans as
// numbers, and empty bytes as text where a query wrote them so.
func normal(k Kind, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		switch k {
		case Bigint:
			return v, nil
		case Boolean:
			return v != 0, nil
		}
	case bool:
		if k == Boolean {
			return v, nil
		}
	case string:
		switch k {
		case Text:
			return v, nil
		case Bytea:
			return []byte(v), nil
		}
	case []byte:
		switch k {
		case Text:
			return string(v), nil
		case Bytea:
			return v, nil
		}
	}
	return nil, fmt.Errorf("a %T in a column of type %s: %w", v, k, ErrColumn)
}

// Jobs lists what waits to be done or is being done.
func (s Snapshot) Jobs(ctx context.Context) (out []Job, err error) {
	rows, err := s.conn.QueryContext(ctx, `select args->>'handler', args->>'id', scheduled_at from river_job
		where state in ('available', 'pending', 'retryable', 'running', 'scheduled') order by id`)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var j Job
		var at any
		if err := rows.Scan(&j.Kind, &j.ID, &at); err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		j.At, _ = at.(time.Time) // text on SQLite: then the job is done at once
		out = append(out, j)
	}
	return out, rows.Err()
}

// Loader fills an empty database. All of it is one transaction.
type Loader struct {
	tx     *Tx
	tables map[string]Table
}

// Load fills a database whose schema is up to date and in which nothing lives,
// with ErrNotEmpty when something does. Rules that hold row by row (triggers)
// are not asked while it lasts, since the rows kept them once; those between
// rows (foreign keys) are checked at the end.
func (s *Store) Load(ctx context.Context, f func(*Loader) error) error {
	return s.inTx(ctx, func(tx *Tx) error {
		for _, table := range []string{"account", "employee", "audit"} {
			var n int64
			if err := tx.QueryRow(ctx, "select count(*) from "+table).Scan(&n); err != nil {
				return fmt.Errorf("load: %w", err)
			}
			if n > 0 {
				return fmt.Errorf("load: %w: %s has %d rows", ErrNotEmpty, table, n)
			}
		}
		list, err := tablesOf(ctx, tx.dbtx(), s.Postgres())
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		l := &Loader{tx: tx, tables: map[string]Table{}}
		for _, t := range list {
			l.tables[t.Name] = t
		}
		arm := l.disarmSQLite
		if s.Postgres() {
			arm = l.disarmPostgres
		}
		rearm, err := arm(ctx)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		for _, t := range list { // what migrations wrote
			if _, err := tx.Exec(ctx, "delete from "+quote(t.Name)); err != nil {
				return fmt.Errorf("load: %w", err)
			}
		}
		if err := f(l); err != nil {
			return err
		}
		for _, text := range rearm {
			if _, err := tx.Exec(ctx, text); err != nil {
				return fmt.Errorf("load: %w", err)
			}
		}
		return nil
	})
}

// disarmSQLite takes triggers out and returns what puts them back. Foreign keys
// wait for the commit.
func (l *Loader) disarmSQLite(ctx context.Context) ([]string, error) {
	if _, err := l.tx.Exec(ctx, "pragma defer_foreign_keys = on"); err != nil {
		return nil, err
	}
	rearm, err := texts(ctx, l.tx.dbtx(), "select sql from sqlite_master where type = 'trigger' order by name")
	if err != nil {
		return nil, err
	}
	drop, err := texts(ctx, l.tx.dbtx(), `select 'drop trigger "' || name || '"' from sqlite_master where type = 'trigger' order by name`)
	if err != nil {
		return nil, err
	}
	return rearm, l.all(ctx, drop)
}

// disarmPostgres takes foreign keys out, switches triggers off, and returns what
// brings both back.
func (l *Loader) disarmPostgres(ctx context.Context) ([]string, error) {
	const constraints = ` from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace order by conname`
	rearm, err := texts(ctx, l.tx.dbtx(), `select format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))`+constraints)
	if err != nil {
		return nil, err
	}
	drop, err := texts(ctx, l.tx.dbtx(), `select format('alter table %s drop constraint %I', conrelid::regclass, conname)`+constraints)
	if err != nil {
		return nil, err
	}
	for name := range l.tables {
		drop = append(drop, "alter table "+quote(name)+" disable trigger user")
		rearm = append(rearm, "alter table "+quote(name)+" enable trigger user")
	}
	return rearm, l.all(ctx, drop)
}

func (l *Loader) all(ctx context.Context, statements []string) error {
	for _, text := range statements {
		if _, err := l.tx.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// Table loads rows into a table: next gives them one at a time, as
// Snapshot.Rows does, and nil after the last. It fails with ErrColumn when the
// table has other columns.
func (l *Loader) Table(ctx context.Context, t Table, next func() ([]any, error)) error {
	have, ok := l.tables[t.Name]
	if !ok || len(have.Columns) != len(t.Columns) {
		return fmt.Errorf("load %s: %w", t.Name, ErrColumn)
	}
	kinds := map[string]Kind{}
	for _, c := range have.Columns {
		kinds[c.Name] = c.Kind
	}
	for _, c := range t.Columns {
		if kinds[c.Name] != c.Kind {
			return fmt.Errorf("load %s.%s: %w", t.Name, c.Name, ErrColumn)
		}
	}
	var err error
	if l.tx.later != nil {
		err = l.copyIn(ctx, t, next)
	} else {
		err = l.insert(ctx, t, next)
	}
	if err != nil {
		return fmt.Errorf("load %s: %w", t.Name, err)
	}
	return nil
}

func (l *Loader) insert(ctx context.Context, t Table, next func() ([]any, error)) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.Columns)), ", ")
	text := "insert into " + quote(t.Name) + " (" + names("", t) + ") values (" + marks + ")"
	for {
		values, err := next()
		if err != nil || values == nil {
			return err
		}
		if _, err := l.tx.Exec(ctx, text, values...); err != nil {
			return err
		}
	}
}

// rowSource gives rows to COPY.
type rowSource struct {
	next   func() ([]any, error)
	values []any
	err    error
}

func (r *rowSource) Next() bool {
	r.values, r.err = r.next()
	return r.err == nil && r.values != nil
}
func (r *rowSource) Values() ([]any, error) { return r.values, nil }
func (r *rowSource) Err() error             { return r.err }

func (l *Loader) copyIn(ctx context.Context, t Table, next func() ([]any, error)) error {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name
	}
	return l.tx.rawPgx(ctx, func(c *pgx.Conn) error {
		_, err := c.CopyFrom(ctx, pgx.Identifier{t.Name}, columns, &rowSource{next: next})
		return err
	})
}

// Jobs leaves jobs to be done.
func (l *Loader) Jobs(ctx context.Context, jobs []Job) error {
	for _, j := range jobs {
		if err := l.tx.Enqueue(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

// names lists the columns of a table, after its alias unless that is empty.
func names(alias string, t Table) string {
	if alias != "" {
		alias += "."
	}
	var b strings.Builder
	for i, c := range t.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(alias + quote(c.Name))
	}
	return b.String()
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// SchemaVersion is the number of the last migration that the database has had.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	p, err := s.provider()
	if err != nil {
		return 0, fmt.Errorf("version of the schema: %w", err)
	}
	n, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("version of the schema: %w", err)
	}
	return n, nil
}

// MigrateTo brings the schema of an empty database to that of an older version,
// so that its rows can be loaded; Migrate then brings both up to date. It fails
// with ErrTooNew when the program does not know the version.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	known := false
	for _, m := range p.ListSources() {
		known = known || m.Version == version
	}
	if !known {
		return fmt.Errorf("migrate to version %d: %w", version, ErrTooNew)
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return fmt.Errorf("migrate to version %d: %w", version, err)
	}
	if _, err := s.queue.migrate(ctx); err != nil {
		return fmt.Errorf("migrate the job queue: %w", err)
	}
	return nil
}
