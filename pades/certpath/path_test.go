package certpath

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func TestAlgorithmsOfKeys(t *testing.T) {
	small := newRSA(t, 2048)
	for _, c := range []struct {
		name string
		root []option
		ca   []option
	}{
		{"P-256", nil, nil},
		{"RSA PKCS#1", []option{keyed(small)}, nil},
		{"RSASSA-PSS", []option{keyed(small), func(s *spec) { s.pss = true }}, []option{func(s *spec) { s.pss = true }}},
		{"Ed25519", []option{keyed(newEd25519(t))}, []option{keyed(newEd25519(t))}},
		{"SHA-384", []option{hashed(crypto.SHA384)}, []option{hashed(crypto.SHA384)}},
	} {
		r := root(t, "Akar", c.root...)
		mid := issue(t, r, "CA", append(c.ca, ca(-1))...)
		leaf := issue(t, mid, "Siti Fiktif")
		expect(t, c.name, ask(anchored(t, r), leaf, mid), ReasonNone, "")
		broken := bytes.Clone(leaf.cert.Raw)
		broken[len(broken)-1] ^= 1
		bad, err := ParseCertificate(broken)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.name+" broken", ask(anchored(t, r), &party{cert: bad}, mid), ReasonSignature, NoCertificateChainFound)
	}
}

func TestAnchors(t *testing.T) {
	r := root(t, "Akar")
	mid := issue(t, r, "CA", ca(-1))
	leaf := issue(t, mid, "Siti Fiktif")
	byKey, err := NewAnchorKey(r.cert.Subject.Raw, r.cert.RawSPKI)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, a *Anchor, target *party, reason Reason, sub SubIndication) {
		t.Helper()
		v, err := NewValidator(Config{Anchors: []*Anchor{a}})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, name, ask(v, target, mid, r), reason, sub)
	}
	check("name and key", byKey, leaf, ReasonNone, "")
	check("certificate", NewAnchor(r.cert), leaf, ReasonNone, "")
	check("intermediate as anchor", NewAnchor(mid.cert), leaf, ReasonNone, "")
	check("the target itself", NewAnchor(leaf.cert), leaf, ReasonNone, "")
	check("none of them", NewAnchor(root(t, "Lain").cert), leaf, ReasonNoPath, NoCertificateChainFound)
	check("the same name, another key", NewAnchor(root(t, "Akar").cert), leaf, ReasonSignature, NoCertificateChainFound)
	sunset := NewAnchor(r.cert)
	sunset.Sunset = noon.Add(-day)
	check("behind its sunset", sunset, leaf, ReasonAnchor, NoCertificateChainFound)
	later := NewAnchor(r.cert)
	later.NotBefore = noon.Add(day)
	check("not accepted yet", later, leaf, ReasonAnchor, NoCertificateChainFound)
	own := NewAnchor(leaf.cert)
	own.Sunset = noon.Add(-day)
	check("the target itself, behind its sunset", own, leaf, ReasonAnchor, OutOfBoundsNoPOE)
	if _, err := NewValidator(Config{Anchors: []*Anchor{{}}}); !errors.Is(err, ErrNoAnchor) {
		t.Errorf("anchor without a key: %v", err)
	}
}

// TestConstrainedAnchor: RFC 5937.
func TestConstrainedAnchor(t *testing.T) {
	permitted := with(extNameConstraints, true, seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(directory(distinguished("Lain"))) })
		})
	}))
	for _, c := range []struct {
		name   string
		option option
		ca     []option
		reason Reason
	}{
		{"pathLenConstraint", ca(0), nil, ReasonPathLength},
		{"nameConstraints", permitted, nil, ReasonNameConstraints},
		{"policies", policies("1.2.3"), []option{policies("1.2.4"), policyConstraints(0, -1)}, ReasonPolicy},
		{"requireExplicitPolicy", policyConstraints(0, -1), nil, ReasonPolicy},
	} {
		options := []option{c.option}
		if c.name != "pathLenConstraint" {
			options = append(options, ca(-1))
		}
		r := issue(t, nil, "Akar", options...)
		mid := issue(t, r, "CA", append(c.ca, ca(-1))...)
		leaf := issue(t, mid, "Siti Fiktif", c.ca...)
		for _, on := range []bool{false, true} {
			a := NewAnchor(r.cert)
			a.Constrain = on
			v, err := NewValidator(Config{Anchors: []*Anchor{a}})
			if err != nil {
				t.Fatal(err)
			}
			reason, sub := ReasonNone, SubIndication("")
			if on {
				reason, sub = c.reason, CertificateChainFailure
			}
			expect(t, fmt.Sprint(c.name, on), ask(v, leaf, mid), reason, sub)
		}
	}
}

func TestPathRules(t *testing.T) {
	r := root(t, "Akar")
	plain := issue(t, r, "CA", ca(-1))
	unknown := with("\x2a\x03\x04", true, []byte{5, 0})
	for _, c := range []struct {
		name   string
		ca     []option
		leaf   []option
		change func(*Request)
		reason Reason
		sub    SubIndication
	}{
		{"plain", []option{ca(-1)}, nil, nil, ReasonNone, ""},
		{"no basicConstraints", nil, nil, nil, ReasonNotCA, CertificateChainFailure},
		{"version 1 CA", []option{versionIs(1)}, nil, nil, ReasonNotCA, CertificateChainFailure},
		{"CA without keyCertSign", []option{ca(-1), usage(CRLSign)}, nil, nil, ReasonKeyUsage, CertificateChainFailure},
		{"unknown critical extension of the CA", []option{ca(-1), unknown}, nil, nil, ReasonExtension, CertificateChainFailure},
		{"unknown critical extension", []option{ca(-1)}, []option{unknown}, nil, ReasonExtension, CertificateChainFailure},
		{"CA expired", []option{ca(-1), period(start, noon.Add(-day))}, nil, nil, ReasonExpired, OutOfBoundsNoPOE},
		{"CA not yet valid", []option{ca(-1), period(noon.Add(day), noon.Add(2*day))}, nil, nil, ReasonNotYetValid, OutOfBoundsNoPOE},
		{"expired", []option{ca(-1)}, []option{period(start, noon.Add(-1))}, nil, ReasonExpired, OutOfBoundsNoPOE},
		{"to the last second", []option{ca(-1)}, []option{period(start, noon)}, nil, ReasonNone, ""},
		{"from the first second", []option{ca(-1)}, []option{period(noon, noon.Add(day))}, nil, ReasonNone, ""},
		{"SHA-1", []option{ca(-1)}, []option{hashed(crypto.SHA1)}, nil, ReasonAlgorithm, CryptoConstraintsNoPOE},
		{"RSA of 1024 bits", []option{ca(-1)}, []option{keyed(newRSA(t, 1024))}, nil, ReasonAlgorithm, CryptoConstraintsNoPOE},
		{"usage asked for", []option{ca(-1)}, []option{usage(ContentCommitment)}, func(r *Request) { r.KeyUsage = DigitalSignature | ContentCommitment }, ReasonNone, ""},
		{"other usage", []option{ca(-1)}, []option{usage(KeyEncipherment)}, func(r *Request) { r.KeyUsage = DigitalSignature | ContentCommitment }, ReasonKeyUsage, ChainConstraintsFailure},
		{"purpose asked for", []option{ca(-1)}, []option{eku(ExtKeyUsageTime)}, func(r *Request) { r.ExtKeyUsages = []OID{ExtKeyUsageTime} }, ReasonNone, ""},
		{"other purpose", []option{ca(-1)}, []option{eku(ExtKeyUsageEmail)}, func(r *Request) { r.ExtKeyUsages = []OID{ExtKeyUsageTime} }, ReasonExtKeyUsage, ChainConstraintsFailure},
		{"negative serial number", []option{ca(-1)}, []option{numberIs(-5)}, nil, ReasonNone, ""},
		{"40 bytes of serial number", []option{ca(-1)}, []option{func(s *spec) { s.serial = new(big.Int).Lsh(big.NewInt(1), 310) }}, nil, ReasonNone, ""},
		{"name in other letters and spaces", []option{ca(-1), nameIs(distinguished("CA  contoh "))}, nil, nil, ReasonNone, ""},
		{"issuer without a name", []option{ca(-1), nameIs([]byte{0x30, 0})}, nil, nil, ReasonNoPath, NoCertificateChainFound},
		{"no time", []option{ca(-1)}, nil, func(r *Request) { r.Time = r.Now }, ReasonMalformed, CertificateChainFailure},
	} {
		mid := issue(t, r, "CA", c.ca...)
		leaf := issue(t, mid, "Siti Fiktif", c.leaf...)
		req := Request{Certificate: leaf.cert, Candidates: certs(mid, plain), Time: noon, Revocation: RevocationNone}
		if c.change != nil {
			c.change(&req)
		}
		expect(t, c.name, anchored(t, r).Validate(context.Background(), req), c.reason, c.sub)
	}
}

// TestPathIsChosen: of several paths the good one counts, however the
// candidates lie.
func TestPathIsChosen(t *testing.T) {
	a, b := root(t, "Akar A"), root(t, "Akar B")
	key := newKey(t)
	byA := issue(t, a, "CA", ca(-1), keyed(key), period(start, noon.Add(-day)))
	byB := issue(t, b, "CA", ca(-1), keyed(key))
	leaf := issue(t, byA, "Siti Fiktif")
	for _, pool := range [][]*party{{byA, byB}, {byB, byA}} {
		res := ask(anchored(t, a, b), leaf, pool...)
		expect(t, "two anchors, one expired", res, ReasonNone, "")
		if res.Anchor == nil || res.Anchor.Certificate != b.cert || len(res.Path) != 2 {
			t.Errorf("path %v to %v", res.Path, res.Anchor)
		}
		expect(t, "expired only", ask(anchored(t, a), leaf, pool...), ReasonExpired, OutOfBoundsNoPOE)
	}
	// Cross certificates in a ring: A certifies B, B certifies A.
	aByB := issue(t, b, "Akar A", ca(-1), keyed(a.key))
	bByA := issue(t, a, "Akar B", ca(-1), keyed(b.key))
	res := ask(anchored(t, b), issue(t, byA, "Siti Fiktif"), byA, aByB, bByA)
	expect(t, "over a cross certificate, expired below", res, ReasonExpired, OutOfBoundsNoPOE)
	viaA := issue(t, a, "CA 2", ca(-1))
	deep := issue(t, viaA, "Siti Fiktif")
	res = ask(anchored(t, b), deep, viaA, aByB, bByA)
	expect(t, "over a cross certificate", res, ReasonNone, "")
	if len(res.Path) != 3 {
		t.Errorf("path of %d certificates, want 3", len(res.Path))
	}
	expect(t, "ring without an anchor", ask(anchored(t, root(t, "Lain")), deep, viaA, aByB, bByA), ReasonNoPath, NoCertificateChainFound)
}

// TestIssuersAreFetched: what is not among the candidates is asked for.
func TestIssuersAreFetched(t *testing.T) {
	r := root(t, "Akar")
	mid := issue(t, r, "CA", ca(-1))
	leaf := issue(t, mid, "Siti Fiktif")
	req := Request{Certificate: leaf.cert, Time: noon, Revocation: RevocationNone, Source: NewArchive([]*Certificate{mid.cert}, nil, nil)}
	expect(t, "from the source", anchored(t, r).Validate(context.Background(), req), ReasonNone, "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	expect(t, "cancelled", anchored(t, r).Validate(ctx, req), ReasonNoPath, NoCertificateChainFound)
}

func TestDepth(t *testing.T) {
	build := func(n int) (*Validator, *party, []*party) {
		r := root(t, "Akar")
		up := r
		var pool []*party
		for i := range n - 1 {
			up = issue(t, up, fmt.Sprintf("CA %d", i), ca(-1))
			pool = append(pool, up)
		}
		return anchored(t, r), issue(t, up, "Siti Fiktif"), pool
	}
	v, leaf, pool := build(10)
	expect(t, "10 certificates", ask(v, leaf, pool...), ReasonNone, "")
	v, leaf, pool = build(11)
	expect(t, "11 certificates", ask(v, leaf, pool...), ReasonNoPath, NoCertificateChainFound)
}

// TestWorkIsBounded: certificates that are made to cost time do not. It counts
// work, not seconds.
func TestWorkIsBounded(t *testing.T) {
	limits := Limits{}.withDefaults()
	work := func(name string, v *Validator, target *party, pool []*party, reason Reason, most int) {
		t.Helper()
		req := Request{Certificate: target.cert, Candidates: certs(pool...), Time: noon, Revocation: RevocationNone}
		r := v.newRun(context.Background(), &req)
		paths := 0
		res := r.search(func(r *run, p path) *Result { paths++; return r.at(p) })
		if res.Failure == nil || res.Failure.Reason != reason {
			t.Errorf("%s: %v, want %v", name, res.Err(), reason)
		}
		if r.signatures > most || paths > limits.Paths {
			t.Errorf("%s: %d signatures and %d paths, want no more than %d and %d", name, r.signatures, paths, most, limits.Paths)
		}
	}
	// Every CA has certified every other.
	meshed := func(n int) (ring, all []*party) {
		for i := range n {
			ring = append(ring, issue(t, nil, fmt.Sprintf("CA %d", i), ca(-1)))
		}
		for i := range n {
			for j := range n {
				if i != j {
					all = append(all, issue(t, ring[i], fmt.Sprintf("CA %d", j), ca(-1), keyed(ring[j].key)))
				}
			}
		}
		return ring, all
	}
	other := root(t, "Akar")
	ring, mesh := meshed(20)
	leaf := issue(t, ring[0], "Siti Fiktif")
	work("mesh without an anchor", anchored(t, other), leaf, mesh, ReasonLimit, limits.Signatures)
	// Below an anchor, with a leaf that is expired: every path fails.
	ring, mesh = meshed(12)
	below := issue(t, other, "CA 11", ca(-1), keyed(ring[11].key))
	expired := issue(t, ring[0], "Siti Fiktif", period(start, noon.Add(-day)))
	work("mesh below an anchor", anchored(t, other), expired, append(mesh, below), ReasonExpired, limits.Signatures)
	// A thousand certificates in the issuer's name that are not the issuer.
	var crowd []*party
	for range 1000 {
		crowd = append(crowd, issue(t, nil, "CA 0", ca(-1)))
	}
	work("crowd of one name", anchored(t, other), leaf, crowd, ReasonSignature, limits.Candidates)
}

// TestCostlyKeysCountMore: what takes long to verify uses up the bound sooner.
func TestCostlyKeysCountMore(t *testing.T) {
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	one := new(big.Int).SetInt64(1)
	for _, c := range []struct {
		key  crypto.PublicKey
		want int
	}{
		{newKey(t).Public(), 1}, {p384.Public(), 2}, {p521.Public(), 8}, {&DSAPublicKey{}, 4}, {newEd25519(t).Public(), 1},
		{&rsa.PublicKey{N: new(big.Int).Lsh(one, 4095), E: 65537}, 1}, {&rsa.PublicKey{N: new(big.Int).Lsh(one, 4096), E: 3}, 8},
		{&rsa.PublicKey{N: new(big.Int).Lsh(one, 2047), E: 1<<31 - 1}, 8},
	} {
		if got := cost(c.key); got != c.want {
			t.Errorf("%T costs %d, want %d", c.key, got, c.want)
		}
	}
	r := root(t, "Akar", keyed(p521))
	leaf := issue(t, r, "Siti Fiktif")
	v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(r.cert)}})
	if err != nil {
		t.Fatal(err)
	}
	req := Request{Certificate: leaf.cert, Time: noon, Revocation: RevocationNone}
	first := v.newRun(context.Background(), &req)
	if res := first.search(func(inner *run, p path) *Result { return inner.at(p) }); res.Indication != Passed || first.signatures != 8 {
		t.Errorf("%v with %d", res.Err(), first.signatures)
	}
}

// TestPolicyGraphStaysSmall: mappings that double a policy tree at each
// certificate (as in CVE-2023-0464) cost a graph no more than their number.
func TestPolicyGraphStaysSmall(t *testing.T) {
	r := root(t, "Akar")
	up := r
	var pool []*party
	var list, pairs []OID
	for i := range 60 {
		list = append(list, OID(fmt.Sprintf("1.2.3.%d", i)))
	}
	for _, from := range list {
		for _, to := range list[:10] {
			pairs = append(pairs, from, to)
		}
	}
	for i := range 9 {
		up = issue(t, up, fmt.Sprintf("CA %d", i), ca(-1), policies(list...), mappings(pairs...))
		pool = append(pool, up)
	}
	leaf := issue(t, up, "Siti Fiktif", policies(list...))
	req := Request{Certificate: leaf.cert, Candidates: certs(pool...), Time: noon, Revocation: RevocationNone, RequireExplicitPolicy: true}
	res := anchored(t, r).Validate(context.Background(), req)
	expect(t, "60 policies mapped to 10 each, nine times", res, ReasonNone, "")
	if len(res.Policies) != 60 {
		t.Errorf("%d policies, want 60", len(res.Policies))
	}
	v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(r.cert)}, Limits: Limits{PolicyWork: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "with less work allowed", v.Validate(context.Background(), req), ReasonLimit, CertificateChainFailure)
}

// TestUnusableKeys: a key that cannot be read or verified with leaves the
// certificate readable and the path without an issuer.
func TestUnusableKeys(t *testing.T) {
	spki := func(oid OID, params, key []byte) []byte {
		return seqOf(func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidBytes(oid)); b.AddBytes(params) })
			b.AddASN1BitString(key)
		})
	}
	const dsaOID = OID("1.2.840.10040.4.1")
	for _, c := range []struct {
		name string
		spki []byte
	}{
		{"DSA without parameters", spki(dsaOID, nil, integer(5))},
		{"DSA with broken parameters", spki(dsaOID, []byte{0x30, 1, 2}, integer(5))},
		{"DSA with a negative key", spki(dsaOID, nil, integer(-5))},
		{"unknown kind", spki("1.2.3.4", nil, integer(5))},
		{"RSA that is none", spki("1.2.840.113549.1.1.1", []byte{5, 0}, integer(5))},
		{"RSASSA-PSS that is none", spki("1.2.840.113549.1.1.10", nil, integer(5))},
	} {
		if _, err := NewAnchorKey(distinguished("Akar"), c.spki); err == nil && c.name != "DSA without parameters" {
			t.Errorf("%s: anchor", c.name)
		}
		r := root(t, "Akar")
		mid := issue(t, r, "CA", ca(-1), func(s *spec) { s.spki = c.spki })
		leaf := issue(t, mid, "Siti Fiktif")
		if res := ask(anchored(t, r), leaf, mid); res.Indication == Passed {
			t.Errorf("%s: passed", c.name)
		}
		if res := ask(anchored(t, r), mid); res.Indication == Passed {
			t.Errorf("%s: passed as a target", c.name)
		}
	}
}

func TestFromX509(t *testing.T) {
	r := root(t, "Akar")
	leaf := issue(t, r, "Siti Fiktif", usage(DigitalSignature), eku(ExtKeyUsageEmail), policies("2.25.1", "1.2.3"))
	x, err := x509.ParseCertificate(leaf.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	c, err := FromX509(x)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Equal(leaf.cert) || c.Serial.Cmp(x.SerialNumber) != 0 || !c.NotBefore.Equal(x.NotBefore) || !c.NotAfter.Equal(x.NotAfter) ||
		!bytes.Equal(c.Subject.Raw, x.RawSubject) || !c.PublicKey.(*ecdsa.PublicKey).Equal(x.PublicKey) || !c.HasExtKeyUsage(ExtKeyUsageEmail) {
		t.Errorf("read %+v, crypto/x509 %+v", c, x)
	}
	if !r.cert.IsCA() || c.IsCA() || !r.cert.SelfIssued() || c.SelfIssued() || c.Policies[0] != "2.25.1" {
		t.Errorf("kind of %s", c.Subject)
	}
}
