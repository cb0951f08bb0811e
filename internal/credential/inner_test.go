package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"absah/internal/keys"
)

// signs tells whether a key signs by its own public key.
func signs(t testing.TB, key crypto.Signer) bool {
	t.Helper()
	digest := sha256.Sum256([]byte("dokumen"))
	sig, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Error(err)
		return false
	}
	switch pub := key.Public().(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(pub, digest[:], sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig) == nil
	}
	return false
}

func TestClosedKey(t *testing.T) {
	t.Parallel()
	s := cheap(t, vault(t))
	row := create(t, s, "k1", "kuda hujan lampu")
	key, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu"))
	if err != nil || !signs(t, key) {
		t.Fatal(err)
	}
	for range 2 {
		if err := key.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
	}
	digest := sha256.Sum256(nil)
	if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed key: %v", err)
	}
	other, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu")) // in the room of the one before
	if err != nil || !signs(t, other) {
		t.Error(err)
	}
}

func TestOpenRenewing(t *testing.T) {
	t.Parallel()
	v := vault(t)
	s := cheap(t, v)
	pass := "kuda hujan lampu"
	row := create(t, s, "k1", pass)
	key, next, err := s.OpenRenewing(t.Context(), row, secret(t, pass))
	if err != nil || next != nil || !signs(t, key) {
		t.Fatalf("nothing newer: %+v, %v", next, err)
	}
	for name, change := range map[string]func(){
		"pepper": func() {
			if _, err := v.Rotate(t.Context(), keys.Pepper); err != nil {
				t.Fatal(err)
			}
		},
		"costs": func() { s.current = 2 },
	} {
		change()
		if _, _, err := s.OpenRenewing(t.Context(), row, secret(t, "another")); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("%s, a wrong passphrase: %v", name, err)
		}
		key, next, err = s.OpenRenewing(t.Context(), row, secret(t, pass))
		if err != nil || next == nil || !signs(t, key) {
			t.Fatalf("%s: %+v, %v", name, next, err)
		}
		if next.Generation != row.Generation+1 || next.ParamsVersion != s.current || !bytes.Equal(next.SPKI, row.SPKI) || bytes.Equal(next.Salt, row.Salt) {
			t.Errorf("%s: %+v of %+v", name, next, row)
		}
		again, more, err := s.OpenRenewing(t.Context(), *next, secret(t, pass))
		if err != nil || more != nil || !again.Public().(*ecdsa.PublicKey).Equal(key.Public()) || !signs(t, again) {
			t.Errorf("%s, the next generation: %+v, %v", name, more, err)
		}
		if _, err := s.Open(t.Context(), row, secret(t, pass)); err != nil {
			t.Errorf("%s, the generation before: %v", name, err)
		}
		row = *next
	}
	// A vault that goes away while the key is renewed is nobody's wrong guess.
	if _, err := v.Rotate(t.Context(), keys.Pepper); err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 8; n++ { // 0: the row, 1 to 3: deriving; then renewing
		broken := cheap(t, &failing{v, n})
		broken.current = s.current
		_, next, err := broken.OpenRenewing(t.Context(), row, secret(t, pass))
		if !errors.Is(err, errGone) || !errors.Is(err, ErrNotEvaluated) || next != nil {
			t.Errorf("after %d answers: %+v, %v", n, next, err)
		}
	}
}

func TestPepperRounds(t *testing.T) {
	t.Parallel()
	v := vault(t)
	for _, p := range knownParams() {
		s := NewSealer(v, slots(t), WithPepperRounds(p.PepperRounds))
		if got := s.params[s.current]; got != p {
			t.Errorf("%d rounds: %+v", p.PepperRounds, got)
		}
	}
	counted := &counting{Vault: v}
	s := NewSealer(counted, slots(t), WithPepperRounds(50))
	row := create(t, s, "k1", "kuda hujan lampu")
	if counted.peppers != 50 || s.params[row.ParamsVersion].PepperRounds != 50 {
		t.Errorf("the pepper was asked %d times", counted.peppers)
	}
}

// counting counts how often the pepper is asked.
type counting struct {
	keys.Vault
	peppers int
}

func (c *counting) MAC(ctx context.Context, name keys.Name, v int, data []byte) ([]byte, int, error) {
	if name == keys.Pepper {
		c.peppers++
	}
	return c.Vault.MAC(ctx, name, v, data)
}
