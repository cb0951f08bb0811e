package killtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Kinds of lines in a journal.
const (
	asked    = "asked"    // somebody is about to do something
	done     = "done"     // it was acknowledged
	guessed  = "guessed"  // a passphrase is about to be tested
	untested = "untested" // ... and was not tested after all
	failed   = "failed"   // an error that no kill explains
)

// entry is one line of a journal.
type entry struct {
	Kind         string `json:"kind"`
	Action       string `json:"action,omitempty"`
	Employee     string `json:"employee,omitempty"`
	Registration string `json:"registration,omitempty"`
	Key          string `json:"key,omitempty"`
	Right        bool   `json:"right,omitempty"` // the passphrase is the right one
	At           int64  `json:"at,omitempty"`    // microseconds; of a guess by the clock of the attempts
	Words        string `json:"words,omitempty"`
	life         int
}

// journal is the memory of the people of one life of the program: each line is
// durable before what it announces begins.
type journal struct {
	mu sync.Mutex
	f  *os.File
}

func openJournal(dir string, life int) (*journal, error) {
	f, err := os.OpenFile(journalPath(dir, life), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return &journal{f: f}, err
}

func journalPath(dir string, life int) string {
	return filepath.Join(dir, fmt.Sprintf("journal-%05d.jsonl", life))
}

// write panics when it cannot write: a driver without a memory proves nothing.
func (j *journal) write(e entry) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.f.Write(append(line, '\n')); err != nil {
		panic(err)
	}
	if err := j.f.Sync(); err != nil {
		panic(err)
	}
}

// readJournals reads the journals of all lives in order. The kill may have cut
// the last line of each, which then never began.
func readJournals(t *testing.T, dir string, lives int) []entry {
	t.Helper()
	var all []entry
	for life := range lives {
		b, err := os.ReadFile(journalPath(dir, life))
		if os.IsNotExist(err) {
			continue // killed before it could begin
		}
		if err != nil {
			t.Fatal(err)
		}
		entries, err := entriesIn(b)
		if err != nil {
			t.Fatalf("journal of life %d: %v", life, err)
		}
		for _, e := range entries {
			e.life = life
			all = append(all, e)
		}
	}
	return all
}

// entriesIn reads a journal, whose last line may be cut.
func entriesIn(b []byte) (all []entry, err error) {
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		var e entry
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			if !sc.Scan() {
				break
			}
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, e)
	}
	return all, nil
}
