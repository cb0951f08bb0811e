package hashfn

import (
	"crypto"
	_ "crypto/sha256"
	"encoding/hex"
	"testing"
)

// The values are those of NIST's examples for SHAKE256 (its first 64 octets), and
// of FIPS 180.
func TestSum(t *testing.T) {
	for _, c := range []struct {
		h    crypto.Hash
		in   string
		want string
	}{
		{SHAKE256, "", "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762fd75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be"},
		{crypto.SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	} {
		sum := Sum(c.h, []byte(c.in))
		if hex.EncodeToString(sum) != c.want || len(sum) != Size(c.h) || !Available(c.h) {
			t.Errorf("%s of %q: %x", Name(c.h), c.in, sum)
		}
	}
}

// TestSumGoesOn: a digest in between changes nothing.
func TestSumGoesOn(t *testing.T) {
	d := New(SHAKE256)
	d.Write([]byte("ab"))
	first := d.Sum([]byte("x"))
	d.Write([]byte("c"))
	if got, want := d.Sum(nil), Sum(SHAKE256, []byte("abc")); string(got) != string(want) {
		t.Errorf("%x, want %x", got, want)
	}
	if string(first) != "x"+string(Sum(SHAKE256, []byte("ab"))) {
		t.Errorf("the digest in between: %x", first)
	}
	d.Reset()
	if string(d.Sum(nil)) != string(Sum(SHAKE256, nil)) {
		t.Error("Reset leaves something behind")
	}
	if d.Size() != 64 || d.BlockSize() != 136 {
		t.Errorf("%d, %d", d.Size(), d.BlockSize())
	}
}

func TestUnknown(t *testing.T) {
	if h := crypto.Hash(1000); Available(h) || Size(h) != 0 {
		t.Error("an unknown hash function is known")
	}
	if Name(SHAKE256) != "SHAKE256" || Name(crypto.SHA256) != "SHA-256" {
		t.Error("a name is wrong")
	}
}
