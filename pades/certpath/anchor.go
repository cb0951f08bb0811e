package certpath

import (
	"crypto"
	"fmt"
	"time"
)

// An Anchor is a trust anchor, RFC 5280 6.1.1 (d): a name and a key. Neither
// its self-signature nor its revocation is looked at.
type Anchor struct {
	Name        Name
	Certificate *Certificate // nil when the anchor is given as name and key

	// NotBefore and Sunset bound when the anchor is accepted, both included;
	// zero is unbounded. EN 319 102-1 calls the latter the sunset date.
	NotBefore, Sunset time.Time

	// Certified is what whoever chose the anchor says of it: that the law of the
	// place calls signatures below it certified ones. It counts for no path.
	Certified bool

	// Constrain makes basicConstraints, nameConstraints, certificatePolicies,
	// policyConstraints and inhibitAnyPolicy of the certificate count as
	// initial values of the path, RFC 5937.
	Constrain bool

	// holder stands for the anchor where an issuer is wanted: Certificate, or
	// one that has nothing but name and key.
	holder *Certificate
}

// NewAnchor makes an anchor of a certificate, accepted in its validity period.
// Set other fields before it is given to NewValidator.
func NewAnchor(c *Certificate) *Anchor {
	return &Anchor{Name: c.Subject, Certificate: c, NotBefore: c.NotBefore, Sunset: c.NotAfter, holder: c}
}

// NewAnchorKey makes an anchor of a DER name and a DER SubjectPublicKeyInfo.
func NewAnchorKey(name, spki []byte) (*Anchor, error) {
	n, err := ParseName(name)
	if err != nil {
		return nil, fmt.Errorf("name of the anchor: %w", err)
	}
	h := &Certificate{Subject: n, RawSPKI: spki, keyHash: sum(spki)}
	if h.PublicKey, h.KeyBits, err = parsePublicKey(spki); err != nil {
		return nil, fmt.Errorf("key of the anchor: %w", err)
	}
	return &Anchor{Name: n, holder: h}, nil
}

// PublicKey is the key that the anchor signs with.
func (a *Anchor) PublicKey() crypto.PublicKey {
	if a.holder == nil {
		return nil
	}
	return a.holder.PublicKey
}

// acceptedAt says why the anchor is not accepted at t.
func (a *Anchor) acceptedAt(t time.Time) error {
	if !a.NotBefore.IsZero() && t.Before(a.NotBefore) {
		return fmt.Errorf("trust anchor is accepted from %s", a.NotBefore.UTC().Format(time.RFC3339))
	}
	if !a.Sunset.IsZero() && t.After(a.Sunset) {
		return fmt.Errorf("trust anchor is accepted to %s", a.Sunset.UTC().Format(time.RFC3339))
	}
	return nil
}
