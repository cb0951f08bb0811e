package signing_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/keys"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
	"absah/pades/appearance"
)

// letters remembers who was told what.
type letters struct {
	mu   sync.Mutex
	told []string // "what to whom: text"
	name map[string]string
}

func (l *letters) Workflow(_ context.Context, tx *store.Tx, n signing.Notice) error {
	tx.After(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.told = append(l.told, n.What+" "+l.name[n.To]+": "+n.Text)
	})
	return nil
}

// since are the letters since it was last asked, sorted by nothing.
func (l *letters) since() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := strings.Join(l.told, "; ")
	l.told = nil
	return out
}

type party struct {
	*world
	letters  *letters
	one, two audit.Actor // signers; who prepares is w.who
}

func newParty(t *testing.T, s *store.Store) *party {
	w := newWorld(t, s)
	p := &party{world: w, letters: &letters{name: map[string]string{}}}
	w.Config.Courier = p.letters
	must(t, w.Reconfigure())
	p.one, p.two = w.subscriber("Satu Contohwati", keys.ECDSAP256), w.subscriber("Dua Contohadi", keys.ECDSAP256)
	p.letters.name[w.who.EmployeeID], p.letters.name[p.one.EmployeeID], p.letters.name[p.two.EmployeeID] = "preparer", "one", "two"
	return p
}

func (p *party) start(ordered bool) signing.Document {
	p.t.Helper()
	d := p.upload("surat")
	must(p.t, p.StartWorkflow(p.t.Context(), p.who, signing.NewWorkflow{Document: d.ID, Ordered: ordered, Note: "mohon diperiksa", Steps: []signing.Step{
		{EmployeeID: p.one.EmployeeID, Role: signing.Paraf}, {EmployeeID: p.two.EmployeeID, Role: signing.SignRole, Anchor: "${ttd}"},
	}}))
	return d
}

// signs signs the newest version of a document as somebody.
func (p *party) signs(who audit.Actor, id string, places ...signing.Place) error {
	p.t.Helper()
	d, err := p.AnyDocument(p.t.Context(), id)
	must(p.t, err)
	a, err := p.Authorize(p.t.Context(), signing.Authorization{
		Who: who, Signer: who.EmployeeID, Items: []signing.Item{item(d, signing.Request{Level: pades.BT, Places: places})}, Secret: secret(p.t, signingtest.Passphrase),
	})
	if err != nil {
		return err
	}
	out := a.SignDocuments(p.t.Context(), nil)
	must(p.t, a.Close(p.t.Context()))
	return out[0].Err
}

// TestWorkflowInOrder: one after the other, each told when the turn comes; who
// prepares and who is not asked cannot sign.
func TestWorkflowInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		d := p.start(true)
		if got := p.letters.since(); got != "turn one: mohon diperiksa" {
			t.Errorf("at the start: %s", got)
		}
		for name, c := range map[string]struct {
			who  audit.Actor
			want error
		}{"the preparer": {p.who, signing.ErrTurn}, "the second": {p.two, signing.ErrTurn}, "a stranger": {p.subscriber("Orang Contoh", keys.ECDSAP256), signing.ErrNotFound}} {
			if err := p.signs(c.who, d.ID); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(t, p.signs(p.one, d.ID))
		if got := p.letters.since(); got != "turn two: mohon diperiksa" {
			t.Errorf("after the first: %s", got)
		}
		if err := p.signs(p.one, d.ID); !errors.Is(err, signing.ErrTurn) {
			t.Errorf("twice: %v", err)
		}
		if err := p.Erase(t.Context(), p.who, d.ID); !errors.Is(err, signing.ErrWorkflow) {
			t.Errorf("erase on its way: %v", err)
		}
		anchored := signing.Place{Anchor: "${ttd}", Box: appearance.Box{Width: 200, Height: 80}, Face: letter()}
		must(t, p.signs(p.two, d.ID, anchored))
		got := p.letters.since()
		for _, who := range []string{"preparer", "one", "two"} {
			if !strings.Contains(got, "done "+who) {
				t.Errorf("at the end %s was not told: %s", who, got)
			}
		}
		b, err := p.Content(t.Context(), d.ID, 0)
		must(t, err)
		p.valid(b, 2)
		w, err := p.Workflow(t.Context(), d.ID)
		must(t, err)
		var actions []string
		for _, e := range w.Events {
			actions = append(actions, e.Action)
		}
		if w.State != signing.Done || strings.Join(actions, " ") != "open paraf sign done" {
			t.Errorf("%s after %v", w.State, actions)
		}
		if err := p.StartWorkflow(t.Context(), p.who, signing.NewWorkflow{Document: d.ID, Steps: w.Steps}); !errors.Is(err, signing.ErrWorkflow) {
			t.Errorf("a second workflow: %v", err)
		}
	})
}

// TestWorkflowRejected: in parallel both may begin; a rejection needs a reason,
// is told to everybody and ends it.
func TestWorkflowRejected(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newParty(t, s)
		d := p.start(false)
		if got := p.letters.since(); !strings.Contains(got, "turn one") || !strings.Contains(got, "turn two") {
			t.Errorf("at the start: %s", got)
		}
		turns, err := p.Turns(t.Context(), p.two.EmployeeID)
		must(t, err)
		if len(turns) != 1 || turns[0].DocumentID != d.ID || turns[0].From != "Siti Contohwati" {
			t.Errorf("what waits for the second: %+v", turns)
		}
		if _, err := p.Readable(t.Context(), p.two.EmployeeID, d.ID); err != nil {
			t.Errorf("a participant cannot read: %v", err)
		}
		must(t, p.signs(p.two, d.ID))
		if err := p.Reject(t.Context(), p.one, d.ID, "  "); !errors.Is(err, signing.ErrReason) {
			t.Errorf("without a reason: %v", err)
		}
		if err := p.Reject(t.Context(), p.two, d.ID, "terlambat"); !errors.Is(err, signing.ErrTurn) {
			t.Errorf("after signing: %v", err)
		}
		if err := p.Reject(t.Context(), p.who, d.ID, "sendiri"); !errors.Is(err, signing.ErrNotFound) {
			t.Errorf("the preparer: %v", err)
		}
		p.letters.since()
		must(t, p.Reject(t.Context(), p.one, d.ID, "angka keliru"))
		got := p.letters.since()
		if !strings.Contains(got, "reject preparer: angka keliru") || !strings.Contains(got, "reject two: angka keliru") {
			t.Errorf("told: %s", got)
		}
		if err := p.signs(p.one, d.ID); !errors.Is(err, signing.ErrTurn) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestTurnGoneByInAList: a document that was taken back since the list was seen is told
// by itself and the others are signed; sent again because the answer was lost, the list
// and each document alone are found, and nothing is signed twice.
func TestTurnGoneByInAList(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	kept, back := p.start(false), p.start(false)
	sign := func(items ...signing.Item) []signing.Outcome {
		t.Helper()
		a, err := p.Authorize(t.Context(), signing.Authorization{Who: p.one, Signer: p.one.EmployeeID, Items: items, Secret: secret(t, signingtest.Passphrase)})
		must(t, err)
		out := a.SignDocuments(t.Context(), nil)
		must(t, a.Close(t.Context()))
		return out
	}
	list := []signing.Item{item(back, signing.Request{Level: pades.BT}), item(kept, signing.Request{Level: pades.BT})}
	must(t, p.Cancel(t.Context(), p.who, back.ID))
	for try := range 2 {
		out := sign(list...)
		if !errors.Is(out[0].Err, signing.ErrTurn) || out[1].Err != nil || out[1].Found != (try == 1) {
			t.Errorf("try %d: %v, %v (found %t)", try, out[0].Err, out[1].Err, out[1].Found)
		}
	}
	if out := sign(list[1]); out[0].Err != nil || !out[0].Found {
		t.Errorf("alone: %v (found %t)", out[0].Err, out[0].Found)
	}
	if err := p.signs(p.one, back.ID); !errors.Is(err, signing.ErrTurn) {
		t.Errorf("the one that was taken back, alone: %v", err)
	}
	if d, err := p.AnyDocument(t.Context(), kept.ID); err != nil || d.Version != kept.Version+1 {
		t.Errorf("version %d after %d, %v", d.Version, kept.Version, err)
	}
}

// TestReminders: each at most once a day by the preparer, and by itself after
// three days.
func TestReminders(t *testing.T) {
	p := newParty(t, storetest.Open(t, storetest.SQLite(t)))
	d := p.start(true)
	p.letters.since()
	if err := p.Remind(t.Context(), p.one, d.ID); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("by somebody else: %v", err)
	}
	must(t, p.Remind(t.Context(), p.who, d.ID))
	if got := p.letters.since(); got != "remind one: mohon diperiksa" {
		t.Errorf("told: %s", got)
	}
	if err := p.Remind(t.Context(), p.who, d.ID); !errors.Is(err, signing.ErrReminded) {
		t.Errorf("twice a day: %v", err)
	}
	must(t, p.RemindAll(t.Context(), ""))
	p.clock.Advance(73 * time.Hour)
	must(t, p.RemindAll(t.Context(), ""))
	must(t, p.RemindAll(t.Context(), ""))
	if got := p.letters.since(); got != "remind one: mohon diperiksa" {
		t.Errorf("by itself: %q", got)
	}
	must(t, p.Cancel(t.Context(), p.who, d.ID))
	p.clock.Advance(100 * time.Hour)
	p.letters.since()
	must(t, p.RemindAll(t.Context(), ""))
	if got := p.letters.since(); got != "" {
		t.Errorf("after the end: %s", got)
	}
	for name, steps := range map[string][]signing.Step{
		"none": nil, "one person twice": {{EmployeeID: p.one.EmployeeID, Role: signing.Paraf}, {EmployeeID: p.one.EmployeeID, Role: signing.SignRole}},
		"nobody": {{EmployeeID: "x", Role: signing.SignRole}}, "no role": {{EmployeeID: p.one.EmployeeID}},
	} {
		if err := p.StartWorkflow(t.Context(), p.who, signing.NewWorkflow{Document: p.upload(name).ID, Steps: steps}); !errors.Is(err, signing.ErrSteps) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
