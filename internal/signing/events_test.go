package signing_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// heard are the events of documents that became durable.
type heard struct {
	mu   sync.Mutex
	all  []string
	name map[string]string
}

func (h *heard) Document(_ context.Context, tx *store.Tx, e signing.Happening) error {
	tx.After(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.all = append(h.all, string(e.What)+" "+h.name[e.EmployeeID]+" "+string(e.Role))
	})
	return nil
}

func (h *heard) since() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := strings.Join(h.all, "; ")
	h.all = nil
	return out
}

// TestWhatHappensToDocumentsIsTold: each thing once, in the transaction of it.
func TestWhatHappensToDocumentsIsTold(t *testing.T) {
	t.Parallel()
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	h := &heard{name: p.letters.name}
	p.Config.Events = h
	must(t, p.Reconfigure())
	want := func(what, events string) {
		t.Helper()
		if got := h.since(); got != events {
			t.Errorf("%s: %q, want %q", what, got, events)
		}
	}
	d := p.start(true)
	want("begun", "turn one paraf")
	must(t, p.signs(p.one, d.ID))
	want("the first signs", "signed one ; turn two sign")
	must(t, p.signs(p.two, d.ID))
	want("the last signs", "signed two ; completed two ")
	d = p.start(true)
	h.since()
	must(t, p.Reject(t.Context(), p.one, d.ID, "angka keliru"))
	want("rejected", "rejected one ")
	d = p.start(false)
	want("begun in any order", "turn one paraf; turn two sign")
	must(t, p.Cancel(t.Context(), p.who, d.ID))
	want("taken back", "cancelled preparer ")
	d = p.upload("surat")
	must(t, p.signs(p.who, d.ID))
	want("signed by its owner alone", "signed preparer ")
}
