//go:build pkcs11 && cgo

package credential

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
	"absah/internal/keys/pkcs11/softhsm"
)

var house *softhsm.House

func run(m *testing.M) int {
	code, err := softhsm.Main(m, func(h *softhsm.House) { house = h })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return code
}

func token(t testing.TB) *pkcs11.Vault {
	t.Helper()
	v := house.Open(t, house.Token(t))
	for _, name := range append(keys.Secrets(), keys.Subscriber) {
		if err := v.Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func shut(t testing.TB, key any) {
	t.Helper()
	if err := key.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// TestKeyInToken lives a subscriber's life with the key in the token.
func TestKeyInToken(t *testing.T) {
	v := token(t)
	s := cheap(t, v)
	InToken(v)(s)
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		kid, pass := "k-"+string(alg), "kuda hujan lampu"
		row, err := s.Create(t.Context(), kid, "e1", template, alg, secret(t, pass))
		if err != nil {
			t.Fatal(err)
		}
		csr, err := x509.ParseCertificateRequest(row.CSR)
		if err != nil || csr.CheckSignature() != nil || !bytes.Equal(csr.RawSubjectPublicKeyInfo, row.SPKI) {
			t.Errorf("%s: the certificate request: %v", alg, err)
		}
		key, err := s.Open(t.Context(), row, secret(t, pass))
		if err != nil {
			t.Fatal(err)
		}
		if !signs(t, key) {
			t.Errorf("%s: the key does not sign", alg)
		}
		shut(t, key)
		if _, err := s.Open(t.Context(), row, secret(t, "another")); !errors.Is(err, ErrWrongPassphrase) || errors.Is(err, ErrNotEvaluated) {
			t.Errorf("%s, a wrong passphrase: %v", alg, err)
		}
		// Who has the token and the row, and not the passphrase, has nothing
		// that the token takes; who has the passphrase and another token neither.
		if _, err := v.UseKey(t.Context(), row.Box, key.Public()); !errors.Is(err, keys.ErrOpen) && !errors.Is(err, keys.ErrNoKey) {
			t.Errorf("%s: the sealed key goes into the token as it is: %v", alg, err)
		}
		plain := cheap(t, v)
		if _, err := plain.Open(t.Context(), row, secret(t, pass)); !errors.Is(err, ErrInToken) || !errors.Is(err, ErrNotEvaluated) {
			t.Errorf("%s, without the token: %v", alg, err)
		}

		changed, err := s.Rewrap(t.Context(), row, secret(t, pass), secret(t, "rapat kopi genteng"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Rotate(t.Context(), keys.Subscriber); err != nil {
			t.Fatal(err)
		}
		key, next, err := s.OpenRenewing(t.Context(), changed, secret(t, "rapat kopi genteng"))
		if err != nil || next == nil || next.Generation != 3 || !signs(t, key) {
			t.Fatalf("%s, a newer wrapping key: %+v, %v", alg, next, err)
		}
		shut(t, key)
		key, more, err := s.OpenRenewing(t.Context(), *next, secret(t, "rapat kopi genteng"))
		if err != nil || more != nil || !signs(t, key) {
			t.Errorf("%s, renewed: %+v, %v", alg, more, err)
		}
		shut(t, key)
		if key, err = s.Open(t.Context(), changed, secret(t, "rapat kopi genteng")); err != nil {
			t.Errorf("%s, under the older wrapping key: %v", alg, err)
		} else {
			shut(t, key)
		}
	}
	// Keys of the time before the token.
	soft := cheap(t, v)
	row := create(t, soft, "k-soft", "kuda hujan lampu")
	key, next, err := s.OpenRenewing(t.Context(), row, secret(t, "kuda hujan lampu"))
	if err != nil || next != nil || !signs(t, key) {
		t.Errorf("a key made in software: %+v, %v", next, err)
	}
}

// TestTokenTakesNoOtherKey puts another subscriber's wrapped key into a row: the
// passphrase opens it no more.
func TestTokenTakesNoOtherKey(t *testing.T) {
	v := token(t)
	s := cheap(t, v)
	InToken(v)(s)
	a, b := create(t, s, "k1", "kuda hujan lampu"), create(t, s, "k2", "kuda hujan lampu")
	swapped := a
	swapped.Box = b.Box
	if err := s.authenticate(t.Context(), &swapped); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), swapped, secret(t, "kuda hujan lampu")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("got %v", err)
	}
}

// TestMACsInToken authenticates rows and attempts by the token.
func TestMACsInToken(t *testing.T) {
	v := token(t)
	s := cheap(t, v)
	InToken(v)(s)
	row := create(t, s, "k1", "kuda hujan lampu")
	pub, err := x509.ParsePKIXPublicKey(row.SPKI)
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu"))
	if err != nil || !pub.(*ecdsa.PublicKey).Equal(key.Public()) {
		t.Fatal(err)
	}
	l := NewLedger(v)
	text, err := l.Encode(t.Context(), "k1", Attempts{Seq: 7})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Rotate(t.Context(), keys.Attempts); err != nil {
		t.Fatal(err)
	}
	if a, err := l.Decode(t.Context(), "k1", text); err != nil || a.Seq != 7 {
		t.Errorf("attempts under the older key: %+v, %v", a, err)
	}
	if err := s.Verify(t.Context(), row); err != nil {
		t.Errorf("a row under the older key: %v", err)
	}
	row.RowMAC[5] ^= 1
	if err := s.Verify(t.Context(), row); !errors.Is(err, ErrCorrupt) {
		t.Errorf("an altered row: %v", err)
	}
}

func BenchmarkOpenInToken(b *testing.B) {
	v := token(b)
	for _, rounds := range []int{1, 200, 1000} {
		s := NewSealer(v, slots(b), InToken(v), WithPepperRounds(rounds))
		pass := secret(b, "kuda hujan lampu")
		row := create(b, s, "k1", "kuda hujan lampu")
		b.Run(fmt.Sprint(rounds), func(b *testing.B) {
			for b.Loop() {
				key, err := s.Open(b.Context(), row, pass)
				if err != nil {
					b.Fatal(err)
				}
				shut(b, key)
			}
		})
	}
}
