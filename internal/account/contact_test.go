package account

import (
	"errors"
	"slices"
	"testing"
	"time"

	"absah/internal/store"
	"absah/internal/store/db"
)

// TestChangedAddressOpensNoAccount: who can change somebody's address cannot have
// a new password sent there before its owner, told at the old one, had a day to
// object.
func TestChangedAddressOpensNoAccount(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		boss := h.admin("kepala")
		fresh := func() *Viewer {
			v := *boss
			v.Session.CreatedAt = h.now()
			return &v
		}
		officer := h.employee("199001012015011001", h.unit("A", ""))
		move := func(a db.Account, to string) {
			t.Helper()
			h.tx(func(tx *store.Tx) error {
				return h.SetContactTx(ctx, tx, boss.Actor(Administrator), a, a.DisplayName, to)
			})
		}
		move(officer, "penyerang@contoh.example")
		if !slices.Equal(h.letters.changes, []Change{AddressChanged}) || h.letters.told != officer.Email {
			t.Errorf("told of %v at %q", h.letters.changes, h.letters.told)
		}
		sent := len(h.letters.invitations)
		for range 2 { // asking does not wear the hold out
			if _, err := h.SendLink(ctx, fresh(), officer.ID, false); !errors.Is(err, ErrNewAddress) {
				t.Errorf("a link to a new address: %v", err)
			}
			if err := h.Forgot(ctx, officer.Username, here); err != nil {
				t.Fatal(err)
			}
			h.clock.Advance(h.Policy.ResetGap + time.Second)
		}
		if n := len(h.letters.invitations) - sent; n != 0 {
			t.Errorf("%d links to a new address", n)
		}
		h.clock.Advance(AddressHold)
		if _, err := h.SendLink(ctx, fresh(), officer.ID, false); err != nil || len(h.letters.invitations) != sent+1 {
			t.Errorf("a day later: %v, %d links", err, len(h.letters.invitations)-sent)
		}
		// Another name, and an account that nobody has used yet, hold nothing up.
		h.tx(func(tx *store.Tx) error {
			a := h.reload(officer)
			return h.SetContactTx(ctx, tx, boss.Actor(Administrator), a, "Nama Baru", a.Email)
		})
		if _, err := h.SendLink(ctx, fresh(), officer.ID, false); err != nil {
			t.Errorf("after a change of name: %v", err)
		}
		var guest db.Account
		h.tx(func(tx *store.Tx) (err error) {
			guest, err = h.CreateAccount(ctx, tx, boss.Actor(Administrator), NewAccount{Username: "tamu", DisplayName: "Tamu", Email: "a@contoh.example"})
			return err
		})
		move(guest, "b@contoh.example")
		if _, err := h.SendLink(ctx, fresh(), guest.ID, false); err != nil || len(h.letters.changes) != 1 {
			t.Errorf("to who was never here: %v, %v", err, h.letters.changes)
		}
	})
}
