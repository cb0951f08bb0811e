package apiclient

import (
	"errors"
	"testing"
	"time"

	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
)

// TestWhatADisabledApplicationHeldEnds: its access tokens too, which a new secret without
// a grace period ends as well, and a rotation with one does not.
func TestWhatADisabledApplicationHeldEnds(t *testing.T) {
	each(t, func(t *testing.T, s *Service, now *clock.Fake) {
		ctx := t.Context()
		mine, _, err := s.Add(ctx, boss, "persuratan", false, settings())
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := s.Add(ctx, boss, "arsip", false, settings())
		if err != nil {
			t.Fatal(err)
		}
		token := func(hash, client, kind string) {
			t.Helper()
			err := s.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.InsertOAuthSecret(ctx, db.InsertOAuthSecretParams{
					Hash: []byte(hash), Kind: kind, ClientID: client, Data: "{}", CreatedAt: clock.Micros(now.Now()), ExpiresAt: clock.Micros(now.Now().Add(time.Hour)),
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		ended := func(hash string) bool {
			t.Helper()
			row, err := s.Store.Read().GetOAuthSecret(ctx, []byte(hash))
			if err != nil {
				t.Fatal(err)
			}
			return row.UsedAt != 0
		}
		token("a", mine.ID, "access")
		token("r", mine.ID, "refresh")
		token("o", other.ID, "access")
		if _, err := s.Rotate(ctx, boss, mine.ID, GracePeriod); err != nil {
			t.Fatal(err)
		}
		if ended("a") {
			t.Error("a rotation with a pause for everybody ends a token")
		}
		if _, err := s.Rotate(ctx, boss, mine.ID, 0); err != nil {
			t.Fatal(err)
		}
		if !ended("a") || ended("r") || ended("o") {
			t.Errorf("at once: access %v, refresh %v, of another %v", ended("a"), ended("r"), ended("o"))
		}
		token("b", mine.ID, "access")
		set := settings()
		set.Enabled = false
		if err := s.Change(ctx, boss, mine.ID, set); err != nil {
			t.Fatal(err)
		}
		if !ended("b") || ended("r") || ended("o") {
			t.Errorf("disabled: access %v, refresh %v, of another %v", ended("b"), ended("r"), ended("o"))
		}
	})
}

// TestStill: an application is looked at again when its call took long to arrive.
func TestStill(t *testing.T) {
	each(t, func(t *testing.T, s *Service, now *clock.Fake) {
		ctx := t.Context()
		c, secret, err := s.Add(ctx, boss, "persuratan", false, settings())
		if err != nil {
			t.Fatal(err)
		}
		in, _, err := s.Authenticate(ctx, "persuratan", secret, "192.0.2.7")
		if err != nil {
			t.Fatal(err)
		}
		entered := now.Now()
		now.Advance(time.Minute)
		if err := s.Still(ctx, in, entered); err != nil {
			t.Errorf("enabled: %v", err)
		}
		set := settings()
		set.Enabled = false
		if err := s.Change(ctx, boss, c.ID, set); err != nil {
			t.Fatal(err)
		}
		if err := s.Still(ctx, in, entered); !errors.Is(err, ErrDisabled) {
			t.Errorf("disabled meanwhile: %v", err)
		}
		if err := Enabled(ctx, s.Store.Read(), "nobody"); !errors.Is(err, ErrDisabled) {
			t.Errorf("nobody: %v", err)
		}
	})
}
