package staff

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"absah/internal/audit"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Import reads a CSV file of employees (with their units) or of units alone and
// applies it in one transaction, or not at all when a row is rejected. Rows
// find their employee by NIP; empty cells and absent columns keep what is
// there. A dry run changes nothing. step, if not nil, hears how far it is.
//
// What is wrong with the file is in the report; an error is about the service.
func (s *Service) Import(ctx context.Context, who audit.Actor, content []byte, dryRun bool, step func(done, total int64)) (Report, error) {
	stages := func(_ ImportState, done, total int64) {
		if step != nil {
			step(done, total)
		}
	}
	return s.importFile(ctx, who, content, dryRun, stages, nil)
}

// stepper hears in which stage an import is and how many of its rows are done;
// each row counts half when checked and half when applied.
type stepper func(stage ImportState, done, total int64)

// importFile is Import; finish runs at the end of the transaction that applies.
func (s *Service) importFile(ctx context.Context, who audit.Actor, content []byte, dryRun bool,
	step stepper, finish func(*store.Tx, Report) error,
) (Report, error) {
	p := readPlan(content, s.now())
	p.report.DryRun = dryRun
	if len(p.report.File) > 0 {
		return p.report, nil
	}
	if err := s.check(ctx, p, step); err != nil {
		return Report{}, err
	}
	if dryRun || !p.report.OK() {
		return p.report, nil
	}
	var report Report
	err := s.Store.InTx(ctx, func(tx *store.Tx) error {
		// The transaction may run again, and the data may have changed since
		// the check: everything is judged anew inside.
		again := readPlan(content, s.now())
		if err := s.applyPlan(ctx, tx, who, again, step); err != nil {
			return err
		}
		report = again.report
		report.Applied = true
		if err := s.recordImport(ctx, tx, who, content, report); err != nil {
			return err
		}
		if finish != nil {
			return finish(tx, report)
		}
		return nil
	})
	var refused *refusedError
	if errors.As(err, &refused) {
		return refused.report, nil
	}
	if err != nil {
		return Report{}, fmt.Errorf("apply import: %w", err)
	}
	return report, nil
}

// refusedError ends a transaction in which a row turned out wrong.
type refusedError struct{ report Report }

func (e *refusedError) Error() string { return "a row is rejected" }

// check judges every row against what the database holds now.
func (s *Service) check(ctx context.Context, p *plan, step stepper) error {
	r, err := s.resolver(ctx, s.Store.Read(), p)
	if err != nil {
		return err
	}
	for i, e := range p.entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		outcome, err := r.judge(ctx, e, p.report.Units)
		if err != nil {
			return err
		}
		p.report.add(e, outcome)
		if i%200 == 0 {
			step(ImportChecking, int64(i)/2, p.report.Total)
		}
	}
	p.report.NewUnits = int64(len(r.planned))
	return nil
}

// add counts a row and keeps a line when it has something to say.
func (r *Report) add(e *entry, o Outcome) {
	r.count(o)
	if o == RowUnchanged && len(e.notes) == 0 || o == RowCreated && len(e.notes) == 0 {
		return
	}
	r.Lines = append(r.Lines, ReportLine{Line: e.line, Key: e.key, Outcome: o, Notes: e.notes})
}

// act is one audited change of an import.
type act struct {
	action, kind, id string
}

func (s *Service) applyPlan(ctx context.Context, tx *store.Tx, who audit.Actor, p *plan, step stepper) error {
	r, err := s.resolver(ctx, tx.Queries, p)
	if err != nil {
		return err
	}
	p.report.NewUnits = int64(len(r.planned))
	var acts []act
	for i, e := range p.entries {
		outcome, err := r.judge(ctx, e, p.report.Units)
		if err != nil {
			return err
		}
		p.report.add(e, outcome)
		if outcome == RowRejected {
			continue // the rest is judged too, for the report
		}
		if p.report.Rejected > 0 {
			continue
		}
		done, err := s.applyRow(ctx, tx, who, r, e, outcome, p.report.Units)
		if err != nil {
			return fmt.Errorf("line %d: %w", e.line, err)
		}
		acts = append(acts, done...)
		if i%200 == 0 {
			step(ImportApplying, p.report.Total/2+int64(i)/2, p.report.Total)
		}
	}
	if !p.report.OK() {
		return &refusedError{p.report}
	}
	for _, a := range acts { // late: the record has one head for everybody
		if err := audit.Record(ctx, tx, s.now(), who, audit.Entry{Action: a.action, ObjectKind: a.kind, ObjectID: a.id}); err != nil {
			return err
		}
	}
	step(ImportApplying, p.report.Total, p.report.Total)
	return nil
}

func (s *Service) applyRow(ctx context.Context, tx *store.Tx, who audit.Actor, r *resolver, e *entry, o Outcome, unitsFile bool) ([]act, error) {
	var acts []act
	if e.code != "" {
		made, err := s.makeUnit(ctx, tx, r, e.code)
		if err != nil {
			return nil, err
		}
		acts = append(acts, made...)
	}
	unit := r.units[e.code]
	if e.name != "" && e.name != unit.Name && unitsFile {
		if _, err := tx.RenameUnit(ctx, db.RenameUnitParams{ID: unit.ID, Name: e.name, UpdatedAt: s.now().UnixMicro()}); err != nil {
			return nil, fmt.Errorf("rename unit: %w", err)
		}
		acts = append(acts, act{"unit.rename", "unit", unit.ID})
	}
	if unitsFile || o == RowUnchanged {
		return acts, nil
	}
	d := e.data
	d.UnitID = unit.ID
	if o == RowCreated {
		if d.TimeZone == "" {
			d.TimeZone = "WIB"
		}
		made, err := s.create(ctx, tx, who, d, e.active == nil || *e.active)
		if err != nil {
			return nil, err
		}
		return append(acts, act{"employee.create", "employee", made.ID}), nil
	}
	row, err := tx.GetEmployeeByNIP(ctx, e.data.NIP)
	if err != nil {
		return nil, fmt.Errorf("read employee: %w", err)
	}
	active := row.Active
	if e.active != nil {
		active = *e.active
	}
	if _, err := s.update(ctx, tx, who, row, d, active, true); err != nil {
		return nil, err
	}
	return append(acts, act{"employee.update", "employee", row.ID}), nil
}

// makeUnit creates a planned unit and those above it that do not exist yet.
func (s *Service) makeUnit(ctx context.Context, tx *store.Tx, r *resolver, code string) ([]act, error) {
	e := r.planned[code]
	if _, exists := r.units[code]; exists || e == nil {
		return nil, nil
	}
	var acts []act
	parentID := ""
	if e.parent != "" {
		above, err := s.makeUnit(ctx, tx, r, e.parent)
		if err != nil {
			return nil, err
		}
		acts, parentID = above, r.units[e.parent].ID
	}
	u, err := s.createUnit(ctx, tx, parentID, code, e.name)
	if err != nil {
		return nil, err
	}
	r.units[code] = db.Unit{ID: u.ID, ParentID: nullable(parentID), Code: code, Name: e.name}
	return append(acts, act{"unit.create", "unit", u.ID}), nil
}

func (s *Service) recordImport(ctx context.Context, tx *store.Tx, who audit.Actor, content []byte, r Report) error {
	sum := sha256.Sum256(content)
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "staff.import", ObjectKind: "file", ObjectID: fmt.Sprintf("%x", sum),
		Detail: map[string]string{
			"created": fmt.Sprint(r.Created), "updated": fmt.Sprint(r.Updated), "unchanged": fmt.Sprint(r.Unchanged),
			"units": fmt.Sprint(r.NewUnits),
		},
	})
}
