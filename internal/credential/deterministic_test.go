package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"absah/internal/keys/hidden"
)

// TestSoftwareKeysAreDeterministic: who signs a hash again after a crash has to
// get the value that may have been handed out.
func TestSoftwareKeysAreDeterministic(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("a"))
	for _, key := range []crypto.Signer{ec, rs} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		var pages hidden.Pages
		kept, err := pages.Put(der)
		if err != nil {
			t.Fatal(err)
		}
		k := &softKey{pub: key.Public(), der: kept}
		one, err := k.Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		two, err := k.Sign(nil, sum[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if k.Deterministic() != bytes.Equal(one, two) {
			t.Errorf("%T: says %v", key, k.Deterministic())
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
