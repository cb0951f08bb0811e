package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"testing/synctest"
	"time"
)

// TestSigningKeyIsLetGo: a key that nobody uses is not in readable memory.
func TestSigningKeyIsLetGo(t *testing.T) {
	t.Parallel()
	v, _ := initVault(t)
	synctest.Test(t, func(t *testing.T) {
		signer, err := v.CreateSigner(t.Context(), "ca", ECDSAP256)
		if err != nil {
			t.Fatal(err)
		}
		s := signer.(*fileSigner)
		held := func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.key != nil
		}
		sign := func() {
			t.Helper()
			digest := sha256.Sum256(nil)
			if _, err := s.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
				t.Error(err)
			}
		}
		if held() {
			t.Error("a key is held before it is used")
		}
		for range 3 {
			for range 3 {
				sign()
				time.Sleep(idle - time.Millisecond)
				if !held() {
					t.Error("a key that is used is let go")
				}
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if held() {
				t.Error("a key that nobody uses is held")
			}
		}
		sign()
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		if held() {
			t.Error("a closed vault holds a key")
		}
		sign()
		s.release()
	})
}
