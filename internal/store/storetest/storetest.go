// Package storetest gives tests a fresh database of each kind.
package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"absah/internal/ident"
	"absah/internal/store"
)

// PostgresVariable names the environment variable that holds the address of a
// PostgreSQL server where tests may create databases.
const PostgresVariable = "ABSAH_TEST_POSTGRES"

// Each runs f once on SQLite and once on PostgreSQL, with a fresh database.
func Each(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, Postgres(t))) })
}

// Open opens the database at dsn and closes it after the test.
func Open(t testing.TB, dsn string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, nil)
	if err != nil {
		t.Fatalf("open test database: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close test database: %v", err)
		}
	})
	return s
}

// Blocked waits until so many wait for locks in a PostgreSQL database, or done is
// closed, which must be when no more will.
func Blocked(t testing.TB, s *store.Store, want int, done <-chan struct{}) {
	t.Helper()
	for {
		var n int
		err := s.ReadDB().QueryRowContext(t.Context(), `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n >= want {
			return
		}
		select {
		case <-done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

var template struct {
	sync.Mutex
	sqlite   []byte
	postgres string
}

// SQLite returns the path of a fresh SQLite database with the schema in it.
func SQLite(t testing.TB) string {
	t.Helper()
	template.Lock()
	defer template.Unlock()
	if template.sqlite == nil {
		path := filepath.Join(t.TempDir(), "template.db")
		migrate(t, path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		template.sqlite = b
	}
	path := filepath.Join(t.TempDir(), "absah.db")
	if err := os.WriteFile(path, template.sqlite, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func migrate(t testing.TB, dsn string) {
	t.Helper()
	s, err := store.Open(context.Background(), dsn, nil)
	if err != nil {
		t.Fatalf("open test database: %v", err)
	}
	if _, err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Postgres returns the address of a fresh PostgreSQL database with the schema
// in it. The database goes with the test.
func Postgres(t testing.TB) string { return freshPostgres(t, true) }

// BlankPostgres returns the address of a PostgreSQL database with nothing in
// it.
func BlankPostgres(t testing.TB) string { return freshPostgres(t, false) }

func freshPostgres(t testing.TB, schema bool) string {
	t.Helper()
	server := os.Getenv(PostgresVariable)
	if server == "" {
		t.Fatalf("%s is not set; make test sets it, or: export %s=$(scripts/test-postgres start)", PostgresVariable, PostgresVariable)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	admin.SetMaxOpenConns(1)
	closeAdmin := func() { _ = admin.Close() }
	template.Lock()
	defer template.Unlock()
	name := "absah_test_" + ident.New()
	if schema {
		if template.postgres == "" {
			template.postgres = postgresTemplate(t, admin, server)
		}
		exec(t, admin, "create database "+name+" template "+template.postgres)
	} else {
		exec(t, admin, "create database "+name)
	}
	t.Cleanup(func() {
		exec(t, admin, "drop database if exists "+name+" with (force)")
		closeAdmin()
	})
	return at(t, server, name)
}

// postgresTemplate makes the database from which the others are copied, once
// for each state of the migrations; processes take turns by an advisory lock.
func postgresTemplate(t testing.TB, admin *sql.DB, server string) string {
	t.Helper()
	name := "absah_template_" + fingerprint(t)
	exec(t, admin, "select pg_advisory_lock(7260)")
	defer exec(t, admin, "select pg_advisory_unlock(7260)")
	var n int
	if err := admin.QueryRow("select count(*) from pg_database where datname = $1", name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n == 1 {
		return name
	}
	exec(t, admin, "drop database if exists "+name+"_new with (force)")
	exec(t, admin, "create database "+name+"_new")
	migrate(t, at(t, server, name+"_new"))
	exec(t, admin, "alter database "+name+"_new rename to "+name)
	return name
}

func fingerprint(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	files := store.Migrations()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func at(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s is not of the form postgres://...", PostgresVariable)
	}
	u.Path = "/" + name
	return u.String()
}

func exec(t testing.TB, d *sql.DB, text string) {
	t.Helper()
	if _, err := d.ExecContext(context.Background(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// MemoryDir is a directory in memory where there is one, else one on the disk:
// for tests of what is written and in which order, not of whether a disk keeps
// it. It goes with the test.
func MemoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "absah-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// NoText is what PostgreSQL says of values that it does not keep as text: a zero byte,
// and octets that are no UTF-8.
func NoText(t testing.TB) []error {
	t.Helper()
	s := Open(t, Postgres(t))
	var all []error
	for _, text := range []string{"a\x00", "\xff"} {
		_, err := s.ReadDB().ExecContext(t.Context(), "select $1::text", text)
		if err == nil {
			t.Fatalf("PostgreSQL takes %q", text)
		}
		all = append(all, fmt.Errorf("read: %w", err))
	}
	return all
}
