package staff

import "sync"

// progress is how far the imports of this process are. SQLite has one writer,
// so that an import in its transaction cannot write it down.
type progress struct {
	mu   sync.Mutex
	done map[string]int64
}

func (p *progress) set(id string, done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = map[string]int64{}
	}
	p.done[id] = done
}

func (p *progress) get(id string) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.done[id]
	return n, ok
}

func (p *progress) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.done, id)
}
