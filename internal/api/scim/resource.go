package scim

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/staff"
	"absah/internal/store"
)

// flag is a boolean that some clients send as a text.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true":
		*f = true
	case "false":
		*f = false
	default:
		return fmt.Errorf("active is neither true nor false")
	}
	return nil
}

type value struct {
	Value   string `json:"value"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type name struct {
	Formatted  string `json:"formatted,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	GivenName  string `json:"givenName,omitempty"`
}

// full is the name as certificates show it.
func (n *name) full() string {
	if n == nil {
		return ""
	}
	if n.Formatted != "" {
		return n.Formatted
	}
	return strings.TrimSpace(n.GivenName + " " + n.FamilyName)
}

type enterprise struct {
	EmployeeNumber string `json:"employeeNumber,omitempty"` // NIP
	Department     string `json:"department,omitempty"`     // code of the unit
	Organization   string `json:"organization,omitempty"`   // returned: name of the unit
}

type staffExtension struct {
	NIK            string  `json:"nik,omitempty"` // written, never returned
	Grade          string  `json:"grade,omitempty"`
	BirthPlace     string  `json:"birthPlace,omitempty"`
	BirthDate      string  `json:"birthDate,omitempty"` // YYYY-MM-DD
	Sex            string  `json:"sex,omitempty"`       // M or F
	RetirementDate *string `json:"retirementDate,omitempty"`
}

type meta struct {
	ResourceType string `json:"resourceType"`
	Created      string `json:"created"`
	LastModified string `json:"lastModified"`
	Location     string `json:"location"`
	Version      string `json:"version"`
}

// user is an employee as SCIM sees one.
type user struct {
	Schemas     []string        `json:"schemas"`
	ID          string          `json:"id,omitempty"`
	ExternalID  string          `json:"externalId,omitempty"`
	UserName    string          `json:"userName"` // NIP
	Name        *name           `json:"name,omitempty"`
	DisplayName string          `json:"displayName,omitempty"`
	Title       string          `json:"title,omitempty"` // position
	Timezone    string          `json:"timezone,omitempty"`
	Active      *flag           `json:"active,omitempty"`
	Emails      []value         `json:"emails,omitempty"`
	Phones      []value         `json:"phoneNumbers,omitempty"`
	Enterprise  *enterprise     `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
	Staff       *staffExtension `json:"urn:absah:params:scim:schemas:extension:staff:2.0:User,omitempty"`
	Meta        *meta           `json:"meta,omitempty"`
}

// zones are Indonesia's time zones by the names of IANA.
var zones = map[string]string{"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}

var zoneNames = map[string]string{"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}

// first is the primary value of a list, or the first one.
func first(list []value) string {
	for _, v := range list {
		if v.Primary {
			return v.Value
		}
	}
	if len(list) > 0 {
		return list[0].Value
	}
	return ""
}

// data is what a user says about an employee; base has what stays when it is
// left out.
func (s *Server) data(ctx context.Context, u user, base staff.Data) (staff.Data, error) {
	d := base
	d.NIP = u.UserName
	if u.Enterprise != nil && u.Enterprise.EmployeeNumber != "" {
		if u.UserName != "" && u.UserName != u.Enterprise.EmployeeNumber {
			return d, bad("invalidValue", "userName and employeeNumber are both the NIP and differ")
		}
		d.NIP = u.Enterprise.EmployeeNumber
	}
	if d.Name = u.Name.full(); d.Name == "" {
		d.Name = u.DisplayName
	}
	d.Position, d.Email, d.Phone = u.Title, first(u.Emails), first(u.Phones)
	if u.Timezone != "" {
		zone, ok := zones[u.Timezone]
		if !ok {
			return d, bad("invalidValue", "timezone is none of Indonesia's")
		}
		d.TimeZone = zone
	}
	if x := u.Staff; x != nil {
		d.NIK, d.Grade, d.BirthPlace, d.BirthDate, d.Sex = x.NIK, x.Grade, x.BirthPlace, x.BirthDate, x.Sex
		if date := x.RetirementDate; date != nil && *date != "" {
			if _, err := time.Parse(time.DateOnly, *date); err != nil {
				return d, bad("invalidValue", "retirementDate is written YYYY-MM-DD")
			}
		}
	}
	if u.Enterprise != nil && u.Enterprise.Department != "" {
		unit, err := s.Store.Read().GetUnitByCode(ctx, u.Enterprise.Department)
		if store.IsNotFound(err) {
			return d, bad("invalidValue", "department is the code of no unit")
		}
		if err != nil {
			return d, fmt.Errorf("read unit: %w", err)
		}
		d.UnitID = unit.ID
	}
	if d.UnitID == "" {
		return d, bad("invalidValue", "department, the code of the unit, is required")
	}
	return d, nil
}

// resource reads an employee as a user.
func (s *Server) resource(ctx context.Context, id string) (user, error) {
	e, err := s.Staff.Employee(ctx, id)
	if err != nil {
		return user{}, err
	}
	unit, err := s.Store.Read().GetUnit(ctx, e.UnitID)
	if err != nil {
		return user{}, fmt.Errorf("read unit: %w", err)
	}
	active := flag(e.Active)
	u := user{
		Schemas: []string{schemaUser, schemaEnterprise, schemaStaff}, ID: e.ID, ExternalID: e.NIP.String(), UserName: e.NIP.String(),
		Name: &name{Formatted: e.Name}, DisplayName: e.Name, Title: e.Position, Timezone: zoneNames[e.TimeZone], Active: &active,
		Enterprise: &enterprise{EmployeeNumber: e.NIP.String(), Department: unit.Code, Organization: unit.Name},
		Staff:      &staffExtension{Grade: e.Grade, BirthPlace: e.BirthPlace, BirthDate: e.BirthDate, Sex: e.Sex},
		Meta: &meta{
			ResourceType: "User", Created: e.CreatedAt.UTC().Format(time.RFC3339), LastModified: e.UpdatedAt.UTC().Format(time.RFC3339),
			Location: s.BaseURL + Base + "/Users/" + e.ID, Version: etag(e.Version),
		},
	}
	if e.Email != "" {
		u.Emails = []value{{Value: e.Email, Type: "work", Primary: true}}
	}
	if e.Phone != "" {
		u.Phones = []value{{Value: e.Phone, Type: "work", Primary: true}}
	}
	date, err := s.Retirements.Retirement(ctx, id)
	if err != nil {
		return user{}, err
	}
	if date != "" {
		u.Staff.RetirementDate = &date
	}
	return u, nil
}

// list answers a query for users (RFC 7644 3.4.2).
func (s *Server) list(w http.ResponseWriter, r *http.Request, _ audit.Actor) error {
	ctx, q := r.Context(), r.URL.Query()
	where, err := parseFilter(q.Get("filter"))
	if err != nil {
		return err
	}
	start, count := 1, 100
	if v := q.Get("startIndex"); v != "" {
		if start, err = strconv.Atoi(v); err != nil {
			return bad("invalidValue", "startIndex is no number")
		}
		start = max(start, 1)
	}
	if v := q.Get("count"); v != "" {
		if count, err = strconv.Atoi(v); err != nil {
			return bad("invalidValue", "count is no number")
		}
		count = min(max(count, 0), maxCount)
	}
	sql, args := where.sql()
	var total int
	if err := s.Store.ReadDB().QueryRowContext(ctx, "select count(*) from employee e where "+sql, args...).Scan(&total); err != nil {
		return fmt.Errorf("count employees: %w", err)
	}
	ids, err := s.ids(ctx, sql, args, start, count)
	if err != nil {
		return err
	}
	users := make([]user, 0, len(ids))
	for _, id := range ids {
		u, err := s.resource(ctx, id)
		if err != nil {
			return err
		}
		users = append(users, u)
	}
	s.answer(w, http.StatusOK, map[string]any{
		"schemas": []string{schemaList}, "totalResults": total, "startIndex": start, "itemsPerPage": len(users), "Resources": users,
	})
	return nil
}

func (s *Server) ids(ctx context.Context, where string, args []any, start, count int) ([]string, error) {
	rows, err := s.Store.ReadDB().QueryContext(ctx, fmt.Sprintf("select e.id from employee e where %s order by e.id limit %d offset %d", where, count, start-1), args...)
	if err != nil {
		return nil, fmt.Errorf("list employees: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list employees: %w", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list employees: %w", err)
	}
	return ids, nil
}
