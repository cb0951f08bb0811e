package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Factors are the second factors of an account.
type Factors struct {
	TOTP         bool
	Passkeys     []db.Passkey
	RecoveryLeft int64 // recovery codes not used yet
}

// Any tells whether the account has a second factor. Recovery codes alone are
// none.
func (f Factors) Any() bool { return f.TOTP || len(f.Passkeys) > 0 }

// Factors reads the second factors of an account.
func (s *Service) Factors(ctx context.Context, accountID string) (Factors, error) {
	q := s.Store.Read()
	a, err := q.GetAccount(ctx, accountID)
	if store.IsNotFound(err) {
		return Factors{}, ErrNotFound
	}
	if err != nil {
		return Factors{}, fmt.Errorf("read second factors: %w", err)
	}
	f := Factors{TOTP: len(a.TotpSealed) > 0}
	if f.Passkeys, err = q.ListPasskeys(ctx, accountID); err != nil {
		return Factors{}, fmt.Errorf("read second factors: %w", err)
	}
	if f.RecoveryLeft, err = q.CountRecoveryCodes(ctx, accountID); err != nil {
		return Factors{}, fmt.Errorf("read second factors: %w", err)
	}
	return f, nil
}

func hasFactor(ctx context.Context, q *db.Queries, a db.Account) (bool, error) {
	if len(a.TotpSealed) > 0 {
		return true, nil
	}
	n, err := q.CountPasskeys(ctx, a.ID)
	if err != nil {
		return false, fmt.Errorf("read second factors: %w", err)
	}
	return n > 0, nil
}

// mayEnrol holds the rule for adding a factor: a full and fresh sign-in.
func (s *Service) mayEnrol(v *Viewer) error {
	if v.Session.State != Full {
		return ErrNotAllowed
	}
	return s.RequireFresh(v, s.Policy.Fresh)
}

// factorAdded ends every other session and replaces the viewer's by one that
// has the factor.
func (s *Service) factorAdded(ctx context.Context, tx *store.Tx, v *Viewer, factor string, what Change) (SignIn, error) {
	in, err := s.renew(ctx, tx, v, factor)
	if err != nil {
		return SignIn{}, err
	}
	if err := s.endOthers(ctx, tx, v.Account.ID, in.Session.ID); err != nil {
		return SignIn{}, err
	}
	return in, s.changed(ctx, tx, v, what)
}

// factorRemoved holds the rule of the last factor; without any factor the
// recovery codes go too.
func (s *Service) factorRemoved(ctx context.Context, tx *store.Tx, v *Viewer, what Change) error {
	a, err := tx.LockAccount(ctx, v.Account.ID)
	if err != nil {
		return fmt.Errorf("remove second factor: %w", err)
	}
	left, err := hasFactor(ctx, tx.Queries, a)
	if err != nil {
		return err
	}
	if !left {
		grants, err := grantsOf(ctx, tx.Queries, a.ID)
		if err != nil {
			return err
		}
		if s.needsFactor(grants) {
			return ErrLastFactor
		}
		if err := tx.DeleteRecoveryCodes(ctx, a.ID); err != nil {
			return fmt.Errorf("delete recovery codes: %w", err)
		}
	}
	return s.changed(ctx, tx, v, what)
}

// changed tells the owner and the record what changed.
func (s *Service) changed(ctx context.Context, tx *store.Tx, v *Viewer, what Change) error {
	if s.Courier != nil {
		if err := s.Courier.SecurityChanged(ctx, tx, v.Account, what); err != nil {
			return fmt.Errorf("tell about the change: %w", err)
		}
	}
	return s.record(ctx, tx, v.Actor(Employee), "account."+string(what), v.Account.ID, nil)
}

const (
	recoveryCodes = 10
	// recoveryChars spells codes that people copy from paper: no I, L, O, U.
	recoveryChars = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	recoveryLen   = 10 // 50 bits, behind a MAC and counted attempts
)

// NewRecoveryCodes replaces the viewer's recovery codes and returns the new
// ones ("ABCDE-FGHJK"), which nothing shows again.
func (s *Service) NewRecoveryCodes(ctx context.Context, v *Viewer) ([]string, error) {
	if err := s.mayEnrol(v); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	hashes := make([][]byte, recoveryCodes)
	for i := range codes {
		var b [recoveryLen]byte
		rand.Read(b[:])
		for j := range b {
			b[j] = recoveryChars[b[j]%32]
		}
		codes[i] = string(b[:5]) + "-" + string(b[5:])
		var err error
		if hashes[i], _, err = s.recoveryHash(ctx, v.Account.ID, codes[i], 0); err != nil {
			return nil, err
		}
	}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteRecoveryCodes(ctx, v.Account.ID); err != nil {
			return fmt.Errorf("replace recovery codes: %w", err)
		}
		for _, h := range hashes {
			if err := tx.InsertRecoveryCode(ctx, db.InsertRecoveryCodeParams{AccountID: v.Account.ID, CodeHash: h}); err != nil {
				return fmt.Errorf("store recovery code: %w", err)
			}
		}
		return s.changed(ctx, tx, v, RecoveryCodesRenewed)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// ProveRecovery checks a recovery code in place of a second factor. A code
// works once. It fails with ErrCode.
func (s *Service) ProveRecovery(ctx context.Context, v *Viewer, code string) (SignIn, error) {
	return s.prove(ctx, v, FactorRecovery, func(tx *store.Tx, a db.Account) (bool, error) {
		_, newest, err := s.recoveryHash(ctx, a.ID, code, 0)
		if err != nil {
			return false, err
		}
		// Codes outlive a rotation of the MAC key.
		for version := newest; version >= 1; version-- {
			h, _, err := s.recoveryHash(ctx, a.ID, code, version)
			if errors.Is(err, keys.ErrNoKey) {
				continue
			}
			if err != nil {
				return false, err
			}
			n, err := tx.UseRecoveryCode(ctx, db.UseRecoveryCodeParams{AccountID: a.ID, CodeHash: h, UsedAt: s.now()})
			if err != nil {
				return false, fmt.Errorf("use recovery code: %w", err)
			}
			if n == 1 {
				return true, nil
			}
		}
		return false, nil
	})
}

// recoveryHash is a MAC, not a plain hash: a code alone could be found by
// trying all of them against a stolen database.
func (s *Service) recoveryHash(ctx context.Context, accountID, code string, version int) ([]byte, int, error) {
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
	code = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(code)
	h, version, err := s.Vault.MAC(ctx, keys.Index, version, []byte("recovery/"+accountID+"/"+code))
	if err != nil {
		return nil, 0, fmt.Errorf("hash recovery code: %w", err)
	}
	return h, version, nil
}

// state is what a page carries between two steps, sealed.
type state struct {
	Expires int64           `json:"e"`
	Data    json.RawMessage `json:"d"`
}

// errState says that a carried state is forged, of somebody else or too old.
var errState = errors.New("the carried state does not open")

func (s *Service) sealState(ctx context.Context, kind, accountID string, data any, life time.Duration) (string, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", kind, err)
	}
	plain, err := json.Marshal(state{Expires: clock.Micros(s.Clock().Add(life)), Data: raw})
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", kind, err)
	}
	sealed, err := s.Vault.Seal(ctx, keys.Data, plain, []byte(kind+"/"+accountID))
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", kind, err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (s *Service) openState(ctx context.Context, kind, accountID, text string, data any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return errState
	}
	plain, err := s.Vault.Open(ctx, keys.Data, sealed, []byte(kind+"/"+accountID))
	if err != nil {
		return errState
	}
	var st state
	if err := json.Unmarshal(plain, &st); err != nil || st.Expires <= s.now() {
		return errState
	}
	if err := json.Unmarshal(st.Data, data); err != nil {
		return errState
	}
	return nil
}
