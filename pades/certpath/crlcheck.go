package certpath

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

// finding is what one complete CRL, with its delta, says about a certificate.
type finding struct {
	status  Status
	reasons Reasons
}

// crlStatements applies RFC 5280 6.3.3 to the lists that may cover
// p.certs[i]. Each list that covers all reasons is a statement; lists that
// cover some are put together.
func (r *run) crlStatements(p path, i int, lists []*CRL) []Status {
	if len(lists) == 0 {
		return nil
	}
	c := p.certs[i]
	var out []Status
	var partial []finding
	for _, l := range lists {
		if l.BaseNumber != nil {
			continue
		}
		reasons, err := scope(c, l)
		if err == nil {
			var f []finding
			if f, err = r.findings(p, i, l, lists, reasons); err == nil {
				for _, x := range f {
					if x.status.Kind == StatusRevoked || x.reasons == allReasons {
						out = append(out, x.status)
					} else {
						partial = append(partial, x)
					}
				}
			}
		}
		if err != nil {
			r.unusable(c, fmt.Errorf("CRL of %s: %w", l.ThisUpdate.UTC().Format(time.RFC3339), err))
		}
	}
	if s, ok := together(partial); ok {
		out = append(out, s)
	}
	return out
}

// together joins findings that cover some reasons each, the newest first, into
// a statement that covers all. It is as old as the oldest that it needs.
func together(list []finding) (Status, bool) {
	slices.SortStableFunc(list, func(a, b finding) int { return b.status.ThisUpdate.Compare(a.status.ThisUpdate) })
	var mask Reasons
	var s Status
	for _, f := range list {
		if f.reasons&^mask == 0 {
			continue
		}
		mask |= f.reasons
		kept := s
		if s.Kind == StatusUnchecked || f.status.Kind > s.Kind {
			s = f.status
		}
		if kept.Kind != StatusUnchecked {
			s.ThisUpdate = f.status.ThisUpdate // the oldest so far
			s.NextUpdate = earlier(kept.NextUpdate, f.status.NextUpdate)
		}
	}
	return s, mask == allReasons
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

var (
	errScope      = errors.New("does not cover the certificate")
	errCRLUse     = errors.New("keyUsage of the issuer without cRLSign")
	errNoIssuer   = errors.New("no acceptable issuer of the CRL")
	errUnknownExt = errors.New("critical extension that is not processed")
	errTooLate    = errors.New("made behind the end of the certificate, which it need not list any more")
)

// scope does RFC 5280 6.3.3 (b) and (d): the reasons for which l covers c.
func scope(c *Certificate, l *CRL) (Reasons, error) {
	if l.unknown != "" {
		return 0, errUnknownExt
	}
	d := l.Distribution
	if d == nil {
		d = &IssuingDistributionPoint{Reasons: allReasons}
	}
	if d.OnlyUser && c.IsCA() || d.OnlyCA && !c.IsCA() || d.OnlyAttribute {
		return 0, fmt.Errorf("kind of certificate: %w", errScope)
	}
	var reasons Reasons
	// The certificate's distribution points, then the one that is implied.
	implied := DistributionPoint{HasName: true, Reasons: allReasons, FullName: []GeneralName{{Kind: NameDirectory, Directory: c.Issuer}}}
	for i := 0; i <= len(c.DistributionPoints); i++ {
		point := implied
		if i < len(c.DistributionPoints) {
			point = c.DistributionPoints[i]
		}
		if inPoint(c, l, d, point) {
			reasons |= point.Reasons & d.Reasons
		}
	}
	if reasons == 0 {
		return 0, errScope
	}
	return reasons, nil
}

// inPoint does 6.3.3 (b)(1) and (b)(2)(i) for one distribution point.
func inPoint(c *Certificate, l *CRL, d *IssuingDistributionPoint, point DistributionPoint) bool {
	issuer := c.Issuer
	if len(point.CRLIssuer) > 0 {
		if !d.Indirect || !hasDirectory(point.CRLIssuer, l.Issuer) {
			return false
		}
		issuer = l.Issuer
	} else if !l.Issuer.Equal(c.Issuer) {
		return false
	}
	if !d.HasName {
		return true
	}
	names := d.FullName
	if d.Relative != nil {
		n, err := relativeName(l.Issuer, d.Relative)
		if err != nil {
			return false
		}
		names = []GeneralName{{Kind: NameDirectory, Directory: n}}
	}
	switch {
	case !point.HasName:
		return anyEqual(names, point.CRLIssuer)
	case point.Relative != nil:
		n, err := relativeName(issuer, point.Relative)
		return err == nil && hasDirectory(names, n)
	}
	return anyEqual(names, point.FullName)
}

// findings authenticates l, and gives what it says, by itself and with each
// delta that goes with it.
func (r *run) findings(p path, i int, l *CRL, lists []*CRL, reasons Reasons) ([]finding, error) {
	if err := r.future(l.ThisUpdate); err != nil {
		return nil, err
	}
	signer, err := r.crlSigner(p, i, l)
	if err != nil {
		return nil, err
	}
	c := p.certs[i]
	base := Status{Kind: StatusGood, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, CRL: l, Signer: signer}
	if err := base.look(l, c); err != nil {
		return nil, err
	}
	var out []finding
	for _, d := range lists {
		if !deltaOf(d, l) || r.future(d.ThisUpdate) != nil || r.verify(d.signed(), signer) != nil || r.materialAlgorithm(d.Raw, d.SignatureAlgorithm, signer) != nil {
			continue
		}
		s := base
		s.Delta, s.ThisUpdate, s.NextUpdate = d, d.ThisUpdate, d.NextUpdate
		if err := s.look(d, c); err != nil {
			return nil, err
		}
		out = appendCovering(out, s, reasons, d, c)
	}
	out = appendCovering(out, base, reasons, l, c)
	if len(out) == 0 {
		return nil, errTooLate
	}
	return out, nil
}

// appendCovering leaves out what says "not revoked" at a time when the
// certificate need not be listed any more.
func appendCovering(out []finding, s Status, reasons Reasons, l *CRL, c *Certificate) []finding {
	if s.Kind == StatusGood && l.ThisUpdate.After(c.NotAfter) && (l.ExpiredSince.IsZero() || l.ExpiredSince.After(c.NotAfter)) {
		return out
	}
	return append(out, finding{s, reasons})
}

// look takes the entry of c in l into s, 6.3.3 (i) to (k).
func (s *Status) look(l *CRL, c *Certificate) error {
	e, found, err := l.Lookup(c.RawSerial, c.Issuer)
	if err != nil || !found {
		return err
	}
	if e.Reason == RemoveFromCRL {
		if l.BaseNumber == nil {
			return malformed("removeFromCRL in a complete CRL")
		}
		s.Kind, s.RevokedAt, s.Reason, s.InvalidityDate = StatusGood, time.Time{}, 0, time.Time{}
		return nil
	}
	s.Kind, s.RevokedAt, s.Reason, s.InvalidityDate = StatusRevoked, e.RevokedAt, e.Reason, e.InvalidityDate
	if e.Reason == CertificateHold {
		s.Kind = StatusHold
	}
	return nil
}

// deltaOf does 6.3.3 (c): whether d can be put on top of the complete list l
// (5.2.4: the same scope, a base that is not newer, a number that is).
func deltaOf(d, l *CRL) bool {
	return d.BaseNumber != nil && d.unknown == "" && d.Number != nil && l.Number != nil &&
		d.Issuer.Equal(l.Issuer) && bytes.Equal(d.rawIDP, l.rawIDP) && bytes.Equal(d.AuthorityKeyID, l.AuthorityKeyID) &&
		d.BaseNumber.Cmp(l.Number) <= 0 && d.Number.Cmp(l.Number) > 0
}

// crlSigner does 6.3.3 (f) and (g): whose key signed l, with a valid path to
// the anchor of p.
func (r *run) crlSigner(p path, i int, l *CRL) (*Certificate, error) {
	var firstErr error
	fail := func(err error) {
		if firstErr == nil || errors.Is(firstErr, ErrSignature) {
			firstErr = err
		}
	}
	// The certificates above, and the anchor, are validated already.
	for j := i; j < len(p.certs); j++ {
		c := p.issuer(j)
		if !c.Subject.Equal(l.Issuer) {
			continue
		}
		if err := r.signs(l, c); err != nil {
			fail(err)
			continue
		}
		return c, nil
	}
	seen := 0
	for _, c := range r.pool[l.Issuer.key] {
		if seen++; seen > r.v.limits.Candidates {
			fail(fmt.Errorf("issuers of a CRL: %w", errLimit))
			break
		}
		if err := r.signs(l, c); err != nil {
			fail(err)
			continue
		}
		if c.fingerprint == p.certs[i].fingerprint {
			// A certificate vouches for itself only where its issuer says so.
			if !ownIssuer(c) {
				continue
			}
			if t := r.issuerTime(l.Raw, l.ThisUpdate); !c.ValidAt(t) {
				fail(fmt.Errorf("issuer of the CRL at %s: %w", t.UTC().Format(time.RFC3339), errBounds))
				continue
			}
			return c, nil
		}
		if err := r.auxiliary(c, p.anchor, r.issuerTime(l.Raw, l.ThisUpdate)); err != nil {
			fail(fmt.Errorf("issuer of the CRL: %w", err))
			continue
		}
		return c, nil
	}
	if firstErr == nil {
		firstErr = errNoIssuer
	}
	return nil, firstErr
}

// ownIssuer reports whether c is a CRL issuer that the issuer of c made
// responsible for c itself, by cRLIssuer of a distribution point.
func ownIssuer(c *Certificate) bool {
	return slices.ContainsFunc(c.DistributionPoints, func(d DistributionPoint) bool { return hasDirectory(d.CRLIssuer, c.Subject) })
}

// signs reports why c is not whose key signed l.
func (r *run) signs(l *CRL, c *Certificate) error {
	if err := r.verify(l.signed(), c); err != nil {
		return err
	}
	if c.HasKeyUsage && c.KeyUsage&CRLSign == 0 {
		return errCRLUse
	}
	return r.materialAlgorithm(l.Raw, l.SignatureAlgorithm, c)
}

// materialAlgorithm judges the algorithm of a CRL or an OCSP answer.
func (r *run) materialAlgorithm(raw []byte, a SignatureAlgorithm, signer *Certificate) error {
	return r.v.algorithms.CheckSignature(a, signer.PublicKey, r.algorithmTime(raw))
}
