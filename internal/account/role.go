package account

import (
	"slices"

	"absah/internal/audit"
	"absah/internal/store/db"
)

// Role is what somebody may do. Everybody whose account belongs to an employee
// has the role Employee; the others are granted, for a unit and the units below
// it, or everywhere.
type Role string

// The roles of design section 1.
const (
	Employee            Role = "employee"             // Pegawai
	HROfficer           Role = "hr_officer"           // UPK/UPSDM: decides corrections
	RegistrationOfficer Role = "registration_officer" // Petugas DS: first and second check
	ServiceDesk         Role = "service_desk"         // answers tickets
	Auditor             Role = "auditor"              // reads everything, changes nothing
	Administrator       Role = "administrator"        // units, accounts, roles, policy
)

// GrantableRoles lists the roles that an administrator can grant, in the order
// in which pages show them.
func GrantableRoles() []Role {
	return []Role{HROfficer, RegistrationOfficer, ServiceDesk, Auditor, Administrator}
}

// ParseRole returns the grantable role named s, and false when there is none.
func ParseRole(s string) (Role, bool) {
	r := Role(s)
	return r, slices.Contains(GrantableRoles(), r)
}

// decides tells whether the role judges other people's data or requests. It is
// then held by an employee, so that the rules "never one's own" and "two
// different people" can be checked.
func (r Role) decides() bool { return r == HROfficer || r == RegistrationOfficer }

// Everywhere is the scope of a grant without a unit.
const Everywhere = ""

// NoUnit is the scope of somebody who does not hold the role: the identifier of
// no unit.
const NoUnit = "-"

// Grant is a role that somebody holds.
type Grant struct {
	ID     string
	Role   Role
	UnitID string // the unit at the top of the scope; Everywhere for none
}

// Viewer is who is looking: an account in one session, with its roles as they
// were when the request came in.
type Viewer struct {
	Account    db.Account
	EmployeeID string // empty for accounts that belong to no employee
	Session    db.Session
	Grants     []Grant
	TimeZone   string // WIB, WITA or WIT; empty without an employee
	UnitName   string // of the employee's unit
	Address    string // network address of this request
	UserAgent  string

	// MustEnrol says that the viewer's roles ask for a second factor that this
	// session does not have: only the pages that set one up are open.
	MustEnrol bool
}

// HasRole tells whether the viewer holds the role, anywhere.
func (v *Viewer) HasRole(role Role) bool {
	if v == nil {
		return false
	}
	if role == Employee {
		return v.EmployeeID != ""
	}
	return slices.ContainsFunc(v.Grants, func(g Grant) bool { return g.Role == role })
}

// Scopes lists the units for which the viewer holds the role; a single
// Everywhere when one grant has no unit; nothing when he does not hold it.
func (v *Viewer) Scopes(role Role) []string {
	var units []string
	for _, g := range v.Grants {
		if g.Role != role {
			continue
		}
		if g.UnitID == Everywhere {
			return []string{Everywhere}
		}
		units = append(units, g.UnitID)
	}
	return units
}

// ScopeOf is the first of Scopes, for lists that show one unit at a time, and
// NoUnit when the viewer does not hold the role.
func (v *Viewer) ScopeOf(role Role) string {
	if scopes := v.Scopes(role); len(scopes) > 0 {
		return scopes[0]
	}
	return NoUnit
}

// Actor is the viewer acting in the role, for records.
func (v *Viewer) Actor(role Role) audit.Actor {
	return audit.Actor{
		AccountID: v.Account.ID, EmployeeID: v.EmployeeID, Role: string(role),
		Address: v.Address, UserAgent: v.UserAgent,
	}
}

// Officer tells whether the viewer holds any granted role. Officers' sessions
// end earlier and need a second factor.
func (v *Viewer) Officer() bool { return v != nil && len(v.Grants) > 0 }
