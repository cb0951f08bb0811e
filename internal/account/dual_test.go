package account

import (
	"errors"
	"sync"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/storetest"
)

// asked asks for a role that must wait, and returns the id of what waits.
func (h *house) asked(v *Viewer, accountID string, role Role, unit string) string {
	h.t.Helper()
	out, err := h.AskRole(h.t.Context(), v, accountID, role, unit)
	if err != nil || !out.Waits || out.Alone {
		h.t.Fatalf("AskRole(%s) = %+v, %v", role, out, err)
	}
	rows, err := h.RoleRequests(h.t.Context(), accountID)
	if err != nil || len(rows) == 0 {
		h.t.Fatalf("RoleRequests = %v, %v", rows, err)
	}
	return rows[len(rows)-1].ID
}

func (h *house) wants(what string, err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func (h *house) holds(accountID string, role Role) bool {
	h.t.Helper()
	grants, err := grantsOf(h.t.Context(), h.Store.Read(), accountID)
	if err != nil {
		h.t.Fatal(err)
	}
	return holds(grants, role)
}

func TestPowerfulRolesTakeTwo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two := h.admin("satu"), h.admin("dua")
		unit := h.unit("A", "")
		officer := h.employee("199001012015011001", unit)
		plain := h.viewer(h.login(h.person("luar").Username, goodPassword))

		id := h.asked(one, officer.ID, RegistrationOfficer, unit)
		if n := h.letters.roles; len(n) != 1 || n[0].What != NewsRoleAsked || n[0].By != one.Account.ID || n[0].Account.ID != officer.ID {
			t.Errorf("letters = %+v", n)
		}
		if h.holds(officer.ID, RegistrationOfficer) {
			t.Fatal("one administrator was enough")
		}
		_, err := h.AskRole(ctx, one, officer.ID, RegistrationOfficer, unit)
		h.wants("the same again", err, ErrPending)
		_, err = h.AskRole(ctx, two, officer.ID, RegistrationOfficer, unit)
		h.wants("the same by the other", err, ErrPending)
		h.wants("who asked", h.ConfirmRole(ctx, one, id), ErrOwnRequest)
		h.wants("who asked refuses", h.RefuseRole(ctx, one, id, "x"), ErrOwnRequest)
		h.wants("no administrator", h.ConfirmRole(ctx, plain, id), ErrNotAllowed)
		h.wants("no administrator takes back", h.WithdrawRole(ctx, plain, id), ErrNotAllowed)
		h.wants("another one takes back", h.WithdrawRole(ctx, two, id), ErrNotFound)
		h.wants("invented", h.ConfirmRole(ctx, two, "x"), ErrNotFound)
		stale := *two
		stale.Session.CreatedAt -= (20 * time.Minute).Microseconds()
		h.wants("not fresh", h.ConfirmRole(ctx, &stale, id), ErrNotFresh)

		// Who became an administrator after the asking decides nothing of it.
		h.clock.Advance(time.Minute)
		three := h.admin("tiga")
		h.wants("a later administrator", h.ConfirmRole(ctx, three, id), ErrNotThen)
		for who, want := range map[*Viewer]int{one: 0, two: 1, three: 0} {
			if n, err := h.RolesWaitingFor(ctx, who.Account.ID); err != nil || n != want {
				t.Errorf("%s has %d waiting, %v; want %d", who.Account.Username, n, err, want)
			}
		}

		h.wants("the other one", h.ConfirmRole(ctx, two, id), nil)
		if !h.holds(officer.ID, RegistrationOfficer) {
			t.Fatal("two were not enough")
		}
		h.wants("twice", h.ConfirmRole(ctx, two, id), ErrDecided)
		h.wants("refused afterwards", h.RefuseRole(ctx, two, id, "x"), ErrDecided)
		_, err = h.AskRole(ctx, one, officer.ID, RegistrationOfficer, unit)
		h.wants("a role that is there", err, ErrTaken)

		// Oneself: neither asks nor confirms his own.
		_, err = h.AskRole(ctx, one, one.Account.ID, Administrator, unit)
		h.wants("asks for himself", err, ErrSelf)
		own := h.asked(one, two.Account.ID, Administrator, unit)
		h.wants("confirms his own", h.ConfirmRole(ctx, two, own), ErrSelf)
		h.wants("another one does", h.ConfirmRole(ctx, three, own), nil)

		// Refused and taken back.
		id = h.asked(one, officer.ID, RegistrationOfficer, Everywhere)
		h.wants("no reason", h.RefuseRole(ctx, two, id, " "), ErrReason)
		h.wants("refused", h.RefuseRole(ctx, two, id, "tidak perlu"), nil)
		h.wants("confirmed after it", h.ConfirmRole(ctx, two, id), ErrDecided)
		id = h.asked(one, officer.ID, RegistrationOfficer, Everywhere)
		h.wants("taken back", h.WithdrawRole(ctx, one, id), nil)
		h.wants("taken back twice", h.WithdrawRole(ctx, one, id), ErrDecided)
		h.wants("confirmed after that", h.ConfirmRole(ctx, two, id), ErrDecided)

		// What was possible when it was asked may be so no longer.
		clerk := h.employee("199001012015011002", unit)
		id = h.asked(one, clerk.ID, RegistrationOfficer, unit)
		h.grant(clerk, Auditor, Everywhere)
		h.wants("roles that exclude each other", h.ConfirmRole(ctx, two, id), ErrConflictingRoles)
		given := h.employee("199001012015011003", unit)
		id = h.asked(one, given.ID, RegistrationOfficer, unit)
		h.grant(given, RegistrationOfficer, unit)
		h.wants("given meanwhile", h.ConfirmRole(ctx, two, id), ErrTaken)

		// Taking away takes one.
		d, err := h.Detail(ctx, officer.ID)
		if err != nil || len(d.Grants) != 1 {
			t.Fatalf("Detail = %+v, %v", d, err)
		}
		h.wants("taken away", h.Revoke(ctx, one, officer.ID, d.Grants[0].ID), nil)
		if _, err := audit.Verify(ctx, h.Store.Read()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatWaitsLapses(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two, three := h.admin("satu"), h.admin("dua"), h.admin("tiga")
		a := h.employee("199001012015011001", h.unit("A", ""))

		id := h.asked(one, a.ID, RegistrationOfficer, Everywhere)
		h.wants("its account is shut", h.Disable(ctx, three, a.ID), nil)
		h.wants("confirmed after it", h.ConfirmRole(ctx, two, id), ErrDecided)
		_, err := h.AskRole(ctx, one, a.ID, RegistrationOfficer, Everywhere)
		h.wants("asked for a shut account", err, ErrNotAllowed)
		h.wants("opened", h.Enable(ctx, one, a.ID), nil)

		id = h.asked(one, a.ID, RegistrationOfficer, Everywhere)
		h.wants("who could decide is dismissed", h.Revoke(ctx, three, two.Account.ID, two.Grants[0].ID), nil)
		h.wants("the dismissed one", h.ConfirmRole(ctx, two, id), ErrNotThen) // his page was open
		h.wants("who asked is shut", h.Disable(ctx, three, one.Account.ID), nil)
		h.wants("confirmed after that", h.ConfirmRole(ctx, three, id), ErrDecided)
		if rows, err := h.RoleRequests(ctx, ""); err != nil || len(rows) != 0 {
			t.Errorf("still waiting: %+v, %v", rows, err)
		}
	})
}

// TestOpeningGivesNoPowerAlone: an account that was shut with its roles comes
// back without the powerful ones.
func TestOpeningGivesNoPowerAlone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two := h.admin("satu"), h.admin("dua")
		a := h.employee("199001012015011001", h.unit("A", ""))
		h.grant(a, RegistrationOfficer, Everywhere)
		h.grant(a, ServiceDesk, Everywhere)
		h.wants("shut", h.Disable(ctx, one, a.ID), nil)
		h.wants("opened", h.Enable(ctx, one, a.ID), nil)
		if h.holds(a.ID, RegistrationOfficer) || !h.holds(a.ID, ServiceDesk) {
			t.Error("the wrong roles came back")
		}
		rows, err := h.RoleRequests(ctx, a.ID)
		if err != nil || len(rows) != 1 || rows[0].AskedBy != one.Account.ID {
			t.Fatalf("RoleRequests = %+v, %v", rows, err)
		}
		h.wants("confirmed", h.ConfirmRole(ctx, two, rows[0].ID), nil)
		if !h.holds(a.ID, RegistrationOfficer) {
			t.Error("the role did not come back")
		}
	})
}

func TestALoneAdministrator(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one := h.admin("satu")
		second := h.person("dua")
		out, err := h.AskRole(ctx, one, second.ID, Administrator, Everywhere)
		if err != nil || out.Waits || !out.Alone || !h.holds(second.ID, Administrator) {
			t.Fatalf("the first administrator makes no second: %+v, %v", out, err)
		}
		if n := h.letters.roles; len(n) != 1 || n[0].What != NewsRoleAlone || n[0].Role != Administrator {
			t.Errorf("letters = %+v", n)
		}
		officer := h.employee("199001012015011001", h.unit("A", ""))
		h.asked(one, officer.ID, RegistrationOfficer, Everywhere)

		// Shutting the second one does not make him alone again.
		h.wants("shut", h.Disable(ctx, one, second.ID), nil)
		if n := h.letters.roles; n[len(n)-1].What != NewsRoleEnded || n[len(n)-1].Account.ID != second.ID {
			t.Errorf("letters = %+v", n)
		}
		other := h.employee("199001012015011002", h.unit("B", ""))
		_, err = h.AskRole(ctx, one, other.ID, RegistrationOfficer, Everywhere)
		h.wants("alone by shutting the other", err, ErrAloneTooSoon)
		h.wants("opened", h.Enable(ctx, one, second.ID), nil)
		if h.holds(second.ID, Administrator) {
			t.Error("opening gave the role within the week")
		}
		later := *one
		h.clock.Advance(aloneAfter)
		later.Session.CreatedAt = h.now()
		out, err = h.AskRole(ctx, &later, second.ID, Administrator, Everywhere)
		if err != nil || !out.Alone {
			t.Errorf("after a week: %+v, %v", out, err)
		}
		// A revoked role counts like a shut account.
		grants, err := grantsOf(ctx, h.Store.Read(), second.ID)
		if err != nil || len(grants) != 1 {
			t.Fatal(grants, err)
		}
		h.wants("revoked", h.Revoke(ctx, &later, second.ID, grants[0].ID), nil)
		_, err = h.AskRole(ctx, &later, other.ID, RegistrationOfficer, Everywhere)
		h.wants("alone by revoking", err, ErrAloneTooSoon)
	})
}

// TestNoLinkIntoPower: who could see the activation link of an account could play
// the one that it is for.
func TestNoLinkIntoPower(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one, two := h.admin("satu"), h.admin("dua")
		guest, _ := h.guest("tamu", Activate)
		if d, err := h.Detail(ctx, guest.ID); err != nil || !d.ShowLink {
			t.Fatalf("Detail = %+v, %v", d, err)
		}
		id := h.asked(one, guest.ID, Administrator, Everywhere)
		_, err := h.SendLink(ctx, one, guest.ID, true)
		h.wants("while it waits", err, ErrNotAllowed)
		h.wants("confirmed", h.ConfirmRole(ctx, two, id), nil)
		_, err = h.SendLink(ctx, one, guest.ID, true)
		h.wants("afterwards", err, ErrNotAllowed)
		if d, err := h.Detail(ctx, guest.ID); err != nil || d.ShowLink {
			t.Errorf("the page offers what is refused: %v", err)
		}
	})
}

// TestTwoConfirmAtOnce: of several who decide together one does.
func TestTwoConfirmAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		one := h.admin("satu")
		deciding := []*Viewer{h.admin("dua"), h.admin("tiga"), h.admin("empat"), h.admin("lima")}
		a := h.employee("199001012015011001", h.unit("A", ""))
		id := h.asked(one, a.ID, RegistrationOfficer, Everywhere)
		errs := make([]error, len(deciding))
		var all sync.WaitGroup
		for i, v := range deciding {
			all.Go(func() {
				if i%2 == 0 {
					errs[i] = h.ConfirmRole(ctx, v, id)
				} else {
					errs[i] = h.RefuseRole(ctx, v, id, "tidak perlu")
				}
			})
		}
		all.Wait()
		done := -1
		for i, err := range errs {
			switch {
			case err == nil && done < 0:
				done = i
			case !errors.Is(err, ErrDecided):
				t.Errorf("%d: %v", i, err)
			}
		}
		if done < 0 || h.holds(a.ID, RegistrationOfficer) != (done%2 == 0) {
			t.Errorf("%d decided, the role is there: %v", done, h.holds(a.ID, RegistrationOfficer))
		}
	})
}

// TestTheDatabaseHoldsBothParts goes past the service.
func TestTheDatabaseHoldsBothParts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s, quick())
		one, two := h.admin("satu"), h.admin("dua")
		a := h.employee("199001012015011001", h.unit("A", ""))
		id := h.asked(one, a.ID, RegistrationOfficer, Everywhere)
		for _, c := range []struct {
			state, by string
			holds     bool
		}{
			{RoleGranted, "", true}, {RoleGranted, one.Account.ID, true}, {RoleGranted, a.ID, true}, {RoleRefused, one.Account.ID, true},
			{RoleGranted, two.Account.ID, false},
		} {
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				return h.end(t.Context(), tx, id, c.state, "", nullable(c.by))
			})
			if (err != nil) != c.holds {
				t.Errorf("%s by %q: %v", c.state, c.by, err)
			}
		}
	})
}
