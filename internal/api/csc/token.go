package csc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"absah/internal/apiclient"
	"absah/internal/oauth"
	"absah/internal/signing"
)

// client proves the application by its secret, in the header (RFC 6749 2.3.1) or the
// form.
func (d *door) application(w http.ResponseWriter, r *http.Request) (*apiclient.Client, error) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	} else if named := r.PostForm.Get("client_id"); named != "" && named != id {
		return nil, invalid("Invalid parameter client_id")
	}
	address := d.Address(r)
	if wait := d.wrong.Wait(address); wait > 0 {
		return nil, &fault{status: http.StatusTooManyRequests, code: "temporarily_unavailable", description: "Too many wrong credentials from this address", after: wait}
	}
	client, budget, err := d.Clients.Authenticate(r.Context(), id, secret, address)
	if errors.Is(err, apiclient.ErrCredential) {
		d.wrong.Count(address)
	}
	if err := d.admitted(w, budget, err); err != nil {
		var f *fault
		if errors.As(err, &f) && f.status == http.StatusUnauthorized {
			f.code = "invalid_client" // RFC 6749 5.2
		}
		return nil, err
	}
	return client, nil
}

// form reads the form of an endpoint of the authorisation server, in which nothing is
// there twice (RFC 6749 3.2).
func form(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return invalid("The form cannot be read")
	}
	for _, list := range r.PostForm {
		if len(list) > 1 {
			return invalid("A parameter is there more than once")
		}
	}
	return nil
}

// token is oauth2/token: RFC 6749 4.1.3 with RFC 7636, 4.4 and 6.
func (d *door) token(w http.ResponseWriter, r *http.Request, v version) error {
	if err := form(r); err != nil {
		return err
	}
	kind := r.PostForm.Get("grant_type")
	switch kind {
	case "client_credentials", "authorization_code", "refresh_token":
	case "":
		return invalid("Missing (or invalid type) string parameter grant_type")
	default:
		return &fault{status: http.StatusBadRequest, code: "unsupported_grant_type", description: "Use authorization_code, client_credentials or refresh_token"}
	}
	client, err := d.application(w, r)
	if err != nil {
		return err
	}
	t, err := d.exchange(r.Context(), client, kind, r.PostForm)
	if err != nil {
		return grantFault(err)
	}
	d.tokens(w, t, v)
	return nil
}

func (d *door) exchange(ctx context.Context, client *apiclient.Client, kind string, f url.Values) (oauth.Tokens, error) {
	need := func(name string) error { return invalid("Missing (or invalid type) string parameter " + name) }
	switch kind {
	case "authorization_code":
		for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
			if f.Get(name) == "" {
				return oauth.Tokens{}, need(name)
			}
		}
		return d.OAuth.Exchange(ctx, client.ID, f.Get("code"), f.Get("redirect_uri"), f.Get("code_verifier"))
	case "refresh_token":
		if f.Get("refresh_token") == "" {
			return oauth.Tokens{}, need("refresh_token")
		}
		return d.OAuth.Refresh(ctx, client.ID, f.Get("refresh_token"))
	}
	if scope := f.Get("scope"); scope != "" && scope != oauth.ScopeService {
		return oauth.Tokens{}, &fault{status: http.StatusBadRequest, code: "invalid_scope", description: "An application alone has scope service"}
	}
	return d.OAuth.ForClient(ctx, client.ID)
}

func grantFault(err error) error {
	if errors.Is(err, oauth.ErrGrant) {
		return &fault{status: http.StatusBadRequest, code: "invalid_grant", description: "The grant is wrong, used or expired"}
	}
	return err
}

// tokens answers with tokens. In version 1 a token of scope credential is a SAD (v1
// 8.3.3).
func (d *door) tokens(w http.ResponseWriter, t oauth.Tokens, v version) {
	body := map[string]any{"access_token": t.Access, "token_type": "Bearer", "expires_in": seconds(t.Expires.Sub(d.Clock()))}
	if t.Refresh != "" {
		body["refresh_token"] = t.Refresh
	}
	if t.Scope != "" {
		body["scope"] = t.Scope
	}
	if t.Scope == oauth.ScopeCredential {
		if v == v1 {
			body["token_type"] = "SAD"
		}
		body["credentialID"] = t.Credential
		if t.Details != "" {
			body["authorization_details"] = rawJSON(t.Details)
		}
	}
	d.answer(w, http.StatusOK, body)
}

// seconds are whole seconds that something still lasts, rounded to the nearest.
func seconds(d time.Duration) int { return int(d.Round(time.Second).Seconds()) }

// login is auth/login of version 1.
func (d *door) login(w http.ResponseWriter, r *http.Request, _ version) error {
	if _, _, ok := r.BasicAuth(); !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="csc"`)
		return &fault{status: http.StatusUnauthorized, code: "invalid_request", description: "Use HTTP Basic authentication"}
	}
	body, err := readBody(r.Body)
	if err != nil {
		return err
	}
	client, err := d.application(w, r)
	if err != nil {
		return err
	}
	var t oauth.Tokens
	if old, ok := body.text("refresh_token"); ok && old != "" {
		t, err = d.OAuth.Refresh(r.Context(), client.ID, old)
	} else {
		t, err = d.OAuth.ForClient(r.Context(), client.ID)
	}
	if err != nil {
		return grantFault(err)
	}
	d.tokens(w, t, v1)
	return nil
}

// revoke is oauth2/revoke, RFC 7009. What nobody knows is revoked already.
func (d *door) revoke(w http.ResponseWriter, r *http.Request, _ version) error {
	if err := form(r); err != nil {
		return err
	}
	token := r.PostForm.Get("token")
	if token == "" {
		return invalid("Missing (or invalid type) string parameter token")
	}
	if hint := r.PostForm.Get("token_type_hint"); !slices.Contains([]string{"", "access_token", "refresh_token"}, hint) {
		return &fault{status: http.StatusBadRequest, code: "unsupported_token_type", description: "Invalid parameter token_type_hint"}
	}
	client, err := d.application(w, r)
	if err != nil {
		return err
	}
	return d.end(w, r, client, token)
}

// end revokes a token and closes the activation that it stood for.
func (d *door) end(w http.ResponseWriter, r *http.Request, client *apiclient.Client, token string) error {
	activation, err := d.OAuth.Revoke(r.Context(), client.ID, token)
	if err != nil {
		return err
	}
	if activation != "" {
		act, err := d.Signing.ActivationByID(r.Context(), client.Name, activation)
		if err == nil {
			err = act.Close(r.Context())
		}
		if err != nil && !errors.Is(err, signing.ErrActivation) {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// logout is auth/revoke of version 1: of the token in the body, or of the one that is
// shown.
func (d *door) logout(w http.ResponseWriter, r *http.Request, c *call) error {
	token, ok := c.body.text("token")
	if !ok || token == "" {
		token = bearerOf(r)
	}
	return d.end(w, r, c.client, token)
}

// maxPushed bounds what is kept of a pushed request, in bytes.
const maxPushed = 64 << 10

// push is oauth2/pushed_authorize, RFC 9126: the parameters of the authorisation
// endpoint, which are looked at before anybody sees them.
func (d *door) push(w http.ResponseWriter, r *http.Request, _ version) error {
	if err := form(r); err != nil {
		return err
	}
	client, err := d.application(w, r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("request_uri") != "" {
		return invalid("Invalid parameter request_uri")
	}
	set, err := d.Clients.OAuth(r.Context(), client.ID)
	if err != nil {
		return err
	}
	if _, redirect := oauth.Identify(r.PostForm); !slices.Contains(set.Redirects, redirect) {
		return invalid("Invalid parameter redirect_uri")
	}
	values := url.Values{}
	for name, list := range r.PostForm {
		if name != "client_secret" {
			values[name] = list
		}
	}
	values.Set("client_id", client.Name)
	var wrong *oauth.Error
	if _, err := oauth.Parse(values, d.Signing.Limits.Batch); errors.As(err, &wrong) {
		return &fault{status: http.StatusBadRequest, code: wrong.Code, description: wrong.Description}
	} else if err != nil {
		return err
	}
	query := values.Encode()
	if len(query) > maxPushed {
		return invalid("The request is too long")
	}
	uri, err := d.OAuth.Push(r.Context(), client.ID, query)
	if err != nil {
		return err
	}
	d.answer(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": seconds(oauth.RequestLife)})
	return nil
}
