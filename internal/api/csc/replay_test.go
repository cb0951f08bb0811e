package csc

import (
	"errors"
	"testing"
	"time"

	"absah/internal/oauth"
)

// TestReplayAtTheSameMoment: a code, and a refresh token, that two show at once gives
// tokens to one of them, and takes them again when the other one comes.
func TestReplayAtTheSameMoment(t *testing.T) {
	s := open(t)
	ctx := t.Context()
	grant := func(o *oauth.Service, code string) (oauth.Tokens, error) {
		return o.Exchange(ctx, s.client.ID, code, callback, verifier)
	}
	refresh := func(o *oauth.Service, token string) (oauth.Tokens, error) { return o.Refresh(ctx, s.client.ID, token) }
	first, err := grant(s.oauth, s.consent(s.ec, oauth.ScopeService, nil))
	must(t, err)
	for name, c := range map[string]struct {
		secret string
		show   func(*oauth.Service, string) (oauth.Tokens, error)
	}{
		"code":          {s.consent(s.ec, oauth.ScopeService, nil), grant},
		"refresh token": {first.Refresh, refresh},
	} {
		// The other one comes after the secret was read and before it is used up.
		var got oauth.Tokens
		came := false
		slow := &oauth.Service{Store: s.world.DB, Clock: func() time.Time {
			if !came {
				came = true
				got, err = c.show(s.oauth, c.secret)
			}
			return s.now.Now()
		}}
		if _, err := c.show(slow, c.secret); !errors.Is(err, oauth.ErrGrant) {
			t.Errorf("%s: the second one: %v", name, err)
		}
		if err != nil || got.Access == "" {
			t.Fatalf("%s: the first one: %v", name, err)
		}
		if _, err := s.oauth.Find(ctx, got.Access); !errors.Is(err, oauth.ErrToken) {
			t.Errorf("%s: what the first one got still counts: %v", name, err)
		}
	}
}
