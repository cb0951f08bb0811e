package certpath

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// named makes a distribution point whose list is that of signer.
func named(signer *party) option {
	return points(point{full: [][]byte{uri("http://crl.contoh.invalid/i")}, issuer: [][]byte{directory(signer.cert.Subject.Raw)}})
}

// TestIssuersOfListsInsideOneAnother: the status of a CRL issuer is on a list of
// another, and so on. Chains end at the bound, and circles do not close.
func TestIssuersOfListsInsideOneAnother(t *testing.T) {
	chain := func(n int) (*world, []any) {
		w := newWorld(t)
		var material []any
		above := (*party)(nil) // whose list has the next
		for i := range n {
			options := []option{usage(CRLSign)}
			if above != nil {
				options = append(options, named(above))
			}
			x := issue(t, w.ca, fmt.Sprintf("Penerbit CRL %d", i), options...)
			if above == nil {
				// The list of the CA covers only the innermost by name.
				x = issue(t, w.ca, "Penerbit CRL 0", usage(CRLSign), points(point{full: [][]byte{uri("http://crl.contoh.invalid/0")}}))
				material = append(material, w.ca.crl(list{number: 1, exts: []ext{idp(point{full: [][]byte{uri("http://crl.contoh.invalid/0")}})}}))
			}
			material = append(material, x, x.crl(list{number: 1, exts: []ext{idp(point{}, indirect)}}))
			above = x
		}
		w.leaf = issue(t, w.ca, "Budi Fiktif", named(above))
		return w, material
	}
	for n, reason := range map[int]Reason{1: ReasonNone, 3: ReasonNone, 4: ReasonNoRevocation} {
		w, material := chain(n)
		sub := TryLater
		if reason == ReasonNone {
			sub = ""
		}
		expect(t, fmt.Sprintf("%d inside one another", n), w.v.Validate(context.Background(), w.request(material...)), reason, sub)
	}
	w := newWorld(t)
	keyA, keyB := newKey(t), newKey(t)
	nameA, nameB := &party{cert: &Certificate{Subject: Name{Raw: distinguished("A")}}}, &party{cert: &Certificate{Subject: Name{Raw: distinguished("B")}}}
	a := issue(t, w.ca, "A", usage(CRLSign), keyed(keyA), named(nameB))
	b := issue(t, w.ca, "B", usage(CRLSign), keyed(keyB), named(nameA))
	w.leaf = issue(t, w.ca, "Budi Fiktif", named(nameA))
	material := some(a, b, a.crl(list{exts: []ext{idp(point{}, indirect)}}), b.crl(list{exts: []ext{idp(point{}, indirect)}}))
	expect(t, "a circle of two", w.v.Validate(context.Background(), w.request(material...)), ReasonNoRevocation, TryLater)
	// A CRL issuer that its CA made responsible for itself, as in PKITS 4.14.30.
	own := issue(t, w.ca, "A", usage(CRLSign), keyed(keyA), named(nameA))
	w.leaf = issue(t, w.ca, "Budi Fiktif", named(nameA))
	l := own.crl(list{exts: []ext{idp(point{}, indirect)}})
	expect(t, "responsible for itself", w.v.Validate(context.Background(), w.request(own, l)), ReasonNone, "")
	ended := issue(t, w.ca, "A", usage(CRLSign), keyed(keyA), named(nameA), period(start, noon.Add(-2*day)))
	expect(t, "responsible for itself, ended", w.v.Validate(context.Background(), w.request(ended, l)), ReasonNoRevocation, TryLater)
}

// TestMaterialIsBounded: no more than the first of many answers and lists.
func TestMaterialIsBounded(t *testing.T) {
	w := newWorld(t)
	var material []any
	other := root(t, "CA Contoh")
	for range 70 {
		material = append(material, other.ocsp(w.good(answer{})), other.crl(list{number: 1}))
	}
	material = append(material, w.ca.ocsp(w.good(answer{})), w.ca.crl(list{number: 1}))
	res := w.v.Validate(context.Background(), w.request(material...))
	expect(t, "behind 70 others", res, ReasonNoRevocation, TryLater)
	if len(res.Notes) != 64 {
		t.Errorf("%d notes, want no more than 64", len(res.Notes))
	}
	for _, n := range res.Notes[:1] {
		if !errors.Is(n, errNoIssuer) && !errors.Is(n, ErrSignature) && !errors.Is(n, errLimit) && !errors.Is(n, errResponder) {
			t.Errorf("note %v", n)
		}
	}
}

// TestBestFailure: of paths that all fail the one that got furthest is told,
// and the others are kept.
func TestBestFailure(t *testing.T) {
	a, b := root(t, "Akar A"), root(t, "Akar B")
	key := newKey(t)
	byA := issue(t, a, "CA", ca(-1), keyed(key), usage(CRLSign))
	byB := issue(t, b, "CA", ca(-1), keyed(key), period(start, noon.Add(-day)))
	leaf := issue(t, byA, "Siti Fiktif")
	for _, pool := range [][]*party{{byA, byB}, {byB, byA}} {
		res := ask(anchored(t, a, b), leaf, pool...)
		expect(t, "expired above a missing keyCertSign", res, ReasonExpired, OutOfBoundsNoPOE)
		if len(res.Rejected) != 1 || res.Rejected[0].Reason != ReasonKeyUsage {
			t.Errorf("rejected %v", res.Rejected)
		}
	}
}

// TestPastChoosesStatements: a revocation for good beats what is newer; else
// the newest that was proven in time counts.
func TestPastChoosesStatements(t *testing.T) {
	w := newWorld(t)
	w.rootCRL = w.root.crl(list{number: 1, this: noon})
	since := func([]byte) (time.Time, bool) { return noon, true }
	for _, c := range []struct {
		name     string
		material []any
		change   func(*Request)
		control  time.Time
		kind     StatusKind
	}{
		{"the newer of two", some(w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day)})), w.ca.ocsp(w.good(answer{this: noon.Add(-5 * day)}))), nil, noon.Add(-5 * day), StatusGood},
		{"a revocation before what is newer", some(w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day), kind: StatusRevoked, revokedAt: noon.Add(-20 * day)})),
			w.ca.ocsp(w.good(answer{this: noon.Add(-5 * day)}))), nil, noon.Add(-20 * day), StatusRevoked},
		{"the earlier of two revocations", some(w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day), kind: StatusRevoked, revokedAt: noon.Add(-20 * day)})),
			w.ca.crl(list{number: 1, this: noon.Add(-5 * day), entries: []gone{revokes(w.leaf, noon.Add(-21*day), 0)}})), nil, noon.Add(-21 * day), StatusRevoked},
		{"the earlier of two revocations, told by the older", some(w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day), kind: StatusRevoked, revokedAt: noon.Add(-21 * day)})),
			w.ca.crl(list{number: 1, this: noon.Add(-5 * day), entries: []gone{revokes(w.leaf, noon.Add(-20*day), 0)}})), nil, noon.Add(-21 * day), StatusRevoked},
		{"list with its delta", some(w.ca.crl(list{number: 1, this: noon.Add(-20 * day)}), w.ca.crl(list{number: 2, base: 1, this: noon.Add(-3 * day), next: noon.Add(-2 * day)})),
			nil, noon.Add(-3 * day), StatusGood},
		{"none, where it counts if available", nil, func(r *Request) { r.Revocation = RevocationIfAvailable }, noon, StatusUnknown},
	} {
		req := w.request(c.material...)
		req.Now, req.POE = noon.Add(500*day), since
		if c.change != nil {
			c.change(&req)
		}
		res := w.v.ValidatePast(context.Background(), req)
		expect(t, c.name, res, ReasonNone, "")
		if !res.ControlTime.Equal(c.control) || res.Statuses[0].Kind != c.kind {
			t.Errorf("%s: control time %s and %v, want %s and %v", c.name, res.ControlTime, res.Statuses[0].Kind, c.control, c.kind)
		}
	}
	exempt := newWorld(t, with(extNoRevAvail, false, []byte{5, 0}))
	exempt.rootCRL = exempt.root.crl(list{number: 1, this: start.Add(1200 * day)})
	req := exempt.request()
	req.Now, req.POE = start.Add(1500*day), since
	res := exempt.v.ValidatePast(context.Background(), req)
	expect(t, "exempt", res, ReasonNone, "")
	if !res.ControlTime.Equal(exempt.leaf.cert.NotAfter) || res.Statuses[0].Kind != StatusExempt {
		t.Errorf("exempt: control time %s", res.ControlTime)
	}
	none := w.request()
	none.Now, none.POE, none.Revocation = noon.Add(500*day), nil, RevocationIfAvailable
	expect(t, "nothing is proven", w.v.ValidatePast(context.Background(), none), ReasonNoPOE, NoPOE)
	bad := newWorld(t)
	bad.leaf = issue(t, bad.ca, "Budi Fiktif", with("\x2a\x03\x04", true, []byte{5, 0}))
	req = bad.request()
	req.Now = noon
	expect(t, "unknown critical extension", bad.v.ValidatePast(context.Background(), req), ReasonExtension, CertificateChainFailure)
}

// TestAnchorPoliciesMeetTheUser: RFC 5937, policies of both sides.
func TestAnchorPoliciesMeetTheUser(t *testing.T) {
	r := root(t, "Akar", policies("1.2.3", "1.2.4"))
	leaf := issue(t, r, "Siti Fiktif", policies("1.2.3"))
	a := NewAnchor(r.cert)
	a.Constrain = true
	v, err := NewValidator(Config{Anchors: []*Anchor{a}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user   []OID
		reason Reason
	}{{nil, ReasonNone}, {[]OID{AnyPolicy}, ReasonNone}, {[]OID{"1.2.3", "1.2.5"}, ReasonNone}, {[]OID{"1.2.4"}, ReasonPolicy}, {[]OID{"1.2.5"}, ReasonPolicy}} {
		res := v.Validate(context.Background(), Request{Certificate: leaf.cert, Time: noon, Revocation: RevocationNone, Policies: c.user, RequireExplicitPolicy: true})
		sub := SubIndication("")
		if c.reason != ReasonNone {
			sub = CertificateChainFailure
		} else if len(res.Policies) != 1 || res.Policies[0] != "1.2.3" {
			t.Errorf("user %v: policies %v", c.user, res.Policies)
		}
		expect(t, fmt.Sprint("user ", c.user), res, c.reason, sub)
	}
	// An anchor without policies, or with anyPolicy, constrains none.
	for _, o := range [][]option{nil, {policies(AnyPolicy)}} {
		r := root(t, "Akar", o...)
		a := NewAnchor(r.cert)
		a.Constrain = true
		v, err := NewValidator(Config{Anchors: []*Anchor{a}})
		if err != nil {
			t.Fatal(err)
		}
		req := Request{Certificate: issue(t, r, "Siti Fiktif", policies("1.2.3")).cert, Time: noon, Revocation: RevocationNone, Policies: []OID{"1.2.3"}, RequireExplicitPolicy: true}
		expect(t, "anchor without a policy of its own", v.Validate(context.Background(), req), ReasonNone, "")
	}
}

// TestRefusedEncodings: what RFC 5280 does not allow is not read.
func TestRefusedEncodings(t *testing.T) {
	w := newWorld(t)
	tlv := func(tag cbasn1.Tag, parts ...byte) []byte {
		return der(func(b *cryptobyte.Builder) { b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(parts) }) })
	}
	empty := tlv(cbasn1.SEQUENCE)
	for name, e := range map[string]ext{
		"keyUsage that is no BIT STRING":          {extKeyUsage, true, empty},
		"basicConstraints with a negative length": {extBasicConstraints, true, seqOf(func(b *cryptobyte.Builder) { b.AddASN1Boolean(true); b.AddASN1Int64(-1) })},
		"extKeyUsage without a purpose":           {extExtKeyUsage, false, empty},
		"address of five bytes":                   {extSubjectAltName, false, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(tlv(implicit(uint8(NameIP)), 1, 2, 3, 4, 5)) })},
		"name with a NUL":                         {extSubjectAltName, false, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(tlv(implicit(uint8(NameDNS)), 'a', 0, 'b')) })},
		"nameConstraints without a tree":          {extNameConstraints, true, empty},
		"nameConstraints with a maximum": {extNameConstraints, true, seqOf(func(b *cryptobyte.Builder) {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(tlv(implicit(2), 'a')); b.AddBytes(tlv(implicit(1), 3)) })
			})
		})},
		"policies without one":         {extCertificatePolicies, false, empty},
		"policy that occurs twice":     {extCertificatePolicies, false, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(oids("1.2.3")); b.AddBytes(oids("1.2.3")) })},
		"policyMappings without one":   {extPolicyMappings, true, empty},
		"policyConstraints of nothing": {extPolicyConstraints, true, empty},
		"inhibitAnyPolicy below zero":  {extInhibitAnyPolicy, true, integer(-1)},
		"distribution points, none":    {extCRLDistributionPoint, false, empty},
		"trailing bytes":               {extSubjectKeyID, false, append(tlv(cbasn1.OCTET_STRING, 1), 0)},
	} {
		tbs, err := tryIssue(w, e)
		if err == nil {
			t.Errorf("%s: read as %+v", name, tbs)
		} else if !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tryIssue(w, ext{extSubjectKeyID, false, tlv(cbasn1.OCTET_STRING, 1)}, ext{extSubjectKeyID, false, tlv(cbasn1.OCTET_STRING, 1)}); !errors.Is(err, errMalformed) {
		t.Errorf("an extension twice: %v", err)
	}
	if _, err := ParseCertificate(make([]byte, MaxCertificate+1)); !errors.Is(err, errMalformed) {
		t.Errorf("large: %v", err)
	}
	issuerOf := []ext{{extCertificateIssuer, true, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(directory(w.ca.cert.Subject.Raw)) })}}
	for name, l := range map[string]list{
		"certificateIssuer in a list that is not indirect": {entries: []gone{{serial: big.NewInt(1), at: noon, exts: issuerOf}}},
		"negative number":                {number: -1, exts: []ext{{extCRLNumber, false, integer(-1)}}},
		"deltaCRLIndicator of no number": {exts: []ext{{extDeltaCRLIndicator, true, empty}}},
		"issuer without a name":          {issuer: empty},
		"IDP with an odd flag":           {exts: []ext{{extIssuingDistPoint, true, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(tlv(implicit(1), 7)) })}}},
		"expiredCertsOnCRL of no time":   {exts: []ext{{extExpiredCertsOnCRL, false, empty}}},
	} {
		if _, err := ParseCRL(w.ca.crlDER(l)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tryIssue makes a certificate with the extensions, and reads it.
func tryIssue(w *world, list ...ext) (c *Certificate, err error) {
	raw := issue(w.t, w.ca, "Budi Fiktif", with("\x2a\x03\x05", false, []byte{5, 0})).cert
	good := der(func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(3), func(b *cryptobyte.Builder) { addExtensions(b, []ext{{"\x2a\x03\x05", false, []byte{5, 0}}}) })
	})
	seq, _ := sequence(raw.RawTBS)
	tbs := seqOf(func(b *cryptobyte.Builder) {
		b.AddBytes(seq[:len(seq)-len(good)])
		b.AddASN1(explicit(3), func(b *cryptobyte.Builder) { addExtensions(b, list) })
	})
	return ParseCertificate(signedDER(w.t, w.ca.key, false, crypto.SHA256, tbs))
}

// TestToleratedEncodings: what is not allowed, harms nothing and occurs.
func TestToleratedEncodings(t *testing.T) {
	w := newWorld(t)
	if c, err := tryIssue(w, ext{extSubjectAltName, false, []byte{0x30, 0}}); err != nil || len(c.AltNames) != 0 {
		t.Errorf("subjectAltName without a name: %v", err)
	}
	cutoff := ext{extOCSPArchiveCutoff, false, []byte{0x17, 1, '2'}}
	res := w.v.Validate(context.Background(), w.request(w.ca.ocsp(w.good(answer{single: []ext{cutoff}}))))
	expect(t, "archive cutoff that cannot be read", res, ReasonNone, "")
	late := w.request(w.ca.ocsp(w.good(answer{this: w.leaf.cert.NotAfter.Add(time.Hour), single: []ext{cutoff}})))
	late.Now = start.Add(1001 * day)
	expect(t, "which covers nothing", w.v.Validate(context.Background(), late), ReasonNoRevocation, TryLater)
}

// TestInvalidityDate is told with the status.
func TestInvalidityDate(t *testing.T) {
	w := newWorld(t)
	lost := noon.Add(-9 * day)
	g := revokes(w.leaf, noon.Add(-2*day), KeyCompromise)
	g.exts = []ext{{extInvalidityDate, false, der(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(lost) })}}
	res := w.v.Validate(context.Background(), w.request(w.ca.crl(list{number: 1, entries: []gone{g}})))
	if s, _, ok := res.Revoked(); !ok || !s.InvalidityDate.Equal(lost) {
		t.Errorf("status %+v", s)
	}
	g.exts[0].value = []byte{5, 0}
	res = w.v.Validate(context.Background(), w.request(w.ca.crl(list{number: 1, entries: []gone{g}})))
	expect(t, "entry that cannot be read", res, ReasonNoRevocation, TryLater)
}

// TestKeyForPSSOnly: an id-RSASSA-PSS key does not verify PKCS #1 v1.5.
func TestKeyForPSSOnly(t *testing.T) {
	key := newRSA(t, 2048)
	plain := root(t, "Akar", keyed(key))
	spki := seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, []byte(oidPSS)) })
		b.AddASN1BitString(plain.cert.KeyBits)
	})
	a, err := NewAnchorKey(plain.cert.Subject.Raw, spki)
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewValidator(Config{Anchors: []*Anchor{a}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "PKCS #1 v1.5", ask(v, issue(t, plain, "Siti Fiktif")), ReasonUnsupportedKey, NoCertificateChainFound)
	expect(t, "RSASSA-PSS", ask(v, issue(t, plain, "Siti Fiktif", func(s *spec) { s.pss = true })), ReasonNone, "")
}

// TestErrorsNameNobody: the text of an error has a CA's name and no person's.
func TestErrorsNameNobody(t *testing.T) {
	w := newWorld(t)
	at := noon.Add(-2 * day)
	person := w.v.Validate(context.Background(), w.request(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, at, KeyCompromise)}}))).Err()
	if want := fmt.Sprintf("certificate 0, serial number %x: revoked", w.leaf.cert.RawSerial); person == nil || !strings.HasPrefix(person.Error(), want) || strings.Contains(person.Error(), "Budi") {
		t.Errorf("%v, want %s...", person, want)
	}
	w.rootCRL = w.root.crl(list{number: 2, entries: []gone{revokes(w.ca, at, CACompromise)}})
	authority := w.v.Validate(context.Background(), w.request(w.ca.crl(list{number: 1}))).Err()
	if authority == nil || !strings.HasPrefix(authority.Error(), "certificate 1, CN=CA Contoh,O=Contoh Fiktif: revoked") {
		t.Errorf("%v", authority)
	}
}
