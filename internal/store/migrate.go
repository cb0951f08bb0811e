package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// Migrations gives the SQL files of all engines, to tell states of the schema
// apart.
func Migrations() fs.FS { return migrations }

// ErrOutdated says that the schema of the database is older than the program.
var ErrOutdated = errors.New("the database has an older schema (run: absah migrate)")

// ErrTooNew says that the schema of the database is newer than the program.
var ErrTooNew = errors.New("the database was written by a newer version of absah")

// migrationFiles is the union of the shared migrations and those of the engine.
func (s *Store) migrationFiles() (fs.FS, error) {
	engine := "sqlite"
	if s.Postgres() {
		engine = "postgres"
	}
	all := fstest.MapFS{}
	for _, dir := range []string{"shared", engine} {
		files, err := fs.Glob(migrations, "migrations/"+dir+"/*.sql")
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			b, err := migrations.ReadFile(f)
			if err != nil {
				return nil, err
			}
			all[f[len("migrations/"+dir+"/"):]] = &fstest.MapFile{Data: b, Mode: 0o400}
		}
	}
	return all, nil
}

func (s *Store) provider() (*goose.Provider, error) {
	files, err := s.migrationFiles()
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	// A migration may be merged after one with a higher number. Who follows the
	// source and has that one already must not be left without the other.
	late := goose.WithAllowOutofOrder(true)
	if !s.Postgres() {
		return goose.NewProvider(goose.DialectSQLite3, s.writer, files, late)
	}
	// Several processes may start at once; one migrates, the others wait.
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, s.writer, files, late, goose.WithSessionLocker(locker))
}

// Migrate brings the schema up to date and returns how many steps it took.
func (s *Store) Migrate(ctx context.Context) (int, error) {
	p, err := s.provider()
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	res, err := p.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	n, err := s.queue.migrate(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate the job queue: %w", err)
	}
	return len(res) + n, nil
}

// CheckSchema fails with ErrOutdated or ErrTooNew unless the schema is the one
// that this program knows.
func (s *Store) CheckSchema(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	switch {
	case have < want:
		return ErrOutdated
	case have > want:
		return ErrTooNew
	}
	lacks, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	if lacks {
		return ErrOutdated
	}
	return nil
}
