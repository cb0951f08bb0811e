package direct

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// bar draws a bar on a terminal while many files are worked on; elsewhere it
// draws nothing. It is safe for concurrent use.
type bar struct {
	mu    sync.Mutex
	w     io.Writer // nil: draws nothing
	total int
	done  int
	verb  string
	shown bool
}

// newBar makes a bar for total files. One file is done before a bar would
// be of use.
func newBar(f *os.File, total int, verb string) *bar {
	p := &bar{total: total, verb: verb}
	info, err := f.Stat()
	if err == nil && info.Mode()&os.ModeCharDevice != 0 && total > 1 {
		p.w = f
	}
	return p
}

const barWidth = 30

// step counts one file more.
func (p *bar) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.w == nil {
		return
	}
	full := barWidth * p.done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %d of %d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), p.done, p.total, p.verb)
	p.shown = true
}

// clear removes the bar, so that a line can be written in its place.
func (p *bar) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", barWidth+40))
		p.shown = false
	}
}

// readSecret reads a password from a file, without the end of its line.
func readSecret(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	return bytes.TrimRight(b, "\r\n"), nil
}
