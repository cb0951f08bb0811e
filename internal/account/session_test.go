package account

import (
	"errors"
	"testing"
	"time"

	"absah/internal/store"
)

func TestSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.person("sari")
		gone := func(what string, in SignIn) {
			t.Helper()
			if _, err := h.Authenticate(t.Context(), in.Token, here, false); !errors.Is(err, ErrNoSession) {
				t.Errorf("%s: Authenticate = %v, want ErrNoSession", what, err)
			}
		}
		in := h.login("sari", goodPassword)
		if err := h.Logout(t.Context(), h.viewer(in)); err != nil {
			t.Fatal(err)
		}
		gone("logged out", in)

		in = h.login("sari", goodPassword)
		h.clock.Advance(h.Policy.IdleOthers)
		gone("idle", in)

		in = h.login("sari", goodPassword)
		for end := h.clock.Now().Add(h.Policy.Life); h.clock.Now().Before(end.Add(-time.Minute)); {
			h.viewer(in)
			h.clock.Advance(10 * time.Minute)
		}
		gone("eight hours old", in)

		in = h.login("sari", goodPassword)
		h.grant(a, ServiceDesk, Everywhere) // at once an officer
		h.clock.Advance(h.Policy.IdleOfficer)
		gone("idle officer", in)

		in = h.login("sari", goodPassword)
		h.tx(func(tx *store.Tx) error { return h.DisableTx(t.Context(), tx, actorOf(a, here), a.ID) })
		gone("disabled", in)
		gone("invented", SignIn{Token: randomToken()})
		gone("empty", SignIn{})
	})
}

func TestPagesByThemselvesDoNotKeepASessionAlive(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		in := h.login("sari", goodPassword)
		for range 4 {
			h.clock.Advance(10 * time.Minute)
			_, err := h.Authenticate(t.Context(), in.Token, here, true)
			if idle := h.clock.Now().Sub(time.UnixMicro(in.Session.CreatedAt)) >= h.Policy.IdleOthers; idle != errors.Is(err, ErrNoSession) {
				t.Fatalf("after %v: Authenticate = %v", h.clock.Now().Sub(time.UnixMicro(in.Session.CreatedAt)), err)
			}
		}
	})
}

func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		in := h.login("sari", goodPassword)
		h.clock.Advance(59 * time.Second)
		h.viewer(in)
		if got := h.viewer(in).Session.SeenAt; got != in.Session.SeenAt {
			t.Error("written within the minute")
		}
		h.clock.Advance(time.Second)
		h.viewer(in)
		if got := h.viewer(in).Session.SeenAt; got == in.Session.SeenAt {
			t.Error("not written after the minute")
		}
	})
}

func TestRevokingSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		other := h.person("budi")
		one, two, three := h.login("sari", goodPassword), h.login("sari", goodPassword), h.login("sari", goodPassword)
		v := h.viewer(one)
		foreign := h.viewer(h.login(other.Username, goodPassword))
		if err := h.RevokeSession(t.Context(), foreign, two.Session.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("somebody else's session: %v, want ErrNotFound", err)
		}
		if err := h.RevokeSession(t.Context(), v, two.Session.ID); err != nil {
			t.Fatal(err)
		}
		list, err := h.Sessions(t.Context(), v)
		if err != nil || len(list) != 2 {
			t.Fatalf("%d sessions, %v; want 2", len(list), err)
		}
		if err := h.RevokeOthers(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			in   SignIn
			want error
		}{"own": {one, nil}, "revoked": {two, ErrNoSession}, "other": {three, ErrNoSession}} {
			if _, err := h.Authenticate(t.Context(), c.in.Token, here, false); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	})
}

// Proving oneself again gives a new token, ends the old one and does not
// stretch the session.
func TestStepUpRenewsTheSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		in := h.login("sari", goodPassword)
		h.clock.Advance(20 * time.Minute)
		v := h.viewer(in)
		if err := h.RequireFresh(v, h.Policy.Fresh); !errors.Is(err, ErrNotFresh) {
			t.Fatalf("RequireFresh = %v after 20 minutes", err)
		}
		if _, err := h.ConfirmPassword(t.Context(), v, otherPassword); !errors.Is(err, ErrCredentials) {
			t.Fatalf("ConfirmPassword(wrong) = %v", err)
		}
		again, err := h.ConfirmPassword(t.Context(), v, goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		if again.Token == in.Token || again.Session.ExpiresAt != in.Session.ExpiresAt {
			t.Error("the token stayed or the session grew")
		}
		if _, err := h.Authenticate(t.Context(), in.Token, here, false); !errors.Is(err, ErrNoSession) {
			t.Errorf("the old token still opens: %v", err)
		}
		if err := h.RequireFresh(h.viewer(again), h.Policy.Fresh); err != nil {
			t.Errorf("RequireFresh = %v right after", err)
		}
	})
}

func TestScopes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		top := h.unit("1", "")
		left, right := h.unit("1.1", top), h.unit("1.2", top)
		leaf := h.unit("1.1.1", left)
		a := h.employee("199001012015011001", left)
		h.grant(a, HROfficer, left)
		h.grant(a, HROfficer, leaf)
		h.grant(a, ServiceDesk, Everywhere)
		v := h.viewer(h.login(a.Username, goodPassword))
		if !v.MustEnrol {
			t.Error("an officer without a second factor may work")
		}
		for name, c := range map[string]struct {
			role Role
			unit string
			want bool
		}{
			"own": {HROfficer, left, true}, "below": {HROfficer, leaf, true}, "beside": {HROfficer, right, false},
			"above": {HROfficer, top, false}, "everywhere": {ServiceDesk, right, true},
			"not held": {RegistrationOfficer, left, false}, "nobody's": {HROfficer, NoUnit, false},
		} {
			if got, err := h.InScope(t.Context(), v, c.role, c.unit); err != nil || got != c.want {
				t.Errorf("%s: InScope = %v, %v; want %v", name, got, err, c.want)
			}
		}
		if got := v.ScopeOf(RegistrationOfficer); got != NoUnit {
			t.Errorf("ScopeOf a role that is not held = %q: it must name no unit", got)
		}
		if got := v.Scopes(HROfficer); len(got) != 2 {
			t.Errorf("Scopes = %v", got)
		}
		if got := v.ScopeOf(ServiceDesk); got != Everywhere {
			t.Errorf("ScopeOf(ServiceDesk) = %q", got)
		}
		var nobody *Viewer
		if nobody.HasRole(Employee) || nobody.Officer() {
			t.Error("nobody has a role")
		}
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		h.login("sari", goodPassword)
		if err := h.Forgot(t.Context(), "sari", here); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(40 * 24 * time.Hour)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"session", "limiter"} {
			var n int
			if err := h.Store.ReadDB().QueryRowContext(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows left in %s, %v", n, table, err)
			}
		}
	})
}
