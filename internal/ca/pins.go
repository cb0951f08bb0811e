package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"absah/internal/durable"
	"absah/internal/keys"
)

// PinKey is the key with which the ca role countersigns officers' passkeys.
const PinKey keys.Name = "ca-pins"

// Pin says that a passkey is an officer's. The ca role believes pins alone: who
// can write the database, or speaks for the portal, cannot make one.
type Pin struct {
	CredentialID []byte    `json:"credential_id"`
	PublicKey    []byte    `json:"public_key"` // COSE_Key (RFC 9052 7)
	EmployeeID   string    `json:"employee_id"`
	NIP          string    `json:"nip"`
	Name         string    `json:"name"`
	By           string    `json:"by"` // who compared the fingerprint
	At           time.Time `json:"at"`
}

// Fingerprint identifies the passkey for people who compare it: 80 bits of
// SHA-256 over its identifier and its key, in groups of four digits.
func (p Pin) Fingerprint() string { return Fingerprint(p.CredentialID, p.PublicKey) }

// Fingerprint is that of a passkey.
func Fingerprint(credentialID, publicKey []byte) string {
	h := sha256.New()
	id := sha256.Sum256(credentialID)
	h.Write(id[:])
	h.Write(publicKey)
	digits := hex.EncodeToString(h.Sum(nil))
	var groups []string
	for i := 0; i < 20; i += 4 {
		groups = append(groups, digits[i:i+4])
	}
	return strings.Join(groups, "-")
}

func (p Pin) check() error {
	if len(p.CredentialID) == 0 || p.EmployeeID == "" {
		return fieldErr("pin", "names no passkey or no officer")
	}
	if _, err := webauthncose.ParsePublicKey(p.PublicKey); err != nil {
		return fmt.Errorf("public key of the passkey: %w", err)
	}
	return nil
}

// Pins are the passkeys that the ca role knows, a file each in a directory of
// its own, countersigned by a key that only it has. It is safe for concurrent
// use, also by several processes.
type Pins struct {
	dir string
	key crypto.Signer
	alg sigAlg
	pub *x509.Certificate // nothing but the key, for the verification

	mu   sync.Mutex
	seen time.Time // modification time of the directory that all was read at
	all  []Pin
}

// ErrPin says that a file among the pins is none, or nobody of us signed it.
var ErrPin = errors.New("not a pin of this authority")

// OpenPins opens the pins in dir, which Add makes. The key is made when there
// is none and no pin either.
func OpenPins(ctx context.Context, vault keys.Vault, dir string) (*Pins, error) {
	signer, err := vault.Signer(ctx, PinKey)
	if errors.Is(err, keys.ErrNoKey) {
		if _, statErr := os.Stat(dir); statErr == nil {
			return nil, fmt.Errorf("open pins: %w: %s exists, but the vault has no key %s", ErrConfig, dir, PinKey)
		}
		signer, err = vault.CreateSigner(ctx, PinKey, keys.ECDSAP256)
		if errors.Is(err, keys.ErrExists) {
			signer, err = vault.Signer(ctx, PinKey)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open pins: %w", err)
	}
	alg, err := algOf(signer.Public())
	if err != nil {
		return nil, fmt.Errorf("open pins: %w", err)
	}
	p := &Pins{dir: dir, key: signer, alg: alg, pub: &x509.Certificate{PublicKey: signer.Public()}}
	_, err = p.All()
	return p, err
}

// pinFile is a pin on disk: the bytes that were signed, and the signature.
type pinFile struct {
	Pin       json.RawMessage `json:"pin"`
	Signature []byte          `json:"signature"`
}

func signedPin(pin []byte) []byte { return append([]byte("absah/pin/1\x00"), pin...) }

func (p *Pins) path(fingerprint string) string { return filepath.Join(p.dir, fingerprint+".json") }

// Add pins a passkey. One that is pinned already is pinned to the same officer
// or refused.
func (p *Pins) Add(pin Pin) error {
	if err := pin.check(); err != nil {
		return fmt.Errorf("pin passkey: %w", err)
	}
	all, err := p.All()
	if err != nil {
		return err
	}
	for _, other := range all {
		if bytes.Equal(other.CredentialID, pin.CredentialID) {
			if other.EmployeeID == pin.EmployeeID && bytes.Equal(other.PublicKey, pin.PublicKey) {
				return nil
			}
			return fmt.Errorf("pin passkey: %w: it is pinned to somebody else", ErrConfig)
		}
	}
	pin.At = pin.At.UTC().Truncate(time.Second)
	body, err := json.Marshal(pin)
	if err != nil {
		return fmt.Errorf("pin passkey: %w", err)
	}
	signature, err := p.alg.sign(p.key, signedPin(body))
	if err != nil {
		return fmt.Errorf("countersign passkey: %w", err)
	}
	file, err := json.Marshal(pinFile{Pin: body, Signature: signature})
	if err != nil {
		return fmt.Errorf("pin passkey: %w", err)
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("pin passkey: %w", err)
	}
	if err := durable.Create(p.path(pin.Fingerprint()), file, fileMode); err != nil {
		return fmt.Errorf("pin passkey: %w", err)
	}
	p.forget()
	return nil
}

// Remove takes a pin away. It fails with fs.ErrNotExist.
func (p *Pins) Remove(fingerprint string) error {
	if strings.ContainsAny(fingerprint, `/\`) {
		return fmt.Errorf("remove pin: %w", fs.ErrNotExist)
	}
	if err := os.Remove(p.path(fingerprint)); err != nil {
		return fmt.Errorf("remove pin: %w", err)
	}
	p.forget()
	return nil
}

func (p *Pins) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = time.Time{}
}

// All returns the pins, ordered by officer and time. A file that nobody of us
// signed is an error (ErrPin), not a pin less.
func (p *Pins) All() ([]Pin, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read pins: %w", err)
	}
	if !p.seen.IsZero() && info.ModTime().Equal(p.seen) {
		return p.all, nil
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, fmt.Errorf("read pins: %w", err)
	}
	var all []Pin
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue // one that is being written
		}
		pin, err := p.read(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read pin %s: %w", e.Name(), err)
		}
		all = append(all, pin)
	}
	slices.SortFunc(all, func(a, b Pin) int {
		if c := strings.Compare(a.EmployeeID, b.EmployeeID); c != 0 {
			return c
		}
		return a.At.Compare(b.At)
	})
	p.all, p.seen = all, info.ModTime()
	return all, nil
}

func (p *Pins) read(name string) (Pin, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return Pin{}, err
	}
	var file pinFile
	if err := json.Unmarshal(b, &file); err != nil {
		return Pin{}, fmt.Errorf("%w: %w", ErrPin, err)
	}
	if err := p.pub.CheckSignature(p.alg.x509(), signedPin(file.Pin), file.Signature); err != nil {
		return Pin{}, fmt.Errorf("%w: %w", ErrPin, err)
	}
	var pin Pin
	if err := json.Unmarshal(file.Pin, &pin); err != nil {
		return Pin{}, fmt.Errorf("%w: %w", ErrPin, err)
	}
	if name != pin.Fingerprint()+".json" {
		return Pin{}, fmt.Errorf("%w: it has another name", ErrPin)
	}
	return pin, nil
}

// of returns the pins of an officer.
func (p *Pins) of(employeeID string) ([]Pin, error) {
	all, err := p.All()
	if err != nil {
		return nil, err
	}
	var own []Pin
	for _, pin := range all {
		if pin.EmployeeID == employeeID {
			own = append(own, pin)
		}
	}
	return own, nil
}
