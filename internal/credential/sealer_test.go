package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"absah/internal/keys"
	"absah/internal/passphrase"
)

func vault(t testing.TB) *keys.File {
	t.Helper()
	v, err := keys.InitFile(t.TempDir() + "/vault")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func slots(t testing.TB) *Slots {
	t.Helper()
	s, err := NewSlots(128<<10, DefaultQueue, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cheap is a Sealer whose derivation costs next to nothing.
func cheap(t testing.TB, v keys.Vault) *Sealer {
	t.Helper()
	s := NewSealer(v, slots(t))
	s.params = map[int]Params{
		1: {Time: 1, MemoryKiB: 64, Threads: 1, PepperRounds: 1},
		2: {Time: 1, MemoryKiB: 64, Threads: 1, PepperRounds: 3},
	}
	return s
}

func secret(t testing.TB, text string) *passphrase.Secret {
	t.Helper()
	s, err := passphrase.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var template = &x509.CertificateRequest{Subject: pkix.Name{CommonName: "Sekar Rekaan", Country: []string{"ID"}}}

func create(t testing.TB, s *Sealer, kid, text string) Sealed {
	t.Helper()
	row, err := s.Create(t.Context(), kid, "owner-"+kid, template, keys.ECDSAP256, secret(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestCreateAndOpen(t *testing.T) {
	t.Parallel()
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			s := cheap(t, vault(t))
			row, err := s.Create(t.Context(), "k1", "e1", template, alg, secret(t, "kuda hujan lampu"))
			if err != nil {
				t.Fatal(err)
			}
			csr, err := x509.ParseCertificateRequest(row.CSR)
			if err != nil {
				t.Fatal(err)
			}
			if err := csr.CheckSignature(); err != nil || csr.Subject.CommonName != "Sekar Rekaan" || !bytes.Equal(csr.RawSubjectPublicKeyInfo, row.SPKI) {
				t.Errorf("certificate request of %s: %v", csr.Subject, err)
			}
			key, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu"))
			if err != nil {
				t.Fatal(err)
			}
			digest := sha256.Sum256([]byte("dokumen"))
			if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
				t.Error(err)
			}
			if spki, _ := x509.MarshalPKIXPublicKey(key.Public()); !bytes.Equal(spki, row.SPKI) {
				t.Error("another key was opened")
			}
			if _, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampuu")); !errors.Is(err, ErrWrongPassphrase) || errors.Is(err, ErrNotEvaluated) {
				t.Errorf("a wrong passphrase: %v", err)
			}
			if _, err := s.Open(t.Context(), row, nil); !errors.Is(err, ErrWrongPassphrase) {
				t.Errorf("no passphrase: %v", err)
			}
			if row.Generation != 1 || row.ParamsVersion != CurrentParams || row.PepperVersion != 1 || row.Alg != alg {
				t.Errorf("row %+v", row)
			}
		})
	}
}

func TestProductionCost(t *testing.T) {
	t.Parallel()
	s := NewSealer(vault(t), slots(t))
	row := create(t, s, "k1", "kuda hujan lampu")
	if _, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu")); err != nil {
		t.Fatal(err)
	}
	if p := knownParams()[CurrentParams]; p.MemoryKiB < 64<<10 || p.Time < 3 || p.PepperRounds < 1 {
		t.Errorf("new keys are cheap to guess: %+v", p)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	s := cheap(t, vault(t))
	ok := secret(t, "kuda hujan lampu")
	for name, f := range map[string]func() (Sealed, error){
		"no id":         func() (Sealed, error) { return s.Create(t.Context(), "", "e", template, keys.ECDSAP256, ok) },
		"no owner":      func() (Sealed, error) { return s.Create(t.Context(), "k", "", template, keys.ECDSAP256, ok) },
		"no passphrase": func() (Sealed, error) { return s.Create(t.Context(), "k", "e", template, keys.ECDSAP256, nil) },
		"wiped passphrase": func() (Sealed, error) {
			w := secret(t, "x")
			w.Wipe()
			return s.Create(t.Context(), "k", "e", template, keys.ECDSAP256, w)
		},
		"CA algorithm": func() (Sealed, error) { return s.Create(t.Context(), "k", "e", template, keys.ECDSAP384, ok) },
		"unknown version": func() (Sealed, error) {
			u := *s
			u.current = 9
			return u.Create(t.Context(), "k", "e", template, keys.ECDSAP256, ok)
		},
	} {
		if row, err := f(); err == nil || !reflect.DeepEqual(row, Sealed{}) {
			t.Errorf("%s: %+v, %v", name, row, err)
		}
	}
}

// TestEveryFieldIsBound changes each field of a row: without the vault's MAC it
// is damage, and with it (somebody who could make the vault authenticate) the
// key still does not open.
func TestEveryFieldIsBound(t *testing.T) {
	t.Parallel()
	v := vault(t)
	s := cheap(t, v)
	if _, err := v.Rotate(t.Context(), keys.Pepper); err != nil { // so that version 1 exists and is not the one used
		t.Fatal(err)
	}
	row, other := create(t, s, "k1", "kuda hujan lampu"), create(t, s, "k2", "kuda hujan lampu")
	if row.PepperVersion != 2 {
		t.Fatalf("pepper version %d", row.PepperVersion)
	}
	changes := map[string]func(*Sealed){
		"KeyID":         func(r *Sealed) { r.KeyID = "k2" },
		"Owner":         func(r *Sealed) { r.Owner = other.Owner },
		"Generation":    func(r *Sealed) { r.Generation++ },
		"Alg":           func(r *Sealed) { r.Alg = keys.RSA3072 },
		"Salt":          func(r *Sealed) { r.Salt = other.Salt },
		"ParamsVersion": func(r *Sealed) { r.ParamsVersion = 2 },
		"PepperVersion": func(r *Sealed) { r.PepperVersion = 1 },
		"SPKI":          func(r *Sealed) { r.SPKI = other.SPKI },
		"CSR":           func(r *Sealed) { r.CSR = other.CSR },
		"Box":           func(r *Sealed) { r.Box = other.Box },
		"RowMAC":        func(r *Sealed) { r.RowMAC = other.RowMAC },
	}
	if n := reflect.TypeFor[Sealed]().NumField(); n != len(changes) {
		t.Fatalf("%d fields, %d changes", n, len(changes))
	}
	for name, change := range changes {
		bad := row
		change(&bad)
		_, err := s.Open(t.Context(), bad, secret(t, "kuda hujan lampu"))
		if !errors.Is(err, ErrCorrupt) || !errors.Is(err, ErrNotEvaluated) || errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("%s changed: %v", name, err)
		}
		if err := s.Verify(t.Context(), bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s changed: Verify gives %v", name, err)
		}
		if name == "CSR" || name == "RowMAC" {
			continue // no part of the seal
		}
		if err := s.authenticate(t.Context(), &bad); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), bad, secret(t, "kuda hujan lampu")); err == nil {
			t.Errorf("%s changed with the vault's help: it opens", name)
		}
	}
	if err := s.Verify(t.Context(), row); err != nil {
		t.Error(err)
	}
}

func TestDamagedMAC(t *testing.T) {
	t.Parallel()
	s := cheap(t, vault(t))
	row := create(t, s, "k1", "kuda hujan lampu")
	for _, mac := range [][]byte{nil, {1}, row.RowMAC[:35], append([]byte{0, 0, 0, 0}, row.RowMAC[4:]...), append([]byte{0, 0, 0, 2}, row.RowMAC[4:]...), append([]byte{255, 255, 255, 255}, row.RowMAC[4:]...), append(row.RowMAC[:36:36], 0)} {
		bad := row
		bad.RowMAC = mac
		if err := s.Verify(t.Context(), bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("MAC %x: %v", mac, err)
		}
	}
}

func TestRowWithoutItsVault(t *testing.T) {
	t.Parallel()
	row := create(t, cheap(t, vault(t)), "k1", "kuda hujan lampu")
	thief := cheap(t, vault(t))
	if err := thief.authenticate(t.Context(), &row); err != nil { // he may skip that check
		t.Fatal(err)
	}
	if _, err := thief.Open(t.Context(), row, secret(t, "kuda hujan lampu")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("the right passphrase under another pepper: %v", err)
	}
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	v := vault(t)
	s := cheap(t, v)
	row := create(t, s, "k1", "kuda hujan lampu")
	s.current = 2
	for _, name := range []keys.Name{keys.Pepper, keys.Attempts} {
		if _, err := v.Rotate(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	next, err := s.Rewrap(t.Context(), row, secret(t, "kuda hujan lampu"), secret(t, "rapat kopi genteng"))
	if err != nil {
		t.Fatal(err)
	}
	if next.Generation != 2 || next.ParamsVersion != 2 || next.PepperVersion != 2 || bytes.Equal(next.Salt, row.Salt) ||
		!bytes.Equal(next.SPKI, row.SPKI) || !bytes.Equal(next.CSR, row.CSR) || next.KeyID != row.KeyID || next.Owner != row.Owner {
		t.Errorf("next generation %+v of %+v", next, row)
	}
	before, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu"))
	if err != nil {
		t.Fatalf("the old row under older versions: %v", err)
	}
	after, err := s.Open(t.Context(), next, secret(t, "rapat kopi genteng"))
	if err != nil {
		t.Fatal(err)
	}
	if !before.Public().(*ecdsa.PublicKey).Equal(after.Public()) || !signs(t, before) || !signs(t, after) {
		t.Error("the key changed")
	}
	if _, err := s.Open(t.Context(), next, secret(t, "kuda hujan lampu")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("the old passphrase: %v", err)
	}
	if _, err := s.Rewrap(t.Context(), next, secret(t, "kuda hujan lampu"), secret(t, "x")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("change with a wrong old one: %v", err)
	}
	if _, err := s.Rewrap(t.Context(), next, secret(t, "rapat kopi genteng"), nil); !errors.Is(err, ErrNotEvaluated) {
		t.Errorf("change to nothing: %v", err)
	}
}

func TestErase(t *testing.T) {
	t.Parallel()
	s := cheap(t, vault(t))
	row := create(t, s, "k1", "kuda hujan lampu")
	erased, err := s.Erase(t.Context(), row)
	if err != nil || len(erased.Box) != 0 || len(row.Box) == 0 {
		t.Fatalf("%+v, %v", erased, err)
	}
	if err := s.Verify(t.Context(), erased); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(t.Context(), erased, secret(t, "kuda hujan lampu")); !errors.Is(err, ErrErased) || !errors.Is(err, ErrNotEvaluated) {
		t.Errorf("open: %v", err)
	}
	row.Box = nil // somebody else emptied it
	if _, err := s.Open(t.Context(), row, secret(t, "kuda hujan lampu")); !errors.Is(err, ErrCorrupt) {
		t.Errorf("open what others emptied: %v", err)
	}
	if _, err := s.Erase(t.Context(), row); !errors.Is(err, ErrCorrupt) {
		t.Errorf("erase what others altered: %v", err)
	}
}

// failing is a vault that answers the first n MACs, and then no more.
type failing struct {
	keys.Vault
	n int
}

var errGone = errors.New("the token is gone")

func (f *failing) MAC(ctx context.Context, name keys.Name, v int, data []byte) ([]byte, int, error) {
	if f.n--; f.n < 0 {
		return nil, 0, errGone
	}
	return f.Vault.MAC(ctx, name, v, data)
}

func TestVaultGone(t *testing.T) {
	t.Parallel()
	v := vault(t)
	row := create(t, cheap(t, v), "k1", "kuda hujan lampu")
	for n := range 2 { // 0: checking the row; 1: deriving
		_, err := cheap(t, &failing{v, n}).Open(t.Context(), row, secret(t, "kuda hujan lampu"))
		if !errors.Is(err, errGone) || !errors.Is(err, ErrNotEvaluated) || errors.Is(err, ErrCorrupt) {
			t.Errorf("after %d answers: %v", n, err)
		}
	}
	for n := range 2 { // 0: deriving; 1: authenticating the row
		if _, err := cheap(t, &failing{v, n}).Create(t.Context(), "k", "e", template, keys.ECDSAP256, secret(t, "x")); !errors.Is(err, errGone) {
			t.Errorf("create after %d answers: %v", n, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cheap(t, v).Open(ended, row, secret(t, "x")); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrNotEvaluated) {
		t.Errorf("given up: %v", err)
	}
}

// fixed is a vault whose every MAC key is zero, for the test vector.
type fixed struct{ keys.Vault }

func (fixed) MAC(_ context.Context, name keys.Name, _ int, data []byte) ([]byte, int, error) {
	sum := sha256.Sum256(append([]byte(name), data...))
	return sum[:], 1, nil
}

// TestDerivationStays holds the derivation to what it was when the first keys
// were sealed: any change locks their owners out.
func TestDerivationStays(t *testing.T) {
	t.Parallel()
	for version, want := range map[int]string{
		1: "153e4e031f222955d8632994093239941a9f9b74a03e2a92d0b26ff6213d49fc",
		2: "b9928c65abe0dee682cafe7b652fe5838ff98aa22797a20fc0f4df5dc1a57c79",
	} {
		row := Sealed{KeyID: "k1", Owner: "e1", Generation: 7, Alg: keys.ECDSAP256, Salt: bytes.Repeat([]byte{1}, saltBytes), ParamsVersion: version, SPKI: []byte("spki")}
		kek, err := cheap(t, fixed{}).derive(t.Context(), &row, secret(t, "kuda hujan lampu"))
		if err != nil || hex.EncodeToString(kek) != want {
			t.Errorf("version %d: %x, %v", version, kek, err)
		}
	}
}

func TestNothingSecretInErrors(t *testing.T) {
	t.Parallel()
	s := cheap(t, vault(t))
	row := create(t, s, "k1", "kuda hujan lampu")
	_, err := s.Open(t.Context(), row, secret(t, "jangan sampai tampak"))
	bad := row
	bad.Box = []byte("x")
	_, err2 := s.Open(t.Context(), bad, secret(t, "jangan sampai tampak"))
	for _, e := range []error{err, err2} {
		if text := fmt.Sprintf("%v %+v %#v", e, e, e); strings.Contains(text, "jangan") {
			t.Error(text)
		}
	}
}

func BenchmarkCreate(b *testing.B) {
	s := NewSealer(vault(b), slots(b))
	pass := secret(b, "kuda hujan lampu")
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.RSA3072} {
		b.Run(string(alg), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Create(b.Context(), "k1", "e1", template, alg, pass); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	s := NewSealer(vault(b), slots(b))
	pass := secret(b, "kuda hujan lampu")
	row := create(b, s, "k1", "kuda hujan lampu")
	for b.Loop() {
		if _, err := s.Open(b.Context(), row, pass); err != nil {
			b.Fatal(err)
		}
	}
}
