package staff

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/identity"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Employee is a person on the staff (Pegawai).
type Employee struct {
	ID         string
	NIP        identity.NIP
	NIK        identity.NIK // zero when there is none yet
	Name       string
	Position   string // Jabatan
	Grade      string // Gol/Pangkat
	UnitID     string
	Email      string // lower case
	Phone      string // E.164 or empty
	BirthPlace string
	BirthDate  string // YYYY-MM-DD or empty
	Sex        string // Male, Female or empty
	TimeZone   string // WIB, WITA, WIT
	Locale     string // id, en
	Active     bool
	Version    int64 // grows with every change
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Data is e as people edit it.
func (e Employee) Data() Data {
	return Data{
		NIP: e.NIP.String(), NIK: e.NIK.Reveal(), Name: e.Name, Position: e.Position, Grade: e.Grade,
		UnitID: e.UnitID, Email: e.Email, Phone: e.Phone, BirthPlace: e.BirthPlace, BirthDate: e.BirthDate,
		Sex: e.Sex, TimeZone: e.TimeZone,
	}
}

// Employee returns an employee with the NIK opened. It fails with ErrNotFound.
func (s *Service) Employee(ctx context.Context, id string) (Employee, error) {
	return s.employee(ctx, s.Store.Read(), id)
}

func (s *Service) employee(ctx context.Context, q *db.Queries, id string) (Employee, error) {
	row, err := q.GetEmployee(ctx, id)
	if err != nil {
		return Employee{}, notFound(err, "read employee")
	}
	return s.open(ctx, row)
}

// open makes an Employee of a row.
func (s *Service) open(ctx context.Context, r db.Employee) (Employee, error) {
	e := Employee{
		ID: r.ID, Name: r.Name, Position: r.Position, Grade: r.Grade, UnitID: r.UnitID, Email: r.Email,
		Phone: r.Phone, BirthPlace: r.BirthPlace, BirthDate: r.BirthDate, Sex: r.Sex, TimeZone: r.TimeZone,
		Locale: r.Locale, Active: r.Active, Version: r.Version,
		CreatedAt: clock.FromMicros(r.CreatedAt), UpdatedAt: clock.FromMicros(r.UpdatedAt),
	}
	var err error
	if e.NIP, err = identity.ParseNIP(r.Nip); err != nil {
		return Employee{}, fmt.Errorf("read employee %s: %w", r.ID, err)
	}
	if len(r.NikSealed) == 0 {
		return e, nil
	}
	plain, err := s.Vault.Open(ctx, keys.Data, r.NikSealed, nikContext(r.ID))
	if err != nil {
		return Employee{}, fmt.Errorf("open NIK of employee %s: %w", r.ID, err)
	}
	if e.NIK, err = identity.ParseNIK(string(plain)); err != nil {
		return Employee{}, fmt.Errorf("open NIK of employee %s: %w", r.ID, err)
	}
	return e, nil
}

func nikContext(employeeID string) []byte { return []byte("employee/" + employeeID + "/nik") }

// sealNIK gives the two columns of a NIK of canonical digits; both are empty
// for none.
func (s *Service) sealNIK(ctx context.Context, employeeID, digits string) (sealed, index []byte, err error) {
	if digits == "" {
		return nil, nil, nil
	}
	if sealed, err = s.Vault.Seal(ctx, keys.Data, []byte(digits), nikContext(employeeID)); err != nil {
		return nil, nil, fmt.Errorf("seal NIK: %w", err)
	}
	index, err = s.NIKIndex(ctx, digits)
	return sealed, index, err
}

// NIKIndex is the value under which employee.nik_index finds a NIK of 16 digits,
// once Reindex has been there: EmployeesByNIK finds it before that too.
func (s *Service) NIKIndex(ctx context.Context, digits string) ([]byte, error) {
	mac, _, err := s.Vault.MAC(ctx, keys.Index, 0, []byte("nik/"+digits))
	if err != nil {
		return nil, fmt.Errorf("index NIK: %w", err)
	}
	return mac, nil
}

// CreateEmployee adds an employee and opens the account. It fails with
// *InvalidError, also when the NIP is taken or there is no such unit.
func (s *Service) CreateEmployee(ctx context.Context, who audit.Actor, d Data) (Employee, error) {
	d, problems := d.clean(s.now())
	if err := invalid(problems); err != nil {
		return Employee{}, err
	}
	var e Employee
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := checkUnit(ctx, tx.Queries, d.UnitID); err != nil {
			return err
		}
		if _, err := tx.GetEmployeeByNIP(ctx, d.NIP); err == nil {
			return &InvalidError{map[Field]Problem{NIP: {Code: "nip_taken"}}}
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("look for NIP: %w", err)
		}
		var err error
		if e, err = s.create(ctx, tx, who, d, true); err != nil {
			return err
		}
		return s.record(ctx, tx, who, "employee.create", e.ID, nil)
	})
	if store.IsUnique(err) {
		return Employee{}, &InvalidError{map[Field]Problem{NIP: {Code: "nip_taken"}}}
	}
	return e, err
}

func checkUnit(ctx context.Context, q *db.Queries, id string) error {
	if _, err := q.GetUnit(ctx, id); store.IsNotFound(err) {
		return &InvalidError{map[Field]Problem{UnitField: {Code: "unit_unknown"}}}
	} else if err != nil {
		return fmt.Errorf("read unit: %w", err)
	}
	return nil
}

// create writes the rows of a new employee; d is clean.
func (s *Service) create(ctx context.Context, tx *store.Tx, who audit.Actor, d Data, active bool) (Employee, error) {
	id := ident.New()
	sealed, index, err := s.sealNIK(ctx, id, d.NIK)
	if err != nil {
		return Employee{}, err
	}
	now := clock.Micros(s.now())
	p := db.InsertEmployeeParams{
		ID: id, Nip: d.NIP, NikSealed: sealed, NikIndex: index, Name: d.Name, Position: d.Position, Grade: d.Grade,
		UnitID: d.UnitID, Email: d.Email, Phone: d.Phone, BirthPlace: d.BirthPlace, BirthDate: d.BirthDate,
		Sex: d.Sex, TimeZone: d.TimeZone, Locale: "id", Active: active, CreatedAt: now,
	}
	if err := tx.InsertEmployee(ctx, p); err != nil {
		return Employee{}, fmt.Errorf("add employee: %w", err)
	}
	e, err := s.open(ctx, db.Employee{
		ID: id, Nip: p.Nip, NikSealed: sealed, Name: p.Name, Position: p.Position, Grade: p.Grade, UnitID: p.UnitID,
		Email: p.Email, Phone: p.Phone, BirthPlace: p.BirthPlace, BirthDate: p.BirthDate, Sex: p.Sex,
		TimeZone: p.TimeZone, Locale: p.Locale, Active: active, Version: 1, CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return Employee{}, err
	}
	if err := reindex(ctx, tx, id, nil, employeeWords(d)); err != nil {
		return Employee{}, err
	}
	if s.Accounts != nil && active {
		if err := s.Accounts.OpenEmployeeAccount(ctx, tx, e, who); err != nil {
			return Employee{}, fmt.Errorf("open account: %w", err)
		}
	}
	return e, nil
}

// UpdateEmployee changes an employee as an administrator does. An empty NIK in
// d keeps the one that is there. It fails with ErrNotFound, ErrStale when the
// version is another, ErrNothing, or *InvalidError.
func (s *Service) UpdateEmployee(ctx context.Context, who audit.Actor, id string, version int64, d Data) (Employee, error) {
	d, problems := d.clean(s.now())
	if err := invalid(problems); err != nil {
		return Employee{}, err
	}
	var after Employee
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockEmployee(ctx, id)
		if err != nil {
			return notFound(err, "lock employee")
		}
		if row.Version != version {
			return ErrStale
		}
		if d.NIP != row.Nip {
			return &InvalidError{map[Field]Problem{NIP: {Code: "nip_fixed"}}}
		}
		if err := checkUnit(ctx, tx.Queries, d.UnitID); err != nil {
			return err
		}
		fields, err := s.update(ctx, tx, who, row, d, row.Active, false)
		if err != nil {
			return err
		}
		if len(fields) == 0 {
			return ErrNothing
		}
		if after, err = s.employee(ctx, tx.Queries, id); err != nil {
			return err
		}
		return s.record(ctx, tx, who, "employee.update", id, map[string]string{"fields": joinFields(fields)})
	})
	return after, err
}

// SetActive lets an employee leave (false) or come back. Leaving withdraws the
// open correction. It fails with ErrNotFound, ErrStale or ErrNothing.
func (s *Service) SetActive(ctx context.Context, who audit.Actor, id string, version int64, active bool) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.LockEmployee(ctx, id)
		if err != nil {
			return notFound(err, "lock employee")
		}
		if row.Version != version {
			return ErrStale
		}
		if row.Active == active {
			return ErrNothing
		}
		if _, err := s.update(ctx, tx, who, row, Data{}, active, true); err != nil {
			return err
		}
		action := "employee.activate"
		if !active {
			action = "employee.deactivate"
		}
		return s.record(ctx, tx, who, action, id, nil)
	})
}

// update writes what d (clean) and active change of row, and returns the fields
// that changed. Nothing is written when none did. keep says that empty values
// keep what is there; an empty NIK always does.
func (s *Service) update(ctx context.Context, tx *store.Tx, who audit.Actor, row db.Employee, d Data, active, keep bool) ([]Field, error) {
	before := rowData(row)
	p := db.UpdateEmployeeParams{
		ID: row.ID, NikSealed: row.NikSealed, NikIndex: row.NikIndex, Locale: row.Locale, Active: active,
		UpdatedAt: clock.Micros(s.now()),
	}
	after := before
	var fields []Field
	for _, f := range allFields {
		v := d.Get(f)
		if f == NIP || v == "" && (keep || f == NIK) || f != NIK && v == before.Get(f) {
			continue
		}
		if f == NIK {
			indexes, err := s.nikIndexes(ctx, v)
			if err != nil {
				return nil, err
			}
			if isNIK(indexes, row.NikIndex) {
				continue
			}
			if p.NikSealed, p.NikIndex, err = s.sealNIK(ctx, row.ID, v); err != nil {
				return nil, err
			}
		}
		after.Set(f, v)
		fields = append(fields, f)
	}
	if active != row.Active {
		fields = append(fields, Active)
	}
	if len(fields) == 0 {
		return nil, nil
	}
	p.Name, p.Position, p.Grade, p.UnitID = after.Name, after.Position, after.Grade, after.UnitID
	p.Email, p.Phone, p.BirthPlace, p.BirthDate = after.Email, after.Phone, after.BirthPlace, after.BirthDate
	p.Sex, p.TimeZone = after.Sex, after.TimeZone
	if _, err := tx.UpdateEmployee(ctx, p); err != nil {
		return nil, fmt.Errorf("change employee: %w", err)
	}
	if err := reindex(ctx, tx, row.ID, employeeWords(before), employeeWords(after)); err != nil {
		return nil, err
	}
	if row.Active && !active {
		if err := s.withdrawOfLeaver(ctx, tx, row.ID); err != nil {
			return nil, err
		}
	}
	return fields, s.changed(ctx, tx, row.ID, who)
}

// rowData is the data of a row without the NIK, which is sealed.
func rowData(r db.Employee) Data {
	return Data{
		NIP: r.Nip, Name: r.Name, Position: r.Position, Grade: r.Grade, UnitID: r.UnitID, Email: r.Email,
		Phone: r.Phone, BirthPlace: r.BirthPlace, BirthDate: r.BirthDate, Sex: r.Sex, TimeZone: r.TimeZone,
	}
}

// SetPreferences keeps the language and time zone of an employee, who needs
// nobody's leave for it. The data that officers judge stay as they are.
func (s *Service) SetPreferences(ctx context.Context, who audit.Actor, locale, zone string) error {
	z, problem := Clean(TimeZone, zone, s.now())
	if problem != nil || z == "" || locale != "id" && locale != "en" {
		return &InvalidError{map[Field]Problem{TimeZone: {Code: "time_zone_unknown"}}}
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := tx.LockEmployee(ctx, who.EmployeeID)
		if err != nil {
			return notFound(err, "lock employee")
		}
		_, err = tx.UpdateEmployee(ctx, db.UpdateEmployeeParams{
			ID: r.ID, NikSealed: r.NikSealed, NikIndex: r.NikIndex, Name: r.Name, Position: r.Position, Grade: r.Grade,
			UnitID: r.UnitID, Email: r.Email, Phone: r.Phone, BirthPlace: r.BirthPlace, BirthDate: r.BirthDate,
			Sex: r.Sex, TimeZone: z, Locale: locale, Active: r.Active, UpdatedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("keep preferences: %w", err)
		}
		return s.record(ctx, tx, who, "employee.preferences", r.ID, nil)
	})
}

// EmployeesOfUnit lists the employees of one unit by name, after the given name
// and id (both empty at first).
func (s *Service) EmployeesOfUnit(ctx context.Context, unitID, afterName, afterID string, limit int) ([]Found, error) {
	rows, err := s.Store.Read().EmployeesOfUnitByName(ctx, db.EmployeesOfUnitByNameParams{
		UnitID: unitID, AfterName: afterName, AfterID: afterID, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("list employees: %w", err)
	}
	list := make([]Found, len(rows))
	for i, r := range rows {
		list[i] = Found{ID: r.ID, NIP: r.Nip, Name: r.Name, Position: r.Position, UnitID: r.UnitID, Active: r.Active}
	}
	return list, nil
}

// record writes the audit row of an act on an employee.
func (s *Service) record(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: action, ObjectKind: "employee", ObjectID: id, Detail: detail,
	})
}

func joinFields(fields []Field) string {
	text := ""
	for i, f := range fields {
		if i > 0 {
			text += " "
		}
		text += string(f)
	}
	return text
}

func itoa(n int) string { return strconv.Itoa(n) }

func nullable(id string) sql.NullString { return sql.NullString{String: id, Valid: id != ""} }
