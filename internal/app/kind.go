package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"absah/internal/config"
	"absah/internal/durable"
	"absah/internal/store"
)

// What a data directory is decides what may run on it: a demo has known
// passwords and must never be served as anything else, and a production
// installation must never have its mail shown to everybody.
var (
	// ErrNotPrepared says that nothing was made in the data directory yet.
	ErrNotPrepared = errors.New("nothing is prepared here")
	// ErrDemo says that a demo lives in the data directory.
	ErrDemo = errors.New("a demo with known passwords lives here (run: absah serve --demo; or give another directory by --data)")
	// ErrNotDemo says that the data directory or the database is no demo's.
	ErrNotDemo = errors.New("this installation was not made as a demo and never becomes one (give another directory by --data, and no database.url)")
	// ErrHalfDemo says that the making of a demo was interrupted.
	ErrHalfDemo = errors.New("the making of this demo was interrupted (remove the directory and start again)")
	// ErrKeysLost says that people's data are there and the keys to them are not.
	ErrKeysLost = errors.New("the database holds data, and the keys to them are missing (restore the directory keys from its backup; new keys would not open anything)")
)

// demoMark is the file that makes a data directory that of a demo.
const demoMark = "demo.json"

// demoState is what the file says.
type demoState struct {
	BaseURL  string `json:"base_url"` // where the demo was reached last, for the doctor
	Complete bool   `json:"complete"` // all of its people were made
}

// readDemo reads the mark of a demo; nil without one.
func readDemo(cfg config.Config) (*demoState, error) {
	b, err := os.ReadFile(cfg.Path(demoMark))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the mark of the demo: %w", err)
	}
	var s demoState
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("read the mark of the demo: %w", err)
	}
	return &s, nil
}

func writeDemo(cfg config.Config, s demoState) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	if err := durable.Replace(cfg.Path(demoMark), b, 0o600); err != nil {
		return fmt.Errorf("mark the demo: %w", err)
	}
	return nil
}

// IsDemo tells whether the data directory is that of a demo.
func IsDemo(cfg config.Config) (bool, error) {
	s, err := readDemo(cfg)
	return s != nil, err
}

// PrepareDemo marks a fresh data directory as that of a demo. It fails with
// ErrNotDemo when something else was prepared there.
func PrepareDemo(cfg config.Config) error {
	s, err := readDemo(cfg)
	if s != nil || err != nil {
		return err
	}
	for _, name := range []string{"keys", "absah.db"} {
		if exists(cfg.Path(name)) {
			return fmt.Errorf("%s: %w", cfg.Data, ErrNotDemo)
		}
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	return writeDemo(cfg, demoState{BaseURL: cfg.BaseURL})
}

// noteDemo writes where the demo is reached now.
func (a *App) noteDemo() error {
	s, err := readDemo(a.Config)
	if err != nil {
		return err
	}
	s.BaseURL = a.Config.BaseURL
	return writeDemo(a.Config, *s)
}

// DemoComplete tells whether all people of the demo were made.
func (a *App) DemoComplete() (bool, error) {
	s, err := readDemo(a.Config)
	return s != nil && s.Complete, err
}

// CompleteDemo notes that all people of the demo were made.
func (a *App) CompleteDemo() error {
	return writeDemo(a.Config, demoState{BaseURL: a.Config.BaseURL, Complete: true})
}

// checkKind refuses what must not run on the data directory, and a directory
// where nothing was prepared. Nothing is changed.
func (a *App) checkKind(ctx context.Context) error {
	if !a.restoring {
		if err := checkRestored(a.Config); err != nil {
			return err
		}
	}
	demo, err := readDemo(a.Config)
	switch {
	case err != nil:
		return err
	case demo != nil && !a.Demo:
		return fmt.Errorf("%s: %w", a.Config.Data, ErrDemo)
	case demo == nil && a.Demo:
		return fmt.Errorf("%s: %w", a.Config.Data, ErrNotDemo)
	}
	if err := checkPrepared(ctx, a.Config, a.Log); errors.Is(err, ErrNotPrepared) {
		return fmt.Errorf("%w (run: absah init; for a demonstration run: absah serve --demo)", err)
	} else if err != nil {
		return err
	}
	return nil
}

// checkRestored fails with ErrHalfRestored where a restore ended in the middle.
func checkRestored(cfg config.Config) error {
	if exists(cfg.Path(restoring)) {
		return fmt.Errorf("%s: %w", cfg.Data, ErrHalfRestored)
	}
	return nil
}

// checkPrepared fails with ErrNotPrepared, or with ErrKeysLost when only the
// keys are missing.
func checkPrepared(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	file := !store.IsPostgres(cfg.DatabaseURL())
	if hasKeys(cfg) && (!file || exists(cfg.DatabaseURL())) {
		return nil
	}
	if err := checkKeysLost(ctx, cfg, log); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", cfg.Data, ErrNotPrepared)
}

func exists(path string) bool {
	_, err := os.Stat(filepath.Clean(path))
	return !errors.Is(err, fs.ErrNotExist)
}

// inUse tells whether a database holds the data of anybody.
func inUse(ctx context.Context, s *store.Store) (bool, error) {
	if err := s.CheckSchema(ctx); errors.Is(err, store.ErrOutdated) {
		return false, nil // Migrate has not been here, or there is more to mend first
	} else if err != nil {
		return false, err
	}
	n, err := s.Read().CountEmployees(ctx)
	if err != nil {
		return false, fmt.Errorf("look for people: %w", err)
	}
	m, err := s.Read().CountAccounts(ctx)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return n+m > 0, nil
}
