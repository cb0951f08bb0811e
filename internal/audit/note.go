package audit

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"absah/internal/keys"
)

// SigningKey is the name of the key of the checkpoints.
const SigningKey keys.Name = "log"

// Kinds of signatures (C2SP signed-note). ECDSA is for tokens without Ed25519.
const (
	noteEd25519 = 1
	noteECDSA   = 2 // over P-256 with SHA-256; the key is a SubjectPublicKeyInfo
)

// ErrCheckpoint says that a text is no checkpoint of the log that was expected:
// another form, another name or another key.
var ErrCheckpoint = errors.New("not a checkpoint of this log")

// Checkpoint is a signed statement of size and root (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string // name of the log
	Tree   tlog.Tree
	Note   string // with its signature
}

// signedNote signs with a key of the vault under a name.
type signedNote struct {
	name string
	key  crypto.Signer
	public
}

// public is a key that verifies.
type public struct {
	name string
	hash uint32
	key  crypto.PublicKey
	text string // kind and key in base64
}

func newPublic(name string, key crypto.PublicKey) (public, error) {
	var form []byte
	switch k := key.(type) {
	case ed25519.PublicKey:
		form = append([]byte{noteEd25519}, k...)
	case *ecdsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			return public{}, fmt.Errorf("key of the log: %w", err)
		}
		form = append([]byte{noteECDSA}, der...)
	default:
		return public{}, fmt.Errorf("key of the log: a %T does not sign notes", key)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), form...))
	return public{name, binary.BigEndian.Uint32(sum[:]), key, base64.StdEncoding.EncodeToString(form)}, nil
}

// String is the verifier key as programs for signed notes write it.
func (p public) String() string { return fmt.Sprintf("%s+%08x+%s", p.name, p.hash, p.text) }

// ParseVerifier reads a verifier key. It fails with ErrCheckpoint.
func ParseVerifier(text string) (note.Verifier, error) {
	name, rest, ok := strings.Cut(strings.TrimSpace(text), "+")
	sum, body, ok2 := strings.Cut(rest, "+")
	form, err := base64.StdEncoding.DecodeString(body)
	if !ok || !ok2 || err != nil || len(form) < 2 || name == "" || strings.ContainsAny(name, " \t\r\n") {
		return nil, fmt.Errorf("verifier key: %w", ErrCheckpoint)
	}
	var key crypto.PublicKey
	switch form[0] {
	case noteEd25519:
		if len(form) != 1+ed25519.PublicKeySize {
			return nil, fmt.Errorf("verifier key: %w", ErrCheckpoint)
		}
		key = ed25519.PublicKey(form[1:])
	case noteECDSA:
		if key, err = x509.ParsePKIXPublicKey(form[1:]); err != nil {
			return nil, fmt.Errorf("verifier key: %w", ErrCheckpoint)
		}
	default:
		return nil, fmt.Errorf("verifier key of kind %d: %w", form[0], ErrCheckpoint)
	}
	p, err := newPublic(name, key)
	if err != nil || fmt.Sprintf("%08x", p.hash) != sum {
		return nil, fmt.Errorf("verifier key: %w", ErrCheckpoint)
	}
	return p, nil
}

// Name implements note.Verifier.
func (p public) Name() string { return p.name }

// KeyHash implements note.Verifier.
func (p public) KeyHash() uint32 { return p.hash }

// Verify implements note.Verifier.
func (p public) Verify(msg, sig []byte) bool {
	switch k := p.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, msg, sig)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(msg)
		return ecdsa.VerifyASN1(k, sum[:], sig)
	}
	return false
}

// Sign implements note.Signer.
func (s signedNote) Sign(msg []byte) ([]byte, error) {
	if _, ok := s.public.key.(ed25519.PublicKey); ok {
		return s.key.Sign(rand.Reader, msg, crypto.Hash(0))
	}
	sum := sha256.Sum256(msg)
	return s.key.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// Name implements note.Signer.
func (s signedNote) Name() string { return s.name }

// KeyHash implements note.Signer.
func (s signedNote) KeyHash() uint32 { return s.hash }

// logKey finds the key of the log in the vault, and makes it when there is none.
func logKey(ctx context.Context, v keys.Vault, origin string) (signedNote, error) {
	key, err := v.Signer(ctx, SigningKey)
	if errors.Is(err, keys.ErrNoKey) {
		key, err = v.CreateSigner(ctx, SigningKey, keys.Ed25519)
		if err != nil && !errors.Is(err, keys.ErrExists) {
			key, err = v.CreateSigner(ctx, SigningKey, keys.ECDSAP256) // a token without Ed25519
		}
		if errors.Is(err, keys.ErrExists) { // another process was faster
			key, err = v.Signer(ctx, SigningKey)
		}
	}
	if err != nil {
		return signedNote{}, fmt.Errorf("key of the log: %w", err)
	}
	p, err := newPublic(origin, key.Public())
	return signedNote{origin, key, p}, err
}

// sign makes a checkpoint of a tree.
func (s signedNote) sign(t tlog.Tree) (Checkpoint, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", s.name, t.N, t.Hash)
	signed, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	return Checkpoint{Origin: s.name, Tree: t, Note: string(signed)}, nil
}

// ReadCheckpoint reads a checkpoint and verifies its signature. Lines after the
// third (extensions) and signatures of others, such as witnesses, may be there.
// It fails with ErrCheckpoint.
func ReadCheckpoint(text []byte, key note.Verifier) (Checkpoint, error) {
	n, err := note.Open(text, note.VerifierList(key))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w: %w", ErrCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", ErrCheckpoint)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || err2 != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] || len(root) != tlog.HashSize {
		return Checkpoint{}, fmt.Errorf("read checkpoint: %w", ErrCheckpoint)
	}
	return Checkpoint{Origin: lines[0], Tree: tlog.Tree{N: size, Hash: tlog.Hash(root)}, Note: string(bytes.Clone(text))}, nil
}

// Fingerprint is the first bytes of a root in hexadecimal, for people who
// compare two checkpoints.
func (c Checkpoint) Fingerprint() string { return hex.EncodeToString(c.Tree.Hash[:8]) }
