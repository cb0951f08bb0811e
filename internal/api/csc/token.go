package csc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"absah/internal/clock"
	"absah/internal/keys"
)

// tokenLife is how long an access token counts.
const tokenLife = time.Hour

// purpose binds what is sealed to being an access token.
var purpose = []byte("absah/csc/access-token/v1")

// claims are what an access token says. It is sealed, so that every process of an
// installation understands it and none stores it.
type claims struct {
	Client string `json:"c"`
	Until  int64  `json:"u"`
}

func (d *door) newToken(ctx context.Context, client string) (string, error) {
	plain, err := json.Marshal(claims{client, clock.Micros(d.Clock().Add(tokenLife))})
	if err != nil {
		return "", fmt.Errorf("make access token: %w", err)
	}
	sealed, err := d.Vault.Seal(ctx, keys.Data, plain, purpose)
	if err != nil {
		return "", fmt.Errorf("make access token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (d *door) openToken(ctx context.Context, token string) (string, error) {
	no := &fault{status: http.StatusUnauthorized, code: "invalid_token", description: "The access token is not valid"}
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(token) > 4096 {
		return "", no
	}
	plain, err := d.Vault.Open(ctx, keys.Data, sealed, purpose)
	if errors.Is(err, keys.ErrOpen) || errors.Is(err, keys.ErrNoKey) {
		return "", no
	}
	if err != nil {
		return "", fmt.Errorf("open access token: %w", err)
	}
	var c claims
	if json.Unmarshal(plain, &c) != nil {
		return "", no
	}
	if d.Clock().After(clock.FromMicros(c.Until)) {
		return "", &fault{status: http.StatusUnauthorized, code: "expired_token", description: "The access token has expired"}
	}
	return c.Client, nil
}

// grant proves the application by its credential and gives it a token.
func (d *door) grant(w http.ResponseWriter, r *http.Request, id, secret string) error {
	client, budget, err := d.Clients.Authenticate(r.Context(), id, secret, d.Address(r))
	if err := d.admitted(w, budget, err); err != nil {
		var f *fault
		if errors.As(err, &f) && f.status == http.StatusUnauthorized {
			f.code = "invalid_client" // RFC 6749 5.2
		}
		return err
	}
	token, err := d.newToken(r.Context(), client.ID)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds())})
	return nil
}

// token is oauth2/token, RFC 6749 4.4: client credentials by Basic or in the form.
func (d *door) token(w http.ResponseWriter, r *http.Request, _ version) error {
	if err := r.ParseForm(); err != nil {
		return invalid("The form cannot be read")
	}
	switch r.PostForm.Get("grant_type") {
	case "client_credentials":
	case "":
		return invalid("Missing parameter grant_type")
	default:
		return &fault{status: http.StatusBadRequest, code: "unsupported_grant_type", description: "Use client_credentials"}
	}
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return d.grant(w, r, id, secret)
}

// login is auth/login of version 1.
func (d *door) login(w http.ResponseWriter, r *http.Request, _ version) error {
	id, secret, ok := r.BasicAuth()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="csc"`)
		return &fault{status: http.StatusUnauthorized, code: "invalid_request", description: "Use HTTP Basic authentication"}
	}
	return d.grant(w, r, id, secret)
}

// revoke is oauth2/revoke, RFC 7009. An access token lives an hour and is stored
// nowhere, so that nothing is there to be forgotten; who has to be kept out is
// disabled.
func (d *door) revoke(w http.ResponseWriter, r *http.Request, _ version) error {
	if r.ParseForm() != nil || r.PostForm.Get("token") == "" {
		return invalid("Missing (or invalid type) string parameter token")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) logout(w http.ResponseWriter, _ *http.Request, _ *call) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}
