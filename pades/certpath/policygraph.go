package certpath

import (
	"fmt"
	"maps"
	"slices"
)

// policyGraph is the valid_policy_graph of RFC 9618, which replaces the tree of
// RFC 5280 6.1.2 (a): one node for each policy at each depth, so that mappings
// cannot make it grow without measure. The zero of depth 0 is anyPolicy.
type policyGraph struct {
	levels []map[OID]*policyNode
	work   int // nodes and edges that may still be made
}

type policyNode struct {
	policy   OID
	expected map[OID]bool
	parents  []*policyNode
	children int
}

func newPolicyGraph(work int) *policyGraph {
	root := &policyNode{policy: AnyPolicy, expected: map[OID]bool{AnyPolicy: true}}
	return &policyGraph{levels: []map[OID]*policyNode{{AnyPolicy: root}}, work: work}
}

func (g *policyGraph) last() map[OID]*policyNode { return g.levels[len(g.levels)-1] }

func (g *policyGraph) spend(n int) error {
	if g.work -= n; g.work < 0 {
		return fmt.Errorf("policies: %w", errLimit)
	}
	return nil
}

func insert(level map[OID]*policyNode, policy OID, expected map[OID]bool, parents []*policyNode) {
	for _, p := range parents {
		p.children++
	}
	level[policy] = &policyNode{policy: policy, expected: expected, parents: parents}
}

// extend adds the level of one certificate, RFC 5280 6.1.3 (d). It reports
// whether anything is left of the graph.
func (g *policyGraph) extend(policies []OID, anyAllowed bool) (bool, error) {
	above := g.last()
	byExpected := map[OID][]*policyNode{}
	for _, n := range above {
		if err := g.spend(1 + len(n.expected)); err != nil {
			return false, err
		}
		for e := range n.expected {
			byExpected[e] = append(byExpected[e], n)
		}
	}
	level := map[OID]*policyNode{}
	hasAny := false
	for _, p := range policies {
		if p == AnyPolicy {
			hasAny = true
			continue
		}
		parents := byExpected[p]
		if len(parents) == 0 && above[AnyPolicy] != nil {
			parents = []*policyNode{above[AnyPolicy]}
		}
		if len(parents) > 0 {
			if err := g.spend(1 + len(parents)); err != nil {
				return false, err
			}
			insert(level, p, map[OID]bool{p: true}, parents)
		}
	}
	if hasAny && anyAllowed {
		for p, parents := range byExpected {
			if level[p] == nil {
				if err := g.spend(1 + len(parents)); err != nil {
					return false, err
				}
				insert(level, p, map[OID]bool{p: true}, parents)
			}
		}
	}
	g.levels = append(g.levels, level)
	g.prune(len(g.levels) - 2)
	return len(level) > 0, nil
}

// prune removes nodes without children from depth upwards.
func (g *policyGraph) prune(depth int) {
	for d := depth; d >= 0; d-- {
		for p, n := range g.levels[d] {
			if n.children == 0 {
				g.remove(d, p)
			}
		}
	}
}

func (g *policyGraph) remove(depth int, p OID) {
	for _, parent := range g.levels[depth][p].parents {
		parent.children--
	}
	delete(g.levels[depth], p)
}

// apply does policy mapping, RFC 5280 6.1.4 (b). Whether anything is left is
// told, too.
func (g *policyGraph) apply(mappings []PolicyMapping, allowed bool) (bool, error) {
	level := g.last()
	to := map[OID]map[OID]bool{}
	for _, m := range mappings {
		if err := g.spend(1); err != nil {
			return false, err
		}
		if to[m.IssuerDomain] == nil {
			to[m.IssuerDomain] = map[OID]bool{}
		}
		to[m.IssuerDomain][m.SubjectDomain] = true
	}
	for from, expected := range to {
		n := level[from]
		switch {
		case !allowed && n != nil:
			g.remove(len(g.levels)-1, from)
		case allowed && n != nil:
			n.expected = expected
		case allowed && level[AnyPolicy] != nil:
			insert(level, from, expected, level[AnyPolicy].parents)
		}
	}
	if !allowed {
		g.prune(len(g.levels) - 2)
	}
	return len(level) > 0, nil
}

// constrained gives the user-constrained-policy-set, RFC 5280 6.1.5 (g): the
// policies of the anchor's domain for which the path is good, among those that
// the user asks for. No user means any policy.
func (g *policyGraph) constrained(user []OID) []OID {
	anyUser := len(user) == 0 || slices.Contains(user, AnyPolicy)
	// A node counts where it hangs below anyPolicy: there its name is one of
	// the anchor's domain. Pruning has left only nodes that reach the end.
	found := map[OID]bool{}
	for d := 1; d < len(g.levels); d++ {
		for p, n := range g.levels[d] {
			if p != AnyPolicy && slices.ContainsFunc(n.parents, func(x *policyNode) bool { return x.policy == AnyPolicy }) {
				found[p] = true
			}
		}
	}
	if g.last()[AnyPolicy] != nil {
		found[AnyPolicy] = true
	}
	if anyUser {
		return slices.Sorted(maps.Keys(found))
	}
	var out []OID
	for _, p := range user {
		if (found[p] || found[AnyPolicy]) && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}
