package app

import (
	"errors"
	"fmt"
	"slices"

	"absah/internal/account"
	"absah/internal/config"
	"absah/internal/credential"
	"absah/internal/enrolment"
	"absah/internal/keys"
	"absah/internal/outbox"
	"absah/internal/privacy"
	"absah/internal/reseal"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/webhook"
)

// sealedColumns are all columns that hold what the vault sealed for longer than
// hours.
func sealedColumns() []reseal.Column {
	return slices.Concat(staff.SealedColumns(), enrolment.SealedColumns(), account.SealedColumns(), outbox.SealedColumns(),
		signing.SealedColumns(), privacy.SealedColumns(), webhook.SealedColumns())
}

// resealing brings everything under the newest versions of the vault's secrets.
func (a *App) resealing() *reseal.Service {
	macs := enrolment.MACs{Store: a.Store, Sealer: a.sealer, Ledger: credential.NewLedger(a.Vault), Log: a.Log}
	return &reseal.Service{
		Store: a.Store, Vault: a.Vault, Clock: a.Clock, Log: a.Log, Columns: sealedColumns(),
		Passes: map[keys.Name]reseal.Pass{keys.Index: a.Staff.Reindex, keys.Attempts: macs.Renew},
	}
}

// errNoWrapper says that subscribers' keys are to be in a token and the vault
// is none.
var errNoWrapper = errors.New("keys.subscribers is token, and the vault is none")

// subscribersKeys says how subscribers' keys are sealed, and where they are used.
func subscribersKeys(v keys.Keyring, cfg config.Config) ([]credential.Option, error) {
	out := []credential.Option{credential.WithPepperRounds(cfg.Keys.PepperRounds)}
	if cfg.Keys.Subscribers != "token" {
		return out, nil
	}
	if r, ok := v.(ring); ok {
		if err := r.check(keys.Subscriber); err != nil {
			return nil, fmt.Errorf("open subscribers' keys: %w", err)
		}
		v = r.Keyring
	}
	token, ok := v.(keys.Wrapper)
	if !ok {
		return nil, errNoWrapper
	}
	return append(out, credential.InToken(token)), nil
}
