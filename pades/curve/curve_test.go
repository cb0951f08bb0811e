package curve

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEd448Vectors takes the first two of RFC 8032 7.4.
func TestEd448Vectors(t *testing.T) {
	for _, c := range []struct{ public, message, signature string }{
		{
			"5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180", "",
			"533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980" +
				"ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600",
		},
		{
			"43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480", "03",
			"26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd77980" +
				"5e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00",
		},
	} {
		k, message, signature := Ed448Key(unhex(t, c.public)), unhex(t, c.message), unhex(t, c.signature)
		if !k.Verify(message, signature) {
			t.Errorf("the signature over %q does not verify", c.message)
		}
		spoil(t, signature, func(s []byte) bool { return k.Verify(message, s) })
		if k.Verify(append(message, 1), signature) || k.Verify(message, signature[:113]) || k.Verify(message, append(bytes.Clone(signature), 0)) {
			t.Error("another message, or a signature of another length, verifies")
		}
		// S + L is the same number modulo L, but not the one encoding of it.
		s := littleEndian(signature[57:])
		more := s.Add(s, ed448().order).FillBytes(make([]byte, 57))
		for i := range more {
			signature[57+i] = more[56-i]
		}
		if k.Verify(message, signature) {
			t.Error("S above the order verifies")
		}
	}
}

// spoil demands that no signature with one bit changed verifies.
func spoil(t *testing.T, signature []byte, verify func([]byte) bool) {
	t.Helper()
	for i := range signature {
		changed := bytes.Clone(signature)
		changed[i] ^= 1 << (i % 8)
		if verify(changed) {
			t.Errorf("with octet %d changed it verifies", i)
		}
	}
}

func TestEd448KeysThatAreNone(t *testing.T) {
	good := unhex(t, "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180")
	e := ed448()
	f := field{p: e.p}
	if _, ok := e.decode(&f, good); !ok {
		t.Fatal("a good key is refused")
	}
	for name, change := range map[string]func([]byte){
		"spare bits":    func(b []byte) { b[56] |= 1 },
		"y not below p": func(b []byte) { copy(b, bytes.Repeat([]byte{0xff}, 56)) },
		"negative zero": func(b []byte) { copy(b, append([]byte{1}, make([]byte, 55)...)); b[56] = 0x80 },
	} {
		b := bytes.Clone(good)
		change(b)
		if _, ok := e.decode(&f, b); ok {
			t.Errorf("%s: it is taken for a point", name)
		}
	}
}

// TestEd448Ordinates: half of all numbers are the y of a point.
func TestEd448Ordinates(t *testing.T) {
	e := ed448()
	f := field{p: e.p}
	points := 0
	for i := range 100 {
		b := make([]byte, Ed448KeySize)
		b[0], b[5] = byte(i+2), 77
		p, ok := e.decode(&f, b)
		if !ok {
			continue
		}
		points++
		if !bytes.Equal(e.encode(&f, p), b) {
			t.Errorf("%x is encoded otherwise", b)
		}
	}
	if points < 30 || points > 70 {
		t.Errorf("%d of 100 are points", points)
	}
}

// openssl runs OpenSSL in a directory where the file "message" is; each command
// writes the file "out", which is given back.
func openssl(t *testing.T, message []byte) func(args ...string) []byte {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "message"), message, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
		b, err := os.ReadFile(filepath.Join(dir, "out"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// made makes the file "key" and gives its public part.
func made(t *testing.T, run func(...string) []byte, algorithm ...string) any {
	t.Helper()
	run(append([]string{"genpkey", "-out", "out"}, algorithm...)...)
	run("pkcs8", "-topk8", "-nocrypt", "-in", "out", "-out", "key")
	p, _ := pem.Decode(run("pkey", "-in", "key", "-pubout", "-out", "out"))
	k, err := ParsePublicKey(p.Bytes)
	if err != nil || k == nil {
		t.Fatalf("%v: %v, %v", algorithm, k, err)
	}
	return k
}

func numbers(t *testing.T, der []byte) (r, s *big.Int) {
	t.Helper()
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s = new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) {
		t.Fatalf("not a signature value: %x", der)
	}
	return r, s
}

func TestBrainpoolByOpenSSL(t *testing.T) {
	t.Parallel()
	message := []byte("Surat tugas")
	run := openssl(t, message)
	digest256, digest512 := sha256.Sum256(message), sha512.Sum512(message)
	for _, name := range []string{"brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1", "brainpoolP512r1"} {
		k, _ := made(t, run, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+name).(*PublicKey)
		if k == nil || k.Curve.Name != name || !k.Equal(k) {
			t.Fatalf("%s: %v", name, k)
		}
		for hash, digest := range map[string][]byte{"-sha256": digest256[:], "-sha512": digest512[:]} {
			r, s := numbers(t, run("dgst", hash, "-sign", "key", "-out", "out", "message"))
			if !k.Verify(digest, r, s) {
				t.Errorf("%s %s: the signature does not verify", name, hash)
			}
			one := big.NewInt(1)
			plus := new(big.Int).Add(s, one)
			for _, wrong := range [][2]*big.Int{
				{s, r}, {r, plus}, {new(big.Int).Add(r, one), s}, {new(big.Int), s}, {r, new(big.Int)},
				{new(big.Int).Add(r, k.Curve.N), s}, {r, new(big.Int).Add(s, k.Curve.N)}, {new(big.Int).Neg(r), s},
			} {
				if k.Verify(digest, wrong[0], wrong[1]) {
					t.Errorf("%s %s: a wrong signature verifies", name, hash)
				}
			}
			digest[0] ^= 1
			if k.Verify(digest, r, s) {
				t.Errorf("%s %s: another message verifies", name, hash)
			}
			digest[0] ^= 1
		}
		o, _ := made(t, run, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+name).(*PublicKey)
		if k.Equal(o) {
			t.Errorf("%s: two keys are equal", name)
		}
	}
}

func TestEd448ByOpenSSL(t *testing.T) {
	t.Parallel()
	message := bytes.Repeat([]byte("Surat tugas "), 40)
	run := openssl(t, message)
	k, _ := made(t, run, "-algorithm", "ED448").(Ed448Key)
	signature := run("pkeyutl", "-sign", "-rawin", "-inkey", "key", "-in", "message", "-out", "out")
	if !k.Verify(message, signature) {
		t.Error("the signature does not verify")
	}
	if o, _ := made(t, run, "-algorithm", "ED448").(Ed448Key); o.Verify(message, signature) || o.Equal(k) {
		t.Error("it verifies by another key")
	}
}

// TestGroup holds the addition where its formula has exceptions, against what
// follows from the order of the group.
func TestGroup(t *testing.T) {
	for _, c := range []*Curve{brainpoolP256r1(), brainpoolP320r1(), brainpoolP384r1(), brainpoolP512r1()} {
		f := field{p: c.P}
		one := big.NewInt(1)
		g := jacobian{c.x, c.y, one}
		if !c.has(c.x, c.y) {
			t.Fatalf("%s: the generator is no point", c.Name)
		}
		inverse := jacobian{c.x, new(big.Int).Sub(c.P, c.y), one}
		if !c.add(&f, g, inverse).infinite() {
			t.Errorf("%s: G - G is not the point at infinity", c.Name)
		}
		same := func(a, b jacobian) bool {
			az, bz := f.mul(a.z, a.z), f.mul(b.z, b.z)
			return f.mul(a.x, bz).Cmp(f.mul(b.x, az)) == 0 && f.mul(a.y, f.mul(b.z, bz)).Cmp(f.mul(b.y, f.mul(a.z, az))) == 0
		}
		if !same(c.add(&f, g, g), c.double(&f, g)) {
			t.Errorf("%s: G + G is not 2G", c.Name)
		}
		infinity := jacobian{one, one, new(big.Int)}
		if !same(c.add(&f, g, infinity), g) || !same(c.add(&f, infinity, g), g) || !c.double(&f, infinity).infinite() {
			t.Errorf("%s: infinity is not neutral", c.Name)
		}
		// (N-1)G + G
		k := &PublicKey{c, c.x, c.y}
		if _, ok := c.combine(new(big.Int).Sub(c.N, one), one, k); ok {
			t.Errorf("%s: the order is wrong", c.Name)
		}
	}
}

func TestKeysThatAreNone(t *testing.T) {
	c := brainpoolP256r1()
	point := func(x, y *big.Int) []byte {
		return append(append([]byte{4}, x.FillBytes(make([]byte, 32))...), y.FillBytes(make([]byte, 32))...)
	}
	if _, ok := ParsePoint(c, point(c.x, c.y)); !ok {
		t.Fatal("a good key is refused")
	}
	for name, octets := range map[string][]byte{
		"not on the curve": point(c.x, new(big.Int).Add(c.y, big.NewInt(1))),
		"zero":             point(new(big.Int), new(big.Int)),
		"x above p":        point(new(big.Int).Add(c.x, big.NewInt(0)).Set(c.P), c.y),
		"compressed":       append([]byte{2}, c.x.FillBytes(make([]byte, 32))...),
		"short":            point(c.x, c.y)[:64],
		"infinity":         {0},
		"empty":            nil,
	} {
		if _, ok := ParsePoint(c, octets); ok {
			t.Errorf("%s: it is taken for a key", name)
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add([]byte{0x30, 0x43, 0x30, 5, 6, 3, 0x2b, 0x65, 0x71, 3, 0x3a, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		switch k, err := ParsePublicKey(b); k := k.(type) {
		case *PublicKey:
			if err != nil || !k.Curve.has(k.X, k.Y) {
				t.Errorf("%v, %v", k, err)
			}
		case Ed448Key:
			k.Verify(b, make([]byte, Ed448SignatureSize))
		}
	})
}

func BenchmarkBrainpoolP512(b *testing.B) {
	c := brainpoolP512r1()
	k := &PublicKey{c, c.x, c.y}
	digest := bytes.Repeat([]byte{0xa5}, 64)
	for b.Loop() {
		k.Verify(digest, c.x, c.y)
	}
}

func BenchmarkBrainpoolP256(b *testing.B) {
	c := brainpoolP256r1()
	k := &PublicKey{c, c.x, c.y}
	digest := bytes.Repeat([]byte{0xa5}, 32)
	for b.Loop() {
		k.Verify(digest, c.x, c.y)
	}
}

func BenchmarkEd448(b *testing.B) {
	k := Ed448Key{1}
	e := ed448()
	f := field{p: e.p}
	copy(k[:], e.encode(&f, e.base))
	signature := make([]byte, Ed448SignatureSize)
	copy(signature, k[:])
	signature[100] = 0x3f
	for b.Loop() {
		k.Verify(nil, signature)
	}
}
