// Package oauth is the authorisation server of applications that sign for people:
// requests that were pushed, codes, access and refresh tokens, and what somebody
// granted (RFC 6749, 7636, 7009, 9126, 9396, 9700). It knows no HTTP.
//
// Nothing that opens something is stored: only SHA-256 of 256 random bits.
package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// The scopes.
const (
	ScopeService    = "service"    // see the credentials of whoever granted it
	ScopeCredential = "credential" // sign what whoever granted it has authorised
)

// How long things count.
const (
	RequestLife = 90 * time.Second // of a pushed request
	CodeLife    = time.Minute
	AccessLife  = time.Hour
	RefreshLife = 30 * 24 * time.Hour
)

var (
	// ErrToken says that a token is not one of this installation's, was revoked, or
	// is of another application.
	ErrToken = errors.New("the token is not valid")
	// ErrExpired says that its time is over.
	ErrExpired = errors.New("the token has expired")
	// ErrGrant says that a code or refresh token is wrong, used, expired or of
	// somebody else (RFC 6749 5.2, invalid_grant).
	ErrGrant = errors.New("the grant is not valid")
	// ErrNotFound says that there is no such grant of this person's.
	ErrNotFound = errors.New("no such grant")
)

// Service keeps grants and tokens. It is safe for concurrent use.
type Service struct {
	Store *store.Store
	Clock clock.Clock
}

// The kinds of secrets.
const (
	kindRequest = "request"
	kindCode    = "code"
	kindAccess  = "access"
	kindRefresh = "refresh"
)

func hashOf(secret string) db.Bytes {
	sum := sha256.Sum256([]byte("absah/oauth/" + secret))
	return sum[:]
}

func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// issue makes a secret and stores its hash.
func (s *Service) issue(ctx context.Context, tx *store.Tx, kind, client, grant string, data any, life time.Duration) (string, error) {
	secret := random()
	text, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", kind, err)
	}
	now := s.Clock()
	err = tx.InsertOAuthSecret(ctx, db.InsertOAuthSecretParams{
		Hash: hashOf(secret), Kind: kind, ClientID: client, GrantID: sql.NullString{String: grant, Valid: grant != ""}, Data: string(text),
		CreatedAt: clock.Micros(now), ExpiresAt: clock.Micros(now.Add(life)),
	})
	if err != nil {
		return "", fmt.Errorf("issue %s: %w", kind, err)
	}
	return secret, nil
}

// requestPrefix begins the request_uri of a pushed request (RFC 9126 2.2).
const requestPrefix = "urn:ietf:params:oauth:request_uri:"

// pushed is what a pushed request holds.
type pushed struct {
	Query string `json:"q"`
}

// Push keeps the parameters of an authorisation request, an encoded form, for an
// application, and returns the request_uri that stands for them.
func (s *Service) Push(ctx context.Context, client, query string) (uri string, err error) {
	err = s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		uri, err = s.issue(ctx, tx, kindRequest, client, "", pushed{query}, RequestLife)
		return err
	})
	return requestPrefix + uri, err
}

// Pushed returns the parameters of a pushed request of an application. It counts
// until somebody decided about it. It fails with ErrGrant.
func (s *Service) Pushed(ctx context.Context, client, uri string) (query string, err error) {
	row, err := s.secret(ctx, kindRequest, client, trimPrefix(uri))
	if err != nil {
		return "", err
	}
	if row.UsedAt != 0 || s.expired(row) {
		return "", ErrGrant
	}
	var p pushed
	if err := json.Unmarshal([]byte(row.Data), &p); err != nil {
		return "", fmt.Errorf("read pushed request: %w", err)
	}
	return p.Query, nil
}

func trimPrefix(uri string) string {
	if len(uri) > len(requestPrefix) && uri[:len(requestPrefix)] == requestPrefix {
		return uri[len(requestPrefix):]
	}
	return ""
}

// secret finds a secret of that kind and application, or fails with ErrGrant.
func (s *Service) secret(ctx context.Context, kind, client, secret string) (db.OauthSecret, error) {
	row, err := s.Store.Read().GetOAuthSecret(ctx, hashOf(secret))
	if store.IsNotFound(err) || err == nil && (row.Kind != kind || row.ClientID != client) {
		return db.OauthSecret{}, ErrGrant
	}
	if err != nil {
		return db.OauthSecret{}, fmt.Errorf("find %s: %w", kind, err)
	}
	return row, nil
}

func (s *Service) expired(row db.OauthSecret) bool {
	return !s.Clock().Before(clock.FromMicros(row.ExpiresAt))
}

// Consent is what somebody agreed to.
type Consent struct {
	Who      audit.Actor // with his employee
	Client   string      // id of the application
	Scope    string
	Redirect string
	// Challenge is that of S256 (RFC 7636 4.2).
	Challenge string
	// Request is the request_uri, which is used up; empty without one.
	Request string
	// Credential and Activation are those of ScopeCredential, Expires when the
	// activation ends, Details what is told to the application of what was
	// authorised (RFC 9396 7.1), JSON.
	Credential, Activation string
	Expires                time.Time
	Details                string
}

// exchange is what the exchange of a code has to show, and gives.
type exchange struct {
	Redirect  string `json:"r"`
	Challenge string `json:"c"`
	Expires   int64  `json:"e,omitempty"`
	Details   string `json:"d,omitempty"`
}

// Grant writes down what somebody agreed to and returns the code for it. It fails
// with ErrGrant when the pushed request was decided about already.
func (s *Service) Grant(ctx context.Context, c Consent) (code string, err error) {
	id := ident.New()
	err = s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		now := s.Clock()
		if c.Request != "" {
			n, err := tx.UseOAuthSecret(ctx, db.UseOAuthSecretParams{Hash: hashOf(trimPrefix(c.Request)), UsedAt: clock.Micros(now)})
			if err != nil {
				return fmt.Errorf("use pushed request: %w", err)
			}
			if n != 1 {
				return ErrGrant
			}
		}
		err = tx.InsertOAuthGrant(ctx, db.InsertOAuthGrantParams{
			ID: id, ClientID: c.Client, AccountID: c.Who.AccountID, EmployeeID: c.Who.EmployeeID, Scope: c.Scope, CredentialID: c.Credential,
			ActivationID: c.Activation, CreatedAt: clock.Micros(now),
		})
		if err != nil {
			return fmt.Errorf("write down the consent: %w", err)
		}
		x := exchange{Redirect: c.Redirect, Challenge: c.Challenge, Details: c.Details}
		if !c.Expires.IsZero() {
			x.Expires = clock.Micros(c.Expires)
		}
		if code, err = s.issue(ctx, tx, kindCode, c.Client, id, x, CodeLife); err != nil {
			return err
		}
		return audit.Record(ctx, tx, now, c.Who, audit.Entry{
			Action: "oauth.grant", ObjectKind: "oauth_grant", ObjectID: id,
			Detail: map[string]string{"client": c.Client, "scope": c.Scope, "credential": c.Credential, "activation": c.Activation},
		})
	})
	return code, err
}

// Tokens are what a grant is exchanged for.
type Tokens struct {
	Access  string
	Refresh string // empty for none
	Expires time.Time
	Scope   string // empty: the application itself
	// Credential, Activation and Details are those of the Consent.
	Credential, Activation, Details string
}

// ForClient gives an application a token that stands for itself alone.
func (s *Service) ForClient(ctx context.Context, client string) (t Tokens, err error) {
	t.Expires = s.Clock().Add(AccessLife)
	err = s.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		t.Access, err = s.issue(ctx, tx, kindAccess, client, "", struct{}{}, AccessLife)
		return err
	})
	return t, err
}

// Exchange gives tokens for a code. Whoever shows a code a second time ends what
// the first one got (RFC 6749 4.1.2). It fails with ErrGrant.
func (s *Service) Exchange(ctx context.Context, client, code, redirect, verifier string) (Tokens, error) {
	row, err := s.secret(ctx, kindCode, client, code)
	if err != nil {
		return Tokens{}, err
	}
	var x exchange
	if err := json.Unmarshal([]byte(row.Data), &x); err != nil {
		return Tokens{}, fmt.Errorf("read code: %w", err)
	}
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if row.UsedAt != 0 {
		return Tokens{}, s.replayed(ctx, row, errReplay)
	}
	if s.expired(row) || x.Redirect != redirect || subtle.ConstantTimeCompare([]byte(challenge), []byte(x.Challenge)) != 1 {
		return Tokens{}, ErrGrant
	}
	var t Tokens
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		g, err := s.take(ctx, tx, row)
		if err != nil {
			return err
		}
		t, err = s.tokens(ctx, tx, g, clock.FromMicros(x.Expires))
		t.Details = x.Details
		return err
	})
	if err != nil {
		return Tokens{}, s.replayed(ctx, row, err)
	}
	return t, nil
}

// errReplay is the ErrGrant of a code or refresh token that was shown before.
var errReplay = fmt.Errorf("%w: it was used", ErrGrant)

// replayed ends the grant of a code or refresh token that was shown before, also
// when the first one who showed it was faster by a moment only.
func (s *Service) replayed(ctx context.Context, row db.OauthSecret, err error) error {
	if !errors.Is(err, errReplay) {
		return err
	}
	return errors.Join(err, s.end(ctx, row.GrantID.String, "oauth.replay"))
}

// take uses a code or refresh token up and returns its grant, which still counts. It
// fails with errReplay and ErrGrant.
func (s *Service) take(ctx context.Context, tx *store.Tx, row db.OauthSecret) (db.OauthGrant, error) {
	n, err := tx.UseOAuthSecret(ctx, db.UseOAuthSecretParams{Hash: row.Hash, UsedAt: clock.Micros(s.Clock())})
	if err != nil {
		return db.OauthGrant{}, fmt.Errorf("use %s: %w", row.Kind, err)
	}
	if n != 1 {
		return db.OauthGrant{}, errReplay
	}
	g, err := tx.GetOAuthGrant(ctx, row.GrantID.String)
	if err != nil {
		return g, fmt.Errorf("read grant: %w", err)
	}
	if g.EndedAt != 0 {
		return g, ErrGrant
	}
	return g, nil
}

// tokens issues the tokens of a grant. One of scope credential lives as long as its
// activation and cannot be renewed.
func (s *Service) tokens(ctx context.Context, tx *store.Tx, g db.OauthGrant, until time.Time) (Tokens, error) {
	now := s.Clock()
	t := Tokens{Scope: g.Scope, Credential: g.CredentialID, Activation: g.ActivationID, Expires: now.Add(AccessLife)}
	if g.Scope == ScopeCredential {
		t.Expires = until
	}
	if !t.Expires.After(now) {
		return Tokens{}, ErrGrant
	}
	var err error
	if t.Access, err = s.issue(ctx, tx, kindAccess, g.ClientID, g.ID, struct{}{}, t.Expires.Sub(now)); err != nil {
		return Tokens{}, err
	}
	if g.Scope == ScopeService {
		t.Refresh, err = s.issue(ctx, tx, kindRefresh, g.ClientID, g.ID, struct{}{}, RefreshLife)
	}
	return t, err
}

// Refresh gives new tokens for a refresh token, which is used up. One that is shown
// again was stolen from somebody: it ends the grant (RFC 9700 4.14.2). It fails with
// ErrGrant.
func (s *Service) Refresh(ctx context.Context, client, token string) (Tokens, error) {
	row, err := s.secret(ctx, kindRefresh, client, token)
	if err != nil {
		return Tokens{}, err
	}
	if row.UsedAt != 0 {
		return Tokens{}, s.replayed(ctx, row, errReplay)
	}
	if s.expired(row) {
		return Tokens{}, ErrGrant
	}
	var t Tokens
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		g, err := s.take(ctx, tx, row)
		if err != nil {
			return err
		}
		t, err = s.tokens(ctx, tx, g, time.Time{})
		return err
	})
	if err != nil {
		return Tokens{}, s.replayed(ctx, row, err)
	}
	return t, nil
}
