package certpath

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	errNoStatement = errors.New("no usable revocation information")
	errStale       = errors.New("revocation information is older than asked for")
	errIsRevoked   = errors.New("certificate is revoked")
	errOnHold      = errors.New("certificate is on hold")
)

// revocation finds the status of every certificate of p at t, from the anchor
// down, and gives what keeps the path from being good.
func (r *run) revocation(p path, t time.Time, out []Status) *Error {
	if r.req.Revocation == RevocationNone {
		return nil
	}
	var missing *Error
	for i := len(p.certs) - 1; i >= 0; i-- {
		e := r.oneStatus(p, i, t, &out[i])
		if e == nil {
			continue
		}
		if e.Reason == ReasonRevoked {
			return e // what is below an issuer that is revoked is not asked about
		}
		if missing == nil || e.Reason > missing.Reason {
			missing = e
		}
	}
	return missing
}

func (r *run) oneStatus(p path, i int, t time.Time, out *Status) *Error {
	c := p.certs[i]
	if c.NoRevocation && !c.IsCA() {
		*out = Status{Kind: StatusExempt}
		return nil
	}
	list := r.statements(p, i, t)
	s, ok := choose(list, t)
	if !ok {
		*out = Status{Kind: StatusUnknown}
		if r.req.Revocation == RevocationIfAvailable {
			return nil
		}
		return &Error{Reason: ReasonNoRevocation, Sub: TryLater, Certificate: c, Depth: i, Err: errNoStatement}
	}
	s.Fresh = r.fresh(&s, t, i)
	if s.Kind == StatusGood && !s.Fresh {
		// The newest is not always the one that is good for longest.
		for j := range list {
			if list[j].Kind == StatusGood && r.fresh(&list[j], t, i) {
				s, s.Fresh = list[j], true
				break
			}
		}
	}
	*out = s
	switch {
	case s.Kind == StatusRevoked:
		sub := RevokedNoPOE
		if i > 0 {
			sub = RevokedCANoPOE
		}
		return &Error{Reason: ReasonRevoked, Sub: sub, Certificate: c, Depth: i, Time: s.RevokedAt,
			Err: fmt.Errorf("%w since %s (%s)", errIsRevoked, s.RevokedAt.UTC().Format(time.RFC3339), s.Reason)}
	case s.Kind == StatusHold:
		return &Error{Reason: ReasonHold, Sub: TryLater, Certificate: c, Depth: i, Time: s.RevokedAt,
			Err: fmt.Errorf("%w since %s", errOnHold, s.RevokedAt.UTC().Format(time.RFC3339))}
	case !s.Fresh && r.req.Revocation == RevocationRequired:
		return &Error{Reason: ReasonStale, Sub: TryLater, Certificate: c, Depth: i, Time: s.ThisUpdate, Err: errStale}
	}
	return nil
}

// fresh is the revocation freshness checker, EN 319 102-1 5.2.5: whether a
// statement on the certificate at depth says enough about t. One that was made
// behind t always does.
func (r *run) fresh(s *Status, t time.Time, depth int) bool {
	if !s.ThisUpdate.Before(t) {
		return true
	}
	switch {
	case depth == 0 && r.level == 0 && r.req.Freshness > 0:
		return !s.ThisUpdate.Before(t.Add(-r.req.Freshness))
	case !s.NextUpdate.IsZero():
		return !t.After(s.NextUpdate)
	}
	return !t.After(s.ThisUpdate.Add(24 * time.Hour))
}

// choose takes from authentic statements the one that counts at t. A
// revocation for good that lies before t is never outweighed, whatever is newer.
func choose(list []Status, t time.Time) (Status, bool) {
	best := -1
	for i := range list {
		if !list[i].revokedAt(t) {
			continue
		}
		if best < 0 || list[i].RevokedAt.Before(list[best].RevokedAt) {
			best = i
		}
	}
	if best >= 0 {
		return list[best], true
	}
	for i := range list {
		if best < 0 || list[i].ThisUpdate.After(list[best].ThisUpdate) {
			best = i
		}
	}
	if best < 0 {
		return Status{}, false
	}
	s := list[best]
	if (s.Kind == StatusRevoked || s.Kind == StatusHold) && s.RevokedAt.After(t) {
		s.Kind = StatusGood
	}
	return s, true
}

// revokedAt reports whether the statement says that the certificate was revoked
// for good at t.
func (s *Status) revokedAt(t time.Time) bool {
	return s.Kind == StatusRevoked && !s.RevokedAt.After(t)
}

// statements gathers what authentic material says about p.certs[i]. Sources are
// asked in turn until one has a statement that was made at t or later: what is
// older may be fresh for t and yet not know of a revocation before t. Of a
// Source that is not an Archive, CRLs are asked for only when its OCSP answers
// are not fresh.
func (r *run) statements(p path, i int, t time.Time) []Status {
	var out []Status
	c, issuer := p.certs[i], p.issuer(i)
	later := func(s Status) bool { return !s.ThisUpdate.Before(t) }
	for _, source := range flat(r.req.Source) {
		_, archive := source.(*Archive)
		if r.ctx.Err() != nil {
			break
		}
		before := len(out)
		answers, err := source.OCSP(r.ctx, c, issuer)
		if err != nil {
			r.unusable(c, fmt.Errorf("get OCSP answers: %w", err))
		}
		for _, o := range r.bounded(c, len(answers), answers) {
			s, err := r.ocspStatement(p, i, o)
			if err != nil {
				r.unusable(c, fmt.Errorf("OCSP answer: %w", err))
				continue
			}
			out = append(out, s)
		}
		if !archive && slices.ContainsFunc(out[before:], func(s Status) bool { return r.fresh(&s, t, i) }) {
			if slices.ContainsFunc(out, later) {
				break
			}
			continue
		}
		lists, err := source.CRLs(r.ctx, c, issuer)
		if err != nil {
			r.unusable(c, fmt.Errorf("get CRLs: %w", err))
		}
		if n := r.v.limits.Material; len(lists) > n {
			r.unusable(c, fmt.Errorf("%d CRLs: %w", len(lists), errLimit))
			lists = lists[:n]
		}
		out = append(out, r.crlStatements(p, i, lists)...)
		if slices.ContainsFunc(out, later) {
			break
		}
	}
	return out
}

func (r *run) bounded(c *Certificate, n int, list []*OCSPResponse) []*OCSPResponse {
	if n > r.v.limits.Material {
		r.unusable(c, fmt.Errorf("%d OCSP answers: %w", n, errLimit))
		return list[:r.v.limits.Material]
	}
	return list
}

func flat(s Source) []Source { return appendFlat(nil, s) }

func appendFlat(out []Source, s Source) []Source {
	switch s := s.(type) {
	case nil:
		return out
	case sources:
		for _, x := range s {
			out = appendFlat(out, x)
		}
		return out
	}
	return append(out, s)
}

// unusable notes material that was not used.
func (r *run) unusable(c *Certificate, err error) {
	reason := ReasonNoRevocation
	switch {
	case errors.Is(err, errLimit):
		reason = ReasonLimit
	case errors.Is(err, ErrAlgorithm):
		reason = ReasonAlgorithm
	case errors.Is(err, ErrSignature):
		reason = ReasonSignature
	}
	r.note(&Error{Reason: reason, Sub: TryLater, Certificate: c, Depth: -1, Err: err})
}

// future refuses what was made behind the moment of asking.
func (r *run) future(t time.Time) error {
	if t.After(r.now.Add(r.v.skew)) {
		return fmt.Errorf("made at %s, which is in the future", t.UTC().Format(time.RFC3339))
	}
	return nil
}

// issuerTime is when the path of who signed material has to be valid.
func (r *run) issuerTime(raw []byte, made time.Time) time.Time {
	if !r.req.StrictIssuers {
		return made
	}
	return r.algorithmTime(raw)
}

// auxiliaryKey names the validation of the path of a CRL issuer.
type auxiliaryKey struct {
	certificate [32]byte
	anchor      *Anchor
	at          time.Time
}

// auxiliary validates the path of the CRL issuer c at t. It has to end at
// anchor (RFC 5280 6.3.3 (f)).
func (r *run) auxiliary(c *Certificate, anchor *Anchor, t time.Time) error {
	key := auxiliaryKey{c.fingerprint, anchor, t}
	if err, ok := r.issuers[key]; ok {
		return err
	}
	if r.level >= r.v.limits.Recursion {
		return fmt.Errorf("paths of CRL issuers inside one another: %w", errLimit)
	}
	circle := signatureKey{c.fingerprint, anchor.holder.keyHash}
	if r.busy[circle] {
		return errors.New("status of the CRL issuer depends on itself")
	}
	if r.busy == nil {
		r.busy, r.issuers = map[signatureKey]bool{}, map[auxiliaryKey]error{}
	}
	r.busy[circle] = true
	defer delete(r.busy, circle)

	req := *r.req
	req.Certificate, req.Time, req.KeyUsage = c, t, CRLSign
	req.ExtKeyUsages, req.Policies = nil, nil
	req.RequireExplicitPolicy, req.InhibitPolicyMapping, req.InhibitAnyPolicy = false, false, false
	inner := &run{work: r.work, ctx: r.ctx, v: r.v, req: &req, now: r.now, level: r.level + 1}
	notes := len(r.notes)
	res := inner.search(func(r *run, p path) *Result {
		if p.anchor != anchor {
			return &Result{Indication: Indeterminate, Failure: &Error{Reason: ReasonAnchor, Depth: -1, Err: errOtherAnchor}}
		}
		return r.at(p)
	})
	r.notes = r.notes[:min(notes, len(r.notes))]
	err := res.Err()
	if err == nil && res.Anchor != anchor {
		err = errOtherAnchor // c is itself an anchor
	}
	r.issuers[key] = err
	return err
}

var errOtherAnchor = errors.New("path ends at another trust anchor")
