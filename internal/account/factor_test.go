package account

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"absah/internal/keys"
)

func TestOfficerSetsUpAnApp(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.employee("199001012015011001", h.unit("A", ""))
		h.grant(a, RegistrationOfficer, Everywhere)
		in := h.login(a.Username, goodPassword)
		elsewhere := h.login(a.Username, goodPassword)
		v := h.viewer(in)
		if !v.MustEnrol {
			t.Fatal("the officer is not asked for a second factor")
		}
		setup, err := h.BeginTOTP(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if resumed, err := h.ResumeTOTP(t.Context(), v, setup.State); err != nil || resumed.Secret != setup.Secret {
			t.Errorf("ResumeTOTP = %q, %v", resumed.Secret, err)
		}
		if _, err := h.FinishTOTP(t.Context(), v, setup.State, "000000"); !errors.Is(err, ErrCode) {
			t.Errorf("FinishTOTP(wrong) = %v", err)
		}
		full, err := h.FinishTOTP(t.Context(), v, setup.State, h.code(setup.Secret))
		if err != nil {
			t.Fatal(err)
		}
		if v := h.viewer(full); v.MustEnrol || v.Session.Factor != FactorTOTP || full.Token == in.Token {
			t.Errorf("after the set-up: %+v", v)
		}
		if _, err := h.Authenticate(t.Context(), elsewhere.Token, here, false); !errors.Is(err, ErrNoSession) {
			t.Errorf("another session without the factor lives on: %v", err)
		}
		if got := h.reload(a); string(got.TotpSealed) == setup.Secret || len(got.TotpSealed) == 0 {
			t.Error("the secret is stored in the open")
		}
		half := h.viewer(h.login(a.Username, goodPassword))
		if _, err := h.ProveTOTP(t.Context(), half, h.code(setup.Secret)); !errors.Is(err, ErrCode) {
			t.Errorf("the code of the set-up works again: %v", err)
		}
		h.clock.Advance(30 * time.Second)
		if _, err := h.ProveTOTP(t.Context(), half, h.code(setup.Secret)); err != nil {
			t.Errorf("the next code: %v", err)
		}
		if _, err := h.ProveTOTP(t.Context(), half, h.code(setup.Secret)); !errors.Is(err, ErrCode) {
			t.Errorf("a code works twice: %v", err)
		}
		if err := h.RemoveTOTP(t.Context(), h.viewer(full)); !errors.Is(err, ErrLastFactor) {
			t.Errorf("an officer removes his last factor: %v", err)
		}
		if len(h.reload(a).TotpSealed) == 0 {
			t.Error("the refused removal was not undone")
		}
	})
}

func TestMatchTOTP(t *testing.T) {
	t.Parallel()
	// RFC 6238 appendix B, SHA-1, the last six digits.
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for name, c := range map[string]struct {
		at   int64
		code string
		last int64
		want bool
	}{
		"RFC 59 s":      {59, "287082", 0, true},
		"spaces":        {59, "287 082", 0, true},
		"RFC 2005":      {1111111109, "081804", 0, true},
		"step before":   {59 + 30, "287082", 0, true},
		"step after":    {59 - 30, "287082", 0, true},
		"too old":       {59 + 61, "287082", 0, false},
		"used":          {59, "287082", 1, false},
		"other":         {59, "287083", 0, false},
		"empty":         {59, "", 0, false},
		"eight figures": {59, "94287082", 0, false},
	} {
		if _, ok := matchTOTP(secret, c.code, time.Unix(c.at, 0), c.last); ok != c.want {
			t.Errorf("%s: %v, want %v", name, ok, c.want)
		}
	}
}

func TestStatesBelongToOneAccountAndEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		h.person("budi")
		sari, budi := h.viewer(h.login("sari", goodPassword)), h.viewer(h.login("budi", goodPassword))
		setup, err := h.BeginTOTP(t.Context(), sari)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.FinishTOTP(t.Context(), budi, setup.State, h.code(setup.Secret)); !errors.Is(err, ErrCode) {
			t.Errorf("somebody else's set-up: %v", err)
		}
		for _, s := range []string{"", "!", "AAAA", setup.State[1:]} {
			if err := h.openState(t.Context(), "totp-setup", sari.Account.ID, s, new(string)); err == nil {
				t.Errorf("openState(%q) opened", s)
			}
		}
		if err := h.openState(t.Context(), "passkey-add", sari.Account.ID, setup.State, new(string)); err == nil {
			t.Error("a state opens for another purpose")
		}
		h.clock.Advance(setupLife)
		if err := h.openState(t.Context(), "totp-setup", sari.Account.ID, setup.State, new(string)); err == nil {
			t.Error("an old state opens")
		}
		if _, err := h.BeginTOTP(t.Context(), sari); !errors.Is(err, ErrNotFresh) {
			t.Errorf("BeginTOTP = %v half an hour after signing in", err)
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.person("sari")
		v := h.viewer(h.login("sari", goodPassword))
		setup, err := h.BeginTOTP(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		in, err := h.FinishTOTP(t.Context(), v, setup.State, h.code(setup.Secret))
		if err != nil {
			t.Fatal(err)
		}
		v = h.viewer(in)
		old, err := h.NewRecoveryCodes(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		codes, err := h.NewRecoveryCodes(t.Context(), v)
		if err != nil || len(codes) != recoveryCodes || !regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$`).MatchString(codes[0]) {
			t.Fatalf("codes = %d, %v", len(codes), err)
		}
		half := h.viewer(h.login("sari", goodPassword))
		for name, c := range map[string]string{"replaced": old[0], "empty": "", "other": "AAAAA-AAAAA"} {
			if _, err := h.ProveRecovery(t.Context(), half, c); !errors.Is(err, ErrCode) {
				t.Errorf("%s: %v, want ErrCode", name, err)
			}
		}
		full, err := h.ProveRecovery(t.Context(), half, " "+codes[3][:5]+" "+codes[3][6:])
		if err != nil || full.Session.Factor != FactorRecovery {
			t.Fatalf("ProveRecovery = %q, %v", full.Session.Factor, err)
		}
		if _, err := h.ProveRecovery(t.Context(), h.viewer(h.login("sari", goodPassword)), codes[3]); !errors.Is(err, ErrCode) {
			t.Errorf("a code works twice: %v", err)
		}
		if _, err := h.Vault.(*keys.File).Rotate(t.Context(), keys.Index); err != nil {
			t.Fatal(err)
		}
		if _, err := h.ProveRecovery(t.Context(), h.viewer(h.login("sari", goodPassword)), codes[4]); err != nil {
			t.Errorf("a code from before the rotation of its key: %v", err)
		}
		f, err := h.Factors(t.Context(), a.ID)
		if err != nil || f.RecoveryLeft != recoveryCodes-2 || !f.TOTP {
			t.Errorf("Factors = %+v, %v", f, err)
		}
		if err := h.RemoveTOTP(t.Context(), h.viewer(full)); err != nil {
			t.Fatal(err) // an ordinary user may
		}
		if f, err := h.Factors(t.Context(), a.ID); err != nil || f.RecoveryLeft != 0 || f.Any() {
			t.Errorf("codes outlive the factor: %+v, %v", f, err)
		}
	})
}

func TestAdministratorResetsFactors(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.admin("kepala")
		a := h.person("sari")
		secret := h.secret(a)
		in, err := h.ProveTOTP(t.Context(), h.viewer(h.login("sari", goodPassword)), h.code(secret))
		if err != nil {
			t.Fatal(err)
		}
		if err := h.ResetFactors(t.Context(), boss, a.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Authenticate(t.Context(), in.Token, here, false); !errors.Is(err, ErrNoSession) {
			t.Errorf("a session lives on: %v", err)
		}
		if got := h.login("sari", goodPassword); got.Session.State != Full {
			t.Error("a second step is still asked for")
		}
		if err := h.ResetFactors(t.Context(), boss, boss.Account.ID); !errors.Is(err, ErrSelf) {
			t.Errorf("one's own: %v, want ErrSelf", err)
		}
		if last := h.letters.changes[len(h.letters.changes)-1]; last != FactorsReset {
			t.Errorf("the owner was told %q", last)
		}
	})
}
