package staff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store"
	"absah/internal/store/db"
)

// CorrectionState is the life of a correction.
type CorrectionState string

// The states of a correction.
const (
	Open      CorrectionState = "open"
	Decided   CorrectionState = "decided"
	Withdrawn CorrectionState = "withdrawn"
)

// ItemState is what became of one field of a correction.
type ItemState string

// The states of an item.
const (
	ItemWaiting   ItemState = "waiting"
	ItemAccepted  ItemState = "accepted"
	ItemRejected  ItemState = "rejected"
	ItemWithdrawn ItemState = "withdrawn"
)

// Correction is a proposed change to an employee's data (Perubahan Data).
type Correction struct {
	ID          string
	Reference   string
	EmployeeID  string
	State       CorrectionState
	SubmittedAt time.Time
	ClaimedBy   string // employee id of the officer, empty when nobody has it
	ClaimedAt   time.Time
	DecidedBy   string
	DecidedAt   time.Time
	Version     int64
	Items       []Item
}

// Waiting returns the items that are still to be decided.
func (c Correction) Waiting() []Item {
	var list []Item
	for _, i := range c.Items {
		if i.State == ItemWaiting {
			list = append(list, i)
		}
	}
	return list
}

// Item is one field of a correction.
type Item struct {
	ID         string
	Field      Field
	Before     string // text fields: the value when it was proposed
	After      string
	EvidenceID string // scans: the proposed one
	State      ItemState
	ReasonCode ReasonCode
	ReasonText string
	DecidedAt  time.Time
}

// proposal is one field that an employee wants changed; value is clean.
type proposal struct {
	field      Field
	value      string
	evidenceID string
}

// Propose proposes new values of the employee's own text fields. Values join
// the open correction or open one; a value that stands already withdraws what
// was proposed for its field. It fails with *InvalidError, ErrNothing when
// nothing is proposed by it, and ErrInactive.
func (s *Service) Propose(ctx context.Context, who audit.Actor, values map[Field]string) error {
	problems := map[Field]Problem{}
	var list []proposal
	var blank []Field
	for _, f := range CorrectableFields() {
		typed, ok := values[f]
		if !ok || f.IsScan() {
			continue
		}
		v, problem := Clean(f, typed, s.now())
		switch {
		case problem != nil:
			problems[f] = *problem
		case v == "":
			blank = append(blank, f)
		default:
			list = append(list, proposal{field: f, value: v})
		}
	}
	if err := invalid(problems); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		employee, err := s.lockActive(ctx, tx, who.EmployeeID)
		if err != nil {
			return err
		}
		missing := map[Field]Problem{}
		for _, f := range blank { // what is known cannot become unknown
			if employee.Data().Get(f) != "" {
				missing[f] = Problem{Code: "required"}
			}
		}
		if err := invalid(missing); err != nil {
			return err
		}
		return s.propose(ctx, tx, who, employee, list)
	})
}

// lockActive locks the row of an employee who has not left.
func (s *Service) lockActive(ctx context.Context, tx *store.Tx, id string) (Employee, error) {
	row, err := tx.LockEmployee(ctx, id)
	if err != nil {
		return Employee{}, notFound(err, "lock employee")
	}
	if !row.Active {
		return Employee{}, ErrInactive
	}
	return s.open(ctx, row)
}

// propose writes items into the open correction of a locked employee.
func (s *Service) propose(ctx context.Context, tx *store.Tx, who audit.Actor, e Employee, list []proposal) error {
	row, err := tx.OpenCorrection(ctx, e.ID)
	isNew := store.IsNotFound(err)
	if err != nil && !isNew {
		return fmt.Errorf("read open correction: %w", err)
	}
	items := map[Field]db.CorrectionItem{}
	if isNew {
		row = db.Correction{ID: ident.New(), Reference: ident.Reference("PD"), EmployeeID: e.ID}
	} else {
		if _, err := tx.LockCorrection(ctx, row.ID); err != nil {
			return fmt.Errorf("lock correction: %w", err)
		}
		old, err := tx.CorrectionItems(ctx, row.ID)
		if err != nil {
			return fmt.Errorf("read correction: %w", err)
		}
		for _, i := range old {
			items[Field(i.Field)] = i
		}
	}
	data := e.Data()
	var fields, withdrawn []Field
	for _, p := range list {
		old, exists := items[p.field]
		if !p.field.IsScan() && p.value == data.Get(p.field) {
			if exists && old.State == string(ItemWaiting) {
				if err := s.withdrawItem(ctx, tx, old); err != nil {
					return err
				}
				withdrawn = append(withdrawn, p.field)
			}
			continue
		}
		same, err := s.sameProposal(ctx, old, p)
		if err != nil {
			return err
		}
		if exists && same {
			continue
		}
		if len(fields) == 0 && isNew {
			if err := tx.InsertCorrection(ctx, db.InsertCorrectionParams{
				ID: row.ID, Reference: row.Reference, EmployeeID: e.ID, SubmittedAt: clock.Micros(s.now()),
			}); err != nil {
				return fmt.Errorf("open correction: %w", err)
			}
		}
		if err := s.putItem(ctx, tx, row.ID, old, p, data.Get(p.field)); err != nil {
			return err
		}
		fields = append(fields, p.field)
	}
	if len(fields)+len(withdrawn) == 0 {
		return ErrNothing
	}
	if err := s.closeIfEmpty(ctx, tx, row.ID, isNew); err != nil {
		return err
	}
	if isNew && s.Courier != nil {
		if err := s.announce(ctx, tx, row, e, fields); err != nil {
			return err
		}
	}
	return s.recordCorrection(ctx, tx, who, "correction.propose", row.ID, map[string]string{
		"fields": joinFields(fields), "withdrawn": joinFields(withdrawn),
	})
}

// sameProposal reports whether the waiting item old proposes p already.
func (s *Service) sameProposal(ctx context.Context, old db.CorrectionItem, p proposal) (bool, error) {
	if old.State != string(ItemWaiting) || p.field.IsScan() {
		return false, nil
	}
	after, err := s.Vault.Open(ctx, keys.Data, old.AfterSealed, itemContext(old.ID, "after"))
	if err != nil {
		return false, fmt.Errorf("open correction: %w", err)
	}
	return string(after) == p.value, nil
}

func itemContext(itemID, side string) []byte { return []byte("correction_item/" + itemID + "/" + side) }

// putItem adds an item or puts it in the place of the one for the same field.
func (s *Service) putItem(ctx context.Context, tx *store.Tx, correctionID string, old db.CorrectionItem, p proposal, before string) error {
	id := old.ID
	if id == "" {
		id = ident.New()
	}
	beforeSealed, err := s.Vault.Seal(ctx, keys.Data, []byte(before), itemContext(id, "before"))
	if err != nil {
		return fmt.Errorf("seal correction: %w", err)
	}
	afterSealed, err := s.Vault.Seal(ctx, keys.Data, []byte(p.value), itemContext(id, "after"))
	if err != nil {
		return fmt.Errorf("seal correction: %w", err)
	}
	if old.ID == "" {
		err = tx.InsertCorrectionItem(ctx, db.InsertCorrectionItemParams{
			ID: id, CorrectionID: correctionID, Field: string(p.field), BeforeSealed: beforeSealed,
			AfterSealed: afterSealed, EvidenceID: nullable(p.evidenceID),
		})
	} else {
		err = tx.ReplaceCorrectionItem(ctx, db.ReplaceCorrectionItemParams{
			ID: id, BeforeSealed: beforeSealed, AfterSealed: afterSealed, EvidenceID: nullable(p.evidenceID),
		})
	}
	if err != nil {
		return fmt.Errorf("write correction: %w", err)
	}
	if old.State == string(ItemWaiting) && old.EvidenceID.Valid {
		return s.erase(ctx, tx, old.EvidenceID.String) // nobody judged it
	}
	return nil
}

// withdrawItem takes one waiting item back; its scan, which nobody judged, is erased.
func (s *Service) withdrawItem(ctx context.Context, tx *store.Tx, i db.CorrectionItem) error {
	err := tx.DecideCorrectionItem(ctx, db.DecideCorrectionItemParams{
		ID: i.ID, State: string(ItemWithdrawn), DecidedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("withdraw item: %w", err)
	}
	if i.EvidenceID.Valid {
		return s.erase(ctx, tx, i.EvidenceID.String)
	}
	return nil
}

// closeIfEmpty withdraws a correction that has no waiting item left.
func (s *Service) closeIfEmpty(ctx context.Context, tx *store.Tx, id string, isNew bool) error {
	if isNew {
		return nil
	}
	items, err := tx.CorrectionItems(ctx, id)
	if err != nil {
		return fmt.Errorf("read correction: %w", err)
	}
	for _, i := range items {
		if i.State == string(ItemWaiting) {
			return nil
		}
	}
	return s.closeAs(ctx, tx, id, Withdrawn, "")
}

func (s *Service) closeAs(ctx context.Context, tx *store.Tx, id string, state CorrectionState, officerID string) error {
	err := tx.DecideCorrection(ctx, db.DecideCorrectionParams{
		ID: id, State: string(state), DecidedBy: nullable(officerID), DecidedAt: clock.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("close correction: %w", err)
	}
	return nil
}

// Withdraw takes the employee's own open correction back: the named fields, or
// all when none is named. It fails with ErrNotFound when there is none, and
// with ErrNothing when none of the fields waits.
func (s *Service) Withdraw(ctx context.Context, who audit.Actor, fields ...Field) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockEmployee(ctx, who.EmployeeID); err != nil {
			return notFound(err, "lock employee")
		}
		c, err := tx.OpenCorrection(ctx, who.EmployeeID)
		if err != nil {
			return notFound(err, "read open correction")
		}
		done, err := s.withdraw(ctx, tx, c, fields)
		if err != nil {
			return err
		}
		return s.recordCorrection(ctx, tx, who, "correction.withdraw", c.ID, map[string]string{"fields": joinFields(done)})
	})
}

func (s *Service) withdraw(ctx context.Context, tx *store.Tx, c db.Correction, fields []Field) ([]Field, error) {
	if _, err := tx.LockCorrection(ctx, c.ID); err != nil {
		return nil, fmt.Errorf("lock correction: %w", err)
	}
	items, err := tx.CorrectionItems(ctx, c.ID)
	if err != nil {
		return nil, fmt.Errorf("read correction: %w", err)
	}
	wanted := map[Field]bool{}
	for _, f := range fields {
		wanted[f] = true
	}
	var done []Field
	for _, i := range items {
		if i.State != string(ItemWaiting) || len(wanted) > 0 && !wanted[Field(i.Field)] {
			continue
		}
		if err := s.withdrawItem(ctx, tx, i); err != nil {
			return nil, err
		}
		done = append(done, Field(i.Field))
	}
	if len(done) == 0 {
		return nil, ErrNothing
	}
	return done, s.closeIfEmpty(ctx, tx, c.ID, false)
}

// withdrawOfLeaver closes the open correction of somebody who leaves.
func (s *Service) withdrawOfLeaver(ctx context.Context, tx *store.Tx, employeeID string) error {
	c, err := tx.OpenCorrection(ctx, employeeID)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read open correction: %w", err)
	}
	_, err = s.withdraw(ctx, tx, c, nil)
	if errors.Is(err, ErrNothing) {
		return nil
	}
	return err
}

// announce tells the nearest HR unit that has an officer besides the employee.
func (s *Service) announce(ctx context.Context, tx *store.Tx, row db.Correction, e Employee, fields []Field) error {
	unit, err := tx.GetUnit(ctx, e.UnitID)
	if err != nil {
		return fmt.Errorf("read unit: %w", err)
	}
	officers, err := hrOfficers(ctx, tx.Queries, e)
	if err != nil {
		return err
	}
	err = s.Courier.CorrectionSubmitted(ctx, tx, SubmittedNotice{
		CorrectionID: row.ID, Reference: row.Reference, Employee: e, UnitName: unit.Name, Fields: fields, Officers: officers,
	})
	if err != nil {
		return fmt.Errorf("announce correction: %w", err)
	}
	return nil
}

func hrOfficers(ctx context.Context, q *db.Queries, e Employee) ([]Recipient, error) {
	above, err := q.HROfficersAbove(ctx, e.UnitID)
	if err != nil {
		return nil, fmt.Errorf("look for HR officers: %w", err)
	}
	var list []Recipient
	depth := int64(-1)
	for _, o := range above {
		if o.EmployeeID.String == e.ID {
			continue
		}
		if depth < 0 {
			depth = o.Depth
		}
		if o.Depth != depth {
			break
		}
		list = append(list, Recipient{o.ID, o.EmployeeID.String, o.DisplayName, o.Email, o.Locale})
	}
	if len(list) > 0 {
		return list, nil
	}
	all, err := q.HROfficersEverywhere(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for HR officers: %w", err)
	}
	for _, o := range all {
		if o.EmployeeID.String != e.ID {
			list = append(list, Recipient{o.ID, o.EmployeeID.String, o.DisplayName, o.Email, o.Locale})
		}
	}
	return list, nil
}

func (s *Service) recordCorrection(ctx context.Context, tx *store.Tx, who audit.Actor, action, id string, detail map[string]string) error {
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: action, ObjectKind: "correction", ObjectID: id, Detail: detail,
	})
}
