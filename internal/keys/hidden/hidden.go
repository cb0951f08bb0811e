// Package hidden keeps secrets out of memory that others may read, as far as a
// program can.
//
// What is used for a moment is used within Do, which erases what it leaves
// behind. What has to stay, stays as Bytes: once, outside Go's heap, in pages
// that no core dump and no swap space holds. Where the kernel has secret memory
// (memfd_secret(2)) nobody else reads those pages either, not even root through
// /proc/PID/mem; elsewhere they hold the secret masked by other pages, which
// keeps it out of what is copied by accident and not from somebody who reads
// the process with knowledge of this package.
package hidden

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"sync"
)

// Bytes is a secret that stays. It is safe for concurrent use.
type Bytes struct {
	masked, mask []byte // outside the heap
}

// chunk is how much the kernel is asked for at once.
const chunk = 16 << 10

// Pages gives room for secrets. The zero value is ready; it is safe for
// concurrent use. What it gave out stays as long as the process.
type Pages struct {
	mu   sync.Mutex
	free []byte
	mask []byte
}

// Put keeps a copy of b, and clears b.
func (p *Pages) Put(b []byte) (*Bytes, error) {
	defer clear(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(b) > len(p.free) {
		if err := p.grow(len(b)); err != nil {
			return nil, fmt.Errorf("hide a secret: %w", err)
		}
	}
	h := &Bytes{masked: p.free[:len(b):len(b)], mask: p.mask[:len(b):len(b)]}
	p.free, p.mask = p.free[len(b):], p.mask[len(b):]
	rand.Read(h.mask) // never fails (crypto/rand)
	subtle.XORBytes(h.masked, b, h.mask)
	return h, nil
}

func (p *Pages) grow(least int) error {
	size := (max(least, chunk) + chunk - 1) / chunk * chunk
	free, err := apart(size)
	if err != nil {
		return err
	}
	mask, err := apart(size)
	if err != nil {
		return err
	}
	p.free, p.mask = free, mask
	return nil
}

// Len is the length of the secret in bytes.
func (h *Bytes) Len() int { return len(h.masked) }

// Use runs f within Do with a copy of the secret that lives no longer than f.
func (h *Bytes) Use(f func(secret []byte)) {
	Do(func() {
		b := make([]byte, len(h.masked))
		defer clear(b)
		subtle.XORBytes(b, h.masked, h.mask)
		f(b)
	})
}
