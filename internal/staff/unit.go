package staff

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Unit is a part of the institution. Units form a tree; whoever has a role in a
// unit has it in all units below.
type Unit struct {
	ID       string
	ParentID string // empty for the top
	Code     string
	Name     string
	Depth    int // 0 for the top
}

// Fields of a unit, for InvalidError.
const (
	UnitCode   Field = "unit_code"
	UnitName   Field = "unit_name"
	ParentCode Field = "parent_code"
)

func cleanUnitCode(code string) (string, *Problem) {
	code, problem := cleanText(code)
	if problem != nil {
		return "", problem
	}
	if code == "" {
		return "", &Problem{Code: "required"}
	}
	if len(code) > 40 || strings.Trim(strings.ToUpper(code), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/") != "" {
		return "", &Problem{Code: "unit_code_malformed"}
	}
	return strings.ToUpper(code), nil
}

func cleanUnitName(name string) (string, *Problem) {
	name, problem := cleanText(name)
	switch {
	case problem != nil:
		return "", problem
	case name == "":
		return "", &Problem{Code: "required"}
	case utf8.RuneCountInString(name) > 200:
		return "", &Problem{Code: "too_long", Params: map[string]string{"Max": "200"}}
	}
	return name, nil
}

// CreateUnit adds a unit below parentID (at the top when empty). It fails with
// *InvalidError, also when the code is taken or there is no such parent.
func (s *Service) CreateUnit(ctx context.Context, who audit.Actor, parentID, code, name string) (Unit, error) {
	problems := map[Field]Problem{}
	code, p := cleanUnitCode(code)
	if p != nil {
		problems[UnitCode] = *p
	}
	name, p = cleanUnitName(name)
	if p != nil {
		problems[UnitName] = *p
	}
	if err := invalid(problems); err != nil {
		return Unit{}, err
	}
	var u Unit
	taken := &InvalidError{map[Field]Problem{UnitCode: {Code: "unit_code_taken"}}}
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		if parentID != "" {
			if _, err := tx.GetUnit(ctx, parentID); store.IsNotFound(err) {
				return &InvalidError{map[Field]Problem{ParentCode: {Code: "unit_unknown"}}}
			} else if err != nil {
				return fmt.Errorf("read parent unit: %w", err)
			}
		}
		if _, err := tx.GetUnitByCode(ctx, code); err == nil {
			return taken
		} else if !store.IsNotFound(err) {
			return fmt.Errorf("look for unit code: %w", err)
		}
		var err error
		if u, err = s.createUnit(ctx, tx, parentID, code, name); err != nil {
			return err
		}
		return s.recordUnit(ctx, tx, who, "unit.create", u.ID)
	})
	if store.IsUnique(err) {
		return Unit{}, taken
	}
	return u, err
}

func (s *Service) createUnit(ctx context.Context, tx *store.Tx, parentID, code, name string) (Unit, error) {
	u := Unit{ID: ident.New(), ParentID: parentID, Code: code, Name: name}
	err := tx.InsertUnit(ctx, db.InsertUnitParams{
		ID: u.ID, ParentID: nullable(parentID), Code: code, Name: name, CreatedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return Unit{}, fmt.Errorf("add unit: %w", err)
	}
	if err := tx.InsertUnitScope(ctx, db.InsertUnitScopeParams{AncestorID: u.ID, UnitID: u.ID}); err != nil {
		return Unit{}, fmt.Errorf("add unit: %w", err)
	}
	if parentID != "" {
		if err := tx.InheritUnitScope(ctx, db.InheritUnitScopeParams{UnitID: u.ID, ParentID: parentID}); err != nil {
			return Unit{}, fmt.Errorf("add unit: %w", err)
		}
	}
	return u, nil
}

// RenameUnit gives a unit another name. It fails with ErrNotFound, ErrNothing
// or *InvalidError.
func (s *Service) RenameUnit(ctx context.Context, who audit.Actor, id, name string) error {
	name, p := cleanUnitName(name)
	if p != nil {
		return &InvalidError{map[Field]Problem{UnitName: *p}}
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.GetUnit(ctx, id)
		if err != nil {
			return notFound(err, "read unit")
		}
		if u.Name == name {
			return ErrNothing
		}
		if _, err := tx.RenameUnit(ctx, db.RenameUnitParams{ID: id, Name: name, UpdatedAt: clock.Micros(s.now())}); err != nil {
			return fmt.Errorf("rename unit: %w", err)
		}
		return s.recordUnit(ctx, tx, who, "unit.rename", id)
	})
}

// Unit returns one unit; Depth is not set. It fails with ErrNotFound.
func (s *Service) Unit(ctx context.Context, id string) (Unit, error) {
	u, err := s.Store.Read().GetUnit(ctx, id)
	if err != nil {
		return Unit{}, notFound(err, "read unit")
	}
	return Unit{ID: u.ID, ParentID: u.ParentID.String, Code: u.Code, Name: u.Name}, nil
}

// UnitPath returns the units from the top down to id.
func (s *Service) UnitPath(ctx context.Context, id string) ([]Unit, error) {
	rows, err := s.Store.Read().UnitAncestors(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read units above: %w", err)
	}
	list := make([]Unit, len(rows))
	for i, r := range rows {
		list[i] = Unit{ID: r.ID, ParentID: r.ParentID.String, Code: r.Code, Name: r.Name, Depth: i}
	}
	return list, nil
}

// Units returns the whole tree, parents before their children, siblings by code.
func (s *Service) Units(ctx context.Context) ([]Unit, error) {
	rows, err := s.Store.Read().ListUnits(ctx)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	children := map[string][]db.Unit{}
	for _, r := range rows {
		children[r.ParentID.String] = append(children[r.ParentID.String], r)
	}
	list := make([]Unit, 0, len(rows))
	var walk func(parent string, depth int)
	walk = func(parent string, depth int) {
		for _, r := range children[parent] {
			list = append(list, Unit{ID: r.ID, ParentID: parent, Code: r.Code, Name: r.Name, Depth: depth})
			walk(r.ID, depth+1)
		}
	}
	walk("", 0)
	return list, nil
}

// UnitSizes counts the active employees of each unit, not of those below.
func (s *Service) UnitSizes(ctx context.Context) (map[string]int64, error) {
	rows, err := s.Store.Read().UnitSizes(ctx)
	if err != nil {
		return nil, fmt.Errorf("count employees: %w", err)
	}
	sizes := make(map[string]int64, len(rows))
	for _, r := range rows {
		sizes[r.UnitID] = r.Employees
	}
	return sizes, nil
}

// InScope reports whether unit stands at or below ancestor; an empty ancestor
// is everywhere.
func InScope(ctx context.Context, q *db.Queries, ancestor, unit string) (bool, error) {
	if ancestor == "" {
		return true, nil
	}
	n, err := q.InScope(ctx, db.InScopeParams{AncestorID: ancestor, UnitID: unit})
	if err != nil {
		return false, fmt.Errorf("read scope: %w", err)
	}
	return n > 0, nil
}

func (s *Service) recordUnit(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string) error {
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: action, ObjectKind: "unit", ObjectID: id})
}
