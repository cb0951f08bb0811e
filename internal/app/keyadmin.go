package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/vaults"
	"absah/internal/store"
)

// ErrNoFiles says that something was asked of a token that only the software
// vault has.
var ErrNoFiles = errors.New("keys.kind is pkcs11: a token encrypts its keys itself")

// ListKeys describes every key of the vault.
func ListKeys(ctx context.Context, cfg config.Config) (_ []keys.Description, err error) {
	v, err := vaults.Open(ctx, cfg.Keys, cfg.Path("keys"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	return v.List(ctx)
}

// RotateKey makes the next version of a secret, with a row of audit. The server
// may run meanwhile: it uses the new version from then on, and brings what older
// ones protect under it.
func RotateKey(ctx context.Context, cfg config.Config, log *slog.Logger, now clock.Clock, who audit.Actor, name keys.Name) (version int, err error) {
	v, err := vaults.Open(ctx, cfg.Keys, cfg.Path("keys"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	// The log first: what cannot be recorded is not done.
	err = inStore(ctx, cfg, log, func(s *store.Store) error {
		return s.InTx(ctx, func(tx *store.Tx) error {
			if version == 0 { // a transaction may run again, and the vault may not
				if version, err = v.Rotate(ctx, name); err != nil {
					return err
				}
			}
			return audit.Record(ctx, tx, now(), who, audit.Entry{
				Action: "keys.rotate", ObjectKind: "key", ObjectID: string(name), Detail: map[string]string{"version": strconv.Itoa(version)},
			})
		})
	})
	if err != nil && version != 0 {
		err = fmt.Errorf("%s has version %d now, and that could not be recorded: %w", name, version, err)
	}
	return version, err
}

// EncryptKeys encrypts the plain software vault under the passphrase that
// keys.passphrase_file names. The server must not run.
func EncryptKeys(ctx context.Context, cfg config.Config, log *slog.Logger, now clock.Clock, who audit.Actor) error {
	return alone(ctx, cfg, log, now, who, "keys.encrypt", func(passphrase []byte) error {
		return keys.Encrypt(cfg.Path("keys"), passphrase)
	})
}

// ChangeKeysPassphrase gives the encrypted software vault the passphrase that
// the file fresh holds. The server must not run.
func ChangeKeysPassphrase(ctx context.Context, cfg config.Config, log *slog.Logger, now clock.Clock, who audit.Actor, fresh string) error {
	return alone(ctx, cfg, log, now, who, "keys.passphrase", func(passphrase []byte) error {
		next, err := vaults.ReadSecret(fresh)
		if err != nil {
			return err
		}
		return keys.ChangePassphrase(cfg.Path("keys"), passphrase, next)
	})
}

// alone does something to the files of the software vault while no server runs
// on the data directory, and records it.
func alone(ctx context.Context, cfg config.Config, log *slog.Logger, now clock.Clock, who audit.Actor, action string, do func(passphrase []byte) error) (err error) {
	if cfg.Keys.Kind != "file" {
		return ErrNoFiles
	}
	if cfg.Keys.PassphraseFile == "" {
		return &config.Error{Key: "keys.passphrase_file", Want: "must name the file with the vault's passphrase"}
	}
	passphrase, err := vaults.ReadSecret(cfg.Keys.PassphraseFile)
	if err != nil {
		return fmt.Errorf("keys.passphrase_file: %w", err)
	}
	defer clear(passphrase)
	if err := checkRestored(cfg); err != nil {
		return err
	}
	if err := checkPrepared(ctx, cfg, log); err != nil {
		return err
	}
	lock, err := lockDir(cfg.Path("lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// The log first: what cannot be recorded is not done.
	return inStore(ctx, cfg, log, func(s *store.Store) error {
		if err := do(passphrase); err != nil {
			return err
		}
		err := s.InTx(ctx, func(tx *store.Tx) error {
			return audit.Record(ctx, tx, now(), who, audit.Entry{Action: action, ObjectKind: "key", ObjectID: "*"})
		})
		if err != nil {
			return fmt.Errorf("it is done, and could not be recorded: %w", err)
		}
		return nil
	})
}

// inStore opens the database for f, which may run beside a server. A schema
// that is not the program's own is an error.
func inStore(ctx context.Context, cfg config.Config, log *slog.Logger, f func(*store.Store) error) error {
	s, err := store.Open(ctx, cfg.DatabaseURL(), log)
	if err != nil {
		return err
	}
	if err = s.CheckSchema(ctx); err == nil {
		err = f(s)
	}
	return errors.Join(err, s.Close())
}
