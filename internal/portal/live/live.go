// Package live tells open pages that what they show has changed. It carries no
// data: a page that is told asks for itself again.
package live

import "sync"

// Hub passes the news of one process on. Its zero value is ready to use. It is
// safe for concurrent use.
type Hub struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]struct{}
}

// Subscribe returns a channel that receives after something of key (an
// employee) changed; news that come faster than they are read are one piece of
// news. cancel ends it and must be called.
func (h *Hub) Subscribe(key string) (news <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.subs == nil {
		h.subs = map[string]map[chan struct{}]struct{}{}
	}
	if h.subs[key] == nil {
		h.subs[key] = map[chan struct{}]struct{}{}
	}
	h.subs[key][c] = struct{}{}
	return c, func() { h.leave(key, c) }
}

func (h *Hub) leave(key string, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs[key], c)
	if len(h.subs[key]) == 0 {
		delete(h.subs, key)
	}
}

// Publish tells all who subscribed to key. It never waits.
func (h *Hub) Publish(key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs[key] {
		select {
		case c <- struct{}{}:
		default: // it has news to read already
		}
	}
}

// PublishAll tells everybody who subscribed, after a time in which news may have
// been missed. It never waits.
func (h *Hub) PublishAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, subs := range h.subs {
		for c := range subs {
			select {
			case c <- struct{}{}:
			default: // it has news to read already
			}
		}
	}
}

// Notify is Publish in the form of enrolment.Service.Notify and
// outbox.Outbox.Notify.
func (h *Hub) Notify(employeeID, _ string) { h.Publish(employeeID) }
