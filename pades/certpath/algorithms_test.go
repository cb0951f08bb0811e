package certpath

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"absah/pades/curve"
)

func TestAlgorithmPolicy(t *testing.T) {
	p := DefaultAlgorithms()
	key := func(bits uint) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1), E: 65537}
	}
	p256 := &ecdsa.PublicKey{Curve: elliptic.P256()}
	in := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		algorithm SignatureAlgorithm
		key       crypto.PublicKey
		at        time.Time
		ok        bool
	}{
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(2048), in(2026), true},
		{SignatureAlgorithm{RSAPSS, crypto.SHA512, 64}, key(4096), in(2040), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}, key(2048), in(2008), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}, key(2048), in(2009), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}, key(2048), time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA1, 0}, key(2048), time.Date(2009, 1, 1, 0, 0, 0, -1, time.UTC), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.MD5, 0}, key(1024), in(2004), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.MD5, 0}, key(1024), in(2005), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1024), in(2008), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1024), in(2009), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1023), in(2000), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1536), in(2015), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1899), in(2016), false},
		{SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, key(1900), in(2016), true},
		{SignatureAlgorithm{ECDSA, crypto.SHA256, 0}, p256, in(2026), true},
		{SignatureAlgorithm{ECDSA, crypto.SHA256, 0}, &ecdsa.PublicKey{Curve: elliptic.P224()}, in(2026), false},
		{SignatureAlgorithm{Ed25519, 0, 0}, ed25519.PublicKey{}, in(2026), true},
		{SignatureAlgorithm{RSAPKCS1, crypto.RIPEMD160, 0}, key(2048), in(2000), false},
		{SignatureAlgorithm{RSAPKCS1, 0, 0}, key(2048), in(2000), false},
		{SignatureAlgorithm{ECDSA, crypto.SHA256, 0}, nil, in(2000), false},
	} {
		err := p.CheckSignature(c.algorithm, c.key, c.at)
		var e *AlgorithmError
		if (err == nil) != c.ok || err != nil && (!errors.Is(err, ErrAlgorithm) || !errors.As(err, &e) || e.Error() == "") {
			t.Errorf("%v at %s: %v", c.algorithm, c.at, err)
		}
		until, listed := p.ReliableUntil(c.algorithm, c.key)
		if reliable := listed && (until.IsZero() || c.at.Before(until)); reliable != c.ok {
			t.Errorf("%v is reliable until %s (%v), but at %s: %v", c.algorithm, until, listed, c.at, err)
		}
	}
	if err := p.CheckKey(key(1024), in(2026)); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("RSA key of 1024 bits: %v", err)
	}
	if err := p.CheckKey(p256, in(2026)); err != nil {
		t.Errorf("P-256 key: %v", err)
	}
	if err := p.CheckHash(crypto.SHA1, in(2026)); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("SHA-1: %v", err)
	}
}

// TestAlgorithmsAreJudgedWhenProven: what is proven to exist when its
// algorithm was reliable stays good.
func TestAlgorithmsAreJudgedWhenProven(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	r := root(t, "Akar", period(year(2005), year(2030)))
	mid := issue(t, r, "CA", ca(-1), period(year(2005), year(2030)))
	leaf := issue(t, mid, "Budi Fiktif", period(year(2006), year(2030)), hashed(crypto.SHA1))
	req := Request{Certificate: leaf.cert, Candidates: certs(mid), Time: year(2008), Now: year(2024), Revocation: RevocationNone}
	v := anchored(t, r)
	expect(t, "SHA-1, not proven", v.Validate(context.Background(), req), ReasonAlgorithm, CryptoConstraintsNoPOE)
	req.POE = func([]byte) (time.Time, bool) { return year(2008), true }
	expect(t, "SHA-1, proven in 2008", v.Validate(context.Background(), req), ReasonNone, "")
	req.POE = func([]byte) (time.Time, bool) { return year(2014), true }
	expect(t, "SHA-1, proven in 2014", v.Validate(context.Background(), req), ReasonAlgorithm, CryptoConstraintsNoPOE)
}

// TestSignatureCache: what is remembered is bounded, and the same pair only.
func TestSignatureCache(t *testing.T) {
	c := newSignatureCache(10)
	for i := range byte(100) {
		c.add(signatureKey{object: [32]byte{i}})
		if n := len(c.young) + len(c.old); n > 10 {
			t.Fatalf("%d remembered", n)
		}
	}
	last := signatureKey{object: [32]byte{99}}
	if !c.has(last) || c.has(signatureKey{object: [32]byte{99}, key: [32]byte{1}}) || c.has(signatureKey{object: [32]byte{1}}) {
		t.Error("remembers what it should not, or not what it should")
	}
	if none := newSignatureCache(-1); none.max != 0 {
		t.Error("no cache asked for")
	} else if none.add(last); none.has(last) {
		t.Error("remembers without a cache")
	}
}

// TestConcurrent: one validator for many at once (under the race detector).
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	req := w.request(w.ca.ocsp(w.good(answer{})))
	v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(w.root.cert)}, Cache: 4})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if res := v.Validate(context.Background(), req); res.Indication != Passed {
					t.Error(res.Err())
				}
			}
		})
	}
	wg.Wait()
}

// TestRemembersSignatures: the second validation verifies none.
func TestRemembersSignatures(t *testing.T) {
	w := newWorld(t)
	req := w.request(w.ca.ocsp(w.good(answer{})))
	for i, want := range []int{4, 0} { // two certificates, the root's CRL, the answer
		r := w.v.newRun(context.Background(), &req)
		if res := r.search(func(r *run, p path) *Result { return r.at(p) }); res.Indication != Passed {
			t.Fatal(res.Err())
		}
		if r.signatures != want {
			t.Errorf("validation %d verified %d signatures, want %d", i+1, r.signatures, want)
		}
	}
}

// TestSignatureAlgorithms: identifiers that are read, and those that are
// refused, with the reason.
func TestSignatureAlgorithms(t *testing.T) {
	const pkcs1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
	id := func(oid string, params ...byte) []byte {
		return seqOf(func(b *cryptobyte.Builder) { addOID(b, []byte(oid)); b.AddBytes(params) })
	}
	hash := func(n string) []byte { return id("\x60\x86\x48\x01\x65\x03\x04\x02"+n, 5, 0) }
	mgf := func(h []byte) []byte {
		return der(func(b *cryptobyte.Builder) {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, []byte(oidMGF1)); b.AddBytes(h) })
			})
		})
	}
	tagged := func(n uint8, x []byte) []byte {
		return der(func(b *cryptobyte.Builder) { b.AddASN1(explicit(n), func(b *cryptobyte.Builder) { b.AddBytes(x) }) })
	}
	pss := func(parts ...[]byte) []byte {
		return id(oidPSS, seqOf(func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})...)
	}
	for _, c := range []struct {
		name string
		der  []byte
		want SignatureAlgorithm
		err  error
	}{
		{"sha256WithRSAEncryption", id(pkcs1+"\x0b", 5, 0), SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, nil},
		{"without the NULL", id(pkcs1 + "\x0b"), SignatureAlgorithm{RSAPKCS1, crypto.SHA256, 0}, nil},
		{"with something else", id(pkcs1+"\x0b", 4, 0), SignatureAlgorithm{}, errMalformed},
		{"Ed25519", id("\x2b\x65\x70"), SignatureAlgorithm{Scheme: Ed25519}, nil},
		{"Ed25519 with NULL", id("\x2b\x65\x70", 5, 0), SignatureAlgorithm{}, errMalformed},
		{"Ed448", id("\x2b\x65\x71"), SignatureAlgorithm{Scheme: Ed448}, nil},
		{"X448", id("\x2b\x65\x6f"), SignatureAlgorithm{}, ErrUnsupported},
		{"RSASSA-PSS by default", pss(), SignatureAlgorithm{RSAPSS, crypto.SHA1, 20}, nil},
		{"RSASSA-PSS with SHA-512", pss(tagged(0, hash("\x03")), mgf(hash("\x03")), tagged(2, integer(64))), SignatureAlgorithm{RSAPSS, crypto.SHA512, 64}, nil},
		{"two hash functions", pss(tagged(0, hash("\x03")), mgf(hash("\x02")), tagged(2, integer(64))), SignatureAlgorithm{}, ErrUnsupported},
		{"hash function that is not known", pss(tagged(0, id("\x2a\x03", 5, 0))), SignatureAlgorithm{}, ErrUnsupported},
		{"other trailer", pss(tagged(3, integer(2))), SignatureAlgorithm{}, ErrUnsupported},
		{"negative salt", pss(tagged(2, integer(-1))), SignatureAlgorithm{}, errMalformed},
		{"RSASSA-PSS without parameters", id(oidPSS), SignatureAlgorithm{}, errMalformed},
		{"nothing", nil, SignatureAlgorithm{}, errMalformed},
		{"trailing bytes", append(id(pkcs1+"\x0b", 5, 0), 0), SignatureAlgorithm{}, errMalformed},
	} {
		got, err := ParseSignatureAlgorithm(c.der)
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	for h, n := range map[crypto.Hash]string{crypto.SHA256: "\x01", crypto.SHA384: "\x02", crypto.SHA512: "\x03", crypto.SHA224: "\x04", crypto.SHA3_256: "\x08", crypto.SHA3_384: "\x09", crypto.SHA3_512: "\x0a"} {
		if got := HashOf(hash(n)); got != h {
			t.Errorf("hash %x is %v, want %v", n, got, h)
		}
	}
	if HashOf(nil) != 0 || HashOf(id("\x2a\x03")) != 0 || HashOf(id("\x60\x86\x48\x01\x65\x03\x04\x02\x01", 4, 0)) != 0 {
		t.Error("hash function out of nothing")
	}
}

// TestKeysAndAlgorithmsThatDoNotFit: a signature is never good by an algorithm
// for another kind of key.
func TestKeysAndAlgorithmsThatDoNotFit(t *testing.T) {
	rsaKey, ecKey, edKey := newRSA(t, 2048), newKey(t), newEd25519(t)
	message := []byte("pesan")
	schemes := []SignatureAlgorithm{{RSAPKCS1, crypto.SHA256, 0}, {RSAPSS, crypto.SHA256, 32}, {ECDSA, crypto.SHA256, 0}, {Ed25519, 0, 0}, {DSA, crypto.SHA256, 0}, {Ed448, 0, 0}}
	for _, k := range []crypto.PublicKey{rsaKey.Public(), ecKey.Public(), edKey.Public(), &DSAPublicKey{}, &curve.PublicKey{}, curve.Ed448Key{}, nil, "key"} {
		fits := 0
		for _, a := range schemes {
			err := a.Verify(k, message, make([]byte, 64))
			if errors.Is(err, ErrSignature) {
				fits++
			} else if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%v with %T: %v", a, k, err)
			}
		}
		if want := map[bool]int{true: 2, false: 1}[k == rsaKey.Public()]; fits != want && fits != 0 {
			t.Errorf("%T fits %d schemes", k, fits)
		}
	}
	if err := (SignatureAlgorithm{RSAPKCS1, crypto.BLAKE2b_256, 0}).Verify(rsaKey.Public(), message, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("hash function that is not linked in: %v", err)
	}
	short := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 512), E: 3}
	if err := schemes[0].Verify(short, message, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("RSA key of 513 bits: %v", err)
	}
	long := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<14), E: 3}
	if err := schemes[0].Verify(long, message, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("RSA key of 16385 bits: %v", err)
	}
}
