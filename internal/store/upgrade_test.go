package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"absah/internal/store"
	"absah/internal/store/storetest"
)

// column is one of a table, as SQLite knows it; PostgreSQL has the same (decision 8).
type column struct {
	name, kind string
	optional   bool
	refTable   string
	refColumn  string
}

type table struct {
	name    string
	columns []column
	text    string // its definition
}

// tables lists them, those that others refer to first.
func tables(t *testing.T, s *store.Store) []table {
	t.Helper()
	read := func(q string, args ...any) (out [][]sql.NullString) {
		rows, err := s.ReadDB().QueryContext(t.Context(), q, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		cols, _ := rows.Columns()
		for rows.Next() {
			line := make([]sql.NullString, len(cols))
			to := make([]any, len(cols))
			for i := range line {
				to[i] = &line[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			out = append(out, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var all []table
	for _, row := range read(`select name, sql from sqlite_master where type = 'table' and name not like 'river_%' and name not like 'sqlite_%' and name not like 'goose_%' order by name`) {
		tb := table{name: row[0].String, text: row[1].String}
		for _, c := range read(`select name, lower(type), "notnull", pk from pragma_table_info(?)`, tb.name) {
			tb.columns = append(tb.columns, column{name: c[0].String, kind: c[1].String, optional: c[2].String == "0" && c[3].String == "0"})
		}
		for _, f := range read(`select "table", "from", coalesce("to", 'id') from pragma_foreign_key_list(?)`, tb.name) {
			for i := range tb.columns {
				if tb.columns[i].name == f[1].String {
					tb.columns[i].refTable, tb.columns[i].refColumn = f[0].String, f[2].String
				}
			}
		}
		all = append(all, tb)
	}
	var sorted []table
	done := map[string]bool{}
	for len(sorted) < len(all) {
		before := len(sorted)
		for _, tb := range all {
			if !done[tb.name] && !slices.ContainsFunc(tb.columns, func(c column) bool {
				return c.refTable != "" && c.refTable != tb.name && !c.optional && !done[c.refTable]
			}) {
				sorted, done[tb.name] = append(sorted, tb), true
			}
		}
		if len(sorted) == before {
			t.Fatal("tables refer to each other in a circle")
		}
	}
	return sorted
}

// oneOf finds what a CHECK lets a column be.
func oneOf(text, name string) []string {
	m := regexp.MustCompile(`\b` + name + `\s+in\s*\(([^)]*)\)`).FindStringSubmatch(text)
	if m == nil {
		return nil
	}
	var out []string
	for v := range strings.SplitSeq(m[1], ",") {
		out = append(out, strings.Trim(strings.TrimSpace(v), "'"))
	}
	return out
}

// values are those of row n of a table: words are those of the CHECKs, the rest is
// made up; without bare, optional columns have values too.
func values(tb table, n int, bare bool) (names []string, args []any) {
	for _, c := range tb.columns {
		if c.optional && (bare || c.refTable == tb.name) {
			continue
		}
		var v any
		allowed := oneOf(tb.text, c.name)
		switch {
		case c.refTable != "":
			v = fmt.Sprintf("%s.%s.%d", c.refTable, c.refColumn, n)
		case len(allowed) > 0 && c.kind != "bigint":
			v = allowed[n%len(allowed)]
		case c.kind == "bigint":
			v = int64(n + 1)
		case c.kind == "boolean":
			v = n == 1
		case c.kind == "bytea", c.kind == "blob":
			v = fmt.Appendf(nil, "%s.%s.%d", tb.name, c.name, n)
		default:
			v = fmt.Sprintf("%s.%s.%d", tb.name, c.name, n)
		}
		names, args = append(names, c.name), append(args, v)
	}
	return names, args
}

// fill puts two rows into every table that takes them as made up; a rule that knits
// columns together may refuse some. It returns how many there are in each.
func fill(t *testing.T, s *store.Store, all []table) map[string]int {
	t.Helper()
	rows := map[string]int{}
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		put := func(tb table, n int, bare bool) (bool, error) {
			names, args := values(tb, n, bare)
			holders := make([]string, len(names))
			for i := range names {
				holders[i] = fmt.Sprintf("$%d", i+1)
			}
			if _, err := tx.Exec(t.Context(), "savepoint made_up"); err != nil {
				return false, err
			}
			if _, refused := tx.Exec(t.Context(), "insert into "+tb.name+" ("+strings.Join(names, ", ")+") values ("+strings.Join(holders, ", ")+")", args...); refused != nil {
				_, err := tx.Exec(t.Context(), "rollback to savepoint made_up")
				return false, err
			}
			rows[tb.name]++
			return true, nil
		}
		for _, tb := range all {
			for n := range 2 {
				done, err := put(tb, n, n == 0)
				if err == nil && !done {
					_, err = put(tb, n, n != 0)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// released are the states of the schema from which people come.
var released = []int64{2, 20, 28, 35}

// TestUpgradeKeepsRows: whatever stood in the tables of an older program is there
// after its schema was brought up to date.
func TestUpgradeKeepsRows(t *testing.T) {
	t.Parallel()
	for engine, blank := range map[string]func() string{
		"sqlite":   func() string { return t.TempDir() + "/absah.db" },
		"postgres": func() string { return storetest.BlankPostgres(t) },
	} {
		for _, version := range released {
			shape := storetest.Open(t, t.TempDir()+"/shape.db")
			if err := shape.MigrateTo(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			all := tables(t, shape)
			s := storetest.Open(t, blank())
			if err := s.MigrateTo(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			rows := fill(t, s, all)
			if len(rows) < len(all)*3/5 {
				t.Errorf("%s at %d: rows in %d of %d tables only", engine, version, len(rows), len(all))
			}
			if _, err := s.Migrate(t.Context()); err != nil {
				t.Errorf("%s from %d: %v", engine, version, err)
				continue
			}
			for name, want := range rows {
				var got int
				if err := s.ReadDB().QueryRowContext(t.Context(), "select count(*) from "+name).Scan(&got); err != nil || got < want {
					t.Errorf("%s from %d: %s has %d rows of %d, %v", engine, version, name, got, want, err)
				}
			}
			if engine == "sqlite" {
				var broken int
				if err := s.ReadDB().QueryRowContext(t.Context(), "select count(*) from pragma_foreign_key_check").Scan(&broken); err != nil || broken > 0 {
					t.Errorf("from %d: %d rows refer to nothing, %v", version, broken, err)
				}
			}
			if err := s.CheckSchema(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestMigrationThatCameLate: a migration with a lower number than the newest one is
// not overlooked, and is made up for.
func TestMigrationThatCameLate(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := storetest.Open(t, t.TempDir()+"/absah.db")
	versions, err := s.MigrationVersions()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if v == 31 {
			continue
		}
		if err := s.ApplyOne(ctx, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CheckSchema(ctx); err == nil {
		t.Error("a schema that lacks a migration is up to date")
	}
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckSchema(ctx); err != nil {
		t.Error(err)
	}
}
