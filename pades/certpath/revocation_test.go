package certpath

import (
	"context"
	"crypto"
	"errors"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

type revocationCase struct {
	name     string
	material func(w *world) []any
	change   func(*Request)
	reason   Reason
	sub      SubIndication
}

func (c revocationCase) run(t *testing.T) {
	t.Run(c.name, func(t *testing.T) {
		w := newWorld(t)
		req := w.request(c.material(w)...)
		if c.change != nil {
			c.change(&req)
		}
		expect(t, c.name, w.v.Validate(context.Background(), req), c.reason, c.sub)
	})
}

func some(m ...any) []any { return m }

func (w *world) good(a answer) answer {
	a.about, a.issuer = w.leaf, w.ca
	return a
}

// responder is a certificate for OCSP by the CA.
func (w *world) responder(options ...option) *party {
	return issue(w.t, w.ca, "OCSP Contoh", append([]option{eku(ExtKeyUsageOCSP), usage(DigitalSignature)}, options...)...)
}

func nocheck() option { return with(extOCSPNoCheck, false, []byte{5, 0}) }

func TestOCSP(t *testing.T) {
	for _, c := range []revocationCase{
		{"by the CA, named by name", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{}))) }, nil, ReasonNone, ""},
		{"by the CA, named by key", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{byKey: true}))) }, nil, ReasonNone, ""},
		{"CertID of SHA-256", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{certHash: crypto.SHA256}))) }, nil, ReasonNone, ""},
		{"BasicOCSPResponse", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{basicOnly: true}))) }, nil, ReasonNone, ""},
		{"with a nonce", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{exts: []ext{{extOCSPNonce, false, []byte{4, 1, 7}}}})))
		}, nil, ReasonNone, ""},
		{"unknown critical extension", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{exts: []ext{{"\x2a\x03\x04", true, []byte{5, 0}}}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"unknown critical extension of the answer", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{single: []ext{{"\x2a\x03\x04", true, []byte{5, 0}}}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"delegated, nocheck", func(w *world) []any {
			r := w.responder(nocheck())
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNone, ""},
		{"delegated, by key, certificate from elsewhere", func(w *world) []any {
			r := w.responder(nocheck())
			return some(r, r.ocsp(w.good(answer{byKey: true})))
		}, nil, ReasonNone, ""},
		{"delegated without nocheck, no status of the responder", func(w *world) []any {
			r := w.responder()
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"delegated without nocheck, responder on no CRL", func(w *world) []any {
			r := w.responder()
			return some(r.ocsp(w.good(answer{embed: []*party{r}})), w.ca.crl(list{number: 1}))
		}, nil, ReasonNone, ""},
		{"delegated without nocheck, answers for itself", func(w *world) []any {
			r := w.responder()
			return some(r.ocsp(w.good(answer{embed: []*party{r}})), r.ocsp(answer{about: r, issuer: w.ca, embed: []*party{r}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"delegated without nocheck, responder is revoked", func(w *world) []any {
			r := w.responder()
			return some(r.ocsp(w.good(answer{embed: []*party{r}})), w.root.crl(list{number: 1}), w.ca.crl(list{number: 1, exts: []ext{idp(point{reasons: 1 << 1})}, entries: []gone{revokes(r, start, KeyCompromise)}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"good and revoked in one response", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{more: []answer{{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour), this: noon.Add(-90 * time.Minute)}}})))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"revoked and good in one response", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour), more: []answer{{kind: StatusGood, this: noon}}})))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"two good ones in one response, the newer is fresh", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day), produced: noon, more: []answer{{kind: StatusGood, this: noon}}})))
		}, nil, ReasonNone, ""},
		{"delegated without id-kp-OCSPSigning", func(w *world) []any {
			r := issue(w.t, w.ca, "OCSP Contoh", nocheck(), eku(ExtKeyUsageEmail))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"delegated with anyExtendedKeyUsage only", func(w *world) []any {
			r := issue(w.t, w.ca, "OCSP Contoh", nocheck(), eku(AnyExtKeyUsage))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"delegated with keyUsage for something else", func(w *world) []any {
			r := issue(w.t, w.ca, "OCSP Contoh", nocheck(), eku(ExtKeyUsageOCSP), usage(KeyEncipherment))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"responder of another CA with the same name", func(w *world) []any {
			other := root(w.t, "CA Contoh")
			r := issue(w.t, other, "OCSP Contoh", nocheck(), eku(ExtKeyUsageOCSP))
			return some(other, r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"responder of the root", func(w *world) []any {
			r := issue(w.t, w.root, "OCSP Contoh", nocheck(), eku(ExtKeyUsageOCSP))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"the subscriber answers for itself", func(w *world) []any { return some(w.leaf, w.leaf.ocsp(w.good(answer{}))) }, nil, ReasonNoRevocation, TryLater},
		{"responder ended before it answered", func(w *world) []any {
			r := w.responder(nocheck(), period(start, noon.Add(-2*time.Hour)))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNoRevocation, TryLater},
		{"responder ended since", func(w *world) []any {
			r := w.responder(nocheck(), period(start, noon.Add(-30*time.Minute)))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, nil, ReasonNone, ""},
		{"responder ended since, strict", func(w *world) []any {
			r := w.responder(nocheck(), period(start, noon.Add(-30*time.Minute)))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, func(r *Request) { r.StrictIssuers = true }, ReasonNoRevocation, TryLater},
		{"responder ended since, strict, answer proven to be older", func(w *world) []any {
			r := w.responder(nocheck(), period(start, noon.Add(-30*time.Minute)))
			return some(r.ocsp(w.good(answer{embed: []*party{r}})))
		}, func(r *Request) {
			r.StrictIssuers = true
			r.POE = func([]byte) (time.Time, bool) { return noon.Add(-40 * time.Minute), true }
		}, ReasonNone, ""},
		{"revoked", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour), reason: KeyCompromise})))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"revoked without a reason", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour)})))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"on hold", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour), reason: CertificateHold})))
		}, nil, ReasonHold, TryLater},
		{"hold that was released", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-3 * time.Hour), reason: CertificateHold, this: noon.Add(-2 * time.Hour)})),
				w.ca.ocsp(w.good(answer{})))
		}, nil, ReasonNone, ""},
		{"an old good answer replayed beside a revocation", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{})),
				w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-3 * time.Hour), this: noon.Add(-2 * time.Hour)})))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"unknown", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{kind: StatusUnknown}))) }, nil, ReasonNoRevocation, TryLater},
		{"good for another serial number", func(w *world) []any {
			other := issue(w.t, w.ca, "Lain")
			return some(w.ca.ocsp(answer{about: other, issuer: w.ca}))
		}, nil, ReasonNoRevocation, TryLater},
		{"good for another issuer's key", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{keyBits: w.root.cert.KeyBits})))
		}, nil, ReasonNoRevocation, TryLater},
		{"nextUpdate is over", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(-3 * day), next: noon.Add(-time.Second)})))
		}, nil, ReasonStale, TryLater},
		{"no nextUpdate, an hour old", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{noNext: true}))) }, nil, ReasonNone, ""},
		{"no nextUpdate, two days old", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{noNext: true, this: noon.Add(-2 * day)})))
		}, nil, ReasonStale, TryLater},
		{"older than the freshness asked for", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{}))) },
			func(r *Request) { r.Freshness = 30 * time.Minute }, ReasonStale, TryLater},
		{"as fresh as asked for", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{}))) },
			func(r *Request) { r.Freshness = time.Hour }, ReasonNone, ""},
		{"the newest is over, an older one is not", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(-2 * day), next: noon.Add(day)})), w.ca.ocsp(w.good(answer{this: noon.Add(-day), next: noon.Add(-time.Hour)})))
		}, nil, ReasonNone, ""},
		{"from the future", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{this: noon.Add(2 * time.Minute)}))) }, nil, ReasonNoRevocation, TryLater},
		{"produced in the future", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{produced: noon.Add(time.Hour)}))) }, nil, ReasonNoRevocation, TryLater},
		{"about the future", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(time.Hour), produced: noon})))
		}, nil, ReasonNoRevocation, TryLater},
		{"nextUpdate before thisUpdate", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{next: noon.Add(-2 * time.Hour)}))) }, nil, ReasonNoRevocation, TryLater},
		{"clock a little ahead", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{this: noon.Add(time.Minute)}))) }, nil, ReasonNone, ""},
		{"made behind the control time, known now", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(10 * day)})))
		}, func(r *Request) { r.Now = noon.Add(20 * day) }, ReasonNone, ""},
		{"revoked behind the control time", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: noon.Add(10 * day), kind: StatusRevoked, revokedAt: noon.Add(day), reason: KeyCompromise})))
		}, func(r *Request) { r.Now = noon.Add(20 * day) }, ReasonNone, ""},
		{"good, but made behind the end of the certificate", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: w.leaf.cert.NotAfter.Add(time.Hour)})))
		}, func(r *Request) { r.Now = start.Add(1001 * day) }, ReasonNoRevocation, TryLater},
		{"the same with an archive cutoff", func(w *world) []any {
			cutoff := der(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(start) })
			return some(w.ca.ocsp(w.good(answer{this: w.leaf.cert.NotAfter.Add(time.Hour), single: []ext{{extOCSPArchiveCutoff, false, cutoff}}})))
		}, func(r *Request) { r.Now = start.Add(1001 * day) }, ReasonNone, ""},
		{"signed with SHA-1", func(w *world) []any { return some(w.ca.ocsp(w.good(answer{hash: crypto.SHA1}))) }, nil, ReasonNoRevocation, TryLater},
		{"none, and none needed", func(*world) []any { return nil }, func(r *Request) { r.Revocation = RevocationIfAvailable }, ReasonNone, ""},
		{"revoked, where it counts if available", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon.Add(-2 * time.Hour)})))
		}, func(r *Request) { r.Revocation = RevocationIfAvailable }, ReasonRevoked, RevokedNoPOE},
		{"expired and not revoked", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: w.leaf.cert.NotAfter.Add(-time.Hour), next: w.leaf.cert.NotAfter.Add(time.Hour * 300)})))
		}, func(r *Request) { r.Time = start.Add(1001 * day) }, ReasonExpired, OutOfBoundsNotRevoked},
		{"expired and nothing known", func(*world) []any { return nil }, func(r *Request) { r.Time = start.Add(1001 * day) }, ReasonExpired, OutOfBoundsNoPOE},
		{"expired and revoked", func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{kind: StatusRevoked, revokedAt: noon})))
		}, func(r *Request) { r.Time = start.Add(1001 * day) }, ReasonRevoked, RevokedNoPOE},
	} {
		c.run(t)
	}
}

func TestOCSPErrors(t *testing.T) {
	for status, want := range map[byte]string{1: "malformedRequest", 3: "tryLater", 6: "unauthorized"} {
		_, err := ParseOCSP([]byte{0x30, 3, 0x0a, 1, status})
		var got OCSPStatusError
		if !errors.As(err, &got) || byte(got) != status || got.Error() != "OCSP response is "+want {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestCRL(t *testing.T) {
	past := noon.Add(-2 * day)
	url := uri("http://crl.contoh.invalid/a.crl")
	for _, c := range []revocationCase{
		{"not listed", func(w *world) []any { return some(w.ca.crl(list{number: 1})) }, nil, ReasonNone, ""},
		{"listed", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, past, Superseded)}}))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"listed among many", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, fill: 3000, entries: []gone{revokes(w.leaf, past, 0)}}))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"listed from tomorrow", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, noon.Add(day), 0)}}))
		}, nil, ReasonNone, ""},
		{"on hold", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, past, CertificateHold)}}))
		}, nil, ReasonHold, TryLater},
		{"hold gone from the next", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, this: past, entries: []gone{revokes(w.leaf, past, CertificateHold)}}), w.ca.crl(list{number: 2}))
		}, nil, ReasonNone, ""},
		{"revocation gone from the next", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, this: past, entries: []gone{revokes(w.leaf, past, KeyCompromise)}}), w.ca.crl(list{number: 2}))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"the CA is revoked", func(w *world) []any {
			return some(w.ca.crl(list{number: 1}), w.root.crl(list{number: 2, entries: []gone{revokes(w.ca, past, CACompromise)}}))
		}, nil, ReasonRevoked, RevokedCANoPOE},
		{"over", func(w *world) []any { return some(w.ca.crl(list{number: 1, this: noon.Add(-9 * day)})) }, nil, ReasonStale, TryLater},
		{"by somebody else in the CA's name", func(w *world) []any {
			other := root(w.t, "CA Contoh")
			return some(other, other.crl(list{number: 1}))
		}, nil, ReasonNoRevocation, TryLater},
		{"unknown critical extension", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, exts: []ext{{"\x2a\x03\x04", true, []byte{5, 0}}}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"in the CA's name by the root", func(w *world) []any { return some(w.root.crl(list{number: 1, issuer: w.ca.cert.Subject.Raw})) }, nil, ReasonNoRevocation, TryLater},
		{"unknown critical extension of another's entry", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, entries: []gone{{serial: big.NewInt(5), at: past, exts: []ext{{"\x2a\x03\x04", true, []byte{5, 0}}}}}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"removeFromCRL in a complete list", func(w *world) []any {
			return some(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, past, RemoveFromCRL)}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"only CA certificates", func(w *world) []any { return some(w.ca.crl(list{exts: []ext{idp(point{}, onlyCA)}})) }, nil, ReasonNoRevocation, TryLater},
		{"only users' certificates", func(w *world) []any { return some(w.ca.crl(list{exts: []ext{idp(point{}, onlyUser)}})) }, nil, ReasonNone, ""},
		{"only attribute certificates", func(w *world) []any {
			return some(w.ca.crl(list{exts: []ext{idp(point{}, onlyAttribute)}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"another distribution point", func(w *world) []any { return some(w.ca.crl(list{exts: []ext{idp(point{full: [][]byte{url}})}})) }, nil, ReasonNoRevocation, TryLater},
		{"some reasons", func(w *world) []any {
			return some(w.ca.crl(list{exts: []ext{idp(point{reasons: 1<<1 | 1<<2})}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"all reasons in two lists", func(w *world) []any {
			return some(w.ca.crl(list{exts: []ext{idp(point{reasons: 1<<1 | 1<<2})}}), w.ca.crl(list{exts: []ext{idp(point{reasons: allReasons &^ (1<<1 | 1<<2)})}}))
		}, nil, ReasonNone, ""},
		{"all reasons in two lists, one of them over", func(w *world) []any {
			return some(w.ca.crl(list{exts: []ext{idp(point{reasons: 1<<1 | 1<<2})}}),
				w.ca.crl(list{this: noon.Add(-9 * day), exts: []ext{idp(point{reasons: allReasons &^ (1<<1 | 1<<2)})}}))
		}, nil, ReasonStale, TryLater},
		{"hold gone from the newer of two lists for the same reasons", func(w *world) []any {
			held := list{this: past, exts: []ext{idp(point{reasons: 1<<1 | 1<<6})}, entries: []gone{revokes(w.leaf, past, CertificateHold)}}
			return some(w.ca.crl(held), w.ca.crl(list{exts: []ext{idp(point{reasons: 1<<1 | 1<<6})}}), w.ca.crl(list{exts: []ext{idp(point{reasons: allReasons &^ (1<<1 | 1<<6)})}}))
		}, nil, ReasonNone, ""},
		{"on hold on the newest list for some reasons", func(w *world) []any {
			held := list{exts: []ext{idp(point{reasons: 1<<1 | 1<<6})}, entries: []gone{revokes(w.leaf, past, CertificateHold)}}
			return some(w.ca.crl(held), w.ca.crl(list{exts: []ext{idp(point{reasons: allReasons &^ (1<<1 | 1<<6)})}}))
		}, nil, ReasonHold, TryLater},
		{"all reasons in two lists, one of them older than asked for", func(w *world) []any {
			return some(w.ca.crl(list{this: noon.Add(-time.Minute), exts: []ext{idp(point{reasons: 1<<1 | 1<<2})}}), w.ca.crl(list{exts: []ext{idp(point{reasons: allReasons &^ (1<<1 | 1<<2)})}}))
		}, func(r *Request) { r.Freshness = time.Hour }, ReasonStale, TryLater},
		{"revoked on a list for some reasons", func(w *world) []any {
			return some(w.ca.crl(list{exts: []ext{idp(point{reasons: 1 << 1})}, entries: []gone{revokes(w.leaf, past, KeyCompromise)}}))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"signed with SHA-1", func(w *world) []any { return some(w.ca.crl(list{hash: crypto.SHA1})) }, nil, ReasonNoRevocation, TryLater},
		{"a list of the future", func(w *world) []any { return some(w.ca.crl(list{this: noon.Add(day)})) }, nil, ReasonNoRevocation, TryLater},
		{"made behind the end of the certificate", func(w *world) []any {
			return some(w.ca.crl(list{this: w.leaf.cert.NotAfter.Add(time.Hour)}))
		}, func(r *Request) { r.Now = start.Add(1001 * day) }, ReasonNoRevocation, TryLater},
		{"the same with expiredCertsOnCRL", func(w *world) []any {
			since := der(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(start) })
			return some(w.ca.crl(list{this: w.leaf.cert.NotAfter.Add(time.Hour), exts: []ext{{extExpiredCertsOnCRL, false, since}}}))
		}, func(r *Request) { r.Now = start.Add(1001 * day) }, ReasonNone, ""},
	} {
		c.run(t)
	}
}

func TestDeltaCRL(t *testing.T) {
	past := noon.Add(-2 * day)
	old := list{number: 5, this: noon.Add(-9 * day)} // over at noon
	for _, c := range []revocationCase{
		{"adds a revocation", func(w *world) []any {
			return some(w.ca.crl(list{number: 5}), w.ca.crl(list{number: 6, base: 5, entries: []gone{revokes(w.leaf, past, KeyCompromise)}}))
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"keeps an old base current", func(w *world) []any { return some(w.ca.crl(old), w.ca.crl(list{number: 6, base: 5})) }, nil, ReasonNone, ""},
		{"releases a hold", func(w *world) []any {
			b := list{number: 5, this: past.Add(-day), entries: []gone{revokes(w.leaf, past, CertificateHold)}}
			return some(w.ca.crl(b), w.ca.crl(list{number: 6, base: 5, entries: []gone{revokes(w.leaf, past, RemoveFromCRL)}}))
		}, nil, ReasonNone, ""},
		{"base of the delta is newer than the list", func(w *world) []any { return some(w.ca.crl(old), w.ca.crl(list{number: 7, base: 6})) }, nil, ReasonStale, TryLater},
		{"delta that is not newer than the list", func(w *world) []any { return some(w.ca.crl(old), w.ca.crl(list{number: 5, base: 4})) }, nil, ReasonStale, TryLater},
		{"delta with an entry that cannot be read", func(w *world) []any {
			g := revokes(w.leaf, past, KeyCompromise)
			g.exts = []ext{{extInvalidityDate, false, []byte{5, 0}}}
			return some(w.ca.crl(list{number: 5}), w.ca.crl(list{number: 6, base: 5, entries: []gone{g}}))
		}, nil, ReasonNoRevocation, TryLater},
		{"delta of another scope", func(w *world) []any {
			return some(w.ca.crl(old), w.ca.crl(list{number: 6, base: 5, exts: []ext{idp(point{}, onlyUser)}}))
		}, nil, ReasonStale, TryLater},
		{"delta by another key", func(w *world) []any {
			return some(w.ca.crl(old), root(w.t, "CA Contoh").crl(list{number: 6, base: 5}))
		}, nil, ReasonStale, TryLater},
		{"delta without a number", func(w *world) []any { return some(w.ca.crl(old), w.ca.crl(list{number: -1, base: 5})) }, nil, ReasonStale, TryLater},
		{"base without a number", func(w *world) []any {
			b := old
			b.number = -1
			return some(w.ca.crl(b), w.ca.crl(list{number: 6, base: 5}))
		}, nil, ReasonStale, TryLater},
		{"delta alone", func(w *world) []any { return some(w.ca.crl(list{number: 6, base: 5})) }, nil, ReasonNoRevocation, TryLater},
		{"delta of the future", func(w *world) []any {
			return some(w.ca.crl(old), w.ca.crl(list{number: 6, base: 5, this: noon.Add(day)}))
		}, nil, ReasonStale, TryLater},
	} {
		c.run(t)
	}
}

// TestIndirectCRL: the list of somebody whom the CA names.
func TestIndirectCRL(t *testing.T) {
	past := noon.Add(-2 * day)
	for _, c := range []struct {
		name   string
		named  bool // the certificate names the CRL issuer
		flags  []uint8
		use    KeyUsage
		entry  func(w *world) []gone
		by     func(w *world) *party // who certified the CRL issuer
		reason Reason
		sub    SubIndication
	}{
		{"good", true, []uint8{indirect}, CRLSign, nil, nil, ReasonNone, ""},
		{"not named", false, []uint8{indirect}, CRLSign, nil, nil, ReasonNoRevocation, TryLater},
		{"not marked as indirect", true, nil, CRLSign, nil, nil, ReasonNoRevocation, TryLater},
		{"issuer without cRLSign", true, []uint8{indirect}, DigitalSignature, nil, nil, ReasonNoRevocation, TryLater},
		{"issuer below another anchor", true, []uint8{indirect}, CRLSign, nil, func(w *world) *party { return root(w.t, "Akar Lain") }, ReasonNoRevocation, TryLater},
		{"listed", true, []uint8{indirect}, CRLSign, func(w *world) []gone {
			g := revokes(w.leaf, past, KeyCompromise)
			g.exts = []ext{{extCertificateIssuer, true, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(directory(w.ca.cert.Subject.Raw)) })}}
			return []gone{g}
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"listed below the issuer of an entry before", true, []uint8{indirect}, CRLSign, func(w *world) []gone {
			g := gone{serial: big.NewInt(3), at: past}
			g.exts = []ext{{extCertificateIssuer, true, seqOf(func(b *cryptobyte.Builder) { b.AddBytes(directory(w.ca.cert.Subject.Raw)) })}}
			return []gone{g, revokes(w.leaf, past, KeyCompromise)}
		}, nil, ReasonRevoked, RevokedNoPOE},
		{"the same serial number of another issuer", true, []uint8{indirect}, CRLSign, func(w *world) []gone { return []gone{revokes(w.leaf, past, KeyCompromise)} }, nil, ReasonNone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			by := w.root
			if c.by != nil {
				by = c.by(w)
			}
			signer := issue(t, by, "Penerbit CRL", usage(c.use))
			if c.named {
				w.leaf = issue(t, w.ca, "Budi Fiktif", points(point{full: [][]byte{uri("http://crl.contoh.invalid/i")}, issuer: [][]byte{directory(signer.cert.Subject.Raw)}}))
			}
			l := list{exts: []ext{idp(point{}, c.flags...)}}
			if c.entry != nil {
				l.entries = c.entry(w)
			}
			w.v = anchored(t, w.root)
			if by != w.root {
				w.v = anchored(t, w.root, by)
			}
			material := some(signer, signer.crl(l))
			if by != w.root {
				material = append(material, by.crl(list{number: 1}))
			}
			expect(t, c.name, w.v.Validate(context.Background(), w.request(material...)), c.reason, c.sub)
		})
	}
}

// TestCRLIssuerThatIsAnAnchor: another anchor in the CA's name does not speak
// for the CA (RFC 5280 6.3.3 (f)).
func TestCRLIssuerThatIsAnAnchor(t *testing.T) {
	w := newWorld(t)
	other := root(t, "CA Contoh")
	w.v = anchored(t, w.root, other)
	expect(t, "other anchor", w.v.Validate(context.Background(), w.request(other, other.crl(list{number: 1}))), ReasonNoRevocation, TryLater)
}

// TestCRLRelativeName: nameRelativeToCRLIssuer is completed with the issuer's
// name on both sides.
func TestCRLRelativeName(t *testing.T) {
	w := newWorld(t)
	rdn := func(cn string) []byte {
		return seqOf(func(b *cryptobyte.Builder) {
			addOID(b, oidBytes("2.5.4.3"))
			b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(cn)) })
		})
	}
	w.leaf = issue(t, w.ca, "Budi Fiktif", points(point{relative: rdn("CRL 1")}))
	ok := w.v.Validate(context.Background(), w.request(w.ca.crl(list{exts: []ext{idp(point{relative: rdn("crl  1")})}})))
	expect(t, "the same relative name", ok, ReasonNone, "")
	full, err := relativeName(w.ca.cert.Subject, rdn("CRL 1"))
	if err != nil {
		t.Fatal(err)
	}
	ok = w.v.Validate(context.Background(), w.request(w.ca.crl(list{exts: []ext{idp(point{full: [][]byte{directory(full.Raw)}})}})))
	expect(t, "the same name in full", ok, ReasonNone, "")
	other := w.v.Validate(context.Background(), w.request(w.ca.crl(list{exts: []ext{idp(point{relative: rdn("CRL 2")})}})))
	expect(t, "another relative name", other, ReasonNoRevocation, TryLater)
}

// TestPointWithoutName: the names of a list are held against cRLIssuer where the
// distribution point has no name (RFC 5280 6.3.3 (b)(2)(i)).
func TestPointWithoutName(t *testing.T) {
	w := newWorld(t)
	signer := issue(t, w.root, "Penerbit CRL", usage(CRLSign))
	w.leaf = issue(t, w.ca, "Budi Fiktif", points(point{issuer: [][]byte{directory(signer.cert.Subject.Raw)}}))
	own := signer.crl(list{exts: []ext{idp(point{full: [][]byte{directory(signer.cert.Subject.Raw)}}, indirect)}})
	expect(t, "name of the CRL issuer", w.v.Validate(context.Background(), w.request(signer, own)), ReasonNone, "")
	other := signer.crl(list{exts: []ext{idp(point{full: [][]byte{uri("http://crl.contoh.invalid/x")}}, indirect)}})
	expect(t, "another name", w.v.Validate(context.Background(), w.request(signer, other)), ReasonNoRevocation, TryLater)
}

// TestExempt: no status is asked for where the issuer says that there is none.
func TestExempt(t *testing.T) {
	for _, id := range []string{extNoRevAvail, extETSIShortTerm} {
		w := newWorld(t, with(id, false, []byte{5, 0}))
		res := w.v.Validate(context.Background(), w.request())
		expect(t, "exempt", res, ReasonNone, "")
		if res.Statuses[0].Kind != StatusExempt || res.Statuses[1].Kind != StatusGood {
			t.Errorf("statuses %v", res.Statuses)
		}
	}
}

// TestStatusIsReported: time, reason and place of a revocation.
func TestStatusIsReported(t *testing.T) {
	w := newWorld(t)
	at := noon.Add(-2 * day)
	res := w.v.Validate(context.Background(), w.request(w.ca.crl(list{number: 1, entries: []gone{revokes(w.leaf, at, KeyCompromise)}})))
	s, depth, ok := res.Revoked()
	if !ok || depth != 0 || !s.RevokedAt.Equal(at) || s.Reason != KeyCompromise || s.CRL == nil || !s.Signer.Equal(w.ca.cert) {
		t.Errorf("revoked: %v at %d: %+v", ok, depth, s)
	}
	var e *Error
	if !errors.As(res.Err(), &e) || !e.Time.Equal(at) {
		t.Errorf("error %v", res.Err())
	}
	later := w.request(w.ca.crl(list{number: 1, this: noon.Add(5 * day), entries: []gone{revokes(w.leaf, noon.Add(day), KeyCompromise)}}))
	later.Now = noon.Add(6 * day)
	res = w.v.Validate(context.Background(), later)
	if s := res.Statuses[0]; s.Kind != StatusGood || !s.RevokedAt.Equal(noon.Add(day)) || s.Reason != KeyCompromise {
		t.Errorf("revoked later: %+v", s)
	}
}
