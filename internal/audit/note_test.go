package audit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func signer(t testing.TB, key crypto.Signer) signedNote {
	t.Helper()
	p, err := newPublic("sign.contoh.example/log", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return signedNote{p.name, key, p}
}

func signers(t testing.TB) map[string]signedNote {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]signedNote{"Ed25519": signer(t, ed), "ECDSA": signer(t, ec)}
}

func TestCheckpointIsReadByItsKeyOnly(t *testing.T) {
	t.Parallel()
	others := signers(t)
	for name, s := range signers(t) {
		c, err := s.sign(tlog.Tree{N: 12, Hash: tlog.Hash{1}})
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParseVerifier(s.String() + "\n")
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadCheckpoint([]byte(c.Note), key)
		if err != nil || got != c {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		for _, o := range others {
			if _, err := ReadCheckpoint([]byte(c.Note), o.public); !errors.Is(err, ErrCheckpoint) {
				t.Errorf("%s by another key: %v", name, err)
			}
		}
		if _, err := ReadCheckpoint([]byte(strings.Replace(c.Note, "12", "13", 1)), key); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	// Programs of others read the common kind.
	s := signers(t)["Ed25519"]
	c, err := s.sign(tlog.Tree{N: 12})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := note.NewVerifier(s.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(c.Note), note.VerifierList(theirs)); err != nil {
		t.Error(err)
	}
}

func TestParseVerifierRefuses(t *testing.T) {
	t.Parallel()
	good := signers(t)["Ed25519"].String()
	for _, text := range []string{
		"", "name", "name+00000000+", "name+00000000+!!", "a b" + good, strings.Replace(good, "sign.", "sing.", 1), good + "AA",
		"name+00000000+CQkJ", "name+00000000+AgkJ",
	} {
		if _, err := ParseVerifier(text); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzReadCheckpoint: only what was signed is read, and never with another
// meaning.
func FuzzReadCheckpoint(f *testing.F) {
	s := signers(f)["Ed25519"]
	c, err := s.sign(tlog.Tree{N: 12, Hash: tlog.Hash{1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(c.Note))
	f.Add([]byte(strings.Replace(c.Note, "12", "012", 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ReadCheckpoint(b, s.public)
		if err == nil && got.Tree != c.Tree {
			t.Errorf("read %v from %q", got.Tree, b)
		}
	})
}

// FuzzParseVerifier: what is read is written as it was.
func FuzzParseVerifier(f *testing.F) {
	for _, s := range signers(f) {
		f.Add(s.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVerifier(text)
		if err != nil {
			return
		}
		p, ok := v.(public)
		if !ok {
			t.Fatalf("a %T", v)
		}
		if _, err := ParseVerifier(p.String()); err != nil {
			t.Errorf("%q is not read again: %v", p.String(), err)
		}
	})
}
