package verification

import (
	"io"
	"sync"
)

// Room bounds the memory of documents that are on their way or wait to be judged:
// of all, and of those from one place, so that nobody fills it for everybody.
// Without it each connection of a stranger could hold MaxBytes for as long as it
// sends. It is safe for concurrent use.
type Room struct {
	Total int64 // bytes
	Each  int64 // bytes from one place

	mu   sync.Mutex
	used int64
	by   map[string]int64
}

// Take is Take for a document from that place. It fails with ErrBusy as soon as
// there is no room for what has come of it. The room is given back by Close.
func (r *Room) Take(from string, in io.Reader) (*Document, error) {
	g := &guest{in: in, room: r, from: from}
	d, err := Take(g)
	if err != nil {
		g.leave()
		return nil, err
	}
	d.leave = g.leave
	return d, nil
}

func (r *Room) enter(from string, n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.used+n > r.Total || r.by[from]+n > r.Each {
		return false
	}
	if r.by == nil {
		r.by = map[string]int64{}
	}
	r.used += n
	r.by[from] += n
	return true
}

func (r *Room) exit(from string, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= n
	if r.by[from] -= n; r.by[from] <= 0 {
		delete(r.by, from)
	}
}

// guest is a document on its way.
type guest struct {
	in   io.Reader
	room *Room
	from string
	n    int64
}

func (g *guest) Read(p []byte) (int, error) {
	n, err := g.in.Read(p)
	if n > 0 {
		if !g.room.enter(g.from, int64(n)) {
			return 0, ErrBusy
		}
		g.n += int64(n)
	}
	return n, err
}

func (g *guest) leave() {
	if g.n == 0 {
		return
	}
	g.room.exit(g.from, g.n)
	g.n = 0
}
