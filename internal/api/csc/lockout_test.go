package csc

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"absah/internal/api/quota"
)

// TestWrongSecretsWait: who tries secrets of applications has to wait, also with the
// right one at last; afterwards it counts.
func TestWrongSecretsWait(t *testing.T) {
	s := open(t)
	try := func(secret string) *http.Response {
		t.Helper()
		resp, err := http.PostForm(s.server.URL+"/csc/v2/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"klien"}, "client_secret": {secret}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	for range quota.FreeTries {
		if r := try(strings.Repeat("x", 43)); r.StatusCode != http.StatusUnauthorized {
			t.Fatalf("a wrong secret: status %d", r.StatusCode)
		}
	}
	if r := try(s.secret); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("after %d wrong ones: status %d, %v", quota.FreeTries, r.StatusCode, r.Header)
	}
	s.now.Advance(quota.FirstWait)
	if r := try(s.secret); r.StatusCode != http.StatusOK {
		t.Errorf("after the wait: status %d", r.StatusCode)
	}
}
