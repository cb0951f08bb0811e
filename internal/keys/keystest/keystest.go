// Package keystest is what every vault has to do, as one suite: the software
// vault and the token pass the same.
package keystest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"

	"absah/internal/keys"
)

// Open opens the vault under test, which has every secret of keys.Secrets at
// version 1 at first. Each call gives the same vault as another process would
// see it, open until the test ends.
type Open func(t testing.TB) keys.Keyring

// Run runs the suite. fresh makes a new vault for each part of it.
func Run(t *testing.T, fresh func(t testing.TB) Open) {
	for name, part := range map[string]func(*testing.T, Open){
		"MAC": mac, "Seal": seal, "Rotate": rotate, "Signers": signers, "Uses": uses, "Describe": describe, "Concurrent": concurrent,
	} {
		t.Run(name, func(t *testing.T) { part(t, fresh(t)) })
	}
}

func mac(t *testing.T, open Open) {
	v, other := open(t), open(t)
	data := []byte("3171016802900004")
	got, version, err := v.MAC(t.Context(), keys.Index, 0, data)
	if err != nil || version != 1 || len(got) != sha256.Size {
		t.Fatalf("MAC %x, version %d, %v", got, version, err)
	}
	if again, _, err := other.MAC(t.Context(), keys.Index, 1, data); err != nil || !bytes.Equal(got, again) {
		t.Errorf("another process gives %x, %v", again, err)
	}
	if longer, _, err := v.MAC(t.Context(), keys.Index, 1, bytes.Repeat(data, 1000)); err != nil || bytes.Equal(longer, got) {
		t.Errorf("other data: %x, %v", longer, err)
	}
	if empty, _, err := v.MAC(t.Context(), keys.Index, 1, nil); err != nil || len(empty) != sha256.Size || bytes.Equal(empty, got) {
		t.Errorf("no data: %x, %v", empty, err)
	}
	if pepper, _, err := v.MAC(t.Context(), keys.Pepper, 0, data); err != nil || bytes.Equal(got, pepper) {
		t.Errorf("two secrets are one: %v", err)
	}
	for _, c := range []struct {
		name    keys.Name
		version int
	}{{keys.Index, 2}, {keys.Index, -1}, {keys.Index, 1 << 30}, {"absent", 0}, {"absent", 1}, {"../vault/index", 1}, {"", 0}} {
		if _, _, err := v.MAC(t.Context(), c.name, c.version, nil); !errors.Is(err, keys.ErrNoKey) {
			t.Errorf("%q version %d: %v", c.name, c.version, err)
		}
	}
}

func seal(t *testing.T, open Open) {
	v := open(t)
	plain, aad := []byte("KTP"), []byte("file 1")
	sealed, err := v.Seal(t.Context(), keys.Scans, plain, aad)
	if err != nil {
		t.Fatal(err)
	}
	if version, err := keys.SealedVersion(sealed); err != nil || version != 1 {
		t.Errorf("version %d, %v", version, err)
	}
	if again, _ := v.Seal(t.Context(), keys.Scans, plain, aad); bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes")
	}
	if got, err := open(t).Open(t.Context(), keys.Scans, sealed, aad); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, other := range [][]byte{[]byte("file 2"), nil} {
		if _, err := v.Open(t.Context(), keys.Scans, sealed, other); !errors.Is(err, keys.ErrOpen) {
			t.Errorf("for %q: %v", other, err)
		}
	}
	if _, err := v.Open(t.Context(), keys.Data, sealed, aad); !errors.Is(err, keys.ErrOpen) {
		t.Errorf("for another purpose: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := v.Open(t.Context(), keys.Scans, bad, aad); !errors.Is(err, keys.ErrOpen) && (i >= 4 || !errors.Is(err, keys.ErrNoKey)) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for n := range sealed {
		if _, err := v.Open(t.Context(), keys.Scans, sealed[:n], aad); !errors.Is(err, keys.ErrOpen) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for _, n := range []int{0, 1, 16, 32, 100_000} {
		plain := bytes.Repeat([]byte{7}, n)
		sealed, err := v.Seal(t.Context(), keys.Data, plain, nil)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if got, err := v.Open(t.Context(), keys.Data, sealed, nil); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes come back as %d, %v", n, len(got), err)
		}
	}
	if _, err := v.Seal(t.Context(), "absent", plain, aad); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("under no key: %v", err)
	}
}

func rotate(t *testing.T, open Open) {
	v, running := open(t), open(t)
	old, err := v.Seal(t.Context(), keys.Data, []byte("lama"), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _, err := running.MAC(t.Context(), keys.Pepper, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []keys.Name{keys.Data, keys.Pepper} {
		if version, err := v.Rotate(t.Context(), name); err != nil || version != 2 {
			t.Fatalf("%s: version %d, %v", name, version, err)
		}
	}
	fresh, err := v.Seal(t.Context(), keys.Data, []byte("baru"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for want, sealed := range map[int][]byte{1: old, 2: fresh} {
		if version, err := keys.SealedVersion(sealed); err != nil || version != want {
			t.Errorf("version %d, want %d, %v", version, want, err)
		}
	}
	for name, vault := range map[string]keys.Keyring{"the one": v, "another": running, "a restarted one": open(t)} {
		for want, sealed := range map[string][]byte{"lama": old, "baru": fresh} {
			if got, err := vault.Open(t.Context(), keys.Data, sealed, nil); err != nil || string(got) != want {
				t.Errorf("%s opens %s as %q, %v", name, want, got, err)
			}
		}
		if again, _, err := vault.MAC(t.Context(), keys.Pepper, 1, nil); err != nil || !bytes.Equal(again, before) {
			t.Errorf("%s: version 1 of the pepper changed: %v", name, err)
		}
		if second, version, err := vault.MAC(t.Context(), keys.Pepper, 2, nil); err != nil || version != 2 || bytes.Equal(second, before) {
			t.Errorf("%s: version %d of the pepper, %v", name, version, err)
		}
	}
	for _, name := range []keys.Name{"absent", "../x", "", keys.Subscriber + "x"} {
		if _, err := v.Rotate(t.Context(), name); err == nil {
			t.Errorf("%q rotates", name)
		}
	}
	for _, name := range keys.Secrets() {
		if err := v.Create(t.Context(), name); !errors.Is(err, keys.ErrExists) {
			t.Errorf("%s made again: %v", name, err)
		}
	}
	if err := v.Create(t.Context(), "absent"); !errors.Is(err, keys.ErrUse) {
		t.Errorf("a secret of no use: %v", err)
	}
}

func signers(t *testing.T, open Open) {
	v := open(t)
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.ECDSAP384, keys.RSA3072, keys.Ed25519} {
		name := keys.Name("ca-" + string(alg))
		if _, err := v.Signer(t.Context(), name); !errors.Is(err, keys.ErrNoKey) {
			t.Errorf("%s before it is made: %v", alg, err)
		}
		made, err := v.CreateSigner(t.Context(), name, alg)
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []keys.Keyring{v, open(t)} {
			if _, err := again.CreateSigner(t.Context(), name, alg); !errors.Is(err, keys.ErrExists) {
				t.Errorf("%s made twice: %v", alg, err)
			}
		}
		read, err := open(t).Signer(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if !made.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(read.Public()) {
			t.Errorf("%s changed by a restart", alg)
		}
		for _, s := range []crypto.Signer{made, read} {
			checkSigner(t, s)
		}
	}
	for _, name := range []keys.Name{"", "../x", "Ca", "a/b", "a.b", "-a", keys.Pepper} {
		if _, err := v.CreateSigner(t.Context(), name, keys.ECDSAP256); err == nil {
			t.Errorf("%q is a name", name)
		}
		if _, err := v.Signer(t.Context(), name); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	if _, err := v.CreateSigner(t.Context(), "odd", "dsa"); err == nil {
		t.Error("dsa is an algorithm")
	}
}

// checkSigner signs in every way that certificates and documents ask for.
func checkSigner(t *testing.T, s crypto.Signer) {
	t.Helper()
	if pub, ok := s.Public().(ed25519.PublicKey); ok {
		sig, err := s.Sign(rand.Reader, []byte("a"), crypto.Hash(0))
		if err != nil || !ed25519.Verify(pub, []byte("a"), sig) {
			t.Errorf("Ed25519: %x, %v", sig, err)
		}
		return
	}
	short, long := sha256.Sum256([]byte("a")), sha512.Sum384([]byte("a"))
	for hash, digest := range map[crypto.Hash][]byte{crypto.SHA256: short[:], crypto.SHA384: long[:]} {
		sig, err := s.Sign(rand.Reader, digest, hash)
		if err != nil {
			t.Errorf("%T with %v: %v", s.Public(), hash, err)
			continue
		}
		switch pub := s.Public().(type) {
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(pub, digest, sig) {
				t.Errorf("%s with %v: not valid", pub.Params().Name, hash)
			}
		case *rsa.PublicKey:
			if err := rsa.VerifyPKCS1v15(pub, hash, digest, sig); err != nil {
				t.Errorf("PKCS #1 with %v: %v", hash, err)
			}
			pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
			if sig, err = s.Sign(rand.Reader, digest, pss); err != nil {
				t.Errorf("PSS with %v: %v", hash, err)
			} else if err := rsa.VerifyPSS(pub, hash, digest, sig, pss); err != nil {
				t.Errorf("PSS with %v: %v", hash, err)
			}
			if _, err := s.Sign(rand.Reader, digest[1:], hash); err == nil {
				t.Error("a digest of the wrong length is signed")
			}
		default:
			t.Errorf("a key of %T", pub)
		}
	}
}

func uses(t *testing.T, open Open) {
	v := open(t)
	if _, _, err := v.MAC(t.Context(), keys.Data, 0, nil); !errors.Is(err, keys.ErrUse) {
		t.Errorf("a MAC under a KEK: %v", err)
	}
	if _, err := v.Seal(t.Context(), keys.Pepper, nil, nil); !errors.Is(err, keys.ErrUse) {
		t.Errorf("sealed under a MAC key: %v", err)
	}
	if _, err := v.Open(t.Context(), keys.Pepper, append([]byte{0, 0, 0, 1}, make([]byte, 40)...), nil); !errors.Is(err, keys.ErrUse) {
		t.Errorf("opened under a MAC key: %v", err)
	}
}

func describe(t *testing.T, open Open) {
	v := open(t)
	if _, err := v.Rotate(t.Context(), keys.Data); err != nil {
		t.Fatal(err)
	}
	signer, err := v.CreateSigner(t.Context(), "ca-root", keys.ECDSAP384)
	if err != nil {
		t.Fatal(err)
	}
	list, err := open(t).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []keys.Name
	for _, d := range list {
		names = append(names, d.Name)
		one, err := v.Describe(t.Context(), d.Name)
		if err != nil || one.Use != d.Use || one.Algorithm != d.Algorithm || !slices.Equal(one.Versions, d.Versions) || one.Digest != d.Digest {
			t.Errorf("%+v and %+v, %v", d, one, err)
		}
		if d.Vault == "" || d.Where == "" || len(d.Protection) == 0 || d.Algorithm == "" || d.Use == "" {
			t.Errorf("not described: %+v", d)
		}
	}
	for _, want := range append(keys.Secrets(), "ca-root") {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not listed", want)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not in order: %v", names)
	}
	d, err := v.Describe(t.Context(), keys.Data)
	if err != nil || !slices.Equal(d.Versions, []int{1, 2}) || d.Use != keys.UseEncrypt || d.Algorithm != keys.AES256GCM || d.PublicKey != nil {
		t.Errorf("the KEK: %+v, %v", d, err)
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(spki)
	d, err = v.Describe(t.Context(), "ca-root")
	if err != nil || d.Use != keys.UseSign || d.Algorithm != keys.ECDSAP384 || !bytes.Equal(d.PublicKey, spki) || d.Digest != hex.EncodeToString(sum[:]) || d.Versions != nil {
		t.Errorf("the signing key: %+v, %v", d, err)
	}
	for _, name := range []keys.Name{"absent", ""} {
		if _, err := v.Describe(t.Context(), name); err == nil {
			t.Errorf("%q is described", name)
		}
	}
	if _, err := v.Describe(t.Context(), "absent"); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if err := v.Check(t.Context()); err != nil {
		t.Errorf("no sign of life: %v", err)
	}
}

// concurrent has many use one vault and others rotate it meanwhile.
func concurrent(t *testing.T, open Open) {
	v, other := open(t), open(t)
	signer, err := v.CreateSigner(t.Context(), "ca", keys.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 5 {
				if mac, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a")); err != nil || !bytes.Equal(mac, want) {
					t.Errorf("MAC %x, %v", mac, err)
				}
				plain := []byte{byte(i)}
				sealed, err := v.Seal(t.Context(), keys.Data, plain, nil)
				if err != nil {
					t.Error(err)
					continue
				}
				if got, err := other.Open(t.Context(), keys.Data, sealed, nil); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("opened %x, %v", got, err)
				}
				digest := sha256.Sum256(plain)
				sig, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
				if err != nil || !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), digest[:], sig) {
					t.Errorf("signature %x, %v", sig, err)
				}
			}
		})
	}
	made := make(chan int, 8)
	for _, vault := range []keys.Keyring{v, other} {
		wg.Go(func() {
			for range 2 {
				version, err := vault.Rotate(t.Context(), keys.Data)
				if err != nil {
					t.Error(err)
				}
				made <- version
			}
		})
	}
	wg.Wait()
	close(made)
	var versions []int
	for version := range made {
		versions = append(versions, version)
	}
	slices.Sort(versions)
	if !slices.Equal(versions, []int{2, 3, 4, 5}) {
		t.Errorf("versions %v", versions)
	}
}
