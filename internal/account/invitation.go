package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Purpose is what a one-time link is for. All of them set a password.
type Purpose string

// The purposes.
const (
	Activate      Purpose = "activate" // a new account
	Portal        Purpose = "portal"   // a new account, by the mail "Login Information"
	ResetPassword Purpose = "password" // a forgotten password
)

// LinkState says where a one-time link stands.
type LinkState string

// The states. Done is a link of a new account whose owner has signed in another
// way since; it would only be a way around his password.
const (
	LinkLive     LinkState = "live"
	LinkUsed     LinkState = "used"
	LinkReplaced LinkState = "replaced"
	LinkExpired  LinkState = "expired"
	LinkDone     LinkState = "done"
)

// Link is a one-time link as its page shows it.
type Link struct {
	Account db.Account
	Purpose Purpose
	Expires time.Time
}

// Invite makes a one-time link for an account and returns its token, 32
// hexadecimal digits of which only the hash is stored. It replaces the live
// link of the same purpose. The caller mails the token in the same transaction.
func (s *Service) Invite(ctx context.Context, tx *store.Tx, accountID string, purpose Purpose) (string, error) {
	now := s.Clock()
	err := tx.SupersedeInvitations(ctx, db.SupersedeInvitationsParams{
		AccountID: accountID, Purpose: string(purpose), SupersededAt: clock.Micros(now),
	})
	if err != nil {
		return "", fmt.Errorf("replace link: %w", err)
	}
	token := ident.Token()
	err = tx.InsertInvitation(ctx, db.InsertInvitationParams{
		TokenHash: linkHash(token), AccountID: accountID, Purpose: string(purpose),
		CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(s.linkExpiry(now, purpose)),
	})
	if err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	return token, nil
}

func (s *Service) linkExpiry(now time.Time, purpose Purpose) time.Time {
	if purpose == ResetPassword {
		return now.Add(s.Policy.ResetLife)
	}
	return now.Add(s.Policy.InvitationLife)
}

// linkHash needs no key: 128 random bits cannot be tried out.
func linkHash(token string) db.Bytes {
	sum := sha256.Sum256([]byte("link/" + token))
	return sum[:]
}

// invite makes a link and hands it to the courier.
func (s *Service) invite(ctx context.Context, tx *store.Tx, a db.Account, purpose Purpose) error {
	token, err := s.Invite(ctx, tx, a.ID, purpose)
	if err != nil {
		return err
	}
	if s.Courier == nil {
		return errors.New("mail a link: there is no courier")
	}
	err = s.Courier.Invitation(ctx, tx, Invitation{
		Account: a, Purpose: purpose, Token: token, Expires: s.linkExpiry(s.Clock(), purpose),
	})
	if err != nil {
		return fmt.Errorf("mail a link: %w", err)
	}
	return nil
}

// FindLink looks at a one-time link and changes nothing, however often mail
// scanners open it. It fails with ErrNoLink or a *DeadLink.
func (s *Service) FindLink(ctx context.Context, token string) (Link, error) {
	return s.findLink(ctx, s.Store.Read(), token)
}

func (s *Service) findLink(ctx context.Context, q *db.Queries, token string) (Link, error) {
	inv, err := q.GetInvitation(ctx, linkHash(token))
	if store.IsNotFound(err) {
		return Link{}, ErrNoLink
	}
	if err != nil {
		return Link{}, fmt.Errorf("find link: %w", err)
	}
	a, err := q.GetAccount(ctx, inv.AccountID)
	if err != nil {
		return Link{}, fmt.Errorf("find account of link: %w", err)
	}
	l := Link{Account: a, Purpose: Purpose(inv.Purpose), Expires: clock.FromMicros(inv.ExpiresAt)}
	dead := func(why LinkState, at int64) (Link, error) {
		return l, &DeadLink{Purpose: l.Purpose, Why: why, At: clock.FromMicros(at)}
	}
	switch {
	case a.State == Disabled:
		return Link{}, ErrNoLink
	case inv.UsedAt > 0:
		return dead(LinkUsed, inv.UsedAt)
	case inv.SupersededAt > 0:
		return dead(LinkReplaced, inv.SupersededAt)
	case inv.ExpiresAt <= s.now():
		return dead(LinkExpired, inv.ExpiresAt)
	case l.Purpose != ResetPassword && a.PasswordHash != "":
		return dead(LinkDone, a.UpdatedAt)
	}
	return l, nil
}

// Redeem sets the password of the account that the link belongs to and uses the
// link up. All sessions of the account end. It fails with ErrNoLink, a
// *DeadLink or, without using the link, a *WeakError.
func (s *Service) Redeem(ctx context.Context, token, password string, c Client) (db.Account, error) {
	l, err := s.FindLink(ctx, token)
	if err != nil {
		return db.Account{}, err
	}
	if err := s.CheckPassword(ctx, l.Account, password); err != nil {
		return db.Account{}, err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return db.Account{}, err
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockAccount(ctx, l.Account.ID); err != nil {
			return fmt.Errorf("use link: %w", err)
		}
		if _, err := s.findLink(ctx, tx.Queries, token); err != nil {
			return err
		}
		now := s.now()
		n, err := tx.UseInvitation(ctx, db.UseInvitationParams{TokenHash: linkHash(token), Now: now})
		if err != nil {
			return fmt.Errorf("use link: %w", err)
		}
		if n != 1 {
			return &DeadLink{Purpose: l.Purpose, Why: LinkUsed, At: s.Clock()}
		}
		if err := s.storePassword(ctx, tx, l.Account.ID, phc); err != nil {
			return err
		}
		if l.Purpose == ResetPassword && s.Courier != nil {
			if err := s.Courier.SecurityChanged(ctx, tx, l.Account, PasswordChanged); err != nil {
				return fmt.Errorf("tell about the change: %w", err)
			}
		}
		return s.record(ctx, tx, actorOf(l.Account, c), "account.link.use", l.Account.ID,
			map[string]string{"purpose": string(l.Purpose)})
	})
	if err != nil {
		return db.Account{}, err
	}
	return l.Account, nil
}

// storePassword sets the password and shuts every other door that the old one
// opened: links and sessions.
func (s *Service) storePassword(ctx context.Context, tx *store.Tx, accountID, phc string) error {
	now := s.now()
	if err := tx.SetPassword(ctx, db.SetPasswordParams{ID: accountID, PasswordHash: phc, UpdatedAt: now}); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	err := tx.SupersedeAllInvitations(ctx, db.SupersedeAllInvitationsParams{AccountID: accountID, SupersededAt: now})
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return s.endOthers(ctx, tx, accountID, "")
}

// SetPassword sets a password without asking anybody, for the demonstration's
// people and for tests. It does not judge the password.
func (s *Service) SetPassword(ctx context.Context, accountID, password string) error {
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.storePassword(ctx, tx, accountID, phc); err != nil {
			return err
		}
		return s.record(ctx, tx, audit.System("accounts"), "account.password", accountID, nil)
	})
}

// SetPasswordTx is SetPassword within a transaction, with a hash that
// HashPassword made before it.
func (s *Service) SetPasswordTx(ctx context.Context, tx *store.Tx, accountID, phc string) error {
	return s.storePassword(ctx, tx, accountID, phc)
}

// HashPassword hashes a password outside of any transaction; many accounts of a
// demonstration may share one.
func (s *Service) HashPassword(ctx context.Context, password string) (string, error) {
	return s.hasher.hash(ctx, password)
}

// ChangePassword sets a new password for the viewer, who knows the old one.
// Every other session ends; the one returned replaces the viewer's. It fails
// with ErrCredentials or a *WeakError.
func (s *Service) ChangePassword(ctx context.Context, v *Viewer, old, password string) (SignIn, error) {
	if v.Session.State != Full {
		return SignIn{}, ErrNotAllowed
	}
	if err := s.CheckPassword(ctx, v.Account, password); err != nil {
		return SignIn{}, err
	}
	if err := s.provePassword(ctx, v, old); err != nil {
		return SignIn{}, err
	}
	phc, err := s.hasher.hash(ctx, password)
	if err != nil {
		return SignIn{}, err
	}
	var in SignIn
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		var err error
		if in, err = s.renew(ctx, tx, v, v.Session.Factor); err != nil {
			return err
		}
		now := s.now()
		if err := tx.SetPassword(ctx, db.SetPasswordParams{ID: v.Account.ID, PasswordHash: phc, UpdatedAt: now}); err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		err = tx.SupersedeAllInvitations(ctx, db.SupersedeAllInvitationsParams{AccountID: v.Account.ID, SupersededAt: now})
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if err := s.endOthers(ctx, tx, v.Account.ID, in.Session.ID); err != nil {
			return err
		}
		return s.changed(ctx, tx, v, PasswordChanged)
	})
	return in, err
}

// Forgot mails a link to whoever forgot the password of that user name. The
// caller learns nothing: not whether there is such an account, nor whether it
// asked too often (once in Policy.ResetGap, Policy.ResetsPerDay a day).
func (s *Service) Forgot(ctx context.Context, username string, c Client) error {
	username = NormalUsername(username)
	sum := sha256.Sum256([]byte(username))
	key := hex.EncodeToString(sum[:])
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		gap, err := s.within(ctx, tx, "reset-gap:"+key, s.Policy.ResetGap, 1)
		if err != nil {
			return err
		}
		day := false
		if gap { // a refused request does not use up the day's
			if day, err = s.within(ctx, tx, "reset-day:"+key, 24*time.Hour, s.Policy.ResetsPerDay); err != nil {
				return err
			}
		}
		a, err := tx.GetAccountByUsername(ctx, username)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("find account: %w", err)
		}
		detail := map[string]string{"sent": "no"}
		if gap && day && a.ID != "" && a.State != Disabled && a.Email != "" {
			purpose := ResetPassword
			held := false
			if a.PasswordHash == "" {
				purpose = Activate
			} else if held, err = s.held(ctx, tx, a.ID); err != nil {
				return err
			}
			if detail["sent"] = "held"; !held {
				if err := s.invite(ctx, tx, a, purpose); err != nil {
					return err
				}
				detail["sent"] = string(purpose)
			}
		}
		return s.record(ctx, tx, actorOf(a, c), "account.forgot", a.ID, detail)
	})
}

// within counts one more of something and tells whether that is still allowed.
func (s *Service) within(ctx context.Context, tx *store.Tx, key string, window time.Duration, limit int64) (bool, error) {
	now := s.Clock()
	row, err := tx.CountInWindow(ctx, db.CountInWindowParams{
		Key: key, Now: clock.Micros(now), NewEnd: clock.Micros(now.Add(window)),
	})
	if err != nil {
		return false, fmt.Errorf("count: %w", err)
	}
	return row.Count <= limit, nil
}
