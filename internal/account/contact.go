package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
)

// AddressHold is how long after a change of address no link for a forgotten
// password goes there. Whoever keeps people's data could otherwise write his own
// address into an officer's, and be that officer a minute later.
const AddressHold = 24 * time.Hour

// ErrNewAddress says that the address of the account is younger than AddressHold.
var ErrNewAddress = errors.New("the address of the account is new")

// SetContactTx keeps name and address of an account those of its owner, in tx. Of
// another address the one before is told, unless nobody has used the account yet.
func (s *Service) SetContactTx(ctx context.Context, tx *store.Tx, who audit.Actor, a db.Account, name, email string) error {
	if a.DisplayName == name && a.Email == email {
		return nil
	}
	p := db.SetAccountContactParams{ID: a.ID, DisplayName: name, Email: email, UpdatedAt: s.now()}
	if err := tx.SetAccountContact(ctx, p); err != nil {
		return fmt.Errorf("set contact of account: %w", err)
	}
	if a.Email == email || a.PasswordHash == "" {
		return nil
	}
	if _, err := s.within(ctx, tx, holdKey(a.ID), AddressHold, 1); err != nil {
		return err
	}
	if s.Courier != nil && a.Email != "" {
		if err := s.Courier.SecurityChanged(ctx, tx, a, AddressChanged); err != nil {
			return fmt.Errorf("tell about the change: %w", err)
		}
	}
	return s.record(ctx, tx, who, "account.address", a.ID, nil)
}

func holdKey(accountID string) string { return "address-hold:" + accountID }

// held tells whether a link that sets a new password may not be sent to the
// account yet.
func (s *Service) held(ctx context.Context, tx *store.Tx, accountID string) (bool, error) {
	// Asking counts: one more within the time of a change, else the first of a time
	// that is over at once.
	free, err := s.within(ctx, tx, holdKey(accountID), 0, 1)
	return !free, err
}
