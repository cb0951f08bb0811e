package certpath

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"testing"
)

// BenchmarkValidate validates subscriber, CA and root with an OCSP answer and a
// CRL, with every signature remembered and with none.
func BenchmarkValidate(b *testing.B) {
	for _, c := range []struct {
		name  string
		cache int
		key   option
	}{{"P-256/remembered", 0, nil}, {"P-256/afresh", -1, nil}, {"RSA-2048/remembered", 0, keyed(newRSA(b, 2048))}, {"RSA-2048/afresh", -1, keyed(newRSA(b, 2048))}} {
		b.Run(c.name, func(b *testing.B) {
			options := []option{usage(KeyCertSign | CRLSign), ca(-1)}
			if c.key != nil {
				options = append(options, c.key)
			}
			w := &world{t: b, root: issue(b, nil, "Akar Contoh", options...)}
			w.ca = issue(b, w.root, "CA Contoh", options...)
			w.leaf = issue(b, w.ca, "Budi Fiktif")
			w.rootCRL = w.root.crl(list{number: 1})
			v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(w.root.cert)}, Cache: c.cache})
			if err != nil {
				b.Fatal(err)
			}
			req := w.request(w.ca.ocsp(w.good(answer{})))
			b.ReportAllocs()
			for b.Loop() {
				if res := v.Validate(context.Background(), req); res.Indication != Passed {
					b.Fatal(res.Err())
				}
			}
		})
	}
}

// BenchmarkValidatePast is the same for the past.
func BenchmarkValidatePast(b *testing.B) {
	w := newWorld(b)
	req := w.request(w.ca.ocsp(w.good(answer{this: noon.Add(-day)})))
	req.Now, req.POE = noon.Add(900*day), w.existsSince
	b.ReportAllocs()
	for b.Loop() {
		if res := w.v.ValidatePast(context.Background(), req); res.Indication != Passed {
			b.Fatal(res.Err())
		}
	}
}

func BenchmarkParseCertificate(b *testing.B) {
	w := newWorld(b, policies("1.2.3"), eku(ExtKeyUsageEmail), points(point{full: [][]byte{uri("http://crl.contoh.invalid/a")}}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseCertificate(w.leaf.cert.Raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCRL parses lists, and looks for a certificate that they do not
// have.
func BenchmarkCRL(b *testing.B) {
	w := newWorld(b)
	for _, n := range []int{100, 10_000, 1_000_000} {
		der := w.ca.crlDER(list{number: 1, fill: n})
		b.Run(fmt.Sprintf("parse/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(der)))
			for b.Loop() {
				if _, err := ParseCRL(der); err != nil {
					b.Fatal(err)
				}
			}
		})
		l, err := ParseCRL(der)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("lookup/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, found, err := l.Lookup(w.leaf.cert.RawSerial, w.ca.cert.Subject); found || err != nil {
					b.Fatal(found, err)
				}
			}
		})
	}
}

// BenchmarkPKITS runs the whole suite, every certificate and every CRL being
// at hand.
func BenchmarkPKITS(b *testing.B) {
	p := loadPKITS(b)
	for _, c := range []struct {
		name  string
		cache int
	}{{"remembered", 0}, {"afresh", -1}} {
		b.Run(c.name, func(b *testing.B) {
			v := p.validator(b, c.cache)
			cases := pkitsCases()
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range cases {
					v.Validate(context.Background(), Request{Certificate: p.certs[c.target], Candidates: p.all, Time: pkitsTime, Source: p.crls})
				}
			}
		})
	}
}

// BenchmarkHostile validates, with nothing remembered, a subscriber below 20
// authorities of which each has certified every other with keys that cost the
// most for their share of Limits.Signatures.
func BenchmarkHostile(b *testing.B) {
	rsa4096 := newRSA(b, 4096)
	for name, key := range map[string]func() crypto.Signer{
		"P-256":    func() crypto.Signer { return newKey(b) },
		"RSA-4096": func() crypto.Signer { return rsa4096 },
		"P-521": func() crypto.Signer {
			k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			if err != nil {
				b.Fatal(err)
			}
			return k
		},
	} {
		b.Run(name, func(b *testing.B) {
			var ring, mesh []*party
			for i := range 20 {
				ring = append(ring, issue(b, nil, fmt.Sprintf("CA %d", i), ca(-1), keyed(key())))
			}
			for i := range 20 {
				for j := range 20 {
					if i != j {
						mesh = append(mesh, issue(b, ring[i], fmt.Sprintf("CA %d", j), ca(-1), keyed(ring[j].key)))
					}
				}
			}
			v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(root(b, "Akar").cert)}, Cache: -1})
			if err != nil {
				b.Fatal(err)
			}
			leaf := issue(b, ring[0], "Budi Fiktif")
			for b.Loop() {
				if res := ask(v, leaf, mesh...); res.Indication == Passed {
					b.Fatal("passed")
				}
			}
		})
	}
}
