package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"absah/internal/keys"
	"absah/internal/passphrase"
)

// childVariable makes the test binary do what child does, in the directory that
// it names.
const childVariable = "ABSAH_CHILD_SEALER"

// bareVariable makes child use keys as a program does that does not care.
const bareVariable = "ABSAH_CHILD_BARE"

// canary stays in the child's memory on purpose, made of what its source does
// not hold.
var canarySeed = []byte("kenari")

func canary() []byte {
	sum := sha256.Sum256(canarySeed)
	return sum[:]
}

const remainsSignatures = 50

// child lives a subscriber's life with the vault in dir and the passphrases that
// it reads: the right one, a wrong one, the next one. It writes the rows to
// dir.rows, says done, and waits for the end of its input.
func child(dir string, in io.Reader, out, errs io.Writer) int {
	kept := canary()
	if err := live(dir, in); err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	for range 4 {
		runtime.GC()
		debug.FreeOSMemory()
	}
	fmt.Fprintln(out, "done")
	if _, err := io.Copy(io.Discard, in); err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	runtime.KeepAlive(kept)
	return 0
}

func readPassphrase(in io.Reader) (*passphrase.Secret, error) {
	var n [1]byte
	if _, err := io.ReadFull(in, n[:]); err != nil {
		return nil, err
	}
	b := make([]byte, n[0])
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	return passphrase.Read(b)
}

func live(dir string, in io.Reader) error {
	ctx := context.Background()
	v, err := keys.OpenFile(dir)
	if err != nil {
		return err
	}
	admission, err := NewSlots(128<<10, DefaultQueue, time.Minute)
	if err != nil {
		return err
	}
	s := NewSealer(v, admission)
	var secrets [3]*passphrase.Secret
	for i := range secrets {
		if secrets[i], err = readPassphrase(in); err != nil {
			return err
		}
		defer secrets[i].Wipe()
	}
	right, wrong, next := secrets[0], secrets[1], secrets[2]
	var rows []Sealed
	algorithms := []keys.Algorithm{keys.ECDSAP256, keys.RSA3072}
	if os.Getenv(bareVariable) != "" {
		algorithms = algorithms[:1]
	}
	for _, alg := range algorithms {
		row, err := s.Create(ctx, "k-"+string(alg), "e1", template, alg, right)
		if err != nil {
			return err
		}
		if err := use(ctx, s, row, right); err != nil {
			return err
		}
		if _, err := s.Open(ctx, row, wrong); !errors.Is(err, ErrWrongPassphrase) {
			return fmt.Errorf("a wrong passphrase: %w", err)
		}
		changed, err := s.Rewrap(ctx, row, right, next)
		if err != nil {
			return err
		}
		if err := use(ctx, s, changed, next); err != nil {
			return err
		}
		rows = append(rows, row, changed)
	}
	ca, err := v.Signer(ctx, "ca")
	if err != nil {
		return err
	}
	if err := sign(ca); err != nil {
		return err
	}
	sealed, err := v.Seal(ctx, keys.Data, []byte("x"), nil)
	if err != nil {
		return err
	}
	if _, err := v.Open(ctx, keys.Data, sealed, nil); err != nil {
		return err
	}
	if err := v.Close(); err != nil {
		return err
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Clean(dir)+".rows", b, 0o600)
}

// use opens a key, signs often, and closes it.
func use(ctx context.Context, s *Sealer, row Sealed, secret *passphrase.Secret) error {
	if os.Getenv(bareVariable) != "" {
		return s.opened(ctx, row, secret, func(_ context.Context, inner []byte) error {
			key, err := parsePKCS8(bytes.Clone(inner))
			if err != nil {
				return err
			}
			escaped <- key
			return sign(key)
		})
	}
	key, err := s.Open(ctx, row, secret)
	if err != nil {
		return err
	}
	if err := sign(key); err != nil {
		return err
	}
	return key.(io.Closer).Close()
}

// escaped is where keys live on that nobody closes.
var escaped = make(chan crypto.Signer, 16)

func sign(key crypto.Signer) error {
	for i := range remainsSignatures {
		digest := sha256.Sum256([]byte{byte(i)})
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			return err
		}
	}
	return nil
}
