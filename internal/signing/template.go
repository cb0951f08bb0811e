package signing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/store"
	"absah/internal/store/db"
)

var (
	// ErrTemplate says that a template lacks its name, its steps or something in
	// them.
	ErrTemplate = errors.New("the template is not complete")
	// ErrNotYours says that somebody may use a template and not change it.
	ErrNotYours = errors.New("only who made the template may change it")
	// ErrStale says that somebody else changed a template meanwhile.
	ErrStale = errors.New("the template was changed meanwhile")
)

// Who says whom a step of a template means.
type Who string

// The kinds of signers in a template.
const (
	WhoPerson Who = "person" // an employee
	WhoRow    Who = "row"    // whom each use names: the applicant of the row
	WhoMaker  Who = "maker"  // who prepares the letter
)

// TemplateStep is one signature that a letter of a template takes.
type TemplateStep struct {
	Who        Who    `json:"who"`
	EmployeeID string `json:"employee,omitempty"` // of WhoPerson
	Name       string `json:"name,omitempty"`     // WhoRow: what this one is called, for example "Pemohon"
	Role       Role   `json:"role"`
	Look       *Look  `json:"look,omitempty"` // nil: as the signer likes
}

// Arrangement is what a version of a template says.
type Arrangement struct {
	Kind    string         `json:"kind"` // one of Kinds
	Ordered bool           `json:"ordered"`
	Note    string         `json:"note,omitempty"`
	DueDays int            `json:"due_days,omitempty"` // after it was sent; 0: whenever
	Steps   []TemplateStep `json:"steps"`
}

// Template is the named arrangement of a letter that recurs in a unit.
type Template struct {
	ID, UnitID, Name string
	MakerID, Maker   string
	ByUnit           bool // everybody in the unit may change it
	Retired          bool
	Version          int64
	ChangedAt        time.Time
	Arrangement
	// Orphaned says that its maker has left the unit: then the unit may change it.
	Orphaned bool
}

const maxDueDays = 365

// checkTemplate fails with ErrTemplate, ErrKind, and as Look.Check does.
func (s *Service) checkTemplate(name string, a *Arrangement) error {
	if a.Kind == "" {
		a.Kind = Other
	}
	if !knownKind(a.Kind) {
		return ErrKind
	}
	if name == "" || len(name) > 200 || len(a.Steps) == 0 || len(a.Steps) > MaxSteps || len(a.Note) > 2000 || a.DueDays < 0 || a.DueDays > maxDueDays {
		return ErrTemplate
	}
	seen := map[string]bool{}
	for _, st := range a.Steps {
		key := string(st.Who) + st.EmployeeID
		switch {
		case st.Role != SignRole && st.Role != Paraf, len(st.Name) > 100, st.Who == WhoPerson == (st.EmployeeID == ""):
			return ErrTemplate
		case st.Who == WhoPerson || st.Who == WhoMaker:
			if seen[key] {
				return ErrTemplate
			}
			seen[key] = true
		case st.Who != WhoRow:
			return ErrTemplate
		}
		if st.Look == nil {
			continue
		}
		if err := st.Look.Check(s.Limits.Places); err != nil {
			return err
		}
		if st.Look.Authority != "" && st.Who != WhoPerson {
			return ErrTemplate // a decree names a person
		}
	}
	return nil
}

// unitOf is the unit of the actor, an employee.
func unitOf(ctx context.Context, q *db.Queries, who audit.Actor) (string, error) {
	e, err := q.GetEmployee(ctx, who.EmployeeID)
	if store.IsNotFound(err) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read employee: %w", err)
	}
	return e.UnitID, nil
}

// SaveTemplate makes a template in the actor's unit out of a name and an
// arrangement. It fails with ErrTemplate, ErrKind, ErrLook, ErrSpot, ErrPlaces.
func (s *Service) SaveTemplate(ctx context.Context, who audit.Actor, name string, byUnit bool, a Arrangement) (Template, error) {
	name = strings.TrimSpace(name)
	if err := s.checkTemplate(name, &a); err != nil {
		return Template{}, err
	}
	id := ident.From(s.Random)
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		unit, err := unitOf(ctx, tx.Queries, who)
		if err != nil {
			return err
		}
		err = tx.InsertLetterTemplate(ctx, db.InsertLetterTemplateParams{
			ID: id, UnitID: unit, Name: name, MakerID: who.EmployeeID, ByUnit: byUnit, CreatedAt: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("store template: %w", err)
		}
		return s.templateVersion(ctx, tx, who, id, 1, a)
	})
	if err != nil {
		return Template{}, err
	}
	return s.Template(ctx, who, id)
}

func (s *Service) templateVersion(ctx context.Context, tx *store.Tx, who audit.Actor, id string, number int64, a Arrangement) error {
	content, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write template: %w", err)
	}
	err = tx.InsertLetterTemplateVersion(ctx, db.InsertLetterTemplateVersionParams{
		TemplateID: id, Number: number, Content: string(content), MadeBy: who.EmployeeID, MadeAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("store version of template: %w", err)
	}
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "template.save", ObjectKind: "letter_template", ObjectID: id, Detail: map[string]string{"version": fmt.Sprint(number)},
	})
}

// MayChange says whether somebody may change a template of his unit.
func (t Template) MayChange(employeeID string) bool {
	return t.ByUnit || t.MakerID == employeeID || t.Orphaned
}

// ChangeTemplate makes the next version of a template; old is the one that was
// changed. What was prepared before keeps what it was prepared with. It fails
// as SaveTemplate does, and with ErrNotFound, ErrNotYours and ErrStale.
func (s *Service) ChangeTemplate(ctx context.Context, who audit.Actor, id string, old int64, name string, byUnit bool, a Arrangement) error {
	name = strings.TrimSpace(name)
	if err := s.checkTemplate(name, &a); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		t, err := s.template(ctx, tx.Queries, who, id)
		if err != nil {
			return err
		}
		if !t.MayChange(who.EmployeeID) {
			return ErrNotYours
		}
		if t.MakerID != who.EmployeeID {
			byUnit = t.ByUnit // who may change it is for its maker to say
		}
		n, err := tx.ChangeLetterTemplate(ctx, db.ChangeLetterTemplateParams{
			ID: id, Name: name, ByUnit: byUnit, Version: old + 1, OldVersion: old, Now: clock.Micros(s.now()),
		})
		if err != nil {
			return fmt.Errorf("change template: %w", err)
		}
		if n == 0 {
			return ErrStale
		}
		return s.templateVersion(ctx, tx, who, id, old+1, a)
	})
}

// RetireTemplate takes a template out of use. It fails with ErrNotFound and
// ErrNotYours.
func (s *Service) RetireTemplate(ctx context.Context, who audit.Actor, id string) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		t, err := s.template(ctx, tx.Queries, who, id)
		if err != nil {
			return err
		}
		if !t.MayChange(who.EmployeeID) {
			return ErrNotYours
		}
		n, err := tx.RetireLetterTemplate(ctx, db.RetireLetterTemplateParams{ID: id, UpdatedAt: clock.Micros(s.now())})
		if err != nil {
			return fmt.Errorf("retire template: %w", err)
		}
		if n == 0 {
			return ErrNotFound
		}
		return audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: "template.retire", ObjectKind: "letter_template", ObjectID: id})
	})
}

// Template returns a template of the actor's unit, or ErrNotFound.
func (s *Service) Template(ctx context.Context, who audit.Actor, id string) (Template, error) {
	return s.template(ctx, s.Store.Read(), who, id)
}

func (s *Service) template(ctx context.Context, q *db.Queries, who audit.Actor, id string) (Template, error) {
	unit, err := unitOf(ctx, q, who)
	if err != nil {
		return Template{}, err
	}
	row, err := q.GetLetterTemplate(ctx, id)
	if store.IsNotFound(err) || err == nil && row.UnitID != unit {
		return Template{}, ErrNotFound
	}
	if err != nil {
		return Template{}, fmt.Errorf("read template: %w", err)
	}
	t := templateOf(row)
	t.Arrangement, err = s.arrangement(ctx, q, id, row.Version)
	return t, err
}

func templateOf(r db.GetLetterTemplateRow) Template {
	return Template{
		ID: r.ID, UnitID: r.UnitID, Name: r.Name, MakerID: r.MakerID, Maker: r.Maker, ByUnit: r.ByUnit, Retired: r.State != "active", Version: r.Version,
		ChangedAt: clock.FromMicros(r.UpdatedAt), Orphaned: !r.MakerActive || r.MakerUnit != r.UnitID,
	}
}

// arrangement is what a version of a template says.
func (s *Service) arrangement(ctx context.Context, q *db.Queries, id string, version int64) (a Arrangement, err error) {
	v, err := q.GetLetterTemplateVersion(ctx, db.GetLetterTemplateVersionParams{TemplateID: id, Number: version})
	if store.IsNotFound(err) {
		return a, ErrNotFound
	}
	if err != nil {
		return a, fmt.Errorf("read version of template: %w", err)
	}
	if err := json.Unmarshal([]byte(v.Content), &a); err != nil {
		return a, fmt.Errorf("read version %d of template %s: %w", version, id, err)
	}
	return a, nil
}

// Templates lists the templates in use in the actor's unit, by name.
func (s *Service) Templates(ctx context.Context, who audit.Actor) ([]Template, error) {
	q := s.Store.Read()
	unit, err := unitOf(ctx, q, who)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := q.LetterTemplatesOf(ctx, unit)
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	out := make([]Template, len(rows))
	for i, r := range rows {
		out[i] = templateOf(db.GetLetterTemplateRow(r))
		if out[i].Arrangement, err = s.arrangement(ctx, q, r.ID, r.Version); err != nil {
			return nil, err
		}
	}
	return out, nil
}
