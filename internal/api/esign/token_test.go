package esign

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/oauth"
	"absah/internal/signing"
)

// kept are the tokens of package oauth.
type kept struct{ *oauth.Service }

func (k kept) ForClient(ctx context.Context, id string) (string, time.Time, error) {
	t, err := k.Service.ForClient(ctx, id)
	return t.Access, t.Expires, err
}

func (k kept) Application(ctx context.Context, token string) (string, error) {
	id, err := k.Service.Application(ctx, token)
	if errors.Is(err, oauth.ErrToken) || errors.Is(err, oauth.ErrExpired) {
		return "", apiclient.ErrCredential
	}
	return id, err
}

// TestTokens: applications of the interface before version 1 get a token for their name
// and secret, in the query as they send it, and call with it.
func TestTokens(t *testing.T) {
	o := open(t, nil, false)
	o.config.Tokens = kept{&oauth.Service{Store: o.config.Store, Clock: o.now.Now}}
	o.server.Config.Handler = New(o.config)
	post := func(path, rest string) *http.Response {
		return o.sendRaw("POST "+path+" HTTP/1.1\nhost: x\n"+rest, nil)
	}
	query := url.Values{"client_id": {"persuratan"}, "client_secret": {o.secret}, "grant_type": {"client_credentials"}}.Encode()
	got := o.object(post("/oauth/token?"+query, "Content-Length: 0\n\n"), 200)
	token, _ := got["access_token"].(string)
	if token == "" || got["expires_in"] != 3600.0 || got["token_type"] != "bearer" {
		t.Fatalf("%v", got)
	}
	o.object(post("/oauth/token", "Content-Type: application/x-www-form-urlencoded\nContent-Length: {{length}}\n\n"+query), 200)
	o.object(post("/oauth/token?grant_type=client_credentials", "Authorization: Basic {{basic}}\nContent-Length: 0\n\n"), 200)
	for body, want := range map[string]string{"grant_type=password": "unsupported_grant_type", "grant_type=client_credentials&client_id=persuratan&client_secret=x": "invalid_client"} {
		status := map[string]int{"unsupported_grant_type": 400, "invalid_client": 401}[want]
		if got := o.object(post("/oauth/token?"+body, "Content-Length: 0\n\n"), status); got["error"] != want {
			t.Errorf("%s: %v", body, got)
		}
	}

	call := func(token string) *http.Response {
		return o.sendRaw("GET /api/v2/entity/profile/{{nik}} HTTP/1.1\nhost: x\nAuthorization: Bearer "+token+"\n\n", nil)
	}
	if got := o.object(call(token), 200); got["success"] != true || got["nama"] != "Siti Contoh" || got["status_code"] != 1111.0 {
		t.Errorf("%v", got)
	}
	got = o.object(call("bukan-token"), 401)
	if got["error"] != "invalid_token" || !strings.HasPrefix(got["error_description"].(string), "Invalid access token") || strings.Contains(got["error_description"].(string), "bukan-token") {
		t.Errorf("%v", got)
	}
	set := o.client.Settings()
	set.Enabled = false
	if err := o.clients.Change(t.Context(), o.signer, o.client.ID, set); err != nil {
		t.Fatal(err)
	}
	if got := o.object(call(token), 401); got["error"] != "invalid_token" {
		t.Errorf("disabled: %v", got)
	}
	set.Enabled = true
	if err := o.clients.Change(t.Context(), o.signer, o.client.ID, set); err != nil {
		t.Fatal(err)
	}
	o.now.Advance(oauth.AccessLife + time.Second)
	if got := o.object(call(token), 401); got["error"] != "invalid_token" {
		t.Errorf("expired: %v", got)
	}
	if log := o.log.String(); strings.Contains(log, o.secret) || strings.Contains(log, token) {
		t.Error("a secret or token is in the log")
	}
}

// TestWhatIsNotThere: in JSON, and with the methods that are.
func TestWhatIsNotThere(t *testing.T) {
	o := open(t, nil, false)
	for _, path := range []string{"/api/nothing", "/api/entity/report", "/api/v2/seal/enrollment"} {
		if !Serves(path) {
			t.Errorf("%s is a page", path)
		}
		if got := o.object(o.ask("GET", path), 404); got["error"] != "Not Found" || got["path"] != path {
			t.Errorf("%v", got)
		}
	}
	resp := o.ask("GET", "/api/sign/pdf")
	if got := o.object(resp, 405); got["error"] != "Method Not Allowed" || resp.Header.Get("Allow") != "POST" {
		t.Errorf("%v, %v", got, resp.Header)
	}
	for path, want := range map[string]bool{"/": false, "/apiary": false, tokenPath: true, "/oauth/other": false} {
		if Serves(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

// TestElsewhere: that a code was made in another process costs no attempt and is told.
func TestElsewhere(t *testing.T) {
	p := problemOf(signing.ErrElsewhere)
	if p.status != http.StatusServiceUnavailable || p.code != codeBusy || p.wait == 0 {
		t.Errorf("%+v", p)
	}
	if p := problemOf(signing.ErrWindow); p.code != codeTOTPNone {
		t.Errorf("%+v", p)
	}
}

// TestSandboxProfile: the state that the NIK stands for.
func TestSandboxProfile(t *testing.T) {
	o := open(t, nil, true)
	if got := o.object(o.ask("GET", "/api/user/profile/1234567890123456"), 200); got["success"] != true || got["status_code"] != 1111.0 {
		t.Errorf("%v", got)
	}
	if got := o.object(o.ask("GET", "/api/user/profile/1234567890120001"), 200); got["status_code"] != 1110.0 || got["status"] != "NOT REGISTERED" {
		t.Errorf("%v", got)
	}
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/1234567890120001"), 400); got["status_code"] != 2011.0 {
		t.Errorf("%v", got)
	}
	if got := o.object(o.ask("POST", "/api/user/passphrase/forget/1234567890123456"), 200); got["success"] != true {
		t.Errorf("%v", got)
	}
}
