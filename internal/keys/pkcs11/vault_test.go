//go:build pkcs11 && cgo

package pkcs11_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"absah/internal/keys"
	"absah/internal/keys/keystest"
	"absah/internal/keys/pkcs11"
	"absah/internal/keys/pkcs11/softhsm"
)

var house *softhsm.House

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := runChild(text); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code, err := softhsm.Main(m, func(h *softhsm.House) { house = h })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func TestConformance(t *testing.T) {
	keystest.Run(t, func(t testing.TB) keystest.Open {
		cfg := house.Token(t)
		v := house.Open(t, cfg)
		for _, name := range keys.Secrets() {
			if err := v.Create(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		return func(t testing.TB) keys.Keyring { return house.Open(t, cfg) }
	})
}

// prepared is a token with all secrets.
func prepared(t *testing.T) (*pkcs11.Vault, pkcs11.Config) {
	t.Helper()
	cfg := house.Token(t)
	v := house.Open(t, cfg)
	for _, name := range append(keys.Secrets(), keys.Subscriber) {
		if err := v.Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return v, cfg
}

func TestOpenRefuses(t *testing.T) {
	_, cfg := prepared(t)
	for name, c := range map[string]struct {
		change func(*pkcs11.Config)
		want   error
	}{
		"another label": {func(c *pkcs11.Config) { c.TokenLabel = "absent" }, pkcs11.ErrNoToken},
		"another PIN":   {func(c *pkcs11.Config) { c.PIN = []byte("123456") }, pkcs11.ErrPIN},
		"no PIN":        {func(c *pkcs11.Config) { c.PIN = nil }, pkcs11.ErrPIN},
	} {
		t.Run(name, func(t *testing.T) {
			// Another process: in this one the token is logged in.
			wrong := cfg
			c.change(&wrong)
			_, err := pkcs11.OpenIn(t.Context(), house.Module, wrong)
			if errors.Is(c.want, pkcs11.ErrPIN) {
				err = openElsewhere(t, wrong)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if errors.Is(c.want, pkcs11.ErrNoToken) != errors.Is(err, keys.ErrUnavailable) {
				t.Errorf("unavailable: %v", err)
			}
			if err != nil && len(wrong.PIN) > 0 && strings.Contains(err.Error(), string(wrong.PIN)) {
				t.Error("the error tells the PIN")
			}
		})
	}
	if _, err := pkcs11.Load("absent.so"); !errors.Is(err, pkcs11.ErrModule) {
		t.Errorf("no library: %v", err)
	}
	if _, err := pkcs11.Open(t.Context(), pkcs11.Config{Module: os.Args[0]}); !errors.Is(err, pkcs11.ErrModule) {
		t.Errorf("no library but a program: %v", err)
	}
	house.Init(t, cfg.TokenLabel)
	if err := house.Module.Restart(t.Context()); err != nil { // SoftHSM2 looks for tokens then
		t.Fatal(err)
	}
	if _, err := pkcs11.OpenIn(t.Context(), house.Module, cfg); !errors.Is(err, pkcs11.ErrNoToken) {
		t.Errorf("two tokens of one label: %v", err)
	}
}

// childVariable makes the test binary open a token and say what came of it.
const childVariable = "ABSAH_CHILD_TOKEN"

// openElsewhere opens a token in a process of its own.
func openElsewhere(t *testing.T, cfg pkcs11.Config) error {
	t.Helper()
	out := child(t, "open", cfg)
	switch {
	case strings.Contains(out, "opened"):
		return nil
	case strings.Contains(out, "refused"):
		return fmt.Errorf("%s: %w", out, pkcs11.ErrPIN)
	}
	return errors.New(out)
}

// child runs one act of TestMain in a process of its own.
func child(t *testing.T, act string, cfg pkcs11.Config) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{act, cfg.Module, cfg.TokenLabel, cfg.Lock, string(cfg.PIN)}, " "))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", act, err, out)
	}
	return string(out)
}

// runChild does what child asked for.
func runChild(text string) error {
	var act string
	var cfg pkcs11.Config
	part := strings.SplitN(text, " ", 5)
	act, cfg.Module, cfg.TokenLabel, cfg.Lock, cfg.PIN = part[0], part[1], part[2], part[3], []byte(part[4])
	m, err := pkcs11.Load(cfg.Module)
	if err != nil {
		return err
	}
	v, err := pkcs11.OpenIn(context.Background(), m, cfg)
	switch {
	case errors.Is(err, pkcs11.ErrPIN):
		fmt.Println("refused", err)
		return nil
	case err != nil:
		return err
	}
	fmt.Println("opened")
	if act == "rotate" {
		for range 3 {
			version, err := v.Rotate(context.Background(), keys.Pepper)
			if err != nil {
				return err
			}
			mac, _, err := v.MAC(context.Background(), keys.Pepper, version, []byte("a"))
			if err != nil {
				return err
			}
			fmt.Printf("made %d %x\n", version, mac)
		}
	}
	return v.Close()
}

// TestManyProcesses has processes rotate one secret at once: no two versions
// are one, and what one process made is what all use.
func TestManyProcesses(t *testing.T) {
	v, cfg := prepared(t)
	outs := make(chan string, 4)
	var wg sync.WaitGroup
	for range cap(outs) {
		wg.Go(func() { outs <- child(t, "rotate", cfg) })
	}
	wg.Wait()
	close(outs)
	seen := map[int]string{}
	for out := range outs {
		if !strings.Contains(out, "opened") {
			t.Error(out)
		}
		for line := range strings.Lines(out) {
			var version int
			var mac string
			if n, _ := fmt.Sscanf(line, "made %d %s", &version, &mac); n == 2 {
				if seen[version] != "" {
					t.Errorf("version %d was made twice", version)
				}
				seen[version] = mac
			}
		}
	}
	for version := 2; version <= 13; version++ {
		mac, _, err := v.MAC(t.Context(), keys.Pepper, version, []byte("a"))
		if err != nil || fmt.Sprintf("%x", mac) != seen[version] {
			t.Errorf("version %d: %x here, %s where it was made, %v", version, mac, seen[version], err)
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d versions", len(seen))
	}
}

func TestWhatACrashLeaves(t *testing.T) {
	v, _ := prepared(t)
	if err := v.Leave(t.Context(), keys.Pepper, 2); err != nil {
		t.Fatal(err)
	}
	if d, err := v.Describe(t.Context(), keys.Pepper); err != nil || len(d.Versions) != 1 {
		t.Errorf("half a version counts: %+v, %v", d, err)
	}
	if _, _, err := v.MAC(t.Context(), keys.Pepper, 2, nil); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("half a version is used: %v", err)
	}
	if version, err := v.Rotate(t.Context(), keys.Pepper); err != nil || version != 2 {
		t.Errorf("version %d, %v", version, err)
	}
}

// TestSecretsStay asks the library for the secrets themselves.
func TestSecretsStay(t *testing.T) {
	v, _ := prepared(t)
	if _, err := v.CreateSigner(t.Context(), "ca", keys.ECDSAP256); err != nil {
		t.Fatal(err)
	}
	err := v.Raw(t.Context(), func(lib *p11.Ctx, s p11.SessionHandle) error {
		for _, class := range []uint{p11.CKO_SECRET_KEY, p11.CKO_PRIVATE_KEY} {
			if err := lib.FindObjectsInit(s, []*p11.Attribute{p11.NewAttribute(p11.CKA_CLASS, class)}); err != nil {
				return err
			}
			found, _, err := lib.FindObjects(s, 100)
			if err := errors.Join(err, lib.FindObjectsFinal(s)); err != nil {
				return err
			}
			if class == p11.CKO_SECRET_KEY && len(found) != 6 || class == p11.CKO_PRIVATE_KEY && len(found) != 1 {
				t.Errorf("%d objects of class %d", len(found), class)
			}
			for _, h := range found {
				if a, err := lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_VALUE, nil)}); !errors.Is(err, p11.Error(p11.CKR_ATTRIBUTE_SENSITIVE)) {
					t.Errorf("object %d gives its value: %d attributes, %v", h, len(a), err)
				}
				if err := lib.SetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_EXTRACTABLE, true)}); err == nil {
					t.Errorf("object %d can be made extractable", h)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(keys.Secrets(), keys.Subscriber, "ca") {
		d, err := v.Describe(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"sensitive", "always sensitive", "never extractable", "made in the token"} {
			if !slices.Contains(d.Protection, want) {
				t.Errorf("%s is not %s", name, want)
			}
		}
		if !strings.Contains(d.Where, "SoftHSM") {
			t.Errorf("%s is %s", name, d.Where)
		}
	}
}

// TestTokenIsTakenAway removes the token's directory under the running vault,
// and puts it back; then it makes a new, empty token in its place.
func TestTokenIsTakenAway(t *testing.T) {
	v, cfg := prepared(t)
	want, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := v.CreateSigner(t.Context(), "ca", keys.ECDSAP256)
	if err != nil {
		t.Fatal(err)
	}
	away := house.Dir + ".away"
	if err := os.Rename(house.Dir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(house.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a"))
	gone := func() error {
		_, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a"))
		_, signed := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		return errors.Join(err, signed)
	}
	// SoftHSM2 may serve from memory until it is started anew.
	if err := house.Module.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := gone(); !errors.Is(err, keys.ErrUnavailable) || !errors.Is(err, pkcs11.ErrNoToken) {
		t.Errorf("while it is gone: %v", err)
	}
	if err := v.Check(t.Context()); !errors.Is(err, keys.ErrUnavailable) {
		t.Errorf("while it is gone: %v", err)
	}
	if err := errors.Join(os.Remove(house.Dir), os.Rename(away, house.Dir)); err != nil {
		t.Fatal(err)
	}
	if got, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("after it came back: %x, %v", got, err)
	}
	if sig, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil || !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), digest[:], sig) {
		t.Errorf("after it came back: %v", err)
	}

	out, err := exec.CommandContext(t.Context(), "softhsm2-util", "--delete-token", "--token", cfg.TokenLabel).CombinedOutput()
	if err != nil {
		t.Fatalf("delete the token: %v\n%s", err, out)
	}
	house.Init(t, cfg.TokenLabel)
	if err := house.Module.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a")); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("an empty token in its place: %v", err)
	}
	if _, err := v.Signer(t.Context(), "ca"); !errors.Is(err, keys.ErrNoKey) {
		t.Errorf("an empty token in its place: %v", err)
	}
	if err := v.Create(t.Context(), keys.Pepper); err != nil {
		t.Errorf("make it anew: %v", err)
	}
}

// TestLibraryStartsAnewUnderLoad restarts the library while many use it.
func TestLibraryStartsAnewUnderLoad(t *testing.T) {
	v, cfg := prepared(t)
	other := house.Open(t, cfg)
	want, _, err := v.MAC(t.Context(), keys.Pepper, 1, []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, vault := range []*pkcs11.Vault{v, other} {
		for range 6 { // more than there are sessions
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if mac, _, err := vault.MAC(t.Context(), keys.Pepper, 1, []byte("a")); err != nil && !errors.Is(err, keys.ErrUnavailable) || err == nil && !bytes.Equal(mac, want) {
						t.Errorf("%x, %v", mac, err)
						return
					}
				}
			})
		}
	}
	for range 10 {
		if err := house.Module.Restart(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	for _, vault := range []*pkcs11.Vault{v, other} {
		if mac, _, err := vault.MAC(t.Context(), keys.Pepper, 1, []byte("a")); err != nil || !bytes.Equal(mac, want) {
			t.Errorf("afterwards: %x, %v", mac, err)
		}
	}
}

func TestClosed(t *testing.T) {
	_, cfg := prepared(t)
	v, other := house.Open(t, cfg), house.Open(t, cfg)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.MAC(t.Context(), keys.Pepper, 1, nil); !errors.Is(err, pkcs11.ErrClosed) {
		t.Errorf("a closed vault: %v", err)
	}
	if _, _, err := other.MAC(t.Context(), keys.Pepper, 1, nil); err != nil {
		t.Errorf("another vault after one was closed: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := other.MAC(ended, keys.Pepper, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func BenchmarkVault(b *testing.B) {
	cfg := house.Token(b)
	v := house.Open(b, cfg)
	for _, name := range keys.Secrets() {
		if err := v.Create(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("MAC", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := v.MAC(b.Context(), keys.Pepper, 1, []byte("a")); err != nil {
				b.Fatal(err)
			}
		}
	})
	sealed, err := v.Seal(b.Context(), keys.Data, make([]byte, 16), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			if _, err := v.Open(b.Context(), keys.Data, sealed, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, alg := range []keys.Algorithm{keys.ECDSAP256, keys.ECDSAP384, keys.RSA3072} {
		signer, err := v.CreateSigner(b.Context(), keys.Name("ca-"+string(alg)), alg)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("Sign/"+string(alg), func(b *testing.B) {
			digest := sha256.Sum256(nil)
			for b.Loop() {
				if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
