package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"absah/internal/durable"
	"absah/internal/keys/hidden"
)

// File is the software vault: a directory with a file a secret, each readable
// by its owner only.
//
//	NAME.VERSION.key   32 random bytes of a MAC key or KEK
//	NAME.pem           a signing key, PKCS #8
//	vault.json         in an encrypted vault: how its passphrase opens it
//
// In an encrypted vault the files are sealed under a key that the passphrase
// opens (see Encrypt). What the vault keeps in memory is hidden (see package
// hidden); signing keys are read from there for each signature.
type File struct {
	dir   string
	pages *hidden.Pages
	seal  *sealing // nil: the files are as they are

	mu      sync.Mutex
	secrets map[string]*hidden.Bytes // by file name without its ending
	newest  map[Name]int             // highest version by name
	signers map[Name]*fileSigner     // by name
	changed time.Time                // of the directory, when it was read last
	looked  time.Time                // at the directory
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// ErrPermission says that others than the owner may read the vault.
var ErrPermission = errors.New("others than the owner may read it (use chmod 700 on the directory, 600 on its files)")

// OpenFile opens the software vault in dir. It fails with ErrPermission when
// others may read the directory or a file in it, and with the errors of
// WithPassphrase.
func OpenFile(dir string, options ...Option) (*File, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open vault %s: %w", dir, ErrPermission)
	}
	v := &File{
		dir: dir, pages: &hidden.Pages{},
		secrets: map[string]*hidden.Bytes{}, newest: map[Name]int{}, signers: map[Name]*fileSigner{},
	}
	if v.seal, err = openSealing(dir, v.pages, gather(options)); err != nil {
		return nil, fmt.Errorf("open vault %s: %w", dir, err)
	}
	if err := v.scan(); err != nil {
		return nil, err
	}
	return v, nil
}

// lookAgain is how long a newest version counts as the newest. What a newer one
// sealed opens before that too.
const lookAgain = 50 * time.Millisecond

// scan reads the secrets that the directory has and v does not know. The caller
// holds v.mu or has v alone.
func (v *File) scan() error {
	info, err := os.Stat(v.dir)
	if err != nil {
		return fmt.Errorf("open vault: %w", err)
	}
	v.looked = time.Now()
	if info.ModTime().Equal(v.changed) {
		return nil
	}
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return fmt.Errorf("open vault: %w", err)
	}
	for _, e := range entries {
		if err := v.load(e); err != nil {
			return err
		}
	}
	v.changed = info.ModTime()
	return nil
}

func (v *File) load(e fs.DirEntry) error {
	name, isSecret := strings.CutSuffix(e.Name(), ".key")
	if !isSecret && !strings.HasSuffix(e.Name(), ".pem") {
		return nil
	}
	if !isSecret {
		// Signing keys are read when they are asked for; whether they may be,
		// the operator hears at the start.
		err := v.content(e.Name(), func([]byte) error { return nil })
		if err != nil {
			return fmt.Errorf("open vault: %w", err)
		}
		return nil
	}
	base, num, ok := strings.Cut(name, ".")
	version, err := strconv.Atoi(num)
	if !ok || err != nil || version < 1 || strconv.Itoa(version) != num || !validName.MatchString(base) {
		return fmt.Errorf("open vault: %s is not NAME.VERSION.key", e.Name())
	}
	if v.secrets[name] != nil {
		return nil
	}
	return v.read(Name(base), version)
}

// read loads one secret from its file. The caller holds v.mu or has v alone.
func (v *File) read(name Name, version int) error {
	file := secretFile(name, version)
	err := v.content(file+".key", func(b []byte) (err error) {
		if len(b) != sha256.Size {
			return fmt.Errorf("%s.key has %d bytes, want %d", file, len(b), sha256.Size)
		}
		v.secrets[file], err = v.pages.Put(b)
		return err
	})
	if err != nil {
		return fmt.Errorf("open vault: %w", err)
	}
	v.newest[name] = max(v.newest[name], version)
	return nil
}

func secretFile(name Name, version int) string { return string(name) + "." + strconv.Itoa(version) }

// InitFile makes the vault in dir (created if absent) with version 1 of every
// secret that it lacks, and opens it. With a passphrase a vault that holds
// nothing yet becomes an encrypted one.
func InitFile(dir string, options ...Option) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	if err := initSealing(dir, gather(options)); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	v, err := OpenFile(dir, options...)
	if err != nil {
		return nil, err
	}
	for _, name := range Secrets() {
		if v.newest[name] > 0 {
			continue
		}
		// Another process may start at the same time.
		if err := v.Create(context.Background(), name); err != nil && !errors.Is(err, ErrExists) {
			return nil, err
		}
	}
	// What the directory holds outlives a power cut only if its name does.
	if err := durable.SyncDir(filepath.Dir(filepath.Clean(dir))); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	return v, nil
}

// Create implements Keyring.
func (v *File) Create(_ context.Context, name Name) error {
	if use, ok := UseOf(name); !ok || use == UseWrap {
		return fmt.Errorf("create %q: %w", name, ErrUse)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.make(name, 1); err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	return nil
}

// Rotate implements Keyring. Other processes use the new version from then on.
func (v *File) Rotate(_ context.Context, name Name) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for {
		if err := v.scan(); err != nil {
			return 0, fmt.Errorf("rotate %s: %w", name, err)
		}
		if v.newest[name] == 0 {
			return 0, fmt.Errorf("rotate %q: %w", name, ErrNoKey)
		}
		version := v.newest[name] + 1
		err := v.make(name, version)
		if errors.Is(err, ErrExists) { // another process was faster
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("rotate %s: %w", name, err)
		}
		return version, nil
	}
}

// make writes a new secret. When the file exists, it is read and the error is
// ErrExists. The caller holds v.mu.
func (v *File) make(name Name, version int) (err error) {
	file := secretFile(name, version)
	hidden.Do(func() {
		b := make([]byte, sha256.Size)
		rand.Read(b) // never fails (crypto/rand)
		if err = v.write(file+".key", b); err == nil {
			v.secrets[file], err = v.pages.Put(b)
		}
		clear(b)
	})
	if errors.Is(err, fs.ErrExist) {
		if err := v.read(name, version); err != nil {
			return err
		}
		return ErrExists
	}
	if err != nil {
		return err
	}
	v.newest[name] = version
	return nil
}

func (v *File) secret(name Name, version int, use Use) (*hidden.Bytes, int, error) {
	if of, ok := UseOf(name); ok && of != use {
		return nil, 0, fmt.Errorf("%s: %w", name, ErrUse)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if version == 0 {
		// Another process may have rotated it since.
		if time.Since(v.looked) > lookAgain {
			if err := v.scan(); err != nil {
				return nil, 0, err
			}
		}
		version = v.newest[name]
	}
	file := secretFile(name, version)
	s, ok := v.secrets[file]
	if !ok && version > 0 && validName.MatchString(string(name)) {
		if err := v.read(name, version); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, 0, err
		}
		s, ok = v.secrets[file]
	}
	if !ok {
		return nil, 0, fmt.Errorf("%s version %d: %w", name, version, ErrNoKey)
	}
	return s, version, nil
}

// MAC implements Vault.
func (v *File) MAC(_ context.Context, name Name, version int, data []byte) ([]byte, int, error) {
	s, version, err := v.secret(name, version, UseMAC)
	if err != nil {
		return nil, 0, err
	}
	mac := make([]byte, 0, sha256.Size)
	s.Use(func(key []byte) {
		h := hmac.New(sha256.New, key)
		h.Write(data)
		mac = h.Sum(mac)
	})
	return mac, version, nil
}

// Seal implements Vault. The sealed form is the version (4 bytes, big endian),
// a random nonce of 12 bytes, the ciphertext and its tag.
func (v *File) Seal(_ context.Context, name Name, plain, aad []byte) ([]byte, error) {
	s, version, err := v.secret(name, 0, UseEncrypt)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, SealedHead+len(plain)+tagBytes)
	out = binary.BigEndian.AppendUint32(out, uint32(version))
	s.Use(func(key []byte) {
		var aead cipher.AEAD
		if aead, err = newAEAD(key); err == nil {
			out = aead.Seal(out, nil, plain, Bind(name, version, aad))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("seal under %s: %w", name, err)
	}
	return out, nil
}

// Open implements Vault.
func (v *File) Open(_ context.Context, name Name, sealed, aad []byte) ([]byte, error) {
	version, err := SealedVersion(sealed)
	if err != nil {
		return nil, err
	}
	s, _, err := v.secret(name, version, UseEncrypt)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, len(sealed))
	s.Use(func(key []byte) {
		var aead cipher.AEAD
		if aead, err = newAEAD(key); err == nil {
			if plain, err = aead.Open(plain, nil, sealed[4:], Bind(name, version, aad)); err != nil {
				err = ErrOpen
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return plain, nil
}

// What precedes and follows the ciphertext of Seal: version and nonce, tag.
const (
	SealedHead = 4 + 12
	tagBytes   = 16
)

// SealedVersion tells the version of the KEK that sealed. It fails with ErrOpen
// when those are no sealed bytes.
func SealedVersion(sealed []byte) (int, error) {
	if len(sealed) < SealedHead+tagBytes {
		return 0, ErrOpen
	}
	version := int(binary.BigEndian.Uint32(sealed))
	if version == 0 {
		return 0, ErrOpen
	}
	return version, nil
}

// Bind is the associated data of Seal: it ties a ciphertext to the secret that
// made it, so that bytes sealed for one purpose never open for another.
func Bind(name Name, version int, aad []byte) []byte {
	b := fmt.Appendf(nil, "absah/%s/%d\x00", name, version)
	return append(b, aad...)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// List implements Keyring.
func (v *File) List(ctx context.Context) ([]Description, error) {
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	names := map[Name]bool{}
	for _, e := range entries {
		base, ending, _ := strings.Cut(e.Name(), ".")
		if validName.MatchString(base) && (ending == "pem" || strings.HasSuffix(ending, ".key")) {
			names[Name(base)] = true
		}
	}
	var out []Description
	for name := range names {
		d, err := v.Describe(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Description) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return out, nil
}

// Describe implements Keyring.
func (v *File) Describe(ctx context.Context, name Name) (Description, error) {
	d := Description{Name: name, Vault: "file", Where: v.dir, Protection: []string{"readable by its owner only"}}
	if v.seal != nil {
		d.Protection = append(d.Protection, "encrypted")
	}
	v.mu.Lock()
	err := v.scan()
	for version := 1; version <= v.newest[name]; version++ {
		if v.secrets[secretFile(name, version)] != nil {
			d.Versions = append(d.Versions, version)
		}
	}
	v.mu.Unlock()
	if err != nil {
		return Description{}, fmt.Errorf("describe key %s: %w", name, err)
	}
	if len(d.Versions) > 0 {
		d.Use, _ = UseOf(name)
		d.Algorithm = d.Use.Algorithm()
		return d, nil
	}
	s, err := v.Signer(ctx, name)
	if err != nil {
		return Description{}, fmt.Errorf("describe key: %w", err)
	}
	return d, d.DescribePublic(s.Public())
}

// Check implements Keyring.
func (v *File) Check(context.Context) error {
	if _, err := os.Stat(v.dir); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Close implements Keyring. Signing keys are let go at once; what is hidden
// stays so until the process ends.
func (v *File) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.signers {
		s.release()
	}
	return nil
}
