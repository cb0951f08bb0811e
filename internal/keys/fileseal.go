package keys

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/argon2"

	"absah/internal/durable"
	"absah/internal/keys/hidden"
)

var (
	// ErrEncrypted says that the vault is encrypted and no passphrase was given.
	ErrEncrypted = errors.New("the vault is encrypted and no passphrase is set")
	// ErrNotEncrypted says that a passphrase was given for a vault whose files
	// are not encrypted.
	ErrNotEncrypted = errors.New("a passphrase is set and the vault is not encrypted")
	// ErrVaultPassphrase says that the passphrase does not open the vault.
	ErrVaultPassphrase = errors.New("the passphrase does not open the vault")
	// ErrHalfEncrypted says that Encrypt was interrupted.
	ErrHalfEncrypted = errors.New("the encryption of the vault was interrupted")
	// ErrShortPassphrase says that a passphrase for a vault is too short.
	ErrShortPassphrase = fmt.Errorf("a vault's passphrase has at least %d bytes", minVaultPassphrase)
)

// minVaultPassphrase is in bytes. It is made by a program and read from a file,
// so nobody has to remember it.
const minVaultPassphrase = 16

// Option changes how a software vault is opened.
type Option func(*options)

type options struct {
	passphrase []byte
	cost       cost
}

// WithPassphrase opens an encrypted vault. Opening fails with ErrEncrypted
// without it, with ErrVaultPassphrase when it is wrong, and with
// ErrNotEncrypted when the vault's files are as they are. An empty passphrase
// is none.
func WithPassphrase(passphrase []byte) Option {
	return func(o *options) { o.passphrase = passphrase }
}

func usualCost() cost { return cost{time: 3, memoryKiB: 64 << 10} }

func gather(list []Option) options {
	o := options{cost: usualCost()}
	for _, f := range list {
		f(&o)
	}
	return o
}

// fileMode is that of the files of a vault: their owner reads them, and nobody else.
const fileMode = 0o600

// headerFile is the file that makes a vault an encrypted one.
const headerFile = "vault.json"

// header is its content. The passphrase opens Key, and that the other files: so
// a new passphrase rewrites this file only.
type header struct {
	Format    int    `json:"format"` // 1
	Time      uint32 `json:"argon2id_time"`
	MemoryKiB uint32 `json:"argon2id_memory_kib"`
	Threads   uint8  `json:"argon2id_threads"`
	Salt      []byte `json:"salt"`
	Key       []byte `json:"key"`               // AES-256-GCM of the vault's key under Argon2id's
	Partial   bool   `json:"partial,omitempty"` // Encrypt is at work, or was interrupted
}

// sealing encrypts the files of a vault. Nil does nothing.
type sealing struct {
	key     *hidden.Bytes
	partial bool
}

// fileMagic begins an encrypted file.
var fileMagic = []byte("absah vault file 1\n")

func (s *sealing) seal(file string, plain []byte) ([]byte, error) {
	if s == nil {
		return plain, nil
	}
	out := bytes.Clone(fileMagic)
	var err error
	s.key.Use(func(key []byte) {
		var aead cipher.AEAD
		if aead, err = newAEAD(key); err == nil {
			out = aead.Seal(out, nil, plain, []byte("absah/vault-file/"+file))
		}
	})
	return out, err
}

// open is the inverse of seal. It never takes a plain file in an encrypted
// vault: who can write the directory could otherwise plant a key that he knows.
func (s *sealing) open(file string, b []byte) ([]byte, error) {
	sealed, encrypted := bytes.CutPrefix(b, fileMagic)
	switch {
	case s == nil && encrypted:
		return nil, ErrEncrypted
	case s == nil, s.partial && !encrypted:
		return b, nil
	case !encrypted:
		return nil, ErrNotEncrypted
	}
	var plain []byte
	var err error
	s.key.Use(func(key []byte) {
		var aead cipher.AEAD
		if aead, err = newAEAD(key); err == nil {
			if plain, err = aead.Open(nil, nil, sealed, []byte("absah/vault-file/"+file)); err != nil {
				err = ErrOpen
			}
		}
	})
	return plain, err
}

// readHeader reads the header of the vault in dir; nil without one.
func readHeader(dir string) (*header, error) {
	b, err := readPrivate(filepath.Join(dir, headerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var h header
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&h); err != nil {
		return nil, fmt.Errorf("%s: %w", headerFile, err)
	}
	// Bounds, so that a damaged file does not ask for all memory.
	if h.Format != 1 || h.Time < 1 || h.Time > 100 || h.MemoryKiB < 8 || h.MemoryKiB > 4<<20 || h.Threads < 1 || len(h.Salt) < 16 {
		return nil, fmt.Errorf("%s: not a header that this program knows", headerFile)
	}
	return &h, nil
}

// cost of a derivation from a vault's passphrase.
type cost struct{ time, memoryKiB uint32 }

// newHeader makes a header with a fresh salt.
func newHeader(c cost) *header {
	h := &header{Format: 1, Time: c.time, MemoryKiB: c.memoryKiB, Threads: 1, Salt: make([]byte, 32)}
	rand.Read(h.Salt) // never fails (crypto/rand)
	return h
}

// aead is the cipher that the passphrase gives. Call it within hidden.Do.
func (h *header) aead(passphrase []byte) (cipher.AEAD, error) {
	key := argon2.IDKey(passphrase, h.Salt, h.Time, h.MemoryKiB, h.Threads, sha256.Size)
	defer clear(key)
	return newAEAD(key)
}

// The header's own fields are bound by the derivation: another salt or cost
// gives another key.
const headerBinding = "absah/vault-key/v1"

// lock seals the vault's key under the passphrase.
func (h *header) lock(passphrase, key []byte) error {
	if len(passphrase) < minVaultPassphrase {
		return ErrShortPassphrase
	}
	aead, err := h.aead(passphrase)
	if err != nil {
		return err
	}
	h.Key = aead.Seal(nil, nil, key, []byte(headerBinding))
	return nil
}

// unlock gives the vault's key to use. It fails with ErrVaultPassphrase.
func (h *header) unlock(passphrase []byte, use func(key []byte) error) (err error) {
	hidden.Do(func() {
		var aead cipher.AEAD
		if aead, err = h.aead(passphrase); err != nil {
			return
		}
		var key []byte
		if key, err = aead.Open(nil, nil, h.Key, []byte(headerBinding)); err != nil {
			err = ErrVaultPassphrase
			return
		}
		defer clear(key)
		err = use(key)
	})
	return err
}

func (h *header) encode() ([]byte, error) {
	b, err := json.MarshalIndent(h, "", "  ")
	return append(b, '\n'), err
}

// openSealing gives the sealing of the vault in dir, nil for a plain one.
func openSealing(dir string, pages *hidden.Pages, o options) (*sealing, error) {
	h, err := readHeader(dir)
	switch {
	case err != nil:
		return nil, err
	case h == nil && len(o.passphrase) > 0:
		return nil, ErrNotEncrypted
	case h == nil:
		return nil, nil
	case len(o.passphrase) == 0:
		return nil, ErrEncrypted
	case h.Partial:
		return nil, ErrHalfEncrypted
	}
	s := &sealing{}
	err = h.unlock(o.passphrase, func(key []byte) (err error) {
		s.key, err = pages.Put(key)
		return err
	})
	return s, err
}

// initSealing makes a vault that holds nothing an encrypted one, when there is
// a passphrase.
func initSealing(dir string, o options) error {
	if len(o.passphrase) == 0 {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == headerFile || isKeyFile(e.Name()) {
			return nil
		}
	}
	return writeHeader(dir, o, false)
}

func isKeyFile(name string) bool {
	return strings.HasSuffix(name, ".key") || strings.HasSuffix(name, ".pem")
}

// writeHeader makes the key of a vault and its header; one that another process
// made meanwhile stays.
func writeHeader(dir string, o options, partial bool) (err error) {
	h := newHeader(o.cost)
	h.Partial = partial
	hidden.Do(func() {
		key := make([]byte, sha256.Size)
		rand.Read(key) // never fails (crypto/rand)
		err = h.lock(o.passphrase, key)
		clear(key)
	})
	if err != nil {
		return err
	}
	b, err := h.encode()
	if err != nil {
		return err
	}
	if err := durable.Create(filepath.Join(dir, headerFile), b, fileMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Encrypt encrypts the plain software vault in dir under passphrase. No other
// process may have it open. After a crash it is called again, with the same
// passphrase, and goes on. What the disk holds of the plain files it cannot
// erase: rotate the secrets afterwards where that matters.
//
// It fails with ErrShortPassphrase, with ErrExists when the vault is encrypted
// already, and with ErrVaultPassphrase.
func Encrypt(dir string, passphrase []byte) error {
	return encrypt(dir, gather([]Option{WithPassphrase(passphrase)}))
}

func encrypt(dir string, o options) error {
	fail := func(err error) error { return fmt.Errorf("encrypt vault %s: %w", dir, err) }
	h, err := readHeader(dir)
	if err != nil {
		return fail(err)
	}
	if h == nil {
		if err := writeHeader(dir, o, true); err != nil {
			return fail(err)
		}
		if h, err = readHeader(dir); err != nil {
			return fail(err)
		}
	}
	if !h.Partial {
		return fail(fmt.Errorf("it is encrypted already: %w", ErrExists))
	}
	v := &File{dir: dir, pages: &hidden.Pages{}, seal: &sealing{partial: true}}
	err = h.unlock(o.passphrase, func(key []byte) (err error) {
		v.seal.key, err = v.pages.Put(key)
		return err
	})
	if err != nil {
		return fail(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fail(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), durable.Temporary) {
			// A crash while a secret was made left it, perhaps with the secret in the clear.
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return fail(err)
			}
			continue
		}
		if !isKeyFile(e.Name()) {
			continue
		}
		err := v.content(e.Name(), func(plain []byte) error {
			b, err := v.seal.seal(e.Name(), plain)
			if err != nil {
				return err
			}
			return durable.Replace(filepath.Join(dir, e.Name()), b, fileMode)
		})
		if err != nil {
			return fail(err)
		}
	}
	h.Partial = false
	b, err := h.encode()
	if err != nil {
		return fail(err)
	}
	if err := durable.Replace(filepath.Join(dir, headerFile), b, fileMode); err != nil {
		return fail(err)
	}
	return nil
}

// ChangePassphrase gives the encrypted vault in dir another passphrase. Its
// files stay as they are. It fails with ErrNotEncrypted, ErrHalfEncrypted,
// ErrVaultPassphrase and ErrShortPassphrase.
func ChangePassphrase(dir string, old, fresh []byte) error {
	fail := func(err error) error { return fmt.Errorf("change the passphrase of vault %s: %w", dir, err) }
	h, err := readHeader(dir)
	switch {
	case err != nil:
		return fail(err)
	case h == nil:
		return fail(ErrNotEncrypted)
	case h.Partial:
		return fail(ErrHalfEncrypted)
	}
	next := newHeader(cost{h.Time, h.MemoryKiB})
	if err := h.unlock(old, func(key []byte) error { return next.lock(fresh, key) }); err != nil {
		return fail(err)
	}
	b, err := next.encode()
	if err != nil {
		return fail(err)
	}
	if err := durable.Replace(filepath.Join(dir, headerFile), b, fileMode); err != nil {
		return fail(err)
	}
	return nil
}
