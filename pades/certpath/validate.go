package certpath

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Validate says whether the certificate was good at req.Time, by material that
// is at hand at req.Now (EN 319 102-1 clause 5.2.6, with the validation model
// of RFC 5280). A cancelled context ends the search with what was found so far.
//
// A certificate revoked behind Time was good at Time; its Status tells when it
// was revoked. Algorithms are judged at the moment since which the objects are
// proven to exist.
func (v *Validator) Validate(ctx context.Context, req Request) *Result {
	return v.newRun(ctx, &req).search(func(r *run, p path) *Result { return r.at(p) })
}

// search tries path after path until one is good, and gives the best.
func (r *run) search(judge func(*run, path) *Result) *Result {
	target := r.req.Certificate
	if target == nil || r.req.Time.IsZero() && r.req.Now.IsZero() {
		return &Result{Indication: Indeterminate, Sub: CertificateChainFailure, ControlTime: r.req.Time,
			Failure: &Error{Reason: ReasonMalformed, Sub: CertificateChainFailure, Depth: -1, Err: errRequest}}
	}
	if a, ok := r.v.byCert[target.fingerprint]; ok {
		return r.trusted(a)
	}
	g := r.newGraph(target)
	var best *Result
	var rejected []*Error
	try := func(p path) bool {
		got := judge(r, p)
		if best == nil || better(got, best) {
			best, got = got, best
		}
		if got != nil && got.Failure != nil {
			rejected = append(rejected, got.Failure)
		}
		return best.Indication != Passed && !decided(best) && r.ctx.Err() == nil
	}
	r.grow(g, false)
	r.paths(g, try)
	if best == nil {
		r.grow(g, true)
		r.paths(g, try)
	}
	if best == nil {
		best = r.noPath(g)
	}
	best.Rejected, best.Notes = rejected, r.notes
	return best
}

var (
	errRequest = errors.New("request without a certificate or a time")
	errNoPath  = errors.New("no path to a trust anchor")
)

// decided reports whether another path could not change the outcome: the target
// itself is revoked.
func decided(r *Result) bool {
	return r.Failure != nil && r.Failure.Reason == ReasonRevoked && r.Failure.Depth == 0
}

// better reports whether a has got further than b.
func better(a, b *Result) bool {
	if (a.Indication == Passed) != (b.Indication == Passed) {
		return a.Indication == Passed
	}
	return a.Failure != nil && b.Failure != nil && a.Failure.Reason > b.Failure.Reason
}

func (r *run) noPath(g *graph) *Result {
	e := &Error{Reason: ReasonNoPath, Sub: NoCertificateChainFound, Certificate: r.req.Certificate, Depth: 0, Err: errNoPath}
	if g.closest != nil {
		e.Reason, e.Err = g.closest.Reason, fmt.Errorf("%w: %w", errNoPath, g.closest)
	}
	return &Result{Indication: Indeterminate, Sub: NoCertificateChainFound, Path: []*Certificate{r.req.Certificate}, ControlTime: r.req.Time, Failure: e}
}

// trusted is the outcome for a certificate that is itself an anchor: it is
// trusted as such, in its time and for the asked use.
func (r *run) trusted(a *Anchor) *Result {
	c := r.req.Certificate
	t := r.req.Time
	if t.IsZero() {
		t = r.now
	}
	if r.past && !a.Sunset.IsZero() {
		t = earlier(t, a.Sunset) // the control time of validation time sliding
	}
	res := &Result{Indication: Passed, Path: []*Certificate{c}, Anchor: a, Statuses: []Status{{Kind: StatusExempt}}, ControlTime: t, Policies: []OID{AnyPolicy}}
	e := r.usage(c)
	if err := a.acceptedAt(t); err != nil {
		e = &Error{Reason: ReasonAnchor, Sub: OutOfBoundsNoPOE, Certificate: c, Err: err}
	}
	if err := r.v.algorithms.CheckKey(c.PublicKey, r.algorithmTime(c.Raw)); err != nil && e == nil {
		e = &Error{Reason: ReasonAlgorithm, Sub: CryptoConstraintsNoPOE, Certificate: c, Err: err}
	}
	if e != nil {
		res.fail(e)
	}
	return res
}

func (r *Result) fail(e *Error) {
	r.Indication, r.Sub, r.Failure = Indeterminate, e.Sub, e
}

// at judges one path at the time of the request.
func (r *run) at(p path) *Result {
	t := r.req.Time
	res := &Result{Indication: Passed, Path: p.certs, Anchor: p.anchor, ControlTime: t}
	v := r.basic(p, r.inputs())
	res.Policies = v.policies
	res.Statuses = make([]Status, len(p.certs))
	if v.err != nil {
		res.fail(v.err)
		return res
	}
	p.holders = v.holders(p)
	if err := p.anchor.acceptedAt(t); err != nil {
		res.fail(&Error{Reason: ReasonAnchor, Sub: NoCertificateChainFound, Depth: -1, Err: err})
		return res
	}
	bounds := outOfBounds(p, t)
	revocation := r.revocation(p, t, res.Statuses)
	if bounds != nil && res.Statuses[0].Kind == StatusGood {
		bounds.Sub = OutOfBoundsNotRevoked
	}
	// What is known to be revoked comes before what is only unknown.
	if revocation != nil && (revocation.Reason == ReasonRevoked || revocation.Reason == ReasonHold) {
		bounds, revocation = revocation, bounds
	}
	for _, e := range []*Error{bounds, revocation, r.usage(p.certs[0]), r.algorithms(p, v)} {
		if e != nil {
			res.fail(e)
			break
		}
	}
	return res
}

func (r *run) inputs() inputs {
	return inputs{r.req.Policies, r.req.RequireExplicitPolicy, r.req.InhibitPolicyMapping, r.req.InhibitAnyPolicy}
}

// outOfBounds checks RFC 5280 6.1.3 (a)(2), from the anchor down.
func outOfBounds(p path, t time.Time) *Error {
	for i := len(p.certs) - 1; i >= 0; i-- {
		c := p.certs[i]
		switch {
		case t.Before(c.NotBefore):
			return &Error{Reason: ReasonNotYetValid, Sub: OutOfBoundsNoPOE, Certificate: c, Depth: i, Time: c.NotBefore, Err: errBounds}
		case t.After(c.NotAfter):
			return &Error{Reason: ReasonExpired, Sub: OutOfBoundsNoPOE, Certificate: c, Depth: i, Time: c.NotAfter, Err: errBounds}
		}
	}
	return nil
}

var (
	errBounds   = errors.New("time is outside the validity period")
	errUsage    = errors.New("keyUsage has none of the bits asked for")
	errExtUsage = errors.New("extKeyUsage has none of the purposes asked for")
)

// usage checks what the request asks of the target.
func (r *run) usage(c *Certificate) *Error {
	if want := r.req.KeyUsage; want != 0 && c.HasKeyUsage && c.KeyUsage&want == 0 {
		return &Error{Reason: ReasonKeyUsage, Sub: ChainConstraintsFailure, Certificate: c, Err: errUsage}
	}
	if len(r.req.ExtKeyUsages) == 0 || c.ExtKeyUsage == nil || c.HasExtKeyUsage(AnyExtKeyUsage) {
		return nil
	}
	for _, id := range r.req.ExtKeyUsages {
		if c.HasExtKeyUsage(id) {
			return nil
		}
	}
	return &Error{Reason: ReasonExtKeyUsage, Sub: ChainConstraintsFailure, Certificate: c, Err: errExtUsage}
}

// algorithmTime is when an object's algorithms have to be reliable: when it is
// first proven to exist.
func (r *run) algorithmTime(der []byte) time.Time {
	if r.req.POE != nil {
		if t, ok := r.req.POE(der); ok && t.Before(r.now) {
			return t
		}
	}
	return r.now
}

// algorithms judges the signature and the key of every certificate.
func (r *run) algorithms(p path, v verdict) *Error {
	for i := len(p.certs) - 1; i >= 0; i-- {
		c := p.certs[i]
		t := r.algorithmTime(c.Raw)
		err := r.v.algorithms.CheckSignature(c.SignatureAlgorithm, v.keys[i], t)
		if err == nil {
			err = r.v.algorithms.CheckKey(v.own(i), t)
		}
		if err != nil {
			e := &Error{Reason: ReasonAlgorithm, Sub: CryptoConstraintsNoPOE, Certificate: c, Depth: i, Err: err}
			var a *AlgorithmError
			if errors.As(err, &a) {
				e.Time = a.Until
			}
			return e
		}
	}
	return nil
}
