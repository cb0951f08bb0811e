// Package credential keeps a subscriber's signing key so that only the
// subscriber can use it: the key is stored sealed under a key derived from the
// passphrase and the installation's pepper, and every guess of a passphrase is
// counted before it is tested.
//
// Sealer makes, opens and re-seals keys; it knows no database. Attempts is the
// counting of wrong passphrases, also without a database. Guard puts the two
// together over an AttemptStore.
package credential

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"absah/internal/keys"
)

var (
	// ErrWrongPassphrase says that the passphrase does not open the key.
	ErrWrongPassphrase = errors.New("wrong passphrase")
	// ErrCorrupt says that a stored row is not what the Sealer made: damage or
	// tampering. It is a reason for an alarm and never a wrong guess.
	ErrCorrupt = errors.New("the stored credential was altered")
	// ErrErased says that the key was destroyed: locked for good, reset or
	// revoked.
	ErrErased = errors.New("the key of the credential was erased")
	// ErrNotEvaluated is wrapped by failures that came before the passphrase
	// was tested, and so told nothing about it: a vault that does not answer,
	// a corrupt row, a request that was given up. Guard does not count them.
	ErrNotEvaluated = errors.New("the passphrase was not tested")
)

// Sealed is a subscriber's key as the database stores it. Nothing in it helps
// to guess the passphrase without the pepper, which the vault keeps.
type Sealed struct {
	KeyID         string
	Owner         string // id of the employee
	Generation    int64  // 1 at first, grows by one with every change of the passphrase
	Alg           keys.Algorithm
	Salt          []byte // 32 random bytes
	ParamsVersion int    // of the Argon2id parameters
	PepperVersion int    // of the vault's pepper
	SPKI          []byte // DER of the public key, RFC 5280 4.1.2.7
	CSR           []byte // DER, PKCS #10, signed when the key was made
	Box           []byte // the sealed private key; empty once erased
	RowMAC        []byte // version of the vault's MAC key (4 bytes, big endian) and 32 bytes of MAC
}

// Erase returns s without its private key, which nobody can then recover from
// the row. The public key and the CSR stay as a record.
func (s *Sealer) Erase(ctx context.Context, row Sealed) (Sealed, error) {
	if err := s.verify(ctx, row); err != nil {
		return Sealed{}, fmt.Errorf("erase credential %s: %w", row.KeyID, err)
	}
	row.Box = nil
	if err := s.authenticate(ctx, &row); err != nil {
		return Sealed{}, fmt.Errorf("erase credential %s: %w", row.KeyID, err)
	}
	return row, nil
}

// Verify reports whether row is what this installation stored: nil or
// ErrCorrupt, or the vault's failure.
func (s *Sealer) Verify(ctx context.Context, row Sealed) error {
	if err := s.verify(ctx, row); err != nil {
		return fmt.Errorf("verify credential %s: %w", row.KeyID, err)
	}
	return nil
}

func (s *Sealer) authenticate(ctx context.Context, row *Sealed) error {
	mac, err := rowMAC(ctx, s.vault, 0, row.fields())
	if err != nil {
		return err
	}
	row.RowMAC = mac
	return nil
}

func (s *Sealer) verify(ctx context.Context, row Sealed) error {
	return checkMAC(ctx, s.vault, row.RowMAC, row.fields())
}

// rowMAC returns the version of the MAC key and the MAC of data.
func rowMAC(ctx context.Context, vault keys.Vault, version int, data []byte) ([]byte, error) {
	mac, version, err := vault.MAC(ctx, keys.Attempts, version, data)
	if err != nil {
		return nil, fmt.Errorf("authenticate the row: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(version)), mac...), nil
}

// checkMAC fails with ErrCorrupt when mac is not rowMAC's of data.
func checkMAC(ctx context.Context, vault keys.Vault, mac, data []byte) error {
	if len(mac) != 4+sha256.Size {
		return ErrCorrupt
	}
	version := binary.BigEndian.Uint32(mac)
	if version == 0 || version > 1<<20 { // 0 would ask for the newest
		return ErrCorrupt
	}
	want, err := rowMAC(ctx, vault, int(version), data)
	if errors.Is(err, keys.ErrNoKey) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return err
	}
	if !hmac.Equal(mac, want) {
		return ErrCorrupt
	}
	return nil
}

// fields encodes everything that the row's MAC covers.
func (row *Sealed) fields() []byte {
	b := row.binding("absah/credential-row/v1")
	b = appendField(b, row.SPKI)
	b = appendField(b, row.CSR)
	return appendField(b, row.Box)
}

// binding encodes what the sealed key is bound to, so that neither the row of
// another person nor an older one of the same person opens in its place.
func (row *Sealed) binding(label string) []byte {
	b := appendField(nil, []byte(label))
	b = appendField(b, []byte(row.KeyID))
	b = appendField(b, []byte(row.Owner))
	b = binary.BigEndian.AppendUint64(b, uint64(row.Generation))
	b = appendField(b, []byte(row.Alg))
	b = appendField(b, row.Salt)
	b = binary.BigEndian.AppendUint64(b, uint64(row.ParamsVersion))
	b = binary.BigEndian.AppendUint64(b, uint64(row.PepperVersion))
	spki := sha256.Sum256(row.SPKI)
	return append(b, spki[:]...)
}

// appendField writes the length before the bytes: without it two different
// rows could have one encoding.
func appendField(b, field []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}

// Reauthenticate returns row authenticated under the newest version of the
// vault's MAC key, and whether that changed it. It fails as Verify does.
func (s *Sealer) Reauthenticate(ctx context.Context, row Sealed) (Sealed, bool, error) {
	if err := s.verify(ctx, row); err != nil {
		return Sealed{}, false, fmt.Errorf("authenticate credential %s anew: %w", row.KeyID, err)
	}
	before := row.RowMAC
	if err := s.authenticate(ctx, &row); err != nil {
		return Sealed{}, false, fmt.Errorf("authenticate credential %s anew: %w", row.KeyID, err)
	}
	return row, !bytes.Equal(before, row.RowMAC), nil
}
