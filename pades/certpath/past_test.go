package certpath

import (
	"context"
	"crypto"
	"slices"
	"testing"
	"time"
)

// TestPast slides the validation time as EN 319 102-1 5.6.2.2.4 does, ten
// years behind the facts.
func TestPast(t *testing.T) {
	now := start.Add(4000 * day)
	for _, c := range []struct {
		name     string
		rootCRL  list
		answer   *answer   // on the subscriber; nil: none
		answered time.Time // since when the answer is proven to exist, zero: not
		listed   time.Time // the same of the root's list
		sunset   time.Time
		change   func(*Request)
		reason   Reason
		sub      SubIndication
		control  time.Time
	}{
		{"proven: up to the statement on the CA, for which the other is fresh", list{this: noon}, &answer{this: noon.Add(-day)}, noon.Add(-day), noon, time.Time{}, nil,
			ReasonNone, "", noon},
		{"proven: up to the statement on the subscriber, which is not fresh", list{this: noon}, &answer{this: noon.Add(-2 * day)}, noon.Add(-day), noon, time.Time{}, nil,
			ReasonNone, "", noon.Add(-2 * day)},
		{"statement on the subscriber made behind that on the CA", list{this: noon.Add(-day)}, &answer{this: noon}, noon, noon, time.Time{}, nil,
			ReasonNoPOE, NoPOE, time.Time{}},
		{"the same, within its time", list{this: noon.Add(-day)}, &answer{this: noon.Add(-2 * day), next: noon}, noon.Add(-day), noon, time.Time{}, nil,
			ReasonNone, "", noon.Add(-day)},
		{"revoked: up to the revocation", list{this: noon}, &answer{this: noon, kind: StatusRevoked, revokedAt: noon.Add(-30 * day)}, noon, noon, time.Time{}, nil,
			ReasonNone, "", noon.Add(-30 * day)},
		{"on hold: the same", list{this: noon}, &answer{this: noon, kind: StatusRevoked, revokedAt: noon.Add(-30 * day), reason: CertificateHold}, noon, noon, time.Time{}, nil,
			ReasonNone, "", noon.Add(-30 * day)},
		{"answer proven too late", list{this: noon}, &answer{this: noon}, noon.Add(day), noon, time.Time{}, nil, ReasonNoPOE, NoPOE, time.Time{}},
		{"answer not proven", list{this: noon}, &answer{this: noon}, time.Time{}, noon, time.Time{}, nil, ReasonNoPOE, NoPOE, time.Time{}},
		{"no answer", list{this: noon}, nil, time.Time{}, noon, time.Time{}, nil, ReasonNoRevocation, NoPOE, time.Time{}},
		{"list not proven: it exists now", list{this: noon}, &answer{this: noon}, noon, time.Time{}, time.Time{}, nil, ReasonNone, "", noon},
		{"sunset of the anchor", list{this: noon.Add(-day), next: noon.Add(9 * day)}, &answer{this: noon.Add(-day), next: noon.Add(9 * day)}, noon.Add(-day), noon.Add(-day),
			noon.Add(2 * day), nil, ReasonNone, "", noon.Add(2 * day)},
		{"sunset before the list was proven", list{this: noon}, &answer{this: noon}, noon, noon.Add(day), noon, nil, ReasonNoPOE, NoPOE, time.Time{}},
		{"none needed: to the end of the validity", list{this: noon}, nil, time.Time{}, now, time.Time{},
			func(r *Request) { r.Revocation = RevocationNone }, ReasonNone, "", start.Add(1000 * day)},
		{"other usage", list{this: noon}, &answer{this: noon}, noon, noon, time.Time{}, func(r *Request) { r.KeyUsage = KeyAgreement }, ReasonKeyUsage, ChainConstraintsFailure, noon},
	} {
		w := newWorld(t)
		w.rootCRL = w.root.crl(c.rootCRL)
		proofs := map[string]time.Time{string(w.leaf.cert.Raw): start, string(w.ca.cert.Raw): start}
		if !c.listed.IsZero() {
			proofs[string(w.rootCRL.Raw)] = c.listed
		}
		var material []any
		if c.answer != nil {
			o := w.ca.ocsp(w.good(*c.answer))
			material = append(material, o)
			if !c.answered.IsZero() {
				proofs[string(o.Raw)] = c.answered
			}
		}
		req := w.request(material...)
		req.Time, req.Now = time.Time{}, now
		req.POE = func(der []byte) (time.Time, bool) { at, ok := proofs[string(der)]; return at, ok }
		if c.change != nil {
			c.change(&req)
		}
		a := NewAnchor(w.root.cert)
		a.Sunset = c.sunset
		v, err := NewValidator(Config{Anchors: []*Anchor{a}})
		if err != nil {
			t.Fatal(err)
		}
		res := v.ValidatePast(context.Background(), req)
		expect(t, c.name, res, c.reason, c.sub)
		if !c.control.IsZero() && !res.ControlTime.Equal(c.control) {
			t.Errorf("%s: control time %s, want %s", c.name, res.ControlTime, c.control)
		}
	}
}

// TestPastAlgorithms: an algorithm that is no longer reliable takes the control
// time to the end of its reliability.
func TestPastAlgorithms(t *testing.T) {
	w := newWorld(t)
	policy := DefaultAlgorithms()
	end := noon.Add(-3 * day)
	for i := range policy.Hashes {
		if policy.Hashes[i].Hash == crypto.SHA256 {
			policy.Hashes[i].Until = end
		}
	}
	v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(w.root.cert)}, Algorithms: policy})
	if err != nil {
		t.Fatal(err)
	}
	req := w.request()
	req.Now, req.Revocation = noon, RevocationNone
	req.POE = func([]byte) (time.Time, bool) { return start, true }
	res := v.ValidatePast(context.Background(), req)
	expect(t, "SHA-256 that has ended", res, ReasonNone, "")
	if !res.ControlTime.Equal(end) {
		t.Errorf("control time %s, want %s", res.ControlTime, end)
	}
	policy.Hashes = nil
	if v, err = NewValidator(Config{Anchors: []*Anchor{NewAnchor(w.root.cert)}, Algorithms: policy}); err != nil {
		t.Fatal(err)
	}
	expect(t, "SHA-256 that never was", v.ValidatePast(context.Background(), req), ReasonAlgorithm, CryptoConstraintsNoPOE)
}

// TestPastBounds: no moment at which the whole path was valid.
func TestPastBounds(t *testing.T) {
	r := root(t, "Akar")
	mid := issue(t, r, "CA", ca(-1), period(start, start.Add(day)))
	leaf := issue(t, mid, "Siti Fiktif", period(start.Add(2*day), start.Add(3*day)))
	req := Request{Certificate: leaf.cert, Candidates: certs(mid), Now: noon, Revocation: RevocationNone, POE: func([]byte) (time.Time, bool) { return start, true }}
	late := issue(t, r, "CA", ca(-1), period(start.Add(5*day), start.Add(6*day)))
	early := issue(t, late, "Siti Fiktif", period(start, start.Add(day)))
	other := req
	other.Certificate, other.Candidates = early.cert, certs(late)
	expect(t, "apart, the CA later", anchored(t, r).ValidatePast(context.Background(), other), ReasonExpired, CertificateChainFailure)
	expect(t, "apart", anchored(t, r).ValidatePast(context.Background(), req), ReasonExpired, CertificateChainFailure)
}

// TestPastAnchor: a certificate that is itself an anchor is trusted up to its
// sunset.
func TestPastAnchor(t *testing.T) {
	r := root(t, "Akar")
	res := anchored(t, r).ValidatePast(context.Background(), Request{Certificate: r.cert, Now: start.Add(4000 * day)})
	expect(t, "anchor", res, ReasonNone, "")
	if !res.ControlTime.Equal(r.cert.NotAfter) {
		t.Errorf("control time %s", res.ControlTime)
	}
}

// TestPastAlgorithmsOfStatements: the end of a statement's algorithm takes the
// control time with it, and so does that of the key.
func TestPastAlgorithmsOfStatements(t *testing.T) {
	end := noon.Add(-time.Hour)
	ending := func(change func(*AlgorithmPolicy)) *AlgorithmPolicy {
		p := DefaultAlgorithms()
		change(p)
		return p
	}
	sha384 := ending(func(p *AlgorithmPolicy) {
		for i := range p.Hashes {
			if p.Hashes[i].Hash == crypto.SHA384 {
				p.Hashes[i].Until = end
			}
		}
	})
	edKey := func(until time.Time, listed bool) *AlgorithmPolicy {
		return ending(func(p *AlgorithmPolicy) {
			p.Keys = slices.DeleteFunc(p.Keys, func(r KeyRule) bool { return r.Scheme == Ed25519 })
			if listed {
				p.Keys = append(p.Keys, KeyRule{Ed25519, 256, until})
			}
		})
	}
	before := noon.Add(-2 * day)
	for _, c := range []struct {
		name     string
		policy   *AlgorithmPolicy
		material func(w *world) []any
		control  time.Time
		reason   Reason
		sub      SubIndication
	}{
		{"answer", sha384, func(w *world) []any {
			return some(w.ca.ocsp(w.good(answer{this: before, next: noon.Add(day), hash: crypto.SHA384})))
		}, end, ReasonNone, ""},
		{"list", sha384, func(w *world) []any { return some(w.ca.crl(list{number: 1, this: before, hash: crypto.SHA384})) }, end, ReasonNone, ""},
		{"delta", sha384, func(w *world) []any {
			return some(w.ca.crl(list{number: 1, this: before.Add(-day)}), w.ca.crl(list{number: 2, base: 1, this: before, hash: crypto.SHA384}))
		}, end, ReasonNone, ""},
		{"none of these", sha384, func(w *world) []any { return some(w.ca.ocsp(w.good(answer{this: before, next: noon.Add(day)}))) }, noon, ReasonNone, ""},
		{"key of the subscriber", edKey(end, true), func(w *world) []any { return some(w.ca.ocsp(w.good(answer{this: before, next: noon.Add(day)}))) }, end, ReasonNone, ""},
		{"key of the subscriber, not listed", edKey(time.Time{}, false), func(w *world) []any { return some(w.ca.ocsp(w.good(answer{this: before, next: noon.Add(day)}))) },
			time.Time{}, ReasonAlgorithm, CryptoConstraintsNoPOE},
	} {
		w := newWorld(t, keyed(newEd25519(t)))
		v, err := NewValidator(Config{Anchors: []*Anchor{NewAnchor(w.root.cert)}, Algorithms: c.policy})
		if err != nil {
			t.Fatal(err)
		}
		w.rootCRL = w.root.crl(list{number: 1, this: noon})
		req := w.request(c.material(w)...)
		req.Now = noon.Add(500 * day)
		req.POE = func(der []byte) (time.Time, bool) {
			if string(der) == string(w.rootCRL.Raw) {
				return noon, true
			}
			return before, true
		}
		res := v.ValidatePast(context.Background(), req)
		expect(t, c.name, res, c.reason, c.sub)
		if c.reason == ReasonNone && !res.ControlTime.Equal(c.control) {
			t.Errorf("%s: control time %s, want %s", c.name, res.ControlTime, c.control)
		}
	}
}
