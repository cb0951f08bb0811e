package rekey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"

	"absah/internal/rekey"
)

func TestProofIsOfOneStatementAndOneKey(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	big, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := rekey.Statement{RegistrationID: "r1", OldSerial: "0a", SPKIHash: []byte("new key"), SnapshotHash: []byte("data")}
	for name, key := range map[string]crypto.Signer{"ecdsa": ec, "rsa": big} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proof, err := rekey.Prove(rand.Reader, key, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := rekey.Verify(key.Public(), s, proof); err != nil {
				t.Errorf("its own statement: %v", err)
			}
			if err := rekey.Verify(other.Public(), s, proof); !errors.Is(err, rekey.ErrProof) {
				t.Errorf("another key: %v", err)
			}
			for what, change := range map[string]func(*rekey.Statement){
				"registration": func(s *rekey.Statement) { s.RegistrationID = "r2" },
				"serial":       func(s *rekey.Statement) { s.OldSerial = "0b" },
				"key":          func(s *rekey.Statement) { s.SPKIHash = []byte("other key") },
				"data":         func(s *rekey.Statement) { s.SnapshotHash = []byte("dat") },
				"a moved border": func(s *rekey.Statement) {
					s.SPKIHash, s.SnapshotHash = []byte("new keyd"), []byte("ata")
				},
			} {
				changed := s
				change(&changed)
				if err := rekey.Verify(key.Public(), changed, proof); !errors.Is(err, rekey.ErrProof) {
					t.Errorf("another %s: %v", what, err)
				}
			}
		})
	}
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := rekey.Verify(pub, s, nil); !errors.Is(err, rekey.ErrProof) {
		t.Errorf("a kind of key that subscribers do not have: %v", err)
	}
}
