package account

import (
	"errors"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
)

// guest makes an account that was never activated and its link.
func (h *house) guest(name string, purpose Purpose) (db.Account, string) {
	h.t.Helper()
	var a db.Account
	var token string
	h.tx(func(tx *store.Tx) (err error) {
		if a, err = h.CreateAccount(h.t.Context(), tx, audit.System("test"), NewAccount{
			Username: name, DisplayName: "Sari Contoh", Email: name + "@contoh.example",
		}); err != nil {
			return err
		}
		token, err = h.Invite(h.t.Context(), tx, a.ID, purpose)
		return err
	})
	return a, token
}

func dead(err error) LinkState {
	var d *DeadLink
	if errors.As(err, &d) && errors.Is(err, ErrDeadLink) {
		return d.Why
	}
	return ""
}

func TestLinkActivatesOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, token := h.guest("sari", Portal)
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(token) {
			t.Errorf("token %q", token)
		}
		for range 50 { // scanners open links
			if l, err := h.FindLink(t.Context(), token); err != nil || l.Account.ID != a.ID || l.Purpose != Portal {
				t.Fatalf("FindLink = %+v, %v", l, err)
			}
		}
		var weak *WeakError
		if _, err := h.Redeem(t.Context(), token, "pendek", here); !errors.As(err, &weak) || weak.Rule != RuleShort {
			t.Errorf("short password: %v", err)
		}
		if _, err := h.Redeem(t.Context(), token, goodPassword, here); err != nil {
			t.Fatal(err)
		}
		h.login("sari", goodPassword)
		if _, err := h.Redeem(t.Context(), token, otherPassword, here); dead(err) != LinkUsed {
			t.Errorf("second use: %v", err)
		}
		if _, err := h.FindLink(t.Context(), "00000000000000000000000000000000"); !errors.Is(err, ErrNoLink) {
			t.Errorf("invented: %v", err)
		}
	})
}

func TestLinkIsUsedOnceInARace(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, token := h.guest("sari", Activate)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := h.Redeem(t.Context(), token, goodPassword, here); err == nil {
					wins.Add(1)
				} else if why := dead(err); why != LinkUsed && why != LinkDone {
					t.Errorf("loser: %v", err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Errorf("%d uses, want 1", wins.Load())
		}
	})
}

func TestDeadLinks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a, first := h.guest("sari", Activate)
		var second, portal string
		h.tx(func(tx *store.Tx) (err error) {
			if second, err = h.Invite(t.Context(), tx, a.ID, Activate); err != nil {
				return err
			}
			portal, err = h.Invite(t.Context(), tx, a.ID, Portal)
			return err
		})
		if _, err := h.FindLink(t.Context(), first); dead(err) != LinkReplaced {
			t.Errorf("older link: %v", err)
		}
		if _, err := h.FindLink(t.Context(), portal); err != nil {
			t.Errorf("link of another purpose: %v", err)
		}
		h.clock.Advance(h.Policy.InvitationLife - time.Microsecond)
		if _, err := h.FindLink(t.Context(), second); err != nil {
			t.Errorf("just before its end: %v", err)
		}
		h.clock.Advance(time.Microsecond)
		if _, err := h.Redeem(t.Context(), second, goodPassword, here); dead(err) != LinkExpired {
			t.Errorf("at its end: %v", err)
		}
		// A link of a new account is no way around the password set since.
		var late string
		if err := h.SetPassword(t.Context(), a.ID, goodPassword); err != nil {
			t.Fatal(err)
		}
		h.tx(func(tx *store.Tx) (err error) { late, err = h.Invite(t.Context(), tx, a.ID, Portal); return err })
		if _, err := h.Redeem(t.Context(), late, otherPassword, here); dead(err) != LinkDone {
			t.Errorf("active account: %v", err)
		}
		h.tx(func(tx *store.Tx) error { return h.DisableTx(t.Context(), tx, actorOf(a, here), a.ID) })
		if _, err := h.FindLink(t.Context(), late); !errors.Is(err, ErrNoLink) {
			t.Errorf("disabled account: %v", err)
		}
	})
}

func TestForgottenPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		h.login("sari", goodPassword)
		for range 5 {
			if err := h.Forgot(t.Context(), " SARI ", here); err != nil {
				t.Fatal(err)
			}
		}
		if len(h.letters.invitations) != 1 {
			t.Fatalf("%d letters within ten minutes, want 1", len(h.letters.invitations))
		}
		for range 100 {
			h.clock.Advance(h.Policy.ResetGap)
			if err := h.Forgot(t.Context(), "sari", here); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(h.letters.invitations); int64(got) != h.Policy.ResetsPerDay {
			t.Errorf("%d letters in a day, want %d", got, h.Policy.ResetsPerDay)
		}
		for _, name := range []string{"siapa", ""} {
			if err := h.Forgot(t.Context(), name, here); err != nil {
				t.Errorf("Forgot(%q) = %v; the answer must not tell", name, err)
			}
		}
		h.clock.Advance(25 * time.Hour)
		if err := h.Forgot(t.Context(), "sari", here); err != nil {
			t.Fatal(err)
		}
		inv := h.letters.invitations[len(h.letters.invitations)-1]
		if inv.Purpose != ResetPassword || !inv.Expires.Equal(h.clock.Now().Add(h.Policy.ResetLife)) {
			t.Errorf("letter %+v", inv)
		}
		in := h.login("sari", goodPassword)
		if _, err := h.Redeem(t.Context(), inv.Token, otherPassword, here); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authenticate(t.Context(), in.Token, here, false); !errors.Is(err, ErrNoSession) {
			t.Errorf("a session outlives the new password: %v", err)
		}
		if _, err := h.Login(t.Context(), "sari", goodPassword, here); !errors.Is(err, ErrCredentials) {
			t.Errorf("the old password still works: %v", err)
		}
		h.login("sari", otherPassword)
	})
}

func TestForgotInvitesThoseWhoNeverCame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.guest("sari", Activate)
		if err := h.Forgot(t.Context(), "sari", here); err != nil {
			t.Fatal(err)
		}
		if len(h.letters.invitations) != 1 || h.letters.invitations[0].Purpose != Activate {
			t.Errorf("letters = %+v", h.letters.invitations)
		}
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		in, other := h.login("sari", goodPassword), h.login("sari", goodPassword)
		v := h.viewer(in)
		if _, err := h.ChangePassword(t.Context(), v, otherPassword, otherPassword); !errors.Is(err, ErrCredentials) {
			t.Errorf("wrong old one: %v", err)
		}
		var weak *WeakError
		if _, err := h.ChangePassword(t.Context(), v, goodPassword, "sari@contoh.example"); !errors.As(err, &weak) || weak.Rule != RulePersonal {
			t.Errorf("one's own address: %v", err)
		}
		next, err := h.ChangePassword(t.Context(), v, goodPassword, otherPassword)
		if err != nil {
			t.Fatal(err)
		}
		h.viewer(next)
		for _, old := range []SignIn{in, other} {
			if _, err := h.Authenticate(t.Context(), old.Token, here, false); !errors.Is(err, ErrNoSession) {
				t.Errorf("an old session lives on: %v", err)
			}
		}
		h.login("sari", otherPassword)
	})
}
