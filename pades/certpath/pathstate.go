package certpath

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
)

// inputs are the initial values of RFC 5280 6.1.1 for one path.
type inputs struct {
	policies                            []OID
	explicit, inhibitMapping, inhibitPA bool
}

// verdict is what RFC 5280 6.1 says of one path, apart from time, algorithms
// and revocation.
type verdict struct {
	policies []OID
	keys     []crypto.PublicKey // with which certs[i] is signed
	target   crypto.PublicKey   // of certs[0], completed
	err      *Error
}

// own gives the key that certs[i] is about.
func (v verdict) own(i int) crypto.PublicKey {
	if i == 0 {
		return v.target
	}
	return v.keys[i-1]
}

// holders gives the issuer of each certificate of p. Those whose DSA keys have
// their parameters from above are copies with the whole key, and another
// identity for remembering what it has verified.
func (v verdict) holders(p path) []*Certificate {
	out := make([]*Certificate, len(p.certs))
	for i := range p.certs {
		out[i] = p.issuer(i)
		if k, ok := v.keys[i].(*DSAPublicKey); ok && inherits(out[i].PublicKey) && k.P != nil {
			whole := *out[i]
			whole.PublicKey = k
			p, q, g := sum(k.P.Bytes()), sum(k.Q.Bytes()), sum(k.G.Bytes())
			whole.keyHash = sum(slices.Concat(whole.keyHash[:], p[:], q[:], g[:]))
			out[i] = &whole
		}
	}
	return out
}

// state has the variables of RFC 5280 6.1.2.
type state struct {
	graph        *policyGraph // nil is NULL
	names        constraints
	explicit     int
	inhibitAny   int
	mapping      int
	maxPath      int
	key          crypto.PublicKey
	issuer       Name
	issuerHolder *Certificate
}

// basic runs RFC 5280 6.1 without time and revocation, from the anchor down.
func (r *run) basic(p path, in inputs) verdict {
	n := len(p.certs)
	s := state{
		graph: newPolicyGraph(r.v.limits.PolicyWork), names: constraints{work: r.v.limits.NameWork},
		explicit: n + 1, inhibitAny: n + 1, mapping: n + 1, maxPath: n,
		key: p.anchor.PublicKey(), issuer: p.anchor.Name, issuerHolder: p.anchor.holder,
	}
	if in.explicit {
		s.explicit = 0
	}
	if in.inhibitPA {
		s.inhibitAny = 0
	}
	if in.inhibitMapping {
		s.mapping = 0
	}
	v := verdict{keys: make([]crypto.PublicKey, n)}
	user := in.policies
	if p.anchor.Constrain && p.anchor.Certificate != nil {
		user = s.constrain(p.anchor.Certificate, user)
	}
	for i := n - 1; i >= 0; i-- {
		c := p.certs[i]
		v.keys[i] = s.key
		if reason, err := r.step(&s, c, i == 0); err != nil {
			v.err = &Error{Reason: reason, Sub: CertificateChainFailure, Certificate: c, Depth: i, Err: err}
			return v
		}
	}
	v.target = inherit(p.certs[0].PublicKey, s.key)
	// 6.1.5 (g).
	if s.graph != nil {
		v.policies = s.graph.constrained(user)
	}
	if s.explicit <= 0 && len(v.policies) == 0 {
		v.err = &Error{Reason: ReasonPolicy, Sub: CertificateChainFailure, Certificate: p.certs[0], Depth: 0, Err: errPolicy}
	}
	return v
}

var (
	errPolicy   = errors.New("no acceptable certificate policy")
	errMapping  = errors.New("policy mapping from or to anyPolicy")
	errNaming   = errors.New("issuer is not the subject above")
	errNotCA    = errors.New("basicConstraints do not say cA")
	errPathLen  = errors.New("more intermediate certificates than pathLenConstraint")
	errSignUse  = errors.New("keyUsage without keyCertSign")
	errVersion  = errors.New("CA certificate of version 1 or 2")
	errCritical = errors.New("critical extension that is not processed")
)

// constrain takes the constraints of the anchor's certificate as initial
// values, RFC 5937 section 3.
func (s *state) constrain(a *Certificate, user []OID) []OID {
	if a.BasicConstraints != nil && a.BasicConstraints.PathLen >= 0 {
		s.maxPath = min(s.maxPath, a.BasicConstraints.PathLen)
	}
	s.names.add(a.NameConstraints)
	s.tighten(a)
	if a.Policies == nil || slices.Contains(a.Policies, AnyPolicy) {
		return user
	}
	if len(user) == 0 || slices.Contains(user, AnyPolicy) {
		return a.Policies
	}
	var both []OID
	for _, p := range user {
		if slices.Contains(a.Policies, p) {
			both = append(both, p)
		}
	}
	if both == nil { // nothing is acceptable; an empty set would mean any
		both = []OID{""}
	}
	return both
}

// tighten does 6.1.4 (i) and (j).
func (s *state) tighten(c *Certificate) {
	if c.RequireExplicit >= 0 {
		s.explicit = min(s.explicit, c.RequireExplicit)
	}
	if c.InhibitMapping >= 0 {
		s.mapping = min(s.mapping, c.InhibitMapping)
	}
	if c.InhibitAnyPolicy >= 0 {
		s.inhibitAny = min(s.inhibitAny, c.InhibitAnyPolicy)
	}
}

// step processes one certificate: 6.1.3, then 6.1.4 or, for the last, 6.1.5.
func (r *run) step(s *state, c *Certificate, last bool) (Reason, error) {
	// 6.1.3 (a)(1) and (4)
	if s.issuer.Empty() || !c.Issuer.Equal(s.issuer) {
		return ReasonNameChaining, errNaming
	}
	if err := r.verifyWith(c, s); err != nil {
		return signatureReason(err), err
	}
	selfIssued := c.SelfIssued()
	if !selfIssued || last {
		if err := s.names.check(c); err != nil {
			return reasonOf(err, ReasonNameConstraints), err
		}
	}
	// (d), (e), (f)
	if s.graph != nil && c.Policies != nil {
		left, err := s.graph.extend(c.Policies, s.inhibitAny > 0 || !last && selfIssued)
		if err != nil {
			return ReasonLimit, err
		}
		if !left {
			s.graph = nil
		}
	}
	if c.Policies == nil {
		s.graph = nil
	}
	if s.explicit <= 0 && s.graph == nil {
		return ReasonPolicy, errPolicy
	}
	if c.unknown != "" { // 6.1.4 (o), 6.1.5 (f)
		name, err := dotted(c.unknown)
		if err != nil {
			return ReasonExtension, errCritical
		}
		return ReasonExtension, fmt.Errorf("%s: %w", name, errCritical)
	}
	if last {
		if s.explicit > 0 {
			s.explicit--
		}
		if c.RequireExplicit == 0 {
			s.explicit = 0
		}
		return ReasonNone, nil
	}
	return r.prepare(s, c, selfIssued)
}

// prepare does 6.1.4 for a certificate that is not the last.
func (r *run) prepare(s *state, c *Certificate, selfIssued bool) (Reason, error) {
	for _, m := range c.PolicyMappings { // (a)
		if m.IssuerDomain == AnyPolicy || m.SubjectDomain == AnyPolicy {
			return ReasonPolicy, errMapping
		}
	}
	if len(c.PolicyMappings) > 0 && s.graph != nil { // (b)
		left, err := s.graph.apply(c.PolicyMappings, s.mapping > 0)
		if err != nil {
			return ReasonLimit, err
		}
		if !left {
			s.graph = nil
		}
	}
	s.issuer, s.issuerHolder = c.Subject, c // (c)
	s.key = inherit(c.PublicKey, s.key)     // (d), (e), (f)
	s.names.add(c.NameConstraints)          // (g)
	if !selfIssued {                        // (h)
		s.explicit, s.mapping, s.inhibitAny = max(s.explicit-1, 0), max(s.mapping-1, 0), max(s.inhibitAny-1, 0)
	}
	s.tighten(c)        // (i), (j)
	if c.Version != 3 { // (k)
		return ReasonNotCA, errVersion
	}
	if !c.IsCA() {
		return ReasonNotCA, errNotCA
	}
	if !selfIssued { // (l)
		if s.maxPath <= 0 {
			return ReasonPathLength, errPathLen
		}
		s.maxPath--
	}
	if n := c.BasicConstraints.PathLen; n >= 0 { // (m)
		s.maxPath = min(s.maxPath, n)
	}
	if c.HasKeyUsage && c.KeyUsage&KeyCertSign == 0 { // (n)
		return ReasonKeyUsage, errSignUse
	}
	return ReasonNone, nil
}

func reasonOf(err error, other Reason) Reason {
	if errors.Is(err, errLimit) {
		return ReasonLimit
	}
	return other
}

// verifyWith verifies c with the working public key. Where that has its
// parameters from further up, the outcome depends on the path and is not
// remembered.
func (r *run) verifyWith(c *Certificate, s *state) error {
	if !inherits(s.issuerHolder.PublicKey) {
		return r.verify(c.signed(), s.issuerHolder)
	}
	return r.verifyInherited(c.signed(), s.key)
}

func (r *run) verifyInherited(s signed, key crypto.PublicKey) error {
	if s.err != nil {
		return s.err
	}
	if r.signatures >= r.v.limits.Signatures {
		return fmt.Errorf("%d signatures: %w", r.signatures, errLimit)
	}
	r.signatures += cost(key)
	return s.algorithm.Verify(key, s.tbs, s.value)
}
