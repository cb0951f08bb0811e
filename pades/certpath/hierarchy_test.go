package certpath

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The generators of this file make certificates, CRLs and OCSP answers of any
// shape, right or wrong, with cryptobyte: crypto/x509 would refuse the wrong.

var (
	day   = 24 * time.Hour
	start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	noon  = start.Add(100 * day) // the time most tests ask about
)

var serials atomic.Int64

type ext struct {
	id       string
	critical bool
	value    []byte
}

// spec is what a certificate says.
type spec struct {
	name      string
	rawName   []byte // instead of name
	serial    *big.Int
	version   int
	notBefore time.Time
	notAfter  time.Time
	exts      []ext
	key       crypto.Signer
	spki      []byte // instead of that of key
	pss       bool   // the issuer signs by RSASSA-PSS
	hash      crypto.Hash
}

type party struct {
	t    testing.TB
	key  crypto.Signer
	pss  bool
	cert *Certificate
}

type option func(*spec)

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newEd25519(t testing.TB) crypto.Signer {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newRSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func distinguished(cn string) []byte {
	der, err := asn1.Marshal(pkix.Name{Organization: []string{"Contoh Fiktif"}, CommonName: cn}.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	return der
}

func der(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func seqOf(f func(b *cryptobyte.Builder)) []byte {
	return der(func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, f) })
}

func oidBytes(s OID) []byte {
	o, err := x509.ParseOID(string(s))
	if err != nil {
		panic(err)
	}
	raw, err := o.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return raw
}

func addOID(b *cryptobyte.Builder, contents []byte) {
	b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(contents) })
}

func addTime(b *cryptobyte.Builder, t time.Time) {
	if y := t.UTC().Year(); y >= 1950 && y < 2050 {
		b.AddASN1UTCTime(t.UTC())
		return
	}
	b.AddASN1GeneralizedTime(t.UTC())
}

func addExtensions(b *cryptobyte.Builder, list []ext) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, []byte(e.id))
				if e.critical {
					b.AddASN1Boolean(true)
				}
				b.AddASN1OctetString(e.value)
			})
		}
	})
}

// algorithmOf gives the AlgorithmIdentifier that key signs with.
func algorithmOf(key crypto.Signer, pss bool, hash crypto.Hash) []byte {
	const pkcs1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
	return seqOf(func(b *cryptobyte.Builder) {
		switch key.(type) {
		case *ecdsa.PrivateKey:
			addOID(b, []byte("\x2a\x86\x48\xce\x3d\x04"+map[crypto.Hash]string{crypto.SHA256: "\x03\x02", crypto.SHA384: "\x03\x03", crypto.SHA1: "\x01"}[hash]))
		case ed25519.PrivateKey:
			addOID(b, []byte("\x2b\x65\x70"))
		case *rsa.PrivateKey:
			if !pss {
				addOID(b, []byte(pkcs1+map[crypto.Hash]string{crypto.SHA256: "\x0b", crypto.SHA1: "\x05"}[hash]))
				b.AddASN1NULL()
				return
			}
			sha256 := seqOf(func(b *cryptobyte.Builder) {
				addOID(b, []byte("\x60\x86\x48\x01\x65\x03\x04\x02\x01"))
				b.AddASN1NULL()
			})
			addOID(b, []byte(oidPSS))
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddBytes(sha256) })
				b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, []byte(oidMGF1)); b.AddBytes(sha256) })
				})
				b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(32) })
			})
		}
	})
}

func signDER(t testing.TB, key crypto.Signer, pss bool, hash crypto.Hash, tbs []byte) []byte {
	t.Helper()
	var opts crypto.SignerOpts = hash
	message := tbs
	if _, ok := key.(ed25519.PrivateKey); ok {
		opts = crypto.Hash(0)
	} else {
		h := hash.New()
		h.Write(tbs)
		message = h.Sum(nil)
	}
	if pss {
		opts = &rsa.PSSOptions{SaltLength: 32, Hash: hash}
	}
	sig, err := key.Sign(rand.Reader, message, opts)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// signedDER wraps tbs with algorithm and signature.
func signedDER(t testing.TB, key crypto.Signer, pss bool, hash crypto.Hash, tbs []byte, more ...[]byte) []byte {
	t.Helper()
	sig := signDER(t, key, pss, hash, tbs)
	return seqOf(func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(algorithmOf(key, pss, hash))
		b.AddASN1BitString(sig)
		for _, m := range more {
			b.AddBytes(m)
		}
	})
}

// issue makes a certificate by p; a nil p makes it by itself.
func issue(t testing.TB, p *party, name string, options ...option) *party {
	t.Helper()
	s := &spec{name: name, version: 3, notBefore: start, notAfter: start.Add(1000 * day), serial: big.NewInt(1000 + serials.Add(1)), hash: crypto.SHA256}
	for _, o := range options {
		o(s)
	}
	if s.key == nil {
		s.key = newKey(t)
	}
	if s.rawName == nil {
		s.rawName = distinguished(s.name)
	}
	signer, pss, issuer := s.key, s.pss, s.rawName
	if p != nil {
		signer, pss, issuer = p.key, p.pss || s.pss, p.cert.Subject.Raw
	}
	spki, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if s.spki != nil {
		spki = s.spki
	}
	tbs := seqOf(func(b *cryptobyte.Builder) {
		if s.version > 1 {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(s.version - 1)) })
		}
		b.AddASN1BigInt(s.serial)
		b.AddBytes(algorithmOf(signer, pss, s.hash))
		b.AddBytes(issuer)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addTime(b, s.notBefore); addTime(b, s.notAfter) })
		b.AddBytes(s.rawName)
		b.AddBytes(spki)
		if len(s.exts) > 0 {
			b.AddASN1(explicit(3), func(b *cryptobyte.Builder) { addExtensions(b, s.exts) })
		}
	})
	c, err := ParseCertificate(signedDER(t, signer, pss, s.hash, tbs))
	if err != nil {
		t.Fatalf("certificate of %s: %v", name, err)
	}
	return &party{t: t, key: s.key, cert: c}
}

func root(t testing.TB, name string, options ...option) *party {
	return issue(t, nil, name, append([]option{ca(-1)}, options...)...)
}

func with(id string, critical bool, value []byte) option {
	return func(s *spec) { s.exts = append(s.exts, ext{id, critical, value}) }
}

func ca(pathLen int) option {
	return with(extBasicConstraints, true, seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1Boolean(true)
		if pathLen >= 0 {
			b.AddASN1Int64(int64(pathLen))
		}
	}))
}

func usageBits(u KeyUsage) []byte {
	return der(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.BIT_STRING, func(b *cryptobyte.Builder) {
			var out [2]byte
			for i := range 16 {
				if u&(1<<i) != 0 {
					out[i/8] |= 0x80 >> (i % 8)
				}
			}
			b.AddBytes([]byte{0, out[0], out[1]})
		})
	})
}

func usage(u KeyUsage) option { return with(extKeyUsage, true, usageBits(u)) }

func oids(list ...OID) []byte {
	return seqOf(func(b *cryptobyte.Builder) {
		for _, o := range list {
			addOID(b, oidBytes(o))
		}
	})
}

func eku(list ...OID) option { return with(extExtKeyUsage, false, oids(list...)) }

func policies(list ...OID) option {
	return with(extCertificatePolicies, false, seqOf(func(b *cryptobyte.Builder) {
		for _, o := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidBytes(o)) })
		}
	}))
}

func mappings(pairs ...OID) option {
	return with(extPolicyMappings, false, seqOf(func(b *cryptobyte.Builder) {
		for i := 0; i+1 < len(pairs); i += 2 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidBytes(pairs[i])); addOID(b, oidBytes(pairs[i+1])) })
		}
	}))
}

func policyConstraints(explicitPolicy, inhibit int) option {
	return with(extPolicyConstraints, true, seqOf(func(b *cryptobyte.Builder) {
		for i, n := range []int{explicitPolicy, inhibit} {
			if n >= 0 {
				b.AddASN1(implicit(uint8(i)), func(b *cryptobyte.Builder) { b.AddBytes([]byte{byte(n)}) })
			}
		}
	}))
}

func inhibitAny(n int) option {
	return with(extInhibitAnyPolicy, true, der(func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(n)) }))
}

func period(from, to time.Time) option {
	return func(s *spec) { s.notBefore, s.notAfter = from, to }
}
func keyed(k crypto.Signer) option { return func(s *spec) { s.key = k } }
func numberIs(n int64) option      { return func(s *spec) { s.serial = big.NewInt(n) } }
func hashed(h crypto.Hash) option  { return func(s *spec) { s.hash = h } }
func nameIs(raw []byte) option     { return func(s *spec) { s.rawName = raw } }
func versionIs(n int) option       { return func(s *spec) { s.version = n } }
func certs(list ...*party) (out []*Certificate) {
	for _, p := range list {
		out = append(out, p.cert)
	}
	return out
}

func anchored(t testing.TB, list ...*party) *Validator {
	t.Helper()
	var a []*Anchor
	for _, p := range list {
		a = append(a, NewAnchor(p.cert))
	}
	v, err := NewValidator(Config{Anchors: a})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// ask validates target at noon without revocation.
func ask(v *Validator, target *party, pool ...*party) *Result {
	return v.Validate(context.Background(), Request{Certificate: target.cert, Candidates: certs(pool...), Time: noon, Revocation: RevocationNone})
}

// expect compares the reason and the sub-indication of a result.
func expect(t testing.TB, what string, res *Result, reason Reason, sub SubIndication) {
	t.Helper()
	got := ReasonNone
	if res.Failure != nil {
		got = res.Failure.Reason
	}
	if got != reason || res.Sub != sub || (res.Indication == Passed) != (reason == ReasonNone) {
		t.Errorf("%s: %s %q because of %v (%v), want %q because of %v; notes %v", what, res.Indication, res.Sub, got, res.Err(), sub, reason, res.Notes)
	}
}

func keyHashOf(c *Certificate) []byte { h := sha1.Sum(c.KeyBits); return h[:] }
