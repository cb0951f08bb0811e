package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"absah/internal/store"
)

// ErrFull is what a commit says that Faults lets fail.
var ErrFull = errors.New("no space left on device")

// A Way is one of the ways in which a write fails.
type Way int

// The ways. A row that fails takes its transaction with it, whatever became of
// the row; a commit may have been made and its answer lost.
const (
	RowNotStored    Way = iota // the database refuses to write a row
	RowStored                  // the row is written, and the statement fails
	CommitNotStored            // the commit fails, and nothing of the transaction is there
	CommitStored               // the commit is made, and its answer lost
)

// Ways lists the ways.
func Ways() []Way { return []Way{RowNotStored, RowStored, CommitNotStored, CommitStored} }

func (w Way) String() string {
	return [...]string{"row, not stored", "row, stored", "commit, not stored", "commit, stored"}[w]
}

// Faults lets writes of a store fail, one at a time. Rows are counted in the
// database itself, by triggers on every table, so that no write is missed,
// whoever makes it: package db, the job queue or a statement of its own.
type Faults struct {
	t     testing.TB
	admin *sql.DB
	lite  bool
	table []string

	mu   sync.Mutex
	way  Way
	left int // commits until the one that fails
}

// noFault is a count that no test reaches.
const noFault = 1 << 30

// Break makes the writes of s, which is the database at dsn, ready to fail. It is
// called before several use s.
func Break(t testing.TB, s *store.Store, dsn string) *Faults {
	t.Helper()
	f := &Faults{t: t, lite: !s.Postgres()}
	driver, address := "pgx", dsn
	if f.lite {
		driver, address = "sqlite", "file:"+dsn+"?_pragma=busy_timeout(10000)"
	}
	var err error
	if f.admin, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	f.admin.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = f.admin.Close() })
	f.table = f.tables()
	if f.lite {
		f.armSQLite()
	} else {
		f.armPostgres()
	}
	s.OnCommit(f.commit)
	return f
}

// tables lists the tables that the program writes.
func (f *Faults) tables() []string {
	f.t.Helper()
	query := `select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`
	if !f.lite {
		query = `select tablename from pg_tables where schemaname = current_schema()`
	}
	rows, err := f.admin.QueryContext(context.Background(), query+" order by 1")
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return all
}

// armSQLite counts in a row of a table: what a transaction that failed has
// counted is undone with it. FAIL leaves the row that was written where it is;
// ABORT undoes it.
func (f *Faults) armSQLite() {
	exec(f.t, f.admin, `create table fault (left integer not null, stored integer not null)`)
	exec(f.t, f.admin, fmt.Sprintf(`insert into fault values (%d, 0)`, noFault))
	for _, table := range f.table {
		for _, event := range []string{"insert", "update", "delete"} {
			for stored, w := range []struct{ when, how string }{{"before", "abort"}, {"after", "fail"}} {
				exec(f.t, f.admin, fmt.Sprintf(`create trigger fault_%[1]s_%[2]s_%[3]s %[1]s %[2]s on %[3]s when (select stored from fault) = %[4]d begin
					update fault set left = left - 1;
					select raise(%[5]s, 'no space left on device: %[2]s %[3]s') where (select left from fault) = 0;
				end`, w.when, event, table, stored, w.how))
			}
		}
	}
}

// armPostgres counts in a sequence, which no transaction takes back.
func (f *Faults) armPostgres() {
	exec(f.t, f.admin, fmt.Sprintf(`create sequence fault_left increment by -1 minvalue -%[1]d maxvalue %[1]d start %[1]d`, noFault))
	exec(f.t, f.admin, `create sequence fault_stored minvalue 0 start 0`)
	exec(f.t, f.admin, `create function fault() returns trigger language plpgsql as $$ begin
		if (tg_when = 'AFTER')::int = (select last_value from fault_stored) then
			if nextval('fault_left') = 0 then
				raise exception 'no space left on device: % %', lower(tg_op), tg_table_name using errcode = 'disk_full';
			end if;
		end if;
		if tg_op = 'DELETE' then return old; end if;
		return new;
	end $$`)
	for _, table := range f.table {
		for _, when := range []string{"before", "after"} {
			exec(f.t, f.admin, fmt.Sprintf(`create trigger zz_fault_%[1]s %[1]s insert or update or delete on %[2]s for each row execute function fault()`, when, table))
		}
	}
}

// set writes the count that the triggers read.
func (f *Faults) set(left, stored int) {
	f.t.Helper()
	if f.lite {
		exec(f.t, f.admin, fmt.Sprintf(`update fault set left = %d, stored = %d`, left, stored))
		return
	}
	exec(f.t, f.admin, fmt.Sprintf(`select setval('fault_left', %d), setval('fault_stored', %d)`, left, stored))
}

// Arm lets the nth write of its kind from now on fail, counted from 1.
func (f *Faults) Arm(n int, w Way) {
	f.t.Helper()
	f.mu.Lock()
	f.way, f.left = w, n
	f.mu.Unlock()
	switch w {
	case RowNotStored, RowStored:
		f.set(n, int(w))
	default:
		f.set(noFault, 0)
	}
}

// Disarm lets every write be.
func (f *Faults) Disarm() {
	f.t.Helper()
	f.mu.Lock()
	f.left = 0
	f.mu.Unlock()
	f.set(noFault, 0)
}

func (f *Faults) commit(commit, rollback func() error) error {
	f.mu.Lock()
	fails := false
	if f.left > 0 && f.way >= CommitNotStored {
		f.left--
		fails = f.left == 0
	}
	stored := f.way == CommitStored
	f.mu.Unlock()
	switch {
	case !fails:
		return commit()
	case stored:
		return errors.Join(ErrFull, commit())
	}
	return errors.Join(ErrFull, rollback())
}

// IsFull reports whether err is of a write that Faults let fail. A row's error
// comes from the database and has its own kind there.
func IsFull(err error) bool {
	return err != nil && (errors.Is(err, ErrFull) || strings.Contains(err.Error(), ErrFull.Error()))
}

// Checkpoint moves what SQLite's log holds into the database and makes the log
// empty: on a full disk it has no room left from before.
func (f *Faults) Checkpoint() {
	f.t.Helper()
	if f.lite {
		exec(f.t, f.admin, `pragma wal_checkpoint(truncate)`)
	}
}

// Rows counts the rows of every table.
func (f *Faults) Rows() map[string]int {
	f.t.Helper()
	var parts []string
	for _, table := range f.table {
		parts = append(parts, `select '`+table+`', count(*) from `+table)
	}
	out := map[string]int{}
	rows, err := f.admin.QueryContext(context.Background(), strings.Join(parts, " union all "))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			f.t.Fatal(err)
		}
		out[name] = n
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
	return out
}
