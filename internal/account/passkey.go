package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// ceremonyLife is how long an authenticator may take to answer.
const ceremonyLife = 5 * time.Minute

// maxPasskeys bounds the passkeys of one account.
const maxPasskeys = 10

// Ceremony is a challenge for an authenticator (WebAuthn 3, 7).
type Ceremony struct {
	Options []byte // JSON for navigator.credentials
	State   string // sealed; comes back with the answer
}

// keyOwner is an account as package webauthn wants it. The user handle is the
// account's identifier: random and without meaning.
type keyOwner struct {
	account     db.Account
	credentials []webauthn.Credential
}

func (o keyOwner) WebAuthnID() []byte                         { return []byte(o.account.ID) }
func (o keyOwner) WebAuthnName() string                       { return o.account.Username }
func (o keyOwner) WebAuthnDisplayName() string                { return o.account.DisplayName }
func (o keyOwner) WebAuthnCredentials() []webauthn.Credential { return o.credentials }

func ownerOf(ctx context.Context, q *db.Queries, a db.Account) (keyOwner, error) {
	rows, err := q.ListPasskeys(ctx, a.ID)
	if err != nil {
		return keyOwner{}, fmt.Errorf("read passkeys: %w", err)
	}
	o := keyOwner{account: a}
	for _, r := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(r.Data), &c); err != nil {
			return keyOwner{}, fmt.Errorf("read passkey %s: %w", r.ID, err)
		}
		o.credentials = append(o.credentials, c)
	}
	return o, nil
}

// BeginPasskey starts adding a passkey to the viewer's account.
func (s *Service) BeginPasskey(ctx context.Context, v *Viewer) (Ceremony, error) {
	if s.webauthn == nil {
		return Ceremony{}, ErrNoPasskeys
	}
	if err := s.mayEnrol(v); err != nil {
		return Ceremony{}, err
	}
	o, err := ownerOf(ctx, s.Store.Read(), v.Account)
	if err != nil {
		return Ceremony{}, err
	}
	if len(o.credentials) >= maxPasskeys {
		return Ceremony{}, ErrNotAllowed
	}
	options, session, err := s.webauthn.BeginRegistration(o,
		webauthn.WithExclusions(webauthn.Credentials(o.credentials).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin passkey: %w", err)
	}
	return s.ceremony(ctx, "passkey-add", v.Account.ID, options, session)
}

func (s *Service) ceremony(ctx context.Context, kind, accountID string, options any, session *webauthn.SessionData) (Ceremony, error) {
	b, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin ceremony: %w", err)
	}
	// The library's own expiry uses the machine's clock; the sealed state has one.
	session.Expires = time.Time{}
	state, err := s.sealState(ctx, kind, accountID, session, ceremonyLife)
	if err != nil {
		return Ceremony{}, err
	}
	return Ceremony{Options: b, State: state}, nil
}

// FinishPasskey adds the passkey that answered. Every other session ends; the
// one returned replaces the viewer's. It fails with ErrPasskey.
func (s *Service) FinishPasskey(ctx context.Context, v *Viewer, state string, answer []byte, name string) (SignIn, error) {
	if s.webauthn == nil {
		return SignIn{}, ErrNoPasskeys
	}
	if err := s.mayEnrol(v); err != nil {
		return SignIn{}, err
	}
	var session webauthn.SessionData
	if err := s.openState(ctx, "passkey-add", v.Account.ID, state, &session); err != nil {
		return SignIn{}, ErrPasskey
	}
	o, err := ownerOf(ctx, s.Store.Read(), v.Account)
	if err != nil {
		return SignIn{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return SignIn{}, ErrPasskey
	}
	c, err := s.webauthn.CreateCredential(o, session, parsed)
	if err != nil {
		return SignIn{}, ErrPasskey
	}
	data, err := json.Marshal(c)
	if err != nil {
		return SignIn{}, fmt.Errorf("store passkey: %w", err)
	}
	var in SignIn
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.onlyOnce(ctx, tx, state); err != nil {
			return err
		}
		err := tx.InsertPasskey(ctx, db.InsertPasskeyParams{
			ID: ident.New(), AccountID: v.Account.ID, CredentialID: c.ID, Data: string(data),
			Name: passkeyName(name), CreatedAt: s.now(),
		})
		if store.IsUnique(err) {
			return ErrPasskey
		}
		if err != nil {
			return fmt.Errorf("store passkey: %w", err)
		}
		in, err = s.factorAdded(ctx, tx, v, FactorPasskey, PasskeyAdded)
		return err
	})
	return in, err
}

func passkeyName(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60])
	}
	if s == "" {
		return "Passkey"
	}
	return s
}

// RemovePasskey takes a passkey of the viewer out of use. It fails with
// ErrNotFound or ErrLastFactor.
func (s *Service) RemovePasskey(ctx context.Context, v *Viewer, id string) error {
	if err := s.RequireFresh(v, s.Policy.Fresh); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.DeletePasskey(ctx, db.DeletePasskeyParams{ID: id, AccountID: v.Account.ID})
		if err != nil {
			return fmt.Errorf("remove passkey: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return s.factorRemoved(ctx, tx, v, PasskeyRemoved)
	})
}

// BeginPasskeyLogin starts signing in by passkey alone: the authenticator names
// the account and verifies its owner (PIN, finger), which makes two factors.
func (s *Service) BeginPasskeyLogin(ctx context.Context) (Ceremony, error) {
	if s.webauthn == nil {
		return Ceremony{}, ErrNoPasskeys
	}
	options, session, err := s.webauthn.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin passkey log-in: %w", err)
	}
	return s.ceremony(ctx, "passkey-login", "", options, session)
}

// FinishPasskeyLogin signs in whoever's passkey answered. It fails with
// ErrPasskey. A lock after wrong passwords does not hold it: nobody guesses a
// passkey, and so nobody can lock its owner out.
func (s *Service) FinishPasskeyLogin(ctx context.Context, state string, answer []byte, c Client) (SignIn, error) {
	if s.webauthn == nil {
		return SignIn{}, ErrNoPasskeys
	}
	var session webauthn.SessionData
	if err := s.openState(ctx, "passkey-login", "", state, &session); err != nil {
		return SignIn{}, ErrPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignIn{}, ErrPasskey
	}
	var in SignIn
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.onlyOnce(ctx, tx, state); err != nil {
			return err
		}
		var owner keyOwner
		find := func(_, handle []byte) (webauthn.User, error) {
			a, err := tx.LockAccount(ctx, string(handle))
			if err != nil {
				return nil, err
			}
			owner, err = ownerOf(ctx, tx.Queries, a)
			return owner, err
		}
		credential, err := s.webauthn.ValidateDiscoverableLogin(find, session, parsed)
		if err != nil || credential.Authenticator.CloneWarning || !credential.Flags.UserVerified {
			return ErrPasskey
		}
		employed, err := tx.AccountEmployed(ctx, owner.account.ID)
		if err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
		if owner.account.State != Active || !employed {
			return ErrPasskey
		}
		if err := s.usePasskey(ctx, tx, owner.account.ID, credential); err != nil {
			return err
		}
		in, err = s.signIn(ctx, tx, owner.account, FactorPasskey, c)
		return err
	})
	return in, err
}

// BeginProof starts proving who the viewer is with one of his passkeys: the
// second step of signing in, or a fresh proof later.
func (s *Service) BeginProof(ctx context.Context, v *Viewer) (Ceremony, error) {
	if s.webauthn == nil {
		return Ceremony{}, ErrNoPasskeys
	}
	o, err := ownerOf(ctx, s.Store.Read(), v.Account)
	if err != nil {
		return Ceremony{}, err
	}
	if len(o.credentials) == 0 {
		return Ceremony{}, ErrNotFound
	}
	options, session, err := s.webauthn.BeginLogin(o, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin proof: %w", err)
	}
	return s.ceremony(ctx, "passkey-proof", v.Account.ID, options, session)
}

// ProvePasskey checks the answer to BeginProof. It fails with ErrPasskey.
func (s *Service) ProvePasskey(ctx context.Context, v *Viewer, state string, answer []byte) (SignIn, error) {
	if s.webauthn == nil {
		return SignIn{}, ErrNoPasskeys
	}
	var session webauthn.SessionData
	if err := s.openState(ctx, "passkey-proof", v.Account.ID, state, &session); err != nil {
		return SignIn{}, ErrPasskey
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignIn{}, ErrPasskey
	}
	var in SignIn
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.onlyOnce(ctx, tx, state); err != nil {
			return err
		}
		a, err := tx.LockAccount(ctx, v.Account.ID)
		if err != nil {
			return fmt.Errorf("prove by passkey: %w", err)
		}
		o, err := ownerOf(ctx, tx.Queries, a)
		if err != nil {
			return err
		}
		credential, err := s.webauthn.ValidateLogin(o, session, parsed)
		if err != nil || credential.Authenticator.CloneWarning || a.State != Active {
			return ErrPasskey
		}
		if err := s.usePasskey(ctx, tx, a.ID, credential); err != nil {
			return err
		}
		in, err = s.conclude(ctx, tx, v, FactorPasskey)
		return err
	})
	return in, err
}

// usePasskey stores the counter and flags that came with the answer.
func (s *Service) usePasskey(ctx context.Context, tx *store.Tx, accountID string, c *webauthn.Credential) error {
	row, err := tx.GetPasskey(ctx, c.ID)
	if err != nil || row.AccountID != accountID || !bytes.Equal(row.CredentialID, c.ID) {
		return ErrPasskey
	}
	data, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("update passkey: %w", err)
	}
	if err := tx.UsePasskey(ctx, db.UsePasskeyParams{ID: row.ID, Data: string(data), UsedAt: s.now()}); err != nil {
		return fmt.Errorf("update passkey: %w", err)
	}
	return nil
}

// onlyOnce refuses a ceremony that was concluded before.
func (s *Service) onlyOnce(ctx context.Context, tx *store.Tx, state string) error {
	sum := sha256.Sum256([]byte(state))
	now := s.Clock()
	row, err := tx.CountInWindow(ctx, db.CountInWindowParams{
		Key: "ceremony:" + hex.EncodeToString(sum[:]), Now: clock.Micros(now), NewEnd: clock.Micros(now.Add(2 * ceremonyLife)),
	})
	if err != nil {
		return fmt.Errorf("conclude ceremony: %w", err)
	}
	if row.Count > 1 {
		return ErrPasskey
	}
	return nil
}
