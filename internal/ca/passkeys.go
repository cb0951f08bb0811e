package ca

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ApprovalPolicy says whose approvals need a signature by passkey.
type ApprovalPolicy string

// The policies.
const (
	// ByPasskey: every approval does. Nothing but the ca role's own files says
	// whose passkey it is, so neither the portal nor the database can have a
	// certificate made.
	ByPasskey ApprovalPolicy = "passkey"
	// ByAccount: none does; who is logged in as an officer approves.
	ByAccount ApprovalPolicy = "account"
	// ByEither: those of officers with a pinned passkey do.
	ByEither ApprovalPolicy = "auto"
)

// signedApproval is an assertion under an approval, as the database has it.
type signedApproval struct {
	Officer string
	About   string // the registration that the officer saw
	Assertion
}

// asks reports whether approvals of an officer need a signature.
func (a *Authority) asks(officer string) (bool, []Pin, error) {
	if a.cfg.Pins == nil || a.cfg.Approval == ByAccount {
		return false, nil, nil
	}
	pins, err := a.cfg.Pins.of(officer)
	if err != nil {
		return true, nil, err
	}
	return a.cfg.Approval == ByPasskey || len(pins) > 0, pins, nil
}

// signatures reads the assertions under the approvals of a registration, by
// stage, if anybody's are needed.
func (a *Authority) signatures(ctx context.Context, q *db.Queries, r Request) (out [2]*signedApproval, err error) {
	first, _, err1 := a.asks(r.FirstOfficer)
	second, _, err2 := a.asks(r.SecondOfficer)
	if err := errors.Join(err1, err2); err != nil || (!first && !second) {
		return out, err
	}
	rows, err := q.ApprovalsOf(ctx, r.RegistrationID)
	if err != nil {
		return out, fmt.Errorf("read signatures of the officers: %w", err)
	}
	for _, row := range rows {
		if row.Stage == 1 || row.Stage == 2 {
			out[row.Stage-1] = &signedApproval{Officer: row.OfficerID, About: row.AboutID, Assertion: Assertion{
				CredentialID: row.CredentialID, AuthenticatorData: row.AuthenticatorData, ClientData: row.ClientData, Signature: row.Signature,
			}}
		}
	}
	return out, nil
}

// checkSignatures verifies the officers' signatures as far as the policy asks
// for them, against the passkeys that the ca role has pinned. Errors are
// ErrApproval, or say that the pins cannot be read.
//
// The signature under a first check may be about a registration before this one
// (a reset carries the check over): it names the same applicant and the same
// data, so it says what the officer said. The second check binds the key, and
// is always made anew.
func (a *Authority) checkSignatures(r Request) error {
	if r.Renewed {
		return nil // the approvals are those of the certificate before, whose key vouches for this one
	}
	for i, officer := range []string{r.FirstOfficer, r.SecondOfficer} {
		needed, pins, err := a.asks(officer)
		if err != nil {
			return fmt.Errorf("check signature of officer %d: %w", i+1, err)
		}
		if !needed {
			continue
		}
		s := r.signatures[i]
		if s == nil || s.Officer != officer {
			return fmt.Errorf("%w: officer %d did not sign by passkey", ErrApproval, i+1)
		}
		if i == 1 && s.About != r.RegistrationID {
			return fmt.Errorf("%w: officer 2 signed about another registration", ErrApproval)
		}
		if err := checkAny(pins, s.Assertion, a.cfg.Site, a.cfg.Profile.statement(r, i+1, s.About)); err != nil {
			return fmt.Errorf("officer %d: %w", i+1, err)
		}
	}
	return nil
}

func checkAny(pins []Pin, a Assertion, at Site, s Statement) error {
	for _, pin := range pins {
		if bytes.Equal(pin.CredentialID, a.CredentialID) {
			return a.Check(pin.PublicKey, at, s.Hash())
		}
	}
	return fmt.Errorf("%w: the passkey is not pinned to him", errAssertion)
}

func recordPin(ctx context.Context, tx *store.Tx, at time.Time, action string, credential []byte, detail map[string]string) error {
	return audit.Record(ctx, tx, at, audit.System("ca"), audit.Entry{
		Action: action, ObjectKind: "passkey", ObjectID: hexHash(credential), Detail: detail,
	})
}

// tellPins writes down for the pages which passkeys are pinned.
func (a *Authority) tellPins(ctx context.Context) error {
	if a.cfg.Pins == nil {
		return nil
	}
	return a.cfg.Pins.Tell(ctx, a.cfg.Store, a.cfg.Clock())
}

// Tell writes down for the pages which passkeys are pinned, and records what
// changed.
func (p *Pins) Tell(ctx context.Context, s *store.Store, at time.Time) error {
	pins, err := p.All()
	if err != nil {
		return err
	}
	rows, err := s.Read().PinnedPasskeys(ctx)
	if err != nil {
		return fmt.Errorf("read pins as told: %w", err)
	}
	told := map[string]bool{}
	for _, r := range rows {
		told[string(r.CredentialID)] = true
	}
	if len(pins) == 0 && len(told) == 0 {
		return nil
	}
	return s.InTx(ctx, func(tx *store.Tx) error {
		for _, p := range pins {
			if told[string(p.CredentialID)] {
				delete(told, string(p.CredentialID))
				continue
			}
			if _, err := tx.GetEmployee(ctx, p.EmployeeID); store.IsNotFound(err) {
				continue // of another installation, or of somebody erased
			} else if err != nil {
				return fmt.Errorf("read officer: %w", err)
			}
			err := tx.PinPasskey(ctx, db.PinPasskeyParams{
				CredentialID: p.CredentialID, EmployeeID: p.EmployeeID, PublicKey: p.PublicKey, PinnedAt: clock.Micros(p.At),
			})
			if err != nil {
				return fmt.Errorf("tell of pin: %w", err)
			}
			if err := recordPin(ctx, tx, at, "passkey.pin", p.CredentialID, map[string]string{"employee": p.EmployeeID, "by": p.By}); err != nil {
				return err
			}
		}
		for id := range told {
			if err := tx.UnpinPasskey(ctx, []byte(id)); err != nil {
				return fmt.Errorf("tell of removed pin: %w", err)
			}
			if err := recordPin(ctx, tx, at, "passkey.unpin", []byte(id), nil); err != nil {
				return err
			}
		}
		return nil
	})
}
