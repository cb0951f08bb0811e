package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"absah/internal/config"
	"absah/internal/keys"
)

// ErrNotFiles says that the keys are in a token, which is divided by its own
// tools: a slot for each role.
var ErrNotFiles = errors.New("the keys are not in files")

// roleMark is the file that says whose directory it is.
const roleMark = "role"

// RoleHere tells which role the data directory was made for, empty for all: commands
// in it work with the keys of that role, without being told.
func RoleHere(cfg config.Config) Role {
	b, err := os.ReadFile(cfg.Path(roleMark))
	if err != nil {
		return "" // without the mark the keys that are missing tell
	}
	if r := Role(strings.TrimSpace(string(b))); slices.Contains(Roles(), r) {
		return r
	}
	return ""
}

// Split makes a data directory for every role below into: its keys and no
// others, the authority's certificates, and the place of the scans for those
// that read them. What is there is never replaced. It returns the directories.
func Split(cfg config.Config, into string) ([]string, error) {
	if cfg.Keys.Kind != "file" {
		return nil, ErrNotFiles
	}
	var made []string
	for _, role := range Roles() {
		dir := filepath.Join(into, string(role))
		one := cfg
		one.Roles = []string{string(role)}
		if err := splitOne(cfg, one, role, dir); err != nil {
			return made, fmt.Errorf("make the directory of role %s: %w", role, err)
		}
		made = append(made, dir)
	}
	return made, nil
}

func splitOne(from, one config.Config, role Role, dir string) error {
	for _, sub := range []string{"keys", "ca"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, roleMark), []byte(string(role)+"\n"), 0o600); err != nil {
		return err
	}
	err := copyFiles(from.Path("keys"), filepath.Join(dir, "keys"), func(name string) bool {
		base, ending, _ := strings.Cut(name, ".")
		isKey := ending == "pem" || strings.HasSuffix(ending, "key")
		return !isKey || mayOpen(one, keys.Name(base)) // vault.json opens an encrypted vault
	})
	if err != nil {
		return err
	}
	err = copyFiles(from.Path("ca"), filepath.Join(dir, "ca"), func(name string) bool {
		return role == RoleCA || strings.HasSuffix(name, ".crt") || strings.HasSuffix(name, ".crl")
	})
	if err != nil {
		return err
	}
	switch role {
	case RoleCA:
		pins := pinsDir(from)
		if !exists(pins) {
			return nil
		}
		to := filepath.Join(dir, "ca", filepath.Base(pins))
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		return copyFiles(pins, to, func(string) bool { return true })
	case RolePortal, RoleWorker:
		if from.Blobs.Kind != "disk" {
			return nil
		}
		blobs, err := filepath.Abs(from.Path("blobs"))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(blobs, 0o700); err != nil {
			return err
		}
		if err := os.Symlink(blobs, filepath.Join(dir, "blobs")); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// copyFiles copies the plain files of a directory whose name takes accepts.
func copyFiles(from, to string, accepts func(name string) bool) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !accepts(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(to, e.Name()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) {
			clear(b)
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		clear(b)
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
