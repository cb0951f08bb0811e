package changes

import (
	"maps"
	"slices"

	"absah/pdf"
)

// shared reports what serves two roles although no reference to a changed object
// shows it, and returns the indices of the reports.
//
// Between a rule's place and what changed there may lie objects that did not: a
// dictionary of appearances, a list of fields. When such a one is a page's
// dictionary of pictures as well, what is the face of a field for one rule is the
// page for every reader.
func (c *comparison) shared() []int {
	var found []int
	report := func(ch Change) {
		found = append(found, len(c.out))
		c.report(ch)
	}
	between := c.between()
	for _, e := range c.otherUses(between) {
		report(c.describe(c.unchanged(between[e.to]), e))
	}
	shown := c.shown()
	changed := false
	for _, n := range slices.Sorted(maps.Keys(c.changed)) {
		_, isPage := c.pageAt[n]
		changed = changed || isPage || shown[n]
		if shown[n] && c.judged[n] && !isPage && !c.copied[n] {
			report(Change{Kind: Page, Object: c.changed[n].ref, Need: NeedMore, Detail: "Resources"})
		}
	}
	if changed {
		c.web.shown = nil
	}
	return found
}

// between are the unchanged objects through which a rule came to one that changed.
func (c *comparison) between() map[uint32]pdf.Ref {
	all := map[uint32]pdf.Ref{}
	for grown := true; grown; {
		grown = false
		for n := range c.passed {
			if _, known := all[n]; known {
				continue
			}
			if slices.ContainsFunc(c.web.out[n], func(to uint32) bool {
				_, known := all[to]
				return known || c.changed[to] != nil
			}) {
				all[n], grown = c.web.live[n], true
			}
		}
	}
	return all
}

// otherUses are the references to the objects that no rule has walked, one for
// each object.
func (c *comparison) otherUses(objects map[uint32]pdf.Ref) []edge {
	if len(objects) == 0 {
		return nil
	}
	found := map[uint32]edge{}
	for from, out := range c.web.out {
		if !slices.ContainsFunc(out, func(to uint32) bool { _, ok := objects[to]; return ok }) || !c.reached(from) {
			continue
		}
		var holder pdf.Object = c.cur.Trailer()
		if from != 0 {
			holder = resolve(c.cur, c.web.live[from])
		}
		references(holder, "", func(path string, to pdf.Ref) {
			e := edge{from, path, to.Number}
			if _, ok := objects[to.Number]; !ok || c.accounted[e] {
				return
			}
			if d := c.changed[from]; d != nil && !c.judged[from] {
				return // reported for what refers to it
			}
			if d := c.unchanged(to); linked(d) && c.isLink(e, d) {
				return
			}
			if known, ok := found[to.Number]; !ok || compareEdges(e, known) < 0 { // the same words each time
				found[to.Number] = e
			}
		})
	}
	return slices.SortedFunc(maps.Values(found), compareEdges)
}

// unchanged is an object that is as it was.
func (c *comparison) unchanged(ref pdf.Ref) *delta {
	o := resolve(c.cur, ref)
	return &delta{ref: ref, old: o, cur: o}
}

// shown are the objects that the contents and resources of the pages lead to. They
// must not change whatever role they have beside: the names of resources are free,
// so that a reference from one can look like any link.
func (c *comparison) shown() map[uint32]bool {
	if c.web.shown != nil {
		return c.web.shown
	}
	all := map[uint32]bool{}
	var work []uint32
	see := func(n uint32) {
		if _, isPage := c.pageAt[n]; !isPage && !all[n] {
			all[n] = true
			work = append(work, n)
		}
	}
	for _, p := range c.pages {
		for _, o := range []pdf.Object{p.Dict.Get("Contents"), p.Dict.Get("Resources"), p.Resources} { // the last may be inherited
			references(o, "", func(_ string, to pdf.Ref) { see(to.Number) })
		}
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		for _, to := range c.web.out[n] {
			see(to)
		}
	}
	c.web.shown = all
	return all
}

// reached reports whether the newer view leads from its trailer to the object. A
// reference in an object that nothing leads to means nothing.
func (c *comparison) reached(number uint32) bool {
	if number == 0 {
		return true
	}
	if c.reachable == nil {
		c.reachable = map[uint32]bool{}
		work := []uint32{0}
		for len(work) > 0 {
			n := work[len(work)-1]
			work = work[:len(work)-1]
			for _, to := range c.web.out[n] {
				if !c.reachable[to] {
					c.reachable[to] = true
					work = append(work, to)
				}
			}
		}
	}
	return c.reachable[number]
}
