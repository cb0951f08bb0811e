package keys

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// File is the software vault: a directory with a file a secret, each readable
// by its owner only.
//
//	NAME.VERSION.key   32 random bytes of a MAC key or KEK
//	NAME.pem           a signing key, PKCS #8
type File struct {
	dir string

	mu      sync.Mutex
	secrets map[string][]byte      // by file name
	newest  map[Name]int           // highest version by name
	signers map[Name]crypto.Signer // by name
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// ErrPermission says that others than the owner may read the vault.
var ErrPermission = errors.New("others than the owner may read it (use chmod 700 on the directory, 600 on its files)")

// OpenFile opens the software vault in dir. It fails with ErrPermission when
// others may read the directory or a file in it.
func OpenFile(dir string) (*File, error) {
	v := &File{dir: dir, secrets: map[string][]byte{}, newest: map[Name]int{}, signers: map[Name]crypto.Signer{}}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open vault %s: %w", dir, ErrPermission)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open vault: %w", err)
	}
	for _, e := range entries {
		if err := v.load(e); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *File) load(e fs.DirEntry) error {
	name, isSecret := strings.CutSuffix(e.Name(), ".key")
	if !isSecret && !strings.HasSuffix(e.Name(), ".pem") {
		return nil
	}
	if !isSecret {
		// Signing keys are read when they are asked for; whether they may be,
		// the operator hears at the start.
		b, err := readPrivate(filepath.Join(v.dir, e.Name()))
		clear(b)
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
	return v.read(Name(base), version)
}

// read loads one secret from its file. The caller holds v.mu or has v alone.
func (v *File) read(name Name, version int) error {
	file := string(name) + "." + strconv.Itoa(version)
	b, err := readPrivate(filepath.Join(v.dir, file+".key"))
	if err != nil {
		return fmt.Errorf("open vault: %w", err)
	}
	if len(b) != sha256.Size {
		return fmt.Errorf("open vault: %s.key has %d bytes, want %d", file, len(b), sha256.Size)
	}
	v.secrets[file] = b
	v.newest[name] = max(v.newest[name], version)
	return nil
}

// readPrivate reads a file that only its owner may read. It follows links:
// container platforms mount secrets as such.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrPermission)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %d bytes are no key", path, info.Size())
	}
	return io.ReadAll(f)
}

// maxFile is more than any key takes.
const maxFile = 64 << 10

// InitFile makes the vault in dir (created if absent) with version 1 of every
// secret that it lacks, and opens it.
func InitFile(dir string) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	v, err := OpenFile(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range []Name{Pepper, Data, Scans, Index, Attempts} {
		if v.newest[name] > 0 {
			continue
		}
		err := v.Rotate(name)
		if errors.Is(err, fs.ErrExist) { // another process starts at the same time
			err = v.read(name, 1)
		}
		if err != nil {
			return nil, err
		}
	}
	// What the directory holds outlives a power cut only if its name does.
	if err := syncDir(filepath.Dir(filepath.Clean(dir))); err != nil {
		return nil, fmt.Errorf("make vault: %w", err)
	}
	return v, nil
}

// Rotate adds a newer version of a secret. What the older versions sealed
// still opens. Other processes learn of it when they meet what it sealed.
func (v *File) Rotate(name Name) error {
	if !validName.MatchString(string(name)) {
		return fmt.Errorf("rotate %q: not a name", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	version := v.newest[name] + 1
	b := make([]byte, sha256.Size)
	rand.Read(b)
	file := string(name) + "." + strconv.Itoa(version)
	if err := writeNew(filepath.Join(v.dir, file+".key"), b); err != nil {
		return fmt.Errorf("rotate %s: %w", name, err)
	}
	v.secrets[file] = b
	v.newest[name] = version
	return nil
}

func (v *File) secret(name Name, version int) ([]byte, int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if version == 0 {
		version = v.newest[name]
	}
	file := string(name) + "." + strconv.Itoa(version)
	s, ok := v.secrets[file]
	if !ok && version > 0 && validName.MatchString(string(name)) {
		// Another process may have rotated it since this one started.
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
	s, version, err := v.secret(name, version)
	if err != nil {
		return nil, 0, err
	}
	h := hmac.New(sha256.New, s)
	h.Write(data)
	return h.Sum(nil), version, nil
}

// Seal implements Vault. The sealed form is the version (4 bytes, big endian),
// a random nonce of 12 bytes, the ciphertext and its tag.
func (v *File) Seal(_ context.Context, name Name, plain, aad []byte) ([]byte, error) {
	s, version, err := v.secret(name, 0)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(s)
	if err != nil {
		return nil, err
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(version))
	return aead.Seal(out, nil, plain, bind(name, version, aad)), nil
}

// Open implements Vault.
func (v *File) Open(_ context.Context, name Name, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 4 {
		return nil, ErrOpen
	}
	version := int(binary.BigEndian.Uint32(sealed))
	if version == 0 {
		return nil, ErrOpen
	}
	s, _, err := v.secret(name, version)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(s)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed[4:], bind(name, version, aad))
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// bind ties a ciphertext to the secret that made it, so that bytes sealed for
// one purpose never open for another.
func bind(name Name, version int, aad []byte) []byte {
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

// CreateSigner implements Vault.
func (v *File) CreateSigner(_ context.Context, name Name, alg Algorithm) (crypto.Signer, error) {
	if !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("create signing key %q: not a name", name)
	}
	key, err := generate(alg)
	if err != nil {
		return nil, fmt.Errorf("create signing key %s: %w", name, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("create signing key %s: %w", name, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	err = writeNew(v.signerPath(name), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create signing key %s: %w", name, ErrExists)
	}
	if err != nil {
		return nil, fmt.Errorf("create signing key %s: %w", name, err)
	}
	v.signers[name] = key
	return key, nil
}

func generate(alg Algorithm) (crypto.Signer, error) {
	switch alg {
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case ECDSAP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	}
	return nil, fmt.Errorf("unknown algorithm %q", alg)
}

// Signer implements Vault.
func (v *File) Signer(_ context.Context, name Name) (crypto.Signer, error) {
	if !validName.MatchString(string(name)) {
		return nil, fmt.Errorf("signing key %q: not a name", name)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if s, ok := v.signers[name]; ok {
		return s, nil
	}
	b, err := readPrivate(v.signerPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("signing key %s: %w", name, ErrNoKey)
	}
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", name, err)
	}
	defer clear(b)
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("read signing key %s: not PEM", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read signing key %s: %w", name, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("read signing key %s: a %T does not sign", name, key)
	}
	v.signers[name] = signer
	return signer, nil
}

func (v *File) signerPath(name Name) string { return filepath.Join(v.dir, string(name)+".pem") }

// writeNew writes a file that must not exist and makes it durable: the bytes
// first, then the name, so that after a power cut the file is whole or absent.
func writeNew(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails after success: it has another name by then
	if _, err := tmp.Write(b); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Sync(); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	// Link fails when the name exists; rename would overwrite a key.
	if err := os.Link(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
