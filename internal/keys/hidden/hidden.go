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

// Bytes is a secret that stays until Forget. It is safe for concurrent use, but
// for Forget.
type Bytes struct {
	pages        *Pages
	masked, mask []byte // outside the heap; as long as the secret, with the room of their class
}

// chunk is how much the kernel is asked for at once.
const chunk = 16 << 10

// least is the smallest class of room in bytes; each other is twice the one
// before.
const least = 32

// Pages gives room for secrets. The zero value is ready; it is safe for
// concurrent use. What it got of the kernel it keeps.
type Pages struct {
	mu     sync.Mutex
	rest   room          // of the last chunk
	vacant map[int]rooms // by class
}

// room is memory for a secret and its mask.
type room struct{ masked, mask []byte }

type rooms []room

func classOf(n int) int {
	c := least
	for c < n {
		c *= 2
	}
	return c
}

// Put keeps a copy of b, and clears b.
func (p *Pages) Put(b []byte) (*Bytes, error) {
	defer clear(b)
	r, err := p.room(classOf(len(b)))
	if err != nil {
		return nil, fmt.Errorf("hide a secret: %w", err)
	}
	h := &Bytes{pages: p, masked: r.masked[:len(b)], mask: r.mask[:len(b)]}
	rand.Read(h.mask) // never fails (crypto/rand)
	subtle.XORBytes(h.masked, b, h.mask)
	return h, nil
}

func (p *Pages) room(class int) (room, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if free := p.vacant[class]; len(free) > 0 {
		p.vacant[class] = free[:len(free)-1]
		return free[len(free)-1], nil
	}
	if class > len(p.rest.masked) {
		size := max(class, chunk) // what is left of the last one is lost
		masked, err := apart(size)
		if err != nil {
			return room{}, err
		}
		mask, err := apart(size)
		if err != nil {
			return room{}, err
		}
		p.rest = room{masked, mask}
	}
	r := room{p.rest.masked[:class:class], p.rest.mask[:class:class]}
	p.rest = room{p.rest.masked[class:], p.rest.mask[class:]}
	return r, nil
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

// Forget erases the secret and gives its room to others. It must be the last
// call.
func (h *Bytes) Forget() {
	class := classOf(len(h.masked))
	r := room{h.masked[:class:class], h.mask[:class:class]}
	clear(r.masked)
	clear(r.mask)
	h.masked, h.mask = nil, nil
	h.pages.mu.Lock()
	defer h.pages.mu.Unlock()
	if h.pages.vacant == nil {
		h.pages.vacant = map[int]rooms{}
	}
	h.pages.vacant[class] = append(h.pages.vacant[class], r)
}
