package certpath

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A path leads from the target (first) to the certificate that the anchor
// issued (last).
type path struct {
	certs  []*Certificate
	anchor *Anchor
	// holders, once the path is found valid, has the issuers of certs with DSA
	// keys completed.
	holders []*Certificate
}

// issuer gives the holder of the key that certs[i] is signed with.
func (p path) issuer(i int) *Certificate {
	if p.holders != nil {
		return p.holders[i]
	}
	if i+1 < len(p.certs) {
		return p.certs[i+1]
	}
	return p.anchor.holder
}

// errLimit is the cause when a bound of Limits ends the search.
var errLimit = errors.New("limit of work reached")

// A run is one validation: the request, and the work that it shares with the
// validations of CRL issuers and OCSP responders inside it.
type run struct {
	*work
	ctx   context.Context
	v     *Validator
	req   *Request
	now   time.Time
	level int  // of recursion
	past  bool // validation of the past
}

// work is what has been done so far.
type work struct {
	pool       map[string][]*Certificate // by the comparable form of the subject
	others     []*Certificate            // the same, as given
	signatures int                       // verified, by cost
	failed     map[signatureKey]error
	busy       map[signatureKey]bool // CRL issuers whose path is being validated, and for which anchor
	issuers    map[auxiliaryKey]error
	notes      []*Error
}

func (v *Validator) newRun(ctx context.Context, req *Request) *run {
	r := &run{ctx: ctx, v: v, req: req, now: req.Now, work: &work{failed: map[signatureKey]error{}}}
	if r.now.IsZero() {
		r.now = req.Time
	}
	r.addToPool(req.Candidates)
	return r
}

func (r *run) addToPool(certs []*Certificate) {
	if r.pool == nil {
		r.pool = make(map[string][]*Certificate, len(certs))
	}
	for _, c := range certs {
		if c == nil || c.Subject.Empty() {
			continue
		}
		r.pool[c.Subject.key] = append(r.pool[c.Subject.key], c)
		r.others = append(r.others, c)
	}
}

func (r *run) note(e *Error) {
	if len(r.notes) < 64 {
		r.notes = append(r.notes, e)
	}
}

// signed is what has a signature: certificate, CRL, OCSP answer.
type signed struct {
	fingerprint [32]byte
	tbs, value  []byte
	algorithm   SignatureAlgorithm
	err         error // why algorithm is not known
}

func (c *Certificate) signed() signed {
	return signed{c.fingerprint, c.RawTBS, c.Signature, c.SignatureAlgorithm, c.sigErr}
}
func (l *CRL) signed() signed {
	return signed{l.fingerprint, l.RawTBS, l.Signature, l.SignatureAlgorithm, l.sigErr}
}
func (o *OCSPResponse) signed() signed {
	return signed{o.fingerprint, o.RawTBS, o.Signature, o.SignatureAlgorithm, o.sigErr}
}

// verify checks a signature by the key of issuer, once for each pair.
func (r *run) verify(s signed, issuer *Certificate) error {
	key := signatureKey{s.fingerprint, issuer.keyHash}
	if r.v.verified.has(key) {
		return nil
	}
	if err, ok := r.failed[key]; ok {
		return err
	}
	if s.err != nil {
		return s.err
	}
	if issuer.PublicKey == nil {
		return issuer.keyErr
	}
	if issuer.pssOnly() && s.algorithm.Scheme != RSAPSS {
		return fmt.Errorf("%s with a key for RSASSA-PSS only: %w", s.algorithm, ErrUnsupported)
	}
	if r.signatures >= r.v.limits.Signatures {
		return fmt.Errorf("%d signatures: %w", r.signatures, errLimit)
	}
	r.signatures += cost(issuer.PublicKey)
	if err := s.algorithm.Verify(issuer.PublicKey, s.tbs, s.value); err != nil {
		r.failed[key] = err
		return err
	}
	r.v.verified.add(key)
	return nil
}

// node is a certificate in the graph that grows from the target to anchors.
type node struct {
	cert    *Certificate
	issuers []*node
	below   []*node // those that it issued
	anchors []*Anchor
	dist    int // certificates from here to an anchor; 0: none leads there
}

// graph holds, for one target, which certificate was issued by which. Each
// certificate is expanded once, so its size is bounded however they are
// crossed.
type graph struct {
	nodes  map[[32]byte]*node
	order  []*node
	target *node
	// closest is the best reason of a candidate not being an issuer.
	closest *Error
}

func (r *run) newGraph(target *Certificate) *graph {
	g := &graph{nodes: map[[32]byte]*node{}}
	g.target = g.add(target)
	return g
}

func (g *graph) add(c *Certificate) *node {
	if n, ok := g.nodes[c.fingerprint]; ok {
		return n
	}
	n := &node{cert: c}
	g.nodes[c.fingerprint] = n
	g.order = append(g.order, n)
	return n
}

// grow finds the issuers of each node, in the pool or, with fetch, also from
// the Source.
func (r *run) grow(g *graph, fetch bool) {
	for i := 0; i < len(g.order); i++ {
		n := g.order[i]
		if n.cert.Issuer.Empty() || len(n.anchors) > 0 || len(n.issuers) > 0 {
			continue
		}
		for _, a := range r.v.anchors[n.cert.Issuer.key] {
			if g.try(r, n.cert, a.holder) {
				n.anchors = append(n.anchors, a)
			}
		}
		candidates := r.pool[n.cert.Issuer.key]
		if fetch && r.req.Source != nil && r.ctx.Err() == nil {
			more, err := r.req.Source.Issuers(r.ctx, n.cert)
			if err != nil {
				r.note(&Error{Reason: ReasonNoPath, Certificate: n.cert, Depth: -1, Err: fmt.Errorf("get issuers: %w", err)})
			}
			candidates = append(candidates[:len(candidates):len(candidates)], more...)
		}
		for _, c := range r.ranked(n.cert, candidates) {
			if len(g.order) >= r.v.limits.Nodes {
				g.refuse(&Error{Reason: ReasonLimit, Certificate: n.cert, Depth: -1, Err: errLimit})
				break
			}
			if g.try(r, n.cert, c) {
				m := g.add(c)
				n.issuers = append(n.issuers, m)
				m.below = append(m.below, n)
			}
		}
	}
	g.measure()
}

// try reports whether issuer signed c. A DSA key without parameters can only
// be judged with the rest of the path.
func (g *graph) try(r *run, c, issuer *Certificate) bool {
	if !c.Issuer.Equal(issuer.Subject) {
		return false
	}
	if inherits(issuer.PublicKey) {
		return true
	}
	err := r.verify(c.signed(), issuer)
	if err != nil {
		g.refuse(&Error{Reason: signatureReason(err), Certificate: c, Depth: -1, Err: err})
	}
	return err == nil
}

func (g *graph) refuse(e *Error) {
	if g.closest == nil || e.Reason > g.closest.Reason {
		g.closest = e
	}
}

func signatureReason(err error) Reason {
	switch {
	case errors.Is(err, errLimit):
		return ReasonLimit
	case errors.Is(err, ErrSignature):
		return ReasonSignature
	case errors.Is(err, ErrUnsupported):
		return ReasonUnsupportedKey
	}
	return ReasonMalformed
}

// ranked gives the candidates for the issuer of c, the likeliest first, without
// repetition and no more than Limits.Candidates. What is an anchor's name and
// key is left out: the anchor itself stands for it.
func (r *run) ranked(c *Certificate, candidates []*Certificate) []*Certificate {
	var out []*Certificate
	seen := make(map[[32]byte]bool, len(candidates))
	for _, x := range candidates {
		if x == nil || seen[x.fingerprint] || x.fingerprint == c.fingerprint || !x.Subject.Equal(c.Issuer) || r.isAnchor(x) {
			continue
		}
		seen[x.fingerprint] = true
		out = append(out, x)
	}
	score := func(x *Certificate) int {
		s := 0
		if len(c.AuthorityKeyID) > 0 && len(x.SubjectKeyID) > 0 {
			if bytes.Equal(c.AuthorityKeyID, x.SubjectKeyID) {
				s -= 8
			} else {
				s += 8
			}
		}
		if len(r.v.anchors[x.Issuer.key]) > 0 {
			s -= 4
		}
		if !x.IsCA() {
			s += 4
		}
		if !x.ValidAt(r.req.Time) {
			s += 2
		}
		if x.SelfIssued() {
			s++
		}
		return s
	}
	slices.SortStableFunc(out, func(a, b *Certificate) int { return score(a) - score(b) })
	if len(out) > r.v.limits.Candidates {
		out = out[:r.v.limits.Candidates]
	}
	return out
}

func (r *run) isAnchor(c *Certificate) bool {
	for _, a := range r.v.anchors[c.Subject.key] {
		if a.holder.keyHash == c.keyHash {
			return true
		}
	}
	return false
}

// measure sets the distance of each node from an anchor, nearest first.
func (g *graph) measure() {
	var queue []*node
	for _, n := range g.order {
		n.dist = 0
		if len(n.anchors) > 0 {
			n.dist = 1
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, b := range n.below {
			if b.dist == 0 {
				b.dist = n.dist + 1
				queue = append(queue, b)
			}
		}
	}
	for _, n := range g.order {
		slices.SortStableFunc(n.issuers, func(a, b *node) int { return a.dist - b.dist })
	}
}

// paths calls yield with complete paths until it returns false or a bound is
// reached, short ones first among equals.
func (r *run) paths(g *graph, yield func(path) bool) {
	var stack []*Certificate
	steps := 0
	count := 0
	var walk func(n *node) bool
	walk = func(n *node) bool {
		if steps++; steps > 4096 || n.dist == 0 || len(stack)+n.dist > r.v.limits.Depth {
			return steps <= 4096
		}
		// RFC 4158 2.4.2: the same name and key twice is a loop.
		for _, c := range stack {
			if c.keyHash == n.cert.keyHash && c.Subject.Equal(n.cert.Subject) {
				return true
			}
		}
		stack = append(stack, n.cert)
		defer func() { stack = stack[:len(stack)-1] }()
		for _, a := range n.anchors {
			if count++; count > r.v.limits.Paths || !yield(path{certs: slices.Clone(stack), anchor: a}) {
				return false
			}
		}
		for _, m := range n.issuers {
			if !walk(m) {
				return false
			}
		}
		return true
	}
	walk(g.target)
}
