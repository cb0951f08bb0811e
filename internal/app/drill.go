package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"absah/internal/config"
)

// drillPrefix begins the names of the directories in the data directory into which
// drills restore. They hold keys that are not encrypted, so they are neither where
// other programs write nor forgotten when a drill is killed: whatever begins next on
// the data directory removes them.
const (
	drillPrefix = "drill-"
	drillLock   = "lock"
)

// drill is the place of one drill. The lock says that it is in use, as long as its
// process lives.
type drill struct {
	data, dir string
	made      bool // the data directory was made for it
	lock      *dirLock
}

func newDrill(cfg config.Config) (*drill, error) {
	d := &drill{data: cfg.Data, made: !exists(cfg.Data)}
	var err error
	for range 3 { // another drill, which tidies up, may take a new directory for a left one
		if err = os.MkdirAll(cfg.Data, 0o700); err != nil {
			break
		}
		if d.dir, err = os.MkdirTemp(cfg.Data, drillPrefix); err != nil { // mode 0700
			break
		}
		if d.lock, err = lockDir(filepath.Join(d.dir, drillLock)); err == nil {
			return d, nil
		}
		err = errors.Join(err, os.RemoveAll(d.dir))
	}
	return nil, fmt.Errorf("drill: %w", err)
}

func (d *drill) remove() error {
	err := os.RemoveAll(d.dir)
	if d.made {
		_ = os.Remove(d.data) // another drill may be in it
	}
	if err = errors.Join(err, d.lock.Close()); err != nil {
		return fmt.Errorf("remove what the drill restored: %w", err)
	}
	return nil
}

// removeDrills removes what drills left that were killed. One that runs stays.
func removeDrills(cfg config.Config) error {
	list, err := os.ReadDir(cfg.Data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for what drills left: %w", err)
	}
	for _, e := range list {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), drillPrefix) {
			continue
		}
		dir := filepath.Join(cfg.Data, e.Name())
		lock, err := lockDir(filepath.Join(dir, drillLock))
		switch {
		case errors.Is(err, ErrInUse), errors.Is(err, fs.ErrNotExist): // it runs, or has ended by now
			continue
		case err != nil:
			return fmt.Errorf("remove what a drill left: %w", err)
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return fmt.Errorf("remove what a drill left: %w", err)
		}
	}
	return nil
}

// tidy removes what killed drills left where an installation is opened.
func (a *App) tidy(ctx context.Context) error {
	if err := removeDrills(a.Config); err != nil {
		a.Log.WarnContext(ctx, "what a drill left is removed later", "error", err)
	}
	return nil
}
