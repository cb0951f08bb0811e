package app

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"absah/internal/ident"
	"absah/internal/portal/live"
	"absah/internal/store"
)

// How news are passed on: those of a short while together, and without waiting
// long for a database that does not answer.
const (
	newsPause   = 50 * time.Millisecond
	newsTimeout = 5 * time.Second
)

// news lets open pages renew themselves, in this process and in the others on the
// same database. A page that misses news shows what was; nothing else depends on them.
type news struct {
	hub   *live.Hub
	store *store.Store
	log   *slog.Logger
	self  string

	mu      sync.Mutex
	waiting map[string]struct{}
	closed  bool
}

func newNews(hub *live.Hub, s *store.Store, log *slog.Logger) *news {
	return &news{hub: hub, store: s, log: log, self: ident.New()}
}

// tell says that something of an employee changed. It never waits.
func (n *news) tell(employeeID string) {
	n.hub.Publish(employeeID)
	if !n.store.Postgres() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return
	}
	if n.waiting == nil {
		n.waiting = map[string]struct{}{}
		time.AfterFunc(newsPause, n.flush)
	}
	n.waiting[employeeID] = struct{}{}
}

// notify is tell in the form of enrolment.Service.Notify and outbox.Outbox.Notify.
func (n *news) notify(employeeID, _ string) { n.tell(employeeID) }

func (n *news) flush() {
	n.mu.Lock()
	keys := make([]string, 0, len(n.waiting))
	for k := range n.waiting {
		keys = append(keys, k)
	}
	n.waiting = nil
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), newsTimeout)
	defer cancel()
	if err := n.store.Tell(ctx, n.self, keys); err != nil {
		n.log.WarnContext(ctx, "pages that other processes show may be a little old", "error", err)
	}
}

// follow publishes what other processes tell, until ctx ends.
func (n *news) follow(ctx context.Context) {
	n.store.Hear(ctx, n.self, n.hub.PublishAll, n.hub.Publish)
}

// close passes on what waits. Nothing may be told afterwards; what is, is not
// passed on.
func (n *news) close() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.flush()
}
