package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"absah/internal/ca"
	"absah/internal/clock"
	"absah/internal/config"
	"absah/internal/keys/vaults"
	"absah/internal/store"
)

// ErrNoPasskey says that no officer has a passkey with that fingerprint.
var ErrNoPasskey = errors.New("no officer has a passkey with this fingerprint")

// withPins opens the pins of the ca role and what the database says of
// officers' passkeys. It may run beside a server.
func withPins(ctx context.Context, cfg config.Config, log *slog.Logger, change bool, use func(*ca.Pins, []ca.Waiting) error) (err error) {
	v, err := vaults.Open(ctx, cfg.Keys, cfg.Path("keys"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	pins, err := ca.OpenPins(ctx, v, pinsDir(cfg))
	if err != nil {
		return err
	}
	return inStore(ctx, cfg, log, func(s *store.Store) error {
		rows, err := s.Read().OfficersPasskeys(ctx)
		if err != nil {
			return fmt.Errorf("read the officers' passkeys: %w", err)
		}
		list, err := pins.Waiting(rows)
		if err != nil {
			return err
		}
		if err := use(pins, list); err != nil || !change {
			return err
		}
		return pins.Tell(ctx, s, clock.System()) // the ca role does so too, within a minute
	})
}

// Passkeys lists the officers' passkeys, and which of them the ca role knows.
// Where the ca role runs apart it is called in its directory.
func Passkeys(ctx context.Context, cfg config.Config, log *slog.Logger) (list []ca.Waiting, err error) {
	err = withPins(ctx, cfg, log, false, func(_ *ca.Pins, all []ca.Waiting) error {
		list = all
		return nil
	})
	return list, err
}

// PinPasskey makes the ca role know a passkey as its owner's. by is who compared
// the fingerprint with the officer. It fails with ErrNoPasskey.
func PinPasskey(ctx context.Context, cfg config.Config, log *slog.Logger, fingerprint, by string) (pinned ca.Waiting, err error) {
	err = withPins(ctx, cfg, log, true, func(pins *ca.Pins, all []ca.Waiting) error {
		for _, w := range all {
			if w.Fingerprint() == fingerprint {
				pinned = w
				pin := w.Pin
				pin.By, pin.At = by, clock.System()
				return pins.Add(pin)
			}
		}
		return ErrNoPasskey
	})
	return pinned, err
}

// UnpinPasskey makes the ca role forget a passkey. It fails with ErrNoPasskey.
func UnpinPasskey(ctx context.Context, cfg config.Config, log *slog.Logger, fingerprint string) error {
	return withPins(ctx, cfg, log, true, func(pins *ca.Pins, _ []ca.Waiting) error {
		err := pins.Remove(fingerprint)
		if errors.Is(err, fs.ErrNotExist) {
			return ErrNoPasskey
		}
		return err
	})
}
