package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"absah/internal/config"
	"absah/internal/keys"
	"absah/internal/keys/vaults"
	"absah/internal/store"
)

func (a *App) openVault(ctx context.Context) (err error) {
	v, err := vaults.Open(ctx, a.Config.Keys, a.Config.Path("keys"))
	if err != nil {
		return err
	}
	a.Vault = v
	mine, err := restrict(ctx, v, a.Config)
	if err != nil {
		return err
	}
	a.Vault = mine
	return tryKeys(ctx, a.Vault, a.Config)
}

// hasKeys tells whether a vault was made. Of a token only opening it tells.
func hasKeys(cfg config.Config) bool { return cfg.Keys.Kind == "pkcs11" || exists(cfg.Path("keys")) }

// tryKeys uses every secret of the roles once. It fails with keys.ErrNoKey when
// one is missing.
func tryKeys(ctx context.Context, v keys.Vault, cfg config.Config) error {
	for _, name := range keys.Secrets() {
		if !mayOpen(cfg, name) {
			continue
		}
		var err error
		switch use, _ := keys.UseOf(name); use {
		case keys.UseMAC:
			_, _, err = v.MAC(ctx, name, 0, []byte("absah"))
		default:
			_, err = v.Seal(ctx, name, []byte("absah"), nil)
		}
		if err != nil {
			return fmt.Errorf("try the keys: %w", err)
		}
	}
	return nil
}

// checkKeysLost keeps Prepare from making new keys where old ones are needed.
func checkKeysLost(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	v, err := vaults.Open(ctx, cfg.Keys, cfg.Path("keys"))
	if err == nil {
		err = errors.Join(tryKeys(ctx, v, cfg), v.Close())
	}
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, keys.ErrNoKey):
		return err // it is there and does not open
	case !store.IsPostgres(cfg.DatabaseURL()) && !exists(cfg.DatabaseURL()):
		return nil
	}
	s, err := store.Open(ctx, cfg.DatabaseURL(), log)
	if err != nil {
		return err
	}
	used, err := inUse(ctx, s)
	if used {
		err = errors.Join(err, fmt.Errorf("%s: %w", cfg.Path("keys"), ErrKeysLost))
	}
	return errors.Join(err, s.Close())
}

func (d *doctor) keys(ctx context.Context) (string, error) {
	if !hasKeys(d.cfg) {
		return "", checkPrepared(ctx, d.cfg, d.log)
	}
	v, err := vaults.Open(ctx, d.cfg.Keys, d.cfg.Path("keys"))
	if err != nil {
		return "", err
	}
	if err := errors.Join(v.Check(ctx), tryKeys(ctx, v, d.cfg)); err != nil {
		return "", errors.Join(err, v.Close())
	}
	d.vault = v // Examine closes it
	if _, err := restrict(ctx, v, d.cfg); err != nil {
		return "", err
	}
	if !mayOpen(d.cfg, keys.Pepper) {
		return "the keys of the roles " + strings.Join(d.cfg.Roles, ", ") + " are there, and no others", nil
	}
	pepper, err := v.Describe(ctx, keys.Pepper)
	if err != nil {
		return "", err
	}
	where := pepper.Vault
	if pepper.Vault != "file" {
		where = pepper.Where
	}
	chain, err := chainTime(ctx, v, d.cfg.Keys.PepperRounds)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("all secrets are there (%s: %s); the pepper's part of a guess takes %s",
		where, strings.Join(pepper.Protection, ", "), chain.Round(time.Millisecond)), nil
}

// chainTime measures how long the rounds of the pepper take.
func chainTime(ctx context.Context, v keys.Vault, rounds int) (time.Duration, error) {
	begun := time.Now()
	mac := []byte("absah")
	for range rounds {
		var err error
		if mac, _, err = v.MAC(ctx, keys.Pepper, 0, mac); err != nil {
			return 0, fmt.Errorf("measure the pepper: %w", err)
		}
	}
	return time.Since(begun), nil
}
