package certpath

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // names of responders; linked in for crypto.SHA1
	"errors"
	"fmt"
	"time"
)

var (
	errOtherCertificate = errors.New("is about other certificates")
	errUnknownStatus    = errors.New("responder does not know the certificate")
	errResponder        = errors.New("no acceptable responder")
	errResponderUse     = errors.New("responder's certificate is not for OCSP signing")
)

// ocspStatement authenticates o and gives what it says about p.certs[i], RFC
// 6960 3.2.
func (r *run) ocspStatement(p path, i int, o *OCSPResponse) (Status, error) {
	c, issuer := p.certs[i], p.issuer(i)
	answer := -1
	for j := range o.Answers {
		if o.Answers[j].CertID.Matches(c, issuer.Subject, issuer.KeyBits) && (answer < 0 || o.Answers[j].outweighs(&o.Answers[answer])) {
			answer = j
		}
	}
	if answer < 0 {
		return Status{}, errOtherCertificate
	}
	a := o.Answers[answer]
	if o.unknown != "" || a.unknown != "" {
		return Status{}, errUnknownExt
	}
	if err := r.future(o.ProducedAt); err != nil {
		return Status{}, err
	}
	if err := r.future(a.ThisUpdate); err != nil {
		return Status{}, err
	}
	if !a.NextUpdate.IsZero() && a.NextUpdate.Before(a.ThisUpdate) {
		return Status{}, malformed("nextUpdate before thisUpdate")
	}
	signer, err := r.responder(p, i, o)
	if err != nil {
		return Status{}, err
	}
	if a.Kind == StatusUnknown {
		return Status{}, errUnknownStatus
	}
	if a.Kind == StatusGood && a.ThisUpdate.After(c.NotAfter) && (a.ArchiveCutoff.IsZero() || a.ArchiveCutoff.After(c.NotAfter)) {
		return Status{}, errTooLate
	}
	return Status{
		Kind: a.Kind, RevokedAt: a.RevokedAt, Reason: a.Reason,
		ThisUpdate: a.ThisUpdate, NextUpdate: a.NextUpdate, OCSP: o, Signer: signer,
	}, nil
}

// outweighs reports whether a counts rather than o, both being about one
// certificate: a revocation for good, else what is newer.
func (a *OCSPAnswer) outweighs(o *OCSPAnswer) bool {
	if (a.Kind == StatusRevoked) != (o.Kind == StatusRevoked) {
		return a.Kind == StatusRevoked
	}
	return a.ThisUpdate.After(o.ThisUpdate)
}

// named reports whether the answer names holder as its responder.
func (o *OCSPResponse) named(holder *Certificate) bool {
	if !o.byKey {
		return o.ResponderName.Equal(holder.Subject)
	}
	return bytes.Equal(nameDigest(crypto.SHA1, holder.KeyBits), o.ResponderKey)
}

// responder finds who signed o: the issuer of p.certs[i], or whom it
// delegated by a certificate of its own (RFC 6960 4.2.2.2).
func (r *run) responder(p path, i int, o *OCSPResponse) (*Certificate, error) {
	issuer := p.issuer(i)
	firstErr := error(nil)
	if o.named(issuer) {
		err := r.verify(o.signed(), issuer)
		if err == nil {
			err = r.materialAlgorithm(o.Raw, o.SignatureAlgorithm, issuer)
		}
		if err == nil {
			return issuer, nil
		}
		firstErr = err
	}
	tried := 0
	try := func(list []*Certificate) *Certificate {
		for _, c := range list {
			if !c.Issuer.Equal(issuer.Subject) || !c.HasExtKeyUsage(ExtKeyUsageOCSP) || !o.named(c) {
				continue
			}
			if tried++; tried > r.v.limits.Candidates {
				firstErr = fmt.Errorf("responders: %w", errLimit)
				return nil
			}
			err := r.delegated(p, i, o, c)
			if err == nil {
				return c
			}
			if firstErr == nil || errors.Is(firstErr, ErrSignature) {
				firstErr = err
			}
		}
		return nil
	}
	if c := try(o.Certificates); c != nil {
		return c, nil
	}
	if c := try(r.others); c != nil {
		return c, nil
	}
	if firstErr == nil {
		firstErr = errResponder
	}
	return nil, firstErr
}

// delegated says why c is not a responder that the issuer of p.certs[i] has
// delegated.
func (r *run) delegated(p path, i int, o *OCSPResponse, c *Certificate) error {
	if err := r.verify(o.signed(), c); err != nil {
		return err
	}
	if err := r.materialAlgorithm(o.Raw, o.SignatureAlgorithm, c); err != nil {
		return err
	}
	if c.HasKeyUsage && c.KeyUsage&(DigitalSignature|ContentCommitment) == 0 {
		return errResponderUse
	}
	// The path is that of the certificate in question, with the responder in
	// its place: signed by the same key.
	own := path{certs: append([]*Certificate{c}, p.certs[i+1:]...), anchor: p.anchor}
	v := r.basic(own, inputs{})
	if v.err != nil {
		return fmt.Errorf("responder: %w", v.err)
	}
	own.holders = v.holders(own)
	t := r.issuerTime(o.Raw, o.ProducedAt)
	if !c.ValidAt(t) {
		return fmt.Errorf("responder at %s: %w", t.UTC().Format(time.RFC3339), errBounds)
	}
	if err := r.v.algorithms.CheckSignature(c.SignatureAlgorithm, v.keys[0], r.algorithmTime(c.Raw)); err != nil {
		return fmt.Errorf("responder: %w", err)
	}
	if c.OCSPNoCheck || c.NoRevocation {
		return nil
	}
	if r.level >= r.v.limits.Recursion {
		return fmt.Errorf("status of responders inside one another: %w", errLimit)
	}
	inner := *r
	inner.level++
	var s Status
	if e := inner.oneStatus(own, 0, t, &s); e != nil {
		return fmt.Errorf("responder: %w", e)
	}
	return nil
}
