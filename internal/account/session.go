package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Session states.
const (
	Half = "half" // the second factor is still to come
	Full = "full"
)

// Second factors of a session.
const (
	FactorNone     = ""
	FactorTOTP     = "totp"
	FactorPasskey  = "passkey"
	FactorRecovery = "recovery"
)

// touchEvery is how often a session writes that it is in use.
const touchEvery = time.Minute

// SignIn is a new session. Token is for the cookie; only its hash is stored.
type SignIn struct {
	Token   string
	Session db.Session
	Account db.Account
}

// randomToken is 256 random bits.
func randomToken() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func tokenHash(token string) db.Bytes {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// openSession inserts a session that ends at expires at the latest.
func (s *Service) openSession(ctx context.Context, tx *store.Tx, a db.Account, state, factor string, c Client, expires time.Time) (SignIn, error) {
	token := randomToken()
	p := db.InsertSessionParams{
		ID: ident.New(), TokenHash: tokenHash(token), AccountID: a.ID, State: state, Factor: factor,
		Address: c.Address, UserAgent: c.agent(), CreatedAt: s.now(), ExpiresAt: clock.Micros(expires),
	}
	if err := tx.InsertSession(ctx, p); err != nil {
		return SignIn{}, fmt.Errorf("open session: %w", err)
	}
	return SignIn{Token: token, Account: a, Session: db.Session{
		ID: p.ID, TokenHash: p.TokenHash, AccountID: a.ID, State: state, Factor: factor, Address: p.Address,
		UserAgent: p.UserAgent, CreatedAt: p.CreatedAt, SeenAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
	}}, nil
}

// Authenticate returns the viewer behind a session token. passive requests,
// those that a page makes by itself, do not keep the session alive. It fails
// with ErrNoSession.
func (s *Service) Authenticate(ctx context.Context, token string, c Client, passive bool) (*Viewer, error) {
	row, err := s.Store.Read().SessionViewer(ctx, tokenHash(token))
	if store.IsNotFound(err) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fmt.Errorf("find session: %w", err)
	}
	if row.Account.State != Active || !row.Employed {
		return nil, ErrNoSession
	}
	v := &Viewer{
		Account: row.Account, EmployeeID: row.Account.EmployeeID.String, Session: row.Session,
		TimeZone: row.TimeZone, UnitName: row.UnitName, Address: c.Address, UserAgent: c.agent(),
	}
	if v.Grants, err = grantsOf(ctx, s.Store.Read(), v.Account.ID); err != nil {
		return nil, err
	}
	now := s.Clock()
	idle := s.Policy.IdleOthers
	if v.Officer() {
		idle = s.Policy.IdleOfficer
	}
	seen := clock.FromMicros(row.Session.SeenAt)
	if !now.Before(clock.FromMicros(row.Session.ExpiresAt)) || now.Sub(seen) >= idle {
		return nil, ErrNoSession
	}
	v.MustEnrol = v.Session.State == Full && v.Session.Factor == FactorNone && s.needsFactor(v.Grants)
	if !passive && now.Sub(seen) >= touchEvery {
		err := s.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.TouchSession(ctx, db.TouchSessionParams{ID: v.Session.ID, SeenAt: clock.Micros(now)})
		})
		if err != nil {
			return nil, fmt.Errorf("touch session: %w", err)
		}
	}
	return v, nil
}

func grantsOf(ctx context.Context, q *db.Queries, accountID string) ([]Grant, error) {
	rows, err := q.RoleGrants(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	grants := make([]Grant, len(rows))
	for i, r := range rows {
		grants[i] = Grant{ID: r.ID, Role: Role(r.Role), UnitID: r.UnitID.String}
	}
	return grants, nil
}

func (s *Service) needsFactor(grants []Grant) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool { return slices.Contains(s.Policy.SecondFactor, g.Role) })
}

// InScope tells whether the viewer holds the role for the unit: for the unit
// itself, one above it, or everywhere.
func (s *Service) InScope(ctx context.Context, v *Viewer, role Role, unitID string) (bool, error) {
	for _, scope := range v.Scopes(role) {
		if scope == Everywhere {
			return true, nil
		}
		n, err := s.Store.Read().InScope(ctx, db.InScopeParams{AncestorID: scope, UnitID: unitID})
		if err != nil {
			return false, fmt.Errorf("look at scope: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

// RequireFresh fails with ErrNotFresh when the viewer last proved who he is
// longer ago than d. The portal then asks him again and comes back.
func (s *Service) RequireFresh(v *Viewer, d time.Duration) error {
	if s.Clock().Sub(clock.FromMicros(v.Session.CreatedAt)) >= d {
		return ErrNotFresh
	}
	return nil
}

// Sessions lists the live sessions of the viewer's account, newest use first.
func (s *Service) Sessions(ctx context.Context, v *Viewer) ([]db.Session, error) {
	rows, err := s.Store.Read().ListSessions(ctx, db.ListSessionsParams{AccountID: v.Account.ID, ExpiresAt: s.now()})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return rows, nil
}

// Logout ends the viewer's session.
func (s *Service) Logout(ctx context.Context, v *Viewer) error {
	return s.endSession(ctx, v, v.Session.ID, "account.logout")
}

// RevokeSession ends one session of the viewer's account. It fails with
// ErrNotFound.
func (s *Service) RevokeSession(ctx context.Context, v *Viewer, id string) error {
	return s.endSession(ctx, v, id, "account.session.revoke")
}

func (s *Service) endSession(ctx context.Context, v *Viewer, id, action string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.RevokeSession(ctx, db.RevokeSessionParams{ID: id, AccountID: v.Account.ID, RevokedAt: s.now()})
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return s.record(ctx, tx, v.Actor(Employee), action, v.Account.ID, nil)
	})
}

// RevokeOthers ends all sessions of the viewer's account but this one.
func (s *Service) RevokeOthers(ctx context.Context, v *Viewer) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := s.endOthers(ctx, tx, v.Account.ID, v.Session.ID); err != nil {
			return err
		}
		return s.record(ctx, tx, v.Actor(Employee), "account.session.revoke_others", v.Account.ID, nil)
	})
}

// endOthers ends every session of an account but keep; keep may be empty.
func (s *Service) endOthers(ctx context.Context, tx *store.Tx, accountID, keep string) error {
	_, err := tx.RevokeSessions(ctx, db.RevokeSessionsParams{AccountID: accountID, ID: keep, RevokedAt: s.now()})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// renew replaces the viewer's session by a new one with another token, after
// he proved again who he is. The new one ends when the old one would have.
func (s *Service) renew(ctx context.Context, tx *store.Tx, v *Viewer, factor string) (SignIn, error) {
	n, err := tx.RevokeSession(ctx, db.RevokeSessionParams{ID: v.Session.ID, AccountID: v.Account.ID, RevokedAt: s.now()})
	if err != nil {
		return SignIn{}, fmt.Errorf("renew session: %w", err)
	}
	if n == 0 {
		return SignIn{}, ErrNoSession
	}
	return s.openSession(ctx, tx, v.Account, Full, factor, Client{Address: v.Address, UserAgent: v.UserAgent},
		clock.FromMicros(v.Session.ExpiresAt))
}

// Sweep deletes sessions and counters that ended long ago.
func (s *Service) Sweep(ctx context.Context) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteOldSessions(ctx, clock.Micros(s.Clock().Add(-30*24*time.Hour))); err != nil {
			return fmt.Errorf("delete old sessions: %w", err)
		}
		if err := tx.DeleteOldLimits(ctx, s.now()); err != nil {
			return fmt.Errorf("delete old counters: %w", err)
		}
		return nil
	})
}

// record writes an act on an account.
func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, accountID string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.Clock(), who, audit.Entry{
		Action: action, ObjectKind: "account", ObjectID: accountID, Detail: detail,
	})
}
