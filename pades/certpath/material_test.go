package certpath

import (
	"crypto"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// gone is one entry of a CRL.
type gone struct {
	serial *big.Int
	at     time.Time
	reason RevocationReason
	exts   []ext
}

// list is what a CRL says.
type list struct {
	this, next time.Time
	number     int64 // -1: no cRLNumber
	base       int64 // 0: complete
	entries    []gone
	exts       []ext
	hash       crypto.Hash
	issuer     []byte // name, else that of who signs
	fill       int    // entries of no interest
}

func integer(n int64) []byte { return der(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

// crl makes the CRL that l describes.
func (p *party) crl(l list) *CRL {
	p.t.Helper()
	out, err := ParseCRL(p.crlDER(l))
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *party) crlDER(l list) []byte {
	p.t.Helper()
	if l.this.IsZero() {
		l.this = noon.Add(-day)
	}
	if l.next.IsZero() {
		l.next = l.this.Add(7 * day)
	}
	if l.hash == 0 {
		l.hash = crypto.SHA256
	}
	if l.issuer == nil {
		l.issuer = p.cert.Subject.Raw
	}
	exts := l.exts
	if l.number >= 0 {
		exts = append(exts, ext{extCRLNumber, false, integer(l.number)})
	}
	if l.base > 0 {
		exts = append(exts, ext{extDeltaCRLIndicator, true, integer(l.base)})
	}
	tbs := seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(algorithmOf(p.key, p.pss, l.hash))
		b.AddBytes(l.issuer)
		addTime(b, l.this)
		addTime(b, l.next)
		if len(l.entries)+l.fill > 0 {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for i := range l.fill {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1BigInt(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 120), big.NewInt(int64(i))))
						addTime(b, l.this)
					})
				}
				for _, e := range l.entries {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1BigInt(e.serial)
						addTime(b, e.at)
						exts := e.exts
						if e.reason != 0 {
							exts = append(exts, ext{extReasonCode, false, der(func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(e.reason)) })})
						}
						if len(exts) > 0 {
							addExtensions(b, exts)
						}
					})
				}
			})
		}
		if len(exts) > 0 {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addExtensions(b, exts) })
		}
	})
	return signedDER(p.t, p.key, p.pss, l.hash, tbs)
}

func revokes(c *party, at time.Time, reason RevocationReason) gone {
	return gone{serial: c.cert.Serial, at: at, reason: reason}
}

// directory gives a GeneralName of a distinguished name.
func directory(raw []byte) []byte {
	return der(func(b *cryptobyte.Builder) { b.AddASN1(explicit(4), func(b *cryptobyte.Builder) { b.AddBytes(raw) }) })
}

func uri(s string) []byte {
	return der(func(b *cryptobyte.Builder) {
		b.AddASN1(implicit(uint8(NameURI)), func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
	})
}

// point is one distribution point: full names, and the names of its CRL issuer.
type point struct {
	full, issuer [][]byte
	relative     []byte
	reasons      Reasons
}

func addPointName(b *cryptobyte.Builder, full [][]byte, relative []byte) {
	if full == nil && relative == nil {
		return
	}
	b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
		if relative != nil {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddBytes(relative) })
			return
		}
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			for _, n := range full {
				b.AddBytes(n)
			}
		})
	})
}

func addReasons(b *cryptobyte.Builder, tag uint8, r Reasons) {
	bits := usageBits(KeyUsage(r))
	b.AddASN1(implicit(tag), func(b *cryptobyte.Builder) { b.AddBytes(bits[2:]) })
}

func points(list ...point) option {
	return with(extCRLDistributionPoint, false, seqOf(func(b *cryptobyte.Builder) {
		for _, p := range list {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addPointName(b, p.full, p.relative)
				if p.reasons != 0 {
					addReasons(b, 1, p.reasons)
				}
				if p.issuer != nil {
					b.AddASN1(explicit(2), func(b *cryptobyte.Builder) {
						for _, n := range p.issuer {
							b.AddBytes(n)
						}
					})
				}
			})
		}
	}))
}

// idp makes an issuingDistributionPoint; flags are onlyUser, onlyCA, indirect,
// onlyAttribute.
func idp(p point, flags ...uint8) ext {
	return ext{extIssuingDistPoint, true, seqOf(func(b *cryptobyte.Builder) {
		addPointName(b, p.full, p.relative)
		for tag := uint8(1); tag <= 5; tag++ {
			if tag == 3 {
				if p.reasons != 0 {
					addReasons(b, 3, p.reasons)
				}
				continue
			}
			for _, f := range flags {
				if f == tag {
					b.AddASN1(implicit(tag), func(b *cryptobyte.Builder) { b.AddUint8(0xff) })
				}
			}
		}
	})}
}

const (
	onlyUser, onlyCA, indirect, onlyAttribute uint8 = 1, 2, 4, 5
)

// answer is what an OCSP response says.
type answer struct {
	about, issuer *party
	kind          StatusKind
	revokedAt     time.Time
	reason        RevocationReason
	this, next    time.Time
	produced      time.Time
	noNext        bool
	certHash      crypto.Hash // of CertID
	byKey         bool
	embed         []*party
	exts          []ext // of the response
	single        []ext
	hash          crypto.Hash
	basicOnly     bool
	keyBits       []byte   // instead of the issuer's
	more          []answer // about the same certificate
}

// ocsp signs an answer by p.
func (p *party) ocsp(a answer) *OCSPResponse {
	p.t.Helper()
	out, err := ParseOCSP(p.ocspDER(a))
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *party) ocspDER(a answer) []byte {
	p.t.Helper()
	if a.this.IsZero() {
		a.this = noon.Add(-time.Hour)
	}
	if a.next.IsZero() {
		a.next = a.this.Add(day)
	}
	if a.produced.IsZero() {
		a.produced = a.this
	}
	if a.certHash == 0 {
		a.certHash = crypto.SHA1
	}
	if a.hash == 0 {
		a.hash = crypto.SHA256
	}
	if a.kind == StatusUnchecked {
		a.kind = StatusGood
	}
	if a.keyBits == nil {
		a.keyBits = a.issuer.cert.KeyBits
	}
	tbs := seqOf(func(b *cryptobyte.Builder) {
		if a.byKey {
			b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(keyHashOf(p.cert)) })
		} else {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { b.AddBytes(p.cert.Subject.Raw) })
		}
		b.AddASN1GeneralizedTime(a.produced)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, x := range append([]answer{a}, a.more...) {
				x.about, x.issuer, x.keyBits, x.certHash = a.about, a.issuer, a.keyBits, a.certHash
				if x.next.IsZero() {
					x.next = x.this.Add(day)
				}
				x.add(b)
			}
		})
		if len(a.exts) > 0 {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addExtensions(b, a.exts) })
		}
	})
	var more [][]byte
	if len(a.embed) > 0 {
		more = append(more, der(func(b *cryptobyte.Builder) {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, c := range a.embed {
						b.AddBytes(c.cert.Raw)
					}
				})
			})
		}))
	}
	basic := signedDER(p.t, p.key, p.pss, a.hash, tbs, more...)
	if a.basicOnly {
		return basic
	}
	return seqOf(func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, []byte(ocspBasic))
				b.AddASN1OctetString(basic)
			})
		})
	})
}

// add writes the SingleResponse.
func (a answer) add(b *cryptobyte.Builder) {
	digest := func(x []byte) []byte { h := a.certHash.New(); h.Write(x); return h.Sum(nil) }
	oid, _ := hashOID(a.certHash)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, []byte(oid)); b.AddASN1NULL() })
			b.AddASN1OctetString(digest(a.issuer.cert.Subject.Raw))
			b.AddASN1OctetString(digest(a.keyBits))
			b.AddASN1BigInt(a.about.cert.Serial)
		})
		switch a.kind {
		case StatusGood:
			b.AddASN1(implicit(0), func(*cryptobyte.Builder) {})
		case StatusUnknown:
			b.AddASN1(implicit(2), func(*cryptobyte.Builder) {})
		default:
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(a.revokedAt)
				if a.reason != 0 {
					b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(a.reason)) })
				}
			})
		}
		b.AddASN1GeneralizedTime(a.this)
		if !a.noNext {
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(a.next) })
		}
		if len(a.single) > 0 {
			b.AddASN1(explicit(1), func(b *cryptobyte.Builder) { addExtensions(b, a.single) })
		}
	})
}

// world is a root, an issuing CA below it, and a subscriber.
type world struct {
	t              testing.TB
	root, ca, leaf *party
	v              *Validator
	rootCRL        *CRL // says that ca is good
}

func newWorld(t testing.TB, leaf ...option) *world {
	t.Helper()
	w := &world{t: t}
	w.root = root(t, "Akar Contoh", usage(KeyCertSign|CRLSign), period(start, start.Add(3000*day)))
	w.ca = issue(t, w.root, "CA Contoh", ca(0), usage(KeyCertSign|CRLSign), period(start, start.Add(2000*day)))
	w.leaf = issue(t, w.ca, "Budi Fiktif", append([]option{usage(DigitalSignature | ContentCommitment)}, leaf...)...)
	w.v = anchored(t, w.root)
	w.rootCRL = w.root.crl(list{number: 1, next: noon.Add(300 * day)})
	return w
}

// request asks about the subscriber at noon with the given material.
func (w *world) request(material ...any) Request {
	certs, crls, ocsps := []*Certificate(nil), []*CRL{w.rootCRL}, []*OCSPResponse(nil)
	for _, m := range material {
		switch m := m.(type) {
		case *party:
			certs = append(certs, m.cert)
		case *CRL:
			crls = append(crls, m)
		case *OCSPResponse:
			ocsps = append(ocsps, m)
		default:
			w.t.Fatalf("material of type %T", m)
		}
	}
	return Request{
		Certificate: w.leaf.cert, Candidates: append(certs, w.ca.cert), Time: noon,
		Source: NewArchive(nil, crls, ocsps),
	}
}

// existsSince is a POE that has everything since two days before noon.
func (w *world) existsSince([]byte) (time.Time, bool) { return noon.Add(-2 * day), true }
