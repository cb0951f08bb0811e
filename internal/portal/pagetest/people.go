package pagetest

import (
	"fmt"
	"strings"
	"time"

	"absah/internal/account"
	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/scan"
	"absah/internal/staff"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Password is that of everybody.
const Password = "kapal hijau empat gunung"

// Secret is the TOTP secret that SignIn gives to those who need a second factor.
const Secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// NIK is that of the first employee who is made by Employee.
const NIK = "3171014101900001"

var system = audit.Actor{AccountID: "system:test", Role: "system"}

func (h *House) unit(parent, code, name string) string {
	h.T.Helper()
	u, err := h.Staff.CreateUnit(h.T.Context(), system, parent, code, name)
	Must(h.T, err)
	return u.ID
}

// NewUnit makes a unit below parent, which may be empty.
func (h *House) NewUnit(code, parent string) string {
	h.T.Helper()
	return h.unit(parent, code, "Unit "+code)
}

// hire adds an employee, who can sign in.
func (h *House) hire(d staff.Data) audit.Actor {
	h.T.Helper()
	ctx := h.T.Context()
	e, err := h.Staff.CreateEmployee(ctx, system, d)
	Must(h.T, err)
	a, err := h.Store.Read().GetAccountByEmployee(ctx, nullString(e.ID))
	Must(h.T, err)
	Must(h.T, h.Accounts.SetPassword(ctx, a.ID, Password))
	return audit.Actor{AccountID: a.ID, EmployeeID: e.ID, Role: "employee", Address: "127.0.0.1", UserAgent: "test"}
}

// data are those of the next employee.
func (h *House) data(name, unit string) staff.Data {
	h.count++
	return staff.Data{
		NIP: fmt.Sprintf("199001012015%02d1%03d", 1+h.count%12, h.count), NIK: fmt.Sprintf("317401010190%04d", h.count), Name: name,
		Position: "Analis Keuangan Contoh", Grade: "Penata Muda / III/a", UnitID: unit,
		Email: fmt.Sprintf("pegawai%d@contoh.example", h.count), BirthPlace: "Jakarta", BirthDate: "1990-01-01", Sex: staff.Male,
	}
}

// Person adds an employee of the root unit with a role over a unit, or
// everywhere; account.Employee is nothing more than an employee.
func (h *House) Person(name string, role account.Role, unit string) audit.Actor {
	h.T.Helper()
	who := h.hire(h.data(name, h.Root))
	if role != account.Employee {
		h.Grant(who, role, unit)
	}
	who.Role = string(role)
	return who
}

// Grant gives somebody a role over a unit, or everywhere.
func (h *House) Grant(who audit.Actor, role account.Role, unit string) {
	h.T.Helper()
	h.Tx(func(tx *store.Tx) error {
		return h.Accounts.GrantTx(h.T.Context(), tx, audit.System("test"), who.AccountID, role, unit)
	})
}

// Officer is a registration officer over a unit, or everywhere.
func (h *House) Officer(name, unit string) enrolment.Checker {
	h.T.Helper()
	c := enrolment.Checker{Actor: h.Person(name, account.RegistrationOfficer, unit)}
	if unit != "" {
		c.Units = []string{unit}
	}
	return c
}

// Member adds an employee of a unit without any data but name and address.
func (h *House) Member(nip, name, unit string) audit.Actor {
	h.T.Helper()
	return h.hire(staff.Data{NIP: nip, Name: name, Position: "Analis", Grade: "III/b", UnitID: unit, Email: nip + "@contoh.example"})
}

// Outsider makes an active account without an employee.
func (h *House) Outsider(username, name string) audit.Actor {
	h.T.Helper()
	var a db.Account
	h.Tx(func(tx *store.Tx) (err error) {
		a, err = h.Accounts.CreateAccount(h.T.Context(), tx, audit.System("test"), account.NewAccount{
			Username: username, DisplayName: name, Email: username + "@contoh.example",
		})
		return err
	})
	Must(h.T, h.Accounts.SetPassword(h.T.Context(), a.ID, Password))
	return audit.Actor{AccountID: a.ID}
}

// Employee adds an employee of the root unit whose five prerequisites are valid.
func (h *House) Employee(name, nip string) audit.Actor {
	h.T.Helper()
	d := h.data(name, h.Root)
	d.NIP, d.NIK = nip, fmt.Sprintf("317101410190%04d", h.count-1) // the HR officer is the first of all
	first, _, _ := strings.Cut(strings.ToLower(name), " ")
	d.Position, d.Sex, d.Email = "Analis Contoh", staff.Female, first+"@contoh.example"
	who := h.hire(d)
	h.Complete(who)
	return who
}

// Applicant adds an employee of a unit whose five prerequisites are valid.
func (h *House) Applicant(name, unit string) audit.Actor {
	h.T.Helper()
	who := h.hire(h.data(name, unit))
	h.Complete(who)
	return who
}

// Complete uploads the three scans of an employee and accepts them.
func (h *House) Complete(who audit.Actor) {
	h.T.Helper()
	decisions := map[staff.Field]staff.Decision{}
	for _, kind := range []staff.Field{staff.IDCard, staff.Recommendation, staff.Specimen} {
		_, err := h.Staff.Upload(h.T.Context(), who, scan.Input{Kind: scan.Kind(kind), Bytes: []byte(string(kind) + " of " + who.EmployeeID)})
		Must(h.T, err)
		decisions[kind] = staff.Decision{Accept: true}
	}
	h.AcceptCorrection(who.EmployeeID, decisions)
}

// AcceptCorrection decides the open correction of an employee as its HR unit.
func (h *House) AcceptCorrection(employeeID string, decisions map[staff.Field]staff.Decision) {
	h.T.Helper()
	ctx := h.T.Context()
	c, err := h.Staff.OpenCorrection(ctx, employeeID)
	Must(h.T, err)
	Must(h.T, h.Staff.Claim(ctx, h.hr, c.ID, false))
	full, _, err := h.Staff.CorrectionFor(ctx, h.hr, c.ID)
	Must(h.T, err)
	Must(h.T, h.Staff.Decide(ctx, h.hr, c.ID, full.Version, decisions))
}

// SetEmail gives an employee another address; without one a prerequisite is
// missing.
func (h *House) SetEmail(who audit.Actor, email string) {
	h.T.Helper()
	h.Tx(func(tx *store.Tx) error {
		_, err := tx.Exec(h.T.Context(), `update employee set email = $1 where id = $2`, email, who.EmployeeID)
		return err
	})
}

// Account is somebody's account as it is now.
func (h *House) Account(who audit.Actor) db.Account {
	h.T.Helper()
	a, err := h.Store.Read().GetAccount(h.T.Context(), who.AccountID)
	Must(h.T, err)
	return a
}

// session signs the owner of an account in by his password and returns the
// session's token.
func (h *House) session(a db.Account) string {
	h.T.Helper()
	if a.PasswordHash == "" {
		Must(h.T, h.Accounts.SetPassword(h.T.Context(), a.ID, Password))
	}
	in, err := h.Accounts.Login(h.T.Context(), a.Username, Password, here)
	if err != nil {
		h.T.Fatalf("sign in %s: %v", a.Username, err)
	}
	return in.Token
}

// SignIn returns a browser in which somebody is signed in until his session
// ends, with a second factor when his roles ask for one. It does not need the
// pages of signing in.
func (h *House) SignIn(who audit.Actor) *Browser {
	h.T.Helper()
	ctx, a := h.T.Context(), h.Account(who)
	token := h.session(a)
	v, err := h.Accounts.Authenticate(ctx, token, here, false)
	Must(h.T, err)
	if v.MustEnrol {
		h.Tx(func(tx *store.Tx) error { return h.Accounts.EnrolTOTP(ctx, tx, a.ID, Secret) })
		return h.SignIn(who)
	}
	if v.Session.State == account.Half {
		h.Clock.Advance(30 * time.Second) // a code works once
		code, err := account.TOTPCode(Secret, h.Clock.Now())
		Must(h.T, err)
		in, err := h.Accounts.ProveTOTP(ctx, v, code)
		if err != nil {
			h.T.Fatalf("second step of %s: %v", a.Username, err)
		}
		token = in.Token
	}
	b := h.Visitor()
	b.SetCookie(SessionCookie, token)
	return b
}
