package account

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/descope/virtualwebauthn"

	"absah/internal/store"
)

var site = virtualwebauthn.RelyingParty{Name: "Absah", ID: "localhost", Origin: "http://localhost:8080"}

// device is an authenticator with at most one key.
type device struct {
	virtualwebauthn.Authenticator
	key virtualwebauthn.Credential
}

// newKey makes a key whose coordinates have no leading zero: package
// virtualwebauthn drops it, and the key is then not one (RFC 9053 7.1.1).
func newKey(t *testing.T) virtualwebauthn.Credential {
	t.Helper()
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes() // 4, X, Y
		if err != nil {
			t.Fatal(err)
		}
		if point[1] == 0 || point[33] == 0 {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, der)
	}
}

func (d *device) create(t *testing.T, h *house, v *Viewer) (state string, answer []byte) {
	t.Helper()
	c, err := h.BeginPasskey(t.Context(), v)
	if err != nil {
		t.Fatalf("BeginPasskey: %v", err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(c.Options))
	if err != nil {
		t.Fatal(err)
	}
	d.Options.UserHandle = []byte(v.Account.ID)
	d.key = newKey(t)
	answer = []byte(virtualwebauthn.CreateAttestationResponse(site, d.Authenticator, d.key, *options))
	d.AddCredential(d.key)
	return c.State, answer
}

func (d *device) assert(t *testing.T, c Ceremony, rp virtualwebauthn.RelyingParty) []byte {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(c.Options))
	if err != nil {
		t.Fatal(err)
	}
	d.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(rp, d.Authenticator, d.key, *options))
}

// passkeyed makes an active account with a passkey.
func passkeyed(t *testing.T, h *house, name string) (SignIn, *device) {
	t.Helper()
	h.person(name)
	v := h.viewer(h.login(name, goodPassword))
	d := &device{Authenticator: virtualwebauthn.NewAuthenticator()}
	state, answer := d.create(t, h, v)
	in, err := h.FinishPasskey(t.Context(), v, state, answer, "  Laptop   kantor ")
	if err != nil {
		t.Fatalf("FinishPasskey: %v", err)
	}
	return in, d
}

func TestPasskeyIsAddedAndSignsIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in, d := passkeyed(t, h, "sari")
		v := h.viewer(in)
		if v.Session.Factor != FactorPasskey {
			t.Errorf("factor = %q", v.Session.Factor)
		}
		f, err := h.Factors(t.Context(), v.Account.ID)
		if err != nil || len(f.Passkeys) != 1 || f.Passkeys[0].Name != "Laptop kantor" {
			t.Fatalf("Factors = %+v, %v", f, err)
		}

		// Alone, without a user name.
		c, err := h.BeginPasskeyLogin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		answer := d.assert(t, c, site)
		got, err := h.FinishPasskeyLogin(t.Context(), c.State, answer, here)
		if err != nil || got.Account.ID != v.Account.ID || got.Session.State != Full {
			t.Fatalf("FinishPasskeyLogin = %+v, %v", got.Session, err)
		}
		if _, err := h.FinishPasskeyLogin(t.Context(), c.State, answer, here); !errors.Is(err, ErrPasskey) {
			t.Errorf("an answer works twice: %v", err)
		}

		// As the second step, even while wrong passwords have locked the account.
		half := h.viewer(h.login("sari", goodPassword))
		if half.Session.State != Half {
			t.Fatal("no second step")
		}
		c, err = h.BeginProof(t.Context(), half)
		if err != nil {
			t.Fatal(err)
		}
		if full, err := h.ProvePasskey(t.Context(), half, c.State, d.assert(t, c, site)); err != nil || full.Session.State != Full {
			t.Errorf("ProvePasskey = %v", err)
		}
	})
}

func TestPasskeysAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		in, d := passkeyed(t, h, "sari")
		v := h.viewer(in)
		begin := func() Ceremony {
			t.Helper()
			c, err := h.BeginPasskeyLogin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		phishing := site
		phishing.Origin = "http://localhost.example:8080"
		c, old := begin(), begin()
		unverified := *d
		unverified.Options.UserNotVerified = true
		stranger := &device{Authenticator: virtualwebauthn.NewAuthenticator(), key: newKey(t)}
		stranger.Options.UserHandle = []byte(v.Account.ID)
		nobody := *d
		nobody.Options.UserHandle = []byte("nobody")
		for name, answer := range map[string][]byte{
			"another site": d.assert(t, c, phishing), "another challenge": d.assert(t, old, site), "empty": nil, "not JSON": []byte("{"),
			"owner not verified": unverified.assert(t, c, site), "unknown key": stranger.assert(t, c, site), "unknown account": nobody.assert(t, c, site),
		} {
			if _, err := h.FinishPasskeyLogin(t.Context(), c.State, answer, here); !errors.Is(err, ErrPasskey) {
				t.Errorf("%s: %v, want ErrPasskey", name, err)
			}
		}
		c = begin()
		answer := d.assert(t, c, site)
		h.clock.Advance(ceremonyLife)
		if _, err := h.FinishPasskeyLogin(t.Context(), c.State, answer, here); !errors.Is(err, ErrPasskey) {
			t.Errorf("too late: %v", err)
		}
		h.tx(func(tx *store.Tx) error { return h.DisableTx(t.Context(), tx, v.Actor(Employee), v.Account.ID) })
		c = begin()
		if _, err := h.FinishPasskeyLogin(t.Context(), c.State, d.assert(t, c, site), here); !errors.Is(err, ErrPasskey) {
			t.Errorf("disabled account: %v", err)
		}
	})
}

func TestPasskeyOfSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, d := passkeyed(t, h, "sari")
		budi, _ := passkeyed(t, h, "budi")
		half := h.viewer(h.login("budi", goodPassword))
		c, err := h.BeginProof(t.Context(), half)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.ProvePasskey(t.Context(), half, c.State, d.assert(t, c, site)); !errors.Is(err, ErrPasskey) {
			t.Errorf("somebody else's passkey: %v", err)
		}
		v := h.viewer(budi)
		f, err := h.Factors(t.Context(), v.Account.ID)
		if err != nil {
			t.Fatal(err)
		}
		other := h.viewer(func() SignIn {
			c, err := h.BeginPasskeyLogin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in, err := h.FinishPasskeyLogin(t.Context(), c.State, d.assert(t, c, site), here)
			if err != nil {
				t.Fatal(err)
			}
			return in
		}())
		if err := h.RemovePasskey(t.Context(), other, f.Passkeys[0].ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("removing somebody else's: %v", err)
		}
		if err := h.RemovePasskey(t.Context(), v, f.Passkeys[0].ID); err != nil {
			t.Errorf("removing one's own: %v", err)
		}
	})
}

func TestNoPasskeysAtAnIPAddress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.Config
		c.BaseURL = "http://127.0.0.1:8080"
		s, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginPasskeyLogin(t.Context()); !errors.Is(err, ErrNoPasskeys) || s.HasPasskeys() {
			t.Errorf("BeginPasskeyLogin = %v", err)
		}
	})
}
