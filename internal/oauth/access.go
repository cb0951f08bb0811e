package oauth

import (
	"context"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Access is what an access token stands for.
type Access struct {
	Client string // id of the application
	Scope  string // empty: the application itself
	// Employee is who granted it; empty for the application itself.
	Employee string
	// Credential and Activation are those of ScopeCredential.
	Credential, Activation string
	Expires                time.Time
}

// Find tells what an access token stands for. It fails with ErrToken and ErrExpired.
func (s *Service) Find(ctx context.Context, token string) (Access, error) {
	q := s.Store.Read()
	row, err := q.GetOAuthSecret(ctx, hashOf(token))
	if store.IsNotFound(err) || err == nil && (row.Kind != kindAccess || row.UsedAt != 0) {
		return Access{}, ErrToken
	}
	if err != nil {
		return Access{}, fmt.Errorf("find access token: %w", err)
	}
	a := Access{Client: row.ClientID, Expires: clock.FromMicros(row.ExpiresAt)}
	if row.GrantID.Valid {
		g, err := q.GetOAuthGrant(ctx, row.GrantID.String)
		if err != nil {
			return Access{}, fmt.Errorf("read grant: %w", err)
		}
		if g.EndedAt != 0 {
			return Access{}, ErrToken
		}
		a.Scope, a.Employee, a.Credential, a.Activation = g.Scope, g.EmployeeID, g.CredentialID, g.ActivationID
	}
	if s.expired(row) {
		return Access{}, ErrExpired
	}
	return a, nil
}

// Application tells which application a token stands for that stands for nobody
// else. It fails with ErrToken and ErrExpired.
func (s *Service) Application(ctx context.Context, token string) (string, error) {
	a, err := s.Find(ctx, token)
	if err != nil {
		return "", err
	}
	if a.Scope != "" {
		return "", ErrToken
	}
	return a.Client, nil
}

// Revoke ends a token of an application: an access token alone, a refresh token
// with everything of its grant (RFC 7009 2.1). A token that is none is no error.
// What it ended of scope credential is returned, so that its activation is closed.
func (s *Service) Revoke(ctx context.Context, client, token string) (activation string, err error) {
	row, err := s.Store.Read().GetOAuthSecret(ctx, hashOf(token))
	if store.IsNotFound(err) || err == nil && (row.ClientID != client || row.Kind != kindAccess && row.Kind != kindRefresh) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find token: %w", err)
	}
	if row.GrantID.Valid {
		g, err := s.Store.Read().GetOAuthGrant(ctx, row.GrantID.String)
		if err != nil {
			return "", fmt.Errorf("read grant: %w", err)
		}
		activation = g.ActivationID
		if row.Kind == kindRefresh || g.Scope == ScopeCredential {
			return activation, s.end(ctx, g.ID, "oauth.revoke")
		}
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.UseOAuthSecret(ctx, db.UseOAuthSecretParams{Hash: row.Hash, UsedAt: clock.Micros(s.Clock())})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("revoke token: %w", err)
	}
	return activation, nil
}

// end ends a grant for a cause that nobody in person asked for.
func (s *Service) end(ctx context.Context, id, action string) error {
	return s.endBy(ctx, audit.System("oauth"), id, action)
}

func (s *Service) endBy(ctx context.Context, who audit.Actor, id, action string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		now := s.Clock()
		n, err := tx.EndOAuthGrant(ctx, db.EndOAuthGrantParams{ID: id, EndedAt: clock.Micros(now)})
		if err != nil {
			return fmt.Errorf("end grant: %w", err)
		}
		if n == 0 {
			return nil
		}
		return audit.Record(ctx, tx, now, who, audit.Entry{Action: action, ObjectKind: "oauth_grant", ObjectID: id})
	})
}

// Granted is something that somebody granted to an application and that counts.
type Granted struct {
	ID, Client, Info string // name and description of the application
	At               time.Time
}

// Grants lists what an employee granted, the latest first.
func (s *Service) Grants(ctx context.Context, employee string) ([]Granted, error) {
	rows, err := s.Store.Read().OAuthGrantsOf(ctx, db.OAuthGrantsOfParams{EmployeeID: employee, ExpiresAt: clock.Micros(s.Clock())})
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	out := make([]Granted, len(rows))
	for i, r := range rows {
		out[i] = Granted{ID: r.ID, Client: r.ClientName, Info: r.ClientInfo, At: clock.FromMicros(r.CreatedAt)}
	}
	return out, nil
}

// End takes a grant back, by the employee who gave it. It fails with ErrNotFound.
func (s *Service) End(ctx context.Context, who audit.Actor, id string) error {
	g, err := s.Store.Read().GetOAuthGrant(ctx, id)
	if store.IsNotFound(err) || err == nil && (g.EmployeeID != who.EmployeeID || who.EmployeeID == "") {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read grant: %w", err)
	}
	return s.endBy(ctx, who, id, "oauth.withdraw")
}

// keepUsed is how long what has expired stays: a code that is shown again must be
// known again.
const keepUsed = 24 * time.Hour

// Sweep forgets what expired a while ago.
func (s *Service) Sweep(ctx context.Context) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.DropOAuthSecrets(ctx, clock.Micros(s.Clock().Add(-keepUsed))); err != nil {
			return fmt.Errorf("forget expired tokens: %w", err)
		}
		return nil
	})
}
