package signing_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"absah/internal/apiclient"
	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/credential"
	"absah/internal/keys"
	"absah/internal/passphrase"
	"absah/internal/signing"
	"absah/internal/signing/signingtest"
	"absah/internal/store"
	"absah/internal/store/storetest"
	"absah/pades"
)

// office is an installation with a subscriber and an application.
type office struct {
	*signingtest.World
	t      *testing.T
	clock  *clock.Fake
	who    audit.Actor
	client apiclient.Client
}

func newOffice(t *testing.T, dsn string) *office {
	t.Helper()
	o := &office{t: t, clock: clock.NewFake(time.Now())}
	var err error
	o.World, err = signingtest.Open(t.Context(), t.TempDir(), storetest.Open(t, dsn), o.clock.Now)
	must(t, err)
	o.who, err = o.Subscriber(t.Context(), "Siti Contohwati", keys.ECDSAP256)
	must(t, err)
	clients := &apiclient.Service{Store: o.DB, Clock: o.clock.Now}
	o.client, _, err = clients.Add(t.Context(), audit.System("test"), "klien", false, apiclient.Settings{Scopes: apiclient.Scopes(), Rate: 600, Enabled: true})
	must(t, err)
	return o
}

func (o *office) window(change func(*signing.WindowRequest)) (signing.Window, error) {
	o.t.Helper()
	p, err := passphrase.Read([]byte(signingtest.Passphrase))
	must(o.t, err)
	defer p.Wipe()
	r := signing.WindowRequest{
		Who: o.who, Signer: o.who.EmployeeID, ClientID: o.client.ID, Client: o.client.Name, Longest: time.Hour, Life: 30 * time.Minute, Uses: 100, Secret: p,
	}
	if change != nil {
		change(&r)
	}
	return o.OpenWindow(o.t.Context(), r)
}

// sign asks for hashes without a passphrase.
func (o *office) sign(texts ...string) ([][]byte, error) {
	o.t.Helper()
	a := signing.Authorization{Who: o.who, Signer: o.who.EmployeeID, Client: o.client.Name, ClientID: o.client.ID}
	var list [][]byte
	for _, x := range texts {
		a.Items = append(a.Items, hashItem(x))
		list = append(list, a.Items[len(a.Items)-1].Hash)
	}
	act, err := o.Authorize(o.t.Context(), a)
	if err != nil {
		return nil, err
	}
	defer func() { must(o.t, act.Close(context.WithoutCancel(o.t.Context()))) }()
	return act.SignHashes(o.t.Context(), list, false)
}

func (o *office) closed(why string, texts ...string) {
	o.t.Helper()
	if _, err := o.sign(texts...); !errors.Is(err, signing.ErrWindow) || errors.Is(err, signing.ErrElsewhere) {
		o.t.Errorf("%s: %v", why, err)
	}
}

func (o *office) reason(id, want string) {
	o.t.Helper()
	w, err := o.Window(o.t.Context(), o.who.EmployeeID, id)
	must(o.t, err)
	if w.Reason != want || w.Ended.IsZero() {
		o.t.Errorf("window: %+v, want %s", w, want)
	}
}

// TestWindowBounds: a window lets one application sign for one subscriber, so often
// and so long and these things, and ends for certain.
func TestWindowBounds(t *testing.T) {
	o := newOffice(t, storetest.SQLite(t))
	o.closed("without one", "a")
	for what, change := range map[string]func(*signing.WindowRequest){
		"longer than the application may": func(r *signing.WindowRequest) { r.Longest = time.Minute },
		"for an application without":      func(r *signing.WindowRequest) { r.Longest = 0 },
		"longer than the installation":    func(r *signing.WindowRequest) { r.Longest, r.Life = 24*time.Hour, 2*time.Hour },
		"no signatures":                   func(r *signing.WindowRequest) { r.Uses = 0 },
		"too many signatures":             func(r *signing.WindowRequest) { r.Uses = signing.MaxWindowUses + 1 },
	} {
		if _, err := o.window(change); !errors.Is(err, signing.ErrWindowLimits) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wrong, err := passphrase.Read([]byte("bukan frasa sandinya 123"))
	must(t, err)
	if _, err := o.window(func(r *signing.WindowRequest) { r.Secret = wrong }); !errors.Is(err, credential.ErrWrongPassphrase) {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if s, err := o.Standing(t.Context(), o.who.EmployeeID); err != nil || s.Left != 4 {
		t.Errorf("attempts after it: %+v, %v", s, err)
	}

	w, err := o.window(func(r *signing.WindowRequest) { r.Uses = 5 })
	must(t, err)
	first, err := o.sign("a", "b")
	must(t, err)
	if again, err := o.sign("a"); err != nil || !bytes.Equal(again[0], first[0]) {
		t.Errorf("the same hash again: %v", err)
	}
	o.closed("more than is left", "c", "d", "e")
	other := o.client
	o.client.ID = other.ID[:25] + "x"
	o.closed("another application", "c")
	o.client = other
	if got, err := o.Window(t.Context(), o.who.EmployeeID, w.ID); err != nil || got.Used != 3 || !got.Open(o.clock.Now()) {
		t.Errorf("%+v, %v", got, err)
	}
	stranger := o.who
	stranger.EmployeeID = "nobody"
	if err := o.EndWindow(t.Context(), stranger, w.ID); !errors.Is(err, signing.ErrNotFound) {
		t.Errorf("a stranger ends it: %v", err)
	}
	must(t, o.EndWindow(t.Context(), o.who, w.ID))
	o.closed("ended", "c")
	o.reason(w.ID, signing.WindowRevoked)

	// Once nothing is left the key is forgotten; what was authorised is signed. Who
	// writes the row adds nothing.
	w, err = o.window(func(r *signing.WindowRequest) { r.Uses = 2 })
	must(t, err)
	_, err = o.sign("c")
	must(t, err)
	must(t, o.DB.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `update signing_window set max_uses = 100`)
		return err
	}))
	o.closed("more than is left, whatever the row says", "d", "e")
	_, err = o.sign("d")
	must(t, err)
	o.reason(w.ID, signing.WindowUsedUp)
	o.closed("used up", "e")
	if has, err := o.HasWindow(t.Context(), o.client.ID, o.who.EmployeeID); err != nil || has {
		t.Errorf("the process has it still: %v, %v", has, err)
	}

	// Only these documents.
	b, err := signingtest.PDF("Surat", 1)
	must(t, err)
	sum := sha256.Sum256(b)
	w, err = o.window(func(r *signing.WindowRequest) { r.Digests = [][]byte{hashItem("a").Hash, sum[:]} })
	must(t, err)
	o.closed("something else", "z")
	o.closed("something else beside", "a", "z")
	_, err = o.sign("a")
	must(t, err)
	var out bytes.Buffer
	act, err := o.Authorize(t.Context(), signing.Authorization{
		Who: o.who, Signer: o.who.EmployeeID, Client: o.client.Name, ClientID: o.client.ID,
		Items: []signing.Item{{File: bytes.NewReader(b), Size: int64(len(b)), Name: "surat.pdf", Request: signing.Request{Level: pades.BT}}},
	})
	must(t, err)
	_, err = act.SignFile(t.Context(), 0, &out)
	must(t, err)
	must(t, act.Close(t.Context()))
	if !bytes.Contains(out.Bytes(), []byte("ETSI.CAdES.detached")) {
		t.Error("the document was not signed")
	}

	// Another window takes the place of this one; time ends it.
	second, err := o.window(nil)
	must(t, err)
	o.reason(w.ID, signing.WindowRevoked)
	o.clock.Advance(30 * time.Minute)
	o.closed("its time is over", "c")
	must(t, o.RecoverAll(t.Context()))
	if _, err := o.Window(t.Context(), o.who.EmployeeID, second.ID); err != nil {
		t.Error(err)
	}
}

// TestWindowEndsWithItsKey: a key that changed, an activation in use, another process,
// and the end of this one.
func TestWindowEndsWithItsKey(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, dsn(t))
			w, err := o.window(nil)
			must(t, err)
			act, err := o.Authorize(t.Context(), signing.Authorization{
				Who: o.who, Signer: o.who.EmployeeID, Client: o.client.Name, ClientID: o.client.ID, Items: []signing.Item{hashItem("x"), hashItem("y")},
			})
			must(t, err)
			_, err = act.SignHashes(t.Context(), [][]byte{hashItem("x").Hash}, false)
			must(t, err)
			// Another process knows the row and has no key.
			other, err := signing.New(o.Config)
			must(t, err)
			// It says so of what was authorised too, and only while that goes on.
			elsewhere := func(what string, want bool, find func(client string) (*signing.Activation, error)) {
				t.Helper()
				if _, err := find(o.client.Name); !errors.Is(err, signing.ErrActivation) || errors.Is(err, signing.ErrActivationElsewhere) != want {
					t.Errorf("%s at another process: %v", what, err)
				}
				if _, err := find("another"); !errors.Is(err, signing.ErrActivation) || errors.Is(err, signing.ErrActivationElsewhere) {
					t.Errorf("%s of another application: %v", what, err)
				}
			}
			bySAD := func(client string) (*signing.Activation, error) {
				return other.Activation(t.Context(), client, act.Token())
			}
			byID := func(client string) (*signing.Activation, error) {
				return other.ActivationByID(t.Context(), client, act.ID)
			}
			elsewhere("a SAD", true, bySAD)
			elsewhere("a grant", true, byID)
			done, err := o.Authorize(t.Context(), signing.Authorization{
				Who: o.who, Signer: o.who.EmployeeID, Client: o.client.Name, ClientID: o.client.ID, Items: []signing.Item{hashItem("w")},
			})
			must(t, err)
			must(t, done.Close(t.Context()))
			elsewhere("one that ended", false, func(client string) (*signing.Activation, error) {
				return other.ActivationByID(t.Context(), client, done.ID)
			})
			if _, err := other.Authorize(t.Context(), signing.Authorization{
				Who: o.who, Signer: o.who.EmployeeID, Client: o.client.Name, ClientID: o.client.ID, Items: []signing.Item{hashItem("z")},
			}); !errors.Is(err, signing.ErrElsewhere) || !errors.Is(err, signing.ErrWindow) {
				t.Errorf("another process: %v", err)
			}
			if has, err := other.HasWindow(t.Context(), o.client.ID, o.who.EmployeeID); err != nil || has {
				t.Errorf("another process has it: %v, %v", has, err)
			}
			// It ends the window, though, and then nothing is authorised here.
			must(t, other.EndWindow(t.Context(), o.who, w.ID))
			o.closed("ended elsewhere", "z")
			must(t, o.EndWindow(t.Context(), o.who, w.ID)) // as its watch would
			if _, err := act.SignHashes(t.Context(), [][]byte{hashItem("y").Hash}, false); !errors.Is(err, signing.ErrActivation) {
				t.Errorf("an activation outlives its window: %v", err)
			}

			w, err = o.window(nil)
			must(t, err)
			must(t, o.CloseWindows(t.Context()))
			o.closed("the process ends", "z")
			o.reason(w.ID, signing.WindowStopped)
			if has, err := o.HasWindow(t.Context(), o.client.ID, o.who.EmployeeID); err != nil || has {
				t.Errorf("the process has it still: %v, %v", has, err)
			}

			// Another passphrase makes another generation of the key.
			w, err = o.window(nil)
			must(t, err)
			bump := func(by int) {
				must(t, o.DB.InTx(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Exec(t.Context(), `update credential set generation = generation + $1`, by)
					return err
				}))
			}
			bump(1)
			o.closed("the key changed", "z")
			o.reason(w.ID, signing.WindowChanged)
			bump(-1)

			// A process that dies leaves the row; the next one ends it.
			w, err = o.window(nil)
			must(t, err)
			next, err := signing.New(o.Config)
			must(t, err)
			must(t, next.RecoverAll(t.Context()))
			o.reason(w.ID, signing.WindowLost)
			o.closed("lost", "z")
		})
	}
}
