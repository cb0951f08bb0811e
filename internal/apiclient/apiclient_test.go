package apiclient

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

var boss = audit.Actor{AccountID: "boss", Role: "administrator"}

func settings() Settings {
	return Settings{Scopes: []Scope{Sign, Verify}, Rate: 60, Enabled: true}
}

func each(t *testing.T, f func(t *testing.T, s *Service, now *clock.Fake)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := clock.NewFake(time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC))
		f(t, &Service{Store: st, Clock: now.Now}, now)
	})
}

func TestCredential(t *testing.T) {
	each(t, func(t *testing.T, s *Service, now *clock.Fake) {
		ctx := t.Context()
		c, secret, err := s.Add(ctx, boss, "persuratan", false, settings())
		if err != nil {
			t.Fatal(err)
		}
		if len(secret) < 43 || !c.Enabled || c.Name != "persuratan" || !c.May(Sign) || c.May(Register) {
			t.Errorf("%+v with a secret of %d characters", c, len(secret))
		}
		row, err := s.Store.Read().GetAPIClient(ctx, c.ID)
		if err != nil || bytes.Contains(row.SecretHash, []byte(secret)) {
			t.Errorf("the secret is stored, or %v", err)
		}
		got, budget, err := s.Authenticate(ctx, "persuratan", secret, "192.0.2.7")
		if err != nil || got.ID != c.ID || budget.Limit != 15 || budget.Left != 14 {
			t.Fatalf("%+v, %+v, %v", got, budget, err)
		}
		if got, _ := s.Get(ctx, c.ID); !got.UsedAt.Equal(now.Now()) {
			t.Errorf("called last %v", got.UsedAt)
		}
		for _, bad := range [][2]string{{"persuratan", ""}, {"persuratan", secret + "x"}, {"persuratan", secret[:42]}, {"nobody", secret}, {"", ""}} {
			if _, _, err := s.Authenticate(ctx, bad[0], bad[1], "192.0.2.7"); !errors.Is(err, ErrCredential) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		// Disabled at once.
		off := settings()
		off.Enabled = false
		if err := s.Change(ctx, boss, c.ID, off); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Authenticate(ctx, "persuratan", secret, "192.0.2.7"); !errors.Is(err, ErrCredential) {
			t.Errorf("disabled: %v", err)
		}
		if _, _, err := s.Add(ctx, boss, "persuratan", false, settings()); !errors.Is(err, ErrTaken) {
			t.Errorf("taken: %v", err)
		}
	})
}

// TestRotation: the secret before counts for the grace period, no longer, and
// only the one before.
func TestRotation(t *testing.T) {
	each(t, func(t *testing.T, s *Service, now *clock.Fake) {
		ctx := t.Context()
		c, first, err := s.Add(ctx, boss, "persuratan", false, settings())
		if err != nil {
			t.Fatal(err)
		}
		right := func(secret string) bool {
			_, _, err := s.Authenticate(ctx, "persuratan", secret, "192.0.2.7")
			return err == nil
		}
		second, err := s.Rotate(ctx, boss, c.ID, GracePeriod)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Get(ctx, c.ID); !right(first) || !right(second) || !got.Rotating.Equal(now.Now().Add(GracePeriod)) {
			t.Errorf("during the grace period: %v, %v, %v", right(first), right(second), got.Rotating)
		}
		now.Advance(GracePeriod + time.Second)
		if right(first) || !right(second) {
			t.Errorf("after it: %v, %v", right(first), right(second))
		}
		third, err := s.Rotate(ctx, boss, c.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		if right(first) || right(second) || !right(third) {
			t.Errorf("at once: %v, %v, %v", right(first), right(second), right(third))
		}
		if _, err := s.Rotate(ctx, boss, "nobody", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestNetworksBind(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake) {
		set := settings()
		set.Networks = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}
		_, secret, err := s.Add(t.Context(), boss, "persuratan", false, set)
		if err != nil {
			t.Fatal(err)
		}
		for address, want := range map[string]error{"10.1.2.3": nil, "::ffff:10.1.2.3": nil, "2001:db8::1": nil, "10.2.0.1": ErrFrom, "192.0.2.1": ErrFrom, "": ErrFrom} {
			if _, _, err := s.Authenticate(t.Context(), "persuratan", secret, address); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", address, err, want)
			}
		}
	})
}

func TestRate(t *testing.T) {
	each(t, func(t *testing.T, s *Service, now *clock.Fake) {
		_, secret, err := s.Add(t.Context(), boss, "persuratan", false, settings()) // 60 a minute, 15 at once
		if err != nil {
			t.Fatal(err)
		}
		call := func() error {
			_, _, err := s.Authenticate(t.Context(), "persuratan", secret, "192.0.2.7")
			return err
		}
		for i := range 15 {
			if err := call(); err != nil {
				t.Fatalf("call %d: %v", i, err)
			}
		}
		var often *RateError
		if err := call(); !errors.As(err, &often) || often.After != time.Second {
			t.Fatalf("the sixteenth: %v", err)
		}
		// A wrong secret spends nothing of the application's.
		if _, _, err := s.Authenticate(t.Context(), "persuratan", "wrong", "192.0.2.7"); !errors.Is(err, ErrCredential) {
			t.Errorf("wrong: %v", err)
		}
		now.Advance(time.Second)
		if err := call(); err != nil {
			t.Errorf("a second later: %v", err)
		}
		if err := call(); !errors.As(err, &often) {
			t.Errorf("and again: %v", err)
		}
	})
}

func TestWhatIsEnteredIsChecked(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake) {
		for _, bad := range []string{"", " ", "a b", "-a", "ä", strings.Repeat("a", MaxName+1), "a:b"} {
			if _, _, err := s.Add(t.Context(), boss, bad, false, settings()); !errors.Is(err, ErrName) {
				t.Errorf("name %q: %v", bad, err)
			}
		}
		for want, change := range map[error]func(*Settings){
			ErrInfo: func(x *Settings) { x.Info = strings.Repeat("a", MaxInfo+1) }, ErrRate: func(x *Settings) { x.Rate = 0 }, ErrScope: func(x *Settings) { x.Scopes = []Scope{"all"} },
			ErrNetwork: func(x *Settings) { x.Networks = make([]netip.Prefix, MaxNetworks+1) },
		} {
			set := settings()
			change(&set)
			if _, _, err := s.Add(t.Context(), boss, "persuratan", false, set); !errors.Is(err, want) {
				t.Errorf("%v: %v", want, err)
			}
		}
		none := settings()
		none.Scopes = nil
		if _, _, err := s.Add(t.Context(), boss, "persuratan", false, none); !errors.Is(err, ErrScope) {
			t.Errorf("no scope: %v", err)
		}
		if err := s.Change(t.Context(), boss, "nobody", settings()); !errors.Is(err, ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if got, err := Networks("10.1.2.3, 10.0.0.0/8\n10.0.0.9/8 ::1"); err != nil || networks(got) != "10.1.2.3/32 10.0.0.0/8 ::1/128" {
			t.Errorf("%v, %v", got, err)
		}
		for _, bad := range []string{"a.example", "10.0.0.0/33", "fe80::1%lo"} {
			if _, err := Networks(bad); !errors.Is(err, ErrNetwork) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

// TestDecisionsAreRecorded: and no secret with them.
func TestDecisionsAreRecorded(t *testing.T) {
	each(t, func(t *testing.T, s *Service, _ *clock.Fake) {
		ctx := t.Context()
		c, secret, err := s.Add(ctx, boss, "persuratan", true, settings())
		if err != nil {
			t.Fatal(err)
		}
		off := settings()
		off.Enabled = false
		second, err := s.Rotate(ctx, boss, c.ID, 0)
		if err = errors.Join(err, s.Change(ctx, boss, c.ID, settings()), s.Change(ctx, boss, c.ID, off)); err != nil {
			t.Fatal(err)
		}
		rows, err := s.Store.Read().ListAudit(ctx, db.ListAuditParams{MaxRows: 100})
		if err != nil {
			t.Fatal(err)
		}
		var acts []string
		for _, r := range rows {
			acts = append(acts, r.Action)
			if strings.Contains(r.Detail, secret) || strings.Contains(r.Detail, second) {
				t.Error("a secret is recorded")
			}
		}
		if got := strings.Join(acts, " "); got != "application.add application.rotate application.change application.disable" {
			t.Errorf("recorded: %s", got)
		}
	})
}
