package account

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TOTP (RFC 6238) as every authenticator app knows it: SHA-1, 6 digits, 30
// seconds, one step of tolerance to either side.
const (
	totpPeriod = 30 * time.Second
	totpSkew   = 1
	setupLife  = 30 * time.Minute
)

// TOTPSetup is a secret that is not in use yet. It lives in the page alone.
type TOTPSetup struct {
	Secret string // base32, for people who cannot scan
	URI    string // otpauth://, for the QR code
	State  string // sealed; comes back with the first code
}

// BeginTOTP makes a secret for the viewer. Nothing changes until FinishTOTP.
func (s *Service) BeginTOTP(ctx context.Context, v *Viewer) (TOTPSetup, error) {
	if err := s.mayEnrol(v); err != nil {
		return TOTPSetup{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: s.Name, AccountName: v.Account.Username, SecretSize: 20})
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("make TOTP secret: %w", err)
	}
	state, err := s.sealState(ctx, "totp-setup", v.Account.ID, key.Secret(), setupLife)
	if err != nil {
		return TOTPSetup{}, err
	}
	return TOTPSetup{Secret: key.Secret(), URI: key.URL(), State: state}, nil
}

// ResumeTOTP shows a set-up again, after a wrong code. It fails with ErrCode
// when the set-up is too old.
func (s *Service) ResumeTOTP(ctx context.Context, v *Viewer, state string) (TOTPSetup, error) {
	var secret string
	if err := s.openState(ctx, "totp-setup", v.Account.ID, state, &secret); err != nil {
		return TOTPSetup{}, ErrCode
	}
	key, err := otp.NewKeyFromURL(totpURI(s.Name, v.Account.Username, secret))
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("show TOTP secret: %w", err)
	}
	return TOTPSetup{Secret: secret, URI: key.URL(), State: state}, nil
}

// FinishTOTP takes the secret of the set-up into use once the app shows the
// right code. Every other session ends; the one returned replaces the viewer's.
// It fails with ErrCode.
func (s *Service) FinishTOTP(ctx context.Context, v *Viewer, state, code string) (SignIn, error) {
	if err := s.mayEnrol(v); err != nil {
		return SignIn{}, err
	}
	var secret string
	if err := s.openState(ctx, "totp-setup", v.Account.ID, state, &secret); err != nil {
		return SignIn{}, ErrCode
	}
	step, ok := matchTOTP(secret, code, s.Clock(), 0)
	if !ok {
		return SignIn{}, ErrCode // the secret is in the page: there is nothing to guess
	}
	var in SignIn
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.storeTOTP(ctx, tx, v.Account.ID, secret, step); err != nil {
			return err
		}
		var err error
		in, err = s.factorAdded(ctx, tx, v, FactorTOTP, TOTPAdded)
		return err
	})
	return in, err
}

// EnrolTOTP gives an account a TOTP secret (base32) directly, for fixtures and
// demonstrations.
func (s *Service) EnrolTOTP(ctx context.Context, tx *store.Tx, accountID, secret string) error {
	return s.storeTOTP(ctx, tx, accountID, secret, 0)
}

func (s *Service) storeTOTP(ctx context.Context, tx *store.Tx, accountID, secret string, step int64) error {
	sealed, err := s.Vault.Seal(ctx, keys.Data, []byte(secret), totpContext(accountID))
	if err != nil {
		return fmt.Errorf("seal TOTP secret: %w", err)
	}
	err = tx.SetTOTP(ctx, db.SetTOTPParams{ID: accountID, TotpSealed: sealed, TotpStep: step, UpdatedAt: s.now()})
	if err != nil {
		return fmt.Errorf("store TOTP secret: %w", err)
	}
	return nil
}

// RemoveTOTP takes the app out of use. It fails with ErrLastFactor when the
// viewer's roles ask for a second factor and this is his last.
func (s *Service) RemoveTOTP(ctx context.Context, v *Viewer) error {
	if err := s.RequireFresh(v, s.Policy.Fresh); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.SetTOTP(ctx, db.SetTOTPParams{ID: v.Account.ID, TotpSealed: nil, TotpStep: 0, UpdatedAt: s.now()})
		if err != nil {
			return fmt.Errorf("remove TOTP: %w", err)
		}
		return s.factorRemoved(ctx, tx, v, TOTPRemoved)
	})
}

// ProveTOTP checks a code of the viewer's app: the second step of signing in,
// or a fresh proof later. A code works once. It fails with ErrCode.
func (s *Service) ProveTOTP(ctx context.Context, v *Viewer, code string) (SignIn, error) {
	return s.prove(ctx, v, FactorTOTP, func(tx *store.Tx, a db.Account) (bool, error) {
		if len(a.TotpSealed) == 0 {
			return false, nil
		}
		secret, err := s.Vault.Open(ctx, keys.Data, a.TotpSealed, totpContext(a.ID))
		if err != nil {
			return false, fmt.Errorf("open TOTP secret: %w", err)
		}
		step, ok := matchTOTP(string(secret), code, s.Clock(), a.TotpStep)
		if !ok {
			return false, nil
		}
		n, err := tx.UseTOTPStep(ctx, db.UseTOTPStepParams{ID: a.ID, TotpStep: step})
		if err != nil {
			return false, fmt.Errorf("use TOTP code: %w", err)
		}
		return n == 1, nil
	})
}

func totpContext(accountID string) []byte { return []byte("totp/" + accountID) }

func totpURI(issuer, name, secret string) string {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: name, SecretSize: 20})
	if err != nil {
		return ""
	}
	return strings.Replace(key.URL(), key.Secret(), secret, 1)
}

// TOTPCode is the code that an app with this secret shows at t.
func TOTPCode(secret string, t time.Time) (string, error) {
	return totp.GenerateCode(secret, t)
}

// matchTOTP finds the time step after the last one used in which the code is
// right. It compares with all steps whatever the outcome of each.
func matchTOTP(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	current := now.Unix() / int64(totpPeriod/time.Second)
	for d := int64(-totpSkew); d <= totpSkew; d++ {
		want, err := hotp.GenerateCode(secret, uint64(current+d))
		if err != nil {
			return 0, false
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && current+d > last && !ok {
			step, ok = current+d, true
		}
	}
	return step, ok
}
