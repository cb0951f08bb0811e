//go:build pkcs11 && cgo

package pkcs11_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
	"absah/internal/keys/pkcs11"
)

func verifies(t *testing.T, key crypto.Signer) bool {
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

// count counts the objects of a class in the token.
func count(t *testing.T, v *pkcs11.Vault, class uint) int {
	t.Helper()
	n := 0
	err := v.Raw(t.Context(), func(lib *p11.Ctx, s p11.SessionHandle) error {
		if err := lib.FindObjectsInit(s, []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, class)}); err != nil {
			return err
		}
		found, _, err := lib.FindObjects(s, 1000)
		n = len(found)
		return errors.Join(err, lib.FindObjectsFinal(s))
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSubscriberKeys(t *testing.T) {
	v, cfg := prepared(t)
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		key, wrapped, err := v.MakeKey(t.Context(), alg)
		if err != nil {
			t.Fatal(err)
		}
		if !verifies(t, key) {
			t.Errorf("%s: the fresh key does not sign", alg)
		}
		if err := key.Close(); err != nil {
			t.Error(err)
		}
		digest := sha256.Sum256(nil)
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err == nil {
			t.Errorf("%s: a closed key signs", alg)
		}
		if n, m := count(t, v, p11.CKO_PRIVATE_KEY), count(t, v, p11.CKO_PUBLIC_KEY); n+m != 0 {
			t.Errorf("%s: %d private and %d public keys stay in the token", alg, n, m)
		}
		again, err := house.Open(t, cfg).UseKey(t.Context(), wrapped, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if !verifies(t, again) {
			t.Errorf("%s: the key that was taken in does not sign", alg)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
		if n := count(t, v, p11.CKO_PRIVATE_KEY); n != 0 {
			t.Errorf("%s: %d private keys stay in the token", alg, n)
		}
		for i := range wrapped {
			bad := bytes.Clone(wrapped)
			bad[i] ^= 1
			if _, err := v.UseKey(t.Context(), bad, key.Public()); !errors.Is(err, keys.ErrOpen) && (i >= 4 || !errors.Is(err, keys.ErrNoKey)) {
				t.Fatalf("%s: byte %d changed: %v", alg, i, err)
			}
			if alg == keys.RSA3072 && i > 40 {
				break
			}
		}
		for _, n := range []int{0, 3, 4, 19, 20, len(wrapped) - 8, len(wrapped) - 1} {
			if _, err := v.UseKey(t.Context(), wrapped[:n], key.Public()); !errors.Is(err, keys.ErrOpen) {
				t.Errorf("%s: cut to %d bytes: %v", alg, n, err)
			}
		}
		other, _ := prepared(t)
		if _, err := other.UseKey(t.Context(), wrapped, key.Public()); !errors.Is(err, keys.ErrOpen) {
			t.Errorf("%s: another token: %v", alg, err)
		}
	}
	if _, _, err := v.MakeKey(t.Context(), "dsa"); err == nil {
		t.Error("dsa is an algorithm")
	}
}

func TestRewrap(t *testing.T) {
	v, _ := prepared(t)
	key, wrapped, err := v.MakeKey(t.Context(), keys.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err := v.Rewrap(t.Context(), wrapped, key.Public()); fresh != nil || err != nil {
		t.Errorf("the newest: %x, %v", fresh, err)
	}
	if _, err := v.Rotate(t.Context(), keys.Subscriber); err != nil {
		t.Fatal(err)
	}
	fresh, err := v.Rewrap(t.Context(), wrapped, key.Public())
	if err != nil || len(fresh) == 0 || fresh[3] != 2 || bytes.Equal(fresh[4:], wrapped[4:]) {
		t.Fatalf("got %x, %v", fresh, err)
	}
	for _, w := range [][]byte{wrapped, fresh} {
		again, err := v.UseKey(t.Context(), w, key.Public())
		if err != nil || !verifies(t, again) {
			t.Fatalf("version %d: %v", w[3], err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := key.Close(); err != nil {
		t.Error(err)
	}
	if n := count(t, v, p11.CKO_PRIVATE_KEY); n != 0 {
		t.Errorf("%d private keys stay in the token", n)
	}
	wrapped[10] ^= 1
	if _, err := v.Rewrap(t.Context(), wrapped, key.Public()); !errors.Is(err, keys.ErrOpen) {
		t.Errorf("altered: %v", err)
	}
}

// TestKeyOutlivesLoss has keys at hand while the library starts anew.
func TestKeyOutlivesLoss(t *testing.T) {
	v, _ := prepared(t)
	var held []keys.PrivateKey
	for range 20 { // many more than there are sessions
		key, _, err := v.MakeKey(t.Context(), keys.ECDSAP256)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, key)
	}
	var wg sync.WaitGroup
	for round := range 2 {
		for _, key := range held {
			wg.Go(func() {
				if !verifies(t, key) {
					t.Errorf("round %d: a key does not sign", round)
				}
			})
		}
		wg.Wait()
		if err := house.Module.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range held {
		if err := key.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := count(t, v, p11.CKO_PRIVATE_KEY); n != 0 {
		t.Errorf("%d private keys stay in the token", n)
	}
}

func BenchmarkSubscriberKey(b *testing.B) {
	cfg := house.Token(b)
	v := house.Open(b, cfg)
	if err := v.Create(b.Context(), keys.Subscriber); err != nil {
		b.Fatal(err)
	}
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		b.Run("make/"+string(alg), func(b *testing.B) {
			for b.Loop() {
				key, _, err := v.MakeKey(b.Context(), alg)
				if err != nil {
					b.Fatal(err)
				}
				if err := key.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
		key, wrapped, err := v.MakeKey(b.Context(), alg)
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256(nil)
		b.Run("use/"+string(alg), func(b *testing.B) {
			for b.Loop() {
				again, err := v.UseKey(b.Context(), wrapped, key.Public())
				if err != nil {
					b.Fatal(err)
				}
				if _, err := again.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
				if err := again.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
