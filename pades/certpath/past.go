package certpath

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var (
	errNoPOE     = errors.New("not proven to exist before the control time")
	errIntersect = errors.New("validity periods of the path have no moment in common")
)

// ValidatePast is the past certificate validation of EN 319 102-1 5.6.2.1: it
// takes a path that was valid at some time, and finds by validation time
// sliding (5.6.2.2) the control time up to which all of its certificates are
// known to have been good. What existed before Result.ControlTime, proven by
// somebody else, may be relied on. Request.Now and Request.POE are used;
// Request.Time is not.
//
// With Revocation other than RevocationRequired, a certificate without a
// statement moves the control time to the end of its validity at the latest.
func (v *Validator) ValidatePast(ctx context.Context, req Request) *Result {
	req.Time = req.Now
	r := v.newRun(ctx, &req)
	r.past = true
	return r.search(func(r *run, p path) *Result { return r.slid(p) })
}

// slid judges one path by validation time sliding.
func (r *run) slid(p path) *Result {
	res := &Result{Indication: Passed, Path: p.certs, Anchor: p.anchor, ControlTime: r.now, Statuses: make([]Status, len(p.certs))}
	v := r.basic(p, r.inputs())
	res.Policies = v.policies
	if v.err != nil {
		res.fail(v.err)
		return res
	}
	p.holders = v.holders(p)
	from, to := p.certs[0].NotBefore, p.certs[0].NotAfter
	for _, c := range p.certs[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		to = earlier(to, c.NotAfter)
	}
	if from.After(to) {
		res.fail(&Error{Reason: ReasonExpired, Sub: CertificateChainFailure, Certificate: p.certs[0], Err: errIntersect})
		return res
	}
	if a := p.anchor; !a.Sunset.IsZero() {
		res.ControlTime = earlier(res.ControlTime, a.Sunset)
	}
	if e := r.slide(p, v, res); e != nil {
		res.fail(e)
		return res
	}
	if e := r.usage(p.certs[0]); e != nil {
		res.fail(e)
	}
	return res
}

// slide is validation time sliding, EN 319 102-1 5.6.2.2.4, from the anchor
// down.
func (r *run) slide(p path, v verdict, res *Result) *Error {
	for i := len(p.certs) - 1; i >= 0; i-- {
		c := p.certs[i]
		if !r.existed(c.Raw, res.ControlTime) {
			return &Error{Reason: ReasonNoPOE, Sub: NoPOE, Certificate: c, Depth: i, Time: res.ControlTime, Err: fmt.Errorf("certificate: %w", errNoPOE)}
		}
		if e := r.slideStatus(p, i, res); e != nil {
			return e
		}
		// Step 2) d): algorithms of the certificate and of the statement.
		if e := r.slideAlgorithm(c, i, c.SignatureAlgorithm, v.keys[i], res); e != nil {
			return e
		}
		if err := r.v.algorithms.CheckKey(v.own(i), res.ControlTime); err != nil {
			if e := move(err, c, i, res); e != nil {
				return e
			}
		}
		s := &res.Statuses[i]
		for _, a := range s.algorithms() {
			if e := r.slideAlgorithm(c, i, a, s.Signer.PublicKey, res); e != nil {
				return e
			}
		}
	}
	return nil
}

func (s *Status) algorithms() []SignatureAlgorithm {
	var out []SignatureAlgorithm
	if s.CRL != nil {
		out = append(out, s.CRL.SignatureAlgorithm)
	}
	if s.Delta != nil {
		out = append(out, s.Delta.SignatureAlgorithm)
	}
	if s.OCSP != nil {
		out = append(out, s.OCSP.SignatureAlgorithm)
	}
	return out
}

func (r *run) slideAlgorithm(c *Certificate, i int, a SignatureAlgorithm, key any, res *Result) *Error {
	if err := r.v.algorithms.CheckSignature(a, key, res.ControlTime); err != nil {
		return move(err, c, i, res)
	}
	return nil
}

// move takes the control time to the end of an algorithm's reliability.
func move(err error, c *Certificate, i int, res *Result) *Error {
	var a *AlgorithmError
	if errors.As(err, &a) && !a.Until.IsZero() {
		res.ControlTime = earlier(res.ControlTime, a.Until)
		return nil
	}
	return &Error{Reason: ReasonAlgorithm, Sub: CryptoConstraintsNoPOE, Certificate: c, Depth: i, Err: err}
}

// slideStatus does steps 2) a) to c) for one certificate.
func (r *run) slideStatus(p path, i int, res *Result) *Error {
	c, control := p.certs[i], res.ControlTime
	out := &res.Statuses[i]
	exempt := c.NoRevocation && !c.IsCA()
	if r.req.Revocation == RevocationNone || exempt {
		if exempt {
			out.Kind = StatusExempt
		}
		res.ControlTime = earlier(control, c.NotAfter)
		return nil
	}
	best := -1
	list := r.statements(p, i, control)
	for j := range list {
		s := &list[j]
		if s.ThisUpdate.After(control) || !r.allExisted(s.raw(), control) {
			continue
		}
		if best < 0 || s.weight(&list[best]) {
			best = j
		}
	}
	if best < 0 {
		out.Kind = StatusUnknown
		if r.req.Revocation == RevocationIfAvailable {
			res.ControlTime = earlier(control, c.NotAfter)
			return nil
		}
		e := &Error{Reason: ReasonNoRevocation, Sub: NoPOE, Certificate: c, Depth: i, Time: control, Err: errNoStatement}
		if len(list) > 0 {
			e.Reason, e.Err = ReasonNoPOE, fmt.Errorf("revocation information: %w", errNoPOE)
		}
		return e
	}
	*out = list[best]
	out.Fresh = r.fresh(out, control, i)
	switch {
	case out.Kind == StatusRevoked || out.Kind == StatusHold:
		res.ControlTime = earlier(control, out.RevokedAt)
	case !out.Fresh:
		res.ControlTime = out.ThisUpdate
	}
	return nil
}

// weight reports whether s counts more than o: a revocation for good does,
// else what is newer.
func (s *Status) weight(o *Status) bool {
	if (s.Kind == StatusRevoked) != (o.Kind == StatusRevoked) {
		return s.Kind == StatusRevoked
	}
	if s.Kind == StatusRevoked {
		return s.RevokedAt.Before(o.RevokedAt)
	}
	return s.ThisUpdate.After(o.ThisUpdate)
}

// existed reports whether der is proven to exist at or before t.
func (r *run) existed(der []byte, t time.Time) bool {
	if !r.now.After(t) {
		return true
	}
	if r.req.POE == nil {
		return false
	}
	since, ok := r.req.POE(der)
	return ok && !since.After(t)
}

func (r *run) allExisted(list [][]byte, t time.Time) bool {
	for _, der := range list {
		if !r.existed(der, t) {
			return false
		}
	}
	return true
}
