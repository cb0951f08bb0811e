package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Account states.
const (
	Invited  = "invited" // no password yet
	Active   = "active"
	Disabled = "disabled"
)

// NormalUsername is the user name as it is stored: lower case, and a NIP
// without the spaces in which people group it.
func NormalUsername(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if digits := strings.ReplaceAll(s, " ", ""); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return digits
	}
	return s
}

// Login checks a user name and a password. The session is Half when a second
// factor is still to come. Every failure is ErrCredentials, whatever the
// reason, and costs the same work; ErrBusy says that nothing was checked.
func (s *Service) Login(ctx context.Context, username, password string, c Client) (SignIn, error) {
	try, err := s.reserve(ctx, NormalUsername(username))
	if err != nil {
		return SignIn{}, err
	}
	ok, stale, err := s.tryPassword(ctx, try, password)
	if err != nil {
		return SignIn{}, err
	}
	if !ok {
		return SignIn{}, s.refuse(ctx, try, c)
	}
	var in SignIn
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.LockAccount(ctx, try.account.ID)
		if err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
		if a.State != Active || a.PasswordHash != try.account.PasswordHash {
			return ErrCredentials // disabled or changed meanwhile
		}
		who := actorOf(a, c)
		second, err := hasFactor(ctx, tx.Queries, a)
		if err != nil {
			return err
		}
		if second {
			if err := tx.UnreserveLogin(ctx, db.UnreserveLoginParams{ID: a.ID, OwnLock: clock.Micros(try.locked)}); err != nil {
				return fmt.Errorf("sign in: %w", err)
			}
			in, err = s.openSession(ctx, tx, a, Half, FactorNone, c, s.Clock().Add(s.Policy.HalfLife))
			if err != nil {
				return err
			}
			return s.record(ctx, tx, who, "account.login.password", a.ID, map[string]string{"session": in.Session.ID})
		}
		in, err = s.signIn(ctx, tx, a, FactorNone, c)
		return err
	})
	if err != nil {
		return SignIn{}, err
	}
	if stale {
		s.rehash(ctx, in.Account, password)
	}
	return in, nil
}

// attempt is one guess at a password, counted before it is tried.
type attempt struct {
	account  db.Account // empty when nobody has that user name
	reserved bool       // false: unknown, locked, or not to be tried
	locked   time.Time  // the lock that this attempt set in advance; zero for none
}

// reserve counts an attempt on the account with that user name. The count, and
// the lock that follows from it, are durable before the password is looked at.
func (s *Service) reserve(ctx context.Context, username string) (attempt, error) {
	var try attempt
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		try = attempt{}
		a, err := tx.GetAccountByUsername(ctx, username)
		if err != nil && !store.IsNotFound(err) {
			return fmt.Errorf("find account: %w", err)
		}
		try.account = a
		try.reserved, try.locked, err = s.count(ctx, tx, a.ID)
		return err
	})
	return try, err
}

// count reserves an attempt within tx and sets the lock in advance when it is
// the last one allowed.
func (s *Service) count(ctx context.Context, tx *store.Tx, accountID string) (bool, time.Time, error) {
	now := s.Clock()
	failed, err := tx.ReserveLogin(ctx, db.ReserveLoginParams{ID: accountID, Now: clock.Micros(now)})
	if store.IsNotFound(err) {
		return false, time.Time{}, nil
	}
	if err != nil {
		return false, time.Time{}, fmt.Errorf("count attempt: %w", err)
	}
	over := int(failed) - s.Policy.Attempts
	if over < 0 {
		return true, time.Time{}, nil
	}
	until := now.Add(s.lockFor(over))
	if err := tx.LockLogin(ctx, db.LockLoginParams{ID: accountID, LockedUntil: clock.Micros(until)}); err != nil {
		return false, time.Time{}, fmt.Errorf("lock account: %w", err)
	}
	return true, until, nil
}

// lockFor is the lock after over more wrong attempts than allowed: it doubles
// each time.
func (s *Service) lockFor(over int) time.Duration {
	d := s.Policy.Lock
	for ; over > 0 && d < s.Policy.MaxLock; over-- {
		d *= 2
	}
	return min(d, s.Policy.MaxLock)
}

// tryPassword does the same work whether or not there is a password to compare
// with. When the queue of passwords is full it gives the attempt back, which
// nobody looked at.
func (s *Service) tryPassword(ctx context.Context, try attempt, password string) (ok, stale bool, err error) {
	possible := try.reserved && try.account.State == Active && try.account.PasswordHash != "" && len(password) <= maxPassword
	phc := s.dummy
	if possible {
		phc = try.account.PasswordHash
	}
	if len(password) > maxPassword {
		password = ""
	}
	ok, stale, err = s.hasher.verify(ctx, phc, password)
	if errors.Is(err, ErrBusy) && try.reserved {
		return false, false, errors.Join(err, s.giveBack(ctx, try))
	}
	if err != nil {
		return false, false, err
	}
	if possible && ok {
		employed, err := s.Store.Read().AccountEmployed(ctx, try.account.ID)
		if err != nil {
			return false, false, fmt.Errorf("sign in: %w", err)
		}
		possible = employed
	}
	return possible && ok, stale, nil
}

// giveBack takes back the count of an attempt.
func (s *Service) giveBack(ctx context.Context, try attempt) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.UnreserveLogin(ctx, db.UnreserveLoginParams{ID: try.account.ID, OwnLock: clock.Micros(try.locked)})
	})
}

// refuse records a wrong attempt and returns ErrCredentials.
func (s *Service) refuse(ctx context.Context, try attempt, c Client) error {
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		return s.refused(ctx, tx, try, actorOf(try.account, c), "account.login.failed")
	})
	if err != nil {
		return err
	}
	return ErrCredentials
}

// refused records a wrong attempt and tells the owner when it locked the
// account. Attempts at names that nobody has are recorded too, without the
// name: people type passwords into that field.
func (s *Service) refused(ctx context.Context, tx *store.Tx, try attempt, who audit.Actor, action string) error {
	why := "wrong"
	switch {
	case try.account.ID == "":
		why = "unknown"
	case !try.reserved:
		why = "locked"
	case try.account.State != Active:
		why = try.account.State
	case !try.locked.IsZero():
		why = "wrong_locks"
	}
	if why == "wrong_locks" && s.Courier != nil {
		if err := s.Courier.LoginLocked(ctx, tx, try.account, try.locked); err != nil {
			return fmt.Errorf("tell about the lock: %w", err)
		}
	}
	return s.record(ctx, tx, who, action, try.account.ID, map[string]string{"why": why})
}

// signIn opens a full session and forgets wrong attempts.
func (s *Service) signIn(ctx context.Context, tx *store.Tx, a db.Account, factor string, c Client) (SignIn, error) {
	if err := tx.LoginSucceeded(ctx, db.LoginSucceededParams{ID: a.ID, LastLoginAt: s.now()}); err != nil {
		return SignIn{}, fmt.Errorf("sign in: %w", err)
	}
	in, err := s.openSession(ctx, tx, a, Full, factor, c, s.Clock().Add(s.Policy.Life))
	if err != nil {
		return SignIn{}, err
	}
	return in, s.record(ctx, tx, actorOf(a, c), "account.login", a.ID,
		map[string]string{"session": in.Session.ID, "factor": factor})
}

// rehash stores the password under today's parameters. It is an improvement
// that can wait for the next time, so its errors only reach the log.
func (s *Service) rehash(ctx context.Context, a db.Account, password string) {
	phc, err := s.hasher.hash(ctx, password)
	if err == nil {
		err = s.Store.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.RehashPassword(ctx, db.RehashPasswordParams{ID: a.ID, OldHash: a.PasswordHash, NewHash: phc})
			return err
		})
	}
	if err != nil {
		s.Log.WarnContext(ctx, "password not rehashed", "account", a.ID, "error", err)
	}
}

// prove runs one attempt at a second factor: counted, tried and concluded in
// one transaction. On success it returns the session that replaces the
// viewer's: a full one after the password, a fresh one otherwise. It fails with
// ErrCode.
func (s *Service) prove(ctx context.Context, v *Viewer, factor string, try func(*store.Tx, db.Account) (bool, error)) (SignIn, error) {
	var in SignIn
	right := false
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		in, right = SignIn{}, false
		a, err := tx.LockAccount(ctx, v.Account.ID)
		if err != nil {
			return fmt.Errorf("check second factor: %w", err)
		}
		reserved, locked, err := s.count(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if reserved && a.State == Active {
			if right, err = try(tx, a); err != nil {
				return err
			}
		}
		if !right {
			return s.refused(ctx, tx, attempt{a, reserved, locked}, v.Actor(Employee), "account.factor.failed")
		}
		in, err = s.conclude(ctx, tx, v, factor)
		return err
	})
	if err != nil {
		return SignIn{}, err
	}
	if !right {
		return SignIn{}, ErrCode
	}
	return in, nil
}

// conclude replaces the viewer's session after he proved who he is.
func (s *Service) conclude(ctx context.Context, tx *store.Tx, v *Viewer, factor string) (SignIn, error) {
	if v.Session.State == Half {
		n, err := tx.RevokeSession(ctx, db.RevokeSessionParams{ID: v.Session.ID, AccountID: v.Account.ID, RevokedAt: s.now()})
		if err != nil {
			return SignIn{}, fmt.Errorf("sign in: %w", err)
		}
		if n == 0 {
			return SignIn{}, ErrNoSession
		}
		return s.signIn(ctx, tx, v.Account, factor, Client{Address: v.Address, UserAgent: v.UserAgent})
	}
	if err := tx.LoginSucceeded(ctx, db.LoginSucceededParams{ID: v.Account.ID, LastLoginAt: s.now()}); err != nil {
		return SignIn{}, fmt.Errorf("confirm: %w", err)
	}
	in, err := s.renew(ctx, tx, v, factor)
	if err != nil {
		return SignIn{}, err
	}
	return in, s.record(ctx, tx, v.Actor(Employee), "account.confirm", v.Account.ID,
		map[string]string{"session": in.Session.ID, "factor": factor})
}

// ConfirmPassword makes the viewer's sign-in fresh by his password, for
// accounts without a second factor; the others use the factor. It fails with
// ErrCredentials.
func (s *Service) ConfirmPassword(ctx context.Context, v *Viewer, password string) (SignIn, error) {
	if v.Session.Factor != FactorNone || v.Session.State != Full {
		return SignIn{}, ErrNotAllowed
	}
	if err := s.provePassword(ctx, v, password); err != nil {
		return SignIn{}, err
	}
	var in SignIn
	err := s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		in, err = s.conclude(ctx, tx, v, FactorNone)
		return err
	})
	return in, err
}

// provePassword checks the password of somebody who is signed in, under the
// same count as log-ins.
func (s *Service) provePassword(ctx context.Context, v *Viewer, password string) error {
	try, err := s.reserve(ctx, v.Account.Username)
	if err != nil {
		return err
	}
	ok, _, err := s.tryPassword(ctx, try, password)
	if err != nil {
		return err
	}
	if !ok {
		return s.refuse(ctx, try, Client{Address: v.Address, UserAgent: v.UserAgent})
	}
	return s.giveBack(ctx, try)
}

// actorOf is the owner of an account before he has a session. Nobody has the
// empty account.
func actorOf(a db.Account, c Client) audit.Actor {
	who := audit.Actor{
		AccountID: a.ID, EmployeeID: a.EmployeeID.String, Role: string(Employee), Address: c.Address, UserAgent: c.agent(),
	}
	if a.ID == "" {
		who.AccountID, who.Role = "anonymous", "anonymous"
	}
	return who
}
