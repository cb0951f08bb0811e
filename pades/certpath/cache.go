package certpath

import "sync"

// signatureCache remembers which signatures were verified, within a bound. It
// keeps two generations: when the young one is full it becomes the old one, so
// that what is asked for often stays without a list to keep in order.
type signatureCache struct {
	mu         sync.RWMutex
	max        int
	young, old map[signatureKey]struct{}
}

// signatureKey names a signed object and the key that signed it by SHA-256.
type signatureKey struct{ object, key [32]byte }

func newSignatureCache(n int) *signatureCache {
	if n < 0 {
		n = 0
	}
	return &signatureCache{max: (n + 1) / 2, young: map[signatureKey]struct{}{}}
}

func (c *signatureCache) has(k signatureKey) bool {
	c.mu.RLock()
	_, young := c.young[k]
	_, old := c.old[k]
	c.mu.RUnlock()
	if old && !young {
		c.add(k)
	}
	return young || old
}

func (c *signatureCache) add(k signatureKey) {
	if c.max == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.max {
		c.old, c.young = c.young, make(map[signatureKey]struct{}, c.max)
	}
	c.young[k] = struct{}{}
}
