package account

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"absah/internal/store"
)

func TestLoginOpensASession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.employee("199001012015011001", h.unit("A", ""))
		in := h.login("19900101 201501 1 001", goodPassword)
		if in.Session.State != Full || in.Session.Factor != FactorNone {
			t.Errorf("session is %s/%q, want full without a factor", in.Session.State, in.Session.Factor)
		}
		v := h.viewer(in)
		if !v.HasRole(Employee) || v.TimeZone != "WITA" || v.UnitName != "Unit A" || v.MustEnrol {
			t.Errorf("viewer = %+v", v)
		}
		var stored string
		row := h.Store.ReadDB().QueryRowContext(t.Context(), "select cast(count(*) as text) from session where user_agent = $1", in.Token)
		if err := row.Scan(&stored); err != nil || stored != "0" {
			t.Errorf("the token is stored: %v, %v", stored, err)
		}
		if again := h.login("199001012015011001", goodPassword); again.Token == in.Token {
			t.Error("two log-ins have one token")
		}
	})
}

// Every reason to refuse has one answer.
func TestRefusalsLookAlike(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		locked := h.person("terkunci")
		for range h.Policy.Attempts {
			_, _ = h.Login(t.Context(), "terkunci", "salah salah salah", here)
		}
		disabled := h.person("nonaktif")
		gone := h.employee("199001012015011001", h.unit("A", ""))
		var invited string
		h.tx(func(tx *store.Tx) error {
			if err := h.DisableTx(t.Context(), tx, actorOf(disabled, here), disabled.ID); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), "update employee set active = false where nip = $1", gone.Username); err != nil {
				return err
			}
			a, err := h.insert(t.Context(), tx, NewAccount{Username: "diundang"})
			invited = a.Username
			return err
		})
		for name, c := range map[string][2]string{
			"wrong password": {"sari", otherPassword}, "unknown": {"siapa", goodPassword}, "locked": {locked.Username, goodPassword},
			"disabled": {disabled.Username, goodPassword}, "not activated": {invited, goodPassword}, "empty": {invited, ""},
			"left the staff": {gone.Username, goodPassword}, "huge": {"sari", string(make([]byte, 5000))},
		} {
			if _, err := h.Login(t.Context(), c[0], c[1], here); err != ErrCredentials { //nolint:errorlint // exactly this one
				t.Errorf("%s: Login = %v, want ErrCredentials itself", name, err)
			}
		}
	})
}

func TestLockGrowsAndTellsTheOwner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		wrong := func() {
			t.Helper()
			if _, err := h.Login(t.Context(), "sari", otherPassword, here); !errors.Is(err, ErrCredentials) {
				t.Fatalf("Login = %v", err)
			}
		}
		for range h.Policy.Attempts - 1 {
			wrong()
		}
		h.login("sari", goodPassword) // forgets them
		for range h.Policy.Attempts {
			wrong()
		}
		want := []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour}
		for i, lock := range want {
			h.clock.Advance(lock - time.Second)
			if _, err := h.Login(t.Context(), "sari", goodPassword, here); !errors.Is(err, ErrCredentials) {
				t.Fatalf("lock %d: open %v too early", i, time.Second)
			}
			h.clock.Advance(time.Second)
			if i < len(want)-1 {
				wrong() // one more wrong attempt doubles the lock
			}
		}
		h.login("sari", goodPassword)
		if got := len(h.letters.locked); got != len(want) {
			t.Errorf("%d letters about a lock, want %d", got, len(want))
		}
	})
}

// However many try at once, no more guesses are looked at than allowed.
func TestParallelGuessesAreCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		var wg sync.WaitGroup
		var right atomic.Int32
		for range 20 {
			wg.Go(func() {
				if _, err := h.Login(t.Context(), "sari", otherPassword, here); err == nil {
					right.Add(1)
				}
			})
		}
		wg.Wait()
		a, err := h.Store.Read().GetAccountByUsername(t.Context(), "sari")
		if err != nil {
			t.Fatal(err)
		}
		if right.Load() != 0 || a.Failed != int64(h.Policy.Attempts) {
			t.Errorf("%d right, %d guesses counted, want exactly %d", right.Load(), a.Failed, h.Policy.Attempts)
		}
	})
}

// A right password does not forgive wrong codes: otherwise whoever has the
// password could try codes without end.
func TestPasswordDoesNotForgiveWrongCodes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.person("sari")
		secret := h.secret(a)
		tries := 0
		for range 50 {
			in, err := h.Login(t.Context(), "sari", goodPassword, here)
			if err != nil {
				break
			}
			if in.Session.State != Half {
				t.Fatal("no second step")
			}
			if _, err := h.ProveTOTP(t.Context(), h.viewer(in), "abcdef"); !errors.Is(err, ErrCode) {
				t.Fatalf("ProveTOTP = %v", err)
			}
			tries++
		}
		if tries != h.Policy.Attempts {
			t.Errorf("%d codes could be tried, want %d", tries, h.Policy.Attempts)
		}
		h.clock.Advance(h.Policy.Lock)
		in, err := h.ProveTOTP(t.Context(), h.viewer(h.login("sari", goodPassword)), h.code(secret))
		if err != nil {
			t.Fatal(err)
		}
		if got := h.reload(a); got.Failed != 0 || in.Session.Factor != FactorTOTP {
			t.Errorf("failed = %d, factor %q after signing in", got.Failed, in.Session.Factor)
		}
	})
}

func TestBusyCountsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.person("sari")
		for range h.Policy.HashesWaiting {
			h.hasher.wait <- struct{}{}
		}
		if _, err := h.Login(t.Context(), "sari", goodPassword, here); !errors.Is(err, ErrBusy) {
			t.Fatalf("Login = %v, want ErrBusy", err)
		}
		if got := h.reload(a).Failed; got != 0 {
			t.Errorf("failed = %d after an attempt that nobody looked at", got)
		}
	})
}

func TestStaleHashIsRenewed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		a := h.person("sari")
		h.hasher.params.Passes = 2
		h.login("sari", goodPassword)
		if got := h.reload(a); got.PasswordHash == a.PasswordHash {
			t.Error("the hash kept its old parameters")
		}
		h.login("sari", goodPassword)
	})
}
