package csc

import (
	"testing"
	"time"

	"absah/internal/oauth"
)

// TestTokensExpire: a code and a refresh token are good until their time and not
// at it (RFC 6749 4.1.2, 5.2).
func TestTokensExpire(t *testing.T) {
	s := open(t)
	refresh := func(status int, token any) object {
		t.Helper()
		return s.post("/csc/v2/oauth2/token", status, "grant_type", "refresh_token", "refresh_token", token.(string))
	}
	code := s.consent(s.ec, oauth.ScopeService, nil)
	s.now.Advance(oauth.CodeLife)
	if got := s.exchange("v2", code, 400); got["error"] != "invalid_grant" {
		t.Errorf("a code at its end: %v", got)
	}
	code = s.consent(s.ec, oauth.ScopeService, nil)
	s.now.Advance(oauth.CodeLife - time.Second)
	tokens := s.exchange("v2", code, 200)

	s.now.Advance(oauth.RefreshLife - time.Second)
	tokens = refresh(200, tokens["refresh_token"])
	s.now.Advance(oauth.RefreshLife)
	if got := refresh(400, tokens["refresh_token"]); got["error"] != "invalid_grant" {
		t.Errorf("a refresh token at its end: %v", got)
	}
}
