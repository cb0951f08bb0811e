package certpath

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
)

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// Limits bound the work of one validation. A zero field takes its default.
type Limits struct {
	Depth      int // certificates of a path without the anchor; 10
	Candidates int // issuers considered for one certificate; 32
	Nodes      int // certificates considered in all; 256
	Signatures int // signatures verified in one validation, those by costly keys counted several times; 256
	Paths      int // complete paths that are validated; 32
	Recursion  int // paths of CRL issuers and OCSP responders inside one another; 3
	Material   int // CRLs and OCSP answers looked at for one certificate; 64
	PolicyWork int // nodes and edges of the policy graph; 100,000
	NameWork   int // comparisons of names with constraints; 250,000
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		v *int
		d int
	}{
		{&l.Depth, 10}, {&l.Candidates, 32}, {&l.Nodes, 256}, {&l.Signatures, 256}, {&l.Paths, 32}, {&l.Recursion, 3},
		{&l.Material, 64}, {&l.PolicyWork, 100_000}, {&l.NameWork, 250_000},
	} {
		if *f.v <= 0 {
			*f.v = f.d
		}
	}
	return l
}

// A Config is what a Validator knows before the first request.
type Config struct {
	Anchors    []*Anchor
	Algorithms *AlgorithmPolicy // nil: DefaultAlgorithms
	Limits     Limits
	Cache      int // verified signatures that are remembered; 0: 4096, negative: none

	// Skew is how far the clocks of responders may be ahead of Request.Now;
	// 0: one minute, negative: not at all.
	Skew time.Duration
}

// A Validator validates certificates against fixed anchors. It is safe for
// concurrent use.
type Validator struct {
	anchors    map[string][]*Anchor // by the comparable form of the name
	byCert     map[[32]byte]*Anchor
	algorithms *AlgorithmPolicy
	limits     Limits
	verified   *signatureCache
	skew       time.Duration
}

// ErrNoAnchor is the cause when an anchor has no key that signatures can be
// verified with.
var ErrNoAnchor = errors.New("trust anchor without a usable key")

// NewValidator prepares a Validator. Its anchors are not to be changed any
// more.
func NewValidator(c Config) (*Validator, error) {
	v := &Validator{anchors: map[string][]*Anchor{}, byCert: map[[32]byte]*Anchor{}, limits: c.Limits.withDefaults()}
	for i, a := range c.Anchors {
		if a == nil || a.PublicKey() == nil || a.Name.Empty() {
			return nil, fmt.Errorf("anchor %d: %w", i, ErrNoAnchor)
		}
		v.anchors[a.Name.key] = append(v.anchors[a.Name.key], a)
		if a.Certificate != nil {
			v.byCert[a.Certificate.fingerprint] = a
		}
	}
	if c.Algorithms == nil {
		v.algorithms = DefaultAlgorithms()
	} else {
		v.algorithms = c.Algorithms.clone()
	}
	if c.Cache == 0 {
		c.Cache = 4096
	}
	if v.skew = max(c.Skew, 0); c.Skew == 0 {
		v.skew = time.Minute
	}
	v.verified = newSignatureCache(c.Cache)
	return v, nil
}

// Algorithms is the policy that the Validator judges algorithms by. It is not
// to be changed.
func (v *Validator) Algorithms() *AlgorithmPolicy { return v.algorithms }

// A RevocationMode says what is asked of a certificate's revocation status.
type RevocationMode int

// The modes.
const (
	// RevocationRequired: each certificate of the path needs a usable and
	// fresh statement, or an extension that says that none is made.
	RevocationRequired RevocationMode = iota
	// RevocationIfAvailable: statements count where there are some.
	RevocationIfAvailable
	// RevocationNone: RFC 5280 6.1 only.
	RevocationNone
)

// A Request asks about one certificate.
type Request struct {
	Certificate *Certificate
	// Candidates may lie between Certificate and an anchor. They need not be
	// in order, and most may be unrelated.
	Candidates []*Certificate
	// Time is the moment at which the path has to be valid (control time,
	// best-signature-time). It may not be zero.
	Time time.Time
	// Now is the moment of asking, at which all material is known to exist;
	// material made behind it is refused. Zero takes Time. ValidatePast takes
	// Now and pays no regard to Time.
	Now time.Time
	// Source gives revocation material; nil has none.
	Source Source
	// POE tells since when objects exist; nil knows of none before Now.
	POE POE

	Revocation RevocationMode
	// Freshness is how much older than Time the revocation statement on
	// Certificate may be (EN 319 102-1 5.2.5, maximum accepted revocation
	// freshness). Zero, and what is above Certificate, asks that Time is not
	// behind nextUpdate, or, where there is none, not more than a day behind
	// thisUpdate.
	Freshness time.Duration
	// StrictIssuers asks that the path of whoever signed a CRL or an OCSP
	// answer is valid at the moment since which the answer is proven to exist
	// (POE, else Now). Otherwise the moment at which it was made is enough,
	// so that archived answers of responders whose certificates have ended
	// stay good.
	StrictIssuers bool

	KeyUsage     KeyUsage // the certificate needs one of these bits, when it has keyUsage; 0 asks nothing
	ExtKeyUsages []OID    // the certificate needs one of these, or anyExtendedKeyUsage, when it has extKeyUsage

	// The inputs (c), (e), (f), (g) of RFC 5280 6.1.1. No Policies is
	// any-policy.
	Policies              []OID
	RequireExplicitPolicy bool
	InhibitPolicyMapping  bool
	InhibitAnyPolicy      bool
}
