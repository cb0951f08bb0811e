package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"absah/internal/backup"
	"absah/internal/config"
	"absah/internal/durable"
	"absah/internal/store"
)

var (
	// ErrNoErasureKeys says that something else has the name of the file of
	// erasure keys.
	ErrNoErasureKeys = errors.New("this is no file of erasure keys: it is not replaced")
	// ErrOtherErasureKeys says that erasure keys of earlier backups are elsewhere.
	ErrOtherErasureKeys = errors.New("erasure keys of earlier backups are in another file, with which what is erased from now on can still be read: " +
		"write to that file, or remove it, or say --another-place when backups are kept in several places")
	// ErrForeignErasureKeys says that another installation's erasure keys have the name.
	ErrForeignErasureKeys = errors.New("these are the erasure keys of another installation, without which none of its backups can be opened whole: " +
		"write beside other backups, or move them away together with those")
)

// erasurePlaces is the file in the data directory that lists where erasure keys
// were written, one path a line.
const erasurePlaces = "erasure-places"

// CheckErasureKeys looks whether erasure keys may be written to path: only the
// newest ones are to exist. It fails with ErrNoErasureKeys where something else is
// there, and with ErrOtherErasureKeys when there are other ones in the same
// directory or, unless another is true, where earlier backups wrote them. Those of
// another installation stay, with ErrForeignErasureKeys: a data directory that was
// made anew, and the timer that backs it up, would take from the backups before all
// that the keys open.
func CheckErasureKeys(ctx context.Context, cfg config.Config, log *slog.Logger, path string, another bool) error {
	owner, ours, err := erasureOwner(path)
	if err == nil && !ours {
		err = ErrNoErasureKeys
	}
	if err == nil && len(owner) > 0 {
		err = checkOwner(ctx, cfg, log, owner)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", path, err)
	}
	list, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("look for erasure keys: %w", err)
	}
	for _, e := range list {
		other := filepath.Join(filepath.Dir(path), e.Name())
		// What cannot be read, or is being written, is none of ours.
		if ours, err := isErasureKeys(other); err == nil && ours && other != path && other != path+".part" {
			return fmt.Errorf("%s: %w", other, ErrOtherErasureKeys)
		}
	}
	if another {
		return nil
	}
	places, err := readPlaces(cfg)
	if err != nil {
		return err
	}
	for _, other := range places {
		if ours, err := isErasureKeys(other); err == nil && ours && other != path {
			return fmt.Errorf("%s: %w", other, ErrOtherErasureKeys)
		}
	}
	return nil
}

// NoteErasureKeys writes down that erasure keys are at path. Places where none
// are any more are forgotten.
func NoteErasureKeys(cfg config.Config, path string) error {
	places, err := readPlaces(cfg)
	if err != nil {
		return err
	}
	places = slices.DeleteFunc(places, func(p string) bool {
		_, err := os.Stat(p)
		return p == path || errors.Is(err, fs.ErrNotExist)
	})
	text := strings.Join(append(places, path), "\n") + "\n"
	if err := durable.Replace(cfg.Path(erasurePlaces), []byte(text), 0o600); err != nil {
		return fmt.Errorf("note the erasure keys: %w", err)
	}
	return nil
}

func readPlaces(cfg config.Config) ([]string, error) {
	b, err := os.ReadFile(cfg.Path(erasurePlaces))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read where erasure keys are: %w", err)
	}
	return strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' }), nil
}

// isErasureKeys tells whether a file holds erasure keys.
func isErasureKeys(path string) (ours bool, err error) {
	_, ours, err = erasureOwner(path)
	return ours, err
}

// erasureOwner is backup.ErasureOwner of what is at path.
func erasureOwner(path string) (owner []byte, ours bool, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	owner, ours, err = backup.ErasureOwner(f)
	return owner, ours, errors.Join(err, f.Close())
}

// checkOwner fails unless the first row of the record is the owner's.
func checkOwner(ctx context.Context, cfg config.Config, log *slog.Logger, owner []byte) error {
	if err := checkPrepared(ctx, cfg, log); err != nil {
		return err
	}
	return inStore(ctx, cfg, log, func(s *store.Store) error {
		first, err := s.Read().GetAudit(ctx, 1)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("read audit record: %w", err)
		}
		if !bytes.Equal(first.Hash, owner) {
			return ErrForeignErasureKeys
		}
		return nil
	})
}
