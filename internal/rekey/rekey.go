// Package rekey is the word of a subscriber's old key for the new one: who
// renews a certificate proves by a signature of the key that the certificate
// holds that it is the same person (RFC 3647 3.3.1 and 4.7). The registration
// authority makes the proof while the passphrase is at hand, and the
// certification authority verifies it, so that neither pages nor a database can
// renew for somebody.
package rekey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrProof says that a proof is not by the key for this statement.
var ErrProof = errors.New("the proof of renewal does not verify")

// Statement is what the old key signs.
type Statement struct {
	RegistrationID string // of the renewal
	OldSerial      string // of the certificate that is renewed, as recorded
	SPKIHash       []byte // SHA-256 of the new key's SubjectPublicKeyInfo
	SnapshotHash   []byte // SHA-256 of the data that the new certificate rests on
}

// digest is SHA-256 over the fields, each with its length before it.
func (s Statement) digest() []byte {
	h := sha256.New()
	for _, part := range []string{"absah/renewal/v1", s.RegistrationID, s.OldSerial, string(s.SPKIHash), string(s.SnapshotHash)} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// Prove signs a statement: ECDSA in ASN.1, or RSASSA-PKCS1-v1_5, over SHA-256.
func Prove(random io.Reader, old crypto.Signer, s Statement) ([]byte, error) {
	proof, err := old.Sign(random, s.digest(), crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign statement of renewal: %w", err)
	}
	return proof, nil
}

// Verify fails with ErrProof unless the key signed the statement.
func Verify(old crypto.PublicKey, s Statement, proof []byte) error {
	switch key := old.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, s.digest(), proof) {
			return ErrProof
		}
		return nil
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, s.digest(), proof); err != nil {
			return fmt.Errorf("%w: %w", ErrProof, err)
		}
		return nil
	}
	return fmt.Errorf("%w: a key of %T", ErrProof, old)
}
