package certpath

import (
	"context"
	"errors"
	"testing"
	"time"
)

// asked is a Source that counts the questions.
type asked struct {
	*Archive
	ocsp, crls int
	fail       error
}

func (a *asked) OCSP(ctx context.Context, c, issuer *Certificate) ([]*OCSPResponse, error) {
	a.ocsp++
	list, _ := a.Archive.OCSP(ctx, c, issuer)
	return list, a.fail
}

func (a *asked) CRLs(ctx context.Context, c, issuer *Certificate) ([]*CRL, error) {
	a.crls++
	list, _ := a.Archive.CRLs(ctx, c, issuer)
	return list, a.fail
}

// TestSourcesAreAskedInTurn: what is embedded first; the next source when that
// does not reach the time asked about, because a newer statement may tell of a
// revocation before it.
func TestSourcesAreAskedInTurn(t *testing.T) {
	down := errors.New("no route")
	for _, c := range []struct {
		name       string
		first      func(w *world) any
		second     func(w *world) any
		fail       error
		ocsp, crls int // questions to the second source about subscriber and CA
		reason     Reason
		sub        SubIndication
	}{
		{"embedded answer made later", func(w *world) any { return w.ca.ocsp(w.good(answer{this: noon.Add(time.Hour)})) },
			func(w *world) any { return w.ca.ocsp(w.good(answer{})) }, nil, 0, 0, ReasonNone, ""},
		{"embedded answer made before, newer list says revoked before", func(w *world) any { return w.ca.ocsp(w.good(answer{})) },
			func(w *world) any {
				return w.ca.crl(list{number: 2, this: noon.Add(day), entries: []gone{revokes(w.leaf, noon.Add(-30*time.Minute), KeyCompromise)}})
			}, nil, 1, 1, ReasonRevoked, RevokedNoPOE},
		{"embedded list made before, newer answer says revoked before", func(w *world) any { return w.ca.crl(list{number: 1}) },
			func(w *world) any {
				return w.ca.ocsp(w.good(answer{this: noon.Add(day), kind: StatusRevoked, revokedAt: noon.Add(-30 * time.Minute)}))
			}, nil, 1, 0, ReasonRevoked, RevokedNoPOE},
		{"embedded list made before, newer list says revoked before", func(w *world) any { return w.ca.crl(list{number: 1}) },
			func(w *world) any {
				return w.ca.crl(list{number: 2, this: noon.Add(day), entries: []gone{revokes(w.leaf, noon.Add(-time.Minute), KeyCompromise)}})
			}, nil, 1, 1, ReasonRevoked, RevokedNoPOE},
		{"embedded list made before, newer list says revoked behind", func(w *world) any { return w.ca.crl(list{number: 1}) },
			func(w *world) any {
				return w.ca.crl(list{number: 2, this: noon.Add(day), entries: []gone{revokes(w.leaf, noon.Add(time.Minute), KeyCompromise)}})
			}, nil, 1, 1, ReasonNone, ""},
		{"embedded answer made before, network down", func(w *world) any { return w.ca.ocsp(w.good(answer{})) },
			func(w *world) any { return w.ca.ocsp(answer{about: w.ca, issuer: w.ca}) }, down, 1, 1, ReasonNone, ""},
		{"nothing embedded, fresh answer: no list is fetched", func(w *world) any { return w.ca },
			func(w *world) any { return w.ca.ocsp(w.good(answer{})) }, nil, 1, 0, ReasonNone, ""},
		{"nothing embedded, stale answer: the list is fetched", func(w *world) any { return w.ca },
			func(w *world) any { return w.ca.ocsp(w.good(answer{this: noon.Add(-9 * day)})) }, nil, 1, 1, ReasonStale, TryLater},
	} {
		w := newWorld(t)
		w.rootCRL = w.root.crl(list{number: 1, this: noon.Add(time.Hour)})
		req := w.request(c.first(w))
		second := &asked{Archive: w.request(c.second(w)).Source.(*Archive), fail: c.fail}
		req.Now = noon.Add(2 * day)
		req.Source = Sources(req.Source, Sources(second))
		res := w.v.Validate(context.Background(), req)
		expect(t, c.name, res, c.reason, c.sub)
		if second.ocsp != c.ocsp || second.crls != c.crls {
			t.Errorf("%s: asked %d and %d times, want %d and %d", c.name, second.ocsp, second.crls, c.ocsp, c.crls)
		}
		if noted := len(res.Notes) > 0; noted != (c.fail != nil) {
			t.Errorf("%s: notes %v", c.name, res.Notes)
		}
	}
	w := newWorld(t)
	both := Sources(NewArchive([]*Certificate{w.ca.cert}, nil, nil), &asked{Archive: NewArchive(nil, []*CRL{w.rootCRL}, nil), fail: down})
	ctx := context.Background()
	if l, err := both.CRLs(ctx, w.ca.cert, w.root.cert); len(l) != 1 || err != nil {
		t.Errorf("lists %v, %v", l, err)
	}
	if o, err := both.OCSP(ctx, w.ca.cert, w.root.cert); len(o) != 0 || !errors.Is(err, down) {
		t.Errorf("answers %v, %v", o, err)
	}
	if i, err := both.Issuers(ctx, w.leaf.cert); len(i) != 1 || err != nil {
		t.Errorf("issuers %v, %v", i, err)
	}
}
