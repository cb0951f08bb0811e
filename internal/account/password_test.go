package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"absah/internal/store/db"
)

func TestHashes(t *testing.T) {
	t.Parallel()
	h := newHasher(HashParams{MemoryKiB: 16, Passes: 1, Lanes: 1}, 8)
	phc, err := h.hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := h.hash(t.Context(), goodPassword); again == phc {
		t.Error("two hashes share a salt")
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=16,t=1,p=1$") {
		t.Errorf("hash = %q", phc)
	}
	for password, want := range map[string]bool{goodPassword: true, otherPassword: false, "": false} {
		if ok, stale, err := h.verify(t.Context(), phc, password); err != nil || ok != want || stale {
			t.Errorf("verify(%q) = %v, %v, %v", password, ok, stale, err)
		}
	}
	// A string of the reference implementation (phc-winner-argon2, test.c).
	const reference = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, stale, err := h.verify(t.Context(), reference, "password"); err != nil || !ok || !stale {
		t.Errorf("reference = %v, %v, %v", ok, stale, err)
	}
}

func TestPHCIsBounded(t *testing.T) {
	t.Parallel()
	const salt, sum = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, s := range []string{
		"", "$", "password", "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + sum, "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=256,t=17,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=256,t=2,p=9$" + salt + "$" + sum,
		"$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=7,t=1,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=+256,t=2,p=1$" + salt + "$" + sum, "$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=256,t=2$" + salt + "$" + sum, "$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + sum,
		"$argon2id$v=19$m=256,t=2,p=1$c2E$" + sum, "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$nf65", "$argon2id$v=19$m=256,t=2,p=257$" + salt + "$" + sum,
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("A", 200), "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + sum + "$",
	} {
		if _, _, _, err := parsePHC(s); !errors.Is(err, errHash) {
			t.Errorf("parsePHC(%q) = %v", s, err)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=,t=,p=$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, sum, err := parsePHC(s)
		if err == nil && (p.validate() != nil || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64) {
			t.Errorf("parsePHC(%q) = %+v, %d, %d", s, p, len(salt), len(sum))
		}
	})
}

type meter int

func (m meter) Score(context.Context, string, []string) (int, error) { return int(m), nil }

func TestNewPasswordsAreJudged(t *testing.T) {
	t.Parallel()
	s := &Service{Config: Config{Policy: quick()}}
	a := db.Account{Username: "199001012015011001", DisplayName: "Sari Contoh, S.Kom.", Email: "sari.contoh@contoh.example"}
	for password, want := range map[string]string{
		goodPassword: "", "sebelas huru": "", "kurang dari": RuleShort, "パスワードはとても長い文": "",
		strings.Repeat("a", maxPassword+1): RuleLong, "199001012015011001": RulePersonal, "Sari-Contoh-2026": RulePersonal,
		"1990 0101 2015 011001": RulePersonal, "sari.contoh@contoh.example!": RulePersonal,
	} {
		err := s.CheckPassword(t.Context(), a, password)
		var weak *WeakError
		if got := errors.As(err, &weak); got != (want != "") || got && weak.Rule != want {
			t.Errorf("CheckPassword(%.30q) = %v, want %q", password, err, want)
		}
	}
	s.Meter = meter(2)
	var weak *WeakError
	if err := s.CheckPassword(t.Context(), a, goodPassword); !errors.As(err, &weak) || weak.Rule != RuleGuessed {
		t.Errorf("score 2: %v", err)
	}
	s.Meter = meter(3)
	if err := s.CheckPassword(t.Context(), a, goodPassword); err != nil {
		t.Errorf("score 3: %v", err)
	}
}

func TestNormalUsername(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Sari ": "sari", "19900101 201501 1 001": "199001012015011001", "sari dua": "sari dua", "": "", " ": "",
	} {
		if got := NormalUsername(in); got != want {
			t.Errorf("NormalUsername(%q) = %q, want %q", in, got, want)
		}
	}
}

func BenchmarkDefaultHash(b *testing.B) {
	h := newHasher(DefaultPolicy().Hash, 8)
	for b.Loop() {
		if _, err := h.hash(b.Context(), goodPassword); err != nil {
			b.Fatal(err)
		}
	}
}
