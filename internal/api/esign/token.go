package esign

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"absah/internal/api/quota"
	"absah/internal/apiclient"
)

// tokenPath is where applications of the interface before version 1 get a token.
const tokenPath = "/oauth/token"

// Tokens keeps access tokens of applications.
type Tokens interface {
	// ForClient gives an application a token, and when it ends.
	ForClient(ctx context.Context, clientID string) (token string, expires time.Time, err error)
	// Application tells which application a token stands for, or fails with
	// apiclient.ErrCredential.
	Application(ctx context.Context, token string) (clientID string, err error)
}

var (
	errNoCredential = errors.New("no credential")
	errToken        = errors.New("the access token is not valid")
)

// admit tells which application calls. It fails with errNoCredential, errToken and the
// errors of apiclient.Service.Authenticate.
func (d *door) admit(r *http.Request, address string) (*apiclient.Client, apiclient.Budget, error) {
	if user, secret, ok := r.BasicAuth(); ok {
		return d.Clients.Authenticate(r.Context(), user, secret, address)
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if d.Tokens == nil || !strings.EqualFold(kind, "Bearer") || token == "" {
		return nil, apiclient.Budget{}, errNoCredential
	}
	id, err := d.Tokens.Application(r.Context(), token)
	if err == nil {
		var client *apiclient.Client
		var budget apiclient.Budget
		if client, budget, err = d.Clients.Admit(r.Context(), id, address); err == nil {
			return client, budget, nil
		}
		if !errors.Is(err, apiclient.ErrCredential) {
			return client, budget, err
		}
	}
	if errors.Is(err, apiclient.ErrCredential) {
		err = errToken
	}
	return nil, apiclient.Budget{}, err
}

// token gives an application a token for its name and secret, POST /oauth/token: in
// the query, as applications of that time send them, in a form, or by Basic. Nothing
// here writes a query down.
func (d *door) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	r.Body = http.MaxBytesReader(w, r.Body, maxField)
	refuse := func(status int, code, text string) {
		d.json(w, status, map[string]any{"error": code, "error_description": text})
	}
	address := d.Address(r)
	if wait := d.wrong.Wait(address); wait > 0 {
		quota.RetryAfter(w, wait)
		refuse(http.StatusTooManyRequests, "invalid_client", "Too many wrong credentials from this address")
		return
	}
	f, err := readFields(r)
	if err != nil || d.Tokens == nil {
		refuse(http.StatusBadRequest, "invalid_request", "The request cannot be read")
		return
	}
	defer f.wipe()
	if kind := f.get("grant_type"); kind != "client_credentials" {
		refuse(http.StatusBadRequest, "unsupported_grant_type", "Use client_credentials")
		return
	}
	user, secret, ok := r.BasicAuth()
	if !ok {
		user, secret = f.get("client_id"), f.get("client_secret")
	}
	client, budget, err := d.Clients.Authenticate(r.Context(), user, secret, address)
	var often *apiclient.RateError
	switch {
	case errors.Is(err, apiclient.ErrCredential):
		d.wrong.Count(address)
		refuse(http.StatusUnauthorized, "invalid_client", "Bad client credentials")
		return
	case errors.Is(err, apiclient.ErrFrom):
		refuse(http.StatusForbidden, "access_denied", "The application may not call from this address")
		return
	case errors.As(err, &often):
		quota.Tell(w, budget)
		quota.RetryAfter(w, often.After)
		refuse(http.StatusTooManyRequests, "temporarily_unavailable", "Too many requests")
		return
	case err != nil:
		d.fail(w, r, err)
		return
	}
	token, expires, err := d.Tokens.ForClient(r.Context(), client.ID)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	quota.Tell(w, budget)
	d.json(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(expires.Sub(d.Clock()).Round(time.Second).Seconds())})
}

// badToken answers to a token that does not count; the token itself is not repeated.
func (d *door) badToken(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="Absah", error="invalid_token"`)
	d.json(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token", "error_description": "Invalid access token"})
}
