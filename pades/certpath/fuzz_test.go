package certpath

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// seeded makes the same key at every run, so that inputs that were found stay
// what they are.
func seeded(n byte) option {
	return keyed(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize)))
}

// full is a hierarchy that uses every extension that the package reads.
func full(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	crl := uri("http://crl.contoh.invalid/a.crl")
	w.root = root(t, "Akar Contoh", seeded(1), numberIs(1), usage(KeyCertSign|CRLSign))
	w.ca = issue(t, w.root, "CA Contoh", seeded(2), numberIs(2), ca(0), usage(KeyCertSign|CRLSign), policies(AnyPolicy), mappings("1.2.3", "1.2.4"),
		policyConstraints(5, 6), inhibitAny(7), constraint(1, subtrees(NameDNS, []byte("lain.invalid"))),
		with(extSubjectKeyID, false, []byte{4, 2, 1, 2}), with(extFreshestCRL, false, pointsValue(point{full: [][]byte{crl}})))
	access := seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, []byte(accessOCSP))
			b.AddBytes(uri("http://ocsp.contoh.invalid"))
		})
	})
	w.leaf = issue(t, w.ca, "Budi Fiktif", seeded(3), numberIs(3), usage(DigitalSignature), eku(ExtKeyUsageEmail), policies("1.2.3"),
		altName(NameEmail, []byte("budi@contoh.invalid")), points(point{full: [][]byte{crl}, reasons: allReasons}),
		with(extAuthorityKeyID, false, []byte{0x30, 4, 0x80, 2, 1, 2}), with(extAuthorityInfoAccess, false, access))
	w.v = anchored(t, w.root)
	w.rootCRL = w.root.crl(list{number: 1, entries: []gone{{serial: big.NewInt(9), at: start, reason: Superseded}}})
	return w
}

func pointsValue(p point) []byte {
	s := &spec{}
	points(p)(s)
	return s.exts[0].value
}

// objects are the DER objects that a validation of w rests on.
func (w *world) objects() [4][]byte {
	return [4][]byte{w.leaf.cert.Raw, w.ca.cert.Raw, w.rootCRL.Raw, w.ca.ocspDER(w.good(answer{}))}
}

// validates reports whether the four objects make a valid path.
func (w *world) validates(o [4][]byte) bool {
	leaf, err1 := ParseCertificate(o[0])
	mid, err2 := ParseCertificate(o[1])
	l, err3 := ParseCRL(o[2])
	r, err4 := ParseOCSP(o[3])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return false
	}
	res := w.v.Validate(context.Background(), Request{Certificate: leaf, Candidates: []*Certificate{mid}, Time: noon, Source: NewArchive(nil, []*CRL{l}, []*OCSPResponse{r})})
	return res.Indication == Passed
}

// TestEveryByteCounts flips each byte of each object.
func TestEveryByteCounts(t *testing.T) {
	w := full(t)
	if !w.validates(w.objects()) {
		t.Fatal("not valid as it is")
	}
	objects := w.objects()
	for which, object := range objects {
		for i := range object {
			o := objects
			o[which] = bytes.Clone(object)
			o[which][i] ^= 1 << (i % 8)
			if w.validates(o) {
				t.Errorf("valid with byte %d of object %d changed", i, which)
			}
		}
	}
}

// FuzzValidate changes one object of a valid path: it is never valid again.
func FuzzValidate(f *testing.F) {
	w := full(f)
	for which := range byte(4) {
		f.Add(which, uint16(20), []byte{1})
		f.Add(which, uint16(len(w.objects()[which])-3), []byte{0x80, 0, 3})
	}
	objects := w.objects()
	f.Fuzz(func(t *testing.T, which byte, at uint16, change []byte) {
		o := objects
		object := bytes.Clone(o[which%4])
		if len(change) == 0 {
			object = object[:int(at)%len(object)]
		}
		for i, c := range change {
			if j := int(at) + i; j < len(object) {
				object[j] ^= c
			}
		}
		same := bytes.Equal(object, o[which%4])
		o[which%4] = object
		if valid := w.validates(o); valid != same {
			t.Errorf("valid = %v with object %d changed at %d by %x", valid, which%4, at, change)
		}
	})
}

// FuzzCertificate reads certificates; what crypto/x509 reads as well has to
// mean the same.
func FuzzCertificate(f *testing.F) {
	w := full(f)
	for _, p := range []*party{w.root, w.ca, w.leaf, issue(f, nil, "P-256", policies("1.2.3"))} {
		f.Add(p.cert.Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Raw, der) || c.Version < 1 || c.Version > 3 {
			t.Errorf("read %x as %x", der, c.Raw)
		}
		_ = c.Subject.String()
		x, err := c.X509()
		if err != nil {
			return
		}
		if c.Serial.Cmp(x.SerialNumber) != 0 || !bytes.Equal(c.Subject.Raw, x.RawSubject) || !bytes.Equal(c.Issuer.Raw, x.RawIssuer) ||
			!c.NotBefore.Equal(x.NotBefore) || !c.NotAfter.Equal(x.NotAfter) || c.IsCA() != x.IsCA || KeyUsage(x.KeyUsage) != c.KeyUsage&0x1ff {
			t.Errorf("differs from crypto/x509: %x", der)
		}
	})
}

// FuzzExtension reads one extension of a certificate.
func FuzzExtension(f *testing.F) {
	w := full(f)
	for _, p := range []*party{w.root, w.ca, w.leaf} {
		for _, e := range p.cert.Extensions {
			f.Add(e.ID, e.Value)
		}
	}
	f.Fuzz(func(_ *testing.T, id string, value []byte) {
		c := &Certificate{}
		known, err := c.parseExtension(Extension{ID: id, Value: value})
		if known && err == nil && c.NameConstraints != nil {
			s := constraints{work: 1000}
			s.add(c.NameConstraints)
			_ = s.check(w.leaf.cert)
		}
	})
}

// FuzzCRL reads lists and looks certificates up in them.
func FuzzCRL(f *testing.F) {
	w := full(f)
	f.Add(w.rootCRL.Raw)
	f.Add(w.ca.crlDER(list{number: 2, base: 1, fill: 2, exts: []ext{idp(point{full: [][]byte{uri("http://a.invalid")}, reasons: 6}, indirect)}}))
	f.Fuzz(func(t *testing.T, der []byte) {
		l, err := ParseCRL(der)
		if err != nil {
			return
		}
		if _, _, err := l.Lookup([]byte{9}, l.Issuer); err == nil {
			if x, err := x509.ParseRevocationList(der); err == nil && len(x.RevokedCertificateEntries) != l.Entries {
				t.Errorf("%d entries, crypto/x509 %d: %x", l.Entries, len(x.RevokedCertificateEntries), der)
			}
		}
	})
}

// FuzzOCSP reads answers.
func FuzzOCSP(f *testing.F) {
	w := full(f)
	f.Add(w.objects()[3])
	r := w.ca
	f.Add(r.ocspDER(w.good(answer{byKey: true, embed: []*party{w.ca}, kind: StatusRevoked, revokedAt: start, reason: KeyCompromise, exts: []ext{{extOCSPNonce, false, []byte{4, 1, 1}}}})))
	f.Fuzz(func(t *testing.T, der []byte) {
		o, err := ParseOCSP(der)
		if err != nil {
			return
		}
		for _, a := range o.Answers {
			if a.CertID.Matches(w.leaf.cert, w.ca.cert.Subject, w.ca.cert.KeyBits) && a.Kind < StatusUnknown {
				t.Errorf("answer of kind %v", a.Kind)
			}
		}
	})
}

// FuzzName compares names: matching does not depend on the order.
func FuzzName(f *testing.F) {
	f.Add(distinguished("Budi Fiktif"), distinguished("budi  fiktif"))
	f.Fuzz(func(t *testing.T, x, y []byte) {
		a, err := ParseName(x)
		if err != nil {
			return
		}
		if !a.Equal(a) || !a.within(a) {
			t.Error("differs from itself")
		}
		b, err := ParseName(y)
		if err == nil && (a.Equal(b) != b.Equal(a) || a.Equal(b) && (!a.within(b) || !b.within(a))) {
			t.Errorf("%x and %x", x, y)
		}
	})
}
