package account

import (
	"errors"
	"testing"
	"time"

	"absah/internal/audit"
	"absah/internal/store"
)

func TestRulesOfRoles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.admin("kepala")
		unit := h.unit("A", "")
		officer := h.employee("199001012015011001", unit)
		outsider := h.person("luar")
		auditor := h.employee("199001012015011002", unit)
		h.grant(auditor, Auditor, Everywhere)
		plain := h.viewer(h.login(outsider.Username, goodPassword))
		stale := *boss
		stale.Session.CreatedAt -= (20 * time.Minute).Microseconds()
		for name, c := range map[string]struct {
			v       *Viewer
			account string
			role    Role
			unit    string
			want    error
		}{
			"good":                        {boss, officer.ID, HROfficer, unit, nil},
			"oneself":                     {boss, boss.Account.ID, RegistrationOfficer, Everywhere, ErrSelf},
			"no administrator":            {plain, officer.ID, Auditor, Everywhere, ErrNotAllowed},
			"not fresh":                   {&stale, officer.ID, ServiceDesk, Everywhere, ErrNotFresh},
			"decides without an employee": {boss, outsider.ID, RegistrationOfficer, Everywhere, ErrNeedsEmployee},
			"auditor who decides":         {boss, auditor.ID, HROfficer, unit, ErrConflictingRoles},
			"implied role":                {boss, outsider.ID, Employee, Everywhere, ErrNotFound},
			"invented role":               {boss, outsider.ID, "root", Everywhere, ErrNotFound},
			"invented unit":               {boss, outsider.ID, ServiceDesk, "x", ErrNotFound},
			"invented account":            {boss, "x", ServiceDesk, Everywhere, ErrNotFound},
		} {
			if _, err := h.AskRole(t.Context(), c.v, c.account, c.role, c.unit); !errors.Is(err, c.want) {
				t.Errorf("%s: AskRole = %v, want %v", name, err, c.want)
			}
		}
		if _, err := h.AskRole(t.Context(), boss, officer.ID, HROfficer, unit); !errors.Is(err, ErrTaken) {
			t.Errorf("the same again: %v", err)
		}
		if _, err := h.AskRole(t.Context(), boss, officer.ID, Administrator, Everywhere); !errors.Is(err, ErrConflictingRoles) {
			t.Errorf("who decides administers: %v", err)
		}
		d, err := h.Detail(t.Context(), officer.ID)
		if err != nil || len(d.Grants) != 1 || d.Grants[0].UnitCode != "A" || d.Employee == nil {
			t.Fatalf("Detail = %+v, %v", d, err)
		}
		if err := h.Revoke(t.Context(), boss, outsider.ID, d.Grants[0].ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("a grant of another account: %v", err)
		}
		if err := h.Revoke(t.Context(), boss, officer.ID, d.Grants[0].ID); err != nil {
			t.Error(err)
		}
		if h.viewer(h.login(officer.Username, goodPassword)).HasRole(HROfficer) {
			t.Error("the role stayed")
		}
		if _, err := audit.Verify(t.Context(), h.Store.Read()); err != nil {
			t.Error(err)
		}
	})
}

func TestSomebodyAdministrates(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		one, two := h.admin("satu"), h.admin("dua")
		if err := h.Disable(t.Context(), one, one.Account.ID); !errors.Is(err, ErrSelf) {
			t.Errorf("oneself: %v", err)
		}
		if err := h.Disable(t.Context(), one, two.Account.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Disable(t.Context(), two, one.Account.ID); !errors.Is(err, ErrLastAdministrator) {
			t.Errorf("the last one: %v", err)
		}
		if err := h.Revoke(t.Context(), two, one.Account.ID, one.Grants[0].ID); !errors.Is(err, ErrLastAdministrator) {
			t.Errorf("the last one's role: %v", err)
		}
		if err := h.Enable(t.Context(), one, two.Account.ID); err != nil {
			t.Fatal(err)
		}
		h.login("dua", goodPassword)
	})
}

func TestLinksOfAdministrators(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		boss := h.admin("kepala")
		officer := h.employee("199001012015011001", h.unit("A", ""))
		guest, _ := h.guest("tamu", Activate)
		if _, err := h.SendLink(t.Context(), boss, officer.ID, true); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("an administrator sees an employee's link: %v", err)
		}
		if token, err := h.SendLink(t.Context(), boss, officer.ID, false); err != nil || token != "" {
			t.Errorf("SendLink = %q, %v", token, err)
		}
		if inv := h.letters.invitations; len(inv) != 1 || inv[0].Account.ID != officer.ID || inv[0].Purpose != ResetPassword {
			t.Errorf("letters = %+v", inv)
		}
		token, err := h.SendLink(t.Context(), boss, guest.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Redeem(t.Context(), token, goodPassword, here); err != nil {
			t.Fatal(err)
		}
		if _, err := h.SendLink(t.Context(), boss, guest.ID, true); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("an administrator sees the link of an active account: %v", err)
		}
	})
}

func TestBootstrap(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, err := h.BootstrapAdmin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		second, err := h.BootstrapAdmin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Redeem(t.Context(), first, goodPassword, here); dead(err) != LinkReplaced {
			t.Errorf("the first link: %v", err)
		}
		if _, err := h.Redeem(t.Context(), second, goodPassword, here); err != nil {
			t.Fatal(err)
		}
		if v := h.viewer(h.login(AdminUsername, goodPassword)); !v.HasRole(Administrator) || !v.MustEnrol || v.HasRole(Employee) {
			t.Errorf("the first administrator: %+v", v)
		}
		if _, err := h.BootstrapAdmin(t.Context()); !errors.Is(err, ErrBootstrapped) {
			t.Errorf("BootstrapAdmin = %v, want ErrBootstrapped", err)
		}
	})
}

func TestAccountsAreFound(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("sari")
		h.person("budi_2")
		h.person("budix2")
		e := h.employee("199001012015011001", h.unit("A", ""))
		for text, want := range map[string]int{"": 4, "sa": 1, "SARI": 1, "budi_": 1, "contoh": 4, "ntoh": 0, "1990 0101": 1, "%": 0, `\`: 0} {
			rows, err := h.Search(t.Context(), text, "", 10)
			if err != nil || len(rows) != want {
				t.Errorf("Search(%q) = %d rows, %v; want %d", text, len(rows), err, want)
			}
		}
		page, err := h.Search(t.Context(), "", e.Username, 2)
		if err != nil || len(page) != 2 || page[0].Username <= e.Username {
			t.Errorf("the next page = %v, %v", page, err)
		}
		h.tx(func(tx *store.Tx) error {
			if _, err := h.CreateAccount(t.Context(), tx, audit.System("test"), NewAccount{Username: "SARI "}); !errors.Is(err, ErrTaken) {
				t.Errorf("a taken name: %v", err)
			}
			emp, err := tx.GetEmployee(t.Context(), e.EmployeeID.String)
			if err != nil {
				return err
			}
			again, err := h.CreateEmployeeAccount(t.Context(), tx, emp)
			if err != nil || again.ID != e.ID {
				t.Errorf("an employee has two accounts: %v, %v", again.ID, err)
			}
			return nil
		})
	})
}
