package seal_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
	"absah/internal/store/storetest"
)

// modelled is what a request must be by what was done to it.
type modelled struct {
	id     string
	asker  audit.Actor
	digest []byte
	docs   []signing.Document
	state  string
	by     string // who released it
	until  time.Time
}

// TestModel does what random people may try in random order, and compares: no
// document is sealed but by two different keepers, each that was released once.
func TestModel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		ctx := t.Context()
		random := rand.New(rand.NewPCG(20261128, 23))
		people := []audit.Actor{h.asker, h.releaser, h.asker, h.releaser, h.stranger, h.one}
		keeps := map[string]bool{h.asker.EmployeeID: true, h.releaser.EmployeeID: true}
		state := seal.Active
		var all []*modelled
		released := 0
		for step := range 160 {
			who := people[random.IntN(len(people))]
			var r *modelled
			if len(all) > 0 {
				r = all[random.IntN(len(all))]
			}
			open := r != nil && r.state == seal.Open && h.clock.Now().Before(r.until)
			may := keeps[who.EmployeeID]
			switch act := random.IntN(12); {
			case act < 3 || r == nil:
				d := h.letter(t, who, "Surat Acak")
				got, err := h.Asked(ctx, who, h.seal, d)
				if (err == nil) != (may && state == seal.Active && len(keeps) > 1) {
					t.Fatalf("step %d: asked: %v", step, err)
				}
				if err == nil {
					all = append(all, &modelled{got.ID, who, got.Digest, []signing.Document{d}, seal.Open, "", got.ExpiresAt})
				}
			case act < 8:
				err := h.Release(ctx, who, r.id, r.digest)
				if (err == nil) != (open && may && who.EmployeeID != r.asker.EmployeeID && keeps[r.asker.EmployeeID] && state == seal.Active) {
					t.Fatalf("step %d: released: %v, %+v", step, err, r)
				}
				if err == nil {
					r.state, r.by = seal.Released, who.EmployeeID
					if random.IntN(3) > 0 {
						ok(t, h.Run(ctx, r.id))
						r.state = seal.Done
					}
					released++
				}
			case act == 8:
				err := h.Decline(ctx, who, r.id, "contoh")
				if (err == nil) != (open && may && who.EmployeeID != r.asker.EmployeeID) {
					t.Fatalf("step %d: declined: %v", step, err)
				}
				if err == nil {
					r.state = seal.Declined
				}
			case act == 9:
				err := h.WithdrawRequest(ctx, who, r.id)
				if (err == nil) != (open && may && who.EmployeeID == r.asker.EmployeeID) {
					t.Fatalf("step %d: withdrawn: %v", step, err)
				}
				if err == nil {
					r.state = seal.Withdrawn
				}
			case act == 10 && random.IntN(2) == 0 || state == seal.Suspended:
				for _, one := range all { // what is released is sealed before anything stops it
					if one.state == seal.Released {
						ok(t, h.Run(ctx, one.id))
						one.state = seal.Done
					}
				}
				if state == seal.Active {
					ok(t, h.Suspend(ctx, h.one, h.seal, ""))
					state = seal.Suspended
				} else {
					ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.Resume}))
					ok(t, h.Second(ctx, h.two, h.seal))
					state = seal.Active
				}
			case random.IntN(3) == 0:
				h.clock.Advance(seal.RequestLife / 2)
				ok(t, h.Sweep(ctx, ""))
				for _, one := range all {
					if one.state == seal.Open && !h.clock.Now().Before(one.until) {
						one.state = seal.Expired
					}
				}
			default:
				id := h.stranger.EmployeeID
				if keeps[id] {
					ok(t, h.DismissKeeper(ctx, h.one, h.seal, id))
					delete(keeps, id)
				} else {
					ok(t, h.Order(ctx, h.two, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: id}))
					ok(t, h.Second(ctx, h.one, h.seal))
					keeps[id] = true
				}
			}
		}
		for _, r := range all {
			ok(t, h.Run(ctx, r.id))
		}
		h.compare(t, all, released)
	})
}

// compare looks at every request, document and use of the key.
func (h *house) compare(t *testing.T, all []*modelled, released int) {
	t.Helper()
	ctx := t.Context()
	made := 0
	for _, r := range all {
		got := must[seal.RequestView](t)(h.Show(ctx, r.asker.EmployeeID, r.id))
		if r.state == seal.Released {
			r.state = seal.Done
		}
		if got.State != r.state {
			t.Errorf("request %s is %s, want %s", r.id, got.State, r.state)
		}
		uses := must[[]db.SealUse](t)(h.DB.Read().SealUsesOfRequest(ctx, null(r.id)))
		for _, u := range uses {
			if u.State == "made" {
				made++
			}
		}
		for _, i := range got.Items {
			sealed := must[[]signing.SealOn](t)(h.Signing.Seals(ctx, i.Document))
			if want := r.state == seal.Done && i.State == "done"; want != (len(sealed) == 1) {
				t.Errorf("document of a request %s, item %s (%s): %d seals", r.state, i.State, i.Problem, len(sealed))
			}
		}
	}
	n := must[db.CountSealUsesRow](t)(h.DB.Read().CountSealUses(ctx, h.seal))
	if made != released || int64(made) != n.Made || n.Intended != 0 {
		t.Errorf("%d released, %d seals of requests, uses %+v", released, made, n)
	}
	if released < 5 {
		t.Errorf("only %d were released: the test shows little", released)
	}
}

// TestRaces: many release, decline and withdraw one request at once, and it is
// sealed at most once; many use one window at once, and it gives no more.
func TestRaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		ctx := t.Context()
		third := must[audit.Actor](t)(h.Person(ctx, "Dedi Contoh"))
		ok(t, h.Order(ctx, h.one, h.seal, seal.Order{Kind: seal.NameKeeper, Keeper: third.EmployeeID}))
		ok(t, h.Second(ctx, h.two, h.seal))
		for range 6 {
			d := h.letter(t, h.asker, "Surat Rebutan")
			r := must[seal.RequestView](t)(h.Asked(ctx, h.asker, h.seal, d))
			errs := make(chan error)
			acts := []func() error{
				func() error { return h.Release(ctx, h.releaser, r.ID, r.Digest) }, func() error { return h.Release(ctx, third, r.ID, r.Digest) },
				func() error { return h.Decline(ctx, third, r.ID, "contoh") }, func() error { return h.WithdrawRequest(ctx, h.asker, r.ID) },
			}
			for _, f := range acts {
				go func() { errs <- f() }()
			}
			won := 0
			for range acts {
				if err := <-errs; err == nil {
					won++
				} else if !errors.Is(err, seal.ErrDecided) {
					t.Error(err)
				}
			}
			if won != 1 {
				t.Errorf("%d of them decided", won)
			}
			for range 3 {
				go func() { errs <- h.Run(ctx, r.ID) }()
			}
			for range 3 {
				<-errs // who lost tries again, or finds it done
			}
			ok(t, h.Run(ctx, r.ID))
			got := must[seal.RequestView](t)(h.Show(ctx, h.asker.EmployeeID, r.ID))
			if n := len(must[[]signing.SealOn](t)(h.Signing.Seals(ctx, d.ID))); n > 1 || (n == 1) != (got.State == seal.Done) {
				t.Errorf("%s with %d seals", got.State, n)
			}
		}
		c := h.client(t, "rebutan", "seal")
		_, code := h.opened(t, c, time.Hour, 3)
		errs := make(chan error)
		for range 6 {
			go func() {
				one, _, err := h.Code(ctx, c, h.seal, code, 1)
				if err == nil {
					_, err = h.SealFiles(ctx, c.Actor("127.0.0.1"), c, h.seal, one, h.files(t, 1))
				}
				errs <- err
			}()
		}
		sealed := 0
		for range 6 {
			if err := <-errs; err == nil {
				sealed++
			} else if !errors.Is(err, seal.ErrSpent) {
				t.Error(err)
			}
		}
		if sealed != 3 {
			t.Errorf("%d files of 3 were sealed", sealed)
		}
	})
}
