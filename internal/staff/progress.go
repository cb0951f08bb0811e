package staff

import "sync"

// progress is how far the imports of this process are. SQLite has one writer,
// so that an import in its transaction cannot write it down.
type progress struct {
	mu   sync.Mutex
	runs map[string]standing
}

// standing is how far one import is.
type standing struct {
	stage       ImportState
	done, total int64
}

func (p *progress) set(id string, stage ImportState, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs == nil {
		p.runs = map[string]standing{}
	}
	p.runs[id] = standing{stage, done, total}
}

func (p *progress) get(id string) (standing, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, ok := p.runs[id]
	return now, ok
}

func (p *progress) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.runs, id)
}
