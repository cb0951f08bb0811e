package staff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/staff/sheet"
	"absah/internal/store"
	"absah/internal/store/db"
)

// entry is one row of a file, cleaned.
type entry struct {
	line   int
	key    string
	data   Data   // UnitID is still empty
	code   string // of the unit
	name   string // of the unit, to create it
	parent string // code of the unit above it
	active *bool
	notes  []LineNote
}

func (e *entry) bad(c Column, p Problem) {
	e.notes = append(e.notes, LineNote{Column: c, Code: p.Code, Params: p.Params})
}

func (e *entry) warn(c Column, code string, params map[string]string) {
	e.notes = append(e.notes, LineNote{Column: c, Code: code, Params: params, Warning: true})
}

func (e *entry) rejected() bool {
	for _, n := range e.notes {
		if !n.Warning {
			return true
		}
	}
	return false
}

// plan is a file that was read: what each row says, before the database is asked.
type plan struct {
	report  Report
	entries []*entry
}

// dataColumns are the columns that fill Data, with their fields.
var dataColumns = []struct {
	column Column
	field  Field
}{
	{ColNIP, NIP}, {ColNIK, NIK}, {ColName, Name}, {ColPosition, Position}, {ColGrade, Grade}, {ColEmail, Email},
	{ColPhone, Phone}, {ColBirthPlace, BirthPlace}, {ColBirthDate, BirthDate}, {ColSex, Sex}, {ColTimeZone, TimeZone},
}

// readPlan reads a file. Problems of the file as a whole are in report.File.
func readPlan(content []byte, now time.Time) *plan {
	p := &plan{}
	t, err := sheet.Read(content)
	var bad *sheet.Error
	if errors.As(err, &bad) {
		p.report.File = []LineNote{{Line: bad.Line, Code: "file_" + string(bad.Code)}}
		return p
	}
	p.report.Encoding, p.report.Delimiter = t.Encoding, string(t.Delimiter)
	l, err := layoutOf(t.Header)
	var wrong *fileError
	if errors.As(err, &wrong) {
		p.report.File = []LineNote{{Line: wrong.line, Code: wrong.code, Params: wrong.params}}
		return p
	}
	p.report.Units, p.report.Ignored, p.report.Total = l.units, l.ignored, int64(len(t.Rows))
	if len(t.Rows) == 0 {
		p.report.File = []LineNote{{Code: "file_no_rows"}}
		return p
	}
	seen := map[string]int{}
	emails, niks := map[string]int{}, map[string]int{}
	for _, row := range t.Rows {
		e := readEntry(l, row, now)
		p.entries = append(p.entries, e)
		if e.key == "" {
			continue
		}
		if first, ok := seen[e.key]; ok {
			e.bad(keyColumn(l), Problem{"twice_in_file", map[string]string{"Line": itoa(first)}})
			continue
		}
		seen[e.key] = e.line
		again(e, ColEmail, emails, e.data.Email)
		again(e, ColNIK, niks, e.data.NIK)
	}
	return p
}

func keyColumn(l layout) Column {
	if l.units {
		return ColUnitCode
	}
	return ColNIP
}

// again warns of a value that an earlier line has too.
func again(e *entry, c Column, seen map[string]int, value string) {
	if value == "" {
		return
	}
	if first, ok := seen[value]; ok {
		e.warn(c, "same_in_file", map[string]string{"Line": itoa(first)})
		return
	}
	seen[value] = e.line
}

func readEntry(l layout, row sheet.Row, now time.Time) *entry {
	e := &entry{line: row.Line}
	for i, c := range row.Cells {
		if i >= l.width && c != "" { // an unquoted delimiter inside a name moves the cells
			e.bad("", Problem{Code: "row_long"})
			break
		}
	}
	if l.units || l.has(ColUnitCode) {
		e.readUnit(l, row)
	}
	if l.units {
		e.key = e.code
		if e.code == "" && !e.rejected() {
			e.bad(ColUnitCode, Problem{Code: "required"})
		}
		return e
	}
	for _, dc := range dataColumns {
		typed := l.cell(row, dc.column)
		v, problem := Clean(dc.field, typed, now)
		if problem != nil {
			e.bad(dc.column, *problem)
			continue
		}
		e.data.Set(dc.field, v)
	}
	e.key = e.data.NIP
	if strings.TrimSpace(l.cell(row, ColNIP)) == "" {
		e.bad(ColNIP, Problem{Code: "required"})
	}
	switch strings.ToLower(l.cell(row, ColActive)) {
	case "":
	case "y", "ya", "yes", "1", "true", "aktif", "active":
		yes := true
		e.active = &yes
	case "t", "tidak", "n", "no", "0", "false", "nonaktif", "tidak aktif", "non aktif", "inactive":
		no := false
		e.active = &no
	default:
		e.bad(ColActive, Problem{Code: "active_unknown"})
	}
	return e
}

func (e *entry) readUnit(l layout, row sheet.Row) {
	if typed := l.cell(row, ColUnitCode); typed != "" {
		code, problem := cleanUnitCode(typed)
		if problem != nil {
			e.bad(ColUnitCode, *problem)
		}
		e.code = code
	}
	if typed := l.cell(row, ColUnitName); typed != "" {
		name, problem := cleanUnitName(typed)
		if problem != nil {
			e.bad(ColUnitName, *problem)
		}
		e.name = name
	}
	if typed := l.cell(row, ColParentCode); typed != "" {
		parent, problem := cleanUnitCode(typed)
		if problem != nil {
			e.bad(ColParentCode, *problem)
		}
		e.parent = parent
	}
}

// resolver answers what rows ask of the database: with Store.Read for a check,
// with a transaction when it is applied.
type resolver struct {
	s       *Service
	q       *db.Queries
	units   map[string]db.Unit // by code
	planned map[string]*entry  // units that the file creates, by code
}

func (s *Service) resolver(ctx context.Context, q *db.Queries, p *plan) (*resolver, error) {
	rows, err := q.ListUnits(ctx)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	r := &resolver{s: s, q: q, units: make(map[string]db.Unit, len(rows)), planned: map[string]*entry{}}
	for _, u := range rows {
		r.units[u.Code] = u
	}
	for _, e := range p.entries {
		if _, exists := r.units[e.code]; e.code != "" && e.name != "" && !exists && r.planned[e.code] == nil {
			r.planned[e.code] = e
		}
	}
	return r, nil
}

// checkUnit says what is wrong with the unit of a row.
func (r *resolver) checkUnit(e *entry, unitsFile bool) {
	u, exists := r.units[e.code]
	maker := r.planned[e.code]
	switch {
	case e.code == "":
		return
	case !exists && maker == nil:
		column := ColUnitCode
		e.bad(column, Problem{Code: "unit_unknown_code", Params: map[string]string{"Code": e.code}})
		return
	case exists && e.parent != "" && r.codeOf(u.ParentID.String) != e.parent:
		if unitsFile {
			e.bad(ColParentCode, Problem{Code: "unit_moves"})
		} else {
			e.warn(ColParentCode, "unit_moves", nil)
		}
		return
	case exists || maker != e:
		return
	}
	// The row creates the unit: what is above it must exist or be created, and
	// never be the unit itself.
	above := e.parent
	for range len(r.planned) + 1 {
		if above == "" {
			return
		}
		if _, ok := r.units[above]; ok {
			return
		}
		next := r.planned[above]
		if next == nil {
			e.bad(ColParentCode, Problem{Code: "unit_unknown_code", Params: map[string]string{"Code": above}})
			return
		}
		above = next.parent
	}
	e.bad(ColParentCode, Problem{Code: "unit_circle"})
}

func (r *resolver) codeOf(id string) string {
	for _, u := range r.units {
		if u.ID == id {
			return u.Code
		}
	}
	return ""
}

// current is the employee of a row, nil when there is none yet.
func (r *resolver) current(ctx context.Context, e *entry) (*db.Employee, error) {
	row, err := r.q.GetEmployeeByNIP(ctx, e.data.NIP)
	if store.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for NIP: %w", err)
	}
	return &row, nil
}

// judge says what a row would do, noting what is wrong with it.
func (r *resolver) judge(ctx context.Context, e *entry, unitsFile bool) (Outcome, error) {
	r.checkUnit(e, unitsFile)
	if unitsFile {
		u, exists := r.units[e.code]
		switch {
		case e.rejected():
			return RowRejected, nil
		case !exists, r.planned[e.code] == e: // a child's row may have made it
			return RowCreated, nil
		case e.name != "" && e.name != u.Name:
			return RowUpdated, nil
		}
		return RowUnchanged, nil
	}
	if e.key == "" {
		return RowRejected, nil
	}
	row, err := r.current(ctx, e)
	if err != nil {
		return "", err
	}
	if row == nil {
		if e.data.Name == "" {
			e.bad(ColName, Problem{Code: "required"})
		}
		if e.code == "" {
			e.bad(ColUnitCode, Problem{Code: "required"})
		}
	}
	if err := r.warnOfDuplicates(ctx, e, row); err != nil {
		return "", err
	}
	switch {
	case e.rejected():
		return RowRejected, nil
	case row == nil:
		return RowCreated, nil
	}
	differs, err := r.differs(ctx, e, *row)
	if err != nil {
		return "", err
	}
	if differs {
		return RowUpdated, nil
	}
	return RowUnchanged, nil
}

func (r *resolver) warnOfDuplicates(ctx context.Context, e *entry, row *db.Employee) error {
	id := ""
	if row != nil {
		id = row.ID
	}
	if e.data.Email != "" && (row == nil || row.Email != e.data.Email) {
		same, err := r.q.EmployeesByEmail(ctx, db.EmployeesByEmailParams{Email: e.data.Email, ID: id})
		if err != nil {
			return fmt.Errorf("look for the same e-mail: %w", err)
		}
		if len(same) > 0 {
			e.warn(ColEmail, "email_elsewhere", map[string]string{"NIP": same[0].Nip})
		}
	}
	if e.data.NIK == "" {
		return nil
	}
	indexes, err := r.s.nikIndexes(ctx, e.data.NIK)
	if err != nil {
		return err
	}
	if row != nil && isNIK(indexes, row.NikIndex) {
		return nil
	}
	same, err := r.s.EmployeesByNIK(ctx, r.q, e.data.NIK, id)
	if err != nil {
		return err
	}
	if len(same) > 0 {
		e.warn(ColNIK, "nik_elsewhere", map[string]string{"NIP": same[0].Nip})
	}
	return nil
}

// differs reports whether a row would change its employee. Empty cells keep
// what is there.
func (r *resolver) differs(ctx context.Context, e *entry, row db.Employee) (bool, error) {
	have := rowData(row)
	for _, dc := range dataColumns {
		v := e.data.Get(dc.field)
		if v == "" || dc.field == NIP || dc.field == NIK {
			continue
		}
		if v != have.Get(dc.field) {
			return true, nil
		}
	}
	if e.code != "" && r.units[e.code].ID != row.UnitID {
		return true, nil
	}
	if e.active != nil && *e.active != row.Active {
		return true, nil
	}
	if e.data.NIK == "" {
		return false, nil
	}
	indexes, err := r.s.nikIndexes(ctx, e.data.NIK)
	return !isNIK(indexes, row.NikIndex), err
}
